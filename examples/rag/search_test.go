package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/provider"
)

// letters embeds a text as how often each letter of "abc" is in it.
type letters struct{ err error }

func (l letters) EmbedQuery(_ context.Context, text string) ([]float32, error) {
	v := make([]float32, 3)
	for i, letter := range []string{"a", "b", "c"} {
		v[i] = float32(strings.Count(text, letter))
	}
	return v, l.err
}

func (l letters) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	var vectors [][]float32
	for _, t := range texts {
		v, _ := l.EmbedQuery(ctx, t)
		vectors = append(vectors, v)
	}
	return vectors, l.err
}

func docsOf(texts ...string) []schema.Document {
	var docs []schema.Document
	for _, t := range texts {
		docs = append(docs, schema.Document{PageContent: t, Metadata: map[string]any{
			provider.MetadataSource: "a.pdf", provider.MetadataContentHash: t}})
	}
	return docs
}

func textsOf(docs []schema.Document) string {
	var texts []string
	for _, d := range docs {
		texts = append(texts, d.PageContent)
	}
	return strings.Join(texts, " ")
}

func TestMemoryStore(t *testing.T) {
	s := &memoryStore{embedder: letters{}}
	first, err := s.AddDocuments(t.Context(), docsOf("aaaa", "b"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.AddDocuments(t.Context(), docsOf("ab", "xyz"))
	if err != nil {
		t.Fatal(err)
	}
	if ids := strings.Join(append(first, second...), " "); ids != "0 1 2 3" {
		t.Errorf("ids are %q, want one for each document", ids)
	}
	for _, tt := range []struct {
		query string
		n     int
		want  string
	}{
		{"a", 2, "aaaa ab"}, // by direction, not by length
		{"bb", 2, "b ab"},
		{"a", 0, ""},
		{"a", -1, ""},
		{"c", 9, "aaaa b ab xyz"}, // all alike: their order stays
	} {
		found, err := s.SimilaritySearch(t.Context(), tt.query, tt.n)
		if err != nil {
			t.Fatal(err)
		}
		if got := textsOf(found); got != tt.want {
			t.Errorf("search for %q, %d: %q, want %q", tt.query, tt.n, got, tt.want)
		}
	}
	found, err := s.SimilaritySearch(t.Context(), "a", 2)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Score != 1 || found[1].Score < 0.70 || found[1].Score > 0.71 {
		t.Errorf("scores are %v and %v, want the cosines 1 and 0.707", found[0].Score, found[1].Score)
	}
	if s.docs[0].Score != 0 {
		t.Error("a search changed the stored document")
	}
}

func TestMemoryStoreErrors(t *testing.T) {
	broken := errors.New("broken")
	s := &memoryStore{embedder: letters{err: broken}}
	if _, err := s.AddDocuments(t.Context(), docsOf("a")); !errors.Is(err, broken) {
		t.Errorf("AddDocuments: %v, want the embedder's error", err)
	}
	if _, err := s.SimilaritySearch(t.Context(), "a", 1); !errors.Is(err, broken) {
		t.Errorf("SimilaritySearch: %v, want the embedder's error", err)
	}

	s = &memoryStore{embedder: letters{}}
	filter := vectorstores.WithFilters(map[string]any{"page": 1})
	if _, err := s.AddDocuments(t.Context(), docsOf("a"), filter); err == nil {
		t.Error("AddDocuments dropped an option in silence")
	}
	if _, err := s.SimilaritySearch(t.Context(), "a", 1, filter); err == nil {
		t.Error("SimilaritySearch dropped a filter in silence")
	}
	s.docs, s.vectors = docsOf("a"), [][]float32{{1, 0}}
	if _, err := s.SimilaritySearch(t.Context(), "a", 1); err == nil || !strings.Contains(err.Error(), "3 numbers") {
		t.Errorf("vectors of two lengths: %v, want an error that tells both", err)
	}
}

func TestKeywordIndex(t *testing.T) {
	k := newKeywordIndex(docsOf(
		"The display shows E31 when the battery is low.",
		"The display shows E47 when there is water in the cable.",
		"The battery, the battery and again the battery of the gauge lasts for very many years.",
		"Straße, Ärger: 0.42 €",
	), 2)
	for _, tt := range []struct{ query, want string }{
		{"What does e47 mean?", "E47"},
		{"battery", "The battery,"}, // three times outweighs the longer text
		{"E31 battery", "E31"},      // a rare word and a common one outweigh a common one
		{"ÄRGER", "Straße"},         // letters of any language, in any case
		{"42", "Straße"},            // digits are words
	} {
		found, err := k.GetRelevantDocuments(t.Context(), tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 || !strings.Contains(found[0].PageContent, tt.want) {
			t.Errorf("%q found %q, want the one with %q first", tt.query, textsOf(found), tt.want)
		}
	}
	for query, want := range map[string]int{"the": 2, "water": 1, "nowhere": 0, "": 0, "?!": 0} {
		found, err := k.GetRelevantDocuments(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != want {
			t.Errorf("%q found %d documents, want %d: only those that share a word, at most 2", query, len(found), want)
		}
	}
	found, err := newKeywordIndex(nil, 2).GetRelevantDocuments(t.Context(), "the")
	if err != nil || len(found) != 0 {
		t.Errorf("an empty index: %v, %v", found, err)
	}
}

type retriever func() ([]schema.Document, error)

func (r retriever) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return r()
}

func TestUnion(t *testing.T) {
	finds := func(texts ...string) retriever {
		return func() ([]schema.Document, error) { return docsOf(texts...), nil }
	}
	elsewhere := docsOf("b")
	elsewhere[0].Metadata[provider.MetadataSource] = "b.pdf"
	u := union{finds("a", "b"), finds("c", "b", "a", "d"),
		retriever(func() ([]schema.Document, error) { return elsewhere, nil })}
	found, err := u.GetRelevantDocuments(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := textsOf(found), "a b c d b"; got != want {
		t.Errorf("found %q, want %q: each once, and the same text of another file too", got, want)
	}
	broken := errors.New("broken")
	u = union{finds("a"), retriever(func() ([]schema.Document, error) { return nil, broken })}
	if found, err := u.GetRelevantDocuments(t.Context(), "x"); !errors.Is(err, broken) || found != nil {
		t.Errorf("got %v, %v; want the error alone, not half of a search", found, err)
	}
}
