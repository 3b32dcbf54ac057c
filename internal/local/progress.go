package local

import (
	"fmt"
	"io"
	"sync"
)

// progress is one line on a terminal that is written over and over. Without a writer it is silent.
type progress struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *progress) set(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\033[K"+format, args...)
	}
}

func (p *progress) clear() {
	p.set("")
}
