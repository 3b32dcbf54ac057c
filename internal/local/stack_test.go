package local

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStartRefuses(t *testing.T) {
	folder := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	all := Config{ChatURL: "http://x", EmbedURL: "http://x", DoclingURLs: []string{"http://x"}}
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"a port in use": {func(c *Config) { c.Addr = listener.Addr().String() },
			"is in use, perhaps by another babyapi-local"},
		"all interfaces": {func(c *Config) { c.Addr = ":8787" }, "would be open to other machines"},
		"an address of the network": {func(c *Config) { c.Addr = "192.0.2.1:8787" },
			"would be open to other machines"},
		"an address without a port": {func(c *Config) { c.Addr = "127.0.0.1" },
			"give host and port, as 127.0.0.1:8787"},
		"a URL that is none": {func(c *Config) { c.ChatURL = "localhost:8000" },
			`the chat URL "localhost:8000" is not one`},
		"a model that is not there": {func(c *Config) { c.RerankModel = filepath.Join(folder, "x.gguf") },
			"the rerank model must be a GGUF file"},
		"a model that is a folder": {func(c *Config) { c.RerankModel = folder },
			"the rerank model must be a GGUF file"},
		"a file of another kind": {func(c *Config) { c.RerankModel = "stack_test.go" },
			`stack_test.go begins with "pack"`},
		"a model and a URL": {func(c *Config) { c.ChatModel = "x.gguf" },
			"a model file and a URL for chat exclude one another"},
		"docling nodes and URLs":     {func(c *Config) { c.DoclingNodes = 2 }, "exclude one another"},
		"a negative number of nodes": {func(c *Config) { c.DoclingNodes = -1 }, "-1 docling nodes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := all
			c.Addr = "127.0.0.1:0"
			tt.change(&c)
			s, err := Start(t.Context(), c)
			if err == nil {
				_ = s.Close()
				t.Fatal("a stack with this configuration started, want an error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// With a URL for everything, nothing is installed or started.
func TestStartInFrontOfOthers(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{"data":[{"id":"m"}]}`))
	cache := filepath.Join(t.TempDir(), "cache")
	s, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", CacheDir: cache,
		ChatURL: u.URL, EmbedURL: u.URL, RerankURL: u.URL, DoclingURLs: []string{u.URL, u.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if resp, body := send(t, http.MethodGet, s.BaseURL()+"/ready", ""); resp.StatusCode != http.StatusOK ||
		strings.Count(body, `"up":true`) != 5 {
		t.Errorf("GET /ready: %d %s, want 200 and five engines up", resp.StatusCode, body)
	}
	if _, body := send(t, http.MethodGet, s.BaseURL()+"/v1/models",
		""); strings.TrimSpace(body) != `{"data":[{"id":"m"}],"object":"list"}` {
		t.Errorf("models: %s", body)
	}
	u.Close()
	if resp, body := send(t, http.MethodGet, s.BaseURL()+"/ready",
		""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("with nothing behind it: %d %s", resp.StatusCode, body)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing the stack: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if _, err := os.Stat(cache); err == nil {
		t.Error("something was installed")
	}
	if s.LogDir() != "" {
		t.Errorf("folder of logs %s, want none without engines", s.LogDir())
	}
}
