package babyclient_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

// realDocling is a client of a real docling-serve, or skips.
func realDocling(t *testing.T, allowRemoteTargets bool) *babyclient.Client {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real docling-serve: run make test, or set BABYAPI_TEST_ENGINES=1")
	}
	none := "http://127.0.0.1:1"
	s, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0", ChatURL: none, EmbedURL: none,
		AllowRemoteTargets: allowRemoteTargets, AllowLocalSources: true, Messages: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := babyclient.New(babyclient.WithBaseURL(s.BaseURL()), babyclient.WithAPIKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// callbacks keeps what a CallbackHandler is told.
type callbacks struct {
	babyclient.CallbackHandler
	mu  sync.Mutex
	got []*babyclient.TaskProgress
}

func newCallbacks() *callbacks {
	c := &callbacks{}
	c.Secret = "the secret"
	c.Handle = func(_ context.Context, p *babyclient.TaskProgress) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, p)
		return nil
	}
	return c
}

// wait returns the three callbacks of a request with one document, by kind.
func (c *callbacks) wait(t *testing.T) map[string]*babyclient.TaskProgress {
	t.Helper()
	for range 200 { // docling-serve sends them beside its work
		c.mu.Lock()
		got := slices.Clone(c.got)
		c.mu.Unlock()
		if len(got) == 3 {
			byKind := map[string]*babyclient.TaskProgress{}
			for _, p := range got {
				byKind[p.Kind] = p
			}
			return byKind
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%d callbacks arrived, want 3: %+v", len(c.got), c.got)
	return nil
}

func TestRealDoclingServe(t *testing.T) {
	c := realDocling(t, false)
	const page = "<h1>Title</h1><p>Text.</p><table><tr><td>1</td></tr></table>"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	}))
	defer web.Close()
	upload, fromURL := babyclient.FromBytes("page.html", []byte(page)), babyclient.FromURL(web.URL+"/page.html")
	inline := upload
	inline.Inline = true

	t.Run("capabilities", func(t *testing.T) {
		got, err := c.Docling.Capabilities(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Versions["docling-serve"] == "" || len(got.Stages["ocr"].Presets) == 0 ||
			got.Stages["ocr"].Option != "ocr_preset" || got.Limits.MaxSourcesPerRequest == 0 ||
			got.Limits.MaxDocumentTimeout <= 0 || !slices.Contains(got.OutputFormats, "md") ||
			len(got.ImageExportModes) == 0 || !got.Features.APIKeyRequired {
			t.Errorf("got %+v, want it filled", got)
		}
		if fmt.Sprint(got.Sources, got.Targets.Allowed, got.Targets.Default) != "[file http] [inbody zip]inbody" {
			t.Errorf("sources %v and targets %+v, want what babyapi-local allows", got.Sources, got.Targets)
		}
	})
	t.Run("callbacks", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			source babyclient.Source
			chunk  bool
		}{
			{"convert an upload", upload, false}, {"convert a URL", fromURL, false}, {"convert inline", inline, false},
			{"chunk a URL", fromURL, true}, {"chunk inline", inline, true},
		} {
			for _, asJob := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, job %t", tt.name, asJob), func(t *testing.T) {
					handler := newCallbacks()
					srv := httptest.NewServer(handler)
					defer srv.Close()
					id := startWithCallback(t, c, tt.source, tt.chunk, asJob, handler.Callback(srv.URL))
					got := handler.wait(t)
					begun, document, ended := got[babyclient.ProgressNumDocs],
						got[babyclient.ProgressDocumentCompleted], got[babyclient.ProgressProcessed]
					if begun == nil || document == nil || ended == nil {
						t.Fatalf("kinds %v, want one of each", got)
					}
					if begun.NumDocs != 1 || document.NumDocs != 1 || document.NumProcessed != 1 ||
						ended.NumSucceeded != 1 || len(ended.Documents) != 1 || id != "" && ended.TaskID != id {
						t.Errorf("got %+v, %+v and %+v, want one document of task %s", begun, document, ended, id)
					}
					if d := document.Document; d == nil || !strings.HasSuffix(d.Source, "page.html") ||
						d.Status != babyclient.DocumentSuccess || d.NumTables != 1 {
						t.Errorf("document %+v, want page.html with its table", d)
					}
				})
			}
		}
	})
	t.Run("a callback over TLS", func(t *testing.T) {
		handler := newCallbacks()
		srv := httptest.NewUnstartedServer(handler)
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		defer srv.Close()
		authority := write(t, "ca.pem", string(pem.EncodeToMemory(
			&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
		callback := handler.Callback(srv.URL)
		callback.CACert = authority
		startWithCallback(t, c, inline, false, false, callback)
		handler.wait(t)
	})
	t.Run("a callback elsewhere is refused", func(t *testing.T) {
		for _, source := range []babyclient.Source{upload, fromURL, inline} {
			_, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{Sources: sources(source),
				Callbacks: []babyclient.Callback{{URL: "https://me.example/cb"}}})
			if !errors.Is(err, babyclient.ErrInvalidRequest) ||
				!strings.Contains(err.Error(), "--allow-remote-targets") {
				t.Errorf("%s: err = %v, want a refusal that names the flag", source, err)
			}
		}
	})
	t.Run("a target elsewhere and a store are refused", func(t *testing.T) {
		for _, req := range []babyclient.ConvertRequest{
			{Sources: sources(inline), Target: babyclient.PutTarget(web.URL)},
			{Sources: sources(babyclient.FromStore(babyclient.S3{Endpoint: "s3.example", Bucket: "b"})),
				Target: babyclient.S3{Endpoint: "s3.example", Bucket: "b"}},
		} {
			_, err := c.Docling.StartConvert(t.Context(), &req)
			if !errors.Is(err, babyclient.ErrInvalidRequest) ||
				!strings.Contains(err.Error(), "--allow-remote-targets") {
				t.Errorf("%s: err = %v, want a refusal that names the flag", req.Sources[0], err)
			}
		}
	})
	t.Run("names of uploads", func(t *testing.T) {
		// docling knows the format of a name that begins or ends with a dot by the content alone.
		names := []string{"10:30 meeting.md", `Essay on "X".md`, `x\a.md`, `C:\docs\b.md`, "Übersicht 日本.md",
			"100%.md", "a;b.md", "%22.md", `back\"slash.md`, "c.d.md", " spaces .md", "a/b.md",
			"..notes.html", ".html", "a.html.", "..", "noextension"}
		other := babyclient.FromBytes("other.md", []byte("# Other"))
		for _, name := range names {
			doc := babyclient.FromBytes(name, []byte("<!DOCTYPE html><html><body><h1>Title</h1></body></html>"))
			for _, list := range [][]babyclient.Source{{doc}, {doc, other}, {other, doc}} {
				resp, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: list})
				if err != nil || len(resp.Documents) != len(list) {
					t.Errorf("%q, one of %d: %v, %+v", name, len(list), err, resp)
					continue
				}
				var got []string
				for _, d := range resp.Documents {
					got = append(got, d.Filename)
				}
				if !slices.Contains(got, name) || len(list) > 1 && !slices.Contains(got, "other.md") {
					t.Errorf("%q, one of %d, comes back as %q", name, len(list), got)
				}
			}
		}
	})
	t.Run("the wait of a poll is ignored", func(t *testing.T) {
		job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{
			Sources: sources(babyclient.FromBytes("hundred.pdf", manyPages(100)))})
		if err != nil {
			t.Fatal(err)
		}
		var polls [2]int
		var waits sync.WaitGroup
		for i, opts := range [][]babyclient.WaitOption{nil, {babyclient.WithPollWait(20 * time.Second)}} {
			opts = append(opts, babyclient.OnPoll(func(*babyclient.JobStatus) { polls[i]++ }))
			waits.Go(func() {
				if _, err := job.Wait(t.Context(), opts...); err != nil {
					t.Error(err)
				}
			})
		}
		waits.Wait()
		if polls[0] < 3 || polls[1] > polls[0]+1 { // one more, as they do not begin at the same moment
			t.Errorf("%d polls with a wait, %d without; want no more", polls[1], polls[0])
		}
	})
	t.Run("a task that failed", func(t *testing.T) {
		job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{
			Sources: sources(babyclient.FromBytes("broken.pdf", []byte("no PDF"))),
			Options: babyclient.ConvertOptions{AbortOnError: new(true)}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = job.Wait(t.Context())
		status, statusErr := job.Status(t.Context())
		if !errors.Is(err, babyclient.ErrTaskFailed) || statusErr != nil || !status.Failed() ||
			status.Message == "" || status.Counts != nil {
			t.Errorf("err = %v, status %+v, %v; want a task that failed, with a message and no counts",
				err, status, statusErr)
		}
	})
}

