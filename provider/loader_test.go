package provider_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// doclingServer answers jobs: convert and chunk by the name of the document. A name that begins
// with "bad" is a document that docling cannot read.
type doclingServer struct {
	*babytest.Server
	mu   sync.Mutex
	jobs map[string]string // job id to answer
}

func newDocling(t testing.TB, srv *babytest.Server) *doclingServer {
	t.Helper()
	d := &doclingServer{Server: srv, jobs: map[string]string{}}
	submit := func(answer func(name string) string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := documentName(r)
			d.mu.Lock()
			id := fmt.Sprintf("job%d", len(d.jobs))
			d.jobs[id] = answer(name)
			d.mu.Unlock()
			babytest.JSON(200, map[string]any{"task_id": id, "task_status": "pending"}).ServeHTTP(w, r)
		})
	}
	for _, form := range []string{"file", "source"} {
		srv.On("POST /docling/v1/convert/"+form+"/async", submit(converted))
		srv.On("POST /docling/v1/chunk/{chunker}/"+form+"/async", submit(chunked))
	}
	srv.On("GET /docling/v1/status/poll/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		babytest.JSON(200, map[string]any{"task_id": r.PathValue("id"), "task_status": "success"}).ServeHTTP(w, r)
	}))
	srv.On("GET /docling/v1/result/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		babytest.JSON(200, d.jobs[r.PathValue("id")]).ServeHTTP(w, r)
	}))
	return d
}

// documentName is the name of the document in a request, uploaded or by its URL.
func documentName(r *http.Request) string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			return err.Error()
		}
		return r.MultipartForm.File["files"][0].Filename
	}
	var body struct{ Sources []struct{ URL string } }
	_ = json.NewDecoder(r.Body).Decode(&body)
	return filepath.Base(body.Sources[0].URL)
}

// doclingJSON is a document of four pages, of which the second is empty; page numbers are
// furniture. Its title is its name. A reference of it leads nowhere.
func doclingJSON(name string) json.RawMessage {
	return json.RawMessage(`{"origin":{"mimetype":"application/pdf","binary_hash":13564993687249300075,"filename":""},
	"pages":{"1":{"page_no":1,"size":{"width":600,"height":800}},"2":{"page_no":2},"3":{"page_no":3},"4":{"page_no":4}},
	"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/0"},{"$ref":"#/groups/0"},` +
		`{"$ref":"#/texts/2"},{"$ref":"#/texts/3"},{"$ref":"#/texts/9"}]},
	"groups":[{"self_ref":"#/groups/0","parent":{"$ref":"#/body"},"children":[{"$ref":"#/texts/1"}]}],
	"texts":[{"self_ref":"#/texts/0","parent":{"$ref":"#/body"},"label":"title","text":"` + name + `",
			"prov":[{"page_no":1,"bbox":{"l":50.123,"t":750,"r":100,"b":730,"coord_origin":"BOTTOMLEFT"}}]},
		{"self_ref":"#/texts/1","parent":{"$ref":"#/groups/0"},"label":"text","text":"First.",
			"prov":[{"page_no":1,"bbox":{"l":40,"t":90,"r":90,"b":120,"coord_origin":"TOPLEFT"}}]},
		{"self_ref":"#/texts/2","parent":{"$ref":"#/body"},"content_layer":"furniture","label":"page_footer",
			"text":"2","prov":[{"page_no":2}]},
		{"self_ref":"#/texts/3","parent":{"$ref":"#/body"},"label":"text","text":"A table.",
			"prov":[{"page_no":3,"bbox":{"l":1,"t":9,"r":2,"b":8,"coord_origin":"BOTTOMLEFT"}},{"page_no":4}]}]}`)
}

func converted(name string) string {
	if strings.HasPrefix(name, "bad") {
		return `{"document":{"filename":"` + name +
			`"},"status":"failure","errors":[{"error_message":"not readable","category":"backend_failure"}]}`
	}
	status := "success"
	if strings.HasPrefix(name, "part") {
		status = "partial_success"
	}
	if strings.HasPrefix(name, "blank") {
		return `{"document":{"filename":"` + name + `","md_content":" \n"},"status":"success"}`
	}
	doc := map[string]any{"filename": name, "json_content": doclingJSON(name),
		"md_content": "# " + name + "\n\nFirst.\n\n<!-- babyapi-go page break -->\n\nA table."}
	b, _ := json.Marshal(map[string]any{"document": doc, "status": status})
	return string(b)
}

