package local

import (
	"sync/atomic"
	"time"
)

// gateway is the wire of BabyAPI in front of the engines.
type gateway struct {
	apiKey  string // empty: any key or none
	chat    *backend
	embed   *backend
	rerank  *backend // nil: cosine similarity of the embeddings
	docling *docling
	started time.Time
	// installing is set while the first run installs the engines, before it starts them.
	installing atomic.Bool
}

// modelBackends are the backends that have a model, in the order in which they are listed.
func (g *gateway) modelBackends() []*backend {
	backends := []*backend{g.chat, g.embed}
	if g.rerank != nil {
		backends = append(backends, g.rerank)
	}
	return backends
}
