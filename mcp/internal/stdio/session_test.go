package stdio

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// roots is the type that mcp-go gives no name.
type roots = struct {
	ListChanged bool `json:"listChanged,omitempty"`
}

// rootsHandler answers the method "roots" with the roots that UpdateRoots applied, and its error.
func rootsHandler() *fakeHandler {
	h := newHandler()
	h.methods["roots"] = func(ctx context.Context) any {
		applied := []string{}
		err := UpdateRoots(ctx, func(uris []string) { applied = append(applied, uris...) })
		return fmt.Sprint(applied, err)
	}
	return h
}

func withRoots(h *fakeHandler) {
	h.session.(mcpserver.SessionWithClientInfo).SetClientCapabilities(
		mcpgo.ClientCapabilities{Roots: &roots{}})
}

// A client that has roots is asked for them at the first call that needs them, and again when it
// says that they have changed.
func TestUpdateRoots(t *testing.T) {
	h := rootsHandler()
	p := servePipe(t, h)
	p.Send(request("0", "initialize"))
	p.ReceiveID("0")
	withRoots(h)
	const none = `"[] \u003cnil\u003e"`
	asked := func(id, uri string) {
		t.Helper()
		p.Send(request(id, "roots"))
		m := p.Receive()
		if m.Method != "roots/list" || !strings.HasPrefix(string(m.ID), `"server-`) {
			t.Fatalf("got %s, want the request for the roots", m)
		}
		p.Send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[{"uri":%q}]}}`, m.ID, uri))
		want := fmt.Sprintf(`"[%s] \u003cnil\u003e"`, uri)
		if m := p.Receive(); string(m.ID) != id || string(m.Result) != want {
			t.Errorf("call %s: got %s, want %s", id, m, want)
		}
	}
	asked("1", "file:///a")
	p.Send(request("2", "roots"))
	if m := p.Receive(); string(m.ID) != "2" || string(m.Result) != none {
		t.Errorf("the second call: got %s, want no roots and no error", m)
	}
	p.Send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)
	asked("3", "file:///b")
}

func TestUpdateRootsRefused(t *testing.T) {
	h := rootsHandler()
	p := servePipe(t, h)
	p.Send(request("0", "initialize"))
	p.ReceiveID("0")
	withRoots(h)
	p.Send(request("1", "roots"))
	m := p.Receive()
	p.Send(
		fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-1,"message":"no %s"}}`, m.ID, strings.Repeat("x", 1000)))
	m = p.ReceiveID("1")
	if !strings.Contains(string(m.Result), "the client refused roots/list") || len(m.Result) > 200 {
		t.Errorf("got %s, want a short error that says that the client refused", m)
	}
}

// Nobody is asked who has no roots, or who is no client of ours.
func TestUpdateRootsOfNobody(t *testing.T) {
	p := servePipe(t, rootsHandler())
	p.Send(request("1", "roots"))
	if m := p.Receive(); string(m.ID) != "1" || strings.Contains(string(m.Result), "file:") {
		t.Errorf("a client without roots: got %s, want the answer", m)
	}
	if err := UpdateRoots(t.Context(), func([]string) { t.Error("roots without a client") }); err != nil {
		t.Errorf("without a client: got %v, want no error", err)
	}
}

func TestSessionKeepsWhatTheClientSays(t *testing.T) {
	s := newSession(nil)
	s.Initialize()
	s.SetProtocolVersion("2025-11-25")
	s.SetClientInfo(mcpgo.Implementation{Name: "test"})
	s.SetClientCapabilities(mcpgo.ClientCapabilities{Roots: &roots{ListChanged: true}})
	got := []any{s.Initialized(), s.ProtocolVersion(), s.GetClientInfo().Name,
		s.GetClientCapabilities().Roots.ListChanged}
	if want := []any{true, "2025-11-25", "test", true}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
