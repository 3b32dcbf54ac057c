package stdio

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

// rootsTimeout is how long a client may take to tell its roots. A client that says that it has
// some, and then does not answer, must not hold up a call for longer.
const rootsTimeout = 3 * time.Second

// session is what mcp-go knows of the client.
type session struct {
	id string
	// notifications are what mcp-go wants to tell the client. It drops what does not fit.
	notifications chan mcpgo.JSONRPCNotification
	// ask sends a request to the client and waits for its result.
	ask func(ctx context.Context, method string) (json.RawMessage, error)

	initialized  atomic.Bool
	client       shared[mcpgo.Implementation]
	capabilities shared[mcpgo.ClientCapabilities]
	version      shared[string] // of the protocol, as initialize agreed on

	updatingRoots sync.Mutex // held while the client is asked for its roots
	rootsKnown    atomic.Bool
}

var (
	_ mcpserver.SessionWithClientInfo = (*session)(nil)
	_ mcpserver.SessionWithRoots      = (*session)(nil)
)

func newSession(ask func(ctx context.Context, method string) (json.RawMessage, error)) *session {
	return &session{
		id:            "stdio-" + rand.Text(),
		notifications: make(chan mcpgo.JSONRPCNotification, 4096),
		ask:           ask,
	}
}

func (s *session) SessionID() string                                     { return s.id }
func (s *session) NotificationChannel() chan<- mcpgo.JSONRPCNotification { return s.notifications }
func (s *session) Initialize()                                           { s.initialized.Store(true) }
func (s *session) Initialized() bool                                     { return s.initialized.Load() }
func (s *session) GetClientInfo() mcpgo.Implementation                   { return s.client.get() }
func (s *session) SetClientInfo(client mcpgo.Implementation)             { s.client.set(client) }
func (s *session) GetClientCapabilities() mcpgo.ClientCapabilities       { return s.capabilities.get() }
func (s *session) SetClientCapabilities(c mcpgo.ClientCapabilities)      { s.capabilities.set(c) }
func (s *session) ProtocolVersion() string                               { return s.version.get() }
func (s *session) SetProtocolVersion(version string)                     { s.version.set(version) }

// ListRoots asks the client for its roots.
func (s *session) ListRoots(ctx context.Context, _ mcpgo.ListRootsRequest) (*mcpgo.ListRootsResult, error) {
	raw, err := s.ask(ctx, string(mcpgo.MethodListRoots))
	if err != nil {
		return nil, err
	}
	out := new(mcpgo.ListRootsResult)
	return out, json.Unmarshal(raw, out)
}

// UpdateRoots asks the client of a call for its roots, and gives their URIs to apply, where the
// client has roots that it was not asked for since they changed last. Other calls of the client
// that need the roots wait until apply has returned. For a call that came in another way, or since
// protocol 2026-07-28, in which a server asks a client nothing, it does nothing.
func UpdateRoots(ctx context.Context, apply func(uris []string)) error {
	s, ok := mcpserver.ClientSessionFromContext(ctx).(*session)
	if !ok || mcpserver.IsModernRequest(ctx) {
		return nil
	}
	s.updatingRoots.Lock()
	defer s.updatingRoots.Unlock()
	if s.capabilities.get().Roots == nil || s.rootsKnown.Swap(true) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, rootsTimeout)
	defer cancel()
	result, err := s.ListRoots(ctx, mcpgo.ListRootsRequest{})
	if err != nil {
		return err
	}
	var uris []string
	for _, r := range result.Roots {
		uris = append(uris, r.URI)
	}
	apply(uris)
	return nil
}

const flushField = "babyapi/flush"

// flush waits until the notifications that mcp-go has queued so far are written, so that none
// follows the answer of the call that made it: it queues a notification that is written nowhere,
// and waits until the writer has come to it.
func (s *session) flush(ctx context.Context) {
	written := make(chan struct{})
	marker := mcpgo.JSONRPCNotification{}
	marker.Params.AdditionalFields = map[string]any{flushField: written}
	select {
	case s.notifications <- marker:
	case <-ctx.Done():
		return
	}
	select {
	case <-written:
	case <-ctx.Done():
	}
}

// shared is a value that several goroutines read and set.
type shared[T any] struct {
	mu    sync.Mutex
	value T
}

func (s *shared[T]) get() T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

func (s *shared[T]) set(value T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = value
}
