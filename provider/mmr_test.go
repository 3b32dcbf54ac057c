package provider_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/provider"
)

// angles embeds texts as it is told to.
type angles map[string][]float32

func (a angles) EmbedQuery(_ context.Context, text string) ([]float32, error) { return a[text], nil }

func (a angles) EmbedDocuments(_ context.Context, texts []string) (out [][]float32, err error) {
	for _, t := range texts {
		if a[t] == nil {
			return nil, errors.New("no vector of " + t)
		}
		out = append(out, a[t])
	}
	return out, nil
}

// found is a retriever that always finds the same.
type found []string

func (f found) GetRelevantDocuments(context.Context, string) (docs []schema.Document, err error) {
	for _, text := range f {
		docs = append(docs, schema.Document{PageContent: text})
	}
	return docs, nil
}

func TestMMRRetriever(t *testing.T) {
	vectors := angles{"q": {1, 0}, "close": {1, 0.1}, "copy": {1, 0.1}, "aside": {0.8, -0.6}, "far": {-1, 0},
		"zero": {0, 0}}
	for name, test := range map[string]struct {
		found     found
		topN      int
		relevance float64
		want      string
	}{
		"relevance alone":             {found{"aside", "close", "copy", "far"}, 3, 1, "close copy aside"},
		"no copy":                     {found{"aside", "close", "copy", "far"}, 2, 0.5, "close aside"},
		"the most different":          {found{"close", "aside", "copy", "far"}, 2, 0, "close far"},
		"more wanted than there are":  {found{"close", "far"}, 9, 0.5, "close far"},
		"a vector of zeros":           {found{"zero", "close"}, 2, 0.5, "close zero"},
		"one is not embedded":         {found{"unknown"}, 3, 0.5, "unknown"},
		"none":                        {nil, 3, 0.5, ""},
		"ties keep the first of them": {found{"copy", "close"}, 1, 0.5, "copy"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := provider.NewMMRRetriever(test.found, vectors, test.topN, test.relevance)
			if err != nil {
				t.Fatal(err)
			}
			docs, err := r.GetRelevantDocuments(t.Context(), "q")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range docs {
				got = append(got, d.PageContent)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("picked %q, want %q", got, test.want)
			}
		})
	}
	for name, construct := range map[string]func() (*provider.MMRRetriever, error){
		"no retriever": func() (*provider.MMRRetriever, error) { return provider.NewMMRRetriever(nil, vectors, 1, 1) },
		"no embedder":  func() (*provider.MMRRetriever, error) { return provider.NewMMRRetriever(found{}, nil, 1, 1) },
		"none wanted":  func() (*provider.MMRRetriever, error) { return provider.NewMMRRetriever(found{}, vectors, 0, 1) },
		"relevance":    func() (*provider.MMRRetriever, error) { return provider.NewMMRRetriever(found{}, vectors, 1, 2) },
	} {
		_, err := construct()
		if err == nil {
			t.Errorf("%s is no error", name)
			continue
		}
		wantError(t, err, llms.ErrCodeInvalidRequest)
	}
	r, err := provider.NewMMRRetriever(found{"close", "unknown"}, vectors, 2, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.GetRelevantDocuments(t.Context(), "q"); err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("error %v, want that of the embedder", err)
	}
	vectors["odd"] = []float32{1, 2, 3}
	r, err = provider.NewMMRRetriever(found{"close", "odd"}, vectors, 2, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.GetRelevantDocuments(t.Context(), "q")
	wantError(t, err, llms.ErrCodeInvalidRequest, "2 numbers", "3")
}
