package babyclient_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// The tests of this file play what real servers and proxies were seen to send. docs/servers.md
// names them.

// got is what a caller sees of a generation, for comparison with one line of a table.
type got struct {
	text, reasoning, finish string
	calls                   string // "id:name(arguments)", apart by blanks
	err                     error
	chunks                  []*babyclient.ChatChunk // of a range
	resp                    *babyclient.ChatResponse
}

func (g got) String() string {
	return fmt.Sprintf("text %q, reasoning %q, calls %q, finish %q, error %v", g.text, g.reasoning, g.calls, g.finish,
		g.err)
}

func callsOf(calls []babyclient.ToolCall) string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = fmt.Sprintf("%s:%s(%s)", c.ID, c.Function.Name, c.Function.Arguments)
	}
	return strings.Join(out, " ")
}

func gotOf(resp *babyclient.ChatResponse, err error) got {
	if resp == nil {
		return got{err: err}
	}
	return got{text: resp.Text(), reasoning: resp.Reasoning(), finish: resp.FinishReason(),
		calls: callsOf(resp.ToolCalls()), err: err, resp: resp}
}

// serve is a client of a server that answers every call so.
func serve(t *testing.T, answer http.Handler) *babyclient.Client {
	t.Helper()
	srv := server(t)
	srv.On("/", answer)
	t.Cleanup(func() {
		if n := len(srv.Requests()); n != 1 {
			t.Errorf("%d requests, want 1: none may be sent twice", n)
		}
	})
	return client(srv)
}

func plainChat(t *testing.T, answer http.Handler) got {
	t.Helper()
	return gotOf(serve(t, answer).Chat(t.Context(), &babyclient.ChatRequest{Messages: hi}))
}

func collected(t *testing.T, answer http.Handler) got {
	t.Helper()
	return gotOf(babyclient.Collect(chatStream(t.Context(), serve(t, answer))))
}

func ranged(t *testing.T, answer http.Handler) (g got) {
	t.Helper()
	for chunk, err := range chatStream(t.Context(), serve(t, answer)) {
		if g.err != nil {
			t.Error("something came after the error")
		}
		if g.err = err; err != nil {
			continue
		}
		g.chunks = append(g.chunks, chunk)
		g.text += chunk.Text()
		g.reasoning += chunk.Reasoning()
		for _, c := range chunk.Choices {
			if c.FinishReason != "" {
				g.finish = c.FinishReason
			}
		}
	}
	return g
}

// completionOf is the text that a completion gives: plain, ranged over and collected.
func completionRanged(t *testing.T, answer http.Handler) (text string, err error) {
	t.Helper()
	for chunk, e := range serve(t, answer).CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "p"}) {
		if err = e; err == nil {
			text += chunk.Text()
		}
	}
	return text, err
}

func completionCollected(t *testing.T, answer http.Handler) (text string, err error) {
	t.Helper()
	resp, err := babyclient.CollectCompletion(
		serve(t, answer).CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "p"}))
	return resp.Text(), err
}

func completionPlain(t *testing.T, answer http.Handler) (text string, err error) {
	t.Helper()
	resp, err := serve(t, answer).Complete(t.Context(), &babyclient.CompleteRequest{Prompt: "p"})
	if resp == nil {
		return "", err
	}
	return resp.Text(), err
}

// inDelta makes the data of an event from the fields of a delta, inChoice from those of a choice.
func inDelta(fields string) string { return inChoice(`"delta":{` + fields + `}`) }

func inChoice(fields string) string { return `{"id":"c","choices":[{"index":0,` + fields + `}]}` }

func TestParallelToolCalls(t *testing.T) {
	// Each string is the pieces of one event.
	tests := []struct {
		name   string
		pieces []string
		want   string
	}{
		// Two calls.
		{"all of index 0", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}`}, `a:f({"x":1}) b:g({"y":2})`},
		{"all of index 0, one function",
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
				`{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":2}"}}`}, `a:f({"x":1}) b:f({"x":2})`},
		{"all of index 0, in one event", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},` +
			`{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}`}, `a:f({}) b:g({})`},
		{"all of index 0, in pieces", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`,
			`{"index":0,"function":{"arguments":"{\"x\":"}}`, `{"index":0,"function":{"arguments":"{}}"}}`,
			`{"index":0,"id":"b","function":{"name":"f","arguments":""}}`, `{"index":0,"function":{"arguments":"{}"}}`},
			`a:f({"x":{}}) b:f({})`},
		{"all of index 0, no ids", []string{`{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":0,"function":{"name":"g","arguments":"{}"}}`,
			`{"index":0,"function":{"name":"g","arguments":"{}"}}`},
			`:f({"x":1}) :g({}) :g({})`},
		{"all of index 0, no arguments", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`,
			`{"index":0,"id":"b","function":{"name":"f"}}`}, `a:f() b:f()`},
		{"no index, no id", []string{`{"function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"function":{"name":"g","arguments":"{"}}`, `{"function":{"arguments":"}"}}`}, `:f({"x":1}) :g({})`},
		{"no index, no id, one function", []string{`{"function":{"name":"f","arguments":"{\"x\":\"}\"}"}}`,
			`{"function":{"name":"f","arguments":"{\"x\":2}"}}`}, `:f({"x":"}"}) :f({"x":2})`},
		{"no index, no id, in one event", []string{`{"function":{"name":"f","arguments":"{}"}},` +
			`{"function":{"name":"f","arguments":"{}"}}`}, `:f({}) :f({})`},
		{"null index and id", []string{`{"index":null,"id":null,"function":{"name":"f","arguments":"{}"}}`,
			`{"index":null,"id":"null","function":{"name":"g","arguments":"{}"}}`}, `:f({}) :g({})`},
		{"no index, ids", []string{`{"id":"a","function":{"name":"f","arguments":"{}"}}`,
			`{"id":"b","function":{"name":"g","arguments":"{}"}}`}, `a:f({}) b:g({})`},
		{"one id, two indexes", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":1,"id":"a","function":{"name":"f","arguments":"{\"x\":2}"}}`}, `a:f({"x":1}) a:f({"x":2})`},
		{"one id, one index", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":2}"}}`}, `a:f({"x":1}) a:f({"x":2})`},
		{"interleaved by id, all of index 0", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}`,
			`{"index":0,"id":"a","function":{"arguments":"\"x\":"}}`,
			`{"index":0,"function":{"arguments":"1}"}}`, `{"index":0,"id":"b","function":{"arguments":"}"}}`},
			`a:f({"x":1}) b:g({})`},
		{"interleaved by id, no index", []string{`{"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"id":"b","function":{"name":"g","arguments":"{"}}`, `{"id":"a","function":{"arguments":"}"}}`,
			`{"id":"b","function":{"arguments":"}"}}`}, `a:f({}) b:g({})`},
		{"interleaved by index", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}`, `{"index":0,"function":{"arguments":"}"}}`,
			`{"index":1,"function":{"arguments":"}"}}`}, `a:f({}) b:g({})`},
		{"indexes from 1", []string{`{"index":1,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":1,"function":{"arguments":"}"}}`,
			`{"index":2,"id":"b","function":{"name":"g","arguments":"{}"}}`},
			`a:f({}) b:g({})`},
		{"indexes as text", []string{`{"index":"0","id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":"1","id":"b","function":{"name":"g","arguments":"{}"}}`,
			`{"index":"0","function":{"arguments":"}"}}`},
			`a:f({}) b:g({})`},
		// One call.
		{"an id repeated", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"a","function":{"arguments":"}"}}`}, `a:f({})`},
		{"an id repeated, no index", []string{`{"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"id":"a","function":{"arguments":"}"}}`}, `a:f({})`},
		{"an id of null", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"null","function":{"arguments":"}"}}`}, `a:f({})`},
		{"an empty id", []string{`{"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"id":"","function":{"name":"","arguments":"}"}}`}, `a:f({})`},
		{"an id of null, no index", []string{`{"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"id":"null","function":{"name":null,"arguments":"}"}}`}, `a:f({})`},
		{"a new id without a name", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"b","function":{"arguments":"}"}}`}, `a:f({})`},
		{"a new id without a name, no index", []string{`{"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"id":"b","function":{"arguments":"}"}}`}, `a:f({})`},
		{"the name on every piece", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`,
			`{"index":0,"function":{"name":"f","arguments":"{\"x\":"}}`,
			`{"index":0,"function":{"name":"f","arguments":"1}"}}`,
			`{"index":0,"function":{"name":"f","arguments":""}}`}, `a:f({"x":1})`},
		{"the name and the id on every piece", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`}, `a:f({})`},
		{"the name on every piece, no index", []string{`{"function":{"name":"f","arguments":"{"}}`,
			`{"function":{"name":"f","arguments":"}"}}`}, `:f({})`},
		{"the name and a new id on every piece",
			[]string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}`,
				`{"index":0,"id":"b","function":{"name":"f","arguments":":1}"}}`}, `a:f({"x":1})`},
		{"whole after its pieces", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"function":{"arguments":"}"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`}, `a:f({})`},
		{"whole after its pieces, other blanks", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`,
			`{"index":0,"function":{"arguments":" 1}"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{ \"x\":1 }"}}`}, `a:f({"x": 1})`},
		{"whole after its pieces, an object", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}`}, `a:f({"x":1})`},
		{"an empty object in their place first", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`,
			`{"index":0,"function":{"arguments":"{\"x\""}}`, `{"index":0,"function":{"arguments":":1}"}}`},
			`a:f({"x":1})`},
		// Two calls of one function, whose arguments are no object.
		{"arguments that are no object", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"Oslo"}}`,
			`{"index":0,"id":"b","function":{"name":"f","arguments":"[1]"}}`}, `a:f(Oslo) b:f([1])`},
		{"the same call twice, no index", []string{`{"function":{"name":"f","arguments":"{}"}}`,
			`{"function":{"name":"f","arguments":"{}"}}`}, `:f({}) :f({})`},
		{"id first, name later", []string{`{"index":0,"id":"a"}`, `{"index":0,"function":{"name":"f"}}`,
			`{"index":0,"function":{"arguments":"{}"}}`}, `a:f({})`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			events := []string{inDelta(`"role":"assistant","content":null`)}
			for _, p := range tt.pieces {
				events = append(events, inDelta(`"tool_calls":[`+p+`]`))
			}
			events = append(events, inChoice(`"delta":{},"finish_reason":"tool_calls"`))
			g := collected(t, babytest.Stream(events...))
			if g.calls != tt.want || g.err != nil || g.finish != "tool_calls" {
				t.Errorf("got %s, want calls %q", g, tt.want)
			}
		})
	}
}

