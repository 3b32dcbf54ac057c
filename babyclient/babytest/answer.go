package babytest

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Done is the data of the event that ends a stream.
const Done = "[DONE]"

// JSON answers with a status and v as JSON; a string, a []byte or a [json.RawMessage] is sent as it
// is. It panics when v cannot be encoded.
func JSON(status int, v any) http.Handler {
	var body []byte
	switch v := v.(type) {
	case string:
		body = []byte(v)
	case []byte:
		body = v
	case json.RawMessage:
		body = v
	default:
		var err error
		if body, err = json.Marshal(v); err != nil {
			panic("babytest: " + err.Error())
		}
	}
	return Body(status, "application/json", body)
}

// Body answers with a status, a content type and a body.
func Body(status int, contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client may have gone, as it is tested to do
	})
}

// Events answers with a stream of server-sent events with these data, each sent at once. A
// stream that ends as it should has [Done] as its last one.
func Events(data ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		flush, _ := w.(http.Flusher)
		for _, d := range data {
			if _, err := io.WriteString(w, "data: "+strings.ReplaceAll(d, "\n", "\ndata: ")+"\n\n"); err != nil {
				return
			}
			flush.Flush()
		}
	})
}

// Stream is [Events] with [Done] at the end.
func Stream(data ...string) http.Handler { return Events(append(slices.Clone(data), Done)...) }

// Zip answers with a zip of files by name, as docling-serve does for several documents.
func Zip(files map[string]string) http.Handler {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, files[name])
		}
		if err != nil {
			panic("babytest: " + err.Error())
		}
	}
	if err := z.Close(); err != nil {
		panic("babytest: " + err.Error())
	}
	return Body(http.StatusOK, "application/zip", buf.Bytes())
}

// Redirect answers with a redirect to url.
func Redirect(status int, url string) http.Handler {
	return WithHeader(Body(status, "text/plain", nil), "Location", url)
}

// Recorded answers with the bytes of a whole response as they were on the wire, status line,
// header, chunk framing and all, and closes the connection.
func Recorded(response []byte) http.Handler { return recorded(response) }

type recorded []byte

func (r recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	hijack(w, req, func(c *conn) { _, _ = c.Write(r) })
}

// WithHeader adds a header to an answer.
func WithHeader(h http.Handler, name, value string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		h.ServeHTTP(w, r)
	})
}

// Gzip compresses an answer.
func Gzip(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, body := record(h, r)
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, err := z.Write(body)
		if closeErr := z.Close(); err != nil || closeErr != nil {
			panic("babytest: gzip failed in memory")
		}
		maps.Copy(w.Header(), header.header)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
		w.WriteHeader(header.status)
		_, _ = w.Write(buf.Bytes())
	})
}

// Delay waits before an answer, or until the client has gone.
func Delay(h http.Handler, d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			h.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}
