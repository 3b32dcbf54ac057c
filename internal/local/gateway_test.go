package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// upstream is a scripted engine that keeps the last request it got.
type upstream struct {
	*httptest.Server
	requests chan *http.Request
	bodies   chan string
}

func newUpstream(t *testing.T, h http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{requests: make(chan *http.Request, 100), bodies: make(chan string, 100)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		u.requests <- r
		u.bodies <- string(body)
		h(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func (u *upstream) backend(t *testing.T, name string, names ...string) *backend {
	t.Helper()
	address, err := url.Parse(u.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{name: name, own: true, names: names}
	b.target.Store(&target{url: *address, credential: credential{"Authorization", "Bearer engine-key"}, maxTokens: 8,
		dimensions: 2})
	return b
}

// newGateway is a gateway whose engines all are the upstream, changed by the options.
func newGateway(t *testing.T, u *upstream, options ...func(*gateway)) *httptest.Server {
	t.Helper()
	g := &gateway{
		chat:    u.backend(t, "chat", ChatModel, chatModelOnHub),
		embed:   u.backend(t, "embed", EmbedModel, embedModelOnHub),
		docling: &docling{nodes: []*doclingNode{{backend: u.backend(t, "docling-0")}}},
		started: time.Now(),
	}
	for _, o := range options {
		o(g)
	}
	s := httptest.NewServer(g.handler())
	t.Cleanup(s.Close)
	return s
}

func withKey(key string) func(*gateway) { return func(g *gateway) { g.apiKey = key } }

func send(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestGatewayRefuses(t *testing.T) {
	tests := map[string]struct {
		method, path, body string
		headers            []string
		key                string
		status             int
		want               string
	}{
		"an unknown chat model": {path: "/v1/chat/completions", body: `{"model":"gpt-9","messages":[]}`,
			status: 404, want: "{\"error\":{\"message\":\"The model `gpt-9` does not exist. Valid here: " +
				"smollm2-135m-instruct, " +
				"HuggingFaceTB/SmolLM2-135M-Instruct.\",\"type\":\"NotFoundError\",\"param\":\"model\",\"code\":404}}"},
		"an unknown completion model": {path: "/v1/completions", body: `{"model":"gpt-9","prompt":"x"}`, status: 404,
			want: "`gpt-9` does not exist"},
		"an embedding model for chat": {path: "/v1/chat/completions",
			body: `{"model":"all-minilm-l6-v2","messages":[]}`, status: 404, want: "does not exist"},
		"an unknown embedding model": {path: "/v1/embeddings", body: `{"model":"gpt-9","input":"x"}`, status: 404,
			want: "does not exist"},
		"an unknown rerank model": {path: "/v1/rerank", body: `{"model":"gpt-9","query":"x","documents":["y"]}`,
			status: 404, want: "does not exist"},
		"an unknown infer model": {path: "/infer", body: `{"model":"gpt-9","prompt":"x"}`, status: 404,
			want: "does not exist"},
		"a model that is a number": {path: "/v1/completions", body: `{"model":7,"prompt":"x"}`, status: 400,
			want: "model must be a string, not 7"},
		"dimensions it cannot give": {path: "/v1/embeddings", body: `{"input":"x","dimensions":7}`, status: 400,
			want: "does not support Matryoshka embeddings; dimensions must be unset or 2 (received dimensions=7)"},
		"dimensions that are a text": {path: "/v1/embeddings", body: `{"input":"x","dimensions":"7"}`, status: 400,
			want: "dimensions must be a whole number"},
		"a truncation over the limit": {path: "/v1/embeddings", body: `{"input":"x","truncate_prompt_tokens":9}`,
			status: 400, want: "greater than max_model_len (8)"},
		"a truncation to nothing": {path: "/v1/embeddings", body: `{"input":"x","truncate_prompt_tokens":0}`,
			status: 400, want: "must be a positive number or -1, not 0"},
		"an input that is an object": {path: "/v1/embeddings", body: `{"input":{},"truncate_prompt_tokens":4}`,
			status: 400, want: "input must be"},
		"no documents": {path: "/v1/rerank", body: `{"query":"x","documents":[]}`, status: 400,
			want: "documents is empty"},
		"missing documents": {path: "/v1/rerank", body: `{"query":"x"}`, status: 400,
			want: "documents is missing"},
		"a missing query": {path: "/v1/rerank", body: `{"documents":["x"]}`, status: 400,
			want: "query is missing"},
		"a negative top_n": {path: "/v1/rerank", body: `{"query":"x","documents":["y"],"top_n":-1}`,
			status: 400, want: "top_n must be 0 (all) or more, not -1"},
		"a document that is a number": {path: "/v1/rerank", body: `{"query":"x","documents":["y",5]}`, status: 400,
			want: "documents[1] is 5"},
		"a document that is an image": {path: "/v1/rerank",
			body: `{"query":"x","documents":[{"content":[{"type":"image_url"}]}]}`, status: 400,
			want: `part of type \"image_url\"`},
		"a blank prompt": {path: "/infer", body: `{"prompt":"  \n"}`, status: 400,
			want: `"code":"PROMPT_REQUIRED"`},
		"a body that is not JSON": {path: "/infer", body: `{"prompt":`, status: 400,
			want: "not a JSON object: unexpected end"},
		"a body that is a list": {path: "/v1/rerank", body: `[]`, status: 400, want: "not a JSON object"},
		"a body that is null":   {path: "/v1/rerank", body: `null`, status: 400, want: "not a JSON object"},
		"a compressed body": {path: "/infer", body: `x`, headers: []string{"Content-Encoding", "gzip"},
			status: 415, want: "uncompressed"},
		"a body over the limit": {path: "/v1/embeddings",
			body: `{"input":"` + strings.Repeat("x", maxJSON) + `"}`, status: 413, want: "larger than the 16 MiB"},
		"GET where POST is meant":  {method: "GET", path: "/infer", status: 405, want: "Method Not Allowed"},
		"a path that is not there": {path: "/v1/nothing", status: 404, want: `{"detail":"Not Found"}`},
		"OCR":                      {path: "/v1/ocr/document", body: `{}`, status: 501, want: "OCR_NOT_AVAILABLE"},
		"OCR jobs":                 {method: "GET", path: "/v1/ocr/jobs/x", status: 501, want: "--ocr"},
		"no key":                   {path: "/infer", key: "k1", status: 401, want: `{"error":"Unauthorized"}`},
		"a wrong key": {path: "/docling/v1/convert/source", key: "k1",
			headers: []string{"Authorization", "Bearer k2"}, status: 401, want: `{"error":"Unauthorized"}`},
		"another host": {method: "GET", path: "/health", headers: []string{"Host", "evil.example:8787"},
			status: 403, want: "babyapi-local answers only to"},
		"another host, like localhost": {method: "GET", path: "/health",
			headers: []string{"Host", "localhost.evil.example"}, status: 403, want: "answers only to"},
		"a page of another host": {path: "/infer", body: `{"prompt":"x"}`,
			headers: []string{"Origin", "https://evil.example"}, status: 403, want: "Origin"},
		"a page without an origin": {path: "/infer", body: `{"prompt":"x"}`, headers: []string{"Origin", "null"},
			status: 403, want: "Origin"},
		"a docling node that is none": {method: "GET", path: "/docling/v1/status/poll/x",
			headers: []string{"x-babyapi-docling-id", "docling-7"}, status: 404, want: `no docling node \"docling-7\"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, answer(http.StatusOK, `{}`))
			g := newGateway(t, u, withKey(tt.key))
			if tt.method == "" {
				tt.method = http.MethodPost
			}
			resp, body := send(t, tt.method, g.URL+tt.path, tt.body, tt.headers...)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("answer %d %s, want %d with %s", resp.StatusCode, body, tt.status, tt.want)
			}
			if resp.Header.Get("x-babyapi-request-id") == "" {
				t.Error("the answer has no request id")
			}
			if n := len(u.requests); n != 0 {
				t.Errorf("%d requests reached an engine", n)
			}
		})
	}
}

func TestGatewayForwards(t *testing.T) {
	tests := map[string]struct {
		path, body, wantPath, wantBody string
	}{
		"chat": {"/v1/chat/completions", `{"model":"smollm2-135m-instruct", "n": 2}`,
			"/v1/chat/completions", `{"model":"smollm2-135m-instruct", "n": 2}`},
		"chat by the hub's name": {"/v1/chat/completions", `{"model":"HuggingFaceTB/SmolLM2-135M-Instruct"}`,
			"/v1/chat/completions", `{"model":"HuggingFaceTB/SmolLM2-135M-Instruct"}`},
		"chat without a model": {"/v1/chat/completions?x=1", `{}`, "/v1/chat/completions?x=1", `{}`},
		"completions":          {"/v1/completions", `{"model":null}`, "/v1/completions", `{"model":null}`},
		"embeddings": {"/v1/embeddings", `{"input":"a","dimensions":2}`, "/v1/embeddings",
			`{"input":"a","dimensions":2}`},
		"docling, prefix cut":      {"/docling/v1/convert/source", `not read`, "/v1/convert/source", `not read`},
		"docling, an escaped path": {"/docling/v1/other/a%2Fb", ``, "/v1/other/a%2Fb", ``},
		"a text that is short": {"/v1/embeddings", `{"input":"abc","truncate_prompt_tokens":5}`, "/v1/embeddings",
			`{"input":["abc"],"truncate_prompt_tokens":5}`},
		"token ids, cut": {"/v1/embeddings", `{"input":[1,2,3],"truncate_prompt_tokens":2}`,
			"/v1/embeddings", `{"input":[[1,2]],"truncate_prompt_tokens":2}`},
		"lists of token ids, cut": {"/v1/embeddings", `{"input":[[1,2,3],[4]],"truncate_prompt_tokens":2}`,
			"/v1/embeddings", `{"input":[[1,2],[4]],"truncate_prompt_tokens":2}`},
		"a truncation to the model": {"/v1/embeddings", `{"input":"abcdef","truncate_prompt_tokens":-1}`,
			"/v1/embeddings", `{"input":["abcdef"],"truncate_prompt_tokens":-1}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, answer(http.StatusOK, `{"ok":true}`))
			g := newGateway(t, u)
			resp, body := send(t, http.MethodPost, g.URL+tt.path, tt.body, "Authorization", "Bearer of-the-caller",
				"X-Request-Id", "r1")
			if resp.StatusCode != http.StatusOK || body != `{"ok":true}` {
				t.Errorf("answer %d %s, want that of the engine", resp.StatusCode, body)
			}
			if id := resp.Header.Get("x-babyapi-request-id"); id != "r1" {
				t.Errorf("request id %q, want the caller's, r1", id)
			}
			r, sent := <-u.requests, <-u.bodies
			if r.URL.RequestURI() != tt.wantPath || sent != tt.wantBody {
				t.Errorf("sent %s %s, want %s %s", r.URL.RequestURI(), sent, tt.wantPath, tt.wantBody)
			}
			if key := r.Header.Get("Authorization"); key != "Bearer engine-key" {
				t.Errorf("the engine got %q as key", key)
			}
		})
	}
}

func TestGatewayKey(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	g := newGateway(t, u, withKey("k1"))
	if resp, _ := send(t, http.MethodPost, g.URL+"/v1/completions", `{}`, "Authorization",
		"Bearer k1"); resp.StatusCode != http.StatusOK {
		t.Errorf("the right key got %d", resp.StatusCode)
	}
	for _, path := range []string{"/health", "/ready"} {
		if resp, _ := send(t, http.MethodGet, g.URL+path, ""); resp.StatusCode != http.StatusOK {
			t.Errorf("%s without a key got %d", path, resp.StatusCode)
		}
	}
}

// The key that opens the gateway is not for the servers behind it; without one,
// the caller's key is theirs.
func TestGatewayKeyOfRemote(t *testing.T) {
	for key, want := range map[string]string{"": "Bearer of-the-caller", "of-the-caller": ""} {
		u := newUpstream(t, answer(http.StatusOK, `{}`))
		g := newGateway(t, u, withKey(key), func(g *gateway) {
			b, err := newRemote("chat", u.URL+"/v1/")
			if err != nil {
				t.Fatal(err)
			}
			g.chat, g.docling.nodes[0].backend = b, b
		})
		send(t, http.MethodPost, g.URL+"/v1/completions", `{"model":"anything"}`, "Authorization",
			"Bearer of-the-caller")
		r := <-u.requests
		if got := r.Header.Get("Authorization"); got != want || r.URL.Path != "/v1/completions" {
			t.Errorf("gateway key %q: %s got the key %q, want %q", key, r.URL.Path, got, want)
		}
		send(t, http.MethodGet, g.URL+"/docling/version", "", "Authorization", "Bearer of-the-caller")
		r = <-u.requests
		if got := r.Header.Get("X-Api-Key"); got != strings.TrimPrefix(want, "Bearer ") {
			t.Errorf("gateway key %q: docling got the key %q, want %q", key, got, want)
		}
	}
}

func TestNewRemoteReadsURLs(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8000":         "http://127.0.0.1:8000",
		"http://127.0.0.1:11434/v1/":    "http://127.0.0.1:11434",
		"https://gpu.example/models/v1": "https://gpu.example/models",
		"localhost:8000":                "",
		"ftp://x":                       "",
		"http://":                       "",
	} {
		b, err := newRemote("chat", in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was taken", in)
		case want != "" && (err != nil || b.target.Load().url.String() != want):
			t.Errorf("%q: %v, %v, want %s", in, b, err, want)
		}
	}
}

func TestGatewayEngineDown(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	g := newGateway(t, u, func(g *gateway) {
		g.chat.target.Store(nil)
		g.embed.target.Store(nil)
		g.docling.nodes[0].target.Store(nil)
	})
	for path, body := range map[string]string{
		"/v1/chat/completions": `{}`, "/v1/embeddings": `{"input":"x"}`, "/infer": `{"prompt":"x"}`,
		"/v1/rerank": `{"query":"x","documents":["y"]}`, "/docling/v1/convert/source": `{}`,
	} {
		resp, text := send(t, http.MethodPost, g.URL+path, body)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" ||
			!strings.Contains(text, "is not up") {
			t.Errorf("%s: answer %d %s, want 503 that says which engine is not up", path, resp.StatusCode, text)
		}
	}
	if resp, text := send(t, http.MethodGet, g.URL+"/ready", ""); resp.StatusCode != http.StatusServiceUnavailable ||
		!strings.Contains(text, `"ready":false`) {
		t.Errorf("ready: %d %s", resp.StatusCode, text)
	}
}

// An engine that cannot be reached has not run the request: 503. One that
// breaks off may have: 502, which nobody sends again.
func TestGatewayEngineDies(t *testing.T) {
	u := newUpstream(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	g := newGateway(t, u)
	for path, body := range map[string]string{"/v1/completions": `{}`, "/infer": `{"prompt":"x"}`} {
		if resp, text := send(t, http.MethodPost, g.URL+path, body); resp.StatusCode != http.StatusBadGateway ||
			!strings.Contains(text, "may have run") {
			t.Errorf("%s broken off: %d %s", path, resp.StatusCode, text)
		}
	}
	u.Close()
	for path, body := range map[string]string{"/v1/completions": `{}`, "/infer": `{"prompt":"x"}`} {
		if resp, text := send(t, http.MethodPost, g.URL+path, body); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s unreachable: %d %s", path, resp.StatusCode, text)
		}
	}
}

// The first event is passed on while the engine works on the second, and the
// engine's request ends when the client leaves.
func TestGatewayStreams(t *testing.T) {
	left := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	})
	g := newGateway(t, u)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/v1/chat/completions",
		strings.NewReader(`{"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || line != "data: {}\n" {
		t.Fatalf("first line of the stream %q, error %v; want data: {}", line, err)
	}
	leave()
	<-left
}

// The body of an upload is passed on while it comes in.
func TestGatewayUploadsUnbuffered(t *testing.T) {
	first := make(chan byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b := make([]byte, 1)
		_, _ = io.ReadFull(r.Body, b)
		first <- b[0]
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	g := newGateway(t, &upstream{Server: server})
	body, write := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+"/docling/v1/convert/file", body)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	if _, err := write.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if b := <-first; b != 'x' { // which comes although the body has not ended
		t.Errorf("first byte of the upload %q, want x, before the upload has ended", b)
	}
	_ = write.Close()
	if err := <-done; err != nil {
		t.Errorf("upload: %v", err)
	}
}

// The connection of a client outlives a request whose body no engine took.
func TestGatewayKeepsConnectionWithoutEngine(t *testing.T) {
	engine := newUpstream(t, answer(http.StatusOK, `{}`))
	g := newGateway(t, engine)
	engine.Server.Close()
	conn, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	for i := range 2 {
		_, err := fmt.Fprintf(conn, "POST /docling/v1/convert/file/async HTTP/1.1\r\nHost: 127.0.0.1\r\n"+
			"Content-Length: 3\r\n\r\nabc")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("request %d: %s, %v", i, resp.Status, err)
		}
		_ = resp.Body.Close()
	}
}

// An answer that begins before the upload has ended cuts neither of them.
func TestGatewayAnswersDuringUpload(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		_, _ = io.WriteString(w, "begun ")
		_ = c.Flush()
		rest, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%d bytes, %v", len(rest), err)
	}))
	defer server.Close()
	g := newGateway(t, &upstream{Server: server})
	body, write := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+"/docling/v1/convert/file", body)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = write.Write([]byte("x")) }()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begun := make([]byte, len("begun "))
	if _, err := io.ReadFull(resp.Body, begun); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = write.Write([]byte("yz"))
		_ = write.Close()
	}()
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "3 bytes, <nil>" {
		t.Errorf("rest of the answer %q, error %v; want the whole upload counted", rest, err)
	}
}

func TestInferIsAChatOfOneMessage(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK,
		`{"model":"m","usage":{"total_tokens":3},"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}`))
	g := newGateway(t, u)
	resp, body := send(t, http.MethodPost, g.URL+"/infer",
		`{"model":"smollm2-135m-instruct","prompt":" Say hi ","temperature":0,"max_tokens":5,"unknown":1,`+
			`"stream":true,"options":{"max_tokens":7,"stop":["x"]}}`)
	if want := `{"finish_reason":"stop","model":"m","output":"hi",` +
		`"usage":{"total_tokens":3}}`; resp.StatusCode != http.StatusOK || strings.TrimSpace(body) != want {
		t.Errorf("%d %s, want %s", resp.StatusCode, body, want)
	}
	want := `{"max_tokens":7,"messages":[{"content":"Say hi","role":"user"}],"model":"smollm2-135m-instruct",` +
		`"stop":["x"],"temperature":0}`
	if sent := <-u.bodies; sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}

func TestInferPassesOnErrors(t *testing.T) {
	u := newUpstream(t, answer(http.StatusBadRequest, `{"error":{"message":"no"}}`))
	resp, body := send(t, http.MethodPost, newGateway(t, u).URL+"/infer", `{"prompt":"x"}`)
	if resp.StatusCode != http.StatusBadRequest || body != `{"error":{"message":"no"}}` {
		t.Errorf("answer %d %s, want the engine's error as it is", resp.StatusCode, body)
	}
}

// What llama.cpp answers as a fault of its own is the caller's: 400, and how to
// do better.
func TestGatewayClarifies(t *testing.T) {
	tests := map[string]struct {
		path, body string
		status     int
		engine     string
		want       string
	}{
		"embedding, over the batch": {"/v1/embeddings", `{"input":"x"}`, 500,
			`{"error":{"code":500,` +
				`"message":"input (6002 tokens) is too large to process. increase the physical batch size",` +
				`"type":"server_error"}}`, "maximum context length is 8 tokens. However, an input has 6002 tokens"},
		"embedding, over the context": {"/v1/embeddings", `{"input":"x"}`, 400,
			`{"error":{"message":"input (702 tokens) is larger than the max context size (512 tokens). skipping"}}`,
			"an input has 702 tokens"},
		"reranking": {"/v1/rerank", `{"query":"x","documents":["y"]}`, 500,
			`{"error":{"message":"input (6002 tokens) is too large to process."}}`, "truncate_prompt_tokens -1"},
		"an image": {"/v1/chat/completions", `{}`, 500,
			`{"error":{"message":"image input is not supported - hint: mmproj"}}`,
			"reads only text: image input is not supported"},
		"a wrong parameter, as it is": {"/v1/chat/completions", `{}`, 400, `{"error":{"message":"no"}}`,
			`{"error":{"message":"no"}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, answer(tt.status, tt.engine))
			resp, body := send(t, http.MethodPost, newGateway(t, u).URL+tt.path, tt.body)
			if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s, want 400 with %s", resp.StatusCode, body, tt.want)
			}
		})
	}
}

// tokenizing answers as llama.cpp does for texts whose letters are its tokens.
func tokenizing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/tokenize" {
			next(w, r)
			return
		}
		var in struct {
			Content string `json:"content"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		tokens := []int{101}
		for _, c := range in.Content {
			tokens = append(tokens, int(c))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"tokens": append(tokens, 102)})
	}
}

func TestEmbeddingsTruncate(t *testing.T) {
	u := newUpstream(t, tokenizing(answer(http.StatusOK, `{}`)))
	g := newGateway(t, u)
	send(t, http.MethodPost, g.URL+"/v1/embeddings", `{"input":["abcdefgh","a"],"truncate_prompt_tokens":4}`)
	<-u.bodies // the request to tokenize
	if sent, want := <-u.bodies, `{"input":[[101,97,98,102],"a"],"truncate_prompt_tokens":4}`; sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
}

func TestRerankByCosine(t *testing.T) {
	const vectors = `{"model":"all-minilm-l6-v2","usage":{"prompt_tokens":9,"total_tokens":9},"data":[
		{"index":0,"embedding":[2,0]},{"index":2,"embedding":[3,0]},{"index":1,"embedding":[0,1]},{"index":3,` +
		`"embedding":[0,0]}]}`
	tests := map[string]struct{ extra, wantSent, want string }{
		"all": {"", `{"input":["q","a","b","c"]}`,
			`{"id":"-","model":"all-minilm-l6-v2 (cosine)","usage":{"prompt_tokens":9,"total_tokens":9},` +
				`"results":[{"index":1,"document":{"text":"b","multi_modal":null},"relevance_score":1},{"index":0,` +
				`"document":{"text":"a","multi_modal":null},"relevance_score":0},{"index":2,"document":{"text":"c",` +
				`"multi_modal":null},"relevance_score":0}]}`},
		"the best": {`,"top_n":1,"model":"all-minilm-l6-v2 (cosine)"`,
			`{"input":["q","a","b","c"],"model":"all-minilm-l6-v2"}`,
			`{"id":"-","model":"all-minilm-l6-v2 (cosine)","usage":{"prompt_tokens":9,"total_tokens":9},` +
				`"results":[{"index":1,"document":{"text":"b","multi_modal":null},"relevance_score":1}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, answer(http.StatusOK, vectors))
			resp, body := send(t, http.MethodPost, newGateway(t, u).URL+"/v1/rerank",
				`{"query":"q","documents":["a",{"content":[{"type":"text","text":"b"}]},"c"]`+tt.extra+`}`)
			var got rerankResponse
			if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("answer %d %s, error %v; want a ranking", resp.StatusCode, body, err)
			}
			if got := strings.Replace(strings.TrimSpace(body), got.ID, "-", 1); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if sent := <-u.bodies; sent != tt.wantSent {
				t.Errorf("sent %s, want %s", sent, tt.wantSent)
			}
		})
	}
}

func TestRerankTruncates(t *testing.T) {
	u := newUpstream(t,
		tokenizing(answer(http.StatusOK, `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]}`)))
	g := newGateway(t, u)
	for extra, want := range map[string]string{
		`"truncate_prompt_tokens":3`: `{"input":[[101,113,102],[101,97,102]]}`,
		`"max_tokens_per_doc":3`:     `{"input":["qqqq",[101,97,102]]}`,
	} {
		send(t, http.MethodPost, g.URL+"/v1/rerank", `{"query":"qqqq","documents":["abcd"],`+extra+`}`)
		var last string
		for len(u.bodies) > 0 {
			last = <-u.bodies
		}
		if last != want {
			t.Errorf("%s: sent %s, want %s", extra, last, want)
		}
	}
}

func TestRerankWithModel(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK,
		`{"model":"r","usage":{"prompt_tokens":4,"total_tokens":4},"results":[{"index":0,"relevance_score":0},`+
			`{"index":1,"relevance_score":2}]}`))
	g := newGateway(t, u, func(g *gateway) { g.rerank = u.backend(t, "rerank", "r") })
	for extra, want := range map[string]string{
		"":                        `[{1 {b <nil>} 0.8807970779778823} {0 {a <nil>} 0.5}]`,
		`,"use_activation":false`: `[{1 {b <nil>} 2} {0 {a <nil>} 0}]`,
	} {
		_, body := send(t, http.MethodPost, g.URL+"/v1/rerank",
			`{"model":"r","query":"q","documents":["a","b"]`+extra+`}`)
		var got rerankResponse
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("answer %s: %v", body, err)
		}
		if fmt.Sprint(got.Results) != want {
			t.Errorf("got %v, want %s", got.Results, want)
		}
		if sent := <-u.bodies; sent != `{"documents":["a","b"],"model":"r","query":"q","top_n":2}` {
			t.Errorf("request to the rerank engine %s, want all documents and top_n 2", sent)
		}
	}
}

func TestRerankWithModelRefusesToCut(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	g := newGateway(t, u, func(g *gateway) { g.rerank = u.backend(t, "rerank", "r") })
	for _, key := range []string{"truncate_prompt_tokens", "max_tokens_per_doc"} {
		resp, body := send(t, http.MethodPost, g.URL+"/v1/rerank", `{"query":"q","documents":["a"],"`+key+`":5}`)
		if resp.StatusCode != http.StatusBadRequest ||
			!strings.Contains(body, key+" is refused: send shorter documents") {
			t.Errorf("%s: answer %d %s, want 400 that says why", key, resp.StatusCode, body)
		}
	}
}

func TestModelsListsEveryEngine(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{"object":"list","data":[{"id":"theirs","custom":1}]}`))
	g := newGateway(t, u, func(g *gateway) {
		remote, err := newRemote("rerank", u.URL)
		if err != nil {
			t.Fatal(err)
		}
		g.rerank = remote
	})
	_, body := send(t, http.MethodGet, g.URL+"/v1/models", "")
	var list struct {
		Data []struct {
			ID          string `json:"id"`
			MaxModelLen int    `json:"max_model_len"`
			Custom      int    `json:"custom"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(list.Data); got != "[{smollm2-135m-instruct 8 0} {all-minilm-l6-v2 8 0} {theirs 0 1}]" {
		t.Errorf("models listed %s, want those of chat, embeddings and the remote reranker", got)
	}
}