func TestToolArgumentsThatAreNoText(t *testing.T) {
	for name, tt := range map[string]struct{ arguments, want string }{
		"object":         {`{"x": {"y":[1]}}`, `{"x": {"y":[1]}}`},
		"empty object":   {`{}`, `{}`},
		"list":           {`[1]`, `[1]`},
		"number":         {`7`, `7`},
		"null":           {`null`, ``},
		"text":           {`"{\"x\":1}"`, `{"x":1}`},
		"text in quotes": {`"\"{}\""`, `"{}"`},
	} {
		t.Run(name, func(t *testing.T) {
			call := `"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":` +
				tt.arguments + `}}]`
			want := "a:f(" + tt.want + ")"
			whole := `{"choices":[{"message":{"role":"assistant",` + call + `},"finish_reason":"tool_calls"}]}`
			if g := plainChat(t, babytest.JSON(200, whole)); g.calls != want || g.err != nil {
				t.Errorf("plain: %s, want calls %q", g, want)
			}
			events := babytest.Stream(inDelta(call), inChoice(`"delta":{},"finish_reason":"tool_calls"`))
			if g := collected(t, events); g.calls != want || g.err != nil {
				t.Errorf("collected: %s, want calls %q", g, want)
			}
			g := ranged(t, events)
			if g.err != nil || callsOf(g.chunks[0].Choices[0].Delta.ToolCalls) != want {
				t.Errorf("ranged: %+v, %v, want calls %q", g.chunks[0].Choices, g.err, want)
			}
		})
	}
	t.Run("numeric id", func(t *testing.T) {
		call := `"tool_calls":[{"id":7,"function":{"name":"f","arguments":{}}}]`
		for _, g := range []got{plainChat(t, babytest.JSON(200, `{"choices":[{"message":{`+call+`}}]}`)),
			collected(t, babytest.Stream(inDelta(call)))} {
			if g.calls != "7:f({})" || g.err != nil {
				t.Errorf("got %s", g)
			}
		}
	})
	t.Run("unreadable", func(t *testing.T) { // content that is lost is an error
		call := `"content":"a","tool_calls":[{"id":"a","function":{"name":["f"],"arguments":"{}"}}]`
		if g := plainChat(t, babytest.JSON(200, `{"choices":[{"message":{`+call+`}}]}`)); g.text != "a" ||
			!errors.Is(g.err, babyclient.ErrInvalidResponse) {
			t.Errorf("plain: %s", g)
		}
		if g := ranged(t, babytest.Stream(inDelta(call), delta("b"))); !errors.Is(g.err,
			babyclient.ErrInvalidResponse) ||
			!strings.HasSuffix(g.text, "b") || g.chunks[0].Err() == nil {
			t.Errorf("ranged: %s", g)
		}
	})
}

