package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxJSON is the size of the largest JSON body that is read, in bytes. Bodies for docling are
// passed on unread and have no limit here.
const maxJSON = 16 << 20

// requestBody is a JSON object whose fields are read only as far as needed.
type requestBody map[string]json.RawMessage

// text is the string at key, or empty where there is none.
func (b requestBody) text(key string) (string, error) {
	raw, ok := b[key]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%s must be a string, not %.40s", key, raw)
	}
	return s, nil
}

// number is the whole number at key; isSet is false where there is none.
func (b requestBody) number(key string) (n int, isSet bool, err error) {
	raw, ok := b[key]
	if !ok || string(raw) == "null" {
		return 0, false, nil
	}
	if err := json.Unmarshal(raw, &n); err != nil {
		return 0, false, fmt.Errorf("%s must be a whole number, not %.40s", key, raw)
	}
	return n, true, nil
}

// readBody reads the JSON body of a request and leaves it to be read again. If it returns nil, it
// has answered the request.
func readBody(w http.ResponseWriter, r *http.Request) requestBody {
	if b, ok := r.Body.(*clockedBody); ok {
		b.hurry()
	}
	held := leaseOf(r.Context())
	text, err := held.readAll(http.MaxBytesReader(w, r.Body, maxJSON))
	if err == nil {
		err = held.takeDecoded(text, bytesOfValue)
	}
	if err != nil {
		failBody(w, err)
		return nil
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		writeError(w, http.StatusUnsupportedMediaType,
			"the body has Content-Encoding %q: send it uncompressed", encoding)
		return nil
	}
	var body requestBody
	if err := json.Unmarshal(text, &body); err != nil || body == nil {
		message := "the body is not a JSON object"
		if err != nil {
			message += ": " + err.Error()
		}
		badRequest(w, "body", message)
		return nil
	}
	setBody(r, text)
	r.TransferEncoding = nil
	return body
}

func setBody(r *http.Request, text []byte) {
	r.Body = io.NopCloser(bytes.NewReader(text))
	r.ContentLength = int64(len(text))
}

// readBodyFor is readBody of a request for a model that the backend has.
func readBodyFor(w http.ResponseWriter, r *http.Request, b *backend) requestBody {
	body := readBody(w, r)
	if body == nil {
		return nil
	}
	model, err := body.text("model")
	if err != nil {
		badRequest(w, "model", err.Error())
		return nil
	}
	if !b.knows(model) {
		unknownModel(w, model, b)
		return nil
	}
	return body
}

// unknownModel is vLLM's answer to a model that it does not have. llama.cpp would answer with the
// model that it has.
func unknownModel(w http.ResponseWriter, model string, b *backend) {
	param := "model"
	writeErrorBody(w, http.StatusNotFound, errorBody{
		Message: fmt.Sprintf("The model `%s` does not exist. Valid here: %s.", model, strings.Join(b.names, ", ")),
		Type:    "NotFoundError", Param: &param, Code: http.StatusNotFound})
}
