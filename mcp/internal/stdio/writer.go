package stdio

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// maxPending is how many bytes wait for a client that does not read. A client that reads at all
// never has so many: it asked for the answers.
const maxPending = 64 << 20

var errNotRead = errors.New("the client does not read")

// writer writes lines in the order in which they were added, on a goroutine of its own. Adding
// never waits: so a client that stops reading holds up neither the calls nor the end of the server.
type writer struct {
	out    io.Writer
	failed func() // is called once, when out fails

	mu      sync.Mutex
	lines   [][]byte
	pending int // bytes that are added and not written
	err     error
	closed  bool
	added   chan struct{} // has one element if there may be lines
	written chan struct{} // is closed, and made anew, when nothing is pending
}

func newWriter(out io.Writer, failed func()) *writer {
	w := &writer{out: out, failed: failed, added: make(chan struct{}, 1), written: make(chan struct{})}
	go w.run()
	return w
}

// add adds a line. After a failure, or the end, it is dropped.
func (w *writer) add(line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || w.closed {
		return
	}
	if w.pending+len(line) > maxPending {
		w.fail(errNotRead)
		return
	}
	w.lines = append(w.lines, line)
	w.pending += len(line)
	select {
	case w.added <- struct{}{}:
	default:
	}
}

// run writes until [writer.finish], or until out fails. A Write that is blocked cannot be ended:
// then the goroutine lives until out takes something or is closed.
func (w *writer) run() {
	for range w.added {
		w.mu.Lock()
		lines := w.lines
		w.lines = nil
		w.mu.Unlock()
		for _, line := range lines {
			_, err := w.out.Write(line)
			w.mu.Lock()
			w.pending -= len(line)
			if err != nil {
				w.fail(err)
			}
			failed := w.err != nil
			if w.pending == 0 {
				close(w.written)
				w.written = make(chan struct{})
			}
			w.mu.Unlock()
			if failed {
				return
			}
		}
	}
}

// fail notes why the output failed. The caller holds mu.
func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("writing the output: %w", err)
		w.failed()
	}
}

// finish waits until all lines are written, or the grace is over, and returns why the output
// failed.
func (w *writer) finish(grace time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending > 0 && w.err == nil {
		written := w.written
		w.mu.Unlock()
		select {
		case <-written:
		case <-time.After(grace):
		}
		w.mu.Lock()
	}
	if w.pending > 0 && w.err == nil {
		w.fail(errNotRead)
	}
	if !w.closed {
		w.closed = true
		close(w.added)
	}
	return w.err
}
