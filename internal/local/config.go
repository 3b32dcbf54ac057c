package local

import (
	"cmp"
	"io"
	"path/filepath"
)

// DefaultAddr is where the gateway listens when [Config] does not say.
const DefaultAddr = "127.0.0.1:8787"

// The models that the engines run when [Config] names no others. The names of the hub are
// understood too.
const (
	ChatModel  = "smollm2-135m-instruct"
	EmbedModel = "all-minilm-l6-v2"

	chatModelOnHub  = "HuggingFaceTB/SmolLM2-135M-Instruct"
	embedModelOnHub = "sentence-transformers/all-MiniLM-L6-v2"
)

// Config says what to run. Its zero value is the whole stack on [DefaultAddr].
type Config struct {
	// Addr is the loopback address to listen on; port 0 takes one that is free.
	Addr string
	// APIKey is the key that callers must send. Empty takes any key or none.
	APIKey string

	// ChatURL, EmbedURL, RerankURL and DoclingURLs put servers that run already behind the gateway
	// in place of our engines. With several docling nodes, requests go to them in turn, and those
	// with an x-babyapi-docling-id to its node.
	ChatURL, EmbedURL, RerankURL string
	DoclingURLs                  []string
	// DoclingNodes is the number of docling-serve to start when there are no DoclingURLs; 0 is 1.
	DoclingNodes int
	// AllowRemoteTargets lets our own docling nodes send to other machines what a caller asks them
	// to: results to a put target or a store, callbacks; and read documents of a store, whose
	// results docling-serve sends only to a store. A node of DoclingURLs decides that itself.
	AllowRemoteTargets bool
	// AllowLocalSources lets our own docling nodes read documents from URLs whose host is this
	// machine or in a private network. A node of DoclingURLs decides that itself.
	AllowLocalSources bool

	// MaxUpload is the size of the largest body that is passed on to docling, in bytes; 0 is
	// [DefaultMaxUpload].
	MaxUpload int64

	// ChatModel, EmbedModel and RerankModel are GGUF files to run in place of the default models.
	// Without RerankModel and RerankURL, reranking is the cosine similarity of the embeddings.
	ChatModel, EmbedModel, RerankModel string
	// OCR installs RapidOCR, which reads documents that are scans.
	OCR bool

	// Python is the interpreter to install the engines with. Empty finds one.
	Python string
	// CacheDir is where the engines are installed; empty is [CacheDir].
	CacheDir string

	// Messages gets what a person should know, line by line, such as that an engine died and is
	// started again. Nil drops it.
	Messages io.Writer
	// Progress gets a line that is written over and over while something takes long. Nil keeps it
	// silent, which is right for anything but a terminal.
	Progress io.Writer
}

func (c *Config) cacheDir() (string, error) {
	if c.CacheDir != "" {
		return filepath.Abs(c.CacheDir)
	}
	return CacheDir()
}

func (c *Config) addr() string { return cmp.Or(c.Addr, DefaultAddr) }
