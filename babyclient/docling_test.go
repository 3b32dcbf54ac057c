package babyclient_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

const converted = `{"document":{"filename":"a.md","md_content":"# A"},"status":"success","processing_time":0.5}`

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// form is the parts of a multipart request, in order, as "name=value" and
// "name[filename,type]=content".
func form(t *testing.T, r *babytest.Request) []string {
	t.Helper()
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		t.Fatalf("content type %q", r.Header.Get("Content-Type"))
	}
	var out []string
	for m := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); ; {
		p, err := m.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if p.FileName() != "" {
			out = append(
				out,
				fmt.Sprintf("%s[%s,%s]=%s", p.FormName(), p.FileName(), p.Header.Get("Content-Type"), content),
			)
		} else {
			out = append(out, p.FormName()+"="+string(content))
		}
	}
}

func sources(s ...babyclient.Source) []babyclient.Source { return s }

var url1 = babyclient.FromURL("https://host/a.pdf")

func TestConvertSource(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/source", babytest.JSON(200, converted))
	c := client(srv)
	tests := []struct {
		req  babyclient.ConvertRequest
		want string
	}{
		{babyclient.ConvertRequest{Sources: sources(url1)}, `{"sources":[{"kind":"http","url":"https://host/a.pdf"}]}`},
		{
			babyclient.ConvertRequest{Sources: sources(
				babyclient.Source{URL: "http://h/x", Header: map[string]string{"Authorization": "Bearer t"}},
				babyclient.Source{
					Name:   "b.md",
					Data:   []byte("hi"),
					Inline: true,
				},
				babyclient.Source{Path: write(t, "c.md", "file"), Inline: true},
			)},
			`{"sources":[{"kind":"http","url":"http://h/x","headers":{"Authorization":"Bearer t"}},{"kind":"file","filename":"b.md","base64_string":"aGk="},
			{"kind":"file","filename":"c.md","base64_string":"ZmlsZQ=="}]}`,
		},
		{
			babyclient.ConvertRequest{
				Sources: sources(url1),
				Target:  map[string]any{"kind": "zip"},
				Options: babyclient.ConvertOptions{
					FromFormats: []string{
						"pdf",
					}, ToFormats: []string{babyclient.FormatMarkdown, babyclient.FormatJSON},
					Pages: &babyclient.PageRange{First: 2, Last: 3}, DoOCR: new(false),
					ForceOCR: new(
						true,
					), OCRPreset: "tesseract", OCRLang: []string{"eng"}, Pipeline: "vlm", PDFBackend: "pypdfium2",
					DoTableStructure: new(false), TableMode: "fast",
					TableCellMatching: new(
						true,
					), ImageExportMode: "embedded", IncludeImages: new(false), IncludePageImages: new(true),
					ImagesScale:            new(1.5),
					MDPageBreakPlaceholder: "---", MDCompactTables: new(true), DocumentTimeout: new(9.5),
					AbortOnError: new(true), DoCodeEnrichment: new(false),
					Extra: map[string]any{"images_scale": 2, "ocr_custom_config": map[string]any{"a": 1}}},
			},
			`{"sources":[{"kind":"http","url":"https://host/a.pdf"}],"target":{"kind":"zip"},"options":{"from_formats":["pdf"],"to_formats":["md","json"],"page_range":[2,3],
			"do_ocr":false,"force_ocr":true,"ocr_preset":"tesseract","ocr_lang":["eng"],"pipeline":"vlm","pdf_backend":"pypdfium2","do_table_structure":false,"table_mode":"fast",
			"table_cell_matching":true,"image_export_mode":"embedded","include_images":false,"include_page_images":true,"images_scale":2,"md_page_break_placeholder":"---",
			"md_compact_tables":true,"document_timeout":9.5,"abort_on_error":true,"do_code_enrichment":false,"ocr_custom_config":{"a":1}}}`,
		},
		{
			babyclient.ConvertRequest{
				Sources: sources(url1),
				Options: babyclient.ConvertOptions{Pages: &babyclient.PageRange{First: 2}},
			},
			`{"sources":[{"kind":"http","url":"https://host/a.pdf"}],"options":{"page_range":[2,9223372036854775807]}}`,
		},
	}
	for _, tt := range tests {
		resp, err := c.Docling.Convert(t.Context(), &tt.req)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, seen(t, srv).Body, tt.want)
		if resp.Document().Markdown != "# A" || resp.ProcessingTime != 0.5 {
			t.Errorf("%+v", resp)
		}
	}
}