// startWithCallback converts or chunks the source and returns the id of the job, which a plain call
// has not.
func startWithCallback(t *testing.T, c *babyclient.Client, source babyclient.Source, chunk, asJob bool,
	callback babyclient.Callback) (id string) {
	t.Helper()
	list := []babyclient.Callback{callback}
	convert := &babyclient.ConvertRequest{Sources: sources(source), Callbacks: list}
	chunks := &babyclient.ChunkRequest{Sources: sources(source), Callbacks: list}
	var err error
	switch {
	case chunk && asJob:
		var job *babyclient.ChunkJob
		if job, err = c.Docling.StartChunk(t.Context(), chunks); err == nil {
			id = job.ID
			_, err = job.Wait(t.Context())
		}
	case chunk:
		_, err = c.Docling.Chunk(t.Context(), chunks)
	case asJob:
		var job *babyclient.ConvertJob
		if job, err = c.Docling.StartConvert(t.Context(), convert); err == nil {
			id = job.ID
			_, err = job.Wait(t.Context())
		}
	default:
		_, err = c.Docling.Convert(t.Context(), convert)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Results that docling-serve puts elsewhere arrive there, and the response counts them.
func TestRealDoclingServePuts(t *testing.T) {
	c := realDocling(t, true)
	type upload struct {
		name string
		data []byte
	}
	uploads := make(chan upload, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if r.Method != http.MethodPut || err != nil || kind != "multipart/form-data" {
			t.Errorf("%s of %s, want PUT of a form", r.Method, kind)
			return
		}
		part, err := multipart.NewReader(r.Body, params["boundary"]).NextPart()
		if err != nil {
			t.Error(err)
			return
		}
		data, err := io.ReadAll(part)
		if err != nil || part.FormName() != "file" {
			t.Errorf("field %q, %v; want file", part.FormName(), err)
		}
		uploads <- upload{part.FileName(), data}
	}))
	defer srv.Close()
	inline := babyclient.FromBytes("a.md", []byte("# Title\n\nText."))
	inline.Inline = true
	arrived := func(t *testing.T) {
		t.Helper()
		select {
		case got := <-uploads:
			if !bytes.HasPrefix(got.data, []byte("PK")) {
				t.Errorf("%s: %q arrived, want a zip", got.name, got.data)
			}
		case <-time.After(10 * time.Second):
			t.Error("nothing arrived")
		}
	}
	t.Run("convert", func(t *testing.T) {
		resp, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(inline),
			Target: babyclient.PutTarget(srv.URL)})
		if err != nil || resp.Stored == nil || resp.Stored.NumSucceeded != 1 {
			t.Fatalf("got %+v, %v", resp, err)
		}
		arrived(t)
	})
	t.Run("chunk", func(t *testing.T) {
		job, err := c.Docling.StartChunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(inline),
			Target: babyclient.PutTarget(srv.URL)})
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := job.Wait(t.Context()); err != nil || resp.Stored == nil || resp.Stored.NumSucceeded != 1 {
			t.Errorf("got %+v, %v; want one document stored", resp, err)
		}
		arrived(t)
	})
	t.Run("chunk into a zip", func(t *testing.T) {
		resp, err := c.Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(inline),
			Target: babyclient.ZipTarget()})
		if err != nil || len(resp.Chunks) != 1 {
			t.Errorf("got %+v, %v; want one chunk", resp, err)
		}
	})
	t.Run("a target that cannot be reached", func(t *testing.T) {
		job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{Sources: sources(inline),
			Target: babyclient.PutTarget("http://127.0.0.1:1")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := job.Wait(t.Context()); !errors.Is(err, babyclient.ErrTaskFailed) {
			t.Errorf("err = %v, want %v", err, babyclient.ErrTaskFailed)
		}
	})
}

