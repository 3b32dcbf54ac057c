package provider_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

func onUsage(to *[]provider.Usage) provider.UsageFunc {
	return func(_ context.Context, u provider.Usage) { *to = append(*to, u) }
}

func testResponse(t *testing.T) {
	answer := `{"id":"c1","created":5,"model":"served","choices":[
		{"index":1,"message":{"content":"second"},"finish_reason":"content_filter"},
		{"index":0,"message":{"content":"first","reasoning_content":"hm"},"finish_reason":"stop","stop_reason":"END"}]}`
	resp, err := newLLM(t, chatServer(t, babytest.WithHeader(babytest.JSON(200, answer), "X-Request-Id",
		"r1"))).GenerateContent(t.Context(), human("x"))
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "choices", jsonOf(t, resp.Choices), `[
		{"Content":"first","StopReason":"stop","ReasoningContent":"hm","FuncCall":null,"ToolCalls":null,
			"GenerationInfo":{"ID":"c1","Created":5,"Model":"served","ThinkingContent":"hm","ReasoningField":"reasoning_content","RequestID":"r1",`+
		`"StopSequence":"END"}},
		{"Content":"second","StopReason":"content_filter","ReasoningContent":"","FuncCall":null,"ToolCalls":null,
			"GenerationInfo":{"ID":"c1","Created":5,"Model":"served","ThinkingContent":"","RequestID":"r1"}}]`)

	tools := `{"choices":[{"message":{"content":null,"reasoning":"hm","tool_calls":[
		{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g",` +
		`"arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}]}`
	resp, err = newLLM(t, chatServer(t, babytest.JSON(200, tools))).GenerateContent(t.Context(), human("x"))
	if err != nil {
		t.Fatal(err)
	}
	c := resp.Choices[0]
	if c.Content != "" || c.ReasoningContent != "hm" || len(c.ToolCalls) != 2 ||
		c.FuncCall != c.ToolCalls[0].FunctionCall ||
		c.ToolCalls[1].ID != "b" || c.ToolCalls[1].Type != "function" ||
		c.ToolCalls[1].FunctionCall.Arguments != `{"x":1}` {
		t.Errorf("choice %s, want no content, reasoning hm, and calls a and b", jsonOf(t, c))
	}

	for name, test := range map[string]struct {
		answer http.Handler
		code   llms.ErrorCode
		words  string
	}{
		"no choices": {babytest.JSON(200, `{"choices":[]}`), llms.ErrCodeProviderUnavailable, "no choices"},
		"function_call": {babytest.JSON(200,
			`{"choices":[{"message":{"function_call":{"name":"f","arguments":"{}"}},`+
				`"finish_reason":"function_call"}]}`), llms.ErrCodeNotImplemented, "function_call"},
		"streamed": {babytest.Stream(delta(`{"function_call":{"name":"f","arguments":"{}"}}`),
			finish("function_call")), llms.ErrCodeNotImplemented, "function_call"},
		"call, no name": {babytest.JSON(200,
			`{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"arguments":"{}"}}]},`+
				`"finish_reason":"tool_calls"}]}`), llms.ErrCodeProviderUnavailable, "without a name"},
		"not JSON": {babytest.JSON(200, `<html>`), llms.ErrCodeProviderUnavailable, "JSON"},
		"error with 200": {babytest.JSON(200, `{"error":{"message":"engine died"}}`), llms.ErrCodeProviderUnavailable,
			"engine died"},
	} {
		t.Run(name, func(t *testing.T) {
			var o llms.CallOption
			if name == "streamed" {
				o = onlyText()
			}
			resp, err := newLLM(t, chatServer(t, test.answer)).GenerateContent(t.Context(), human("x"), o)
			if resp != nil {
				t.Errorf("response %s beside the error, want none", jsonOf(t, resp))
			}
			wantError(t, err, test.code, test.words)
		})
	}
}