// An upload is exactly these parts: the files, and each option under its name as plain text, a list
// repeated.
func TestUploadForm(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /docling/",
		babytest.JSON(200, `{"document":{"filename":"a.md"},"status":"success","chunks":[],"documents":[]}`),
	)
	c := client(srv)
	_, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{
		Sources: sources(
			babyclient.FromBytes("a.md", []byte("# A")),
			babyclient.FromReader(`dir/we"ird ü.bin`, strings.NewReader("bytes")),
			babyclient.FromFile(write(t, "noext", "%PDF-1.7")),
		),
		Options: babyclient.ConvertOptions{
			ToFormats:   []string{"md", "text"},
			DoOCR:       new(true),
			Pages:       &babyclient.PageRange{First: 1, Last: 2},
			ImagesScale: new(1.5),
			Extra:       map[string]any{"picture_description_api": map[string]any{"url": "u"}, "n": 3, "nothing": nil},
		},
		Target: map[string]any{"kind": "zip"}})
	if err != nil {
		t.Fatal(err)
	}
	r := seen(t, srv)
	got := strings.Join(form(t, r), "\n")
	want := strings.Join(
		[]string{
			"do_ocr=true",
			"images_scale=1.5",
			"n=3",
			"page_range=1",
			"page_range=2",
			`picture_description_api={"url":"u"}`,
			"to_formats=md",
			"to_formats=text",
			"target_type=zip",
			"files[a.md,text/markdown]=# A",
			`files[we"ird ü.bin,application/octet-stream]=bytes`,
			"files[noext,application/pdf]=%PDF-1.7",
		},
		"\n",
	)
	if got != want || r.Path != "/docling/v1/convert/file" || r.ContentLength != int64(len(r.Body)) {
		t.Errorf("%s with a length of %d:\n%s\nwant\n%s", r.Path, r.ContentLength, got, want)
	}
	// Chunking has the options of both steps, under other names.
	for _, chunker := range []string{"", babyclient.ChunkerHierarchical} {
		req := &babyclient.ChunkRequest{
			Sources: sources(babyclient.Source{Name: "a.md", Data: []byte("# A"), MediaType: "text/x-own"}),
			Chunker: chunker,
			Convert: babyclient.ConvertOptions{
				DoOCR: new(false),
			},
			Options:             babyclient.ChunkOptions{UseMarkdownTables: new(true), Extra: map[string]any{"x": "y"}},
			IncludeConvertedDoc: new(true),
		}
		want := []string{
			"convert_do_ocr=false",
			"chunking_use_markdown_tables=true",
			"chunking_x=y",
			"include_converted_doc=true",
			"files[a.md,text/x-own]=# A",
		}
		path := "/docling/v1/chunk/hierarchical/file"
		if chunker == "" {
			req.Options.MaxTokens, req.Options.Tokenizer, req.Options.MergePeers = new(64), "tok", new(false)
			want = []string{
				"convert_do_ocr=false",
				"chunking_max_tokens=64",
				"chunking_merge_peers=false",
				"chunking_tokenizer=tok",
				"chunking_use_markdown_tables=true",
				"chunking_x=y",
				"include_converted_doc=true",
				"files[a.md,text/x-own]=# A",
			}
			path = "/docling/v1/chunk/hybrid/file"
		}
		_, _ = c.Docling.Chunk(t.Context(), req) // the answer does not matter here
		if r := seen(t, srv); r.Path != path || strings.Join(form(t, r), "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %q\nwant %q", r.Path, form(t, r), want)
		}
	}
}

