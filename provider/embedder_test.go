package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

const embedPath = "POST /v1/embeddings"

// embedInput is the input of a request for embeddings.
func embedInput(r *http.Request) []string {
	var req struct{ Input []string }
	_ = (&babytest.Request{Body: readAll(r)}).JSON(&req)
	return req.Input
}

// lengths answers with the vector [length, 1] for each text, last text first.
func lengths() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		input := embedInput(r)
		data := make([]map[string]any, len(input))
		for i, s := range input {
			data[len(input)-1-i] = map[string]any{"index": i, "embedding": []int{len(s), 1}}
		}
		babytest.JSON(200, map[string]any{"model": "served", "data": data,
			"usage": map[string]int{"prompt_tokens": len(input), "total_tokens": len(input)}}).ServeHTTP(w, r)
	})
}

func newEmbedder(t testing.TB, srv *babytest.Server, opts ...provider.EmbedderOption) *provider.Embedder {
	t.Helper()
	e, err := provider.NewEmbedder(srv.Client(babyclient.WithMaxRetries(0)), "e", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// numbered are n texts of different lengths.
func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = strings.Repeat("x", i+1)
	}
	return texts
}

func wantLengths(t testing.TB, vectors [][]float32, texts []string) {
	t.Helper()
	if len(vectors) != len(texts) {
		t.Fatalf("%d vectors for %d texts", len(vectors), len(texts))
	}
	for i, v := range vectors {
		if len(v) != 2 || int(v[0]) != len(texts[i]) {
			t.Errorf("vector %d is %v", i, v)
		}
	}
}

