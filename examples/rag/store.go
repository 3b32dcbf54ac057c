package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
)

// memoryStore is a vectorstores.VectorStore in memory, which compares the query
// with every document: right for thousands of them, and for no more. It is not
// safe for concurrent use.
type memoryStore struct {
	embedder embeddings.Embedder
	docs     []schema.Document
	vectors  [][]float32 // of length 1 each, so that a dot product is the cosine
}

var _ vectorstores.VectorStore = (*memoryStore)(nil)

// AddDocuments embeds the documents and keeps them.
func (s *memoryStore) AddDocuments(
	ctx context.Context, docs []schema.Document, options ...vectorstores.Option,
) ([]string, error) {
	if err := refuseOptions(options); err != nil {
		return nil, err
	}
	texts := make([]string, len(docs))
	for i, d := range docs {
		texts[i] = d.PageContent
	}
	vectors, err := s.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(docs) {
		return nil, fmt.Errorf("embedding %d documents gave %d vectors", len(docs), len(vectors))
	}
	ids := make([]string, len(docs))
	for i, v := range vectors {
		ids[i] = strconv.Itoa(len(s.docs))
		s.docs = append(s.docs, docs[i])
		s.vectors = append(s.vectors, unit(v))
	}
	return ids, nil
}

// SimilaritySearch returns the documents whose meaning is nearest to that of the
// query. The score of each is the cosine similarity, -1 to 1.
func (s *memoryStore) SimilaritySearch(
	ctx context.Context, query string, n int, options ...vectorstores.Option,
) ([]schema.Document, error) {
	if err := refuseOptions(options); err != nil {
		return nil, err
	}
	v, err := s.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	v = unit(v)
	scores := make([]float64, len(s.docs))
	for i, other := range s.vectors {
		if len(other) != len(v) {
			return nil, fmt.Errorf("the query has a vector of %d numbers, the documents of %d: "+
				"embed both with one model", len(v), len(other))
		}
		for j := range v {
			scores[i] += float64(v[j]) * float64(other[j])
		}
	}
	return best(s.docs, scores, n), nil
}

// refuseOptions fails if there are options, which this store does not have. If it
// ignored a filter, it would return what the caller wanted left out.
func refuseOptions(options []vectorstores.Option) error {
	if len(options) > 0 {
		return fmt.Errorf("the store in memory takes no options, and got %d", len(options))
	}
	return nil
}

func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	length := float32(math.Sqrt(sum))
	u := make([]float32, len(v))
	for i, x := range v {
		u[i] = x / length
	}
	return u
}

// best returns the n documents of the highest scores, best first, with the
// scores in them. Documents of one score keep their order.
func best(docs []schema.Document, scores []float64, n int) []schema.Document {
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	found := make([]schema.Document, 0, min(max(n, 0), len(docs)))
	for _, i := range order[:cap(found)] {
		d := docs[i]
		d.Score = float32(scores[i])
		found = append(found, d)
	}
	return found
}
