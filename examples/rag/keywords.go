package main

import (
	"context"
	"math"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/schema"
)

// keywordIndex finds documents by the words that they share with the query, and scores
// them by Okapi BM25. It finds what vectors blur: part numbers, codes, names.
type keywordIndex struct {
	docs    []schema.Document
	counts  []map[string]int // of the words of each document
	words   []int            // in each document
	total   int              // words in all documents
	holders map[string]int   // documents that hold each word
	limit   int              // documents that a search returns at most
}

var _ schema.Retriever = (*keywordIndex)(nil)

func newKeywordIndex(docs []schema.Document, limit int) *keywordIndex {
	k := &keywordIndex{docs: docs, holders: map[string]int{}, limit: limit}
	for _, d := range docs {
		counts := map[string]int{}
		words := wordsOf(d.PageContent)
		for _, w := range words {
			counts[w]++
		}
		for w := range counts {
			k.holders[w]++
		}
		k.counts = append(k.counts, counts)
		k.words = append(k.words, len(words))
		k.total += len(words)
	}
	return k
}

// GetRelevantDocuments returns the best documents that share a word with the query.
func (k *keywordIndex) GetRelevantDocuments(_ context.Context, query string) ([]schema.Document, error) {
	const k1, b = 1.2, 0.75 // the usual saturation of a repeated word, and weight of the length
	mean := float64(k.total) / max(float64(len(k.docs)), 1)
	scores := make([]float64, len(k.docs))
	matches := 0
	for i, counts := range k.counts {
		for _, w := range wordsOf(query) {
			n := float64(counts[w])
			if n == 0 {
				continue
			}
			rarity := math.Log(1 + (float64(len(k.docs)-k.holders[w])+0.5)/(float64(k.holders[w])+0.5))
			scores[i] += rarity * n * (k1 + 1) / (n + k1*(1-b+b*float64(k.words[i])/mean))
		}
		if scores[i] > 0 {
			matches++
		}
	}
	return best(k.docs, scores, min(k.limit, matches)), nil
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