func testGenerationInfo(t *testing.T) {
	usage := `"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,
		"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1},
		"completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":2,"accepted_prediction_tokens":3,` +
		`"rejected_prediction_tokens":5}}`
	want := map[string]int{"PromptTokens": 10, "CompletionTokens": 20, "TotalTokens": 30, "PromptAudioTokens": 1,
		"PromptCachedTokens": 4, "CachedTokens": 4, "CacheReadInputTokens": 4,
		"CompletionAudioTokens": 2, "CompletionReasoningTokens": 7, "ReasoningTokens": 7, "ThinkingTokens": 7,
		"CompletionAcceptedPredictionTokens": 3, "CompletionRejectedPredictionTokens": 5}
	plain := babytest.JSON(200, `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],`+usage+`}`)
	stream := babytest.Stream(text("x"), finish("stop"), `{"choices":[],`+usage+`}`)
	for name, h := range map[string]http.Handler{"plain": plain, "streamed": stream} {
		var o llms.CallOption
		if name == "streamed" {
			o = onlyText()
		}
		var used []provider.Usage
		llm := newLLM(t, chatServer(t, h), provider.WithUsageFunc(onUsage(&used)))
		resp, err := llm.GenerateContent(t.Context(), human("x"), o)
		if err != nil {
			t.Fatal(err)
		}
		info := resp.Choices[0].GenerationInfo
		for key, n := range want {
			if got, ok := info[key].(int); !ok || got != n {
				t.Errorf("%s: %s is %T %v, want int %d", name, key, info[key], info[key], n)
			}
		}
		if got := llms.ExtractThinkingTokens(info); got.ThinkingTokens != 7 || got.ThinkingOutputTokens != 7 {
			t.Errorf("%s: thinking tokens %+v", name, got)
		}
		if len(used) != 1 || used[0].Operation != "chat" || used[0].TotalTokens != 30 {
			t.Errorf("%s: usage reported %+v", name, used)
		}
	}
	for name, test := range map[string]struct {
		usage string
		known bool
	}{
		"no usage": {`"usage":null`, false},
		"null details": {`"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,` +
			`"prompt_tokens_details":null,"completion_tokens_details":null}`, true},
	} {
		resp, err := newLLM(t, chatServer(t, babytest.JSON(200,
			`{"choices":[{"message":{"content":"x"}}],`+test.usage+`}`))).GenerateContent(t.Context(), human("x"))
		if err != nil {
			t.Fatal(err)
		}
		total, known := resp.Choices[0].GenerationInfo["TotalTokens"]
		reasoning := resp.Choices[0].GenerationInfo["ReasoningTokens"]
		if known != test.known || known && (total != 3 || reasoning != 0) {
			t.Errorf("%s: total %v, reasoning %v", name, total, reasoning)
		}
	}
}

func TestThinkTagsAreTakenOffTheText(t *testing.T) {
	closed, open := provider.WithThinkTags(), provider.WithOpenThinkTag()
	type split struct{ reasoning, text string }
	for name, test := range map[string]struct {
		option          llms.CallOption
		answer          string
		reasoning, text string
		// streamed is what a stream delivers, where that is another than the answer it ends with.
		streamed *split
	}{
		"off":            {nil, "<think>hm</think>4", "", "<think>hm</think>4", nil},
		"tags":           {closed, "<think>\nhm\n</think>\n\n4", "hm\n", "4", nil},
		"space before":   {closed, "\n <think>hm</think>4", "hm", "4", nil},
		"no tags":        {closed, "\n4 <b>", "", "\n4 <b>", nil},
		"empty thinking": {closed, "<think>\n\n</think>\n\n4", "", "4", nil},
		"not at the start": {closed, "the tag <think> opens and </think> closes", "",
			"the tag <think> opens and </think> closes", nil},
		"like a tag":           {closed, "<thin", "", "<thin", nil},
		"cut in the thinking":  {closed, "<think>hm </thi", "hm </thi", "", nil},
		"opened by the prompt": {open, "hm\n</think>\n\n4", "hm\n", "4", nil},
		"opened twice":         {open, "<think>hm</think>4", "hm", "4", nil},
		"no thinking":          {open, "4", "", "4", &split{"4", "4"}},
		"no thinking, space":   {open, "\n4 </thi", "", "\n4 </thi", &split{"4 ", "\n4 </thi"}},
		"opened, no closing":   {open, "<think>hm", "hm", "", nil},
		"opened by the prompt, tags": {closed, "hm\n</think>\n\n4", "hm\n", "4",
			&split{"", "hm\n</think>\n\n4"}},
		"other tags": {open, "a < b </thinking> c</think>4 </think>", "a < b </thinking> c", "4 </think>", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for size := range len(test.answer) + 1 { // 0: the plain call
				h := says(test.answer)
				var p pieces
				options := []llms.CallOption{test.option}
				if size > 0 {
					var events []string
					for at := 0; at < len(test.answer); at += size {
						events = append(events, text(test.answer[at:min(at+size, len(test.answer))]))
					}
					h = babytest.Stream(append(events, finish("stop"))...)
					options = append(options, p.options()...)
				}
				resp, err := newLLM(t, chatServer(t, h)).GenerateContent(t.Context(), human("x"), options...)
				if err != nil {
					t.Fatal(err)
				}
				c := resp.Choices[0]
				if c.Content != test.text || c.ReasoningContent != test.reasoning {
					t.Errorf("in pieces of %d: text %q, thinking %q; want %q, %q", size, c.Content, c.ReasoningContent,
						test.text, test.reasoning)
				}
				want := split{test.reasoning, test.text}
				if test.streamed != nil {
					want = *test.streamed
				}
				got := split{strings.Join(p.reasoning, ""), strings.Join(p.text, "")}
				if size > 0 && got != want {
					t.Errorf("in pieces of %d: streamed %+q, want %+q", size, got, want)
				}
			}
		})
	}
}

