package babyclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// oddCall is an endpoint, an answer of it, and what a caller reads of that answer.
type oddCall struct {
	name   string
	answer string // JSON
	stream bool   // answer is the first event of two
	// content are the fields that the answer is asked for, each with a value that is none.
	content map[string]string
	read    func(context.Context, *babyclient.Client) (content string, raw json.RawMessage, err error)
}

const oddMessage = `"role":"assistant","content":"Hello","refusal":"r","reasoning_content":"hm",` +
	`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]`

const oddUsage = `"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,` +
	`"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}`

const oddLogprobs = `"logprobs":{"content":[{"id":1,"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]}]}`

const oddHead = `"id":"c","object":"o","created":1748694614,"model":"m","system_fingerprint":"s","service_tier":"t",`

func oddCalls() []oddCall {
	message := map[string]string{"choices": `7`, "choices.index": `true`, "choices.message": `7`,
		"choices.message.content": `7`, "choices.message.tool_calls": `7`,
		"choices.message.tool_calls.function": `7`, "choices.message.tool_calls.function.name": `7`}
	delta := map[string]string{}
	for path, value := range message {
		delta[strings.Replace(path, "message", "delta", 1)] = value
	}
	text := map[string]string{"choices": `7`, "choices.index": `true`, "choices.text": `7`}
	return []oddCall{
		{"chat", `{` + oddHead + `"choices":[{"index":0,"message":{` + oddMessage + `},"finish_reason":"stop",` +
			oddLogprobs +
			`,"stop_reason":"x"}],` + oddUsage + `}`, false,
			message,
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Chat(ctx, &babyclient.ChatRequest{Messages: hi})
				if r == nil {
					return "", nil, err
				}
				return r.Text() + callsWithoutIDs(r.ToolCalls()), r.Raw, err
			}},
		{"chat stream", `{` + oddHead + `"choices":[{"index":0,"delta":{` + oddMessage + `},"finish_reason":null,` +
			oddLogprobs +
			`,"stop_reason":"x"}],` + oddUsage + `}`, true,
			delta,
			func(ctx context.Context, c *babyclient.Client) (content string, raw json.RawMessage, last error) {
				for chunk, err := range c.ChatStream(ctx, &babyclient.ChatRequest{Messages: hi}) {
					if last = err; err == nil && raw == nil {
						raw, content = chunk.Raw, chunk.Text()
						if len(chunk.Choices) > 0 {
							content += callsWithoutIDs(chunk.Choices[0].Delta.ToolCalls)
						}
					}
				}
				return content, raw, last
			}},
		{"chat collected", `{` + oddHead + `"choices":[{"index":0,"delta":{` + oddMessage + `},"finish_reason":null,` +
			oddLogprobs +
			`,"stop_reason":"x"}],` + oddUsage + `}`, true,
			delta,
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := babyclient.Collect(c.ChatStream(ctx, &babyclient.ChatRequest{Messages: hi}))
				return r.Text() + callsWithoutIDs(r.ToolCalls()), nil, err
			}},
		{"completion", `{` + oddHead +
			`"choices":[{"index":0,"text":"Hello","finish_reason":"stop","logprobs":{},"stop_reason":"x"}],` +
			oddUsage + `}`, false, text,
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Complete(ctx, &babyclient.CompleteRequest{Prompt: "p"})
				if r == nil {
					return "", nil, err
				}
				return r.Text(), r.Raw, err
			}},
		{"completion stream", `{` + oddHead +
			`"choices":[{"index":0,"text":"Hello","finish_reason":null,"logprobs":{}}],` +
			oddUsage + `}`, true, text,
			func(ctx context.Context, c *babyclient.Client) (content string, raw json.RawMessage, last error) {
				for chunk, err := range c.CompleteStream(ctx, &babyclient.CompleteRequest{Prompt: "p"}) {
					if last = err; err == nil && raw == nil {
						raw, content = chunk.Raw, chunk.Text()
					}
				}
				return content, raw, last
			}},
		{"completion collected", `{` + oddHead +
			`"choices":[{"index":0,"text":"Hello","finish_reason":null,"logprobs":{}}],` +
			oddUsage + `}`, true, text,
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := babyclient.CollectCompletion(c.CompleteStream(ctx, &babyclient.CompleteRequest{Prompt: "p"}))
				return r.Text(), nil, err
			}},
		{"embeddings",
			`{"id":"e","object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[1,2]}],` +
				oddUsage + `}`,
			false, map[string]string{"data": `7`, "data.index": `true`, "data.embedding": `true`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Embed(ctx, &babyclient.EmbedRequest{Model: "m", Input: []string{"a"}})
				if r == nil {
					return "", nil, err
				}
				return fmt.Sprint(r.Vectors), r.Raw, err
			}},
		{"rerank", `{"id":"r","model":"m","results":[{"index":0,"relevance_score":0.5,"document":{"text":"a"}}],` +
			oddUsage + `}`,
			false, map[string]string{"results": `7`, "results.index": `true`, "results.relevance_score": `"x"`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Rerank(ctx, &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
				if r == nil {
					return "", nil, err
				}
				return fmt.Sprint(r.Results[0].Index, r.Results[0].RelevanceScore), r.Raw, err
			}},
		{"infer", `{"model":"m","output":"Hello",` + oddUsage + `,"finish_reason":"stop"}`, false,
			map[string]string{"output": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Infer(ctx, &babyclient.InferRequest{Prompt: "p"})
				if r == nil {
					return "", nil, err
				}
				return r.Output, r.Raw, err
			}},
		{"models", `{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"o","root":"r","max_model_len":8}]}`,
			false, map[string]string{"data": `7`, "data.id": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Models(ctx)
				if r == nil {
					return "", nil, err
				}
				return r.Data[0].ID, r.Raw, err
			}},
		{"convert",
			`{"document":{"filename":"a.md","md_content":"# A","html_content":"<h1>","json_content":{}},"status":"success",` +
				`"errors":[{"component_type":"c","module_name":"m","error_message":"e","category":"c","page_no":1}],` +
				`"processing_time":0.5,"timings":{},"confidence":{}}`,
			false, map[string]string{"document": `7`, "document.md_content": `7`, "document.html_content": `7`,
				"status": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: urls()})
				if r == nil {
					return "", nil, err
				}
				return r.Document().Markdown + r.Document().HTML, r.Raw, err
			}},
		{"chunks", `{"chunks":[{"filename":"a.md","chunk_index":0,"text":"A","raw_text":"A","num_tokens":1,"headings":["h"],` +
			`"captions":["c"],"doc_items":["#/texts/0"],"page_numbers":[1],"metadata":{}}],"processing_time":0.5}`,
			false, map[string]string{"chunks": `7`, "chunks.text": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: urls()})
				if r == nil {
					return "", nil, err
				}
				return r.Chunks[0].Text, r.Raw, err
			}},
		{"job", `{"task_id":"t","task_status":"success","task_position":1,"error_message":"e","task_meta":{"num_docs":1},"failure":null}`,
			false, map[string]string{"task_status": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.ConvertJob("t", "").Status(ctx)
				if r == nil {
					return "", nil, err
				}
				return r.State, r.Raw, err
			}},
		{"health", `{"status":"ok"}`, false, map[string]string{"status": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.Health(ctx)
				if r == nil {
					return "", nil, err
				}
				return r.Status, r.Raw, err
			}},
		{"version", `{"docling-serve":"1.0","docling":"2.0"}`, false, map[string]string{"docling-serve": `7`},
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.Version(ctx)
				if r == nil {
					return "", nil, err
				}
				return r.Versions["docling-serve"], r.Raw, err
			}},
		{"capabilities",
			`{"versions":{"docling-serve":"1"},"stages":{"ocr":{"option":"o","default":"d","presets":[{"id":"p"}]}},` +
				`"sources":["file"],"targets":{"allowed":["inbody"],"default":"inbody"},"limits":{"max_num_pages":5},"features":{}}`,
			false, nil,
			func(ctx context.Context, c *babyclient.Client) (string, json.RawMessage, error) {
				r, err := c.Docling.Capabilities(ctx)
				if r == nil {
					return "", nil, err
				}
				return "", r.Raw, err
			}},
	}
}

