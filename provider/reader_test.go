package provider_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

const readerText = "the text of the document"

// readerKinds make a reader of readerText, some of which have more in front that was read already.
var readerKinds = map[string]struct {
	make  func(t *testing.T) io.Reader
	again bool // it can be loaded again
}{
	"strings.Reader": {func(*testing.T) io.Reader { return strings.NewReader(readerText) }, true},
	"seeker in the middle": {func(t *testing.T) io.Reader {
		r := bytes.NewReader([]byte("before " + readerText))
		if _, err := r.Seek(7, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return r
	}, true},
	"file": {func(t *testing.T) io.Reader {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte(readerText), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() }) //nolint:errcheck // it was read
		return f
	}, true},
	"bytes.Buffer": {func(*testing.T) io.Reader { return bytes.NewBufferString(readerText) }, false},
	"stream":       {func(*testing.T) io.Reader { return io.MultiReader(strings.NewReader(readerText)) }, false},
	"seeker that cannot seek": {func(*testing.T) io.Reader {
		return unseekable{io.MultiReader(strings.NewReader(readerText))}
	}, false},
}

// unseekable is like a pipe, which is an *os.File.
type unseekable struct{ io.Reader }

func (unseekable) Seek(int64, int) (int64, error) { return 0, errors.New("illegal seek") }

// uploads are the contents that a server was sent, at one of its paths.
type uploads struct {
	mu  sync.Mutex
	all []string
}

func (u *uploads) then(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := documentName(r)
		f, err := r.MultipartForm.File["files"][0].Open()
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		content, _ := io.ReadAll(f)
		u.mu.Lock()
		u.all = append(u.all, name+": "+string(content))
		u.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func TestReadersAreLoadedAgain(t *testing.T) {
	for kind, test := range readerKinds {
		t.Run(kind, func(t *testing.T) {
			var sent uploads
			const accepted, done = `{"task_id":"1","task_status":"pending"}`, `{"task_id":"1","task_status":"success"}`
			srv := newServer(t, "POST /docling/v1/convert/file/async", sent.then(babytest.JSON(200, accepted)))
			srv.On("GET /docling/v1/status/poll/1", babytest.JSON(200, done))
			srv.On("GET /docling/v1/result/1", babytest.JSON(200, converted("r.pdf")))
			l := newLoader(t, srv, provider.WithReader("r.pdf", test.make(t)))

			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := l.Load(ended); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want the cancelled context", err)
			}
			if _, err := l.Load(t.Context()); err != nil {
				t.Fatalf("a reader that was never read: %v", err)
			}
			want := []string{"r.pdf: " + readerText}
			switch _, err := l.Load(t.Context()); {
			case test.again && err != nil:
				t.Errorf("the second load: %v", err)
			case test.again:
				want = append(want, want[0])
			default:
				wantError(t, err, llms.ErrCodeInvalidRequest, "r.pdf", "spent")
			}
			if strings.Join(sent.all, "|") != strings.Join(want, "|") {
				t.Errorf("sent %q, want %q", sent.all, want)
			}
		})
	}
}

// A service without chunking as a job gets the whole document in a plain call, whatever it has read
// before it refused the job.
func TestReadersAreChunkedWithoutJobs(t *testing.T) {
	for kind, test := range readerKinds {
		for reads, refusal := range map[string]http.Handler{
			"nothing": babytest.JSON(404, `{"detail":"Not Found"}`),
			"a part": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, 200)
				babytest.JSON(404, `{"detail":"Not Found"}`).ServeHTTP(w, r)
			}),
			"all": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				babytest.JSON(404, `{"detail":"Not Found"}`).ServeHTTP(w, r)
			}),
		} {
			t.Run(kind+", read "+reads, func(t *testing.T) {
				var sent uploads
				srv := newServer(t, "POST /docling/v1/chunk/hybrid/file",
					sent.then(babytest.JSON(200, chunked("r.pdf"))))
				srv.On("POST /docling/v1/chunk/hybrid/file/async", refusal)
				l := newLoader(t, srv, provider.WithReader("r.pdf", test.make(t)), provider.WithMode(provider.PerChunk))
				docs, err := l.Load(t.Context())
				if err != nil || len(docs) == 0 {
					t.Errorf("documents %v, error %v", docs, err)
				}
				if strings.Join(sent.all, "|") != "r.pdf: "+readerText {
					t.Errorf("sent %q, want the whole document once", sent.all)
				}
			})
		}
	}
}

func TestReaderIsLoadedByOneCallAtATime(t *testing.T) {
	srv := newDocling(t, newServer(t, ""))
	l := newLoader(t, srv.Server, provider.WithReader("r.pdf", strings.NewReader("x")))
	for _, err := range l.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		_, err := l.Load(t.Context())
		wantError(t, err, llms.ErrCodeInvalidRequest, "r.pdf", "another call")
	}
	if _, err := l.Load(t.Context()); err != nil {
		t.Errorf("after the other call: %v", err)
	}
}
