package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// session is what mcp-go knows of the client of a stdio.
type session struct {
	id            string
	notifications chan mcpgo.JSONRPCNotification
	initialized   atomic.Bool
	ask           func(ctx context.Context, method string) (json.RawMessage, error)

	asking       sync.Mutex // held while the client is asked for its roots
	mu           sync.Mutex
	info         mcpgo.Implementation
	capabilities mcpgo.ClientCapabilities
	version      string
	rootsKnown   bool
}

var (
	_ mcpserver.SessionWithClientInfo = (*session)(nil)
	_ mcpserver.SessionWithRoots      = (*session)(nil)
)

func newSession() *session {
	// mcp-go drops what does not fit.
	return &session{id: "stdio-" + rand.Text(), notifications: make(chan mcpgo.JSONRPCNotification, 4096)}
}

func (s *session) SessionID() string                                     { return s.id }
func (s *session) NotificationChannel() chan<- mcpgo.JSONRPCNotification { return s.notifications }
func (s *session) Initialize()                                           { s.initialized.Store(true) }
func (s *session) Initialized() bool                                     { return s.initialized.Load() }

func (s *session) GetClientInfo() mcpgo.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *session) SetClientInfo(info mcpgo.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = info
}

func (s *session) GetClientCapabilities() mcpgo.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.capabilities
}

func (s *session) SetClientCapabilities(c mcpgo.ClientCapabilities) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capabilities = c
}

// ProtocolVersion is what initialize agreed on, "" before.
func (s *session) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// SetProtocolVersion is called by mcp-go at initialize.
func (s *session) SetProtocolVersion(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

// ListRoots asks the client for its roots.
func (s *session) ListRoots(ctx context.Context, _ mcpgo.ListRootsRequest) (*mcpgo.ListRootsResult, error) {
	raw, err := s.ask(ctx, string(mcpgo.MethodListRoots))
	if err != nil {
		return nil, err
	}
	out := new(mcpgo.ListRootsResult)
	return out, json.Unmarshal(raw, out)
}

func (s *session) forgetRoots() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rootsKnown = false
}

// wantRoots reports, once for each change of them, that the client has roots to tell.
func (s *session) wantRoots() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := s.capabilities.Roots != nil && !s.rootsKnown
	s.rootsKnown = true
	return want
}

const flushField = "babyapi/flush"

// flush waits until the notifications that mcp-go has queued so far are written, so that
// none follows the answer of the call that made it.
func (s *session) flush(ctx context.Context) {
	done := make(chan struct{})
	marker := mcpgo.JSONRPCNotification{}
	marker.Params.AdditionalFields = map[string]any{flushField: done}
	select {
	case s.notifications <- marker:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// rootsTimeout is how long a client may take to tell its roots. One that declared them and
// does not answer must not hold up a call.
const rootsTimeout = 3 * time.Second

// askRoots asks the client for its roots where the user has named none and the client has
// some to tell. Since 2026-07-28 a server asks nothing.
func (s *Server) askRoots(ctx context.Context) {
	session, ok := mcpserver.ClientSessionFromContext(ctx).(*session)
	if !ok || s.files.fixed || mcpserver.IsModernRequest(ctx) {
		return
	}
	session.asking.Lock()
	defer session.asking.Unlock()
	if !session.wantRoots() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rootsTimeout)
	defer cancel()
	result, err := s.mcp.RequestRoots(ctx, mcpgo.ListRootsRequest{})
	if err != nil {
		s.logger.WarnContext(ctx, "the client did not tell its roots", "error", err)
		return
	}
	var uris []string
	for _, r := range result.Roots {
		uris = append(uris, r.URI)
	}
	s.files.useClientRoots(uris)
}