func TestChunkSource(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /docling/v1/chunk/{chunker}/source",
		babytest.JSON(
			200,
			`{"chunks":[{"filename":"a.pdf","chunk_index":0,"text":"A","page_numbers":[1,2]}],`+
				`"documents":[{"kind":"ExportResult","content":{"filename":"a.pdf"},"status":"success"}]}`,
		),
	)
	c := client(srv)
	resp, err := c.Docling.Chunk(
		t.Context(),
		&babyclient.ChunkRequest{
			Sources:             sources(url1),
			Convert:             babyclient.ConvertOptions{ToFormats: []string{"json"}, DoOCR: new(false)},
			Options:             babyclient.ChunkOptions{MaxTokens: new(64)},
			IncludeConvertedDoc: new(false),
		},
	)
	if err != nil || resp.Chunks[0].Text != "A" || len(resp.Chunks[0].Pages) != 2 ||
		resp.Documents[0].Status != "success" {
		t.Fatalf("%+v, %v", resp, err)
	}
	r := seen(t, srv)
	sameJSON(
		t,
		r.Body,
		`{"sources":[{"kind":"http","url":"https://host/a.pdf"}],"convert_options":{"to_formats":["json"],`+
			`"do_ocr":false},"chunking_options":{"max_tokens":64},"include_converted_doc":false}`,
	)
	if r.Path != "/docling/v1/chunk/hybrid/source" {
		t.Errorf("path %s", r.Path)
	}
	if _, err = c.Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1),
		Chunker: babyclient.ChunkerHierarchical}); err != nil {
		t.Fatal(err)
	}
	if r := seen(t, srv); r.Path != "/docling/v1/chunk/hierarchical/source" ||
		string(r.Body) != `{"sources":[{"kind":"http","url":"https://host/a.pdf"}]}` {
		t.Errorf("%s %s", r.Path, r.Body)
	}
}

// sized is a reader whose length cannot be known.
type unsized struct{ io.Reader }

func TestUploadLength(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/file", babytest.JSON(200, converted))
	c := client(srv)
	file, err := os.Open(write(t, "f.md", "0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read from
	if _, err := file.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		s     babyclient.Source
		known bool
		body  string
	}{
		"bytes":           {babyclient.FromBytes("a.md", []byte("abc")), true, "abc"},
		"path":            {babyclient.FromFile(write(t, "a.md", "abc")), true, "abc"},
		"bytes.Reader":    {babyclient.FromReader("a.md", bytes.NewReader([]byte("abc"))), true, "abc"},
		"open file, part": {babyclient.FromReader("a.md", file), true, "456789"},
		"reader with a size": {babyclient.Source{Name: "a.md", Reader: unsized{strings.NewReader("abc")}, Size: 3},
			true, "abc"},
		"reader": {babyclient.FromReader("a.md", unsized{strings.NewReader("abc")}), false, "abc"},
	} {
		if _, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(tt.s)}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := seen(t, srv)
		if (r.ContentLength >= 0) != tt.known || tt.known && r.ContentLength != int64(len(r.Body)) ||
			form(t, r)[0] != "files[a.md,text/markdown]="+tt.body {
			t.Errorf("%s: length %d of %d bytes, %q", name, r.ContentLength, len(r.Body), form(t, r))
		}
	}
}

type failingReader struct{ r io.Reader }

func (f failingReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// A reader that fails, or that is not as long as was said, is told from a connection that fails.
func TestUploadReaderFails(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/file", babytest.JSON(200, converted))
	c := client(srv)
	for name, tt := range map[string]struct {
		s    babyclient.Source
		is   error
		says string
	}{
		"fails": {babyclient.FromReader("a.md", failingReader{strings.NewReader("abc")}), os.ErrDeadlineExceeded,
			"a.md"},
		"too short": {babyclient.Source{Name: "a.md", Reader: unsized{strings.NewReader("abc")}, Size: 5},
			babyclient.ErrInvalidRequest, "5 bytes, but 3"},
		"too long": {babyclient.Source{Name: "a.md", Reader: unsized{strings.NewReader("abcdefg")}, Size: 5},
			babyclient.ErrInvalidRequest, "5 bytes, but 7"},
		"read out": {babyclient.FromReader("a.md", strings.NewReader("")), babyclient.ErrInvalidRequest,
			"no bytes left"},
	} {
		_, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(tt.s)})
		if e := fails(t, err); e.Code != babyclient.CodeInvalidDoclingFile || !errors.Is(err, tt.is) ||
			!strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: code %s, %v", name, e.Code, err)
		}
	}
}

