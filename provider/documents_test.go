package provider_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
	"github.com/babyapi-org/babyapi-go/provider"
)

// realDocument is what docling made of a file of each format, from the tests of package docling.
func realDocument(t testing.TB, name string) (raw json.RawMessage, markdown string) {
	t.Helper()
	folder := filepath.Join("..", "babyclient", "docling", "testdata")
	raw, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(folder, name+".want.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Whole struct{ Markdown string }
	}
	if err := json.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	return raw, want.Whole.Markdown
}

// oneDocument is a service that answers each conversion with a document, and each chunking with a
// chunk of all its items and one of none.
func oneDocument(t testing.TB, raw json.RawMessage, markdown string) *babytest.Server {
	t.Helper()
	refs := []string{"#/texts/100000"}
	if doc, err := docling.Parse(raw); err == nil {
		for item := range doc.Items(docling.ItemsOptions{}) {
			refs = append(refs, item.Ref())
		}
	}
	document := map[string]any{"filename": "a", "md_content": markdown, "json_content": raw}
	srv := newServer(t, "GET /docling/v1/status/poll/{id}",
		babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
	for _, path := range []string{"convert", "chunk/hybrid"} {
		srv.On("POST /docling/v1/"+path+"/file/async", babytest.JSON(200, `{"task_id":"t","task_status":"pending"}`))
	}
	srv.On("GET /docling/v1/result/t", babytest.JSON(200, map[string]any{"document": document, "status": "success",
		"chunks": []any{
			map[string]any{"filename": "a", "text": "All of it", "doc_items": refs, "num_tokens": 3,
				"headings": []string{"Part", "Chapter"}, "captions": []string{"Table 1", "Figure 2"}},
			map[string]any{"filename": "a", "text": "Nothing", "chunk_index": 1}},
		"documents": []any{map[string]any{"content": document, "status": "success"}}}))
	return srv
}

func load(t testing.TB, srv *babytest.Server, opts ...provider.LoaderOption) ([]schema.Document, error) {
	t.Helper()
	return newLoader(t, srv, append(opts, provider.WithSources(babyclient.FromBytes("a", []byte("x"))))...).
		Load(t.Context())
}

// checkMetadata checks that stores take the metadata: google.golang.org/protobuf's
// structpb.NewStruct, which Pinecone's store calls, refuses a []string, Chroma takes only scalars,
// and Postgres takes no zero byte. And the hash is that of the content.
func checkMetadata(t testing.TB, d schema.Document) {
	t.Helper()
	for key, value := range d.Metadata {
		switch v := value.(type) {
		case string:
			if !utf8.ValidString(v) || strings.Contains(v, "\x00") {
				t.Errorf("metadata %s is %q: stores refuse it", key, v)
			}
		case int, float64, bool:
		default:
			t.Errorf("metadata %s is of type %T: stores refuse it", key, value)
		}
	}
	var back map[string]any
	if err := json.Unmarshal([]byte(jsonOf(t, d.Metadata)), &back); err != nil {
		t.Fatal(err)
	}
	for key, value := range d.Metadata {
		if n, isInt := value.(int); isInt {
			value = float64(n)
		}
		if !reflect.DeepEqual(back[key], value) {
			t.Errorf("metadata %s is %v after JSON, want %v", key, back[key], value)
		}
	}
	sum := sha256.Sum256([]byte(d.PageContent))
	if want := hex.EncodeToString(sum[:]); d.Metadata[provider.MetadataContentHash] != want {
		t.Errorf("content hash of %q is %v, want %s", d.PageContent, d.Metadata[provider.MetadataContentHash], want)
	}
	boxes, err := provider.Boxes(schema.Document{Metadata: back})
	if _, has := d.Metadata[provider.MetadataBoxes]; err != nil || has != (len(boxes) > 0) {
		t.Errorf("boxes %v, error %v, of metadata %v", boxes, err, d.Metadata)
	}
}

func TestMetadataForStores(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "babyclient", "docling", "testdata", "*.want.json"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("documents %v, error %v; want at least 10", paths, err)
	}
	file := filepath.Join(t.TempDir(), "a\xff.pdf") // the name of a file need not be UTF-8
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Skip("the file system takes only UTF-8:", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".want.json")
		t.Run(name, func(t *testing.T) {
			raw, _ := realDocument(t, name)
			srv := oneDocument(t, raw, "# Whole\n\nText of the whole.")
			for _, mode := range []provider.Mode{provider.PerDocument, provider.PerPage, provider.PerChunk} {
				loader := newLoader(t, srv, provider.WithFiles(file), provider.WithMode(mode))
				docs, err := loader.Load(t.Context())
				split, _ := loader.LoadAndSplit(t.Context(), textsplitter.NewRecursiveCharacter(
					textsplitter.WithChunkSize(20), textsplitter.WithChunkOverlap(5)))
				if len(docs) == 0 || len(split) == 0 {
					t.Errorf("mode %d: %d documents, %d pieces, error %v; want some", mode, len(docs), len(split), err)
				}
				for _, d := range slices.Concat(docs, split) {
					checkMetadata(t, d)
				}
			}
		})
	}
}

