package babyclient

import (
	"context"
	"errors"
	"io"
	"time"
)

// The causes by which the client's own clocks are told apart from the caller's context.
var (
	errAttemptTimeout = errors.New("the timeout of the call ran out")
	errIdleTimeout    = errors.New("the stream idle timeout ran out")
)

// clock limits one attempt of a call.
type clock struct {
	ctx    context.Context // ends with the caller's, when the clock runs out, and at stop
	cancel context.CancelFunc
	limit  time.Duration // 0: none
	idle   *time.Timer   // of a stream that has a limit
}

// startClock limits a plain call from now on to the last byte of its answer.
func startClock(caller context.Context, limit time.Duration) clock {
	ctx, cancel := context.WithTimeoutCause(caller, limit, errAttemptTimeout)
	return clock{ctx: ctx, cancel: cancel, limit: limit}
}

// startIdleClock limits how long a stream goes without a byte: from now on to the head of the
// answer, then in each read of its body through [clock.watch].
func startIdleClock(caller context.Context, limit time.Duration) clock {
	ctx, cancel := context.WithCancelCause(caller)
	c := clock{ctx: ctx, cancel: func() { cancel(nil) }, limit: limit}
	if limit > 0 {
		c.idle = time.AfterFunc(limit, func() { cancel(errIdleTimeout) })
	}
	return c
}

// watch makes the idle clock run while somebody waits for a byte of body, and only then: the time
// that the caller takes to handle an event does not count.
func (c *clock) watch(body io.Reader) io.Reader {
	if c.idle == nil {
		return body
	}
	c.idle.Stop()
	return &watchedReader{body, c}
}

type watchedReader struct {
	io.Reader
	clock *clock
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.clock.idle.Reset(r.clock.limit)
	n, err := r.Reader.Read(p)
	r.clock.idle.Stop()
	return n, err
}

// ranOut is the cause of a clock that ended the attempt, nil if it did not.
func (c *clock) ranOut() error {
	if cause := context.Cause(c.ctx); errors.Is(cause, errAttemptTimeout) || errors.Is(cause, errIdleTimeout) {
		return cause
	}
	return nil
}

// stop ends the context of the attempt, and with it whatever still goes on for the attempt.
func (c *clock) stop() {
	if c.idle != nil {
		c.idle.Stop()
	}
	c.cancel()
}
