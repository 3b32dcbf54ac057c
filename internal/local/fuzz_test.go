package local

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Whatever is sent to the gateway, its answer is JSON with a request id, and what reaches an engine
// is JSON too and has the engine's key, not the caller's.
func FuzzGateway(f *testing.F) {
	paths := []string{"/infer", "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/v1/models",
		"/docling/v1/convert/source", "/docling/../v1/models"}
	for i, body := range []string{`{"prompt":"p","max_tokens":3}`, `{"messages":[{"role":"user","content":"hi"}]}`,
		`{"prompt":["a","b"]}`, `{"input":["a","b"],"truncate_prompt_tokens":1}`,
		`{"query":"q","documents":["a",{"text":"b"}],"top_n":1}`, ``, `{"sources":[{"kind":"http",` +
			`"url":"http://169.254.169.254/"}]}`, `[]`} {
		f.Add(uint8(i), []byte(body))
	}
	var bad atomic.Pointer[string]
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var buf bytes.Buffer
		_, _ = buf.ReadFrom(r.Body)
		if strings.Contains(r.Header.Get("Authorization"), "caller") || !strings.HasPrefix(r.URL.Path, "/v1/convert") &&
			buf.Len() > 0 && !json.Valid(buf.Bytes()) {
			bad.Store(new(r.URL.Path + " " + r.Header.Get("Authorization") + " " + buf.String()))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"choices":[{"message":{"content":"x"},"text":"x"}],"data":[{"index":0,` +
			`"embedding":[1,0]},{"index":1,"embedding":[0,1]}],"tokens":[1,2],"content":"x"}`))
	}))
	f.Cleanup(engine.Close)
	handler := func(t *testing.T) http.Handler {
		u := &upstream{Server: engine}
		return (&gateway{chat: u.backend(t, "chat", ChatModel), embed: u.backend(t, "embed", EmbedModel),
			started: time.Now(),
			docling: &docling{nodes: []*doclingNode{{backend: u.backend(t, "docling-0")}}}}).handler()
	}
	f.Fuzz(func(t *testing.T, path uint8, body []byte) {
		bad.Store(nil)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://127.0.0.1"+paths[int(path)%len(paths)], bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer caller")
		w := httptest.NewRecorder()
		handler(t).ServeHTTP(w, r)
		if w.Body.Len() > 0 && w.Code != http.StatusTemporaryRedirect && w.Code != http.StatusMovedPermanently &&
			!json.Valid(w.Body.Bytes()) || w.Header().Get(requestIDHeader) == "" {
			t.Errorf("answer %d %s %v, want JSON and a request id", w.Code, w.Body, w.Header())
		}
		if s := bad.Load(); s != nil {
			t.Errorf("an engine got %s", *s)
		}
	})
}
