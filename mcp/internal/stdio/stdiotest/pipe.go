// Package stdiotest is a client over a pair of pipes, for tests of what speaks MCP over standard
// input and output.
package stdiotest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
)

// Pipe is a client of a server that runs in this process.
type Pipe struct {
	t    *testing.T
	In   *io.PipeWriter
	out  *bufio.Reader
	Done chan error // what the server returned
}

// Start runs a server until the test ends, and returns its client.
func Start(t *testing.T, serve func(ctx context.Context, in io.Reader, out io.Writer) error) *Pipe {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &Pipe{t: t, In: inW, out: bufio.NewReader(outR), Done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := serve(ctx, inR, outW)
		_ = outW.Close() // a pipe's Close does not fail
		p.Done <- err
	}()
	t.Cleanup(func() {
		cancel()
		_ = inW.Close()
		_ = outR.Close()
	})
	return p
}

// Send writes lines to the server.
func (p *Pipe) Send(lines ...string) {
	p.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(p.In, l+"\n"); err != nil {
			p.t.Fatalf("sending %.100q: %v", l, err)
		}
	}
}

// EndInput ends the input, as a client does that goes away.
func (p *Pipe) EndInput() { _ = p.In.Close() } // a pipe's Close does not fail

// Receive is the next line that the server writes.
func (p *Pipe) Receive() Message {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("the output ended: %v", err)
	}
	return ParseMessage(p.t, line)
}

// ReceiveID skips to the answer with that id.
func (p *Pipe) ReceiveID(id string) Message {
	p.t.Helper()
	for {
		if m := p.Receive(); string(m.ID) == id {
			return m
		}
	}
}

// Rest is all that the server writes until it ends.
func (p *Pipe) Rest() []Message {
	p.t.Helper()
	var out []Message
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 {
				p.t.Fatalf("the output ends with %q, which has no end", line)
			}
			return out
		}
		out = append(out, ParseMessage(p.t, line))
	}
}

// Message is one line that the server wrote.
type Message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Call     json.RawMessage `json:"call"`
		Token    json.RawMessage `json:"progressToken"`
		Progress float64         `json:"progress"`
		Message  string          `json:"message"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// ParseMessage reads a line that the server wrote.
func ParseMessage(t *testing.T, line []byte) Message {
	t.Helper()
	var m Message
	if err := json.Unmarshal(line, &m); err != nil || m.Version != "2.0" {
		t.Fatalf("the output holds %q, which is no message (%v)", line, err)
	}
	return m
}

func (m Message) String() string {
	return fmt.Sprintf("id %s, method %q, params %+v, result %.200s, error %+v", m.ID, m.Method, m.Params, m.Result,
		m.Error)
}

// CancelOf is the notification that cancels the request with that id.
func CancelOf(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}