// place is what a citation says of a document.
func place(t testing.TB, d schema.Document) string {
	t.Helper()
	var out []string
	for _, key := range []string{provider.MetadataPage, provider.MetadataPages, provider.MetadataTotalPages,
		provider.MetadataSlide, provider.MetadataSheet, provider.MetadataHeadings} {
		if v, ok := d.Metadata[key]; ok {
			out = append(out, fmt.Sprintf("%s=%v", key, v))
		}
	}
	boxes, _ := provider.Boxes(d)
	for _, b := range boxes {
		out = append(out, fmt.Sprintf("%d:%s", b.Page, jsonOf(t, []float64{b.L, b.T, b.R, b.B})))
	}
	return strings.Join(out, " ")
}

func TestPages(t *testing.T) {
	for name, want := range map[string][][2]string{ // the first line, and the place, of each page
		"report_pdf": {
			{"## Annual Report", "page=1 total_pages=2 headings=Annual Report 1:[72,54.77,368.12,179.48]"},
			{"## Outlook", "page=2 total_pages=2 headings=Outlook 2:[72,59.08,289.44,104.48]"}},
		"deck_pptx": {
			{"# Slide 1", "page=1 total_pages=4 slide=1 headings=Slide 1 1:[457200,274638,8686800,6126163]"},
			{"# Slide 2", "page=2 total_pages=4 slide=2 headings=Slide 2 2:[457200,274638,8686800,6126163]"},
			{"# Slide 3", "page=3 total_pages=4 slide=3 headings=Slide 3 3:[457200,274638,8686800,6126163]"}},
		"book_xlsx": {
			{"| Region   |   2023 |   2024 |", "page=1 total_pages=5 sheet=Sales 1:[0,0,5,9]"},
			{"| Merged   | Merged   | x_y   |", "page=3 total_pages=5 sheet=Other data 3:[0,0,3,2]"}},
		"letter_docx": {{"# The Title", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, markdown := realDocument(t, name)
			docs, err := load(t, oneDocument(t, raw, markdown), provider.WithMode(provider.PerPage))
			var got [][2]string
			var texts []string
			for _, d := range docs {
				line, _, _ := strings.Cut(d.PageContent, "\n")
				got, texts = append(got, [2]string{line, place(t, d)}), append(texts, d.PageContent)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("pages\n%q, error %v; want\n%q", got, err, want)
			}
			if whole := strings.Join(texts, "\n\n"); whole != markdown {
				t.Errorf("the pages are\n%s\nwant what docling writes of the whole:\n%s", whole, markdown)
			}
		})
	}
}

func TestChunkPlaces(t *testing.T) {
	for name, want := range map[string]string{
		"report_pdf": "page=1 pages=1-2 total_pages=2 headings=Part > Chapter ",
		"deck_pptx":  "page=1 pages=1-3 total_pages=4 slide=1 headings=Part > Chapter ",
		"book_xlsx":  "page=1 pages=1,3 total_pages=5 sheet=Sales headings=Part > Chapter 1:[0,0,3,3]",
		"page_html":  "headings=Part > Chapter",
	} {
		raw, _ := realDocument(t, name)
		docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(provider.PerChunk))
		if err != nil || len(docs) != 2 || !strings.HasPrefix(place(t, docs[0]), want) {
			t.Errorf("%s: chunks %v, error %v; want two, the first at %q", name, docs, err, want)
		}
		if _, has := docs[1].Metadata[provider.MetadataPage]; has {
			t.Errorf("%s: the chunk of no items is on a page: %v", name, docs[1])
		}
	}
}

// addText adds a text to a document, or a heading of a level other than 0.
func addText(doc *docling.Document, text string, level int, places ...docling.Provenance) {
	doc.SchemaName, doc.Version, doc.Body.SelfRef = "DoclingDocument", "1.10.0", "#/body"
	item := docling.Text{Text: text, Level: level}
	item.Label = docling.LabelText
	if level > 0 {
		item.Label = docling.LabelSectionHeader
	}
	item.SelfRef, item.Prov = fmt.Sprintf("#/texts/%d", len(doc.Texts)), places
	item.Parent = &docling.Ref{Ref: "#/body"}
	doc.Texts = append(doc.Texts, item)
	doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: item.SelfRef})
}

