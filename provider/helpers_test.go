package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// TestMain keeps the settings of whoever runs the tests out of them.
func TestMain(m *testing.M) {
	for _, name := range []string{"BABYAPI_API_KEY", "BABY_API_KEY", "BABYAPI_BASE_URL", "BABYAPI_DEFAULT_MODEL"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	m.Run()
}

const chatPath = "POST /v1/chat/completions"

func newServer(t testing.TB, pattern string, answers ...http.Handler) *babytest.Server {
	t.Helper()
	srv := babytest.NewServer()
	t.Cleanup(srv.Close)
	if pattern != "" {
		srv.On(pattern, answers...)
	}
	return srv
}

func newLLM(t testing.TB, srv *babytest.Server, opts ...provider.Option) *provider.LLM {
	t.Helper()
	llm, err := provider.NewFromClient(srv.Client(babyclient.WithMaxRetries(0)),
		append([]provider.Option{provider.WithModel("m")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return llm
}

// chatServer answers every chat with the same.
func chatServer(t testing.TB, answers ...http.Handler) *babytest.Server {
	t.Helper()
	if answers == nil {
		answers = []http.Handler{says("hello")}
	}
	return newServer(t, chatPath, answers...)
}

// says answers a chat with a text, as a stream when it is asked for one.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Stream bool `json:"stream"`
		}
		_ = json.NewDecoder(r.Body).Decode(&req)
		message, _ := json.Marshal(text)
		if req.Stream {
			babytest.Stream(`{"choices":[{"index":0,"delta":{"role":"assistant","content":`+string(message)+`},`+
				`"finish_reason":"stop"}]}`).ServeHTTP(w, r)
			return
		}
		babytest.JSON(200,
			`{"choices":[{"index":0,"message":{"role":"assistant","content":`+string(message)+`},`+
				`"finish_reason":"stop"}]}`).ServeHTTP(w, r)
	})
}

func human(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// lastBody is the body of the last request, decoded.
func lastBody(t testing.TB, srv *babytest.Server) map[string]any {
	t.Helper()
	requests := srv.Requests()
	if len(requests) == 0 {
		t.Fatal("no request was sent")
	}
	var body map[string]any
	if err := requests[len(requests)-1].JSON(&body); err != nil {
		t.Fatal(err)
	}
	return body
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sameJSON compares two JSON texts by what they mean.
func sameJSON(t testing.TB, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v: %s", what, err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: wanted %v: %s", what, err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// wantError checks that err is an *llms.Error of that code which says each of the words.
func wantError(t testing.TB, err error, code llms.ErrorCode, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*llms.Error](err)
	if !ok {
		t.Fatalf("error %T (%v), want *llms.Error", err, err)
	}
	if e.Code != code {
		t.Errorf("code %q, want %q: %v", e.Code, code, err)
	}
	if e.Provider != "babyapi" {
		t.Errorf("provider of the error is %q, want babyapi", e.Provider)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), babytest.Key) {
		t.Errorf("the key is in the error %q", err)
	}
}

// refused checks that bad input is an error that names it, and that nothing was sent.
func refused(t testing.TB, srv *babytest.Server, err error, code llms.ErrorCode, words ...string) {
	t.Helper()
	wantError(t, err, code, words...)
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// recorder is a callbacks.Handler that keeps the calls.
type recorder struct {
	callbacks.SimpleHandler
	mu     sync.Mutex
	events []string
	resp   *llms.ContentResponse
	err    error
}

func (r *recorder) add(event string) { r.mu.Lock(); r.events = append(r.events, event); r.mu.Unlock() }

func (r *recorder) HandleLLMGenerateContentStart(context.Context, []llms.MessageContent) {
	r.add("start")
}

func (r *recorder) HandleLLMGenerateContentEnd(_ context.Context, resp *llms.ContentResponse) {
	r.add("end")
	r.resp = resp
}
func (r *recorder) HandleLLMError(_ context.Context, err error) { r.add("error"); r.err = err }
func (r *recorder) HandleStreamingFunc(context.Context, []byte) { r.add("streaming") }
func (r *recorder) HandleRetrieverStart(_ context.Context, query string) {
	r.add("retriever start " + query)
}

func (r *recorder) HandleRetrieverEnd(_ context.Context, query string, docs []schema.Document) {
	r.add("retriever end " + query + " " + strings.Repeat("d", len(docs)))
}

func readAll(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body)
	return b
}

func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
