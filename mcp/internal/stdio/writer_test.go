package stdio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// A client that stops reading holds up neither the calls nor the end of the server.
func TestClientThatDoesNotRead(t *testing.T) {
	for name, end := range map[string]func(in io.Closer, cancel context.CancelFunc){
		"a signal":        func(_ io.Closer, cancel context.CancelFunc) { cancel() },
		"the input's end": func(in io.Closer, _ context.CancelFunc) { _ = in.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHandler()
				var ended atomic.Int32
				h.methods["big"] = func(context.Context) any {
					ended.Add(1)
					return map[string]any{"text": strings.Repeat("x", 1<<20)}
				}
				in, toServer := io.Pipe()
				_, out := io.Pipe() // nobody reads
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result := make(chan error, 1)
				go func() { result <- Serve(ctx, h, discard, in, out) }()
				for i := range 5 {
					if _, err := io.WriteString(toServer, request(string(rune('1'+i)), "big")+"\n"); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if n := ended.Load(); n != 5 {
					t.Errorf("%d calls have ended, want all 5", n)
				}
				start := time.Now()
				end(toServer, cancel)
				err := <-result
				if took := time.Since(start); took > finishGrace+2*stopGrace || !errors.Is(err, errNotRead) {
					t.Errorf("ended after %s with %v, want the reason within the grace", took, err)
				}
				_ = out.Close()
				_ = toServer.Close()
			})
		})
	}
}

// What nobody reads is not kept for ever.
func TestPendingOutputIsBounded(t *testing.T) {
	_, out := io.Pipe()
	stopped := make(chan struct{})
	w := newWriter(out, func() { close(stopped) })
	line := make([]byte, 1<<20)
	for range maxPending>>20 + 2 {
		w.add(line)
	}
	<-stopped
	if err := w.finish(0); !errors.Is(err, errNotRead) {
		t.Errorf("error %v", err)
	}
	_ = out.Close()
}

func TestLinesAreWrittenInOrder(t *testing.T) {
	in, out := io.Pipe()
	w := newWriter(out, func() { t.Error("the output failed") })
	var want strings.Builder
	for i := range 1000 {
		line, err := json.Marshal(mcpgo.NewRequestId(i))
		if err != nil {
			t.Fatal(err)
		}
		line = append(line, '\n')
		want.Write(line)
		w.add(line)
	}
	got := make(chan string)
	go func() {
		text, _ := io.ReadAll(in)
		got <- string(text)
	}()
	if err := w.finish(time.Minute); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	if text := <-got; text != want.String() {
		t.Errorf("%d bytes, want %d in their order", len(text), want.Len())
	}
}