func testEmbedder(t *testing.T) {
	srv := newServer(t, embedPath, lengths())
	e := newEmbedder(t, srv, provider.WithBatchSize(3))
	texts := numbered(10)
	texts[4] = "line\nbreak\r\n"
	before := slices.Clone(texts)
	vectors, err := e.EmbedDocuments(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	wantLengths(t, vectors, before)
	if !slices.Equal(texts, before) {
		t.Error("the caller's texts were changed")
	}
	var sent []string
	for _, r := range srv.Requests() {
		var body struct{ Input []string }
		if err := r.JSON(&body); err != nil || len(body.Input) > 3 {
			t.Errorf("request with texts %v, error %v; want at most three texts", body.Input, err)
		}
		sent = append(sent, body.Input...)
	}
	if !slices.Contains(sent, before[4]) || len(srv.Requests()) != 4 {
		t.Errorf("%d requests, sent %q", len(srv.Requests()), sent)
	}
	for _, none := range [][]string{nil, {}} {
		if got, err := e.EmbedDocuments(t.Context(), none); err != nil || got == nil || len(got) != 0 {
			t.Errorf("no texts: %v, %v", got, err)
		}
	}
	if n := len(srv.Requests()); n != 4 {
		t.Errorf("%d requests for no texts", n-4)
	}
	if got, err := e.EmbedQuery(t.Context(), "four"); err != nil || got[0] != 4 {
		t.Errorf("query: %v, %v", got, err)
	}
}

func testBlankTexts(t *testing.T) {
	srv := newServer(t, embedPath, lengths())
	e := newEmbedder(t, srv)
	for _, blank := range []string{"", " \n"} {
		_, err := e.EmbedDocuments(t.Context(), []string{"a", blank})
		refused(t, srv, err, llms.ErrCodeInvalidRequest, "texts[1]", "WithBlankReplacement")
		_, err = e.EmbedQuery(t.Context(), blank)
		refused(t, srv, err, llms.ErrCodeInvalidRequest, "query")
	}
	embedder := newEmbedder(t, srv, provider.WithBlankReplacement("none"))
	vectors, err := embedder.EmbedDocuments(t.Context(), []string{"a", "", "\t"})
	if err != nil || vectors[0][0] != 1 || vectors[1][0] != 4 || vectors[2][0] != 4 {
		t.Errorf("vectors %v, error %v; want lengths 1, 4, 4", vectors, err)
	}
}

func testBatches(t *testing.T) {
	t.Run("by bytes", func(t *testing.T) {
		srv := newServer(t, embedPath, lengths())
		texts := []string{"aaaa", "bbbb", "cc", strings.Repeat("d", 50), "e", "f"}
		vectors, err := newEmbedder(t, srv, provider.WithBatchBytes(10),
			provider.WithEmbedConcurrency(1)).EmbedDocuments(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		wantLengths(t, vectors, texts)
		var batches [][]string
		for _, r := range srv.Requests() {
			var body struct{ Input []string }
			if err := r.JSON(&body); err != nil {
				t.Fatal(err)
			}
			batches = append(batches, body.Input)
		}
		sameJSON(t, "batches", jsonOf(t, batches),
			jsonOf(t, [][]string{{"aaaa", "bbbb", "cc"}, {texts[3]}, {"e", "f"}}))
	})
	t.Run("side by side", func(t *testing.T) {
		var now, most atomic.Int32
		all := make(chan struct{})
		srv := newServer(t, embedPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			if most.Load() == 3 { // all that may be are here at once
				select {
				case <-all:
				default:
					close(all)
				}
			}
			<-all
			lengths().ServeHTTP(w, r)
			now.Add(-1)
		}))
		texts := numbered(40)
		vectors, err := newEmbedder(t, srv, provider.WithBatchSize(2),
			provider.WithEmbedConcurrency(3)).EmbedDocuments(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		wantLengths(t, vectors, texts)
		if most.Load() != 3 {
			t.Errorf("%d requests at once", most.Load())
		}
	})
	client := newServer(t, "").Client()
	for name, test := range map[string]struct {
		client *babyclient.Client
		model  string
		option provider.EmbedderOption
		words  string
	}{
		"no client":        {nil, "e", nil, "client"},
		"no model":         {client, " ", nil, "model"},
		"batch size":       {client, "e", provider.WithBatchSize(0), "WithBatchSize(0)"},
		"negative size":    {client, "e", provider.WithBatchSize(-1), "WithBatchSize(-1)"},
		"batch bytes":      {client, "e", provider.WithBatchBytes(0), "WithBatchBytes(0)"},
		"parallelism":      {client, "e", provider.WithEmbedConcurrency(0), "WithEmbedConcurrency(0)"},
		"dimensions":       {client, "e", provider.WithEmbedDimensions(-1), "WithEmbedDimensions(-1)"},
		"blank as blank":   {client, "e", provider.WithBlankReplacement(""), "WithBlankReplacement"},
		"unknown prefixes": {client, "e", provider.WithModelPrefixes(), `"e"`},
		"timeout":          {client, "e", provider.WithEmbedTimeout(0), "WithEmbedTimeout"},
		"conflict":         {client, "e5-base", nil, "conflicting"},
	} {
		t.Run(name, func(t *testing.T) {
			options := []provider.EmbedderOption{test.option}
			if name == "conflict" {
				options = append(options, provider.WithModelPrefixes(),
					provider.WithPrefixes(provider.Prefixes{Query: "q"}))
			}
			e, err := provider.NewEmbedder(test.client, test.model, options...)
			if e != nil {
				t.Error("an embedder came with the error")
			}
			wantError(t, err, llms.ErrCodeInvalidRequest, test.words)
		})
	}
}

// failOn answers a request that holds text with h, others with their lengths.
func failOn(text string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := readAll(r)
		again := r.Clone(r.Context())
		again.Body = http.NoBody
		if strings.Contains(string(body), `"`+text+`"`) {
			h.ServeHTTP(w, again)
			return
		}
		again.Body = newBody(body)
		lengths().ServeHTTP(w, again)
	})
}