func FuzzThinkTags(f *testing.F) {
	f.Add("<think>hm</think>4", uint8(3), false, false)
	f.Add("hm</think>4", uint8(1), true, false)
	f.Add("hm", uint8(1), true, true)
	f.Fuzz(func(t *testing.T, answer string, size uint8, open, wasCut bool) {
		if size == 0 {
			size = 1
		}
		option := provider.WithThinkTags()
		if open {
			option = provider.WithOpenThinkTag()
		}
		whole := provider.SplitThinking(option, wasCut, answer)
		var pieces []string
		for at := 0; at < len(answer); at += int(size) {
			pieces = append(pieces, answer[at:min(at+int(size), len(answer))])
		}
		if got := provider.SplitThinking(option, wasCut, pieces...); got != whole && !isAssumed(got, whole) {
			t.Errorf("%q in pieces of %d: %q, whole: %q", answer, size, got, whole)
		}
		// The answer that a stream ends with is split as a whole.
		final := provider.SplitWholeThinking(option, wasCut, answer)
		if opened := strings.HasPrefix(strings.TrimLeft(answer, " \t\r\n"), "<think>"); final != whole &&
			(opened || open && (wasCut || strings.Contains(answer, "</think>"))) {
			t.Errorf("%q: %q, in a stream %q", answer, final, whole)
		}
	})
}

// isAssumed tells whether two streams of one answer differ only in the end that was not yet given
// out as thinking when it turned out to be the answer.
func isAssumed(a, b [2]string) bool {
	return a[1] == b[1] && (strings.HasPrefix(a[0], b[0]) || strings.HasPrefix(b[0], a[0]))
}