// A chunk of many items has one box for each page: the metadata stays small.
func TestManyBoxes(t *testing.T) {
	var doc docling.Document
	for i := range 300 {
		addText(&doc, fmt.Sprint(i), 0, docling.Provenance{PageNo: 1 + i%2,
			BBox: docling.BoundingBox{L: float64(i), T: 5, R: float64(i) + 1, B: 9}})
	}
	raw, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(provider.PerChunk))
	if err != nil {
		t.Fatal(err)
	}
	boxes, err := provider.Boxes(docs[0])
	if want := []provider.Box{{Page: 1, T: 5, R: 299, B: 9}, {Page: 2, L: 1, T: 5, R: 300, B: 9}}; err != nil ||
		!slices.Equal(boxes, want) {
		t.Errorf("boxes %v, error %v; want %v", boxes, err, want)
	}
}

func TestBoxesOfOtherMetadata(t *testing.T) {
	if boxes, err := provider.Boxes(schema.Document{}); boxes != nil || err != nil {
		t.Errorf("boxes %v, error %v; want none", boxes, err)
	}
	for _, value := range []any{[]string{"x"}, "no JSON"} {
		_, err := provider.Boxes(schema.Document{Metadata: map[string]any{provider.MetadataBoxes: value}})
		wantError(t, err, llms.ErrCodeInvalidRequest, `"boxes"`)
	}
}

// The headings of a page are those above its first text, also if they stand on pages before it.
func TestHeadingsOfPages(t *testing.T) {
	var doc docling.Document
	for _, item := range []struct {
		text  string
		level int // 0 for a text
		pages []int
	}{
		{"Before", 0, []int{1}}, {"Part 1", 1, []int{1}}, {"Chapter 1", 2, []int{1}},
		{"goes on", 0, []int{2, 3}}, {"Chapter 2", 2, []int{3}}, {"a", 0, []int{3}}, {"Part 2", 1, []int{3}},
		{"b", 0, []int{4}}, {"Chapter 3", 2, []int{5}}, {"Chapter 4", 3, []int{5}}, {"Part 3", 1, []int{6}},
	} {
		var places []docling.Provenance
		for _, page := range item.pages {
			places = append(places, docling.Provenance{PageNo: page})
		}
		addText(&doc, item.text, item.level, places...)
	}
	raw, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(provider.PerPage))
	var got []string
	for _, d := range docs {
		got = append(got, place(t, d))
	}
	want := []string{"page=1", "page=2 headings=Part 1 > Chapter 1", "page=3 headings=Part 1 > Chapter 2",
		"page=4 headings=Part 2", "page=5 headings=Part 2 > Chapter 3 > Chapter 4", "page=6 headings=Part 3"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("pages %q, error %v; want %q", got, err, want)
	}
}

// A slide without a title has no headings: those of another slide are a wrong citation.
func TestHeadingsOfSlides(t *testing.T) {
	for name, test := range map[string]struct {
		mediaType string
		want      []string
	}{
		"slides": {"application/vnd.openxmlformats-officedocument.presentationml.presentation", []string{
			"page=1 total_pages=3 slide=1 headings=Title", "page=2 total_pages=3 slide=2",
			"page=3 total_pages=3 slide=3 headings=Part"}},
		"pages": {"application/pdf", []string{"page=1 total_pages=3 headings=Title",
			"page=2 total_pages=3 headings=Title", "page=3 total_pages=3 headings=Title > Part"}},
	} {
		doc := docling.Document{PageByNumber: map[int]*docling.Page{}}
		doc.Origin = &docling.Origin{MediaType: test.mediaType}
		for page := 1; page <= 3; page++ {
			doc.PageByNumber[page] = &docling.Page{PageNo: page}
		}
		addText(&doc, "Title", 1, docling.Provenance{PageNo: 1})
		addText(&doc, "a", 0, docling.Provenance{PageNo: 1})
		addText(&doc, "of no page", 0)
		addText(&doc, "b", 0, docling.Provenance{PageNo: 2})
		addText(&doc, "Part", 2, docling.Provenance{PageNo: 3})
		addText(&doc, "c", 0, docling.Provenance{PageNo: 3})
		raw, err := doc.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(provider.PerPage))
		var got []string
		for _, d := range docs {
			got = append(got, place(t, d))
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, error %v; want %q", name, got, err, test.want)
		}
	}
}