// A failure that is told of in the midst of an answer is an error in the server's words, after what
// came.
func TestFailuresWithinAnAnswer(t *testing.T) {
	half := delta("half")
	tests := []struct {
		name, event, code string
	}{
		{"beside choices",
			`{"error":{"code":502,"message":"R"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`,
			"502"},
		{"beside choices, text", `{"error":"R","choices":[{"index":0,"delta":{"content":""}}]}`, ""},
		{"beside choices, code and message", `{"error":"CODE","message":"R","choices":[{"index":0,"delta":{}}]}`,
			"CODE"},
		{"in the choice",
			`{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":"CODE","message":"R"}}]}`,
			"CODE"},
		{"in the delta", `{"choices":[{"index":0,"delta":{"error":{"code":"CODE","message":"R"}}}]}`, "CODE"},
		{"in another choice", `{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{},"error":"R"}]}`, ""},
		{"no choices", `{"error":{"message":"R","type":"server_error","code":"CODE"}}`, "CODE"},
		{"empty choices", `{"error":{"message":"R","code":500},"choices":[]}`, "500"},
		{"object error", `{"object":"error","message":"R","type":"InternalServerError","param":null,"code":500}`,
			"500"},
		{"detail", `{"detail":"R"}`, ""},
		{"detail, a list", `{"detail":[{"msg":"R"}]}`, ""},
		{"code and message", `{"error":"CODE","message":"R"}`, "CODE"},
		{"error and message", `{"error":true,"message":"R"}`, ""},
		{"message", `{"message":"R"}`, ""},
		{"message and code", `{"message":"R","code":"CODE"}`, "CODE"},
		{"in no form that is known", `{"error":["R"]}`, ""},
		{"names in upper case", `{"Error":{"Message":"R","Code":"CODE"}}`, "CODE"},
		{"message in upper case", `{"Message":"R"}`, ""},
		{"errors", `{"errors":[{"message":"R"}]}`, ""},
		{"errors, texts", `{"errors":["R"]}`, ""},
		{"error_code and error_msg", `{"error_code":17,"error_msg":"R"}`, "17"},
		{"fields of an answer, empty", `{"id":"","choices":[],"message":"R","code":500}`, "500"},
		{"id, message and code", `{"id":"req_1","message":"R","code":500}`, "500"},
		{"detail beside usage", `{"detail":"R","usage":{"prompt_tokens":1}}`, ""},
		{"a list", `[{"error":{"message":"R","code":500}}]`, "500"},
		{"base_resp", `{"choices":null,"base_resp":{"status_code":1008,"status_msg":"R"}}`, "1008"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code := tt.code
			if code == "" {
				code = babyclient.CodeStreamError
			}
			check := func(how string, g got) {
				t.Helper()
				e := fails(t, g.err)
				if g.text != "half" || !strings.Contains(e.Message, "R") || e.Code != code ||
					!strings.Contains(e.Details, "R") {
					t.Errorf("%s: %s with code %q, want the text, and error R with code %q", how, g, e.Code, code)
				}
				for _, is := range []error{babyclient.ErrStreamFailed, babyclient.ErrGenerationFailed} {
					if !errors.Is(e, is) {
						t.Errorf("%s: %v is not %q", how, e, is)
					}
				}
			}
			for how, end := range map[string]string{"DONE": "data: [DONE]\n\n", "no DONE": "", "more": "data: " +
				delta("never") + "\n\n"} {
				body := sse("data: " + half + "\n\ndata: " + tt.event + "\n\n" + end)
				check("ranged, "+how, ranged(t, body))
				check("collected, "+how, collected(t, body))
			}
			text := `{"choices":[{"index":0,"text":"half"}]}`
			event := strings.ReplaceAll(tt.event, `"delta":{"content":""}`, `"text":""`)
			body := babytest.Stream(text, event)
			for how, read := range map[string]func(*testing.T, http.Handler) (string, error){
				"ranged": completionRanged, "collected": completionCollected} {
				got, err := read(t, body)
				if e := fails(t, err); got != "half" || !strings.Contains(e.Message, "R") || e.Code != code {
					t.Errorf("completion, %s: %q, %v with code %q", how, got, err, e.Code)
				}
			}
		})
	}
}

// What an event has beside the failure is handed out before it.
func TestFailureBesideText(t *testing.T) {
	events := babytest.Stream(delta("a"),
		`{"error":{"code":502,"message":"R"},"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"error"}]}`)
	for how, g := range map[string]got{"ranged": ranged(t, events), "collected": collected(t, events)} {
		if e := fails(t, g.err); g.text != "ab" || e.Message != "R" || e.Code != "502" || g.finish != "error" {
			t.Errorf("%s: %s", how, g)
		}
	}
	for name, body := range map[string]string{
		"beside choices": `{"error":{"code":502,"message":"R"},"choices":[{"message":{"content":"ab"},"finish_reason":"error"}]}`,
		"in the choice":  `{"choices":[{"message":{"content":"ab"},"error":{"code":502,"message":"R"},"finish_reason":"error"}]}`,
		"in the message": `{"choices":[{"message":{"content":"ab","error":{"code":502,"message":"R"}},"finish_reason":"stop"}]}`,
	} {
		g := plainChat(t, babytest.JSON(200, body))
		e := fails(t, g.err)
		if g.text != "ab" || e.Message != "R" || e.Code != "502" || e.Details != body || string(g.resp.Raw) != body ||
			!errors.Is(e, babyclient.ErrGenerationFailed) || !errors.Is(e, babyclient.ErrInvalidResponse) {
			t.Errorf("plain, %s: %s", name, g)
		}
	}
	body := `{"error":{"code":502,"message":"R"},"choices":[{"text":"ab","finish_reason":"error"}]}`
	if text, err := completionPlain(t, babytest.JSON(200, body)); text != "ab" || fails(t, err).Code != "502" {
		t.Errorf("completion: %q, %v", text, err)
	}
	out, err := serve(t, babytest.JSON(200, `{"output":"ab","error":"R"}`)).Infer(t.Context(),
		&babyclient.InferRequest{Prompt: "p"})
	if fails(t, err).Message != "R" || out.Output != "ab" || !errors.Is(err, babyclient.ErrGenerationFailed) {
		t.Errorf("infer: %+v, %v", out, err)
	}
	ranks, err := serve(t, babytest.JSON(200, `{"results":[{"index":0,"relevance_score":1}],"error":{"message":"R"}}`)).
		Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
	if fails(t, err).Message != "R" || len(ranks.Results) != 1 {
		t.Errorf("rerank: %+v, %v", ranks, err)
	}
	_, err = serve(t, babytest.JSON(200, `{"data":[{"embedding":[1]}],"error":{"message":"R"}}`)).
		Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a"}})
	if fails(t, err).Message != "R" {
		t.Errorf("embeddings: %v", err)
	}
}

// An error that is empty is none beside an answer.
func TestNoFailureWithinAnAnswer(t *testing.T) {
	for _, empty := range []string{`null`, `""`, `{}`, `[]`, `false`, `"null"`, `"None"`, `"success"`, `{"code":0}`,
		`{"message":"","type":"","param":"","code":null}`, `{"code":0,"message":"success"}`,
		`{"code":"0","message":"OK"}`} {
		g := plainChat(t, babytest.JSON(200, `{"error":`+empty+`,"choices":[{"message":{"content":"a"},"error":`+empty+
			`}]}`))
		if g.text != "a" || g.err != nil {
			t.Errorf("plain, %s: %s", empty, g)
		}
		events := babytest.Stream(`{"error":`+empty+`,"choices":[{"index":0,"delta":{"content":"a"},"error":`+empty+
			`}]}`,
			`{"choices":[],"usage":{"prompt_tokens":1},"error":null}`)
		for how, g := range map[string]got{"ranged": ranged(t, events), "collected": collected(t, events)} {
			if g.text != "a" || g.err != nil {
				t.Errorf("%s, %s: %s", how, empty, g)
			}
		}
		out, err := serve(t, babytest.JSON(200, `{"output":"a","error":`+empty+`}`)).
			Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		if err != nil || out.Output != "a" {
			t.Errorf("infer, %s: %+v, %v", empty, out, err)
		}
		ranks, err := serve(t, babytest.JSON(200, `{"results":[{"index":0,"relevance_score":1}],"error":`+empty+`}`)).
			Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
		if err != nil || len(ranks.Results) != 1 {
			t.Errorf("rerank, %s: %+v, %v", empty, ranks, err)
		}
		usage := babytest.Stream(delta("a"), `{"id":"c","choices":[],"usage":{"prompt_tokens":1},"error":`+empty+`}`)
		if g := ranged(t, usage); g.text != "a" || g.err != nil {
			t.Errorf("usage, %s: %s", empty, g)
		}
	}
	for _, note := range []string{`{"id":"c","choices":[],"message":"R"}`, `{"code":0,"message":"success"}`,
		`{"base_resp":{"status_code":0,"status_msg":"success"},"choices":[]}`,
		`{"object":"chat.completion.chunk","choices":[],"message":"R","code":7}`} {
		if g := ranged(t, babytest.Stream(delta("a"), note)); g.text != "a" || g.err != nil {
			t.Errorf("%s: %s", note, g)
		}
	}
	// An error with words is one, whatever its code.
	g := plainChat(t, babytest.JSON(200, `{"error":{"code":0,"message":"R"},"choices":[{"message":{"content":"a"}}]}`))
	if e := fails(t, g.err); g.text != "a" || e.Message != "R" {
		t.Errorf("words with code 0: %s", g)
	}
}

