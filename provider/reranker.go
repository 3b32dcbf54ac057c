package provider

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// DefaultOverfetch is how many times the documents that are wanted a [RerankStore] takes from its store.
const DefaultOverfetch = 4

// Reranker orders documents by how well they answer a query: as a function ([Reranker.Rerank]), around a
// retriever ([Reranker.Retriever]) or around a vector store ([Reranker.Store]). It is safe for
// concurrent use.
type Reranker struct {
	// CallbacksHandler is told of the searches of the retrievers that the Reranker makes.
	CallbacksHandler callbacks.Handler

	client *babyclient.Client
	model  string
	rerankerConfig
}

type rerankerConfig struct {
	callback  callbacks.Handler
	overfetch int
	truncate  int
	timeout   time.Duration
	fallback  bool
	onFailure func(context.Context, error)
	onUsage   UsageFunc
}

// A RerankerOption configures a [Reranker].
type RerankerOption func(*rerankerConfig)

// NewReranker makes a reranker with a model of client: a rerank model, or on engines that can do so an
// embedding model, whose scores are then cosine similarities.
func NewReranker(client *babyclient.Client, model string, opts ...RerankerOption) (*Reranker, error) {
	r := &Reranker{client: client, model: strings.TrimSpace(model), rerankerConfig: rerankerConfig{overfetch: DefaultOverfetch, timeout: DefaultTimeout}}
	for _, o := range opts {
		if o != nil {
			o(&r.rerankerConfig)
		}
	}
	switch {
	case client == nil:
		return nil, invalid("the client is nil: make it with babyclient.New, or take that of an LLM")
	case r.model == "":
		return nil, invalid("no rerank model: name one")
	case r.timeout <= 0:
		return nil, invalid("WithRerankTimeout(%s): want a positive duration", r.timeout)
	case r.overfetch < 1:
		return nil, invalid("WithOverfetch(%d): want 1 or more", r.overfetch)
	}
	r.CallbacksHandler = r.callback
	return r, nil
}

// WithOverfetch sets how many times the documents that are wanted a [RerankStore] takes from its store, so
// that reranking has a choice. Default: [DefaultOverfetch].
func WithOverfetch(factor int) RerankerOption {
	return func(c *rerankerConfig) { c.overfetch = factor }
}

// WithFallback returns the documents in the order that they had when the service fails, and tells
// onFailure (which may be nil) why. Default: a failure is an error. A context that ended is an error in
// any case, and so is bad input.
func WithFallback(onFailure func(context.Context, error)) RerankerOption {
	return func(c *rerankerConfig) { c.fallback, c.onFailure = true, onFailure }
}

// WithRerankTruncation cuts query and document together to that many tokens; -1 means the most that the
// model takes (vLLM). Default: a document that is too long is an error.
func WithRerankTruncation(tokens int) RerankerOption {
	return func(c *rerankerConfig) { c.truncate = tokens }
}

// WithRerankTimeout limits each request. Default: [DefaultTimeout].
func WithRerankTimeout(d time.Duration) RerankerOption {
	return func(c *rerankerConfig) { c.timeout = d }
}

// WithRerankCallback sets the CallbacksHandler.
func WithRerankCallback(h callbacks.Handler) RerankerOption {
	return func(c *rerankerConfig) { c.callback = h }
}

// WithRerankUsageFunc tells f what each request took.
func WithRerankUsageFunc(f UsageFunc) RerankerOption {
	return func(c *rerankerConfig) { c.onUsage = f }
}

// Keys of schema.Document.Metadata that reranking sets.
const (
	MetadataRelevanceScore  = "relevance_score"  // float64: as Score, in full precision
	MetadataSimilarityScore = "similarity_score" // float64: the Score that the document had before
)

