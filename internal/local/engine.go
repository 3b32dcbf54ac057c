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
	// startTimeout is how long an engine may take until it answers. On a busy
	// machine docling-serve has taken a minute.
	startTimeout      = 5 * time.Minute
	firstRestartDelay = time.Second
	maxRestartDelay   = 30 * time.Second
	// steadyAfter is how long an engine must have run for its next end to count as the first.
	steadyAfter = time.Minute
)

// stopTimeout is how long an engine may take to end once its pipe is closed,
// before it is killed. Tests shorten it.
var stopTimeout = 5 * time.Second

// engine is a child process that serves HTTP on a loopback port of its own
// choice, which it tells on its standard output in one line, "listening URL". It
// holds a pipe from this process as standard input and ends when that closes,
// which it does however this process ends.
type engine struct {
	*backend

	command  []string
	env      []string
	dir      string
	logPath  string
	scratch  string                                     // a folder for its temporary files, gone with it; may be empty
	ready    string                                     // the path that answers 200 when it is up
	header   [2]string                                  // what it wants with each request
	inspect  func(ctx context.Context, t *target) error // fills in what there is to know of its model; may be nil
	messages io.Writer                                  // for what a person should know
}

// run keeps the engine running until ctx ends, and restarts it, ever later,
// when it dies. It calls first once: with nil when the engine is up, or with
// the error of an engine that never came up, which is not tried again.
func (e *engine) run(ctx context.Context, first func(error)) {
	var once sync.Once
	wasUp := false
	delay := firstRestartDelay
	for {
		started := time.Now()
		err := e.runOnce(ctx, func() {
			if wasUp {
				fmt.Fprintf(e.messages, "the %s engine is up again\n", e.name)
			}
			wasUp = true
			once.Do(func() { first(nil) })
		})
		if ctx.Err() != nil {
			once.Do(func() { first(ctx.Err()) })
			return
		}
		if !wasUp {
			once.Do(func() { first(err) })
			return
		}
		if time.Since(started) > steadyAfter {
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

// runOnce starts the engine, marks it as up when it is, and returns when it has ended.
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

	cmd := exec.Command(e.command[0], e.command[1:]...) //nolint:gosec,noctx // our own program; ended by its pipe, not by a signal
	ownGroup(cmd)
	cmd.Env = e.env
	cmd.Dir = e.dir
	out := &addressWriter{found: make(chan string, 1)}
	cmd.Stdout = out
	cmd.Stderr = logFile
	cmd.WaitDelay = time.Second
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the %s engine does not start: %w", e.name, err)
	}
	var exit error // once ended is closed
	ended := make(chan struct{})
	go func() {
		exit = cmd.Wait()
		close(ended)
	}()
	defer e.target.Store(nil)

	stop := func() {
		_ = pipe.Close()
		select {
		case <-ended:
		case <-time.After(stopTimeout):
			_ = killGroup(cmd)
			<-ended
		}
	}
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var address string
	select {
	case address = <-out.found:
	case <-ended:
		return e.endedError(exit, "before it was up")
	case <-starting.Done():
		stop()
		return fmt.Errorf("the %s engine was not up after %v (log: %s)", e.name, startTimeout, e.logPath)
	}
	type checked struct {
		target *target
		err    error
	}
	check := make(chan checked, 1)
	go func() {
		t, err := e.check(starting, address)
		check <- checked{t, err}
	}()
	select {
	case c := <-check:
		if c.err != nil {
			stop()
			return fmt.Errorf("the %s engine is not well: %w (log: %s)", e.name, c.err, e.logPath)
		}
		e.target.Store(c.target)
		up()
	case <-ended:
		return e.endedError(exit, "before it was up")
	}
	select {
	case <-ended:
		return e.endedError(exit, "unexpectedly")
	case <-ctx.Done():
		e.target.Store(nil) // no more requests while it ends
		stop()
		return ctx.Err()
	}
}

func (e *engine) endedError(err error, when string) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	text, _ := os.ReadFile(e.logPath)
	if last := tail(string(text), 5); when != "unexpectedly" && last != "" {
		return fmt.Errorf("the %s engine ended %s: %w; it said:\n%s\n(all of it: %s)", e.name, when, err, last, e.logPath)
	}
	return fmt.Errorf("the %s engine ended %s: %w (log: %s)", e.name, when, err, e.logPath)
}

// check waits until the engine answers at address.
func (e *engine) check(ctx context.Context, address string) (*target, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	t := &target{url: *u, header: e.header}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address(e.ready, "").String(), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set(e.header[0], e.header[1])
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

// addressWriter finds the line that tells the address in what an engine prints.
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
