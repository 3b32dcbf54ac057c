package babyclient

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
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

	hold time.Duration // how long the service may hold its answer back, beside the time limit

	// secrets are those that the request does not hold itself: of the request that a job was
	// submitted with.
	secrets secrets

	// explain puts an error of the service into words that fit the endpoint. It may be nil.
	explain func(Error) Error
}

// op names the call in errors and logs, as in "POST /v1/rerank". A query can hold what is private.
func (k *call) op() string {
	path, _, _ := strings.Cut(k.path, "?")
	return k.method + " " + path
}

// addSecrets adds those that the call itself holds.
func (k *call) addSecrets(c *collector) {
	c.addURL(k.path)
	c.addHeader(k.header)
	if k.body != nil {
		k.body.addSecrets(c)
	}
	c.found = append(c.found, k.secrets...)
}

// newGet describes a GET. Nothing is sent yet.
func newGet(path string) *call { return &call{method: http.MethodGet, path: path} }

// newPost describes a POST of v as JSON, with extra merged into it. Nothing is sent yet.
func newPost(path string, v any, extra map[string]any) (*call, error) {
	b, err := encodeBody(v, extra)
	return newPostOf(path, b), err
}

// newPostOf describes a POST of JSON that is encoded already.
func newPostOf(path string, body []byte) *call {
	return &call{method: http.MethodPost, path: path, body: jsonBody(body)}
}

// refusedPost returns err, together with a call that only names the endpoint for the error's sake.
func refusedPost(path string, err error) (*call, error) {
	return &call{method: http.MethodPost, path: path}, err
}

// requestBody is a body that can be opened once for each attempt.
type requestBody struct {
	contentType string
	length      int64 // bytes, -1 when unknown
	open        func() (io.ReadCloser, error)
	opensOnce   bool // it is read from a reader of the caller's

	addSecrets func(*collector) // adds those that the body holds
}

func jsonBody(b []byte) *requestBody {
	return &requestBody{
		contentType: "application/json",
		length:      int64(len(b)),
		open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		addSecrets:  func(c *collector) { c.addJSON(b, jsonPlace{}) },
	}
}