func chunked(name string) string {
	chunks := []map[string]any{
		{"filename": name, "chunk_index": 0, "text": "Intro\nfirst", "num_tokens": 3, "headings": []string{"Intro"},
			"page_numbers": []int{1, 2}, "captions": []string{"Figure 1", "Table 2"},
			"doc_items": []string{"#/texts/0", "#/texts/8", "/texts/1", "#/texts/3"},
			"metadata": map[string]any{"origin": map[string]any{"mimetype": "application/pdf",
				"binary_hash": json.Number("13564993687249300075")}}},
		{"filename": name, "chunk_index": 1, "text": "second"},
	}
	status, content := "success", string(doclingJSON(name))
	switch {
	case strings.HasPrefix(name, "bad"):
		chunks, status = nil, "failure"
	case strings.HasPrefix(name, "blank"):
		chunks, content = nil, `{"texts":[],"tables":[]}`
	}
	b, _ := json.Marshal(map[string]any{"chunks": chunks,
		"documents": []any{map[string]any{"content": map[string]any{"filename": name,
			"json_content": json.RawMessage(content)}, "status": status}}})
	return string(b)
}

func newLoader(t testing.TB, srv *babytest.Server, opts ...provider.LoaderOption) *provider.Loader {
	t.Helper()
	l, err := provider.NewLoader(srv.Client(babyclient.WithMaxRetries(0)), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// form is the multipart fields of a request.
func form(t testing.TB, r *babytest.Request) map[string][]string {
	t.Helper()
	req := &http.Request{Method: http.MethodPost, Header: r.Header, Body: newBody(r.Body)}
	if err := req.ParseMultipartForm(1 << 20); err != nil {
		t.Fatal(err)
	}
	return req.MultipartForm.Value
}

func writeFiles(t testing.TB, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// withoutHash checks that the metadata encodes as JSON and returns it without the content's hash.
func withoutHash(t testing.TB, d schema.Document) string {
	t.Helper()
	if hash, _ := d.Metadata["content_hash"].(string); len(hash) != 64 {
		t.Errorf("content hash %v, want 64 hex digits", d.Metadata["content_hash"])
	}
	m := map[string]any{}
	for k, v := range d.Metadata {
		if k != "content_hash" {
			m[k] = v
		}
	}
	return jsonOf(t, m)
}

// boxesOfFirstChunk are those of the items that are found: a box that counts from the bottom of a
// page without a size is left out, and so is one that is missing.
const boxesOfFirstChunk = `[{"page":1,"l":50.12,"t":50,"r":100,"b":70},{"page":1,"l":40,"t":90,"r":90,"b":120}]`

func testLoad(t *testing.T) {
	dir := writeFiles(t, "a.pdf")
	path := filepath.Join(dir, "a.pdf")
	all := `,"media_type":"application/pdf","document_hash":"13564993687249300075","total_pages":4`
	source := func(s, name string) string { return `{"source":` + jsonOf(t, s) + `,"filename":"` + name + `"` + all }
	for name, test := range map[string]struct {
		source   provider.LoaderOption
		want     string // the source and the file name
		filename string
	}{
		"file":   {provider.WithFiles(path), path, "a.pdf"},
		"reader": {provider.WithReader("b.pdf", strings.NewReader("x")), "b.pdf", "b.pdf"},
		"bytes":  {provider.WithSources(babyclient.FromBytes("c.pdf", []byte("x"))), "c.pdf", "c.pdf"},
		"URL": {provider.WithURLs("http://user:pw@host/d.pdf?token=secret"), "http://host/d.pdf",
			"d.pdf?token=secret"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newDocling(t, newServer(t, ""))
			docs, err := newLoader(t, srv.Server, test.source).Load(t.Context())
			if err != nil || len(docs) != 1 {
				t.Fatalf("documents %v, error %v; want one document", docs, err)
			}
			if !strings.HasPrefix(docs[0].PageContent, "# "+test.filename) {
				t.Errorf("content %q, want it to begin with # %s", docs[0].PageContent, test.filename)
			}
			sameJSON(t, "metadata", withoutHash(t, docs[0]), source(test.want, test.filename)+"}")
		})
	}

	t.Run("per page", func(t *testing.T) {
		srv := newDocling(t, newServer(t, ""))
		docs, err := newLoader(t, srv.Server, provider.WithFiles(path),
			provider.WithMode(provider.PerPage)).Load(t.Context())
		if err != nil || len(docs) != 2 {
			t.Fatalf("documents %v, error %v; want two pages", docs, err)
		}
		for i, page := range []int{1, 3} { // the second is empty
			if got, ok := docs[i].Metadata["page"].(int); !ok || got != page || docs[i].Metadata["total_pages"] != 4 ||
				strings.Contains(docs[i].PageContent, "<!--") {
				t.Errorf("page %d: %+v", page, docs[i])
			}
		}
		if docs[1].PageContent != "A table." || docs[0].Metadata["content_hash"] == docs[1].Metadata["content_hash"] {
			t.Errorf("pages %+v, want A table. as the second, and different hashes", docs)
		}
		fields := form(t, srv.Requests()[0])
		if !slices.Equal(fields["to_formats"], []string{"md", "json"}) ||
			fields["image_export_mode"][0] != "placeholder" || fields["include_images"][0] != "false" ||
			len(fields["md_page_break_placeholder"]) != 1 {
			t.Errorf("form sent %v, want Markdown and JSON, placeholders, a page break", fields)
		}
	})

	t.Run("per chunk", func(t *testing.T) {
		srv := newDocling(t, newServer(t, ""))
		docs, err := newLoader(t, srv.Server, provider.WithFiles(path), provider.WithMode(provider.PerChunk),
			provider.WithConvertOptions(babyclient.ConvertOptions{DoOCR: new(false)}),
			provider.WithChunkOptions(babyclient.ChunkOptions{MaxTokens: new(64), Tokenizer: "t"})).Load(t.Context())
		if err != nil || len(docs) != 2 {
			t.Fatalf("documents %v, error %v; want two chunks", docs, err)
		}
		sameJSON(t, "first", withoutHash(t, docs[0]),
			source(path, "a.pdf")+`,"chunk":0,"tokens":3,"headings":"Intro","captions":"Figure 1\nTable 2",`+
				`"page":1,"pages":"1-2","boxes":`+jsonOf(t, boxesOfFirstChunk)+`}`)
		sameJSON(t, "second", withoutHash(t, docs[1]), source(path, "a.pdf")+`,"chunk":1}`)
		fields := form(t, srv.Requests()[0])
		if fields["chunking_max_tokens"][0] != "64" || fields["chunking_tokenizer"][0] != "t" ||
			fields["convert_do_ocr"][0] != "false" || fields["include_converted_doc"][0] != "true" {
			t.Errorf("form sent %v, want the options of chunker and conversion", fields)
		}
		if p := srv.Requests()[0].Path; p != "/docling/v1/chunk/hybrid/file/async" {
			t.Errorf("path %s, want the job endpoint of the hybrid chunker", p)
		}
		hierarchical := newLoader(t, srv.Server, provider.WithFiles(path), provider.WithMode(provider.PerChunk),
			provider.WithChunker(babyclient.ChunkerHierarchical))
		sent := len(srv.Requests())
		if _, err := hierarchical.Load(t.Context()); err != nil ||
			srv.Requests()[sent].Path != "/docling/v1/chunk/hierarchical/file/async" {
			t.Errorf("path %s, error %v; want the job endpoint of the hierarchical chunker",
				srv.Requests()[sent].Path, err)
		}
	})

	client := newServer(t, "").Client()
	file := provider.WithFiles(path)
	for name, test := range map[string]struct {
		client  *babyclient.Client
		options []provider.LoaderOption
		words   string
	}{
		"no client":  {nil, []provider.LoaderOption{file}, "client"},
		"no sources": {client, nil, "WithFiles"},
		"mode":       {client, []provider.LoaderOption{file, provider.WithMode(7)}, "WithMode(7)"},
		"chunker":    {client, []provider.LoaderOption{file, provider.WithChunker("magic")}, `"magic"`},
		"formats": {client, []provider.LoaderOption{file,
			provider.WithConvertOptions(babyclient.ConvertOptions{ToFormats: []string{"html"}})}, "ToFormats"},
		"pattern":          {client, []provider.LoaderOption{provider.WithFolder(dir, "[")}, `"["`},
		"empty pattern":    {client, []provider.LoaderOption{provider.WithFolder(dir, "*.md", "")}, "empty"},
		"pattern above":    {client, []provider.LoaderOption{provider.WithFolder(dir, "../*.md")}, `".."`},
		"absolute pattern": {client, []provider.LoaderOption{provider.WithFolder(dir, "/*.md")}, `"/*.md"`},
		"concurrency": {client,
			[]provider.LoaderOption{file, provider.WithBatchOptions(babyclient.BatchOptions{Concurrency: -1})}, "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.NewLoader(test.client, test.options...)
			wantError(t, err, llms.ErrCodeInvalidRequest, test.words)
		})
	}
}

func TestLoadFolder(t *testing.T) {
	dir := writeFiles(t, "b.pdf", "a.md", "notes.bin", ".hidden.md", "sub/c.md", "sub/deep/d.PDF", ".git/e.md")
	for name, test := range map[string]struct {
		patterns []string
		want     string
	}{
		"all":                    {nil, "a.md b.pdf c.md d.PDF"},
		"by name":                {[]string{"*.md"}, "a.md c.md"},
		"by path":                {[]string{"sub/*.md"}, "c.md"},
		"several":                {[]string{"*.bin", "sub/*/*"}, "notes.bin d.PDF"},
		"no patterns":            {[]string{}, "a.md b.pdf c.md d.PDF"},
		"other case":             {[]string{"*.pdf"}, "b.pdf d.PDF"},
		"other case, pattern":    {[]string{"SUB/*.MD"}, "c.md"},
		"any folder":             {[]string{"**/*.md"}, "a.md c.md"},
		"any folder below":       {[]string{"sub/**/*.pdf"}, "d.PDF"},
		"any folder, none":       {[]string{"sub/**/c.md"}, "c.md"},
		"all files":              {[]string{"**"}, "a.md b.pdf notes.bin c.md d.PDF"},
		"all files in a folder":  {[]string{"sub/**"}, "c.md d.PDF"},
		"two patterns, one file": {[]string{"a.*", "*.md"}, "a.md c.md"},
	} {
		srv := newDocling(t, newServer(t, ""))
		docs, err := newLoader(t, srv.Server, provider.WithFolder(dir, test.patterns...)).Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range docs {
			names = append(names, d.Metadata["filename"].(string))
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	srv := newServer(t, "")
	for name, option := range map[string]provider.LoaderOption{
		"no folder": provider.WithFolder(filepath.Join(dir, "none")), "no match": provider.WithFolder(dir,
			"*.docx"), "nothing to read": provider.WithFolder(filepath.Join(writeFiles(t, "x.bin"))),
	} {
		docs, err := newLoader(t, srv, option).Load(t.Context())
		t.Run(name, func(t *testing.T) {
			if len(docs) != 0 {
				t.Errorf("documents %v, want none", docs)
			}
			refused(t, srv, err, llms.ErrCodeInvalidRequest, "the folder")
		})
	}
}

// words splits at spaces, and cannot split "bad".
type words struct{}

var errSplit = errors.New("cannot split")

func (words) SplitText(text string) ([]string, error) {
	if strings.HasPrefix(text, "# stubborn") {
		return nil, errSplit
	}
	return strings.Fields(text), nil
}

func testLoadAndSplit(t *testing.T) {
	dir := writeFiles(t, "a.pdf", "bad.pdf", "part.pdf", "stubborn.pdf")
	path := func(name string) string { return filepath.Join(dir, name) }
	srv := newDocling(t, newServer(t, ""))

	chunks, err := newLoader(t, srv.Server, provider.WithFiles(path("a.pdf"))).LoadAndSplit(t.Context(), nil)
	if err != nil || contents(chunks) != "Intro\nfirstsecond" || chunks[0].Metadata["chunk"] != 0 {
		t.Errorf("docling's chunks: %v, %v", chunks, err)
	}
	l := newLoader(t, srv.Server, provider.WithFiles(path("a.pdf")))
	docs, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := textsplitter.SplitDocuments(words{}, docs)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range want { // the metadata of each piece is its own
		sum := sha256.Sum256([]byte(d.PageContent))
		d.Metadata["chunk"], d.Metadata["content_hash"] = i, hex.EncodeToString(sum[:])
	}
	got, err := l.LoadAndSplit(t.Context(), words{}) // a second time
	if err != nil || jsonOf(t, got) != jsonOf(t, want) || len(got) < 4 {
		t.Errorf("split %v, %v\nwant %v", got, err, want)
	}

	t.Run("one bad document", func(t *testing.T) {
		files := provider.WithFiles(path("a.pdf"), path("bad.pdf"), path("none.pdf"), path("part.pdf"))
		docs, err := newLoader(t, srv.Server, files).Load(t.Context())
		if len(docs) != 2 || docs[0].Metadata["filename"] != "a.pdf" || docs[1].Metadata["filename"] != "part.pdf" {
			t.Errorf("documents %v, want a.pdf and what there is of part.pdf", docs)
		}
		wantError(t, err, llms.ErrCodeInvalidRequest, "bad.pdf", "not readable", "none.pdf", "part.pdf")
		want := "babyapi: invalid_request: sources[1] bad.pdf: GET /docling/v1/result/JOB: failure: not readable\n" +
			"babyapi: invalid_request: sources[2] none.pdf: POST /docling/v1/convert/source/async: " +
			"cannot read " + strconv.Quote(path("none.pdf")) + ": no such file or directory\n" +
			"babyapi: invalid_request: sources[3] part.pdf: GET /docling/v1/result/JOB: " +
			`docling answered status "partial_success" and no reason`
		if got := regexp.MustCompile("job[0-9]+").ReplaceAllString(err.Error(), "JOB"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !errors.Is(err, babyclient.ErrDocumentFailed) || !errors.Is(err, babyclient.ErrPartialSuccess) {
			t.Errorf("error %v, want ErrDocumentFailed and ErrPartialSuccess in it", err)
		}
		var order []string
		for d, err := range newLoader(t, srv.Server, files).Documents(t.Context()) {
			if err != nil {
				wantError(t, err, llms.ErrCodeInvalidRequest)
				order = append(order, "error")
				continue
			}
			order = append(order, d.Metadata["filename"].(string))
		}
		if got := strings.Join(order, " "); got != "a.pdf error error part.pdf error" {
			t.Errorf("documents and errors came as %s, want the order of the sources", got)
		}
		chunks, err := newLoader(t, srv.Server,
			provider.WithFiles(path("bad.pdf"), path("a.pdf"))).LoadAndSplit(t.Context(), nil)
		if len(chunks) != 2 {
			t.Errorf("chunks %v, want the two of a.pdf", chunks)
		}
		wantError(t, err, llms.ErrCodeInvalidRequest, "bad.pdf")
	})
	t.Run("no text", func(t *testing.T) {
		dir := writeFiles(t, "blank.pdf", "a.pdf")
		for _, mode := range []provider.Mode{provider.PerDocument, provider.PerPage, provider.PerChunk} {
			docs, err := newLoader(t, srv.Server, provider.WithFolder(dir), provider.WithMode(mode)).Load(t.Context())
			if len(docs) == 0 || docs[0].Metadata["filename"] != "a.pdf" {
				t.Errorf("mode %d: %v", mode, docs)
			}
			wantError(t, err, llms.ErrCodeInvalidRequest, "blank.pdf", "no text", "OCR")
		}
	})
	t.Run("a splitter that fails", func(t *testing.T) {
		docs, err := newLoader(t, srv.Server,
			provider.WithFiles(path("stubborn.pdf"), path("a.pdf"))).LoadAndSplit(t.Context(), words{})
		if len(docs) == 0 || docs[0].Metadata["filename"] != "a.pdf" || !errors.Is(err, errSplit) {
			t.Errorf("documents %v, error %v", docs, err)
		}
		wantError(t, err, llms.ErrCodeInvalidRequest, "provider_test.words", "stubborn.pdf")
	})
	t.Run("a spent reader", func(t *testing.T) {
		srv := newDocling(t, newServer(t, ""))
		l := newLoader(t, srv.Server, provider.WithReader("r.pdf", io.MultiReader(strings.NewReader("x"))),
			provider.WithFiles(path("a.pdf")))
		if docs, err := l.Load(t.Context()); err != nil || len(docs) != 2 {
			t.Fatalf("documents %v, error %v; want two", docs, err)
		}
		docs, err := l.Load(t.Context())
		if len(docs) != 1 || docs[0].Metadata["filename"] != "a.pdf" {
			t.Errorf("documents of the second Load %v, want a.pdf alone", docs)
		}
		wantError(t, err, llms.ErrCodeInvalidRequest, "r.pdf", "spent")
	})
	t.Run("left early", func(t *testing.T) {
		srv := newDocling(t, newServer(t, ""))
		for d, err := range newLoader(t, srv.Server,
			provider.WithFiles(path("a.pdf"), path("part.pdf"))).Documents(t.Context()) {
			if err != nil || d.Metadata["filename"] != "a.pdf" {
				t.Errorf("document %v, error %v; want a.pdf", d, err)
			}
			break
		}
	})
}

func testJobs(t *testing.T) {
	dir := writeFiles(t, "a.pdf", "b.pdf")
	files := provider.WithFiles(filepath.Join(dir, "a.pdf"), filepath.Join(dir, "b.pdf"))
	t.Run("context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := babytest.NewPipeServer()
			defer srv.Close()
			srv.On("POST /docling/v1/convert/file/async", babytest.JSON(200, `{"task_id":"j","task_status":"pending"}`))
			srv.On("GET /docling/v1/status/poll/{id}", babytest.JSON(200, `{"task_id":"j","task_status":"started"}`))
			client := srv.Client()
			l, err := provider.NewLoader(client, files)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			docs, err := l.Load(ctx)
			if len(docs) != 0 || time.Since(start) != time.Minute || !errors.Is(err, context.DeadlineExceeded) ||
				!llms.IsTimeoutError(err) {
				t.Errorf("%v, %v after %s", docs, err, time.Since(start))
			}
			if !strings.Contains(err.Error(), "goes on and can be collected") {
				t.Errorf("the error does not name the jobs: %v", err)
			}
			client.CloseIdleConnections()
		})
	})
	t.Run("progress", func(t *testing.T) {
		srv := newDocling(t, newServer(t, ""))
		var progress []string
		_, err := newLoader(t, srv.Server, files, provider.WithBatchOptions(babyclient.BatchOptions{Concurrency: 1,
			Progress: func(p babyclient.BatchProgress) {
				progress = append(progress, fmt.Sprintf("%d/%d", p.Done, p.Total))
			}})).Load(t.Context())
		if err != nil || strings.Join(progress, " ") != "1/2 2/2" {
			t.Errorf("progress %v, error %v; want 1/2 2/2", progress, err)
		}
	})
	for name, test := range map[string]struct {
		answer http.Handler
		code   llms.ErrorCode
	}{
		"401": {babytest.JSON(401, `{"detail":"Unauthorized"}`), llms.ErrCodeAuthentication},
		"422": {babytest.JSON(422, `{"detail":"bad option"}`), llms.ErrCodeInvalidRequest},
		"500": {babytest.JSON(500, `{}`), llms.ErrCodeProviderUnavailable},
	} {
		srv := newServer(t, "POST /docling/v1/convert/file/async", test.answer)
		_, err := newLoader(t, srv, files).Load(t.Context())
		t.Run(name, func(t *testing.T) { wantError(t, err, test.code, "a.pdf", "b.pdf") })
	}
	t.Run("no chunkings as jobs", func(t *testing.T) {
		srv := newServer(t, "POST /docling/v1/chunk/hybrid/file",
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				babytest.JSON(200, chunked(documentName(r))).ServeHTTP(w, r)
			}))
		srv.On("POST /docling/v1/chunk/hybrid/file/async", babytest.JSON(404, `{"detail":"Not Found"}`))
		l := newLoader(t, srv, files, provider.WithMode(provider.PerChunk))
		for range 2 {
			docs, err := l.Load(t.Context())
			if err != nil || contents(docs) != "Intro\nfirstsecondIntro\nfirstsecond" {
				t.Errorf("documents %v, error %v; want the chunks of a.pdf and b.pdf", docs, err)
			}
		}
		refusals := 0
		for _, r := range srv.Requests() {
			if strings.HasSuffix(r.Path, "/async") {
				refusals++
			}
		}
		if refusals != 2 {
			t.Errorf("the service refused %d jobs: the second load must not try", refusals)
		}
	})
}

