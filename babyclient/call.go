package babyclient

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// call is one call of an endpoint, before the settings of the client and the caller are applied.
type call struct {
	method string
	path   string       // below the base URL, escaped
	header http.Header  // that the endpoint needs, nil for most
	body   *requestBody // nil: none

	isDocument bool // it can take minutes: its timeout is DefaultDocumentTimeout at least
	isUpload   bool // it is never sent again
	isStream   bool // it is answered with server-sent events
	toWriter   bool // the answer goes to a writer of the caller's as it comes

	// explain puts an error of the service into words that fit the endpoint. It may be nil.
	explain func(Error) Error
}

// op names the call in errors and logs, as in "POST /v1/rerank". A query can hold what is private.
func (k *call) op() string {
	path, _, _ := strings.Cut(k.path, "?")
	return k.method + " " + path
}

func (k *call) isRead() bool { return k.method == http.MethodGet || k.method == http.MethodHead }

// get is a call that fetches.
func get(path string) *call { return &call{method: http.MethodGet, path: path} }

// post is a call that sends v as JSON, with extra merged into it.
func post(path string, v any, extra map[string]any) (*call, error) {
	b, err := encodeBody(v, extra)
	return postBytes(path, b), err
}

// postBytes is a call that sends JSON.
func postBytes(path string, body []byte) *call {
	return &call{method: http.MethodPost, path: path, body: jsonBody(body)}
}

// refusedPost is what a [callMaker] returns that is not valid.
func refusedPost(path string, err error) (*call, error) {
	return &call{method: http.MethodPost, path: path}, err
}

// requestBody is a body that can be opened once for each attempt.
type requestBody struct {
	contentType string
	length      int64 // bytes, -1 when unknown
	open        func() (io.ReadCloser, error)
	opensOnce   bool // it is read from a reader of the caller's
}

func jsonBody(b []byte) *requestBody {
	return &requestBody{
		contentType: "application/json",
		length:      int64(len(b)),
		open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}
