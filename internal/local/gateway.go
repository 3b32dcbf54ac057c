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

	silence   time.Duration // how long a client may send nothing of a body; 0 is maxSilence
	bodyTime  time.Duration // for all of a body that is held in memory; 0 is maxBodyTime
	maxUpload int64         // of a body, in bytes; 0 is DefaultMaxUpload
	memory    memory        // what its requests hold; a limit of 0 is MaxHeld

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
