package mcp

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is exchanged for a link out of the root, again and again while it is opened, never
// leads out.
func TestSymlinkRace(t *testing.T) {
	guard := guarded(t)
	root := guard.list[0].real
	spare := filepath.Join(filepath.Dir(root), "spare")
	if err := os.Mkdir(spare, 0o700); err != nil {
		t.Fatal(err)
	}
	file, link, folder := filepath.Join(spare, "file"), filepath.Join(spare, "link"), filepath.Join(spare, "folder")
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			// x.txt is a file, then a link out; sub is a folder of the root, then a link to
			// one outside.
			err := os.WriteFile(file, []byte("some text"), 0o600)
			if err == nil {
				err = os.Rename(file, filepath.Join(root, "x.txt"))
			}
			if err == nil {
				err = os.Symlink(filepath.Join(filepath.Dir(root), "secret.txt"), link)
			}
			if err == nil {
				err = os.Rename(link, filepath.Join(root, "x.txt"))
			}
			if err == nil {
				err = os.Rename(filepath.Join(root, "sub"), folder)
			}
			if err == nil {
				err = os.Symlink(filepath.Join(filepath.Dir(root), "share-not"), filepath.Join(root, "sub"))
			}
			if err == nil {
				err = os.Remove(filepath.Join(root, "sub"))
			}
			if err == nil {
				err = os.Rename(folder, filepath.Join(root, "sub"))
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	opened, refused := 0, 0
	for n := 0; n < 3000 || (opened == 0 || refused == 0) && n < 100_000; n++ {
		name := []string{"x.txt", "sub/in.txt", "sub/deep.md", filepath.Join(root, "x.txt")}[n%4]
		f, err := guard.open(t.Context(), name)
		if err != nil {
			refused++
			continue
		}
		opened++
		text, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil || strings.Contains(string(text), outsideText) {
			t.Fatalf("%s led out of the root: %q, %v", name, text, err)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Skipf("files cannot be exchanged here while they are open: %v", err) // as on Windows
	}
	if opened == 0 || refused == 0 {
		t.Errorf("%d opened, %d refused: there was no race", opened, refused)
	}
}

// Arguments as a hostile document puts them into a model's mouth: each is refused, none tells
// whether a file exists, and nothing of what lies outside reaches the model or the service.
func TestInjectedArguments(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	guard := guarded(t)
	if err := s.documents.roots.add(guard.list[0].dir); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Dir(guard.list[0].real)
	for tool, calls := range map[string][]string{
		"convert": {`{"source":"../secret.txt"}`, `{"source":"up/secret.txt"}`, `{"source":"out.txt"}`,
			`{"source":"~/secret.txt"}`, `{"source":"file:///etc/passwd"}`,
			`{"source":` + quoted(filepath.Join(outside, "secret.txt")) + `}`, `{"source":` +
				quoted(filepath.Join(outside, "no-such.txt")) + `}`, `{"source":"/proc/self/environ"}`},
		"infer":  {`{"prompt":"p","images":["../secret.txt"]}`, `{"prompt":"p","images":["file:///etc/passwd"]}`},
		"rerank": {`{"query":"q","document_id":"../secret.txt"}`},
	} {
		for _, arguments := range calls {
			r := call(t.Context(), t, s, tool, arguments)
			if !r.IsError {
				t.Errorf("%s %s is no error", tool, arguments)
			}
			for _, c := range r.Content {
				if strings.Contains(c.Text, outsideText) || strings.Contains(c.Text, "no such file") ||
					strings.Contains(c.Text, "permission") {
					t.Errorf("%s %s: the answer tells of a file outside: %s", tool, arguments, c.Text)
				}
			}
		}
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if len(svc.requests) != 0 {
		t.Errorf("the service was asked: %+v", svc.requests)
	}
}

func quoted(s string) string { return string(mustJSON(s)) }

// The key reaches no agent, whatever a service repeats and wherever.
func TestKeyReachesNoAgent(t *testing.T) {
	svc := newService(t)
	svc.markdown = "# Key\n\nIt is " + testKey + " here."
	svc.status, svc.errors = "partial_success", `[{"error_message":"bad key `+testKey+`"}]`
	svc.answers["/infer"] = answered{status: 200, body: `{"output":"it is ` + testKey + `"}`}
	svc.answers["/v1/chat/completions"] = answered{status: 200,
		body: `{"choices":[{"message":{"content":"it is ` + testKey + `"}}]}`}
	s, _ := newTestServer(t, svc)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	for _, c := range [][2]string{
		{ToolConvert, `{"source":"https://example.com/a.pdf"}`},
		{ToolConvert, `{"document_id":"` + id + `","search":"key"}`},
		{ToolConvert, `{"document_id":"` + id + `","outline":true}`},
		{ToolInfer, `{"prompt":"x","model":"qwen-8b"}`},
		{ToolConvert, `{"document_id":"d_` + testKey + `"}`},
	} {
		if text := call(t.Context(), t, s, c[0], c[1]).text(); text == "" || strings.Contains(text, testKey) {
			t.Errorf("%s %s: %s", c[0], c[1], text)
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(format, s), testKey) {
			t.Errorf("a server printed with %s shows the key", format)
		}
	}
}
