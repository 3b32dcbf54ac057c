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
)

// sizes are how large the answers are.
type sizes struct {
	Texts, Dimensions int
	Chunks            int
	ToolPieces        int
	Documents         int // to rerank
	Docling           int // bytes
	Upload            int64
}

var (
	fullSizes  = sizes{Texts: 256, Dimensions: 1024, Chunks: 20_000, ToolPieces: 2_000, Documents: 1_000, Docling: 5 << 20, Upload: 200 << 20}
	quickSizes = sizes{Texts: 3, Dimensions: 8, Chunks: 20, ToolPieces: 10, Documents: 5, Docling: 4 << 10, Upload: 1 << 20}
)

const model = "meta-llama/Llama-3.3-70B-Instruct"

// answers are the bytes that every client gets, and what they say.
type answers struct {
	sizes sizes

	Chat, EmbedFloat, EmbedBase64, Stream, ToolStream, Rerank, Docling, Upload []byte

	text      string // of Chat
	vectors   [][]float32
	streamed  string // the text of Stream
	arguments string // the arguments of the tool call of ToolStream
	order     []int  // of the documents of Rerank
	markdown  string // of Docling
}

func newAnswers(s sizes) *answers {
	a := &answers{sizes: s, text: "The capital of France is Paris. It lies on the Seine, and has been the capital since the tenth century."}
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same bytes in every run
	word := func(i int) string {
		return [...]string{" the", " model", " Seine", ",", " read", "ing", " café", "."}[i%8]
	}

	a.Chat = fmt.Appendf(nil, `{"id":"chatcmpl-bae197190d11bf52","object":"chat.completion","created":1795345548,"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning_content":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"service_tier":null,"system_fingerprint":null,"usage":{"prompt_tokens":14,"total_tokens":38,"completion_tokens":24,"prompt_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,"kv_transfer_params":null}`, model, a.text)

	for range s.Texts {
		v := make([]float32, s.Dimensions)
		for i := range v {
			v[i] = float32(rnd.NormFloat64() / 32)
		}
		a.vectors = append(a.vectors, v)
	}
	embeddings := func(encode func([]float32) any) []byte {
		var data []map[string]any
		for i, v := range a.vectors {
			data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": encode(v)})
		}
		return mustJSON(map[string]any{"id": "embd-1", "object": "list", "model": model, "data": data,
			"usage": map[string]int{"prompt_tokens": 12 * s.Texts, "total_tokens": 12 * s.Texts}})
	}
	a.EmbedFloat = embeddings(func(v []float32) any {
		wide := make([]float64, len(v)) // as Python writes a float32: all digits of the float64
		for i, f := range v {
			wide[i] = float64(f)
		}
		return wide
	})
	a.EmbedBase64 = embeddings(func(v []float32) any { return base64Vector(v) })

	var text strings.Builder
	var stream bytes.Buffer
	for i := range s.Chunks {
		text.WriteString(word(i))
		fmt.Fprintf(&stream, `data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk","created":1795345548,"model":%q,"choices":[{"index":0,"delta":{"content":%q},"logprobs":null,"finish_reason":null,"token_ids":null}],"prompt_token_ids":null}`+"\n\n", model, word(i))
	}
	fmt.Fprintf(&stream, `data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk","created":1795345548,"model":%q,"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"prompt_token_ids":null}`+"\n\ndata: [DONE]\n\n", model)
	a.Stream, a.streamed = stream.Bytes(), text.String()

	var tool bytes.Buffer
	chunk := func(call string) {
		fmt.Fprintf(&tool, `data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk","created":1795345548,"model":%q,"choices":[{"index":0,"delta":{"tool_calls":[%s]},"logprobs":null,"finish_reason":null,"token_ids":null}]}`+"\n\n", model, call)
	}
	chunk(`{"id":"chatcmpl-tool-1","type":"function","index":0,"function":{"name":"save","arguments":"{\"text\":\""}}`)
	var arguments strings.Builder
	arguments.WriteString(`{"text":"`)
	for i := range s.ToolPieces {
		arguments.WriteString(word(i))
		chunk(fmt.Sprintf(`{"index":0,"function":{"arguments":%q}}`, word(i)))
	}
	arguments.WriteString(`"}`)
	chunk(`{"index":0,"function":{"arguments":"\"}"}}`)
	fmt.Fprintf(&tool, `data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk","created":1795345548,"model":%q,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls","token_ids":null}]}`+"\n\ndata: [DONE]\n\n", model)
	a.ToolStream, a.arguments = tool.Bytes(), arguments.String()

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
	for i, at := range rnd.Perm(s.Documents) {
		a.order = append(a.order, at)
		results = append(results, ranked{at, document{rerankText(at), nil}, 1 / float64(i+1)})
	}
	a.Rerank = mustJSON(map[string]any{"id": "rerank-1", "model": model, "usage": map[string]int{"total_tokens": 40 * s.Documents}, "results": results})

	var markdown strings.Builder
	var items []map[string]any
	for i := 0; markdown.Len() < s.Docling/3; i++ {
		line := fmt.Sprintf("## Section %d\n\nThe \"model\" reads%s%s a line of a document | and a cell\n\n", i, word(i), word(i+3))
		markdown.WriteString(line)
		items = append(items, map[string]any{"self_ref": fmt.Sprintf("#/texts/%d", i), "label": "text", "text": line, "prov": []map[string]any{{"page_no": i/40 + 1, "bbox": map[string]any{"l": 72.1, "t": 711.5, "r": 540.25, "b": 700.75, "coord_origin": "BOTTOMLEFT"}, "charspan": []int{0, len(line)}}}})
	}
	a.markdown = markdown.String()
	a.Docling = doclingAnswer("report.pdf", a.markdown, map[string]any{"schema_name": "DoclingDocument", "version": "1.7.0", "name": "report", "texts": items})
	a.Upload = doclingAnswer("upload.bin", "received", nil)
	return a
}

