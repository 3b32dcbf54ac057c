package provider

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// DefaultOverfetch is how many documents a [RerankStore] takes from its store for each one wanted.
const DefaultOverfetch = 4

// Reranker orders documents by how well they answer a query: as a function ([Reranker.Rerank]),
// around a retriever ([Reranker.Retriever]) or around a vector store ([Reranker.Store]). It is safe
// for concurrent use.
type Reranker struct {
	// CallbacksHandler is called at the start and end of each search of a [RerankRetriever].
	CallbacksHandler callbacks.Handler

	client *babyclient.Client
	model  string
	rerankerConfig
}

type rerankerConfig struct {
	callback   callbacks.Handler
	overfetch  int
	truncation int // tokens; 0: none, -1: the most that the model takes
	timeout    time.Duration
	threshold  *float64 // nil: none
	fallback   bool
	onFailure  func(context.Context, error)
	onUsage    UsageFunc
}

// A RerankerOption configures a [Reranker].
type RerankerOption func(*rerankerConfig)

// NewReranker makes a reranker with a model of client. The model is a rerank model, or on engines
// that take it an embedding model, whose scores are then cosine similarities.
func NewReranker(client *babyclient.Client, model string, opts ...RerankerOption) (*Reranker, error) {
	c := configure(rerankerConfig{overfetch: DefaultOverfetch, timeout: DefaultTimeout}, opts)
	r := &Reranker{CallbacksHandler: c.callback, client: client, model: strings.TrimSpace(model), rerankerConfig: c}
	switch {
	case client == nil:
		return nil, errNilClient()
	case r.model == "":
		return nil, invalid("no rerank model: name one")
	case r.timeout <= 0:
		return nil, invalid("WithRerankTimeout(%s): want a positive duration", r.timeout)
	case r.threshold != nil && math.IsNaN(*r.threshold):
		return nil, invalid("WithRelevanceThreshold(NaN): want a number")
	case r.overfetch < 1:
		return nil, invalid("WithOverfetch(%d): want 1 or more", r.overfetch)
	}
	return r, nil
}

// WithOverfetch sets how many documents a [RerankStore] takes from its store for each one wanted,
// so that reranking has a choice. Default: [DefaultOverfetch].
func WithOverfetch(factor int) RerankerOption {
	return func(c *rerankerConfig) { c.overfetch = factor }
}

// WithFallback makes a Reranker return the documents in the order that they had when the service
// fails, and calls onFailure, which may be nil, with the error. Default: a failure is an error. A
// context that ended and bad input are errors in any case.
func WithFallback(onFailure func(context.Context, error)) RerankerOption {
	return func(c *rerankerConfig) { c.fallback, c.onFailure = true, onFailure }
}

// WithRelevanceThreshold drops documents whose relevance is less than lowest, so that a search may
// find nothing. What a number means is the model's: rerank models of vLLM score from 0 to 1, those
// of llama.cpp in raw numbers below and above 0. Documents that [WithFallback] returns have no
// relevance, and are kept. Default: none is dropped.
func WithRelevanceThreshold(lowest float64) RerankerOption {
	return func(c *rerankerConfig) { c.threshold = &lowest }
}

// WithRerankTruncation cuts query and document together to that many tokens; -1 means the most that
// the model takes (vLLM). Default: a document that is too long is an error.
func WithRerankTruncation(tokens int) RerankerOption {
	return func(c *rerankerConfig) { c.truncation = tokens }
}

// WithRerankTimeout limits each request. Default: [DefaultTimeout].
func WithRerankTimeout(d time.Duration) RerankerOption {
	return func(c *rerankerConfig) { c.timeout = d }
}

// WithRerankCallback sets the CallbacksHandler.
func WithRerankCallback(h callbacks.Handler) RerankerOption {
	return func(c *rerankerConfig) { c.callback = h }
}

// WithRerankUsageFunc makes each request report its tokens to f.
func WithRerankUsageFunc(f UsageFunc) RerankerOption {
	return func(c *rerankerConfig) { c.onUsage = f }
}

// Keys of schema.Document.Metadata that reranking sets.
const (
	MetadataRelevanceScore  = "relevance_score"  // float64: as Score, in full precision
	MetadataSimilarityScore = "similarity_score" // float64: the Score that the document had before
)

// Rerank returns the topN documents that answer the query best, best first: POST /v1/rerank. The
// Score of each is its relevance, whose range is the model's; the score that it had before is kept
// in the metadata. If topN is 0 or less, or more than there are documents, all are returned, but
// for those below a [WithRelevanceThreshold]. The caller's documents are not changed.
func (r *Reranker) Rerank(
	ctx context.Context, query string, docs []schema.Document, topN int,
) ([]schema.Document, error) {
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
	if r.truncation != 0 {
		req.TruncatePromptTokens = &r.truncation
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
	r.onUsage.report(ctx, "rerank", resp.Model, resp.Usage)
	out := make([]schema.Document, 0, topN)
	for _, result := range resp.Results[:min(topN, len(resp.Results))] {
		if r.threshold != nil && result.RelevanceScore < *r.threshold {
			continue
		}
		out = append(out, withRelevance(docs[result.Index], result.RelevanceScore))
	}
	return out, nil
}

// withRelevance is a copy of d with its relevance as the score. A score of 0 is not kept, because
// retrievers and stores that give no score leave it 0.
func withRelevance(d schema.Document, relevance float64) schema.Document {
	metadata := merged(d.Metadata)
	setKnown(metadata, MetadataSimilarityScore, float64(d.Score))
	metadata[MetadataRelevanceScore] = relevance
	return schema.Document{PageContent: d.PageContent, Metadata: metadata, Score: float32(relevance)}
}

// RerankRetriever is a schema.Retriever that reranks what another retriever finds.
type RerankRetriever struct {
	reranker *Reranker
	base     schema.Retriever
	topN     int
}

var _ schema.Retriever = (*RerankRetriever)(nil)

// Retriever reranks what base finds and keeps the topN best; 0 keeps all. Make base find several
// times topN documents, so that reranking has a choice.
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

// RerankStore is a vectorstores.VectorStore that reranks what another store finds.
type RerankStore struct {
	reranker *Reranker
	base     vectorstores.VectorStore
}

var _ vectorstores.VectorStore = (*RerankStore)(nil)

// Store reranks the searches of base. vectorstores.ToRetriever makes a retriever of it.
func (r *Reranker) Store(base vectorstores.VectorStore) *RerankStore {
	return &RerankStore{reranker: r, base: base}
}

// AddDocuments adds documents to the store underneath.
func (s *RerankStore) AddDocuments(
	ctx context.Context, docs []schema.Document, options ...vectorstores.Option,
) ([]string, error) {
	return s.base.AddDocuments(ctx, docs, options...)
}

// SimilaritySearch finds several times numDocuments ([WithOverfetch]), reranks them and returns the
// best. The options go to the store underneath, so a score threshold is one of similarity, not of
// relevance.
func (s *RerankStore) SimilaritySearch(
	ctx context.Context, query string, numDocuments int, options ...vectorstores.Option,
) ([]schema.Document, error) {
	if numDocuments <= 0 {
		return nil, invalid("SimilaritySearch: numDocuments is %d: want 1 or more", numDocuments)
	}
	docs, err := s.base.SimilaritySearch(ctx, query, numDocuments*s.reranker.overfetch, options...)
	if err != nil {
		return nil, err
	}
	return s.reranker.Rerank(ctx, query, docs, numDocuments)
}