// A stream in which no event had a choice is of another protocol, or a failure of a form that is
// not known.
func TestStreamWithoutChoices(t *testing.T) {
	for name, first := range map[string]string{
		"nothing":   ``,
		"Ollama":    `{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}`,
		"Anthropic": `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`,
		"Gemini":    `{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}`,
		"DashScope": `{"output":{"text":"Hi"},"request_id":"r"}`,
		"Responses": `{"type":"response.output_text.delta","delta":"Hi"}`,
		"llama.cpp": `{"content":"Hi","stop":false}`,
		"usage":     `{"choices":[],"usage":{"prompt_tokens":1}}`,
		"null":      `{"choices":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			var events []string
			if first != "" {
				events = []string{first, `{"x":1}`}
			}
			answer := babytest.Stream(events...)
			_, rangedErr := completionRanged(t, answer)
			_, collectedErr := completionCollected(t, answer)
			for how, err := range map[string]error{"ranged": ranged(t, answer).err,
				"collected": collected(t, answer).err, "completion": rangedErr,
				"completion collected": collectedErr} {
				if e := fails(t, err); !errors.Is(e, babyclient.ErrInvalidResponse) || e.Details != first ||
					!strings.Contains(e.Message, "no choices") {
					t.Errorf("%s: %v, details %s", how, err, e.Details)
				}
			}
		})
	}
}

// A line that belongs to no event is read as what it was meant to be, or ends the range with an
// error that quotes it.
func TestLinesThatBelongToNoEvent(t *testing.T) {
	b := delta("b")
	for name, tt := range map[string]struct{ lines, text, code string }{
		"a blank before data": {" data: " + b + "\n\n", "ab", ""},
		"data in upper case":  {"Data: " + b + "\n\nDATA:" + b + "\n\n", "abb", ""},
		"an unknown field":    {"time: 7\nx-id:\n\n", "a", ""},
		"blanks":              {"  \n\t\n", "a", ""},
		"text":                {"Internal Server Error\n\n", "a", babyclient.CodeInvalidResponse},
		"text with a colon":   {"upstream error: reset\n\n", "a", babyclient.CodeInvalidResponse},
		"HTML":                {"<html><body>R</body></html>\n\n", "a", babyclient.CodeInvalidResponse},
		"an object of an unknown field": {"chunk: {\"x\":1}\n\n", "a",
			babyclient.CodeInvalidResponse},
		"a bare list": {"[{\"error\":{\"message\":\"R\",\"code\":\"CODE\"}}]\n\n", "a", "CODE"},
		"a bare object on the line after data": {"data: " + b +
			"\n{\"error\":{\"message\":\"R\",\"code\":\"CODE\"}}\n\n", "ab", "CODE"},
		"a bare chunk on the line after data": {"data: " + b + "\n" + b + "\n\n", "abb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, done := range []string{"data: [DONE]\n\n", "[DONE]\n"} {
				answer := sse("data: " + delta("a") + "\n\n" + tt.lines + done)
				for how, g := range map[string]got{"ranged": ranged(t, answer), "collected": collected(t, answer)} {
					code := ""
					if g.err != nil {
						code = fails(t, g.err).Code
					}
					if g.text != tt.text || code != tt.code {
						t.Errorf("%s: %s, want text %q and code %q", how, g, tt.text, tt.code)
					}
				}
			}
		})
	}
}

// Failures that are no data of an event, or that are named by it.
func TestFailuresOutsideOfData(t *testing.T) {
	for name, tt := range map[string]struct{ lines, code string }{
		"event: error":           {"event: error\ndata: {\"message\":\"R\",\"code\":\"CODE\"}\n\n", "CODE"},
		"event:error, name last": {"data: {\"message\":\"R\"}\nevent:Error\n\n", ""},
		"event: error, error object": {"event: error\ndata: {\"error\":{\"message\":\"R\",\"code\":500}}\n\n",
			"500"},
		"event: error, text":          {"event: error\ndata: R\n\n", ""},
		"event: error, JSON text":     {"event: error\ndata: \"R\"\n\n", ""},
		"event: error, detail":        {"event: error\ndata: {\"detail\":\"R\"}\n\n", ""},
		"event: error, without blank": {"event: error\ndata: {\"message\":\"R\"}", ""},
		"a line error": {"error: {\"code\":500,\"message\":\"R\",\"type\":\"server_error\"}\n\n",
			"500"},
		"a line error, no blank":      {"error: {\"code\":500,\"message\":\"R\"}", "500"},
		"a line error, error object":  {"error:{\"error\":{\"code\":500,\"message\":\"R\"}}\n\n", "500"},
		"a line error, text":          {"error: R\n\n", ""},
		"a bare object":               {"{\"error\":{\"message\":\"R\",\"code\":\"CODE\"}}\n", "CODE"},
		"a bare object, blank":        {"{\"error\":{\"message\":\"R\",\"code\":\"CODE\"}}\n\n", "CODE"},
		"a bare object of more lines": {"{\n  \"error\": {\n    \"message\": \"R\"\n  }\n}\n", ""},
		"a bare object before an event": {"{\n  \"error\": {\n    \"message\": \"R\"\n  }\n}\ndata: " +
			delta("never") + "\n\n", ""},
		"a bare detail": {"{\"detail\":\"R\"}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			code := tt.code
			if code == "" {
				code = babyclient.CodeStreamError
			}
			for _, end := range []string{"", "\n\ndata: [DONE]\n\n"} {
				body := "data: " + delta("half") + "\n\n" + tt.lines + end
				for _, lineEnd := range []string{"\n", "\r\n", "\r"} {
					answer := sse(strings.ReplaceAll(body, "\n", lineEnd))
					for how, g := range map[string]got{"ranged": ranged(t, answer), "collected": collected(t, answer)} {
						e := fails(t, g.err)
						if g.text != "half" || !strings.Contains(e.Message, "R") || e.Code != code ||
							!errors.Is(e, babyclient.ErrStreamFailed) {
							t.Errorf("%s, end %q, lines %q: %s with code %q", how, end, lineEnd, g, e.Code)
						}
					}
				}
			}
		})
	}
	t.Run("without data", func(t *testing.T) {
		g := ranged(t, sse("data: "+delta("half")+"\n\nevent: error\n\n"+"data: [DONE]\n\n"))
		if g.text != "half" || !errors.Is(g.err, babyclient.ErrStreamFailed) {
			t.Errorf("got %s", g)
		}
	})
	t.Run("after data of the same event", func(t *testing.T) {
		for _, lines := range []string{"\nerror: {\"message\":\"R\"}\n\n", "\nerror: R", "\nevent: error\n\n"} {
			g := ranged(t, sse("data: "+delta("half")+lines))
			if e := fails(t, g.err); g.text != "half" || !errors.Is(e, babyclient.ErrStreamFailed) {
				t.Errorf("%q: %s", lines, g)
			}
		}
	})
	t.Run("text outside of events", func(t *testing.T) {
		g := ranged(t, sse("data: "+delta("half")+"\n\nInternal Server Error"))
		if g.text != "half" || !errors.Is(g.err, babyclient.ErrStreamTruncated) ||
			!strings.Contains(g.err.Error(), "Internal Server Error") {
			t.Errorf("got %s", g)
		}
	})
	t.Run("no failures", func(t *testing.T) {
		body := "event: message\ndata: " + delta("a") + "\n\nerror:\nid: error\nevent: done\ndata: " + delta("b") +
			"\n\nevent: error\nevent: message\ndata: " + delta("c") + "\n\ndata: [DONE]\n\n"
		if g := ranged(t, sse(body)); g.text != "abc" || g.err != nil {
			t.Errorf("got %s", g)
		}
	})
}

func TestSeveralValuesInOneEvent(t *testing.T) {
	a, b := delta("a"), delta("b")
	failure := `{"error":{"message":"R","code":"CODE"}}`
	for name, tt := range map[string]struct {
		data, text string
		code       string // "" for none
	}{
		"two chunks":             {a + b, "ab", ""},
		"two chunks, two lines":  {a + "\ndata: " + b, "ab", ""},
		"a blank between":        {a + " " + b, "ab", ""},
		"three":                  {a + b + a, "aba", ""},
		"an error":               {a + failure, "a", "CODE"},
		"an error, two lines":    {a + "\ndata: " + failure, "a", "CODE"},
		"an error between":       {a + failure + b, "a", "CODE"},
		"an error beside text":   {a + `{"error":{"message":"R","code":"CODE"},` + b[1:], "ab", "CODE"},
		"DONE":                   {a + b + "[DONE]", "ab", ""},
		"DONE in another line":   {a + "\ndata: [DONE]", "a", ""},
		"no JSON behind":         {a + " x", "a", babyclient.CodeInvalidResponse},
		"a piece of JSON behind": {a + `{"choices":`, "a", babyclient.CodeInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			answer := sse("data: " + tt.data + "\n\ndata: [DONE]\n\n")
			for how, g := range map[string]got{"ranged": ranged(t, answer), "collected": collected(t, answer)} {
				if g.text != tt.text || (g.err == nil) != (tt.code == "") || g.err != nil && fails(t,
					g.err).Code != tt.code {
					t.Errorf("%s: %s, want text %q and code %q", how, g, tt.text, tt.code)
				}
			}
			texts := strings.NewReplacer(`"delta":{"content":"a"}`, `"text":"a"`, `"delta":{"content":"b"}`,
				`"text":"b"`)
			answer = sse("data: " + texts.Replace(tt.data) + "\n\ndata: [DONE]\n\n")
			if text, err := completionRanged(t, answer); text != tt.text || (err == nil) != (tt.code == "") {
				t.Errorf("completion: %q, %v", text, err)
			}
		})
	}
}

// The media type does not tell a stream from JSON, the first byte does.
func TestStreamsByTheirContent(t *testing.T) {
	stream := "data: " + delta("a") + "\n\ndata: [DONE]\n\n"
	types := []string{"text/event-stream", "text/plain; charset=utf-8", "application/json", "application/octet-stream",
		""}
	for _, media := range types {
		t.Run(media, func(t *testing.T) {
			answer := func(body string) http.Handler { return babytest.Body(200, media, []byte(body)) }
			for _, body := range []string{stream, "\ufeff" + stream, "\n\n" + stream, ": ping\n\n" + stream,
				"event: message\n" + stream, "id: 1\n" + stream, "retry: 1\n" + stream, strings.ReplaceAll(stream,
					"\n", "\r")} {
				if g := ranged(t, answer(body)); g.text != "a" || g.err != nil {
					t.Errorf("%q: %s", body, g)
				}
			}
			for _, body := range []string{`{"error":{"message":"R"}}`, "\ufeff{\"error\":{\"message\":\"R\"}}",
				`{"error":"R"}`,
				"\n{\n  \"error\": {\n    \"message\": \"R\"\n  }\n}\n", `{"message":"R"}`, `{"detail":"R"}`,
				`{"object":"error","message":"R","code":500}`, "{\"error\":\"R\"}\n\ndata: [DONE]\n\n"} {
				for how, g := range map[string]got{"ranged": ranged(t, answer(body)), "collected": collected(t,
					answer(body))} {
					if e := fails(t, g.err); !strings.Contains(e.Message, "R") || !errors.Is(e,
						babyclient.ErrInvalidResponse) ||
						!strings.Contains(e.Message, "not a stream") {
						t.Errorf("%s, %q: %s", how, body, g)
					}
				}
				if text, err := completionRanged(t, answer(body)); text != "" || !strings.Contains(err.Error(), "R") {
					t.Errorf("completion, %q: %q, %v", body, text, err)
				}
			}
		})
	}
	t.Run("JSON that is cut", func(t *testing.T) {
		g := ranged(t, babytest.Cut(sse(`{"error":{"message":"R"}}`), -3))
		if !errors.Is(g.err, babyclient.ErrConnection) {
			t.Errorf("got %s", g)
		}
	})
	t.Run("events for a plain call", func(t *testing.T) {
		for _, media := range types {
			for body, says := range map[string]string{stream: "events",
				"data: {\"error\":{\"message\":\"R\"}}\n\n": "R",
				"event: error\ndata: R\n\n":                 "R", "\n" + stream: "events"} {
				answer := babytest.Body(200, media, []byte(body))
				_, completion := completionPlain(t, answer)
				_, infer := serve(t, answer).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
				for call, err := range map[string]error{"chat": plainChat(t, answer).err, "completion": completion,
					"infer": infer} {
					if e := fails(t, err); !errors.Is(e, babyclient.ErrInvalidResponse) ||
						!strings.Contains(e.Message, "events of a stream") || !strings.Contains(e.Message, says) {
						t.Errorf("%s, %s, %q: %v", call, media, body, err)
					}
				}
			}
		}
	})
}

func TestContentInParts(t *testing.T) {
	thinking := `{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}`
	for name, tt := range map[string]struct{ content, text, reasoning string }{
		"thinking and text": {`[` + thinking + `,{"type":"text","text":"Hello"}]`, "Hello", "hm"},
		"texts":             {`[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]`, "Hello", ""},
		"thinking as text": {`[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hello"}]`,
			"Hello", "hm"},
		"reasoning": {`[{"type":"reasoning","text":"hm"},{"type":"text","text":"Hello"}]`, "Hello", "hm"},
		"reasoning, summary": {`[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},"Hello"]`,
			"Hello", "hm"},
		"redacted": {`[{"type":"redacted_thinking","data":"xx"},{"type":"text","text":"Hello"}]`, "Hello",
			""},
		"output text":       {`[{"type":"output_text","text":"Hello","annotations":[]}]`, "Hello", ""},
		"strings":           {`["Hel","lo"]`, "Hello", ""},
		"one object":        {`{"type":"text","text":"Hello"}`, "Hello", ""},
		"text in an object": {`[{"type":"text","text":{"value":"Hello","annotations":[]}}]`, "Hello", ""},
		"a reference": {`[{"type":"text","text":"Hello"},{"type":"reference","reference_ids":[1]}]`, "Hello",
			""},
		"a picture": {`[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"u"}}]`,
			"Hello", ""},
		"no type":                  {`[{"text":"Hello"}]`, "Hello", ""},
		"only thinking":            {`[` + thinking + `]`, "", "hm"},
		"text in content":          {`[{"type":"text","content":"Hello"}]`, "Hello", ""},
		"an object with content":   {`{"content":"Hello"}`, "Hello", ""},
		"parts in an object":       {`{"role":"model","parts":[{"text":"Hello"}]}`, "Hello", ""},
		"markdown":                 {`[{"type":"markdown","value":"Hello"}]`, "Hello", ""},
		"reasoning_text":           {`[{"type":"reasoning_text","text":"hm"},"Hello"]`, "Hello", "hm"},
		"reasoning.text":           {`[{"type":"reasoning.text","text":"hm"},"Hello"]`, "Hello", "hm"},
		"thought":                  {`[{"type":"thought","text":"hm"},"Hello"]`, "Hello", "hm"},
		"a picture as text":        {`["Hello",{"type":"image_url","image_url":"http://x"}]`, "Hello", ""},
		"only a picture as text":   {`[{"type":"image_url","image_url":"http://x"}]`, "", ""},
		"only a reference":         {`[{"type":"reference","reference_ids":[1]}]`, "", ""},
		"an empty text and beside": {`[{"type":"text","text":"","annotations":[1]}]`, "", ""},
		"none":                     {`[]`, "", ""},
		"text":                     {`"Hello"`, "Hello", ""},
		"null":                     {`null`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(how string, g got) {
				t.Helper()
				if g.text != tt.text || g.reasoning != tt.reasoning || g.err != nil {
					t.Errorf("%s: %s, want text %q, reasoning %q", how, g, tt.text, tt.reasoning)
				}
			}
			whole := babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":`+tt.content+
				`},"finish_reason":"stop"}]}`)
			check("plain", plainChat(t, whole))
			events := babytest.Stream(inDelta(`"role":"assistant","content":`+tt.content),
				inChoice(`"delta":{},"finish_reason":"stop"`))
			check("ranged", ranged(t, events))
			check("collected", collected(t, events))
		})
	}
	for _, content := range []string{`[{"type":"text","text":5}]`, `[{"type":"tool_use","id":"a","input":{}}]`,
		`{"x":"Hello"}`} {
		t.Run("no text: "+content, func(t *testing.T) {
			events := babytest.Stream(inDelta(`"content":` + content))
			for how, g := range map[string]got{"ranged": ranged(t, events), "collected": collected(t, events),
				"plain": plainChat(t, babytest.JSON(200, `{"choices":[{"message":{"content":`+content+`}}]}`))} {
				if !errors.Is(g.err, babyclient.ErrInvalidResponse) {
					t.Errorf("%s: %s, want an error", how, g)
				}
			}
		})
	}
	t.Run("where another endpoint has it", func(t *testing.T) {
		for _, choice := range []string{`"text":"Hello"`, `"delta":{"content":"Hello"}`,
			`"message":{"content":"Hello"}`, `"delta":{},"text":"Hello"`} {
			answer := babytest.JSON(200, `{"choices":[{`+choice+`}]}`)
			events := babytest.Stream(inChoice(choice))
			completion, err := completionPlain(t, answer)
			rangedText, rangedErr := completionRanged(t, events)
			collectedText, collectedErr := completionCollected(t, events)
			for how, g := range map[string]got{"plain": plainChat(t, answer), "ranged": ranged(t, events),
				"collected": collected(t, events), "completion": {text: completion, err: err},
				"completion ranged":    {text: rangedText, err: rangedErr},
				"completion collected": {text: collectedText, err: collectedErr}} {
				if g.text != "Hello" || g.err != nil {
					t.Errorf("%s of %s: %s", how, choice, g)
				}
			}
		}
	})
	t.Run("in pieces", func(t *testing.T) {
		piece := func(text string) string {
			return inDelta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"` + text + `"}]}]`)
		}
		events := babytest.Stream(piece("h"), piece("m"), inDelta(`"content":"Hel"`),
			inDelta(`"content":[{"type":"text","text":"lo"}]`))
		for how, g := range map[string]got{"ranged": ranged(t, events), "collected": collected(t, events)} {
			if g.text != "Hello" || g.reasoning != "hm" || g.err != nil {
				t.Errorf("%s: %s", how, g)
			}
		}
	})
	t.Run("a field of its own wins", func(t *testing.T) {
		body := `{"choices":[{"message":{"reasoning_content":"own","content":[` + thinking +
			`,{"type":"text","text":"a"}]}}]}`
		if g := plainChat(t, babytest.JSON(200, body)); g.text != "a" || g.reasoning != "own" {
			t.Errorf("got %s", g)
		}
	})
	t.Run("sent back as it came", func(t *testing.T) {
		content := `[` + thinking + `,{"type":"text","text":"Hello"}]`
		plain := plainChat(t, babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":`+content+
			`}}]}`))
		streamed := collected(t, babytest.Stream(inDelta(`"content":`+content)))
		for _, g := range []got{plain, streamed} {
			sameJSON(t, mustJSON(t, g.resp.Message()), `{"role":"assistant","content":`+content+`}`)
		}
	})
	t.Run("unreadable", func(t *testing.T) {
		for _, content := range []string{`7`, `true`, `[7]`} {
			if g := plainChat(t, babytest.JSON(200, `{"choices":[{"message":{"reasoning":"hm","content":`+content+
				`}}]}`)); !errors.Is(
				g.err, babyclient.ErrInvalidResponse) || g.reasoning != "hm" {
				t.Errorf("plain, %s: %s", content, g)
			}
			events := babytest.Stream(delta("a"), inDelta(`"content":`+content), delta("b"))
			g := ranged(t, events)
			if !errors.Is(g.err, babyclient.ErrInvalidResponse) || g.text != "ab" || len(g.chunks) != 3 ||
				g.chunks[1].Err() == nil || !strings.Contains(g.err.Error(), "content") {
				t.Errorf("ranged, %s: %s", content, g)
			}
			if g := collected(t, events); !errors.Is(g.err, babyclient.ErrInvalidResponse) {
				t.Errorf("collected, %s: %s", content, g)
			}
		}
	})
}

