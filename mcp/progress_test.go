package mcp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func newServerWithoutKey() (*Server, error) {
	client, err := babyclient.New(babyclient.WithBaseURL("http://127.0.0.1:1"))
	if err != nil {
		return nil, err
	}
	return NewServer(client)
}

func progressRequest(token any) mcpgo.CallToolRequest {
	var r mcpgo.CallToolRequest
	if token != nil {
		r.Params.Meta = &mcpgo.Meta{ProgressToken: token}
	}
	return r
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type told struct {
			at       time.Duration
			progress float64
			message  string
		}
		start := time.Now()
		var got []told
		notify := func(_ context.Context, method string, params map[string]any) {
			if method != "notifications/progress" || params["progressToken"] != "t" || params["total"] != nil {
				t.Errorf("sent %s %v, want progress with the token and without a total", method, params)
			}
			got = append(got, told{time.Since(start), params["progress"].(float64), params["message"].(string)})
		}
		p := startProgress(t.Context(), progressRequest("t"), notify)
		time.Sleep(time.Second)
		p.say(func(d time.Duration) string { return "later, " + seconds(d) })
		time.Sleep(11 * time.Second)
		p.stop()
		time.Sleep(time.Minute)
		want := []told{{500 * time.Millisecond, 0.5, "working, 0s"}, {5500 * time.Millisecond, 5.5, "later, 5s"},
			{10500 * time.Millisecond, 10.5, "later, 10s"}}
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %v, want %v", got[i], want[i])
			}
		}
	})
}

func TestProgressOnlyWhereAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notify := func(_ context.Context, method string, _ map[string]any) { t.Errorf("sent %s", method) }
		ctx, cancel := context.WithCancel(t.Context())
		p := startProgress(ctx, progressRequest(nil), notify)
		time.Sleep(time.Minute)
		p.stop()
		cancelled := startProgress(ctx, progressRequest("t"), notify)
		cancel()
		time.Sleep(time.Minute)
		cancelled.stop()
	})
}
