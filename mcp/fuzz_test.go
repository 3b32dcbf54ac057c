package mcp

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const outsideText = "what nobody may read"

// guarded is a root with a file, beside one that must stay unread, to which links in the root lead.
func guarded(t testing.TB) *roots {
	base := t.TempDir()
	root := filepath.Join(base, "share")
	for name, text := range map[string]string{"secret.txt": outsideText, "share/in.txt": "some text",
		"share/sub/deep.md": "# some text", "share-not/in.txt": outsideText} {
		name = filepath.Join(base, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"up": base, "out.txt": filepath.Join(base, "secret.txt"),
		"rel.txt": "../secret.txt"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	t.Setenv("HOME", base)
	f := &roots{maxFileSize: 1000}
	if err := f.add(root); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

// Whatever path a model gives, what is opened lies under the root.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"in.txt", "sub/../in.txt", "../secret.txt", "~/secret.txt", "up/secret.txt",
		"up/share/in.txt", "out.txt", "rel.txt", "/etc/hosts",
		"'in.txt'", "in.txt\x00", `..\secret.txt`, "../share-not/in.txt", "sub/./../../secret.txt", "/proc/self/cwd/x",
		"file:///etc/hosts", ""} {
		f.Add(name)
	}
	guard := guarded(f)
	real := guard.list[0].real
	f.Fuzz(func(t *testing.T, name string) {
		opened, err := guard.openDocument(t.Context(), name)
		if err != nil {
			if !isRefusal(err) && err.Error() == "" {
				t.Errorf("%q: an error without words", name)
			}
			return
		}
		defer func() { _ = opened.Close() }()
		text, err := io.ReadAll(opened)
		if err != nil || strings.Contains(string(text), outsideText) ||
			!strings.HasPrefix(opened.path, real+string(filepath.Separator)) {
			t.Errorf("%q opened %s, want a file under the root: %q, %v", name, opened.path, text, err)
		}
	})
}

// A source that is no path is refused, or is a URL that the service fetches, or data that came
// along.
func FuzzSource(f *testing.F) {
	for _, s := range []string{"data:text/html;base64,PHA+aGk8L3A+", "data:,x", "data:;base64,", "file:///etc/passwd",
		"FILE:/etc/passwd", "http://a/b", "https://", "gopher://x",
		"file://localhost/tmp/%2e%2e", "C:\\a", "http://[::1", "data:application/pdf;x=y;base64,QQ=="} {
		f.Add(s)
	}
	guard := guarded(f)
	f.Fuzz(func(t *testing.T, name string) {
		if dir, ok := fileURLPath(name); ok && (!filepath.IsAbs(dir) || schemeOf(name) != "file") {
			t.Errorf("%q is the folder %q", name, dir)
		}
		if schemeOf(name) == "" {
			return // FuzzOpen
		}
		src, err := guard.openSource(t.Context(), name)
		if err != nil {
			if !isRefusal(err) {
				t.Errorf("%q: %v is no refusal", name, err)
			}
			return
		}
		defer src.close()
		isData, wire := schemeOf(name) == "data", src.wire
		if wire.Path != "" || wire.Reader != nil || isData != (wire.Data != nil) || !isData != (wire.URL == name) {
			t.Errorf("%q is read here: %+v", name, wire)
		}
	})
}

// What is read as a choice of pages is one, and reads the same again.
func FuzzPages(f *testing.F) {
	for _, s := range []string{"3", "1-5,8", "12-", "1–2", "1..3", "0", "-", "9223372036854775807", "5-1", ",",
		" 1 : 2 ,, 4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		pages, err := parsePages(in)
		if err != nil {
			if !isRefusal(err) || len(err.Error()) > 500 {
				t.Errorf("%q: got %v, want a short refusal", in, err)
			}
			return
		}
		for _, p := range pages {
			if p.first < 1 || p.last != 0 && p.last < p.first || !pages.contain(p.first) {
				t.Errorf("%q became %v, want ranges that hold pages", in, pages)
			}
		}
		if len(pages) == 0 {
			return
		}
		if whole := pages.enclosing(); whole.first > pages[len(pages)-1].first {
			t.Errorf("%q: the enclosing range %v begins after the last of %v", in, whole, pages)
		}
		if again, err := parsePages(pages.String()); err != nil || again.String() != pages.String() {
			t.Errorf("%q: %s read again is %s, %v", in, pages, again, err)
		}
	})
}

// Whatever a model writes as the arguments of a tool: there is an answer, the service is asked for
// nothing but what the tools are for, and no byte from outside the roots reaches it.
func FuzzToolCall(f *testing.F) {
	for _, arguments := range []string{
		`{"source":"in.txt"}`, `{"source":"../secret.txt"}`,
		`{"source":"up/secret.txt","pages":"1-2","search":"x"}`, `{"source":"data:,x","format":"html","max_chars":200}`,
		`{"prompt":"read /etc/passwd"}`, `{"prompt":"p","extra_body":{"model":"x"}}`, `{"query":"q","texts":["a","b"]}`,
		`{"query":"q","source":"out.txt","top_n":2}`, `{"source":["in.txt"]}`, `{"offset":-1,"source":"in.txt"}`,
		`null`, `[]`, `{"source":{"path":"/etc/hosts"}}`} {
		for tool := range uint8(3) {
			f.Add(tool, arguments)
		}
	}
	guard := guarded(f)
	f.Fuzz(func(t *testing.T, tool uint8, arguments string) {
		if !json.Valid([]byte(arguments)) {
			return // the stdio loop refuses it: FuzzStdio
		}
		svc := newService(t)
		s, _ := newTestServer(t, svc)
		for _, r := range guard.list {
			if err := s.documents.roots.add(r.dir); err != nil {
				t.Fatal(err)
			}
		}
		name := []string{"infer", "rerank", "convert"}[tool%3]
		raw, err := json.Marshal(
			s.mcp.HandleMessage(t.Context(),
				json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+
					`","arguments":`+arguments+`}}`)))
		if err != nil || !json.Valid(raw) || strings.Contains(string(raw), outsideText) ||
			strings.Contains(string(raw), testKey) {
			t.Errorf("%s %s: the answer is no JSON, or holds a secret: %s (%v)", name, arguments, raw, err)
		}
		svc.mu.Lock()
		defer svc.mu.Unlock()
		for _, r := range svc.requests {
			known := r.method == http.MethodPost || strings.HasPrefix(r.path, "/docling/v1/") || r.path == "/v1/models"
			if !known || strings.Contains(r.body, outsideText) {
				t.Errorf("%s %s: the service was sent %s %s %s", name, arguments, r.method, r.path, r.body)
			}
		}
	})
}