// Halves of a character in two events are one character.
func TestHalvesOfCharacters(t *testing.T) {
	for name, tt := range map[string]struct {
		pieces []string // as in JSON, without quotes
		want   string
	}{
		"one":                         {[]string{`a\ud83d`, `\ude00b`}, "a😀b"},
		"alone in its event":          {[]string{`a`, `\ud83d`, `\ude00`, `b`}, "a😀b"},
		"capitals":                    {[]string{`a\uD83D`, `\uDE00b`}, "a😀b"},
		"two":                         {[]string{`\ud83d`, `\ude00\ud83d`, `\ude01`}, "😀😁"},
		"behind a pair":               {[]string{`\ud83d\ude00\ud83d`, `\ude01`}, "😀😁"},
		"nothing between":             {[]string{`a\ud83d`, ``, `\ude00b`}, "a😀b"},
		"a lone first half":           {[]string{`a\ud83d`, `b`}, "a\ufffdb"},
		"a lone second half":          {[]string{`a`, `\ude00b`}, "a\ufffdb"},
		"a lone half at the end":      {[]string{`a\ud83d`}, "a\ufffd"},
		"a lone half in the midst":    {[]string{`a\ud83db`, `c`}, "a\ufffdbc"},
		"two first halves":            {[]string{`a\ud83d`, `\ud83d\ude00`}, "a\ufffd😀"},
		"two first halves, one each":  {[]string{`a\ud83d`, `\ud83d`, `\ude00`}, "a\ufffd😀"},
		"halves in the wrong order":   {[]string{`\ude00`, `\ud83d`}, "\ufffd\ufffd"},
		"no escape":                   {[]string{`a\\ud83d`, `\\ude00`}, `a\ud83d\ude00`},
		"Hangul":                      {[]string{`\ud55c`, `\uad6d`}, "한국"},
		"private characters":          {[]string{"a\U0010f03d\\ud83d", "b"}, "a\U0010f03d\ufffdb"},
		"private characters, escaped": {[]string{`a\udbfc\udc3d\ud83d`, `b`}, "a\U0010f03d\ufffdb"},
		"private character follows":   {[]string{`a\ud83d`, `\udbfd\ude00`}, "a\ufffd\U0010f600"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, field := range []string{"content", "reasoning", "reasoning_content", "refusal", "arguments"} {
				var events []string
				for _, p := range tt.pieces {
					events = append(events, inDelta(map[bool]string{
						false: `"` + field + `":"` + p + `"`,
						true:  `"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"` + p + `"}}]`,
					}[field == "arguments"]))
				}
				read := func(g got) string {
					switch field {
					case "content":
						return g.text
					case "refusal":
						return g.resp.Choices[0].Message.Refusal
					case "arguments":
						return g.resp.ToolCalls()[0].Function.Arguments
					}
					return g.reasoning
				}
				if g := collected(t, babytest.Stream(events...)); read(g) != tt.want || g.err != nil {
					t.Errorf("%s: %q, %v, want %q", field, read(g), g.err, tt.want)
				}
				g := ranged(t, babytest.Stream(events...))
				if got := g.text + g.reasoning; g.err != nil || got != tt.want && field != "refusal" &&
					field != "arguments" {
					t.Errorf("%s, ranged: %q, %v, want %q", field, got, g.err, tt.want)
				}
				for i, event := range events {
					if string(g.chunks[i].Raw) != event {
						t.Errorf("%s: Raw is %s, want %s", field, g.chunks[i].Raw, event)
					}
				}
			}
			var texts []string
			for _, p := range tt.pieces {
				texts = append(texts, `{"choices":[{"index":0,"text":"`+p+`"}]}`)
			}
			for how, read := range map[string]func(*testing.T, http.Handler) (string, error){
				"ranged": completionRanged, "collected": completionCollected} {
				if text, err := read(t, babytest.Stream(texts...)); text != tt.want || err != nil {
					t.Errorf("completion, %s: %q, %v, want %q", how, text, err, tt.want)
				}
			}
		})
	}
	t.Run("choices and fields apart", func(t *testing.T) {
		choice := func(index int, fields string) string {
			return fmt.Sprintf(`{"choices":[{"index":%d,"delta":{%s}}]}`, index, fields)
		}
		g := collected(t, babytest.Stream(choice(0, `"content":"a\ud83d"`), choice(1, `"content":"\ud83d"`),
			choice(0, `"reasoning":"x"`), choice(1, `"content":"\ude01"`), choice(0, `"content":"\ude00"`)))
		if g.text != "a😀" || g.resp.Choices[1].Message.Content != "😁" || g.reasoning != "x" || g.err != nil {
			t.Errorf("got %s and %+v", g, g.resp.Choices)
		}
	})
	t.Run("an error follows", func(t *testing.T) {
		g := ranged(t, sse("data: "+inDelta(`"content":"a\ud83d"`)+"\n\n"))
		if g.text != "a\ufffd" || !errors.Is(g.err, babyclient.ErrStreamTruncated) {
			t.Errorf("got %s", g)
		}
	})
}

