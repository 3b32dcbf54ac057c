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

// models lists the model of each engine: chat first, then embeddings, then
// rerank. Of an engine that we did not start it passes on the list it has.
func (g *gateway) models(w http.ResponseWriter, r *http.Request) {
	backends := []*backend{g.chat, g.embed}
	if g.rerank != nil {
		backends = append(backends, g.rerank)
	}
	data := []any{}
	listed := map[string]bool{}
	for _, b := range backends {
		if !b.own {
			url := b.target.Load().url.String()
			if listed[url] {
				continue // one server for several kinds
			}
			listed[url] = true
			var list struct {
				Data []json.RawMessage `json:"data"`
			}
			if err := b.call(r.Context(), http.MethodGet, "/v1/models", r.Header, g.apiKey != "", nil, &list); err != nil {
				b.failCall(r.Context(), w, err)
				return
			}
			for _, m := range list.Data {
				data = append(data, m)
			}
			continue
		}
		m := modelInfo{ID: b.names[0], Object: "model", Created: g.started.Unix(), OwnedBy: "babyapi-local", Root: b.names[len(b.names)-1]}
		if t := b.target.Load(); t != nil {
			m.MaxModelLen = t.maxTokens
		}
		data = append(data, m)
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}
