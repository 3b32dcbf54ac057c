package provider_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
	"github.com/babyapi-org/babyapi-go/provider"
)

// The real docling-serve loads a PDF, a presentation and a workbook in each mode. The presentation
// and the workbook are those of babyclient/docling/testdata/golden.py: a text on each slide but the
// last, which is empty, and sheets of which some are empty and one is hidden.
func TestLoadOnDocling(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real docling-serve: run make test, or set BABYAPI_TEST_ENGINES=1")
	}
	none := "http://127.0.0.1:1"
	stack, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0", ChatURL: none, EmbedURL: none,
		Messages: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close() //nolint:errcheck // the end of the test
	client, err := babyclient.New(babyclient.WithBaseURL(stack.BaseURL()), babyclient.WithAPIKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()

	for file, want := range map[string][]string{ // the place of each page that has text, without its box
		filepath.Join("..", "examples", "rag", "documents", "t90-service-manual.pdf"): {
			"page=1 total_pages=3", "page=2 total_pages=3", "page=3 total_pages=3"},
		filepath.Join("testdata", "deck.pptx"): {"page=1 total_pages=4 slide=1 headings=Slide 1",
			"page=2 total_pages=4 slide=2 headings=Slide 2", "page=3 total_pages=4 slide=3 headings=Slide 3"},
		filepath.Join("testdata", "book.xlsx"): {"page=1 total_pages=5 sheet=Sales",
			"page=3 total_pages=5 sheet=Other data"},
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			loader := func(mode provider.Mode, o babyclient.ConvertOptions) *provider.Loader {
				o.DoOCR = new(false)
				l, err := provider.NewLoader(client, provider.WithFiles(file), provider.WithMode(mode),
					provider.WithConvertOptions(o))
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			for name, o := range map[string]babyclient.ConvertOptions{
				"default": {}, "compact": {MDCompactTables: new(true)},
				"embedded": {ImageExportMode: babyclient.ImageEmbedded, IncludeImages: new(true)},
			} {
				whole, err := loader(provider.PerDocument, o).Load(t.Context())
				if err != nil || len(whole) != 1 {
					t.Fatalf("%s: the whole is %v, %v; want one document", name, whole, err)
				}
				pages, err := loader(provider.PerPage, o).Load(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				checkPages(t, name, pages, want, whole[0].PageContent)
			}
			checkChunks(t, loader(provider.PerChunk, babyclient.ConvertOptions{}), len(want))
			checkSplit(t, loader(provider.PerPage, babyclient.ConvertOptions{}))
		})
	}
}

func checkPages(t *testing.T, name string, pages []schema.Document, want []string, whole string) {
	t.Helper()
	var texts []string
	for i, p := range pages {
		checkMetadata(t, p)
		texts = append(texts, p.PageContent)
		boxes, err := provider.Boxes(p)
		if err != nil || len(boxes) != 1 || boxes[0].Page != p.Metadata[provider.MetadataPage] ||
			boxes[0].T >= boxes[0].B || boxes[0].L >= boxes[0].R {
			t.Errorf("%s: page %d has the boxes %v, %v; want one on it", name, i, boxes, err)
		}
		if got := place(t, p); i >= len(want) || !strings.HasPrefix(got, want[i]) {
			t.Errorf("%s: document %d is at %q; want %q", name, i, got, want)
		}
	}
	if got := strings.Join(texts, "\n\n"); got != whole {
		t.Errorf("%s: the pages are\n%s\nwant what the service writes of the whole:\n%s", name, got, whole)
	}
}

// checkChunks checks that each chunk says its place, and that all pages have chunks.
func checkChunks(t *testing.T, l *provider.Loader, pages int) {
	t.Helper()
	chunks, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, c := range chunks {
		checkMetadata(t, c)
		boxes, err := provider.Boxes(c)
		if err != nil || len(boxes) == 0 || boxes[0].Page != c.Metadata[provider.MetadataPage] {
			t.Errorf("chunk %q has the boxes %v, %v; want the first on its page", c.PageContent, boxes, err)
		}
		for _, b := range boxes {
			seen[b.Page] = true
		}
	}
	if len(seen) != pages {
		t.Errorf("chunks are on the pages %v, want %d pages", seen, pages)
	}
}

// checkSplit checks that each row of a table is under the header of the table in small pieces too.
func checkSplit(t *testing.T, l *provider.Loader) {
	t.Helper()
	pages, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	headers := map[any][]string{} // by page
	for _, p := range pages {
		lines := strings.Split(p.PageContent, "\n")
		for i, line := range lines[1:] {
			if strings.HasPrefix(line, "|--") {
				page := p.Metadata[provider.MetadataPage]
				headers[page] = append(headers[page], dense(lines[i]))
			}
		}
	}
	for _, splitter := range []textsplitter.TextSplitter{
		textsplitter.NewRecursiveCharacter(textsplitter.WithChunkSize(40), textsplitter.WithChunkOverlap(10)),
		textsplitter.NewMarkdownTextSplitter(textsplitter.WithChunkSize(100)),
	} {
		pieces, err := l.LoadAndSplit(t.Context(), splitter)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range pieces {
			checkMetadata(t, p)
			if p.Metadata[provider.MetadataChunk] != i {
				t.Errorf("piece %d has the number %v", i, p.Metadata[provider.MetadataChunk])
			}
			inRows := false
			for line := range strings.Lines(p.PageContent) {
				isRow := strings.HasPrefix(line, "|")
				if isRow && !inRows && !slices.ContainsFunc(headers[p.Metadata[provider.MetadataPage]],
					func(header string) bool { return strings.HasPrefix(header, dense(line)) }) {
					t.Errorf("%T: rows stand without a header in\n%s", splitter, p.PageContent)
				}
				inRows = isRow
			}
		}
	}
}

func dense(text string) string { return strings.Join(strings.Fields(text), "") }
