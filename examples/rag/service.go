package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

// service is where the calls go.
type service struct {
	client *babyclient.Client
	// key is what the client authenticates with, for babyapi-mcp to do the same.
	key string
	// started is the stack that was started for this run, or nil.
	started *local.Stack
}

// usualAddr is where a local stack is looked for, and started. Tests set another.
var usualAddr = local.DefaultAddr

// findService takes the service that BABYAPI_BASE_URL names, or the local stack that
// runs at addr. If there is neither, it starts a local stack, which close ends.
func findService(ctx context.Context, addr string, out *output) (*service, error) {
	if os.Getenv("BABYAPI_BASE_URL") != "" {
		client, err := babyclient.New()
		return &service{client: client}, err
	}
	// A local stack must not get the key of the hosted service.
	s := &service{key: "local"}
	base := "http://" + addr
	if !localStackAt(ctx, base) {
		config := local.Config{Addr: addr, Messages: out.messages, Progress: out.terminal}
		if taken(ctx, addr) {
			config.Addr = "127.0.0.1:0"
		}
		var err error
		if s.started, err = local.Start(ctx, config); err != nil {
			return nil, err
		}
		base = s.started.BaseURL()
	}
	var err error
	if s.client, err = babyclient.New(babyclient.WithBaseURL(base), babyclient.WithAPIKey(s.key)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *service) close() error {
	if s.started == nil {
		return nil
	}
	return s.started.Close()
}

// localStackAt reports whether base is a babyapi-local with all engines up, and not
// another server that happens to use its port.
func localStackAt(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/ready", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var state struct {
		Ready   bool `json:"ready"`
		Engines []struct {
			Name string `json:"name"`
		} `json:"engines"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&state)
	return err == nil && resp.StatusCode == http.StatusOK && state.Ready && len(state.Engines) > 0
}

// taken reports whether something accepts connections at addr.
func taken(ctx context.Context, addr string) bool {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