// docling-core accepts page numbers below 1, which are no pages.
func TestNumbersBelow1AreNoPages(t *testing.T) {
	box := docling.BoundingBox{R: 1, B: 1}
	var doc docling.Document
	addText(&doc, "a", 0, docling.Provenance{PageNo: -1, BBox: box})
	addText(&doc, "b", 0, docling.Provenance{PageNo: 2, BBox: box})
	addText(&doc, "c", 0, docling.Provenance{PageNo: -3, BBox: box})
	raw, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[provider.Mode][]string{
		provider.PerPage:  {"a@", "b\n\nc@page=2 2:[0,0,1,1]"},
		provider.PerChunk: {"page=2 pages=2 headings=Part > Chapter 2:[0,0,1,1]"},
	} {
		docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(mode))
		if err != nil || len(docs) < len(want) {
			t.Fatalf("%v: %v, error %v", mode, docs, err)
		}
		for i := range want {
			got := place(t, docs[i])
			if mode == provider.PerPage {
				got = docs[i].PageContent + "@" + got
			}
			if got != want[i] {
				t.Errorf("%v: %q, want %q", mode, got, want[i])
			}
		}
	}
}

// Only a PDF or a picture without text can be a scan.
func TestHintOfOCR(t *testing.T) {
	for mediaType, isHint := range map[string]bool{
		"application/pdf": true, "image/png": true, "": true,
		"text/html": false, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": false,
	} {
		raw := json.RawMessage(`{"version":"1.10.0","origin":{"mimetype":` + jsonOf(t, mediaType) +
			`,"binary_hash":1,"filename":"a"},"body":{"self_ref":"#/body"}}`)
		document := map[string]any{"filename": "a", "json_content": raw}
		success := babytest.JSON(200, `{"task_id":"t","task_status":"success"}`)
		srv := newServer(t, "GET /docling/v1/status/poll/t", success)
		srv.On("POST /docling/v1/convert/file/async", success)
		srv.On("POST /docling/v1/chunk/hybrid/file/async", success)
		srv.On("GET /docling/v1/result/t", babytest.JSON(200, map[string]any{"document": document, "status": "success",
			"chunks": []any{}, "documents": []any{map[string]any{"content": document, "status": "success"}}}))
		for _, mode := range []provider.Mode{provider.PerDocument, provider.PerPage, provider.PerChunk} {
			docs, err := load(t, srv, provider.WithMode(mode))
			wantError(t, err, llms.ErrCodeInvalidRequest, "no text")
			if len(docs) > 0 || strings.Contains(err.Error(), "OCR") != isHint {
				t.Errorf("%q, %v: %d documents, error %v; want OCR in it: %v", mediaType, mode, len(docs), err, isHint)
			}
		}
	}
}

// What cannot be read of a document is never missing without a word.
func TestPagesOfOddDocuments(t *testing.T) {
	raw, markdown := realDocument(t, "report_pdf")
	newer := json.RawMessage(strings.Replace(string(raw), `"version": "1.10.0"`, `"version": "1.99.0"`, 1))
	if slices.Equal(newer, raw) {
		newer = json.RawMessage(strings.Replace(string(raw), `"version":"1.10.0"`, `"version":"1.99.0"`, 1))
	}
	broken := json.RawMessage(strings.Replace(string(raw), `#/texts/1"`, `#/texts/100"`, 1))
	withBreak := strings.Replace(markdown, "## Outlook", "<!-- babyapi-go page break -->\n\n## Outlook", 1)
	for name, test := range map[string]struct {
		raw      json.RawMessage
		markdown string
		pages    int // how many documents have a page number
		words    []string
	}{
		"a newer schema, all of it read":   {newer, withBreak, 2, nil},
		"a newer schema, a part missing":   {newer, withBreak + "\n\nA text of a new kind.", 2, []string{"1.99.0", "PerDocument"}},
		"a reference that leads nowhere":   {broken, withBreak, 2, []string{"#/texts/100", "PerDocument"}},
		"no JSON":                          {nil, withBreak, 0, nil},
		"a newer schema that is not known": {json.RawMessage(`{"version":"2.0.0"}`), withBreak, 0, nil},
		"JSON without text":                {json.RawMessage(`{"version":"1.10.0","body":{"self_ref":"#/body"}}`), withBreak, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := load(t, oneDocument(t, test.raw, test.markdown), provider.WithMode(provider.PerPage))
			if test.words == nil && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if test.words != nil {
				wantError(t, err, llms.ErrCodeInvalidRequest, append(test.words, "a: ")...)
			}
			pages := 0
			for _, d := range docs {
				if d.Metadata[provider.MetadataPage] != nil {
					pages++
				}
			}
			if len(docs) != 2 || pages != test.pages {
				t.Errorf("%d documents, %d with a page; want 2, %d with a page: %v", len(docs), pages, test.pages, docs)
			}
		})
	}
}

