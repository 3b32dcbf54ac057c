package babyclient

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"time"
)

// connections dials for the client's own transport, and keeps it from opening more connections than it has calls in
// flight. net/http alone dials for every call that finds no idle connection, and goes on with it when one comes free
// meanwhile: 64 callers on a busy machine open a hundred, each a TLS handshake.
//
// A dial waits while there are as many connections as calls: then at least one of them is used by no call, so it becomes
// idle, and net/http gives it to the call that waits, or it closes, and the dial goes on. It waits for maxHold at most, since
// a connection that is being made may be one that never comes.
type connections struct {
	addr    string // of the base URL; dials to others, a proxy or where a redirect leads, are not held back
	connect func(ctx context.Context, network, addr string) (net.Conn, error)

	mu      sync.Mutex
	changed sync.Cond // for dials that wait
	calls   int       // in flight
	open    int       // connections, those being dialled included
}

const maxHold = 250 * time.Millisecond

func newConnections(base *url.URL) *connections {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	dialer := &net.Dialer{Timeout: connectTimeout}
	p := &connections{addr: net.JoinHostPort(base.Hostname(), port), connect: dialer.DialContext}
	p.changed.L = &p.mu
	return p
}

// useKey leads from the context of a dial to the attempt that it is for.
type useKey struct{}

// connectionUse is what one attempt of a call has to do with connections.
type connectionUse struct {
	waits bool // for a connection; under mu of connections
}

// begin counts a call in flight, until end. For a caller's transport, without connections of ours, both do nothing.
func (p *connections) begin() {
	if p != nil {
		p.change(func() { p.calls++ })
	}
}

func (p *connections) end(u *connectionUse) {
	if p != nil {
		p.change(func() { p.calls--; u.waits = false })
	}
}

// setWaits notes that an attempt waits for a connection, or has one.
func (p *connections) setWaits(u *connectionUse, waits bool) {
	p.change(func() { u.waits = waits })
}

func (p *connections) change(f func()) {
	p.mu.Lock()
	f()
	p.mu.Unlock()
	p.changed.Broadcast()
}

// errServed ends a dial that its call no longer needs. net/http drops it.
var errServed = errors.New("the call has another connection, or has ended")

func (p *connections) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	u, ok := ctx.Value(useKey{}).(*connectionUse)
	if !ok || addr != p.addr {
		return p.connect(ctx, network, addr)
	}
	p.mu.Lock()
	if p.open >= p.calls {
		late := false
		clock := time.AfterFunc(maxHold, func() { p.change(func() { late = true }) })
		for u.waits && !late && p.open >= p.calls {
			p.changed.Wait()
		}
		clock.Stop()
	}
	if !u.waits {
		p.mu.Unlock()
		return nil, errServed
	}
	p.open++
	p.mu.Unlock()
	closed := sync.OnceFunc(func() { p.change(func() { p.open-- }) })
	conn, err := p.connect(ctx, network, addr)
	if err != nil {
		closed()
		return nil, err
	}
	return &countedConn{conn, closed}, nil
}

// countedConn tells, once, that it is closed.
type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
