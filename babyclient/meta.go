package babyclient

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Meta is what came with an answer beside its typed fields. Every answer embeds it.
type Meta struct {
	// StatusCode is the HTTP status.
	StatusCode int `json:"-"`
	// Header is the header of the answer, rate limits included. All chunks of a stream share it:
	// do not change it.
	Header http.Header `json:"-"`
	// RequestID is the service's id of the request, empty if the service gave none.
	RequestID string `json:"-"`
	// Raw is the JSON of the answer as received, with every field that has no name here.
	// It is empty if the answer was not JSON, and in an answer that was collected from a stream.
	Raw json.RawMessage `json:"-"`
}

func (m *Meta) meta() *Meta { return m }

// metaOf is what the head of an answer tells.
func metaOf(resp *http.Response) Meta {
	return Meta{StatusCode: resp.StatusCode, Header: resp.Header, RequestID: requestID(resp.Header)}
}

// requestID reads the header by its canonical names, as net/http stores them.
func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Babyapi-Request-Id", "X-Request-Id"} {
		if v := h[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return ""
}

// mediaTypeOf is the media type of an answer without its parameters, in lower case.
func mediaTypeOf(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}
