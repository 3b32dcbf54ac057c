package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// sizes are how large the answers are.
type sizes struct {
	Texts, Dimensions int // of the embeddings
	Chunks            int // of the stream
	ToolPieces        int // of the streamed tool call
	Documents         int // to rerank
	Docling           int // bytes of a converted document
	Upload            int64
}

var (
	fullSizes = sizes{
		Texts: 256, Dimensions: 1024, Chunks: 20_000, ToolPieces: 2_000,
		Documents: 1_000, Docling: 5 << 20, Upload: 200 << 20,
	}
	quickSizes = sizes{
		Texts: 3, Dimensions: 8, Chunks: 20, ToolPieces: 10,
		Documents: 5, Docling: 4 << 10, Upload: 1 << 20,
	}
)

// answers are the bytes that every client gets, and what a client must make of them.
type answers struct {
	sizes sizes
	body  map[string][]byte // by operation
	want  map[string]any    // by operation, as a calls.Call returns it or hands it on piece by piece
}

func newAnswers(s sizes) *answers {
	a := &answers{sizes: s, body: map[string][]byte{}, want: map[string]any{}}
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same bytes in every run
	a.addChat()
	a.addEmbeddings(rnd)
	a.addStream()
	a.addToolStream()
	a.addRerank(rnd)
	a.addDocling()
	return a
}

// input is what the clients send.
func (a *answers) input() *calls.Input {
	in := &calls.Input{}
	for range a.sizes.Texts {
		in.Texts = append(in.Texts, strings.Repeat("a sentence to embed ", 4))
	}
	for i := range a.sizes.Documents {
		in.Documents = append(in.Documents, documentText(i))
	}
	return in
}

func documentText(i int) string {
	return fmt.Sprintf("Passage %d says %s", i, strings.Repeat("something of some length. ", 8))
}

// word is the text of a chunk.
func word(i int) string {
	return [...]string{" the", " model", " Seine", ",", " read", "ing", " café", "."}[i%8]
}

// The answers have the fields that vLLM and docling-serve write, those without a value included.

func (a *answers) addChat() {
	const text = "The capital of France is Paris. It lies on the Seine, and has been the capital since the " +
		"tenth century."
	a.want[calls.Chat] = text
	a.body[calls.Chat] = fmt.Appendf(nil, `{"id":"chatcmpl-bae197190d11bf52","object":"chat.completion",`+
		`"created":1795345548,"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%q,`+
		`"refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],`+
		`"reasoning_content":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,`+
		`"token_ids":null}],"service_tier":null,"system_fingerprint":null,"usage":{"prompt_tokens":14,`+
		`"total_tokens":38,"completion_tokens":24,"prompt_tokens_details":null},"prompt_logprobs":null,`+
		`"prompt_token_ids":null,"kv_transfer_params":null}`, calls.Model, text)
}