// A service that splits the thinking off itself, for some answers or for all, gives the same with
// every option.
func TestThinkTagsLeaveASplitAnswerAlone(t *testing.T) {
	for name, option := range map[string]llms.CallOption{
		"off": nil, "tags": provider.WithThinkTags(), "open tag": provider.WithOpenThinkTag(),
	} {
		for _, streamed := range []bool{false, true} {
			h := babytest.JSON(200, `{"choices":[{"finish_reason":"stop",`+
				`"message":{"role":"assistant","reasoning":"hm","content":"a </think> b"}}]}`)
			var p pieces
			options := []llms.CallOption{option}
			if streamed {
				h = babytest.Stream(`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
					`{"choices":[{"index":0,"delta":{"reasoning":"h"}}]}`,
					`{"choices":[{"index":0,"delta":{"reasoning":"m"}}]}`, text("a </th"), text("ink> b"), finish("stop"))
				options = append(options, p.options()...)
			}
			resp, err := newLLM(t, chatServer(t, h)).GenerateContent(t.Context(), human("x"), options...)
			if err != nil {
				t.Fatal(err)
			}
			if c := resp.Choices[0]; c.Content != "a </think> b" || c.ReasoningContent != "hm" {
				t.Errorf("%s, streamed %t: text %q, thinking %q", name, streamed, c.Content, c.ReasoningContent)
			}
			if got := strings.Join(p.text, ""); streamed && got != "a </think> b" {
				t.Errorf("%s: streamed text %q", name, got)
			}
		}
	}
}

// One option serves a model that thinks only if it is asked to.
func TestOpenThinkTagWithThinkingOff(t *testing.T) {
	for name, off := range map[string]llms.CallOption{
		"by mode":     llms.WithThinkingMode(llms.ThinkingModeNone),
		"by template": provider.WithExtraBody(map[string]any{"chat_template_kwargs": map[string]any{"thinking": false}}),
	} {
		var p pieces
		h := babytest.Stream(text("4"), text("2"), finish("length"))
		resp, err := newLLM(t, chatServer(t, h)).GenerateContent(t.Context(), human("x"),
			append(p.options(), provider.WithOpenThinkTag(), off)...)
		if err != nil {
			t.Fatal(err)
		}
		if c := resp.Choices[0]; c.Content != "42" || c.ReasoningContent != "" || strings.Join(p.text, "|") != "4|2" {
			t.Errorf("%s: text %q, thinking %q, streamed %q", name, c.Content, c.ReasoningContent, p.text)
		}
	}
}

func TestCutToolCallIsAnError(t *testing.T) {
	withTool := llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f"}}})
	answer := func(message, finish string) http.Handler {
		return babytest.JSON(200, `{"choices":[{"message":`+message+`,"finish_reason":"`+finish+`"}]}`)
	}
	raw := `{"content":"I look.\n<tool_call>\n{\"name\": \"f\", \"argu"}`
	half := `{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}`
	whole := `{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}`
	for name, test := range map[string]struct {
		answer http.Handler
		option llms.CallOption
		cut    string // what there was of the call, empty for an answer that is none
	}{
		"raw text":              {answer(raw, "length"), withTool, "<tool_call>\n{\"name\": \"f\", \"argu"},
		"half of the arguments": {answer(half, "length"), withTool, `f {"x":`},
		"a whole call":          {answer(whole, "length"), withTool, ""},
		"not cut":               {answer(raw, "stop"), withTool, ""},
		"no tools":              {answer(raw, "length"), nil, ""},
		"cut text":              {answer(`{"content":"I lo"}`, "length"), withTool, ""},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := newLLM(t, chatServer(t, test.answer)).GenerateContent(t.Context(), human("x"), test.option)
			if test.cut == "" {
				if err != nil || resp == nil {
					t.Errorf("response %v, error %v", resp, err)
				}
				return
			}
			wantError(t, err, llms.ErrCodeInvalidRequest, "inside of a function call", "WithMaxTokens")
			if resp != nil || llms.IsTokenLimitError(err) {
				t.Errorf("response %v, error %v", resp, err)
			}
			e := err.(*llms.Error) //nolint:errorlint // wantError has looked
			if e.Details["partial_tool_call"] != test.cut {
				t.Errorf("partial_tool_call %q, want %q", e.Details["partial_tool_call"], test.cut)
			}
		})
	}
}

// One of several answers that cannot be used does not cost the others.
func TestChoicesBesideOneThatIsCut(t *testing.T) {
	h := babytest.JSON(200, `{"choices":[`+
		`{"index":0,"message":{"content":"no","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x"}}]},`+
		`"finish_reason":"length"},{"index":1,"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	resp, err := newLLM(t, chatServer(t, h)).GenerateContent(t.Context(), human("x"), llms.WithN(2),
		llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f"}}}))
	if err != nil {
		t.Fatal(err)
	}
	cut, whole := resp.Choices[0], resp.Choices[1]
	if whole.Content != "yes" || cut.Content != "no" || cut.ToolCalls != nil || cut.FuncCall != nil ||
		cut.StopReason != "length" {
		t.Errorf("choices %+v and %+v", cut, whole)
	}
	failed, _ := cut.GenerationInfo["Error"].(error)
	wantError(t, failed, llms.ErrCodeInvalidRequest, "inside of a function call")
	if whole.GenerationInfo["Error"] != nil {
		t.Errorf("error %v of the whole choice", whole.GenerationInfo["Error"])
	}
}
