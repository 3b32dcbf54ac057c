package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

var errNotUp = errors.New("the engine is not up")

// upstreamError is an answer of a backend that is no success. It is passed on as it is.
type upstreamError struct {
	status int
	header http.Header
	body   []byte
}

func (e *upstreamError) Error() string { return fmt.Sprintf("HTTP %d: %.200s", e.status, e.body) }

// call sends a request of the gateway's own and decodes the JSON of the answer into out: a POST of
// in as JSON, or for nil a GET. The headers that matter are taken from the caller's, which may be
// nil.
func (b *backend) call(ctx context.Context, path string, caller http.Header, in, out any) error {
	t := b.target.Load()
	if t == nil {
		return errNotUp
	}
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		method, body = http.MethodPost, bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.address(path, "").String(), body)
	if err != nil {
		return err
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Request-Id"} {
		if v := caller.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	req.Header.Set("Content-Type", "application/json")
	b.authorize(t, req.Header)
	resp, err := (&http.Client{Transport: b.transport()}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	held := leaseOf(ctx)
	text, err := held.readAnswer(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		if b.own {
			resp.StatusCode, text = clarify(b.name, resp.StatusCode, text, t.maxTokens)
		}
		return &upstreamError{resp.StatusCode, resp.Header, text}
	}
	if err := held.takeDecoded(text, bytesOfNumber); err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the %s engine answered what is not the JSON expected: %w", b.name, err)
	}
	return nil
}

// failCall answers for a call that gave no result.
func (b *backend) failCall(ctx context.Context, w http.ResponseWriter, err error) {
	if answer, ok := errors.AsType[*upstreamError](err); ok {
		for _, name := range []string{"Content-Type", "Retry-After", "Www-Authenticate"} {
			if v := answer.header.Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body)
		return
	}
	if errors.Is(err, errNotUp) {
		notUp(w, b.name)
		return
	}
	b.fail(ctx, w, err)
}
