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

// Limits of a library.
const (
	maxDocuments = 16       // that are kept
	maxBytes     = 64 << 20 // of their text
	maxUnderWay  = 32       // conversions
)

// closeGrace is how long conversions have to tell the service that they are given up.
const closeGrace = 500 * time.Millisecond

var (
	errConversionTimeout = errors.New("the conversion took longer than its limit")
	errNobodyWaits       = errors.New("nobody waits for the conversion")
)

// library keeps conversions: those under way, to be collected by a later call, and the
// documents of those that ended, to be read on without a second, billed, conversion. What was
// read longest ago is dropped first.
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
	id   string // its document has the id d_id, its job j_id
	key  string // what is converted and how
	name string
	// reuseFor is how long after the start a call for the same key gets this conversion instead of
	// a new one, which would be billed. 0 is as long as it is kept.
	reuseFor time.Duration
	start    time.Time
	done     chan struct{} // closed when doc or err is set
	doc      *document
	err      error

	// Under the mutex of the library:
	stage     func() string // what it is doing
	waiting   int           // calls that wait
	handedOut bool          // its job id was, so it goes on when nobody waits
	cancel    context.CancelCauseFunc
}

func newConversion(key, name string, reuseFor time.Duration) *conversion {
	return &conversion{
		id:       newID(),
		key:      key,
		name:     name,
		reuseFor: reuseFor,
		start:    time.Now(),
		done:     make(chan struct{}),
		stage:    func() string { return "starting" },
	}
}

// newID is short, because it is repeated in every call, and cannot be guessed.
func newID() string { return strings.ToLower(rand.Text()[:10]) }

func newLibrary() *library {
	l := &library{maxBytes: maxBytes}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// close ends the work in the background and gives it a moment to tell the service.
func (l *library) close() {
	l.cancel()
	ended := make(chan struct{})
	go func() {
		l.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(closeGrace):
	}
}

// find returns the conversion with the id of its document or its job, nil if it is not kept. The
// caller must call wait, which undoes the count that find adds: else the conversion is never given
// up.
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

type (
	// convertFunc makes a document, and reports the stages that it goes through.
	convertFunc func(ctx context.Context, report reportFunc) (*document, error)
	// reportFunc takes a function that says what a conversion is doing.
	reportFunc func(stage func() string)
)

// start runs convert in the background as c, for at most limit, unless a conversion with the same
// key that may be used again is under way or kept already. The caller must wait for the conversion
// that it returns.
func (l *library) start(c *conversion, limit time.Duration, convert convertFunc) (_ *conversion, isNew bool, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	underWay := 0
	for i, other := range l.list {
		reusable := other.reuseFor == 0 || time.Since(other.start) < other.reuseFor
		if other.key == c.key && other.err == nil && reusable {
			return l.take(i), false, nil
		}
		if !other.ended() {
			underWay++
		}
	}
	if underWay >= maxUnderWay {
		return nil, false, refuse("%d conversions are under way, which is the most. "+
			"Collect one by its job_id first.", underWay)
	}
	deadline, stop := context.WithTimeoutCause(l.ctx, limit, errConversionTimeout)
	ctx, cancel := context.WithCancelCause(deadline)
	c.cancel, c.waiting = cancel, 1
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
		c.end(doc, err)
		l.trim()
	})
	return c, true, nil
}

// keep adds a document that is made already, and gives it an id.
func (l *library) keep(doc *document) {
	c := newConversion("", doc.name, 0) // no source has an empty key
	c.end(doc, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, c)
	l.trim()
}

// wait waits for a conversion that find or start gave. ready is false if it is still under way
// after d: then its job id may be handed out. If ctx ends and nobody else waits for it, or will, it
// is given up.
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
		if c.waiting == 0 && !c.handedOut {
			l.list = slices.DeleteFunc(l.list, func(other *conversion) bool { return other == c })
			c.cancel(errNobodyWaits)
		}
		return nil, false, ctx.Err()
	}
	c.handedOut = true
	return nil, false, nil
}

// stageOf is what a conversion is doing.
func (l *library) stageOf(c *conversion) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.stage()
}

// end sets what became of a conversion.
func (c *conversion) end(doc *document, err error) {
	if doc != nil {
		doc.id = "d_" + c.id
	}
	c.doc, c.err = doc, err
	close(c.done)
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
