package provider_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

const rerankPath = "POST /v1/rerank"

// ranks scores the documents 0, 1 and 2.
const ranks = `{"model":"served","results":[{"index":0,"relevance_score":0.1},{"index":2,"relevance_score":0.9},` +
	`{"index":1,"relevance_score":0.1}],"usage":{"prompt_tokens":3,"total_tokens":3}}`

func newReranker(t testing.TB, srv *babytest.Server, opts ...provider.RerankerOption) *provider.Reranker {
	t.Helper()
	r, err := provider.NewReranker(srv.Client(babyclient.WithMaxRetries(0)), "r", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func threeDocs() []schema.Document {
	return []schema.Document{
		{PageContent: "a", Metadata: map[string]any{"n": 0}, Score: 0.8},
		{PageContent: "b"},
		{PageContent: "c", Metadata: map[string]any{"n": 2}, Score: 0.5},
	}
}

func contents(docs []schema.Document) string {
	s := ""
	for _, d := range docs {
		s += d.PageContent
	}
	return s
}

func testReranker(t *testing.T) {
	srv := newServer(t, rerankPath, babytest.JSON(200, ranks))
	var used []provider.Usage
	r := newReranker(t, srv, provider.WithRerankUsageFunc(onUsage(&used)), provider.WithRerankTruncation(100))
	docs := threeDocs()
	got, err := r.Rerank(t.Context(), "q", docs, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []schema.Document{
		{PageContent: "c", Metadata: map[string]any{"n": 2, "relevance_score": 0.9, "similarity_score": 0.5},
			Score: 0.9},
		// equal scores keep their order
		{PageContent: "a", Metadata: map[string]any{"n": 0, "relevance_score": 0.1,
			"similarity_score": float64(float32(0.8))}, Score: 0.1},
		{PageContent: "b", Metadata: map[string]any{"relevance_score": 0.1}, Score: 0.1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if !reflect.DeepEqual(docs, threeDocs()) {
		t.Errorf("the caller's documents were changed: %+v", docs)
	}
	sameJSON(t, "sent", jsonOf(t, lastBody(t, srv)),
		`{"model":"r","query":"q","documents":["a","b","c"],"top_n":3,"truncate_prompt_tokens":100}`)
	if len(used) != 1 || used[0].Operation != "rerank" || used[0].Model != "served" {
		t.Errorf("usage reported %+v, want one of rerank and model served", used)
	}
	for topN, want := range map[int]string{-1: "cab", 0: "cab", 1: "c", 2: "ca", 3: "cab", 9: "cab"} {
		if got, err := r.Rerank(t.Context(), "q", docs, topN); err != nil || contents(got) != want {
			t.Errorf("topN %d: %s, %v", topN, contents(got), err)
		}
	}
	sent := len(srv.Requests())
	if got, err := r.Rerank(t.Context(), "q", nil, 3); err != nil || got == nil || len(got) != 0 ||
		len(srv.Requests()) != sent {
		t.Errorf("no documents: %v, %v", got, err)
	}

	for name, test := range map[string]struct {
		client *babyclient.Client
		model  string
		option provider.RerankerOption
		words  string
	}{
		"client":    {nil, "r", nil, "client"},
		"model":     {srv.Client(), "", nil, "model"},
		"overfetch": {srv.Client(), "r", provider.WithOverfetch(0), "WithOverfetch(0)"},
		"timeout":   {srv.Client(), "r", provider.WithRerankTimeout(-1), "WithRerankTimeout"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.NewReranker(test.client, test.model, test.option)
			wantError(t, err, llms.ErrCodeInvalidRequest, test.words)
		})
	}
}

func TestRerankFallback(t *testing.T) {
	srv := newServer(t, rerankPath, babytest.JSON(503, `{"error":"busy"}`))
	_, err := newReranker(t, srv).Rerank(t.Context(), "q", threeDocs(), 2)
	wantError(t, err, llms.ErrCodeProviderUnavailable, "busy")

	var fallbackError error
	r := newReranker(t, srv, provider.WithFallback(func(_ context.Context, err error) { fallbackError = err }))
	got, err := r.Rerank(t.Context(), "q", threeDocs(), 2)
	if err != nil || contents(got) != "ab" || !reflect.DeepEqual(got, threeDocs()[:2]) {
		t.Errorf("documents %+v, error %v; want the first two as they were", got, err)
	}
	wantError(t, fallbackError, llms.ErrCodeProviderUnavailable, "busy")
	if got, err := newReranker(t, srv, provider.WithFallback(nil)).Rerank(t.Context(), "q", threeDocs(),
		0); err != nil || contents(got) != "abc" {
		t.Errorf("documents %+v, error %v; want all three in their order", got, err)
	}
	_, err = r.Rerank(t.Context(), " ", threeDocs(), 0)
	wantError(t, err, llms.ErrCodeInvalidRequest, "query")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = r.Rerank(ctx, "q", threeDocs(), 0); !errors.Is(err, context.Canceled) || !llms.IsCanceledError(err) {
		t.Errorf("error %v, want the cancelled context in spite of the fallback", err)
	}
}

type retriever func(query string) ([]schema.Document, error)

func (f retriever) GetRelevantDocuments(_ context.Context, query string) ([]schema.Document, error) {
	return f(query)
}

// store finds the same for every query, and records what it was asked.
type store struct {
	added []schema.Document
	n     int
	o     vectorstores.Options
	err   error
}

func (s *store) AddDocuments(_ context.Context, docs []schema.Document, _ ...vectorstores.Option) ([]string, error) {
	s.added = append(s.added, docs...)
	return []string{"id"}, s.err
}

func (s *store) SimilaritySearch(_ context.Context, _ string, n int, options ...vectorstores.Option) ([]schema.Document,
	error) {
	s.n = n
	for _, o := range options {
		o(&s.o)
	}
	return threeDocs()[:min(n, 3)], s.err
}

func TestRerankRetriever(t *testing.T) {
	h := &recorder{}
	r := newReranker(t, newServer(t, rerankPath, babytest.JSON(200, ranks)), provider.WithRerankCallback(h))
	var asked string
	got, err := r.Retriever(retriever(func(q string) ([]schema.Document, error) { asked = q; return threeDocs(), nil }),
		2).GetRelevantDocuments(t.Context(), "why?")
	if err != nil || contents(got) != "ca" || asked != "why?" {
		t.Errorf("%s, %v, asked %q", contents(got), err, asked)
	}
	if got := jsonOf(t, h.events); got != `["retriever start why?","retriever end why? dd"]` {
		t.Errorf("callbacks %s, want start with the query and end with two documents", got)
	}
	broken := errors.New("no index")
	if _, err := r.Retriever(retriever(func(string) ([]schema.Document, error) { return nil, broken }),
		2).GetRelevantDocuments(t.Context(), "q"); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the retriever underneath", err)
	}
}

func TestRerankStore(t *testing.T) {
	srv := newServer(t, rerankPath, babytest.JSON(200, ranks))
	base := &store{}
	s := newReranker(t, srv).Store(base)
	got, err := s.SimilaritySearch(t.Context(), "q", 2, vectorstores.WithScoreThreshold(0.3),
		vectorstores.WithNameSpace("ns"))
	if err != nil || contents(got) != "ca" {
		t.Errorf("documents %s, error %v; want c, a", contents(got), err)
	}
	if base.n != 2*provider.DefaultOverfetch || base.o.ScoreThreshold != 0.3 || base.o.NameSpace != "ns" {
		t.Errorf("the store was asked for %d, %+v", base.n, base.o)
	}
	if ids, err := s.AddDocuments(t.Context(), threeDocs()); err != nil || len(ids) != 1 || len(base.added) != 3 {
		t.Errorf("added %v, %v", base.added, err)
	}
	if got, err := vectorstores.ToRetriever(s, 1).GetRelevantDocuments(t.Context(), "q"); err != nil ||
		contents(got) != "c" {
		t.Errorf("as a retriever: %s, %v", contents(got), err)
	}
	s = newReranker(t, srv, provider.WithOverfetch(10)).Store(base)
	s.SimilaritySearch(t.Context(), "q", 3) //nolint:errcheck // only what it asks for counts
	if base.n != 30 {
		t.Errorf("asked for %d", base.n)
	}
	_, err = s.SimilaritySearch(t.Context(), "q", 0)
	wantError(t, err, llms.ErrCodeInvalidRequest, "numDocuments is 0")
	base.err = errors.New("no index")
	if _, err := s.SimilaritySearch(t.Context(), "q", 1); !errors.Is(err, base.err) {
		t.Errorf("error %v, want that of the store underneath", err)
	}
}

func TestRelevanceThreshold(t *testing.T) {
	for name, test := range map[string]struct {
		lowest float64
		want   string
	}{"all": {-5, "cab"}, "one": {0.5, "c"}, "at the number": {0.9, "c"}, "none": {0.95, ""}} {
		srv := newServer(t, rerankPath, babytest.JSON(200, ranks))
		r := newReranker(t, srv, provider.WithRelevanceThreshold(test.lowest))
		got, err := r.Rerank(t.Context(), "q", threeDocs(), 0)
		if err != nil || contents(got) != test.want {
			t.Errorf("%s: %q, error %v; want %q", name, contents(got), err, test.want)
		}
	}
	srv := newServer(t, rerankPath, babytest.JSON(500, `{}`))
	r := newReranker(t, srv, provider.WithRelevanceThreshold(9), provider.WithFallback(nil))
	if got, err := r.Rerank(t.Context(), "q", threeDocs(), 0); err != nil || contents(got) != "abc" {
		t.Errorf("fallback: %q, error %v; want abc", contents(got), err)
	}
	_, err := provider.NewReranker(srv.Client(), "r", provider.WithRelevanceThreshold(math.NaN()))
	wantError(t, err, llms.ErrCodeInvalidRequest, "NaN")
}