func doclingAnswer(name, markdown string, document any) []byte {
	return mustJSON(map[string]any{"id": "file-1", "object": "file", // what the OpenAI clients look for in the answer to an upload
		"document": map[string]any{"filename": name, "md_content": markdown, "json_content": document, "html_content": nil, "text_content": nil, "doctags_content": nil},
		"status":   "success", "errors": []any{}, "processing_time": 1.5, "timings": map[string]any{}})
}

func rerankText(i int) string {
	return fmt.Sprintf("Passage %d says %s", i, strings.Repeat("something of some length. ", 8))
}

func base64Vector(v []float32) string {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// answer is what a request is answered with.
func (a *answers) answer(path string, request []byte) (contentType string, body []byte) {
	has := func(s string) bool { return bytes.Contains(request, []byte(s)) }
	switch {
	case strings.HasSuffix(path, "/v1/chat/completions") && has(`"stream":true`) && has(`"tools":`):
		return "text/event-stream", a.ToolStream
	case strings.HasSuffix(path, "/v1/chat/completions") && has(`"stream":true`):
		return "text/event-stream", a.Stream
	case strings.HasSuffix(path, "/v1/chat/completions"):
		return "application/json", a.Chat
	case strings.HasSuffix(path, "/v1/embeddings") && has(`"encoding_format":"base64"`):
		return "application/json", a.EmbedBase64
	case strings.HasSuffix(path, "/v1/embeddings"):
		return "application/json", a.EmbedFloat
	case strings.HasSuffix(path, "/v1/rerank"):
		return "application/json", a.Rerank
	case strings.HasSuffix(path, "/v1/convert/source"):
		return "application/json", a.Docling
	}
	return "application/json", fmt.Appendf(nil, `{"error":{"message":"no answer for %s"}}`, path)
}

// memory answers without a network, so that nothing but the client is measured.
type memory struct{ *answers }

func clientOf(a *answers) *http.Client { return &http.Client{Transport: memory{a}} }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	request := make([]byte, r.ContentLength) // at once, so that no allocation but this one is ours
	if _, err := io.ReadFull(r.Body, request); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	contentType, body := m.answer(r.URL.Path, request)
	length := int64(len(body))
	if contentType == "text/event-stream" {
		length = -1
	}
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {contentType}}, ContentLength: length,
		Body: io.NopCloser(struct{ io.Reader }{bytes.NewReader(body)})}, nil // no more than a Read, as a connection has
}
