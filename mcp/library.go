package mcp

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of what is kept to be read on.
const (
	maxDocuments = 16
	maxBytes     = 64 << 20
	maxUnderWay  = 32
)

var (
	errConversionTimeout = errors.New("the conversion took longer than its limit")
	errNobodyWaits       = errors.New("nobody waits for the conversion")
)

// library keeps conversions: those under way, to be collected by a later call, and the
// documents of those that ended, to be read on without a second, billed, conversion. What was
// read longest ago goes first.
type library struct {
	ctx    context.Context // of the work in the background
	cancel context.CancelFunc
	work   sync.WaitGroup
	// maxBytes is how much text is kept.
	maxBytes int

	mu   sync.Mutex
	list []*conversion // read longest ago first
}

// conversion is a document that is being made, or was made, or could not be.
type conversion struct {
	id    string // the document is d_id, the job j_id
	key   string // what is converted and how
	name  string
	start time.Time
	fresh time.Duration // how long the same key means this conversion, 0 for as long as it is kept
	done  chan struct{} // closed when doc or err is set
	doc   *document
	err   error

	// Under the mutex of the library:
	stage   func() string
	waiting int  // calls that wait
	kept    bool // its job id was handed out, so it goes on when nobody waits
	cancel  context.CancelCauseFunc
}

func newLibrary() *library {
	l := &library{maxBytes: maxBytes}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// close ends the work in the background and gives it a moment to tell the service.
func (l *library) close() {
	l.cancel()
	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stopGrace):
	}
}

// find is the conversion with the id of its document or its job, nil if it is not kept. The
// caller must wait for it.
func (l *library) find(id string) *conversion {
	id = strings.TrimPrefix(strings.TrimPrefix(id, "d_"), "j_")
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(c *conversion) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return l.take(i)
}

// take marks a conversion as read last and waited for.
func (l *library) take(i int) *conversion {
	c := l.list[i]
	l.list = append(slices.Delete(l.list, i, i+1), c)
	c.waiting++
	return c
}

// start runs convert in the background, unless the same key is under way or kept already. The
// caller must wait for the conversion. report sets what tells the stage that it is in.
func (l *library) start(key, name string, fresh, timeout time.Duration, convert func(ctx context.Context, report func(stage func() string)) (*document, error)) (_ *conversion, started bool, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	underWay := 0
	for i, c := range l.list {
		if c.key == key && c.err == nil && (c.fresh == 0 || time.Since(c.start) < c.fresh) {
			return l.take(i), false, nil
		}
		if !c.ended() {
			underWay++
		}
	}
	if underWay >= maxUnderWay {
		return nil, false, refuse("%d conversions are under way, which is the most. Collect one by its job_id first.", underWay)
	}
	deadline, stop := context.WithTimeoutCause(l.ctx, timeout, errConversionTimeout)
	ctx, cancel := context.WithCancelCause(deadline)
	c := &conversion{id: newID(), key: key, name: name, start: time.Now(), fresh: fresh, done: make(chan struct{}), stage: func() string { return "starting" }, waiting: 1, cancel: cancel}
	l.list = append(l.list, c)
	l.work.Go(func() {
		defer stop()
		defer cancel(nil)
		doc, err := convert(ctx, func(stage func() string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			c.stage = stage
		})
		l.mu.Lock()
		defer l.mu.Unlock()
		if doc != nil {
			doc.id = "d_" + c.id
		}
		c.doc, c.err = doc, err
		close(c.done)
		l.trim()
	})
	return c, true, nil
}

// keep adds a document that is made already.
func (l *library) keep(doc *document) {
	c := &conversion{id: newID(), name: doc.name, start: time.Now(), done: make(chan struct{}), doc: doc}
	doc.id = "d_" + c.id
	c.key = doc.id
	close(c.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c)
	l.trim()
}

// wait waits for a conversion that find or start gave. ready is false when it goes on after d:
// then its job id may be handed out. If ctx ends and nobody else waits for it, or will, it is
// given up.
func (l *library) wait(ctx context.Context, c *conversion, d time.Duration) (_ *document, ready bool, _ error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-ctx.Done():
	case <-timer.C:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.waiting--
	switch {
	case c.ended():
		return c.doc, true, c.err
	case ctx.Err() != nil:
		if c.waiting == 0 && !c.kept {
			l.list = slices.DeleteFunc(l.list, func(other *conversion) bool { return other == c })
			c.cancel(errNobodyWaits)
		}
		return nil, false, ctx.Err()
	}
	c.kept = true
	return nil, false, nil
}

// stageOf is what a conversion is doing.
func (l *library) stageOf(c *conversion) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.stage()
}

func (c *conversion) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// trim drops what exceeds the limits, but never the last one read: one document may be
// larger than all are allowed to be.
func (l *library) trim() {
	count, bytes := 0, 0
	var kept []*conversion
	for _, c := range slices.Backward(l.list) {
		if c.ended() {
			count++
			if c.doc != nil {
				bytes += len(c.doc.text)
			}
			if count > 1 && (count > maxDocuments || bytes > l.maxBytes) {
				continue
			}
		}
		kept = append(kept, c)
	}
	slices.Reverse(kept)
	l.list = kept
}

// newID is short, for it is repeated in every call, and cannot be guessed.
func newID() string { return strings.ToLower(rand.Text()[:10]) }
