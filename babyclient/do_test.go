package babyclient_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

var errDiskFull = errors.New("the disk is full")

// fullDisk takes so many bytes.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(d.left, len(p))
	d.left -= n
	if n < len(p) {
		return n, errDiskFull
	}
	return n, nil
}

// shortWriter breaks the rules of io.Writer: it takes a part and says nothing.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

// A writer of the caller's that fails is told from a connection that fails: nothing is wrong with
// the service, and nothing "may have run".
func TestDoTellsAFailingWriterFromALostConnection(t *testing.T) {
	srv := server(t)
	whole := babytest.Body(200, "text/plain", []byte(strings.Repeat("x", 100_000)))
	srv.On("POST /v1/export", whole)
	srv.On("POST /v1/cut", babytest.Cut(whole, 50_000))
	c := client(srv)
	for _, tt := range []struct {
		name, path string
		w          io.Writer
		want       error // of the writer
		sentinel   error
	}{
		{"the writer fails at once", "/v1/export", &fullDisk{}, errDiskFull, nil},
		{"the writer fails midway", "/v1/export", &fullDisk{left: 70_000}, errDiskFull, nil},
		{"the writer takes less than it is given", "/v1/export", shortWriter{}, io.ErrShortWrite, nil},
		{"the connection fails", "/v1/cut", io.Discard, nil, babyclient.ErrConnection},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := fails(t, c.Do(t.Context(), "POST", tt.path, map[string]any{}, tt.w))
			if tt.want != nil {
				if !errors.Is(e, tt.want) || e.Code != babyclient.CodeWriteFailed ||
					errors.Is(e, babyclient.ErrConnection) ||
					strings.Contains(e.Error(), "may have run") || e.StatusCode != 200 {
					t.Errorf("err = %v (code %s, status %d), want the writer's", e, e.Code, e.StatusCode)
				}
				return
			}
			if !errors.Is(e, tt.sentinel) || !strings.Contains(e.Error(), "may have run") {
				t.Errorf("err = %v, want %v", e, tt.sentinel)
			}
		})
	}
}

type panickyWriter struct{}

func (panickyWriter) Write([]byte) (int, error) { panic("written to") }

// A writer that panics does not leave the connection behind.
func TestDoClosesWhenTheWriterPanics(t *testing.T) {
	srv := server(t)
	gone := make(chan struct{})
	srv.On("POST /v1/export", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = client(srv).Do(t.Context(), "POST", "/v1/export", nil, panickyWriter{})
	}()
	<-gone
}
