package local

import (
	"encoding/json"
	"net/http"
)

// modelInfo is one model of GET /v1/models, as vLLM lists it.
type modelInfo struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	OwnedBy     string `json:"owned_by"`
	Root        string `json:"root"`
	Parent      any    `json:"parent"`
	MaxModelLen int    `json:"max_model_len,omitempty"`
}

// models lists the model of each engine: chat first, then embeddings, then rerank. Of an engine
// that we did not start it passes on the list that the engine gives.
func (g *gateway) models(w http.ResponseWriter, r *http.Request) {
	data := []any{}
	listed := map[string]bool{}
	for _, b := range g.modelBackends() {
		t := b.target.Load()
		if b.own {
			m := modelInfo{ID: b.names[0], Object: "model", Created: g.started.Unix(), OwnedBy: "babyapi-local",
				Root: b.names[len(b.names)-1]}
			if t != nil {
				m.MaxModelLen = t.maxTokens
			}
			data = append(data, m)
			continue
		}
		url := t.url.String()
		if listed[url] {
			continue // one server for several kinds
		}
		listed[url] = true
		var list struct {
			Data []json.RawMessage `json:"data"`
		}
		if err := b.call(r.Context(), "/v1/models", r.Header, nil, &list); err != nil {
			b.failCall(r.Context(), w, err)
			return
		}
		for _, m := range list.Data {
			data = append(data, m)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}
