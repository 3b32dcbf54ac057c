package babyclient_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// A request, and each of its parts, encodes as the JSON that is sent, and decodes from it: no field
// is lost on the way, whether it has a name here or not.
func TestRequestsSurviveJSON(t *testing.T) {
	for _, tt := range []struct {
		name string
		json string
		into any
	}{
		{"chat", `{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"min_p":0.5,
			"stream_options":{"include_usage":false,"continuous_usage_stats":false},"seed":7,"chat_template_kwargs":{"thinking":false}}`,
			new(babyclient.ChatRequest)},
		{"chat of parts", `{"messages":[{"role":"user","content":[{"type":"text","text":""},
			{"type":"image_url","image_url":{"url":"u"},"min_pixels":12345678901234567890}]}]}`,
			new(babyclient.ChatRequest)},
		{"completion of tokens", `{"model":"m","prompt":[9007199254740993]}`, new(babyclient.CompleteRequest)},
		{"completion", `{"model":"m","prompt":["a","b"],"echo":false,"logprobs":0,"guided_regex":"x"}`,
			new(babyclient.CompleteRequest)},
		{"embeddings of texts", `{"model":"m","input":["a","b"],"dimensions":4,"priority":1}`,
			new(babyclient.EmbedRequest)},
		{"embeddings of tokens", `{"model":"m","input":[[1,2],[3]],"encoding_format":"float"}`,
			new(babyclient.EmbedRequest)},
		{"rerank of texts", `{"model":"m","query":"q","documents":["a"],"top_n":1,"return_documents":false,"x":null}`,
			new(babyclient.RerankRequest)},
		{"rerank of objects", `{"model":"m","query":"q","documents":[{"content":[{"type":"text","text":"a"}]}]}`,
			new(babyclient.RerankRequest)},
		{"infer", `{"model":"m","prompt":"p","max_tokens":0,"stop":["."]}`, new(babyclient.InferRequest)},
		{"OCR", `{"model":"m","input":"u","pages":[2,9223372036854775807],"dpi":300}`, new(babyclient.OCRRequest)},
		{"conversion options",
			`{"to_formats":["md"],"page_range":[1,3],"do_ocr":false,"table_mode":"fast","x":{"y":1}}`,
			new(babyclient.ConvertOptions)},
		{"chunking options", `{"max_tokens":64,"merge_peers":false,"x":1.5}`, new(babyclient.ChunkOptions)},
		{"part", `{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}`, new(babyclient.Part)},
		{"page range", `[3,5]`, new(babyclient.PageRange)},
		{"open page range", `[3,9223372036854775807]`, new(babyclient.PageRange)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := json.Unmarshal([]byte(tt.json), tt.into); err != nil {
				t.Fatalf("decoding %s: %v", tt.json, err)
			}
			again, err := json.Marshal(tt.into)
			if err != nil {
				t.Fatalf("encoding %+v: %v", tt.into, err)
			}
			sameJSON(t, again, tt.json)
			copied := reflect.New(reflect.TypeOf(tt.into).Elem()).Interface()
			if err := json.Unmarshal(again, copied); err != nil || !reflect.DeepEqual(copied, tt.into) {
				t.Errorf("decoded once more: %+v, %v; want %+v", copied, err, tt.into)
			}
		})
	}
}

// What is encoded is what is sent.
func TestRequestsEncodeAsTheyAreSent(t *testing.T) {
	srv := server(t)
	c := client(srv)
	chat := babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("hi")},
		Tools: []babyclient.Tool{babyclient.FunctionTool("f", "", nil)}, Extra: map[string]any{"top_k": 5}}
	embed := babyclient.EmbedRequest{Model: "m", InputTokens: [][]int{{1}}, EncodingFormat: "float"}
	rerank := babyclient.RerankRequest{Model: "m", Query: "q", DocumentObjects: []any{map[string]any{"a": 1}}}
	for _, tt := range []struct {
		name string
		send func() error
		req  any
	}{
		{"chat", func() error { _, err := c.Chat(t.Context(), &chat); return err }, chat},
		{"embeddings", func() error { _, err := c.Embed(t.Context(), &embed); return err }, embed},
		{"rerank", func() error { _, err := c.Rerank(t.Context(), &rerank); return err }, rerank},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_ = tt.send() // nothing answers, but the server keeps the request
			encoded, err := json.Marshal(tt.req)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, encoded, string(seen(t, srv).Body))
		})
	}
}

// A page range that is no two numbers is refused, and null leaves it alone.
func TestPageRangeRefusesOtherJSON(t *testing.T) {
	for _, bad := range []string{`[1]`, `[1,2,3]`, `"1-2"`, `[1.5,2]`} {
		if err := json.Unmarshal([]byte(bad), new(babyclient.PageRange)); err == nil {
			t.Errorf("%s was decoded", bad)
		}
	}
	r := babyclient.PageRange{First: 1}
	if err := json.Unmarshal([]byte(`null`), &r); err != nil || r.First != 1 {
		t.Errorf("null: %+v, %v", r, err)
	}
}
