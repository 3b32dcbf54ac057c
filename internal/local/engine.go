package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	// startTimeout is how long an engine may take until it answers. On a busy machine docling-serve
	// has taken a minute.
	startTimeout      = 5 * time.Minute
	firstRestartDelay = time.Second
	maxRestartDelay   = 30 * time.Second
	// steadyAfter is how long an engine must have run for the delay to begin anew when it ends.
	steadyAfter = time.Minute
)

// stopTimeout is how long an engine may take to end once its pipe is closed, before it is killed.
// Tests shorten it.
var stopTimeout = 5 * time.Second

// engine is a child process that serves HTTP on a loopback port of its own choice, and prints its
// address on its standard output in one line, "listening URL". Its standard input is a pipe from
// this process. It ends when the pipe closes, which happens however this process ends.
type engine struct {
	*backend

	command    []string
	env        []string
	dir        string
	logPath    string
	scratch    string                                     // a folder for its temporary files, or empty
	ready      string                                     // the path that answers 200 when it is up
	credential credential                                 // what it wants with each request
	inspect    func(ctx context.Context, t *target) error // fills in what is known of its model; may be nil
	messages   io.Writer                                  // for what a person should know
}

// run keeps the engine running until ctx ends, and restarts it, ever later, when it dies. It calls
// started once: with nil when the engine is up, or with the error of an engine that never came up,
// which is not tried again.
func (e *engine) run(ctx context.Context, started func(error)) {
	var once sync.Once
	report := func(err error) { once.Do(func() { started(err) }) }
	wasUp := false
	delay := firstRestartDelay
	for {
		startedAt := time.Now()
		err := e.runOnce(ctx, func() {
			if wasUp {
				fmt.Fprintf(e.messages, "the %s engine is up again\n", e.name)
			}
			wasUp = true
			report(nil)
		})
		if ctx.Err() != nil {
			report(ctx.Err())
			return
		}
		if !wasUp {
			report(err)
			return
		}
		if time.Since(startedAt) > steadyAfter {
			delay = firstRestartDelay
		}
		fmt.Fprintf(e.messages, "%v; starting it again in %v\n", err, delay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, maxRestartDelay)
	}
}

// runOnce starts the engine, calls up when it is up, and returns when it has ended.
func (e *engine) runOnce(ctx context.Context, up func()) error {
	logFile, err := os.OpenFile(e.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("the log of the %s engine: %w", e.name, err)
	}
	defer func() { _ = logFile.Close() }()
	if e.scratch != "" {
		// An engine that was killed leaves its files behind.
		if err := errors.Join(os.RemoveAll(e.scratch), os.Mkdir(e.scratch, 0o700)); err != nil {
			return fmt.Errorf("the folder for the temporary files of the %s engine: %w", e.name, err)
		}
		defer func() { _ = os.RemoveAll(e.scratch) }()
	}
	p, err := e.start(logFile)
	if err != nil {
		return err
	}
	t, err := e.waitUntilUp(ctx, p)
	if err != nil {
		return err
	}
	e.target.Store(t)
	defer e.target.Store(nil)
	up()
	select {
	case <-p.ended:
		return e.endedError(p.exit, "unexpectedly")
	case <-ctx.Done():
		e.target.Store(nil) // no more requests while it ends
		p.stop()
		return ctx.Err()
	}
}

// process is a running engine.
type process struct {
	cmd     *exec.Cmd
	pipe    io.WriteCloser // its standard input
	address chan string
	ended   chan struct{}
	exit    error // how it ended; only to be read once ended is closed
}

func (e *engine) start(logFile *os.File) (*process, error) {
	//nolint:gosec,noctx // our own program; its pipe ends it, not a signal
	cmd := exec.Command(e.command[0], e.command[1:]...)
	ownGroup(cmd)
	dieWithParent(cmd)
	p := &process{cmd: cmd, address: make(chan string, 1), ended: make(chan struct{})}
	cmd.Env = e.env
	cmd.Dir = e.dir
	cmd.Stdout = &addressWriter{found: p.address}
	cmd.Stderr = logFile
	cmd.WaitDelay = time.Second
	var err error
	if p.pipe, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the %s engine does not start: %w", e.name, err)
	}
	go func() {
		p.exit = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the process, by force if it does not end by itself, and returns when it has ended.
func (p *process) stop() {
	// A pipe that closes without a word says that this process was killed.
	_, _ = io.WriteString(p.pipe, "stop\n")
	_ = p.pipe.Close()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = killGroup(p.cmd)
		<-p.ended
	}
}

// waitUntilUp waits until the process has printed its address and answers there. If it fails, the
// process has ended.
func (e *engine) waitUntilUp(ctx context.Context, p *process) (*target, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var address string
	select {
	case address = <-p.address:
	case <-p.ended:
		return nil, e.endedError(p.exit, "before it was up")
	case <-ctx.Done():
		p.stop()
		return nil, fmt.Errorf("the %s engine was not up after %v (log: %s)", e.name, startTimeout, e.logPath)
	}
	var t *target
	checked := make(chan error, 1)
	go func() {
		var err error
		t, err = e.check(ctx, address)
		checked <- err
	}()
	select {
	case err := <-checked:
		if err != nil {
			p.stop()
			return nil, fmt.Errorf("the %s engine is not well: %w (log: %s)", e.name, err, e.logPath)
		}
		return t, nil
	case <-p.ended:
		return nil, e.endedError(p.exit, "before it was up")
	}
}

func (e *engine) endedError(err error, when string) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	text, _ := os.ReadFile(e.logPath)
	if last := tail(string(text), 5); when != "unexpectedly" && last != "" {
		return fmt.Errorf("the %s engine ended %s: %w; it said:\n%s\n(all of it: %s)",
			e.name, when, err, last, e.logPath)
	}
	return fmt.Errorf("the %s engine ended %s: %w (log: %s)", e.name, when, err, e.logPath)
}

// check waits until the engine answers at address.
func (e *engine) check(ctx context.Context, address string) (*target, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	t := &target{url: *u, credential: e.credential}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address(e.ready, "").String(), nil)
		if err != nil {
			return nil, err
		}
		e.authorize(t, req.Header)
		resp, err := ownTransport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
			err = fmt.Errorf("%s answered %s", e.ready, resp.Status)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
	if e.inspect != nil {
		if err := e.inspect(ctx, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// addressWriter finds the line with the address in what an engine prints.
type addressWriter struct {
	line  []byte
	done  bool
	found chan string
}

func (a *addressWriter) Write(p []byte) (int, error) {
	if a.done {
		return len(p), nil
	}
	a.line = append(a.line, p...)
	if line, _, whole := bytes.Cut(a.line, []byte("\n")); whole {
		a.done = true
		a.found <- strings.TrimPrefix(strings.TrimSpace(string(line)), "listening ")
	}
	return len(p), nil
}
