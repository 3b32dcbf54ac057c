// Package calls is what every compared client is asked for: the operations, what their requests
// hold, and the form that a client has for the benchmarks.
package calls

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"os"
)

// The operations.
const (
	EmbedDefault = "embed-default" // in the encoding that the client asks for when nobody tells it
	EmbedFloat   = "embed-float"
	EmbedBase64  = "embed-base64"
	Stream       = "stream"
	Collect      = "stream-collected"
	ToolStream   = "stream-tool-call"
	Chat         = "chat"
	Rerank       = "rerank"
	Docling      = "docling"
	Upload       = "upload"
)

// What the requests say.
const (
	Key      = "benchmark-key"
	Model    = "meta-llama/Llama-3.3-70B-Instruct"
	Prompt   = "What is the capital of France?"
	Query    = "capital of France"
	ToolName = "save"
	URL      = "https://example.com/report.pdf"
)

// ToolSchema is the schema of the one tool.
var ToolSchema = map[string]any{
	"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}},
}

// Input is what requests hold that differs from run to run.
type Input struct {
	Texts     []string // to embed
	Documents []string // to rerank
	File      string   // to upload
}

// Call makes one call and returns what its answer says: a text, vectors as [][]float32 or
// [][]float64, or the order of reranked documents. A stream gives each piece of its text to piece.
type Call func(piece func(string)) (any, error)

// Client holds the calls by operation. An operation that the client does not have is missing.
type Client map[string]Call

// Dial connects a client with the service at base, through hc; if hc is nil, as the client comes.
type Dial func(base string, hc *http.Client, in *Input) (Client, error)

// Main is the whole of a program that makes one call: PROGRAM OPERATION URL [TEXT... or FILE]. It
// prints how long the text of the answer is, or how many numbers its vectors have.
func Main(dial Dial) {
	n, err := one(dial, os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(n) //nolint:forbidigo // the benchmark reads it
}

func one(dial Dial, operation, base string, args []string) (n int, err error) {
	in := &Input{Texts: args}
	if operation == Upload {
		in.File = args[0]
	}
	client, err := dial(base, nil, in)
	if err != nil {
		return 0, err
	}
	call, ok := client[operation]
	if !ok {
		return 0, fmt.Errorf("no operation %q", operation)
	}
	answer, err := call(func(piece string) { n += len(piece) })
	if err != nil {
		return 0, err
	}
	switch a := answer.(type) {
	case string:
		n += len(a)
	case [][]float32:
		n += len(a) * len(a[0])
	case [][]float64:
		n += len(a) * len(a[0])
	}
	return n, nil
}

// DecodeBase64 is what a caller writes whose client leaves vectors in base64 to it.
func DecodeBase64(text string) ([]float32, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// RerankAnswer is what a caller writes whose client has no reranking.
type RerankAnswer struct {
	Model   string `json:"model"`
	Results []struct {
		Index          int     `json:"index"`
		RelevanceScore float64 `json:"relevance_score"`
		Document       struct {
			Text string `json:"text"`
		} `json:"document"`
	} `json:"results"`
}

// Order returns the indexes of the documents, best first.
func (r *RerankAnswer) Order() []int {
	var order []int
	for i := range r.Results {
		order = append(order, r.Results[i].Index)
	}
	return order
}
