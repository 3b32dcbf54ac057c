package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
)

const (
	// MaxHeld is how much of bodies and answers all requests together may hold in memory, in bytes,
	// and what decoding makes of them. It is room for eight bodies of the largest size, or for a
	// thousand of a usual one. Garbage comes on top of it.
	MaxHeld = 128 << 20
	// maxAnswer is the size of the largest answer of an engine that is read into memory, in bytes.
	// It is room for the embeddings of some thousand texts. What is passed on has no limit.
	maxAnswer = 64 << 20
	// freeOfCharge is how much each request may hold at any time, in bytes: calls of a usual size
	// go on while others take all there is.
	freeOfCharge = 64 << 10
)

// memory is what the requests of a gateway may hold together.
type memory struct {
	mu    sync.Mutex
	limit int64 // in bytes
	taken int64
}

// lease is the part of the memory that one request has taken. It ends with the request.
type lease struct {
	memory *memory
	mu     sync.Mutex // a request may read a body and an answer at the same time
	used   int64      // with what is free of charge
}

// memoryError says that a request cannot have the memory that it needs.
type memoryError struct {
	limit int64 // in bytes
	alone bool  // it would need more than the limit even if it were the only one
}

func (e *memoryError) Error() string {
	who := "the requests under way take all of"
	if e.alone {
		who = "this one alone would take more than"
	}
	return fmt.Sprintf("%s the %d MiB that babyapi-local holds in memory", who, e.limit>>20)
}

// take takes n bytes more, or fails with a *memoryError. A nil lease has no limit.
func (l *lease) take(n int64) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	charged := max(0, l.used+n-freeOfCharge) - max(0, l.used-freeOfCharge)
	m := l.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.taken+charged > m.limit {
		return &memoryError{limit: m.limit, alone: l.used+n-freeOfCharge > m.limit}
	}
	m.taken += charged
	l.used += n
	return nil
}

// end gives back what was taken.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	l.memory.taken -= max(0, l.used-freeOfCharge)
	l.used = 0
}

type leaseKey struct{}

// leaseOf is the lease of the request, or nil for a request of the gateway's own.
func leaseOf(ctx context.Context) *lease {
	l, _ := ctx.Value(leaseKey{}).(*lease)
	return l
}

// readAll reads all of r into memory that the lease takes while the bytes come.
func (l *lease) readAll(r io.Reader) ([]byte, error) {
	return io.ReadAll(readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if full := l.take(int64(n)); full != nil {
			return 0, full
		}
		return n, err
	}))
}

// readAnswer reads an answer of an engine whole.
func (l *lease) readAnswer(r io.Reader) ([]byte, error) {
	text, err := l.readAll(io.LimitReader(r, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = fmt.Errorf("its answer is larger than the %d MiB that babyapi-local reads: ask for less", maxAnswer>>20)
	}
	return text, err
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// What decoding makes of JSON, in bytes: of a comma, which stands for a number in an answer and for
// anything in a request, and of an object or a field.
const (
	bytesOfNumber = 16
	bytesOfValue  = 64
)

// takeDecoded takes what decoding the JSON will add. 16 MiB of empty texts become 400 MB in memory,
// so the bytes of a text alone say little.
func (l *lease) takeDecoded(text []byte, ofComma int64) error {
	var n int64
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"': // to its end
			for i++; i < len(text) && text[i] != '"'; i++ {
				next := bytes.IndexAny(text[i:], `"\`)
				if next < 0 {
					return l.take(n)
				}
				if i += next; text[i] == '"' {
					break
				}
				i++ // what the backslash escapes
			}
		case ',':
			n += ofComma
		case '{', ':':
			n += bytesOfValue
		}
	}
	return l.take(n)
}
