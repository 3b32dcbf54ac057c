package mcp

import (
	"context"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio"
)

const (
	firstProgress = 500 * time.Millisecond
	nextProgress  = 5 * time.Second
)

// progress tells the client that a call is alive: after half a second, then every five. It tells
// nothing unless the client asked for it, and nothing after stop.
type progress struct {
	ctx    context.Context
	notify notifyFunc
	token  mcpgo.ProgressToken // nil if the client did not ask
	start  time.Time

	mu      sync.Mutex
	message func(elapsed time.Duration) string
	last    float64
	timer   *time.Timer
	stopped bool
}

// notifyFunc sends a notification that belongs to the call of ctx.
type notifyFunc func(ctx context.Context, method string, params map[string]any)

func startProgress(ctx context.Context, r mcpgo.CallToolRequest, notify notifyFunc) *progress {
	p := &progress{ctx: ctx, notify: notify, start: time.Now()}
	p.message = func(elapsed time.Duration) string { return "working, " + seconds(elapsed) }
	if r.Params.Meta != nil {
		p.token = r.Params.Meta.ProgressToken
	}
	if p.token != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.timer = time.AfterFunc(firstProgress, p.send)
	}
	return p
}

// say sets what the next messages say, and how they go on while time passes.
func (p *progress) say(message func(elapsed time.Duration) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message = message
}

// stop ends the messages: when it returns, none is under way.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// send sends one message, and sets when the next is sent. Its number is the seconds so far, which
// only grow; the end is never known, so there is no total.
func (p *progress) send() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.ctx.Err() != nil {
		return
	}
	elapsed := time.Since(p.start)
	p.last = max(p.last+0.001, elapsed.Seconds())
	p.notify(p.ctx, "notifications/progress", map[string]any{
		"progressToken": p.token,
		"progress":      p.last,
		"message":       p.message(elapsed),
	})
	p.timer.Reset(nextProgress)
}

// notify sends a notification before the answer of its call if the call came in over our stdio.
// Over another transport, mcp-go sends it when it likes.
func notify(ctx context.Context, method string, params map[string]any) {
	if stdio.Notify(ctx, method, params) {
		return
	}
	if s := mcpserver.ServerFromContext(ctx); s != nil {
		// Progress is a courtesy: a client that cannot take it loses nothing else.
		_ = s.SendNotificationToClient(ctx, method, params)
	}
}