func callsWithoutIDs(calls []babyclient.ToolCall) (out string) {
	for _, c := range calls {
		out += c.Function.Name + c.Function.Arguments
	}
	return out
}

// variant is an answer with one value in the place of another.
type variant struct{ path, body string }

func (v variant) String() string { return v.path + " in " + v.body }

// variants puts each odd value in the place of each value of a JSON object, one at a time. odd
// gives the values for a path.
func variants(t *testing.T, answer string, odd func(path string) []string) (out []variant) {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(answer), &root); err != nil {
		t.Fatal(err)
	}
	var walk func(v any, path string, set func(any))
	walk = func(v any, path string, set func(any)) {
		if set != nil {
			for _, o := range odd(path) {
				set(json.RawMessage(o))
				out = append(out, variant{path, string(mustJSON(t, root))})
			}
			set(v)
		}
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(v[name], strings.TrimPrefix(path+"."+name, "."), func(o any) { v[name] = o })
			}
		case []any:
			for i := range v {
				walk(v[i], path, func(o any) { v[i] = o })
			}
		}
	}
	walk(root, "", nil)
	return out
}

// A field beside the content may be of any type: the answer is returned, and the field is in Raw.
// Content of another type is an error, and never an answer without it.
func TestFieldsOfOtherTypes(t *testing.T) {
	odd := []string{`1748694614.85`, `"3"`, `true`, `["x"]`, `{"x":1}`, `-1e300`, `7`, `null`}
	for _, call := range oddCalls() {
		t.Run(call.name, func(t *testing.T) {
			var body string
			srv := server(t)
			srv.On("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := babytest.JSON(200, body)
				if call.stream {
					answer = babytest.Stream(body, `{"choices":[]}`)
				}
				answer.ServeHTTP(w, r)
			}))
			c := client(srv)
			body = call.answer
			want, _, err := call.read(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			isOwn := func(path string) bool { // has a test of its own
				return strings.HasSuffix(path, "arguments") || call.content[path] != ""
			}
			for _, v := range variants(t, call.answer, func(path string) []string {
				if isOwn(path) {
					return nil
				}
				return odd
			}) {
				body = v.body
				content, raw, err := call.read(t.Context(), c)
				if err != nil || content != want {
					t.Errorf("%s: content %q, %v, want %q", v, content, err, want)
				}
				if raw != nil && string(raw) != body {
					t.Errorf("%s: Raw is %s", v, raw)
				}
			}
			lost := variants(t, call.answer, func(path string) []string {
				if value := call.content[path]; value != "" {
					return []string{value}
				}
				return nil
			})
			if len(lost) < len(call.content) {
				t.Errorf("%d variants for the %d fields of the content", len(lost), len(call.content))
			}
			for _, v := range lost {
				body = v.body
				if content, _, err := call.read(t.Context(), c); !errors.Is(err, babyclient.ErrInvalidResponse) {
					t.Errorf("%s: content %q, %v, want an error", v, content, err)
				}
			}
		})
	}
}