// An archive gives several documents, each with the archive as its source, and the sources behind
// it keep their own.
func TestLoadArchive(t *testing.T) {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /docling/v1/convert/file/async",
		babytest.JSON(200, `{"task_id":"archive","task_status":"pending"}`),
		babytest.JSON(200, `{"task_id":"single","task_status":"pending"}`))
	srv.On("GET /docling/v1/status/poll/{id}", babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
	srv.On("GET /docling/v1/result/archive", babytest.Zip(map[string]string{"a.md": "# A", "b.md": "# B"}))
	srv.On("GET /docling/v1/result/single",
		babytest.JSON(200, `{"document":{"filename":"c.md","md_content":"# C"},"status":"success"}`))
	loader, err := provider.NewLoader(srv.Client(),
		provider.WithSources(babyclient.FromBytes("both.zip", []byte("x")), babyclient.FromBytes("c.md", []byte("x"))),
		provider.WithBatchOptions(babyclient.BatchOptions{Concurrency: 1}))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := loader.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, fmt.Sprint(d.PageContent, " of ", d.Metadata[provider.MetadataSource]))
	}
	if want := []string{"# A of both.zip", "# B of both.zip", "# C of c.md"}; !slices.Equal(got, want) {
		t.Errorf("loaded %q, want %q", got, want)
	}
}

