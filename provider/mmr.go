package provider

import (
	"context"
	"math"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
)

// MMRRetriever is a schema.Retriever that picks, from what another retriever finds, documents that
// answer the query and do not say the same as each other: maximal marginal relevance (Carbonell and
// Goldstein, 1998). It embeds the documents of each search, which vector stores of langchaingo do
// not hand out the vectors of.
type MMRRetriever struct {
	base      schema.Retriever
	embedder  embeddings.Embedder
	topN      int
	relevance float64
}

var _ schema.Retriever = (*MMRRetriever)(nil)

// NewMMRRetriever picks topN of the documents that base finds; make it find several times as many.
// relevance, from 0 to 1, is the weight of the similarity to the query, against that to the
// documents already picked: 1 is a plain search, 0.5 the usual.
func NewMMRRetriever(
	base schema.Retriever, embedder embeddings.Embedder, topN int, relevance float64,
) (*MMRRetriever, error) {
	switch {
	case base == nil:
		return nil, invalid("the retriever is nil")
	case embedder == nil:
		return nil, invalid("the embedder is nil: make it with NewEmbedder")
	case topN < 1:
		return nil, invalid("topN is %d: want 1 or more", topN)
	case !(relevance >= 0 && relevance <= 1):
		return nil, invalid("relevance is %v: want a number from 0 to 1", relevance)
	}
	return &MMRRetriever{base: base, embedder: embedder, topN: topN, relevance: relevance}, nil
}

// GetRelevantDocuments returns the documents in the order in which they were picked. Their scores
// are those of the retriever underneath.
func (r *MMRRetriever) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	docs, err := r.base.GetRelevantDocuments(ctx, query)
	if err != nil || len(docs) <= 1 {
		return docs, err
	}
	texts := make([]string, len(docs))
	for i, d := range docs {
		texts[i] = d.PageContent
	}
	vectors, err := r.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	of, err := r.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(docs) {
		return nil, invalid("the embedder (%T) gave %d vectors for %d documents", r.embedder, len(vectors), len(docs))
	}
	for _, v := range vectors {
		if len(v) != len(of) {
			return nil, invalid("the embedder (%T) gave a query of %d numbers and a document of %d",
				r.embedder, len(of), len(v))
		}
	}
	out := make([]schema.Document, 0, min(r.topN, len(docs)))
	for _, i := range pickMarginal(of, vectors, r.topN, r.relevance) {
		out = append(out, docs[i])
	}
	return out, nil
}

// pickMarginal returns the indices of up to n vectors. It picks one after the other: that with the
// most similarity to the query, less that to the most similar of those picked before.
func pickMarginal(query []float32, vectors [][]float32, n int, relevance float64) (picked []int) {
	toQuery := make([]float64, len(vectors))
	toPicked := make([]float64, len(vectors)) // to the most similar of them
	isPicked := make([]bool, len(vectors))
	for i, v := range vectors {
		toQuery[i] = cosine(query, v)
		toPicked[i] = -1
	}
	for len(picked) < min(n, len(vectors)) {
		best, bestScore := -1, 0.0
		for i := range vectors {
			score := toQuery[i]
			if len(picked) > 0 {
				score = relevance*toQuery[i] - (1-relevance)*toPicked[i]
			}
			if !isPicked[i] && (best < 0 || score > bestScore) {
				best, bestScore = i, score
			}
		}
		picked = append(picked, best)
		isPicked[best] = true
		for i, v := range vectors {
			toPicked[i] = max(toPicked[i], cosine(vectors[best], v))
		}
	}
	return picked
}

// cosine is the cosine of the angle between two vectors of one length, 0 for a vector of zeros.
func cosine(a, b []float32) float64 {
	var product, squareA, squareB float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		product += x * y
		squareA += x * x
		squareB += y * y
	}
	if squareA == 0 || squareB == 0 {
		return 0
	}
	return product / math.Sqrt(squareA*squareB)
}