func (a *answers) addEmbeddings(rnd *rand.Rand) {
	vectors := make([][]float32, a.sizes.Texts)
	for i := range vectors {
		vectors[i] = make([]float32, a.sizes.Dimensions)
		for k := range vectors[i] {
			vectors[i][k] = float32(rnd.NormFloat64() / 32)
		}
	}
	encode := func(encodeVector func([]float32) any) []byte {
		var data []map[string]any
		for i, v := range vectors {
			data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": encodeVector(v)})
		}
		tokens := 12 * len(vectors)
		return mustJSON(map[string]any{"id": "embd-1", "object": "list", "model": calls.Model, "data": data,
			"usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens}})
	}
	inBase64 := encode(func(v []float32) any { return base64Vector(v) })
	a.body[calls.EmbedDefault], a.body[calls.EmbedBase64] = inBase64, inBase64
	// Python writes a float32 with all digits of the float64.
	a.body[calls.EmbedFloat] = encode(func(v []float32) any { return float64s(v) })
	for _, operation := range []string{calls.EmbedDefault, calls.EmbedFloat, calls.EmbedBase64} {
		a.want[operation] = vectors
	}
}

func float64s(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, f := range v {
		out[i] = float64(f)
	}
	return out
}

func base64Vector(v []float32) string {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// addChunk adds an event of a stream of chat.
func addChunk(stream *bytes.Buffer, delta, finish string) {
	fmt.Fprintf(stream, `data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk",`+
		`"created":1795345548,"model":%q,"choices":[{"index":0,"delta":%s,"logprobs":null,`+
		`"finish_reason":%s,"token_ids":null}],"prompt_token_ids":null}`+"\n\n", calls.Model, delta, finish)
}

func (a *answers) addStream() {
	var text strings.Builder
	var stream bytes.Buffer
	for i := range a.sizes.Chunks {
		text.WriteString(word(i))
		addChunk(&stream, fmt.Sprintf(`{"content":%q}`, word(i)), "null")
	}
	addChunk(&stream, `{"content":""}`, `"stop"`)
	stream.WriteString("data: [DONE]\n\n")
	for _, operation := range []string{calls.Stream, calls.Collect} {
		a.body[operation], a.want[operation] = stream.Bytes(), text.String()
	}
}

func (a *answers) addToolStream() {
	var stream bytes.Buffer
	addPiece := func(format, piece string) {
		addChunk(&stream, fmt.Sprintf(`{"tool_calls":[`+format+`]}`, piece), "null")
	}
	const begin, end = `{"text":"`, `"}`
	addPiece(`{"id":"chatcmpl-tool-1","type":"function","index":0,"function":{"name":"save","arguments":%q}}`, begin)
	var text strings.Builder
	for i := range a.sizes.ToolPieces {
		text.WriteString(word(i))
		addPiece(`{"index":0,"function":{"arguments":%q}}`, word(i))
	}
	addPiece(`{"index":0,"function":{"arguments":%q}}`, end)
	addChunk(&stream, `{}`, `"tool_calls"`)
	stream.WriteString("data: [DONE]\n\n")
	a.body[calls.ToolStream], a.want[calls.ToolStream] = stream.Bytes(), begin+text.String()+end
}

func (a *answers) addRerank(rnd *rand.Rand) {
	type document struct { // in the order of vLLM
		Text       string `json:"text"`
		MultiModal any    `json:"multi_modal"`
	}
	type ranked struct {
		Index    int      `json:"index"`
		Document document `json:"document"`
		Score    float64  `json:"relevance_score"`
	}
	var results []ranked
	order := rnd.Perm(a.sizes.Documents)
	for i, index := range order {
		results = append(results, ranked{index, document{documentText(index), nil}, 1 / float64(i+1)})
	}
	a.want[calls.Rerank] = order
	a.body[calls.Rerank] = mustJSON(map[string]any{"id": "rerank-1", "model": calls.Model, "results": results,
		"usage": map[string]int{"total_tokens": 40 * a.sizes.Documents}})
}

func (a *answers) addDocling() {
	var markdown strings.Builder
	var items []map[string]any
	box := map[string]any{"l": 72.1, "t": 711.5, "r": 540.25, "b": 700.75, "coord_origin": "BOTTOMLEFT"}
	for i := 0; markdown.Len() < a.sizes.Docling/3; i++ {
		text := fmt.Sprintf("## Section %d\n\nThe \"model\" reads%s%s a line of a document | and a cell\n\n",
			i, word(i), word(i+3))
		markdown.WriteString(text)
		where := map[string]any{"page_no": i/40 + 1, "bbox": box, "charspan": []int{0, len(text)}}
		items = append(items, map[string]any{"self_ref": fmt.Sprintf("#/texts/%d", i), "label": "text",
			"text": text, "prov": []map[string]any{where}})
	}
	document := map[string]any{"schema_name": "DoclingDocument", "version": "1.7.0", "name": "report", "texts": items}
	a.want[calls.Docling] = markdown.String()
	a.body[calls.Docling] = doclingAnswer("report.pdf", markdown.String(), document)
	a.body[calls.Upload] = doclingAnswer("upload.bin", "received", nil)
}

func doclingAnswer(name, markdown string, document any) []byte {
	return mustJSON(map[string]any{
		"id": "file-1", "object": "file", // what the OpenAI clients look for in the answer to an upload
		"document": map[string]any{"filename": name, "md_content": markdown, "json_content": document,
			"html_content": nil, "text_content": nil, "doctags_content": nil},
		"status": "success", "errors": []any{}, "processing_time": 1.5, "timings": map[string]any{},
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

const (
	typeJSON   = "application/json"
	typeStream = "text/event-stream"
)

// answer is what a request is answered with.
func (a *answers) answer(path string, request []byte) (contentType string, body []byte) {
	has := func(s string) bool { return bytes.Contains(request, []byte(s)) }
	switch {
	case strings.HasSuffix(path, "/v1/chat/completions") && has(`"stream":true`) && has(`"tools":`):
		return typeStream, a.body[calls.ToolStream]
	case strings.HasSuffix(path, "/v1/chat/completions") && has(`"stream":true`):
		return typeStream, a.body[calls.Stream]
	case strings.HasSuffix(path, "/v1/chat/completions"):
		return typeJSON, a.body[calls.Chat]
	case strings.HasSuffix(path, "/v1/embeddings") && has(`"encoding_format":"base64"`):
		return typeJSON, a.body[calls.EmbedBase64]
	case strings.HasSuffix(path, "/v1/embeddings"):
		return typeJSON, a.body[calls.EmbedFloat]
	case strings.HasSuffix(path, "/v1/rerank"):
		return typeJSON, a.body[calls.Rerank]
	case strings.HasSuffix(path, "/v1/convert/source"):
		return typeJSON, a.body[calls.Docling]
	}
	return typeJSON, fmt.Appendf(nil, `{"error":{"message":"no answer for %s"}}`, path)
}

// memory answers without a network, so that nothing but the client is measured.
type memory struct{ *answers }

// memoryURL is the address of a service that memory stands for.
const memoryURL = "http://bench.invalid"

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	request := make([]byte, r.ContentLength) // at once, so that no allocation but this one is ours
	if _, err := io.ReadFull(r.Body, request); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	contentType, body := m.answer(r.URL.Path, request)
	length := int64(len(body))
	if contentType == typeStream {
		length = -1
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {contentType}}, ContentLength: length,
		Body: io.NopCloser(struct{ io.Reader }{bytes.NewReader(body)}), // no more than Read, as a connection has
	}, nil
}
