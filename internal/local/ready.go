package local

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// engineState is one line of GET /ready.
type engineState struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
	URL  string `json:"url,omitempty"` // of an engine that we did not start
	Note string `json:"note,omitempty"`
}

// ready tells which engines are up: 200 when all are, else 503.
func (g *gateway) ready(w http.ResponseWriter, r *http.Request) {
	engines := g.states(r.Context())
	status, ready := http.StatusOK, true
	for _, e := range engines {
		if !e.Up {
			status, ready = http.StatusServiceUnavailable, false
		}
	}
	writeJSON(w, status, map[string]any{
		"ready": ready, "installing": g.installing.Load(), "engines": engines})
}

func (g *gateway) states(ctx context.Context) []engineState {
	backends := g.modelBackends()
	for _, n := range g.docling.nodes {
		backends = append(backends, n.backend)
	}
	states := make([]engineState, len(backends))
	var wg sync.WaitGroup
	for i, b := range backends {
		wg.Go(func() { states[i] = b.state(ctx) })
	}
	wg.Wait()
	if g.rerank == nil {
		note := "cosine similarity of the embeddings"
		states = append(states, engineState{Name: "rerank", Up: states[1].Up, Note: note})
	}
	return states
}

// state tells whether the backend is up. A backend that we did not start is asked, and is up if it
// gives any answer at all.
func (b *backend) state(ctx context.Context) engineState {
	t := b.target.Load()
	s := engineState{Name: b.name, Up: t != nil}
	if b.own {
		return s
	}
	s.URL = t.url.Redacted()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address("/health", "").String(), nil)
	if err == nil {
		var resp *http.Response
		if resp, err = b.transport().RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		s.Up, s.Note = false, err.Error()
	}
	return s
}