// The package docling reads what a real conversion says of slides and of pages.
func TestRealDocumentsAsValues(t *testing.T) {
	c := realDocling(t, false)
	read := func(t *testing.T, source babyclient.Source, options babyclient.ConvertOptions) *docling.Document {
		t.Helper()
		options.ToFormats = []string{babyclient.FormatJSON}
		resp, err := c.Docling.Convert(t.Context(),
			&babyclient.ConvertRequest{Sources: sources(source), Options: options})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := docling.Parse(resp.Document().JSON)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	t.Run("notes and comments of slides", func(t *testing.T) {
		var got []string
		for _, note := range read(t, talk(t), babyclient.ConvertOptions{}).Notes() {
			got = append(got, fmt.Sprintf("slide %d, comment %t: %s", note.Page, note.Comment, note.Text))
		}
		slices.Sort(got)
		want := []string{
			"slide 1, comment false: Greet the harbour office.",
			"slide 2, comment false: The north quay lies in the current.",
			"slide 2, comment true: [author: Ada (A), time: 2026-03-01T10:00:00.000]: Which datum is this?",
		}
		if !slices.Equal(got, want) {
			t.Errorf("notes %q, want %q", got, want)
		}
	})
	t.Run("the picture of a slide", func(t *testing.T) {
		doc := read(t, talk(t), babyclient.ConvertOptions{ImageExportMode: babyclient.ImageEmbedded})
		if len(doc.Pictures) != 1 {
			t.Fatalf("%d pictures, want 1", len(doc.Pictures))
		}
		got := pixels(t, doc.Pictures[0].Image)
		file, err := os.Open("testdata/talk/ppt/tide.png")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close() //nolint:errcheck // read only
		want, err := png.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != want.Bounds() {
			t.Fatalf("the picture has %v, want %v", got.Bounds(), want.Bounds())
		}
		for y := range want.Bounds().Dy() {
			for x := range want.Bounds().Dx() {
				if isDark(got.At(x, y)) != isDark(want.At(x, y)) {
					t.Fatalf("the pixel at %d, %d is %v, want %v", x, y, got.At(x, y), want.At(x, y))
				}
			}
		}
	})
	for _, scale := range []float64{1, 1.5, 2} {
		t.Run(fmt.Sprintf("a passage on the picture of its page, scale %g", scale), func(t *testing.T) {
			testPassageOnPage(t, read(t, babyclient.FromBytes("two.pdf", manyPages(2)), babyclient.ConvertOptions{
				IncludePageImages: new(true), ImagesScale: &scale, ImageExportMode: babyclient.ImageEmbedded}), scale)
		})
	}
}

// testPassageOnPage looks for the one text of each page in the picture of the page: the text is
// black on white, so all that is dark must be in the box of the text, and must fill its width.
func testPassageOnPage(t *testing.T, doc *docling.Document, scale float64) {
	t.Helper()
	pages := 0
	for item := range doc.Items(docling.ItemsOptions{}) {
		boxes := item.Provenance()
		if len(boxes) != 1 {
			t.Fatalf("%q has %d boxes, want 1", item.Text(), len(boxes))
		}
		pages++
		page := doc.PageByNumber[boxes[0].PageNo]
		picture := pixels(t, page.Image)
		width, height := float64(picture.Bounds().Dx()), float64(picture.Bounds().Dy())
		if math.Abs(width-scale*page.Size.Width) > 1 || math.Abs(height-scale*page.Size.Height) > 1 ||
			page.Image.Size.Width != width || page.Image.Size.Height != height {
			t.Errorf("a page of %+v has a picture of %g by %g pixels, said to be of %+v; want %g for each point",
				page.Size, width, height, page.Image.Size, scale)
		}
		b := boxes[0].BBox.ToTopLeft(page.Size.Height)
		box := image.Rect(int(b.L*scale), int(b.T*scale), int(math.Ceil(b.R*scale)), int(math.Ceil(b.B*scale)))
		var dark image.Rectangle // around all dark pixels
		for y := range picture.Bounds().Dy() {
			for x := range picture.Bounds().Dx() {
				if isDark(picture.At(x, y)) {
					dark = dark.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		const margin = 2 // pixels
		if !dark.In(box.Inset(-margin)) || dark.Dx() < box.Dx()*9/10 || dark.Dy() < box.Dy()/2 {
			t.Errorf("page %d: what is dark is in %v, the box of %q is %v", boxes[0].PageNo, dark, item.Text(), box)
		}
	}
	if pages != 2 {
		t.Errorf("%d texts, want one for each of 2 pages", pages)
	}
}

func isDark(c color.Color) bool { return color.GrayModel.Convert(c).(color.Gray).Y < 128 }

// pixels decodes a picture.
func pixels(t *testing.T, picture *docling.Image) image.Image {
	t.Helper()
	data, mediaType, err := picture.Bytes()
	if err != nil || mediaType != "image/png" {
		t.Fatalf("a picture of type %q, %v", mediaType, err)
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// talk is a presentation of two slides with notes, a comment, a table and a picture.
func talk(t *testing.T) babyclient.Source {
	t.Helper()
	var file bytes.Buffer
	parts := zip.NewWriter(&file)
	if err := errors.Join(parts.AddFS(os.DirFS("testdata/talk")), parts.Close()); err != nil {
		t.Fatal(err)
	}
	return babyclient.FromBytes("talk.pptx", file.Bytes())
}
