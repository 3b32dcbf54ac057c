package babyclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// sameChunks decodes the lines of events one after the other, as one stream, and compares each
// chunk with what is made of the line alone, which is what encoding/json makes of it where all
// fits.
func sameChunks(t *testing.T, events []byte) {
	t.Helper()
	memo := chunkMemo{meta: Meta{StatusCode: 200}}
	var kept []*ChatChunk
	var want []*ChatChunk
	for line := range bytes.SplitSeq(events, []byte("\n")) {
		plain := new(ChatChunk)
		if json.Unmarshal(line, plain) != nil {
			*plain = *decodeChatChunk(line)
		}
		plain.Meta = Meta{StatusCode: 200, Raw: bytes.Clone(line)}
		got := memo.decode(line)
		if got.err != nil && plain.err != nil {
			got.err = plain.err
		}
		kept, want = append(kept, got), append(want, plain)
	}
	for i := range kept { // after the stream, so that one chunk overwriting another is seen
		if len(kept[i].Raw) == 0 {
			kept[i].Raw = nil
		}
		if len(want[i].Raw) == 0 {
			want[i].Raw = nil
		}
		if !reflect.DeepEqual(kept[i], want[i]) {
			t.Fatalf("event %d of %q:\n got %+v\nwant %+v", i, events, kept[i], want[i])
		}
	}
}

var chunkSeeds = []string{
	`{"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":"bc"}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":""}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":"\n"}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":"é"}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":"` + "\xff" + `"}}]}
{"id":"1","choices":[{"index":0,"delta":{"content":"d"}}]}
{"id":"1","choices":[],"usage":{"prompt_tokens":1}}`,
	`{"choices":[{"delta":{"reasoning":"a"}}]}
{"choices":[{"delta":{"reasoning":"b"}}]}
{"choices":[{"delta":{"content":"c"}}]}`,
	`{"choices":[{"delta":{"reasoning_content":"a"}}]}
{"choices":[{"delta":{"reasoning_content":""}}]}
{"choices":[{"delta":{"reasoning_content":"b","reasoning":"c"}}]}
{"choices":[{"delta":{"reasoning_content":"b","reasoning":"d"}}]}`,
	`{"choices":[{"delta":{"content":"a","Content":"x"}}]}
{"choices":[{"delta":{"content":"b","Content":"x"}}]}`,
	`{"choices":[{"delta":{"content":"a","content":"x"}}]}
{"choices":[{"delta":{"content":"a","content":"y"}}]}`,
	`{"choices":[{"delta":{"a\"content":"a","content":"x"}}]}
{"choices":[{"delta":{"x":"\"content\":\"y"}}]}`,
	`{"choices":[{"delta":{"content":"a"},"stop_reason":[1]}]}
{"choices":[{"delta":{"content":"b"},"stop_reason":[1]}]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}
{"choices":[{"index":1,"delta":{"content":"a"}}]}
{"choices":[{"index":0,"delta":{"content":"a"}}]}`,
	`{"choices":[{"delta":{"content":"a","tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"a"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"b"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"c"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"\u00e9\ud800"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"d"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"e"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"e\"}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"e"},{"function":{"arguments":"e"}}]}}]}`,
	`{"choices":[{"delta":{"tool_calls":[]},"arguments":"a"}]}
{"choices":[{"delta":{"tool_calls":[]},"arguments":"b"}]}`,
	`{"choices":[{"delta":{"content":"a"}}]}
{"choices":[{"delta":{"content":"\n\\\""}}]}
{"choices":[{"delta":{"content":"\x"}}]}
{"choices":[{"delta":{"content":"\"}}]}
{"choices":[{"delta":{"content":"b","content":"c"}}]}`,
	"{\"choices\":[{\"delta\":{\"content\":\"a\x00\"}}]}",
	`{"content":"a","choices":[{"delta":{}}]}`,
	`{"created":1.5,"choices":[{"index":0,"delta":{"content":"a"}}]}
{"created":1.5,"choices":[{"index":0,"delta":{"content":"b"}}]}
{"created":2.5,"choices":[{"index":"0","delta":{"content":"\ud83d"}}]}
{"created":2.5,"choices":[{"index":"0","delta":{"content":"\ude00"}}]}`,
	`{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}
{"choices":[{"delta":{"content":[{"type":"text","text":"b"}]}}]}
{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":{"content":"a"}}}]}}]}
{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":{"content":"b"}}}]}}]}`,
	`{"choices":[{"delta":{"content":"a"},"message":{"content":"b"}}]}
{"choices":[{"delta":{"content":"c"},"message":{"content":"b"}}]}
{"choices":[{"delta":{"content":"a"}}]}{"choices":[{"delta":{"content":"b"}}]}`,
	`{"choices":[{"delta":{"content":"a"}}]} x`,
	`not json`,
	``,
}

