package main

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/provider"
)

// union finds what any of its retrievers finds, each document once. Its order
// means little: the retrievers' scores cannot be compared, which is why the
// union is reranked.
type union []schema.Retriever

// GetRelevantDocuments asks one retriever after the other.
func (u union) GetRelevantDocuments(ctx context.Context, query string) ([]schema.Document, error) {
	var found []schema.Document
	seen := map[string]bool{}
	for _, r := range u {
		docs, err := r.GetRelevantDocuments(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			key := fmt.Sprint(d.Metadata[provider.MetadataSource], d.Metadata[provider.MetadataContentHash])
			if !seen[key] {
				seen[key] = true
				found = append(found, d)
			}
		}
	}
	return found, nil
}