// A field that does not fit is zero, and those beside it are not.
func TestFieldsThatDoNotFitAreZero(t *testing.T) {
	const body = `{"id":7,"created":1748694614.85,"model":"m","choices":[{"index":"0","message":{"role":"assistant","content":"Hello"},` +
		`"finish_reason":"stop","logprobs":"none"}],"usage":{"prompt_tokens":"3","completion_tokens":4,"prompt_tokens_details":[]}}`
	g := plainChat(t, babytest.JSON(200, body))
	event := strings.Replace(body, "message", "delta", 1)
	streamed := collected(t, babytest.Stream(event))
	for how, g := range map[string]got{"plain": g, "collected": streamed} {
		r := g.resp
		if g.err != nil || r.ID != "" || r.Created != 0 || r.Model != "m" || g.text != "Hello" || g.finish != "stop" ||
			r.Choices[0].Logprobs != nil || r.Usage.PromptTokens != 0 || r.Usage.CompletionTokens != 4 ||
			r.Usage.PromptTokensDetails != nil {
			t.Errorf("%s: %s, %+v, usage %+v", how, g, r, r.Usage)
		}
	}
	if g := plainChat(t, babytest.JSON(200,
		`{"choices":[{"message":{"content":"a"}}],"usage":"none"}`)); g.err != nil || g.resp.Usage != nil {
		t.Errorf("usage %+v, %v, want none", g.resp.Usage, g.err)
	}
	// Choices are told apart by their indexes, in whatever type those are.
	events := babytest.Stream(`{"choices":[{"index":"0","delta":{"content":"a"}},{"index":1.0,"delta":{"content":"x"}}]}`,
		`{"choices":[{"index":"1","delta":{"content":"y"}}]}`, `{"choices":[{"index":0,"delta":{"content":"b"}}]}`)
	if g := collected(t, events); g.text != "ab" || len(g.resp.Choices) != 2 ||
		g.resp.Choices[1].Message.Content != "xy" {
		t.Errorf("choices %+v, %v", g.resp, g.err)
	}
	// The values of a caller's own type are the caller's affair.
	srv := server(t)
	srv.On("/", babytest.JSON(200, `{"n":"3"}`))
	var out struct{ N int }
	if err := client(srv).Do(t.Context(), "GET", "/n", nil, &out); !errors.Is(err, babyclient.ErrInvalidResponse) {
		t.Errorf("Do: %v", err)
	}
}