func TestChunkMemoEqualsEncodingJSON(t *testing.T) {
	for _, events := range chunkSeeds {
		sameChunks(t, []byte(events))
	}
}

func FuzzChunkMemo(f *testing.F) {
	for _, events := range chunkSeeds {
		f.Add([]byte(events))
	}
	f.Fuzz(sameChunks)
}

// TestChunkMemoIsUsed makes sure that the streams of real engines take the short way.
func TestChunkMemoIsUsed(t *testing.T) {
	for _, like := range []string{
		`{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1795345548,"model":"tiny",` +
			`"choices":[{"index":0,"delta":{"content":"%s"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`,
		`{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1795345548,"model":"tiny",` +
			`"choices":[{"index":0,"delta":{"reasoning":"%s"},"logprobs":null,"finish_reason":null}]}`,
		`{"id":"chatcmpl-9","object":"chat.completion.chunk","created":1795345548,"model":"tiny",` +
			`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"%s"}}]},` +
			`"logprobs":null,"finish_reason":null}]}`,
		`{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"%s"}}],"created":1795346397,` +
			`"id":"chatcmpl-k","model":"tiny","system_fingerprint":"b0-unknown","object":"chat.completion.chunk"}`,
	} {
		memo := chunkMemo{}
		memo.decode(fmt.Appendf(nil, like, "Hello"))
		before := string(memo.before)
		for _, text := range []string{" wor", "ld", "!", " é", `\n`, `\"`} {
			memo.decode(fmt.Appendf(nil, like, text))
			if memo.unmatched != 0 || string(memo.before) != before {
				t.Errorf("%q was decoded again for %s", text, like)
			}
		}
	}
}

type replay struct{ body []byte }

func (r replay) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	return &http.Response{
		StatusCode:    200,
		Header:        http.Header{"Content-Type": {"text/event-stream"}},
		Request:       req,
		ContentLength: -1,
		Body:          io.NopCloser(struct{ io.Reader }{bytes.NewReader(r.body)}),
	}, nil
}

func BenchmarkChatStream(b *testing.B) {
	var s strings.Builder
	const chunks = 20_000
	for i := range chunks {
		fmt.Fprintf(
			&s,
			`data: {"id":"chatcmpl-bae197190d11bf52","object":"chat.completion.chunk","created":1795345548,`+
				`"model":"meta-llama/Llama-3.3-70B-Instruct","choices":[{"index":0,"delta":{"content":" tok%d"},`+
				`"logprobs":null,"finish_reason":null,"token_ids":null}]}`+"\n\n",
			i,
		)
	}
	s.WriteString("data: [DONE]\n\n")
	c, err := New(WithAPIKey("k"), WithHTTPClient(&http.Client{Transport: replay{[]byte(s.String())}}))
	if err != nil {
		b.Fatal(err)
	}
	req := &ChatRequest{Model: "m", Messages: []Message{User("hi")}}
	b.Run("range", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for chunk, err := range c.ChatStream(b.Context(), req) {
				if err != nil {
					b.Fatal(err)
				}
				n += len(chunk.Text())
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
	})
	b.Run("collect", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Collect(c.ChatStream(b.Context(), req)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
	})
}