func TestWholeMessageInAStream(t *testing.T) {
	message := func(content string) string {
		return inChoice(`"message":{"role":"assistant","content":"` + content + `"},"finish_reason":"stop"`)
	}
	both := func(piece, content string) string {
		return inChoice(`"delta":{"content":"` + piece + `"},"message":{"role":"assistant","content":"` + content +
			`"}`)
	}
	role := inDelta(`"role":"assistant"`)
	for name, tt := range map[string]struct {
		events []string
		want   string
	}{
		"in place of pieces":       {[]string{role, message("Hello")}, "Hello"},
		"alone":                    {[]string{message("Hello")}, "Hello"},
		"a whole answer":           {[]string{`{"object":"chat.completion",` + message("Hello")[1:]}, "Hello"},
		"after pieces":             {[]string{delta("Hel"), delta("lo"), message("Hello")}, "Hello"},
		"after some of the pieces": {[]string{delta("Hel"), message("Hello")}, "Hello"},
		"beside an empty piece":    {[]string{delta("Hel"), delta("lo"), both("", "Hello")}, "Hello"},
		"beside the last piece":    {[]string{delta("Hel"), both("lo", "Hello")}, "Hello"},
		"without white space":      {[]string{delta(" Hel"), delta("lo\n"), message("Hello")}, " Hello\n"},
		"another version": {[]string{delta("<t>hm</t>Hel"), delta("lo"), message("Hello")},
			"<t>hm</t>Hello"},
		"growing beside pieces":      {[]string{both("Hel", "Hel"), both("lo", "Hello"), both("", "Hello")}, "Hello"},
		"growing in place of pieces": {[]string{message("Hel"), message("Hello"), message("Hello")}, "Hello"},
		"as pieces":                  {[]string{message("Hel"), message("lo")}, "Hello"},
		"empty":                      {[]string{delta("Hello"), message("")}, "Hello"},
		"null":                       {[]string{delta("Hello"), inChoice(`"delta":{},"message":null`)}, "Hello"},
		"twice":                      {[]string{delta("Hello"), message("Hello"), message("Hello")}, "Hello"},
		"in parts": {[]string{inChoice(`"message":{"content":[{"type":"text","text":"Hello"}]}`)},
			"Hello"},
	} {
		t.Run(name, func(t *testing.T) {
			events := babytest.Stream(tt.events...)
			for how, g := range map[string]got{"ranged": ranged(t, events), "collected": collected(t, events)} {
				if g.text != tt.want || g.err != nil {
					t.Errorf("%s: %s, want text %q", how, g, tt.want)
				}
			}
		})
	}
	call := func(id, name string) string {
		return `{"id":"` + id + `","function":{"name":"` + name + `","arguments":"{}"}}`
	}
	calls := func(calls ...string) string {
		return inChoice(`"message":{"tool_calls":[` + strings.Join(calls, ",") + `]}`)
	}
	for name, tt := range map[string]struct {
		events []string
		want   string
	}{
		"a message for each call":   {[]string{calls(call("a", "f")), calls(call("b", "g"))}, "a:f({}) b:g({})"},
		"without ids":               {[]string{calls(call("", "f")), calls(call("", "g"))}, ":f({}) :g({})"},
		"all calls so far in each":  {[]string{calls(call("a", "f")), calls(call("a", "f"), call("b", "g"))}, "a:f({}) b:g({})"},
		"two that are alike, twice": {[]string{calls(call("", "f"), call("", "f")), calls(call("", "f"), call("", "f"))}, ":f({}) :f({})"},
		"two of one id":             {[]string{calls(call("a", "f"), call("a", "g"))}, "a:f({}) a:g({})"},
		"one in pieces, both in the end": {[]string{inDelta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]`),
			calls(call("a", "f"), call("b", "g"))}, "a:f({}) b:g({})"},
		"in pieces without ids, and in the end": {[]string{inDelta(`"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]`),
			calls(call("", "f"))}, ":f({})"},
	} {
		t.Run("calls, "+name, func(t *testing.T) {
			last := inChoice(`"delta":{},"finish_reason":"tool_calls"`)
			g := collected(t, babytest.Stream(append(tt.events, last)...))
			if g.calls != tt.want || g.err != nil {
				t.Errorf("got %s, want calls %q", g, tt.want)
			}
		})
	}
	t.Run("calls and reasoning", func(t *testing.T) {
		call := `"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":{}}}]`
		whole := inChoice(`"message":{"reasoning_content":"hm",` + call + `},"finish_reason":"tool_calls"`)
		pieces := []string{inDelta(`"reasoning_content":"hm"`), inDelta(call)}
		for _, events := range [][]string{{whole}, append(pieces, whole), {pieces[0], whole}, {whole, whole}} {
			g := collected(t, babytest.Stream(events...))
			if g.reasoning != "hm" || g.calls != "a:f({}) b:g({})" || g.finish != "tool_calls" || g.err != nil {
				t.Errorf("%d events: %s", len(events), g)
			}
		}
	})
	t.Run("the word in a text", func(t *testing.T) {
		g := collected(t, babytest.Stream(delta(`"message"`), inDelta(`"content":"b","message":"x"`)))
		if g.text != `"message"b` || g.err != nil {
			t.Errorf("got %s", g)
		}
	})
	t.Run("unreadable", func(t *testing.T) {
		g := ranged(t, babytest.Stream(delta("a"), inChoice(`"message":{"content":7}`)))
		if g.text != "a" || !errors.Is(g.err, babyclient.ErrInvalidResponse) {
			t.Errorf("got %s", g)
		}
	})
}