// A plain answer that is almost JSON is not lost, nor are indexes and scores of other types.
func TestAnswersThatAreAlmostJSON(t *testing.T) {
	const begin, failure = `{"choices":[{"message":{"content":"NaN"},"text":"NaN"`, `{"error":{"message":"R","code":"CODE"}}`
	for body, code := range map[string]string{
		begin + `,"logprobs":{"content":[{"token":"a","logprob":NaN},{"token":"b","logprob":-Infinity}]}}]}`: "",
		begin + "}]}\n[DONE]":                "",
		begin + "}]}\n\n":                    "",
		begin + "}]}" + failure:              "CODE",
		begin + "}]}\n[" + failure + "]":     "CODE",
		begin + `}],"x":Infinity}` + failure: "CODE",
		begin + "}]} x":                      babyclient.CodeGenerationFailed,
	} {
		g := plainChat(t, babytest.JSON(200, body))
		text, err := completionPlain(t, babytest.JSON(200, body))
		for how, g := range map[string]got{"chat": g, "completion": {text: text, err: err}} {
			gotCode := ""
			if g.err != nil {
				gotCode = fails(t, g.err).Code
			}
			if g.text != "NaN" || gotCode != code {
				t.Errorf("%s of %s: %s with code %q, want code %q", how, body, g, gotCode, code)
			}
		}
		if g.resp == nil || string(g.resp.Raw) != body {
			t.Errorf("Raw of %s is %+v", body, g.resp)
		}
	}
	for _, index := range []string{`"0"`, `0.0`, `1.0`, `"1"`} {
		other := "1"
		if strings.Contains(index, "1") {
			other = "0"
		}
		_, err := serve(t, babytest.JSON(200, `{"data":[{"index":`+index+`,"embedding":[1]},{"index":`+other+
			`,"embedding":[2]}]}`)).
			Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a", "b"}})
		if err != nil {
			t.Errorf("an embedding of index %s: %v", index, err)
		}
	}
	ranks, err := serve(t, babytest.JSON(200, `{"results":[{"index":"0","relevance_score":"0.5"}]}`)).
		Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
	if err != nil || ranks.Results[0].RelevanceScore != 0.5 {
		t.Errorf("a score as text: %+v, %v", ranks, err)
	}
}
