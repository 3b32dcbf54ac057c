package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/mcp"
)

// agent is an MCP client of the server over a pair of pipes, as of a child process.
type agent struct {
	in    *io.PipeWriter
	ended chan error

	mu      sync.Mutex
	waiting map[int64]chan toolResult // by id of the request, which is the number of the call
}

type toolResult struct {
	Content []struct{ Text string }
	IsError bool
}

func newAgent(t *testing.T, server *mcp.Server) *agent {
	fromAgent, in := io.Pipe()
	out, toAgent := io.Pipe()
	a := &agent{in: in, ended: make(chan error, 1), waiting: map[int64]chan toolResult{}}
	go func() {
		err := server.ServeStdio(context.WithoutCancel(t.Context()), fromAgent, toAgent)
		_ = toAgent.Close()
		a.ended <- err
	}()
	go a.read(out)
	return a
}

func (a *agent) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m struct {
			ID     int64
			Result toolResult
		}
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // a notification
		}
		a.mu.Lock()
		if c := a.waiting[m.ID]; c != nil {
			c <- m.Result // has room for the one answer
			delete(a.waiting, m.ID)
		}
		a.mu.Unlock()
	}
}

func (a *agent) send(line string) error {
	_, err := io.WriteString(a.in, line+"\n")
	return err
}

// call calls a tool. When ctx ends, it tells the server and does not wait for an answer, which a
// cancelled call has none of.
func (a *agent) call(ctx context.Context, n int64, tool, arguments string) (string, error) {
	answer := make(chan toolResult, 1)
	a.mu.Lock()
	a.waiting[n] = answer
	a.mu.Unlock()
	const request = `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`
	if err := a.send(fmt.Sprintf(request, n, tool, arguments)); err != nil {
		return "", err
	}
	select {
	case r := <-answer:
		var b strings.Builder
		for _, c := range r.Content {
			b.WriteString(c.Text)
		}
		if r.IsError {
			if strings.Contains(b.String(), "503") || strings.Contains(b.String(), "unavailable") {
				return "", fmt.Errorf("%s: %w", b.String(), babyclient.ErrUnavailable)
			}
			return "", errors.New(b.String())
		}
		return numbered.FindString(b.String()), nil
	case <-ctx.Done():
		a.mu.Lock()
		delete(a.waiting, n)
		a.mu.Unlock()
		const cancel = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`
		if err := a.send(fmt.Sprintf(cancel, n)); err != nil {
			return "", err
		}
		return "", ctx.Err()
	}
}

// close ends the input, at which the server ends too.
func (a *agent) close() error {
	_ = a.in.Close() // never fails
	return <-a.ended
}