func TestBadSources(t *testing.T) {
	srv := server(t)
	c := client(srv)
	a, b := babyclient.FromBytes("a.md", []byte("x")), babyclient.FromBytes("b.md", []byte("x"))
	dir := t.TempDir()
	convert := func(req *babyclient.ConvertRequest) error { _, err := c.Docling.Convert(t.Context(), req); return err }
	of := func(s ...babyclient.Source) error { return convert(&babyclient.ConvertRequest{Sources: s}) }
	with := func(o babyclient.ConvertOptions) error {
		return convert(&babyclient.ConvertRequest{Sources: sources(a), Options: o})
	}
	chunk := func(req *babyclient.ChunkRequest) error { _, err := c.Docling.StartChunk(t.Context(), req); return err }
	tests := []struct {
		name, code, says string
		err              error
	}{
		{"nil", babyclient.CodeInvalidDoclingBody, "nil", convert(nil)},
		{"nil chunk", babyclient.CodeInvalidDoclingBody, "nil", chunk(nil)},
		{"none", babyclient.CodeInvalidDoclingBody, "no sources", of()},
		{"empty", babyclient.CodeInvalidDoclingFile, "sources[1]: is empty", of(a, babyclient.Source{})},
		{
			"two at once",
			babyclient.CodeInvalidDoclingFile,
			"more than one",
			of(babyclient.Source{URL: "http://h/a", Path: "b"}),
		},
		{
			"no URL",
			babyclient.CodeInvalidDoclingFile,
			`"a.pdf" is no http or https URL`,
			of(babyclient.FromURL("a.pdf")),
		},
		{"ftp", babyclient.CodeInvalidDoclingFile, "FromFile", of(babyclient.FromURL("ftp://h/a.pdf"))},
		{"file URL", babyclient.CodeInvalidDoclingFile, "FromFile", of(babyclient.FromURL("file:///etc/passwd"))},
		{"no name", babyclient.CodeInvalidDoclingFile, "Name", of(babyclient.FromBytes("", []byte("x")))},
		{"no bytes", babyclient.CodeInvalidDoclingFile, `"a.md" is empty`, of(babyclient.FromBytes("a.md", []byte{}))},
		{
			"missing",
			babyclient.CodeInvalidDoclingFile,
			"no such file",
			of(babyclient.FromFile(filepath.Join(dir, "missing.pdf"))),
		},
		{"directory", babyclient.CodeInvalidDoclingFile, "is a directory", of(babyclient.FromFile(dir))},
		{"empty file", babyclient.CodeInvalidDoclingFile, "is empty", of(babyclient.FromFile(write(t, "e.md", "")))},
		{"device", babyclient.CodeInvalidDoclingFile, "regular", of(babyclient.FromFile(os.DevNull))},
		{
			"reader inline",
			babyclient.CodeInvalidDoclingFile,
			"inline",
			of(babyclient.Source{Name: "a", Reader: strings.NewReader("x"), Inline: true}),
		},
		{
			"media type",
			babyclient.CodeInvalidDoclingFile,
			"media type",
			of(babyclient.Source{Name: "a", Data: []byte("x"), MediaType: "a\r\nX: y"}),
		},
		{"mixed", babyclient.CodeInvalidDoclingBody, "Inline", of(a, url1)},
		{
			"same stem",
			babyclient.CodeInvalidDoclingBody,
			"ConvertAll",
			of(a, babyclient.FromBytes("a.html", []byte("x"))),
		},
		{
			"same URL stem",
			babyclient.CodeInvalidDoclingBody,
			"ConvertAll",
			of(babyclient.FromURL("http://h/x/a.pdf?1"), babyclient.FromURL("http://h/y/a.html")),
		},
		{
			"too many",
			babyclient.CodeInvalidDoclingBody,
			"c.md, d.md",
			of(a, b, babyclient.FromBytes("c.md", []byte("x")), babyclient.FromBytes("d.md", []byte("x"))),
		},
		{
			"pages upside down",
			babyclient.CodeInvalidRequest,
			"5 to 3",
			with(babyclient.ConvertOptions{Pages: &babyclient.PageRange{First: 5, Last: 3}}),
		},
		{
			"page 0",
			babyclient.CodeInvalidRequest,
			"0 to 3",
			with(babyclient.ConvertOptions{Pages: &babyclient.PageRange{Last: 3}}),
		},
		{
			"images_scale",
			babyclient.CodeInvalidRequest,
			"images_scale",
			with(babyclient.ConvertOptions{ImagesScale: new(math.NaN())}),
		},
		{
			"document_timeout",
			babyclient.CodeInvalidRequest,
			"document_timeout",
			with(babyclient.ConvertOptions{DocumentTimeout: new(math.Inf(1))}),
		},
		{
			"format without content",
			babyclient.CodeInvalidRequest,
			`"yaml" only in a zip`,
			with(babyclient.ConvertOptions{ToFormats: []string{"md", "yaml"}}),
		},
		{
			"extra",
			babyclient.CodeInvalidRequestBody,
			"Extra[x]",
			with(babyclient.ConvertOptions{Extra: map[string]any{"x": func() {}}}),
		},
		{
			"target of an upload",
			babyclient.CodeInvalidRequest,
			"target",
			convert(
				&babyclient.ConvertRequest{Sources: sources(a), Target: map[string]any{"kind": "s3", "bucket": "b"}},
			),
		},
		{
			"chunker",
			babyclient.CodeInvalidRequest,
			`"lexical"`,
			chunk(&babyclient.ChunkRequest{Sources: sources(a), Chunker: "lexical"}),
		},
		{
			"to_formats of chunks",
			babyclient.CodeInvalidRequest,
			"to_formats",
			chunk(
				&babyclient.ChunkRequest{
					Sources: sources(a),
					Convert: babyclient.ConvertOptions{ToFormats: []string{"md"}},
				},
			),
		},
		{
			"hierarchical with tokens",
			babyclient.CodeInvalidRequest,
			"MaxTokens",
			chunk(
				&babyclient.ChunkRequest{
					Sources: sources(a),
					Chunker: "hierarchical",
					Options: babyclient.ChunkOptions{MaxTokens: new(5)},
				},
			),
		},
		{
			"max_tokens",
			babyclient.CodeInvalidRequest,
			"max_tokens is 0",
			chunk(&babyclient.ChunkRequest{Sources: sources(a), Options: babyclient.ChunkOptions{MaxTokens: new(0)}}),
		},
		{
			"same name in chunks",
			babyclient.CodeInvalidDoclingBody,
			"ChunkAll",
			chunk(&babyclient.ChunkRequest{Sources: sources(a, a)}),
		},
	}
	for _, tt := range tests {
		if e := fails(t, tt.err); e.Code != tt.code || !strings.Contains(tt.err.Error(), tt.says) ||
			!errors.Is(tt.err, babyclient.ErrInvalidRequest) {
			t.Errorf("%s: code %s, %v; want %s and %q", tt.name, e.Code, tt.err, tt.code, tt.says)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if err := of(babyclient.FromFile(filepath.Join(dir, "missing.pdf"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
}

// Memory does not grow with the file: 100 MB go through, a few MB are allocated.
func TestUploadMemory(t *testing.T) {
	const size = 100 << 20
	var received atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		received.Store(n)
		_, _ = io.WriteString(w, converted)
	}))
	defer srv.Close()
	path := filepath.Join(t.TempDir(), "large.pdf")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil { // sparse: it takes no disk
		t.Fatal(err)
	}
	c, err := babyclient.New(babyclient.WithBaseURL(srv.URL), babyclient.WithAPIKey("key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]babyclient.Source{
		"path":   babyclient.FromFile(path),
		"reader": babyclient.FromReader("large.pdf", io.LimitReader(zeros{}, size)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(s)}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := received.Load(); n < size {
			t.Errorf("%s: %d bytes arrived", name, n)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
			t.Errorf("%s: %d bytes were allocated for %d", name, n, size)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Several documents come as a zip, and are documents all the same.
func TestZipAnswer(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /docling/v1/convert/file",
		babytest.Zip(
			map[string]string{
				"b.md":                  "# B",
				"a.md":                  "# A",
				"a.txt":                 "A",
				"a.html":                "<h1>",
				"a.json":                `{"n":1}`,
				"a.doctags":             "<d>",
				"a.doclang":             "<l>",
				"a.yaml":                "n: 1",
				"artifacts/image_0.png": "png",
			},
		),
	)
	c := client(srv)
	resp, err := c.Docling.Convert(
		t.Context(),
		&babyclient.ConvertRequest{
			Sources: sources(babyclient.FromBytes("a.pdf", []byte("x")), babyclient.FromBytes("b.html", []byte("x"))),
		},
	)
	if err != nil || len(resp.Documents) != 2 {
		t.Fatalf("%+v, %v", resp, err)
	}
	a, b := resp.Documents[0], resp.Documents[1]
	if a.Filename != "a.pdf" || a.Markdown != "# A" || a.Text != "A" || a.HTML != "<h1>" ||
		string(a.JSON) != `{"n":1}` || a.DocTags != "<d>" || a.DocLang != "<l>" ||
		b.Filename != "b.html" || b.Markdown != "# B" ||
		string(resp.Files["artifacts/image_0.png"]) != "png" ||
		string(resp.Files["a.yaml"]) != "n: 1" ||
		len(resp.Files) != 2 {
		t.Errorf("%+v %+v %v", a, b, resp.Files)
	}
	// One that is not there was not converted, and that is not silent.
	resp, err = c.Docling.Convert(
		t.Context(),
		&babyclient.ConvertRequest{
			Sources: sources(
				babyclient.FromBytes("a.pdf", []byte("x")),
				babyclient.FromBytes("gone.html", []byte("x")),
			),
		},
	)
	d, ok := errors.AsType[*babyclient.DocumentError](err)
	if !ok || d.Filename != "gone.html" || !errors.Is(err, babyclient.ErrDocumentFailed) || len(resp.Documents) != 2 {
		t.Errorf("%+v, %v", resp, err)
	}
	// What URLs are called only the server knows: their number counts.
	srv.On("POST /docling/v1/convert/source", babytest.Zip(map[string]string{"x.md": "# X"}))
	_, err = c.Docling.Convert(
		t.Context(),
		&babyclient.ConvertRequest{Sources: sources(url1, babyclient.FromURL("http://h/b.html"))},
	)
	if !errors.Is(err, babyclient.ErrDocumentFailed) || !strings.Contains(err.Error(), "1 of 2 documents") {
		t.Errorf("err = %v", err)
	}
}

// A member ".doctags.txt" is the DocTags of one document, or the text of another that is called so.
func TestZipAnswerOfNamesWithDocTags(t *testing.T) {
	for _, tt := range []struct {
		name    string
		uploads []string
		members map[string]string
		want    [][2]string // the text and the DocTags of each document, in the order of the names
	}{
		{"the text", []string{"a.doctags.pdf", "a.pdf"}, map[string]string{"a.doctags.txt": "X", "a.txt": "A"},
			[][2]string{{"X", ""}, {"A", ""}}},
		{"the DocTags", []string{"a.pdf", "b.pdf"}, map[string]string{"a.doctags.txt": "<doctag>a", "b.txt": "B"},
			[][2]string{{"", "<doctag>a"}, {"B", ""}}},
		{"the DocTags, beside such a name", []string{"a.doctags.pdf", "a.pdf"},
			map[string]string{"a.doctags.txt": "<doctag>a", "a.doctags.md": "X"},
			[][2]string{{"", ""}, {"", "<doctag>a"}}},
	} {
		srv := server(t)
		srv.On("POST /docling/v1/convert/file", babytest.Zip(tt.members))
		var uploads []babyclient.Source
		for _, name := range tt.uploads {
			uploads = append(uploads, babyclient.FromBytes(name, []byte("x")))
		}
		resp, err := client(srv).Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: uploads})
		if err != nil || len(resp.Documents) != len(tt.want) {
			t.Errorf("%s: %+v, %v; want both documents", tt.name, resp, err)
			continue
		}
		for i, name := range tt.uploads {
			for _, doc := range resp.Documents {
				if got := [2]string{doc.Text, doc.DocTags}; doc.Filename == name && got != tt.want[i] {
					t.Errorf("%s: %s has %q, want %q", tt.name, name, got, tt.want[i])
				}
			}
		}
	}
}

// zipOf is a zip with members as they are given, honest or not.
func zipOf(t testing.TB, members ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}) // thousands of compressors take long
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "content"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// No zip leads out of a folder, fills the memory or passes for what it is not.
func TestZipRefused(t *testing.T) {
	var many []string
	for i := range 10_001 {
		many = append(many, fmt.Sprintf("%d.md", i))
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, _ := z.Create("a.md")
	if _, err := io.Copy(w, io.LimitReader(zeros{}, 4<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	liar := bytes.Clone(bomb.Bytes()) // says in its directory that it is small
	at := bytes.LastIndex(liar, []byte("PK\x01\x02"))
	copy(liar[at+24:], []byte{1, 0, 0, 0})
	tests := map[string]struct {
		zip  []byte
		says string
	}{
		"slip":            {zipOf(t, "../a.md"), "unsafe name"},
		"slip inside":     {zipOf(t, "a/../../b.md"), "unsafe name"},
		"absolute":        {zipOf(t, "/etc/passwd"), "unsafe name"},
		"Windows":         {zipOf(t, `..\a.md`), "unsafe name"},
		"drive":           {zipOf(t, `C:a.md`), "unsafe name"},
		"double":          {zipOf(t, "a.md", "a.md"), "two members"},
		"too many":        {zipOf(t, many...), "10001 members"},
		"bomb":            {bomb.Bytes(), "longer than"},
		"bomb that lies":  {liar, ""},
		"broken":          {zipOf(t, "a.md")[:60], "zip"},
		"broken contents": {bytes.Replace(zipOf(t, "a.md"), []byte("PK\x03\x04"), []byte("PK\x00\x00"), 1), ""},
		"empty":           {nil, "zip"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("/", babytest.Body(200, "application/zip", tt.zip))
			c := client(srv, babyclient.WithMaxResponseSize(2<<20))
			_, convert := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1)})
			_, chunk := c.Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1)})
			for _, err := range []error{convert, chunk} {
				if !errors.Is(err, babyclient.ErrInvalidResponse) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("err = %v, want %q", err, tt.says)
				}
			}
		})
	}
}