func TestFinishReasonsOfFailures(t *testing.T) {
	failed := []string{"abort", "error", "ERROR", "aborted", "cancelled", "canceled", "failed", "timeout",
		"insufficient_system_resource"}
	good := []string{"stop", "length", "content_filter", "tool_calls", "function_call", "eos", "model_length", "",
		"something new"}
	for _, reason := range append(failed, good...) {
		isFailed := strings.Contains(strings.Join(failed, " "), reason) && reason != ""
		t.Run(reason, func(t *testing.T) {
			finish := fmt.Sprintf(`"finish_reason":%q`, reason)
			events := babytest.Stream(delta("half"), inChoice(`"delta":{},`+finish))
			texts := babytest.Stream(`{"choices":[{"index":0,"text":"half",` + finish + `}]}`)
			completion, completionErr := completionPlain(t, babytest.JSON(200, `{"choices":[{"text":"half",`+finish+
				`}]}`))
			collectedText, collectedErr := completionCollected(t, texts)
			infer, inferErr := serve(t, babytest.JSON(200, `{"output":"half",`+finish+`}`)).
				Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
			for how, g := range map[string]got{
				"plain": plainChat(t, babytest.JSON(200, `{"choices":[{"message":{"content":"half"},`+finish+
					`}]}`)),
				"collected": collected(t, events),
				"second choice": plainChat(t, babytest.JSON(200,
					`{"choices":[{"message":{"content":"half"},"finish_reason":"stop"},`+
						`{"index":1,"message":{"content":"x"},`+finish+`}]}`)),
				"completion":           {text: completion, err: completionErr},
				"completion collected": {text: collectedText, err: collectedErr},
				"infer":                {text: infer.Output, err: inferErr},
			} {
				if g.text != "half" || (g.err != nil) != isFailed {
					t.Errorf("%s: %s, want the text, and an error: %t", how, g, isFailed)
				}
				if isFailed {
					if e := fails(t, g.err); !errors.Is(e, babyclient.ErrGenerationFailed) ||
						e.Code != babyclient.CodeGenerationFailed ||
						!strings.Contains(e.Message, reason) {
						t.Errorf("%s: %v", how, e)
					}
				}
			}
			if g := ranged(t, events); g.text != "half" || g.finish != reason || g.err != nil {
				t.Errorf("ranged: %s", g) // the chunk tells
			}
		})
	}
}

