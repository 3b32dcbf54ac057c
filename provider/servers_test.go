package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// What real servers send beside the contract, see docs/servers.md, means the same to langchaingo:
// plain and streamed.
func TestRealServers(t *testing.T) {
	choice := func(message, finish string) string {
		return `{"choices":[{"index":0,"message":` + message + `,"finish_reason":"` + finish + `"}]}`
	}
	for name, test := range map[string]struct {
		plain           string
		events          []string
		text, reasoning string
		calls           string // names and arguments
		failure         string // in the error
		partial         string // what the error has of the answer
	}{
		"parallel calls of one index": {
			events: []string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}`),
				delta(`{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]}`), finish("tool_calls")},
			calls: `f{"x":1} g{}`,
		},
		"an error beside choices": {
			plain: `{"error":{"code":502,"message":"R"},"choices":[{"index":0,"message":{"content":"half"}}]}`,
			events: []string{text("half"),
				`{"error":{"code":502,"message":"R"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`},
			failure: "R", partial: "half",
		},
		"an error object in mid-stream": {
			events:  []string{text("half"), `{"object":"error","message":"R","code":500}`},
			failure: "R", partial: "half",
		},
		"content in parts": {
			plain: choice(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},`+
				`{"type":"text","text":"Hello"}]}`, "stop"),
			events: []string{delta(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}`),
				delta(`{"content":[{"type":"text","text":"Hello"}]}`), finish("stop")},
			text: "Hello", reasoning: "hm",
		},
		"fields of other types": {
			plain: `{"id":7,"created":1748694614.85,"usage":{"prompt_tokens":"3"},"choices":[{"index":0,` +
				`"message":{"content":"x"},"finish_reason":"stop"}]}`,
			events: []string{`{"id":7,"created":1748694614.85,"choices":[{"index":0,"delta":{"content":"x"}}]}`, finish("stop")},
			text:   "x",
		},
		"arguments as an object": {
			plain: choice(`{"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1}}}]}`, "tool_calls"),
			events: []string{delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}]}`),
				finish("tool_calls")},
			calls: `f{"x":1}`,
		},
		"half a character": {
			events: []string{delta(`{"content":"a\ud83d"}`), delta(`{"content":"\ude00b"}`), finish("stop")},
			text:   "a😀b",
		},
		"the whole message at the end": {
			events: []string{text("It "), `{"choices":[{"index":0,"message":{"content":"It rains."},"finish_reason":"stop"}]}`},
			text:   "It rains.",
		},
		"broken off": {
			plain:   choice(`{"content":"half"}`, "abort"),
			events:  []string{text("half"), finish("abort")},
			failure: "abort", partial: "half",
		},
	} {
		run := func(t *testing.T, llm *provider.LLM, options ...llms.CallOption) {
			resp, err := llm.GenerateContent(t.Context(), human("x"), options...)
			if test.failure != "" {
				e, ok := errors.AsType[*llms.Error](err)
				if !ok || !strings.Contains(e.Message, test.failure) || e.Details["partial_content"] != test.partial {
					t.Errorf("error %#v, want %q with %q", err, test.failure, test.partial)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c := resp.Choices[0]
			var calls []string
			for _, call := range c.ToolCalls {
				calls = append(calls, call.FunctionCall.Name+call.FunctionCall.Arguments)
			}
			if c.Content != test.text || c.ReasoningContent != test.reasoning ||
				strings.Join(calls, " ") != test.calls {
				t.Errorf("text %q, thinking %q, calls %q", c.Content, c.ReasoningContent, calls)
			}
		}
		if test.plain != "" {
			llm := newLLM(t, chatServer(t, babytest.JSON(200, test.plain)))
			t.Run(name+", plain", func(t *testing.T) { run(t, llm) })
		}
		t.Run(name+", streamed", func(t *testing.T) {
			var p pieces
			run(t, newLLM(t, chatServer(t, babytest.Stream(test.events...))), p.options()...)
			if got := strings.Join(p.text, ""); test.failure == "" && got != test.text {
				t.Errorf("streamed %q, want %q", got, test.text)
			}
		})
	}
}

// Thinking goes back under the name it came with.
func TestReasoningGoesBackAsItCame(t *testing.T) {
	for name, test := range map[string]struct{ plain, event, back string }{
		"vLLM": {`{"content":"4","reasoning":"hm"}`, `{"reasoning":"hm"}`,
			`{"role":"assistant","content":"4","reasoning":"hm"}`},
		"llama.cpp": {`{"content":"4","reasoning_content":"hm"}`, `{"reasoning_content":"hm"}`,
			`{"role":"assistant","content":"4","reasoning_content":"hm"}`},
		"Mistral": {`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"4"}]}`,
			`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}`,
			`{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},` +
				`{"type":"text","text":"4"}]}`},
	} {
		for _, streamed := range []bool{false, true} {
			h := babytest.JSON(200, `{"choices":[{"index":0,"message":`+test.plain+`,"finish_reason":"stop"}]}`)
			var options []llms.CallOption
			if streamed {
				h = babytest.Stream(delta("%s", test.event), text("4"), finish("stop"))
				options = append(options, onlyText())
			}
			srv := chatServer(t, h, says("ok"))
			llm := newLLM(t, srv)
			resp, err := llm.GenerateContent(t.Context(), human("x"), options...)
			if err != nil {
				t.Fatal(err)
			}
			c := resp.Choices[0]
			history := append(human("x"), message("ai", provider.ReasoningPartOf(c), llms.TextPart(c.Content))...)
			if _, err := llm.GenerateContent(t.Context(), history); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, name, jsonOf(t, lastBody(t, srv)["messages"].([]any)[1]), test.back)
		}
	}
}