// What docling says of a document that it did not convert.
func TestDocumentFailures(t *testing.T) {
	answer := func(status, errs string) string {
		return fmt.Sprintf(
			`{"document":{"filename":"a.pdf","md_content":"half"},"status":%q,"errors":[%s]}`,
			status,
			errs,
		)
	}
	oneError := `{"component_type":"model","module_name":"m","error_message":"bad page","category":"timeout",` +
		`"page_no":2}`
	tests := []struct {
		name, body string
		partial    bool
		says       string
	}{
		{"failure", answer("failure", oneError), false, "a.pdf: failure: page 2: bad page"},
		{"skipped", answer("skipped", ""), false, `status "skipped"`},
		{"partial", answer("partial_success", oneError), true, "partial success"},
		{"many errors", answer("failure", strings.Repeat(oneError+",", 4)+oneError), false, "and 2 more"},
	}
	for _, tt := range tests {
		srv := server(t)
		srv.On("POST /docling/v1/convert/source", babytest.JSON(200, tt.body))
		resp, err := client(srv).Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1)})
		d, ok := errors.AsType[*babyclient.DocumentError](err)
		if !ok || !errors.Is(err, babyclient.ErrDocumentFailed) ||
			errors.Is(err, babyclient.ErrPartialSuccess) != tt.partial ||
			!strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if resp.Document().Markdown != "half" || d.Filename != "a.pdf" {
			t.Errorf("%s: %+v, %+v", tt.name, resp, d)
		}
	}
	if (*babyclient.ConvertResponse)(nil).Document() == nil {
		t.Error("Document is nil")
	}
}