// Rerank returns the topN documents that answer the query best, best first: POST /v1/rerank. The Score of
// each is its relevance, whose range is the model's; the score that it had is kept in the
// metadata. A topN of 0 or less, or of more than there are, means all. The caller's documents are not
// changed.
func (r *Reranker) Rerank(ctx context.Context, query string, docs []schema.Document, topN int) ([]schema.Document, error) {
	if len(docs) == 0 {
		return []schema.Document{}, nil
	}
	if topN <= 0 || topN > len(docs) {
		topN = len(docs)
	}
	req := &babyclient.RerankRequest{Model: r.model, Query: query, TopN: topN, Documents: make([]string, len(docs))}
	for i, d := range docs {
		req.Documents[i] = d.PageContent
	}
	if r.truncate != 0 {
		req.TruncatePromptTokens = &r.truncate
	}
	resp, err := r.client.Rerank(ctx, req, babyclient.WithTimeout(r.timeout))
	if err != nil {
		if !r.fallback || ctx.Err() != nil || errors.Is(err, babyclient.ErrInvalidRequest) {
			return nil, wrapError(err)
		}
		if r.onFailure != nil {
			r.onFailure(ctx, wrapError(err))
		}
		return append([]schema.Document{}, docs[:topN]...), nil
	}
	if resp.Usage != nil {
		r.onUsage.call(ctx, Usage{Operation: "rerank", Model: resp.Model, Usage: *resp.Usage})
	}
	out := make([]schema.Document, 0, topN)
	for _, result := range resp.Results[:min(topN, len(resp.Results))] {
		out = append(out, scored(docs[result.Index], result.RelevanceScore))
	}
	return out, nil
}

func scored(d schema.Document, relevance float64) schema.Document {
	m := maps.Clone(d.Metadata)
	if m == nil {
		m = map[string]any{}
	}
	if d.Score != 0 { // most retrievers and stores that give no score leave it 0
		m[MetadataSimilarityScore] = float64(d.Score)
	}
	m[MetadataRelevanceScore] = relevance
	return schema.Document{PageContent: d.PageContent, Metadata: m, Score: float32(relevance)}
}

// RerankRetriever is a schema.Retriever that reranks what another one finds.
type RerankRetriever struct {
	reranker *Reranker
	base     schema.Retriever
	topN     int
}

var _ schema.Retriever = (*RerankRetriever)(nil)

// Retriever reranks what base finds and keeps the topN best, all of them for 0. Let base find
// several times topN.
func (r *Reranker) Retriever(base schema.Retriever, topN int) *RerankRetriever {
	return &RerankRetriever{reranker: r, base: base, topN: topN}
}

// GetRelevantDocuments finds documents and reranks them.
func (r *RerankRetriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	h := r.reranker.CallbacksHandler
	if h != nil {
		h.HandleRetrieverStart(ctx, query)
	}
	docs, err := r.base.GetRelevantDocuments(ctx, query)
	if err != nil {
		return nil, err
	}
	docs, err = r.reranker.Rerank(ctx, query, docs, r.topN)
	if err != nil {
		return nil, err
	}
	if h != nil {
		h.HandleRetrieverEnd(ctx, query, docs)
	}
	return docs, nil
}

// RerankStore is a vectorstores.VectorStore that reranks what another one finds.
type RerankStore struct {
	reranker *Reranker
	base     vectorstores.VectorStore
}

var _ vectorstores.VectorStore = (*RerankStore)(nil)

// Store reranks the searches of base. vectorstores.ToRetriever makes a retriever of it.
func (r *Reranker) Store(base vectorstores.VectorStore) *RerankStore {
	return &RerankStore{reranker: r, base: base}
}

// AddDocuments adds to the store underneath.
func (s *RerankStore) AddDocuments(ctx context.Context, docs []schema.Document, options ...vectorstores.Option) ([]string, error) {
	return s.base.AddDocuments(ctx, docs, options...)
}

// SimilaritySearch finds several times numDocuments ([WithOverfetch]), reranks them and returns the
// best. The options go to the store underneath, so a score threshold is one of similarity, not of relevance.
func (s *RerankStore) SimilaritySearch(ctx context.Context, query string, numDocuments int, options ...vectorstores.Option) ([]schema.Document, error) {
	if numDocuments <= 0 {
		return nil, invalid("SimilaritySearch: numDocuments is %d: want 1 or more", numDocuments)
	}
	docs, err := s.base.SimilaritySearch(ctx, query, numDocuments*s.reranker.overfetch, options...)
	if err != nil {
		return nil, err
	}
	return s.reranker.Rerank(ctx, query, docs, numDocuments)
}
