package babyclient

import (
	"reflect"
	"strings"
	"testing"
)

// readers are the read functions of the endpoints. Each returns what read made, as an interface
// that is nil if read returned nil.
func readers() map[string]func(raw []byte) (any, error) {
	sources := []Source{FromBytes("a.md", []byte("x")), FromBytes("b.md", []byte("x"))}
	return map[string]func(raw []byte) (any, error){
		"chat":       reader(readChat),
		"completion": reader(readCompletion),
		"embeddings": reader((&EmbedRequest{Model: "m", Input: []string{"a", "b"}, Dimensions: new(2)}).read),
		"rerank": reader((&RerankRequest{Model: "m", Query: "q", Documents: []string{"a", "b"},
			ReturnDocuments: new(true)}).read),
		"infer":   reader(readInfer),
		"models":  reader(readModels),
		"OCR":     reader(readOCR),
		"health":  reader(readHealth),
		"version": reader(readVersion),
		"convert": reader(func(raw []byte) (*ConvertResponse, error) { return readConvert(raw, sources, 1<<20) }),
		"chunks":  reader(func(raw []byte) (*ChunkResponse, error) { return readChunks(raw, sources, 1<<20) }),
		"submit":  reader(readSubmission),
		"status":  reader(readStatus),
		"cancel":  reader(readCancelled),
	}
}

func reader[T metaHolder](read func([]byte) (T, error)) func([]byte) (any, error) {
	return func(raw []byte) (any, error) {
		out, err := read(raw)
		if reflect.ValueOf(out).IsNil() {
			return nil, err
		}
		return out, err
	}
}

// An answer without what it must have is an error that names it, and never a result.
func TestReadNamesTheMissingField(t *testing.T) {
	fields := map[string]string{"chat": "choices", "completion": "choices", "embeddings": "vectors",
		"rerank": "results",
		"infer":  "output", "models": "data", "OCR": "content", "health": "status", "version": "versions",
		"convert": "document", "chunks": "chunks", "submit": "task_id", "status": "status", "cancel": "content"}
	for name, read := range readers() {
		bodies := map[string]string{"an empty object": `{}`, "null": `null`,
			"an error with status 200": `{"error":{"message":"R"}}`}
		if name == "OCR" || name == "cancel" { // of which nothing is promised
			delete(bodies, "an empty object")
		}
		for body, raw := range bodies {
			out, err := read([]byte(raw))
			switch {
			case err == nil:
				t.Errorf("%s: %s was read as %+v", name, body, out)
			case body == "an empty object" && !strings.Contains(err.Error(), fields[name]):
				t.Errorf("%s: %s: %v, want %q named", name, body, err, fields[name])
			}
		}
	}
}

// Whatever an answer holds, no read function panics, and each returns a result or an error.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"choices":[{"message":{"content":[{"type":"text"}]}}]}`,
		`{"data":[{"embedding":[1,2]},{"embedding":"AAAAAA=="}]}`,
		`{"results":[{"index":1,"relevance_score":1},{"index":0,"relevance_score":2,"document":"a"}]}`, `{"output":""}`,
		`{"document":{},"status":"failure","errors":[{}]}`, `{"chunks":[{}],"documents":[{}]}`,
		`{"task_id":"t","status":"x"}`,
		`{"num_converted":1,"num_failed":-1}`, "PK\x05\x06", "PK\x03\x04", `null`, `[]`, `"x"`, `{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name, read := range readers() {
			if out, err := read(raw); out == nil && err == nil {
				t.Errorf("%s: neither a result nor an error of %q", name, raw)
			}
		}
	})
}