// Chunking that returns nothing for a document that has text is an error with the answer in it.
func TestNoChunks(t *testing.T) {
	document := func(name, json string) string {
		return fmt.Sprintf(`{"content":{"filename":%q,"json_content":%s},"status":"success"}`, name, json)
	}
	tests := []struct {
		name, body string
		ok         bool
	}{
		{"none", `{"chunks":[],"documents":[` + document("a.pdf", "null") + `]}`, false},
		{
			"none of one",
			`{"chunks":[{"filename":"b.pdf","text":"x"}],"documents":[` + document(
				"a.pdf",
				"null",
			) + `,` + document(
				"b.pdf",
				"null",
			) + `]}`,
			false,
		},
		{"text but no chunks", `{"chunks":[],"documents":[` + document("a.pdf", `{"texts":[{}]}`) + `]}`, false},
		{"no documents", `{"chunks":[],"documents":[]}`, false},
		{
			"known to be empty",
			`{"chunks":[],"documents":[` + document("a.pdf", `{"texts":[],"tables":[]}`) + `]}`,
			true,
		},
	}
	for _, tt := range tests {
		srv := server(t)
		srv.On("POST /docling/v1/chunk/hybrid/source", babytest.JSON(200, tt.body))
		resp, err := client(srv).Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1)})
		if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, babyclient.ErrNoChunks) || resp == nil {
			t.Errorf("%s: %+v, %v", tt.name, resp, err)
		}
	}
}