func TestResumeEmbedsWhatIsMissing(t *testing.T) {
	texts := numbered(10)
	srv := newServer(t, embedPath, failOn(texts[6], babytest.JSON(500, `{"error":"engine died"}`)))
	var progress []string
	e := newEmbedder(t, srv, provider.WithBatchSize(2), provider.WithEmbedConcurrency(1),
		provider.WithEmbedProgress(func(done, total int) { progress = append(progress, fmt.Sprint(done, "/", total)) }))
	vectors, err := e.EmbedDocuments(t.Context(), texts)
	if vectors != nil {
		t.Errorf("vectors %v came with the error", vectors)
	}
	wantError(t, err, llms.ErrCodeProviderUnavailable, "texts[6:8]", "6 of 10", "engine died")
	failed, ok := errors.AsType[*provider.EmbedError](err)
	if !ok || failed.From != 6 || failed.To != 8 || failed.Vectors[5] == nil || failed.Vectors[6] != nil {
		t.Fatalf("EmbedError %+v, want texts 6 to 8 failed and those before it embedded", failed)
	}
	if _, ok := errors.AsType[*babyclient.Error](err); !ok {
		t.Error("no *babyclient.Error inside")
	}
	srv = newServer(t, embedPath, lengths())
	e = newEmbedder(t, srv, provider.WithBatchSize(2), provider.WithEmbedConcurrency(1),
		provider.WithEmbedProgress(func(done, total int) { progress = append(progress, fmt.Sprint(done, "/", total)) }))
	vectors, err = e.Resume(t.Context(), texts, failed.Vectors)
	if err != nil {
		t.Fatal(err)
	}
	wantLengths(t, vectors, texts)
	if len(srv.Requests()) != 2 {
		t.Errorf("%d requests for four texts", len(srv.Requests()))
	}
	if got := strings.Join(progress, " "); got != "2/10 4/10 6/10 8/10 10/10" {
		t.Errorf("progress %s, want it to count on from where the first call ended", got)
	}
	_, err = e.Resume(t.Context(), texts[1:], failed.Vectors)
	wantError(t, err, llms.ErrCodeInvalidRequest, "9 texts and 10 vectors")
}

func testBadVectors(t *testing.T) {
	for name, answer := range map[string]string{
		"one missing":  `{"data":[{"index":0,"embedding":[1,2]}]}`,
		"doubled":      `{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}`,
		"out of range": `{"data":[{"index":0,"embedding":[1,2]},{"index":7,"embedding":[1,2]}]}`,
		"one too many": `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":2,` +
			`"embedding":[1]}]}`,
		"different lengths": `{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}`,
		"empty":             `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`,
		"no number":         `{"data":[{"index":0,"embedding":[null]},{"index":1,"embedding":[1]}]}`,
		"NaN in base64":     `{"data":[{"index":0,"embedding":"AADAfw=="},{"index":1,"embedding":"AADAfw=="}]}`,
		"broken base64":     `{"data":[{"index":0,"embedding":"AAD"},{"index":1,"embedding":"AAD"}]}`,
		"no data":           `{}`,
	} {
		embedder := newEmbedder(t, newServer(t, embedPath, babytest.JSON(200, answer)))
		_, err := embedder.EmbedDocuments(t.Context(), []string{"a", "b"})
		t.Run(name, func(t *testing.T) {
			wantError(t, err, llms.ErrCodeProviderUnavailable, "texts[0:2]")
			if !errors.Is(err, babyclient.ErrInvalidResponse) {
				t.Errorf("error %v, want ErrInvalidResponse", err)
			}
		})
	}
	base64 := `{"data":[{"index":1,"embedding":"AABAQAAAgEA="},{"index":0,"embedding":"AACAPwAAAEA="}]}`
	embedder := newEmbedder(t, newServer(t, embedPath, babytest.JSON(200, base64)))
	vectors, err := embedder.EmbedDocuments(t.Context(), []string{"a", "b"})
	if err != nil || !slices.Equal(vectors[0], []float32{1, 2}) || !slices.Equal(vectors[1], []float32{3, 4}) {
		t.Errorf("base64: %v, %v", vectors, err)
	}
	// The batches of one index must fit together.
	srv := newServer(t, embedPath, babytest.JSON(200, `{"data":[{"index":0,"embedding":[1,2]}]}`),
		babytest.JSON(200, `{"data":[{"index":0,"embedding":[1,2,3]}]}`))
	_, err = newEmbedder(t, srv, provider.WithBatchSize(1),
		provider.WithEmbedConcurrency(1)).EmbedDocuments(t.Context(), []string{"a", "b"})
	wantError(t, err, llms.ErrCodeProviderUnavailable, "texts[1:2]", "3 dimensions")
	embedder = newEmbedder(t, newServer(t, embedPath, lengths()), provider.WithEmbedDimensions(5))
	_, err = embedder.EmbedQuery(t.Context(), "a")
	wantError(t, err, llms.ErrCodeProviderUnavailable, "Dimensions")
}

