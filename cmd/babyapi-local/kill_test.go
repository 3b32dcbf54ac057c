package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// The gateway dies by SIGKILL under load: no stream ends as if it were complete, the next call says
// that nobody is there, and the one after the restart succeeds with the same client.
func TestGatewayKilledUnderLoad(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"stream":true`) {
			babytest.EndlessStream(`{"choices":[{"index":0,"delta":{"content":"x"}}]}`).ServeHTTP(w, r)
			return
		}
		babytest.JSON(200, `{"choices":[{"index":0,"message":{"content":"hello"}}]}`).ServeHTTP(w, r)
	}))
	defer engine.Close()
	gateway, base, _ := start(t, engine.URL)
	c, err := babyclient.New(babyclient.WithBaseURL(base), babyclient.WithAPIKey("any"), babyclient.WithMaxRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	req := &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("hi")}}

	const streams = 20
	var begun, ended sync.WaitGroup
	begun.Add(streams)
	for range streams {
		ended.Go(func() {
			first := sync.OnceFunc(begun.Done)
			defer first()
			for _, err := range c.ChatStream(t.Context(), req) {
				if err != nil {
					if !errors.Is(err, babyclient.ErrStreamFailed) && !errors.Is(err, babyclient.ErrStreamTruncated) {
						t.Errorf("a stream ended with %v", err)
					}
					return
				}
				first()
			}
			t.Error("a stream ended as if it were complete")
		})
	}
	begun.Wait()
	_ = gateway.Process.Kill()
	_ = gateway.Wait()
	ended.Wait()

	_, err = c.Chat(t.Context(), req)
	if !errors.Is(err, babyclient.ErrConnection) || !strings.Contains(err.Error(), "cannot connect") ||
		strings.Contains(err.Error(), "may have run") {
		t.Errorf("with nobody there: %v", err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, again, _ := start(t, engine.URL, "--addr", "127.0.0.1:"+port)
	if again != base {
		t.Fatalf("it is at %s, was at %s", again, base)
	}
	if resp, err := c.Chat(t.Context(), req); err != nil || resp.Text() != "hello" {
		t.Errorf("after the restart: %v", err)
	}
}