func TestStored(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /docling/v1/convert/source",
		babytest.JSON(200, `{"num_converted":2,"num_succeeded":2,"num_failed":0,"processing_time":1}`),
		babytest.JSON(200, `{"num_converted":2,"num_succeeded":1,"num_failed":1}`),
	)
	c := client(srv)
	req := &babyclient.ConvertRequest{Sources: sources(url1), Target: map[string]any{"kind": "s3", "bucket": "b"}}
	resp, err := c.Docling.Convert(t.Context(), req)
	if err != nil || resp.Stored.NumSucceeded != 2 || len(resp.Documents) != 0 {
		t.Errorf("%+v, %v", resp, err)
	}
	if resp, err = c.Docling.Convert(t.Context(), req); !errors.Is(err, babyclient.ErrDocumentFailed) ||
		resp.Stored.NumFailed != 1 {
		t.Errorf("%+v, %v", resp, err)
	}
}

func TestDoclingHealth(t *testing.T) {
	srv := server(t)
	srv.On("GET /docling/health", babytest.JSON(200, `{"status":"ok"}`))
	srv.On("GET /docling/ready", babytest.JSON(503, `{"detail":"not ready"}`))
	srv.On("GET /docling/version", babytest.JSON(200, `{"docling":"2.1","plaform":"Linux"}`))
	c := client(srv, babyclient.WithMaxRetries(0))
	if h, err := c.Docling.Health(t.Context()); err != nil || h.Status != "ok" {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := c.Docling.Ready(t.Context()); !errors.Is(err, babyclient.ErrUnavailable) ||
		!strings.Contains(err.Error(), "not ready") {
		t.Errorf("err = %v", err)
	}
	v, err := c.Docling.Version(t.Context())
	var raw map[string]string
	if err != nil || v.Versions["docling"] != "2.1" || json.Unmarshal(v.Raw, &raw) != nil || len(raw) != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

// Several uploads keep their names, whatever these hold: docling-serve answers with the stems that
// Python makes of them, on Linux or on Windows, before 3.14 or since.
func TestUploadNamesInAZipAnswer(t *testing.T) {
	for _, tt := range []struct{ name, member string }{
		{"10:30 meeting.pdf", "10:30 meeting"},
		{"..notes.md", "..notes"},
		{"...md", ".."},
		{"...md", "...md"}, // Python 3.14
		{".pdf", ".pdf"},
		{"a.pdf.", "a.pdf."},
		{"a.pdf.", "a.pdf"}, // Python 3.14
		{`C:\docs\a.md`, "a"},
		{`\\host\share\a.md`, "a"},
		{`x\a.md`, `x\a`},
		{`x\a.md`, "a"}, // Windows
		{`Essay on "X".pdf`, `Essay on "X"`},
		{"no extension", "no extension"},
		{"ünï 😀.docx", "ünï 😀"},
	} {
		t.Run(tt.name+" as "+tt.member, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /docling/v1/convert/file",
				babytest.Zip(map[string]string{tt.member + ".md": "# It", "other.md": "# Other"}))
			resp, err := client(srv).Docling.Convert(t.Context(), &babyclient.ConvertRequest{
				Sources: sources(babyclient.FromBytes(tt.name, []byte("x")),
					babyclient.FromBytes("other.md", []byte("y")))})
			if err != nil || len(resp.Documents) != 2 {
				t.Fatalf("got %+v, %v; want two documents", resp, err)
			}
			for _, doc := range resp.Documents {
				if doc.Markdown == "# It" && doc.Filename != tt.name {
					t.Errorf("the document is called %q, want %q", doc.Filename, tt.name)
				}
			}
		})
	}
}
