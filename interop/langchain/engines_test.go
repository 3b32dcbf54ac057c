package langchain_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

const embedModel = "all-minilm-l6-v2"

// manual is a PDF of a few pages, policy a Word file: both are the demo's.
func manual() string {
	return filepath.Join("..", "..", "examples", "rag", "documents", "t90-service-manual.pdf")
}

func documents() string { return filepath.Join("..", "..", "examples", "rag", "documents") }

func newLoader(t *testing.T, c *babyclient.Client, opts ...provider.LoaderOption) *provider.Loader {
	t.Helper()
	l, err := provider.NewLoader(c, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLoaderOnDocling(t *testing.T) {
	c := engines(t)
	whole, err := newLoader(t, c, provider.WithFiles(manual())).Load(t.Context())
	if err != nil || len(whole) != 1 {
		t.Fatalf("the whole document is %v, %v, want one", whole, err)
	}
	total, _ := whole[0].Metadata[provider.MetadataTotalPages].(int)
	if total < 2 || whole[0].Metadata[provider.MetadataMediaType] != "application/pdf" ||
		whole[0].Metadata[provider.MetadataDocumentHash] == nil {
		t.Errorf("metadata %v", whole[0].Metadata)
	}
	pages, err := newLoader(t, c, provider.WithFiles(manual()), provider.WithMode(provider.PerPage)).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for i, p := range pages {
		if p.Metadata[provider.MetadataPage] != i+1 || p.Metadata[provider.MetadataTotalPages] != total {
			t.Errorf("page %d: %v", i+1, p.Metadata)
		}
		text = append(text, p.PageContent)
	}
	if len(pages) != total || strings.Join(text, "\n\n") != whole[0].PageContent {
		t.Errorf("%d pages of %d, which are not the whole", len(pages), total)
	}

	chunks, err := newLoader(t, c, provider.WithFiles(manual()),
		provider.WithChunkOptions(babyclient.ChunkOptions{MaxTokens: new(64)})).LoadAndSplit(t.Context(), nil)
	if err != nil || len(chunks) < total {
		t.Fatalf("%d chunks, %v, want at least one for each of %d pages", len(chunks), err, total)
	}
	for i, chunk := range chunks {
		tokens, _ := chunk.Metadata[provider.MetadataTokens].(int)
		page, _ := chunk.Metadata[provider.MetadataPage].(int)
		if tokens < 1 || tokens > 64 || page < 1 || page > total || chunk.Metadata[provider.MetadataChunk] != i ||
			chunk.Metadata[provider.MetadataTotalPages] != total ||
			chunk.Metadata[provider.MetadataHeadings] == "" {
			t.Errorf("chunk %d: %v", i, chunk.Metadata)
		}
		boxes, err := provider.Boxes(chunk)
		if err != nil || len(boxes) == 0 || boxes[0].Page != page {
			t.Errorf("chunk %d has boxes %v, %v, want the first on page %d", i, boxes, err, page)
		}
	}
	split, err := newLoader(t, c, provider.WithFiles(manual())).LoadAndSplit(t.Context(),
		textsplitter.NewMarkdownTextSplitter(textsplitter.WithChunkSize(300), textsplitter.WithHeadingHierarchy(true)))
	if err != nil || len(split) < total || split[0].Metadata[provider.MetadataSource] != manual() {
		t.Errorf("the text splitter gave %d pieces, %v, want at least %d of the manual", len(split), err, total)
	}

	folder, err := newLoader(t, c, provider.WithFolder(documents()), provider.WithFiles("nowhere.pdf"),
		provider.WithReader("note.md", strings.NewReader("# Note\n\nHello."))).Load(t.Context())
	if !llms.IsInvalidRequestError(err) || !strings.Contains(err.Error(), "nowhere.pdf") || len(folder) < 3 ||
		!strings.Contains(folder[len(folder)-1].PageContent, "Hello.") {
		t.Errorf("folder, file and reader gave %d documents, %v, want the reader's and an error of nowhere.pdf",
			len(folder), err)
	}
	broken := babyclient.FromBytes("broken.pdf", []byte("%PDF-1.4 not one"))
	_, err = newLoader(t, c, provider.WithSources(broken)).Load(t.Context())
	if !errors.Is(err, babyclient.ErrDocumentFailed) || !llms.IsInvalidRequestError(err) {
		t.Errorf("error %v", err)
	}
}

func TestSearchOnEngines(t *testing.T) {
	c := engines(t)
	var progress []int
	e, err := provider.NewEmbedder(c, embedModel, provider.WithBatchSize(3),
		provider.WithEmbedProgress(func(done, _ int) { progress = append(progress, done) }))
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"Bicycles are parked in the yard.", "The canteen serves lunch\nfrom noon to two.",
		"Parcels are kept at the reception.", "The heating is repaired by the janitor."}
	vectors, err := e.EmbedDocuments(t.Context(), texts)
	if err != nil || len(vectors) != 4 || len(vectors[0]) != 384 || !slices.IsSorted(progress) ||
		progress[len(progress)-1] != 4 {
		t.Fatalf("got %d vectors, %v, progress %v, want 4 of 384 numbers", len(vectors), err, progress)
	}
	asked, err := e.EmbedQuery(t.Context(), "Where can I eat?")
	if err != nil {
		t.Fatal(err)
	}
	best, most := 0, float32(-1)
	for i, v := range vectors {
		var dot float32
		for j := range v {
			dot += v[j] * asked[j]
		}
		if dot > most {
			best, most = i, dot
		}
	}
	if best != 1 {
		t.Errorf("%q is the nearest text, want %q", texts[best], texts[1])
	}

	r, err := provider.NewReranker(c, embedModel)
	if err != nil {
		t.Fatal(err)
	}
	var docs []schema.Document
	for _, text := range texts {
		docs = append(docs, schema.Document{PageContent: text})
	}
	top, err := r.Rerank(t.Context(), "Where can I eat?", docs, 2)
	if err != nil || len(top) != 2 || top[0].PageContent != texts[1] || top[0].Score <= top[1].Score {
		t.Errorf("reranked %+v, %v, want %q first of two", top, err, texts[1])
	}

	u := qdrantServer(t)
	store := newQdrant(t, u, e)
	if _, err := store.AddDocuments(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	found, err := vectorstores.ToRetriever(r.Store(store), 1).GetRelevantDocuments(t.Context(),
		"Who mends the radiator?")
	if err != nil || len(found) != 1 || found[0].PageContent != texts[3] {
		t.Errorf("the retriever found %+v, %v, want %q", found, err, texts[3])
	}

	_, err = mustEmbedder(t, c, "no-such-model").EmbedDocuments(t.Context(), texts)
	if e, ok := errors.AsType[*llms.Error](err); !ok || e.Code != llms.ErrCodeResourceNotFound ||
		!strings.Contains(err.Error(), "texts[0:4]") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.EmbedDocuments(ctx, texts); !llms.IsCanceledError(err) {
		t.Errorf("error %v", err)
	}
}

func mustEmbedder(t *testing.T, c *babyclient.Client, model string) *provider.Embedder {
	t.Helper()
	e, err := provider.NewEmbedder(c, model)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