// A page is written as the service writes the whole, with the options of the caller.
func TestPagesHaveTheOptions(t *testing.T) {
	raw, _ := realDocument(t, "deck_pptx")
	for name, options := range map[string]babyclient.ConvertOptions{
		"by field": {MDCompactTables: new(true), ImageExportMode: babyclient.ImageEmbedded},
		"by name":  {Extra: map[string]any{"md_compact_tables": true, "image_export_mode": "embedded"}},
	} {
		docs, err := load(t, oneDocument(t, raw, ""), provider.WithMode(provider.PerPage),
			provider.WithConvertOptions(options))
		if err != nil || len(docs) != 3 {
			t.Fatalf("%s: documents %v, error %v; want 3", name, docs, err)
		}
		for _, want := range []string{"| Key | Value |\n| - | - |\n", "![Image](data:image/png;base64,"} {
			if !strings.Contains(docs[1].PageContent, want) {
				t.Errorf("%s: slide 2 is %q, want %q in it", name, docs[1].PageContent, want)
			}
		}
	}
	_, err := provider.NewLoader(newServer(t, "").Client(), provider.WithFiles("a.pdf"), provider.WithConvertOptions(
		babyclient.ConvertOptions{Extra: map[string]any{"to_formats": []string{"html"}}}))
	wantError(t, err, llms.ErrCodeInvalidRequest, "ToFormats", "html")
	_, err = provider.NewLoader(newServer(t, "").Client(), provider.WithFiles("a.pdf"), provider.WithConvertOptions(
		babyclient.ConvertOptions{Extra: map[string]any{"x": func() {}}}))
	wantError(t, err, llms.ErrCodeInvalidRequest, "WithConvertOptions")
}

func TestSplitMetadata(t *testing.T) {
	raw, markdown := realDocument(t, "report_pdf")
	srv := oneDocument(t, raw, markdown)
	names := func(m map[string]any) string {
		var out []string
		for _, key := range []string{provider.MetadataPage, provider.MetadataPages, provider.MetadataHeadings,
			provider.MetadataBoxes, provider.MetadataTokens, provider.MetadataCaptions} {
			if _, ok := m[key]; ok {
				out = append(out, key)
			}
		}
		return strings.Join(out, " ")
	}
	for name, test := range map[string]struct {
		mode     provider.Mode
		splitter textsplitter.TextSplitter
		want     []string
	}{
		"pages, each in words": {provider.PerPage, splitterFunc(func(text string) []string { return strings.Fields(text)[:2] }),
			[]string{"page headings", "page headings", "page headings", "page headings"}},
		"pages, whole": {provider.PerPage, splitterFunc(func(text string) []string { return []string{text, " "} }),
			[]string{"page headings boxes", "page headings boxes"}},
		"chunks, the first in words": {provider.PerChunk, splitterFunc(strings.Fields), []string{"page pages headings",
			"page pages headings", "page pages headings", ""}},
	} {
		docs, err := newLoader(t, srv, provider.WithSources(babyclient.FromBytes("a", []byte("x"))),
			provider.WithMode(test.mode)).LoadAndSplit(t.Context(), test.splitter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, d := range docs {
			got = append(got, names(d.Metadata))
			if d.Metadata[provider.MetadataChunk] != i {
				t.Errorf("%s: piece %d has number %v", name, i, d.Metadata[provider.MetadataChunk])
			}
			checkMetadata(t, d)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: metadata %q, want %q", name, got, test.want)
		}
	}
	_, err := newLoader(t, srv, provider.WithSources(babyclient.FromBytes("a", []byte("x")))).LoadAndSplit(t.Context(),
		splitterFunc(func(string) []string { return []string{"", "\n"} }))
	wantError(t, err, llms.ErrCodeInvalidRequest, "splitterFunc", "at a", "no text")
	if errors.Is(err, errSplit) {
		t.Errorf("error %v is that of another splitter", err)
	}
}

func TestModesHaveNames(t *testing.T) {
	for mode, want := range map[provider.Mode]string{provider.PerDocument: "PerDocument", provider.PerPage: "PerPage",
		provider.PerChunk: "PerChunk", 9: "Mode(9)"} {
		if got := fmt.Sprint(mode); got != want {
			t.Errorf("mode %d is printed as %s, want %s", int(mode), got, want)
		}
	}
}
