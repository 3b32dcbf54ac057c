package local

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
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

// Gateways that run at the same time have folders of their own, whatever their addresses are.
func TestLogDirsAreTheirOwn(t *testing.T) {
	cache := t.TempDir()
	var stacks []*Stack
	for _, tt := range []struct{ base, want string }{
		{"http://127.0.0.1:8787", "127.0.0.1_8787"}, {"http://127.0.0.2:8787", "127.0.0.2_8787"},
		{"http://[::1]:8787", "__1_8787"}, {"http://127.0.0.1:8788", "127.0.0.1_8788"},
		{"http://127.0.0.1:8787", "127.0.0.1_8787-2"}, // in another container
		{"http://127.0.0.1:8787", "127.0.0.1_8787-3"},
	} {
		s := &Stack{base: tt.base}
		if err := s.takeLogDir(t.Context(), cache); err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(cache, "logs", tt.want); s.LogDir() != want {
			t.Errorf("the folder of %s is %s, want %s", tt.base, s.LogDir(), want)
		}
		stacks = append(stacks, s)
	}
	stacks[0].unlocks[0]()
	again := &Stack{base: "http://127.0.0.1:8787"}
	if err := again.takeLogDir(t.Context(), cache); err != nil || again.LogDir() != stacks[0].LogDir() {
		t.Errorf("the folder after the first has ended: %s, error %v; want %s", again.LogDir(), err, stacks[0].LogDir())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Stack{base: "http://127.0.0.1:8787"}).takeLogDir(ended, cache); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v, want that", err)
	}
}

// A gateway on 127.0.0.2 with the port of one on 127.0.0.1 leaves the temporary files of its engine
// alone, when it starts, while it runs and when it ends.
func TestGatewaysWithOnePort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has 127.0.0.2 without more ado")
	}
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	config := Config{ChatURL: u.URL, EmbedURL: u.URL}
	first := realStack(t, config)
	_, port, _ := strings.Cut(strings.TrimPrefix(first.BaseURL(), "http://"), ":")
	config.Addr, config.Messages = "127.0.0.2:"+port, t.Output()
	// An upload of this size goes through a temporary file, which is there until it has come whole.
	large := "<h1>Title</h1><!--" + strings.Repeat("x", 3_000_000) + "--><p>The text.</p>"
	half, write := io.Pipe()
	form := multipart.NewWriter(write)
	converted := make(chan string, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			first.BaseURL()+"/docling/v1/convert/file", half)
		if err != nil {
			converted <- err.Error()
			return
		}
		req.Header.Set("Content-Type", form.FormDataContentType())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			converted <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		converted <- string(text)
	}()
	file, err := form.CreateFormFile("files", "a.html")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, large[:len(large)/2])
	second, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Stack{first, second} {
		if c := convert(t, s, "a.md", "# Title\n\nThe text."); c.Status != "success" {
			t.Errorf("a conversion at %s: %+v, want success", s.BaseURL(), c)
		}
	}
	if err := second.Close(); err != nil {
		t.Errorf("closing the second: %v", err)
	}
	_, _ = io.WriteString(file, large[len(large)/2:])
	_ = form.Close()
	_ = write.Close()
	if text := <-converted; !strings.Contains(text, `"status":"success"`) {
		t.Errorf("an upload to the first, meanwhile: %.500s, want success", text)
	}
	if c := convert(t, first, "b.html", large); c.Status != "success" {
		t.Errorf("a conversion after the second has ended: %s %v, want success", c.Status, c.Errors)
	}
	if first.LogDir() == second.LogDir() {
		t.Errorf("both have the folder %s", first.LogDir())
	}
}
