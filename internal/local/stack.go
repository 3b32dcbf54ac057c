// Package local runs BabyAPI on one's own machine: real engines as child processes, and one gateway
// on 127.0.0.1 in front of them that serves the wire of the hosted service.
//
// [Start] installs the engines when that has not been done (a Python virtual environment in the
// user's cache folder), starts them side by side and returns when all are up. Nothing of it
// outlives the process, however that ends.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Stack is a gateway with its engines.
type Stack struct {
	base   string
	logDir string
	plan   *plan
	server *http.Server
	cancel context.CancelFunc // ends the engines
	wg     sync.WaitGroup
	// unlocks give back the locks on the cache and on the folder of the logs.
	unlocks []func()
	closed  sync.Once
	err     error
}

// BaseURL is what a client needs as its base URL, such as "http://127.0.0.1:8787".
func (s *Stack) BaseURL() string { return s.base }

// LogDir is the folder of the engines' logs, or empty if no engine was started.
func (s *Stack) LogDir() string { return s.logDir }

// Close ends the gateway and the engines, and returns when all are gone. Requests under way are
// cut.
func (s *Stack) Close() error {
	s.closed.Do(func() {
		s.err = s.server.Close()
		s.cancel()
		s.wg.Wait()
		for _, unlock := range s.unlocks {
			unlock()
		}
	})
	return s.err
}

// Start runs the stack and returns when all engines are up. The gateway listens before that, and
// its GET /ready tells which are up. If ctx ends before, Start gives up and leaves nothing behind;
// afterwards only [Stack.Close] ends the stack.
func Start(ctx context.Context, c Config) (*Stack, error) {
	if c.Messages == nil {
		c.Messages = io.Discard
	}
	c.Messages = &lockedWriter{w: c.Messages}
	p, err := newPlan(&c)
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, c.addr())
	if err != nil {
		return nil, err
	}
	// The engines outlive ctx, which is only for the start.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Stack{base: "http://" + listener.Addr().String(), plan: p, cancel: cancel}
	s.server = &http.Server{Handler: p.gateway.handler(),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	s.wg.Go(func() { _ = s.server.Serve(listener) })

	if len(p.engines) > 0 {
		err = s.launch(ctx, running, c, p)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// launch installs the engines if need be, starts them side by side and waits until all are up.
func (s *Stack) launch(ctx, running context.Context, c Config, p *plan) error {
	p.gateway.installing.Store(true)
	in, unlock, err := install(ctx, &c)
	p.gateway.installing.Store(false)
	if err != nil {
		return err
	}
	s.unlocks = append(s.unlocks, unlock)
	if err := s.takeLogDir(ctx, in.cache); err != nil {
		return err
	}
	for _, e := range p.engines {
		if err := e.prepare(in, s.logDir, &c); err != nil {
			return err
		}
	}
	line := &progress{w: c.Progress}
	defer line.clear()
	line.set("starting %d engines", len(p.engines))
	results := make(chan error, len(p.engines))
	for _, e := range p.engines {
		s.wg.Go(func() { e.run(running, func(err error) { results <- err }) })
	}
	for up := 1; up <= len(p.engines); up++ {
		select {
		case err := <-results:
			if err != nil {
				return err
			}
			line.set("starting the engines: %d of %d are up", up, len(p.engines))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// takeLogDir takes a folder for the logs and the temporary files of the engines, which is named for
// the whole address: gateways on 127.0.0.1 and 127.0.0.2 can have one port. Two containers that
// share a cache can even have one address, so the folder is locked, and the second takes another.
func (s *Stack) takeLogDir(ctx context.Context, cache string) error {
	// A name with a colon is none on Windows.
	address := strings.NewReplacer("[", "", "]", "", ":", "_").Replace(strings.TrimPrefix(s.base, "http://"))
	for n := 1; ; n++ {
		s.logDir = filepath.Join(cache, "logs", address)
		if n > 1 {
			s.logDir += "-" + strconv.Itoa(n)
		}
		if err := os.MkdirAll(s.logDir, 0o700); err != nil {
			return fmt.Errorf("making the folder of the logs: %w", err)
		}
		unlock, err := lockAtOnce(ctx, filepath.Join(s.logDir, "lock"))
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return fmt.Errorf("taking the folder of the logs: %w", err)
		}
		s.unlocks = append(s.unlocks, unlock)
		return nil
	}
}

// Setup installs the engines and returns without starting them.
func Setup(ctx context.Context, c Config) error {
	if c.Messages == nil {
		c.Messages = io.Discard
	}
	_, unlock, err := install(ctx, &c)
	if err == nil {
		unlock()
	}
	return err
}

// install installs what is missing and returns as [installer.run] does.
func install(ctx context.Context, c *Config) (in *installation, unlock func(), err error) {
	cache, err := c.cacheDir()
	if err != nil {
		return nil, nil, err
	}
	i := installer{cache: cache, python: c.Python, ocr: c.OCR, messages: c.Messages, progress: &progress{w: c.Progress}}
	return i.run(ctx)
}

// lockedWriter lets the engines write messages at the same time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