// A volume that Kubernetes mounts is a folder of links into a hidden one, which changes as a whole.
func TestLoadFolderOfLinks(t *testing.T) {
	dir := writeFiles(t, "..2026_11_25/a.md", "..2026_11_25/sub/b.md", "real/c.md")
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("links cannot be made here: ", err)
		}
	}
	link("..2026_11_25", "..data")
	link("..data/a.md", "a.md")
	link("..data/sub", "sub")
	link("real", "same")        // a folder that is listed already
	link("..", "real/circle")   // a folder that it stands in
	link("gone.txt.bak", "old") // it leads nowhere, and is no document by its name
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Symlink(dir, root); err != nil {
		t.Fatal(err)
	}
	srv := newDocling(t, newServer(t, ""))
	docs, err := newLoader(t, srv.Server, provider.WithFolder(root)).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range docs {
		names = append(names, d.Metadata["filename"].(string))
	}
	if got := strings.Join(names, " "); got != "a.md c.md b.md" {
		t.Errorf("loaded %s, want a.md c.md b.md, each once", got)
	}
	// A folder has each of its names.
	for pattern, want := range map[string]string{"same/*": "c.md", "real/*": "c.md", "real/circle/real/*": ""} {
		docs, err := newLoader(t, srv.Server, provider.WithFolder(root, pattern)).Load(t.Context())
		if (err != nil) != (want == "") || want != "" && (len(docs) != 1 || docs[0].Metadata["filename"] != want) {
			t.Errorf("%s: %v, %v; want %s", pattern, docs, err, want)
		}
	}
	link("nowhere", "lost.md")
	docs, err = newLoader(t, srv.Server, provider.WithFolder(root)).Load(t.Context())
	wantError(t, err, llms.ErrCodeInvalidRequest, "lost.md")
	if len(docs) != 3 {
		t.Errorf("%d documents, want the three that can be read", len(docs))
	}
}
