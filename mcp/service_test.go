package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

const testKey = "sk-test-0123456789"

// service is a scripted BabyAPI: it answers as the captured one does, remembers what it was
// asked, and can be told to hold, to fail or to talk nonsense.
type service struct {
	*httptest.Server
	markdown string              // of every converted document
	layout   string              // its DoclingDocument
	status   string              // of the document: success where empty
	errors   string              // of the document, JSON
	answers  map[string]answered // by path, instead of the usual
	hold     chan struct{}       // while it is open, conversions stay "started" and model calls do not answer

	mu       sync.Mutex
	requests []recorded
	gone     chan string // paths of requests whose client left before the answer
}

type answered struct {
	status int
	header map[string]string
	body   string
}

type recorded struct {
	method, path, body, contentType string
}

func newService(t *testing.T) *service {
	s := &service{markdown: "# Title\n\nHello.", layout: `{}`, answers: map[string]answered{},
		gone: make(chan string, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, recorded{r.Method, r.URL.Path, string(body), r.Header.Get("Content-Type")})
	s.mu.Unlock()
	if err != nil {
		s.gone <- r.URL.Path
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey {
		http.Error(w, `{"error":{"message":"invalid key","type":"auth"}}`, http.StatusUnauthorized)
		return
	}
	if a, ok := s.answers[r.URL.Path]; ok {
		for k, v := range a.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
		return
	}
	held := func() bool {
		if s.hold == nil {
			return false
		}
		select {
		case <-s.hold:
			return false
		default:
			return true
		}
	}
	w.Header().Set("X-Request-Id", "req-1")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/async"):
		w.Header().Set("X-Babyapi-Docling-Id", "node-1")
		fmt.Fprint(w, `{"task_id":"t1","task_status":"pending","task_position":3}`)
	case strings.HasPrefix(path, "/docling/v1/status/poll/"):
		state := "success"
		if held() {
			state = "started"
		}
		fmt.Fprintf(w, `{"task_id":"t1","task_status":%q}`, state)
	case strings.HasPrefix(path, "/docling/v1/cancel/"):
		fmt.Fprint(w, `{"task_id":"t1","task_status":"cancelled"}`)
	case strings.HasPrefix(path, "/docling/v1/result/"):
		status := cmp.Or(s.status, "success")
		const result = `{"document":{"filename":"x","md_content":%[1]s,"text_content":%[1]s,` +
			`"html_content":"<p>hi</p>","doctags_content":"<doctag>","json_content":%[2]s},` +
			`"status":%[3]q,"errors":%[4]s,"processing_time":0.1}`
		fmt.Fprintf(w, result, mustJSON(s.markdown), s.layout, status, cmp.Or(s.errors, "[]"))
	case path == "/v1/models":
		fmt.Fprint(w,
			`{"object":"list","data":[{"id":"qwen-8b"},{"id":"qwen-32b"},{"id":"bge-reranker"},{"id":"llama-70b"}]}`)
	default:
		if held() {
			select {
			case <-s.hold:
			case <-r.Context().Done():
				s.gone <- path
				return
			}
		}
		s.model(w, path, body)
	}
}

// model answers infer, chat and rerank.
func (s *service) model(w http.ResponseWriter, path string, body []byte) {
	var in struct {
		Model     string
		Prompt    string
		Query     string
		Documents []string
		MaxTokens int `json:"max_tokens"`
	}
	_ = json.Unmarshal(body, &in)
	if strings.HasPrefix(in.Model, "missing") || in.Model == "qwen-9b" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":{"message":"The model does not exist.","type":"NotFoundError","code":404}}`)
		return
	}
	finish := "stop"
	if in.MaxTokens == 1 {
		finish = "length"
	}
	switch path {
	case "/infer":
		fmt.Fprintf(w, `{"model":%q,"output":%s,"finish_reason":%q,"usage":{"total_tokens":3}}`, in.Model,
			mustJSON("echo: "+in.Prompt), finish)
	case "/v1/chat/completions":
		const chat = `{"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":"{\"a\":1}"},` +
			`"finish_reason":%q}]}`
		fmt.Fprintf(w, chat, in.Model, finish)
	case "/v1/rerank":
		var results []string
		for i, d := range in.Documents {
			score := 0.0
			for word := range strings.FieldsSeq(strings.ToLower(in.Query)) {
				if strings.Contains(strings.ToLower(d), word) {
					score++
				}
			}
			results = append(results, fmt.Sprintf(`{"index":%d,"relevance_score":%g}`, i, score/10))
		}
		fmt.Fprintf(w, `{"id":"r","model":%q,"results":[%s]}`, in.Model, strings.Join(results, ","))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// sent are the requests to a path that ends so.
func (s *service) sent(suffix string) []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []recorded
	for _, r := range s.requests {
		if strings.HasSuffix(r.path, suffix) {
			out = append(out, r)
		}
	}
	return out
}

// newTestServer is a server in front of the service, whose one root is a fresh folder.
func newTestServer(t *testing.T, svc *service, opts ...Option) (s *Server, root string) {
	t.Helper()
	root = t.TempDir()
	client, err := babyclient.New(babyclient.WithBaseURL(svc.URL), babyclient.WithAPIKey(testKey),
		babyclient.WithDefaultModel("qwen-8b"), babyclient.WithRetryBaseDelay(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	s, err = NewServer(client, append([]Option{WithRoots(root), WithRerankModel("bge-reranker")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		client.CloseIdleConnections()
	})
	return s, root
}

// result is the answer of a tool, as a client sees it.
type result struct {
	Content []struct {
		Type, Text string
	}
	Structured json.RawMessage `json:"structuredContent"`
	IsError    bool            `json:"isError"`
}

func (r *result) text() string {
	var b strings.Builder
	for _, c := range r.Content {
		b.WriteString(c.Text)
	}
	return b.String()
}

// call calls a tool with arguments in JSON, without a transport.
func call(ctx context.Context, t *testing.T, s *Server, tool, arguments string) *result {
	t.Helper()
	request := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool,
		arguments)
	raw, err := json.Marshal(s.mcp.HandleMessage(ctx, json.RawMessage(request)))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Result *result
		Error  json.RawMessage
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Result == nil {
		t.Fatalf("%s %s: no result: %s", tool, arguments, raw)
	}
	if n := len(m.Result.text()); m.Result.IsError && n > maxErrorChars {
		t.Errorf("%s: an error of %d bytes", tool, n)
	}
	if m.Result.IsError && m.Result.Structured != nil {
		t.Errorf("%s: an error with structured content", tool)
	}
	if strings.Contains(string(raw), testKey) {
		t.Errorf("%s: the answer holds the key: %s", tool, raw)
	}
	return m.Result
}

// mustText calls a tool that must not fail.
func mustText(t *testing.T, s *Server, tool, arguments string) string {
	t.Helper()
	r := call(t.Context(), t, s, tool, arguments)
	if r.IsError {
		t.Fatalf("%s %s: %s", tool, arguments, r.text())
	}
	return r.text()
}

// wantError calls a tool that must fail, with all of the words in its text.
func wantError(t *testing.T, s *Server, tool, arguments string, words ...string) {
	t.Helper()
	r := call(t.Context(), t, s, tool, arguments)
	if !r.IsError {
		t.Fatalf("%s %s: no error but %s", tool, arguments, r.text())
	}
	for _, w := range words {
		if !strings.Contains(r.text(), w) {
			t.Errorf("%s %s: got %q, want %q in it", tool, arguments, r.text(), w)
		}
	}
}