func testPrefixes(t *testing.T) {
	for model, want := range map[string]provider.Prefixes{
		"Qwen/Qwen3-Embedding-0.6B": {Query: "Instruct: Given a web search query, retrieve relevant passages " +
			"that answer the query\nQuery:"},
		"intfloat/multilingual-e5-large-instruct": {Query: "Instruct: Given a web search query, " +
			"retrieve relevant passages that answer the query\nQuery: "},
		"nomic-ai/nomic-embed-text-v1.5":          {Query: "search_query: ", Document: "search_document: "},
		"google/embeddinggemma-300m":              {Query: "task: search result | query: ", Document: "title: none | text: "},
		"Snowflake/snowflake-arctic-embed-l-v2.0": {Query: "query: "},
		"Snowflake/snowflake-arctic-embed-m":      {Query: "Represent this sentence for searching relevant passages: "},
		"BAAI/bge-large-zh-v1.5":                  {Query: "为这个句子生成表示以用于检索相关文章："},
		"intfloat/multilingual-e5-large":          {Query: "query: ", Document: "passage: "},
		"BAAI/bge-small-en-v1.5":                  {Query: "Represent this sentence for searching relevant passages: "},
		"BAAI/bge-m3":                             {},
	} {
		srv := newServer(t, embedPath, lengths())
		client := srv.Client()
		for _, on := range []bool{false, true} {
			var option provider.EmbedderOption
			p := provider.Prefixes{}
			if on {
				option, p = provider.WithModelPrefixes(), want
			}
			e, err := provider.NewEmbedder(client, model, option)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.EmbedQuery(t.Context(), "q"); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, model+", query", jsonOf(t, lastBody(t, srv)["input"]), jsonOf(t, []string{p.Query + "q"}))
			if _, err := e.EmbedDocuments(t.Context(), []string{"d"}); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, model+", document", jsonOf(t, lastBody(t, srv)["input"]), jsonOf(t, []string{p.Document + "d"}))
		}
	}
	srv := newServer(t, embedPath, lengths())
	e := newEmbedder(t, srv, provider.WithPrefixes(provider.Prefixes{Query: "Q:", Document: "D:"}))
	if got, err := e.EmbedQuery(t.Context(), "x"); err != nil || got[0] != 3 {
		t.Errorf("vector of the query %v, error %v; want the length of Q:x, 3", got, err)
	}
}

func testEmbedderOptions(t *testing.T) {
	srv := newServer(t, embedPath, lengths())
	var mu sync.Mutex
	tokens := 0
	e := newEmbedder(t, srv, provider.WithEmbedDimensions(2), provider.WithEmbedTruncation(-1),
		provider.WithBatchSize(2), provider.WithEmbedUsageFunc(func(_ context.Context, u provider.Usage) {
			mu.Lock()
			defer mu.Unlock()
			if u.Operation != "embeddings" || u.Model != "served" {
				t.Errorf("usage %+v, want operation embeddings and model served", u)
			}
			tokens += u.PromptTokens
		}))
	if _, err := e.EmbedDocuments(t.Context(), numbered(5)); err != nil {
		t.Fatal(err)
	}
	if body := lastBody(t, srv); body["dimensions"] != 2.0 || body["truncate_prompt_tokens"] != -1.0 ||
		body["model"] != "e" {
		t.Errorf("body sent %v, want dimensions 2, truncation -1, model e", body)
	}
	if tokens != 5 {
		t.Errorf("usage functions were called with %d tokens in all", tokens)
	}
	t.Run("cancel", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := babytest.NewPipeServer()
			defer srv.Close()
			srv.On(embedPath, babytest.Hang(lengths(), 0))
			client := srv.Client()
			e, err := provider.NewEmbedder(client, "e", provider.WithBatchSize(1))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			vectors, err := e.EmbedDocuments(ctx, numbered(50))
			if vectors != nil || !errors.Is(err, context.Canceled) || !llms.IsCanceledError(err) {
				t.Errorf("vectors %v, error %v; want none and the cancelled context", vectors, err)
			}
			if n := len(srv.Requests()); n != provider.DefaultEmbedConcurrency {
				t.Errorf("%d requests were sent", n)
			}
			_, err = e.EmbedDocuments(ctx, numbered(1))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("after the end: %v", err)
			}
			start := time.Now()
			_, err = e.EmbedQuery(t.Context(), "q")
			if wantError(t, err, llms.ErrCodeTimeout); time.Since(start) != provider.DefaultTimeout {
				t.Errorf("ended after %s, want DefaultTimeout, %s", time.Since(start), provider.DefaultTimeout)
			}
			client.CloseIdleConnections()
		})
	})
}