// A range goes on after an event that could not be decoded, and never ends clean.
func TestRangeEndsWithWhatWasLeftOut(t *testing.T) {
	for _, odd := range []string{"hello", `{"choices":[`, `{"choices":"?"}`, `[1]`, `7`, `null x`,
		`{"choices":[{"delta":7}]}`,
		`{"choices":[{"index":"x","delta":{"content":"b"}}]}`} {
		events := babytest.Stream(delta("a"), odd, "second", delta("b"))
		g := ranged(t, events)
		e := fails(t, g.err)
		if !errors.Is(e, babyclient.ErrInvalidResponse) || e.Details != odd || len(g.chunks) != 4 {
			t.Errorf("%s: %s, details %s", odd, g, e.Details)
			continue
		}
		for i, chunk := range g.chunks {
			if isOdd := i == 1 || i == 2; (chunk.Err() != nil) != isOdd {
				t.Errorf("%s: Err of chunk %d is %v", odd, i, chunk.Err())
			}
		}
	}
	// Another failure is the more important.
	if g := ranged(t, sse("data: hello\n\n")); !errors.Is(g.err, babyclient.ErrStreamTruncated) {
		t.Errorf("got %s", g)
	}
	if _, err := completionRanged(t, babytest.Stream("hello")); !errors.Is(err, babyclient.ErrInvalidResponse) {
		t.Errorf("completion: %v", err)
	}
}

// What a server sends many of does not cost the square of their number.
func TestManyCallsAndChoices(t *testing.T) {
	const many = 30_000
	started := time.Now()
	var calls, choices, oneEvent strings.Builder
	for i := range many {
		fmt.Fprintf(&calls, "data: %s\n\n", inDelta(fmt.Sprintf(
			`"tool_calls":[{"index":%d,"id":"a%d","function":{"name":"f","arguments":"{}"}}]`, i, i)))
		choice := fmt.Sprintf(`{"index":%d,"delta":{"content":"x"},"text":"x"}`, i)
		fmt.Fprintf(&choices, "data: {\"choices\":[%s]}\n\n", choice)
		oneEvent.WriteString("," + choice)
	}
	const done = "data: [DONE]\n\n"
	if g := collected(t, sse(calls.String()+done)); g.err != nil || len(g.resp.ToolCalls()) != many {
		t.Errorf("calls: %v", g.err)
	}
	for how, events := range map[string]string{"one by one": choices.String(),
		"in one event": `data: {"choices":[` + oneEvent.String()[1:] + "]}\n\n"} {
		if g := collected(t, sse(events+done)); g.err != nil || len(g.resp.Choices) != many {
			t.Errorf("choices %s: %v", how, g.err)
		}
		if _, err := completionCollected(t, sse(events+done)); err != nil {
			t.Errorf("completion choices %s: %v", how, err)
		}
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
