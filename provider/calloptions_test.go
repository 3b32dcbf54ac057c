package provider_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/tmc/langchaingo/jsonschema"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/provider"
)

// sentOptions is the body of a call with options, but for the messages.
func sentOptions(t *testing.T, defaults []llms.CallOption, options ...llms.CallOption) map[string]any {
	t.Helper()
	srv := chatServer(t)
	llm := newLLM(t, srv, provider.WithDefaults(defaults...))
	if _, err := llm.GenerateContent(t.Context(), human("x"), options...); err != nil {
		t.Fatal(err)
	}
	body := lastBody(t, srv)
	delete(body, "messages")
	return body
}

func testOptions(t *testing.T) {
	f, g := llms.FunctionDefinition{Name: "f", Description: "does f"}, llms.FunctionDefinition{Name: "g"}
	withTools := llms.WithTools([]llms.Tool{{Type: "function", Function: &f}})
	tools := `"tools":[{"type":"function","function":{"name":"f","description":"does f",` +
		`"parameters":{"type":"object","properties":{}}}}]`
	for name, test := range map[string]struct {
		options []llms.CallOption
		want    string // beside the model
	}{
		"temperature": {[]llms.CallOption{llms.WithTemperature(0.5)}, `"temperature":0.5`},
		"max tokens":  {[]llms.CallOption{llms.WithMaxTokens(7)}, `"max_tokens":7`},
		"max length":  {[]llms.CallOption{llms.WithMaxLength(8)}, `"max_tokens":8`},
		"both":        {[]llms.CallOption{llms.WithMaxTokens(7), llms.WithMaxLength(8)}, `"max_tokens":7`},
		"min length":  {[]llms.CallOption{llms.WithMinLength(3)}, `"min_tokens":3`},
		"top p":       {[]llms.CallOption{llms.WithTopP(0.9)}, `"top_p":0.9`},
		"top k":       {[]llms.CallOption{llms.WithTopK(40)}, `"top_k":40`},
		"seed":        {[]llms.CallOption{llms.WithSeed(-5)}, `"seed":-5`},
		"n":           {[]llms.CallOption{llms.WithN(2)}, `"n":2`},
		"candidates":  {[]llms.CallOption{llms.WithCandidateCount(3)}, `"n":3`},
		"n twice":     {[]llms.CallOption{llms.WithN(3), llms.WithCandidateCount(3)}, `"n":3`},
		"repetition":  {[]llms.CallOption{llms.WithRepetitionPenalty(1.1)}, `"repetition_penalty":1.1`},
		"frequency":   {[]llms.CallOption{llms.WithFrequencyPenalty(0.1)}, `"frequency_penalty":0.1`},
		"presence":    {[]llms.CallOption{llms.WithPresencePenalty(-0.1)}, `"presence_penalty":-0.1`},
		"stop": {[]llms.CallOption{llms.WithStopWords([]string{"\nObservation:"})},
			`"stop":["\nObservation:"]`},
		"no stop":   {[]llms.CallOption{llms.WithStopWords([]string{})}, ``},
		"model":     {[]llms.CallOption{llms.WithModel("other")}, `"model":"other"`},
		"JSON mode": {[]llms.CallOption{llms.WithJSONMode()}, `"response_format":{"type":"json_object"}`},
		"JSON type": {[]llms.CallOption{llms.WithResponseMIMEType("application/json")},
			`"response_format":{"type":"json_object"}`},
		"text type":      {[]llms.CallOption{llms.WithResponseMIMEType("text/plain")}, ``},
		"tools":          {[]llms.CallOption{withTools}, tools},
		"functions":      {[]llms.CallOption{llms.WithFunctions([]llms.FunctionDefinition{f})}, tools},
		"both, one name": {[]llms.CallOption{withTools, llms.WithFunctions([]llms.FunctionDefinition{f})}, tools},
		"choice, word": {[]llms.CallOption{withTools, llms.WithToolChoice("required")},
			tools + `,"tool_choice":"required"`},
		"choice, none": {[]llms.CallOption{withTools, llms.WithToolChoice("none")},
			tools + `,"tool_choice":"none"`},
		"choice, name": {[]llms.CallOption{withTools, llms.WithToolChoice("f")},
			tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		"choice, struct": {[]llms.CallOption{withTools,
			llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "f"}})},
			tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		"choice, pointer": {[]llms.CallOption{withTools, llms.WithToolChoice(&llms.ToolChoice{Type: "auto"})},
			tools + `,"tool_choice":"auto"`},
		"choice, nil": {[]llms.CallOption{withTools, llms.WithToolChoice((*llms.ToolChoice)(nil))}, tools},
		"choice, map": {[]llms.CallOption{withTools,
			llms.WithToolChoice(map[string]any{"type": "function", "function": map[string]any{"name": "f"}})},
			tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		"choice, raw": {[]llms.CallOption{withTools,
			llms.WithToolChoice(json.RawMessage(`{"type":"function","function":{"name":"f"}}`))},
			tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		"behavior": {[]llms.CallOption{withTools,
			llms.WithFunctionCallBehavior(llms.FunctionCallBehaviorNone)}, tools + `,"tool_choice":"none"`},
		"behavior, function": {[]llms.CallOption{withTools, llms.WithFunctionCallBehavior(`{"name": "f"}`)},
			tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`},
		"metadata": {[]llms.CallOption{llms.WithMetadata(map[string]any{"user": "u", "trace": 1}),
			llms.WithPromptCaching(true)}, ``},
	} {
		t.Run(name, func(t *testing.T) {
			body := sentOptions(t, nil, test.options...)
			if name != "model" {
				if body["model"] != "m" {
					t.Errorf("model sent %v, want that of WithModel, m", body["model"])
				}
				delete(body, "model")
			}
			sameJSON(t, name, jsonOf(t, body), "{"+test.want+"}")
		})
	}
	sameJSON(t, "functions beside tools",
		jsonOf(t, sentOptions(t, nil, withTools, llms.WithFunctions([]llms.FunctionDefinition{f, g}))["tools"]),
		`[{"type":"function","function":{"name":"f","description":"does f","parameters":{"type":"object",`+
			`"properties":{}}}},
		  {"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]`)

	for name, test := range map[string]struct {
		options []llms.CallOption
		words   []string
	}{
		"n differs": {[]llms.CallOption{llms.WithN(2), llms.WithCandidateCount(3)},
			[]string{"N is 2", "CandidateCount 3"}},
		"min over max": {[]llms.CallOption{llms.WithMaxTokens(7), llms.WithMinLength(8)},
			[]string{"MinLength 8", "7"}},
		"both choices": {[]llms.CallOption{withTools, llms.WithToolChoice("auto"),
			llms.WithFunctionCallBehavior("auto")}, []string{"ToolChoice", "FunctionCallBehavior"}},
		"choice without tools": {[]llms.CallOption{llms.WithToolChoice("required")},
			[]string{"ToolChoice", "no tools"}},
		"choice of no tool":  {[]llms.CallOption{withTools, llms.WithToolChoice("h")}, []string{"ToolChoice", `"h"`}},
		"choice of a number": {[]llms.CallOption{withTools, llms.WithToolChoice(5)}, []string{"ToolChoice", "5"}},
		"choice, no JSON": {[]llms.CallOption{withTools, llms.WithToolChoice(func() {})},
			[]string{"ToolChoice", "JSON"}},
		"MIME type": {[]llms.CallOption{llms.WithResponseMIMEType("text/html")},
			[]string{"ResponseMIMEType", "text/html"}},
		"text and JSON": {[]llms.CallOption{llms.WithResponseMIMEType("text/plain"), llms.WithJSONMode()},
			[]string{"conflicting", "ResponseMIMEType"}},
		"not finite": {[]llms.CallOption{llms.WithTopP(math.Inf(1))}, []string{"top_p", "Inf"}},
		"negative":   {[]llms.CallOption{llms.WithMaxTokens(-1)}, []string{"max_tokens", "-1"}},
		"two tools, one name": {[]llms.CallOption{llms.WithTools([]llms.Tool{{Function: &f}, {Function: &f}})},
			[]string{"tools[1]", `"f"`}},
		"two functions": {[]llms.CallOption{llms.WithFunctions([]llms.FunctionDefinition{f, f})},
			[]string{"functions[1]", `"f"`}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chatServer(t)
			_, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"), test.options...)
			refused(t, srv, err, llms.ErrCodeInvalidRequest, test.words...)
		})
	}
}

func testUnsetAndZero(t *testing.T) {
	zeros := []llms.CallOption{llms.WithTemperature(0), llms.WithTopP(0), llms.WithSeed(0), llms.WithMaxTokens(0),
		llms.WithTopK(0), llms.WithMinLength(0),
		llms.WithRepetitionPenalty(0), llms.WithFrequencyPenalty(0), llms.WithPresencePenalty(0)}
	zero := `"temperature":0,"top_p":0,"seed":0,"max_tokens":0,"top_k":0,"min_tokens":0,"repetition_penalty":0,` +
		`"frequency_penalty":0,"presence_penalty":0`
	defaults := []llms.CallOption{llms.WithTemperature(0.7), llms.WithSeed(9), llms.WithStopWords([]string{"END"})}
	for name, test := range map[string]struct {
		defaults, options []llms.CallOption
		want              string
	}{
		"nothing": {nil, nil, `"model":"m"`},
		"nil options": {[]llms.CallOption{nil}, []llms.CallOption{nil, llms.WithSeed(1), nil},
			`"model":"m","seed":1`},
		"zeros": {nil, zeros, `"model":"m",` + zero},
		"struct": {nil, []llms.CallOption{llms.WithOptions(llms.CallOptions{Model: "o", TopK: 5})},
			`"model":"o","top_k":5`},
		"struct, then zero": {nil, []llms.CallOption{llms.WithOptions(llms.CallOptions{TopK: 5}),
			llms.WithTemperature(0)}, `"model":"m","top_k":5,"temperature":0`},
		"struct replaces": {nil, []llms.CallOption{llms.WithTemperature(1),
			llms.WithOptions(llms.CallOptions{TopK: 5})}, `"model":"m","top_k":5`},
		"defaults": {defaults, nil, `"model":"m","temperature":0.7,"seed":9,"stop":["END"]`},
		"defaults, over": {defaults, []llms.CallOption{llms.WithTemperature(0), llms.WithSeed(0),
			llms.WithStopWords(nil)}, `"model":"m","temperature":0,"seed":0`},
		"defaults and struct": {defaults, []llms.CallOption{llms.WithOptions(llms.CallOptions{Seed: 3})},
			`"model":"m","temperature":0.7,"seed":3,"stop":["END"]`},
	} {
		t.Run(name, func(t *testing.T) {
			sameJSON(t, name, jsonOf(t, sentOptions(t, test.defaults, test.options...)), "{"+test.want+"}")
		})
	}
}

func testTools(t *testing.T) {
	for name, options := range map[string][]llms.CallOption{
		"none":       nil,
		"nil":        {llms.WithTools(nil), llms.WithToolChoice(nil)},
		"empty":      {llms.WithTools([]llms.Tool{}), llms.WithFunctions([]llms.FunctionDefinition{})},
		"auto, none": {llms.WithToolChoice("auto")},
	} {
		body := sentOptions(t, nil, options...)
		if body["tools"] != nil || body["tool_choice"] != nil {
			t.Errorf("%s: sent %v", name, body)
		}
	}
	definition := jsonschema.Definition{Type: jsonschema.Object,
		Properties: map[string]jsonschema.Definition{"q": {Type: jsonschema.String}}}
	type params struct {
		Type string `json:"type"`
	}
	for name, test := range map[string]struct {
		parameters any
		want       string
	}{
		"nil":        {nil, `{"type":"object","properties":{}}`},
		"null":       {json.RawMessage("null"), `{"type":"object","properties":{}}`},
		"map":        {map[string]any{"type": "object"}, `{"type":"object"}`},
		"raw":        {json.RawMessage(`{"type":"object","x":1}`), `{"type":"object","x":1}`},
		"struct":     {params{"object"}, `{"type":"object"}`},
		"definition": {definition, jsonOf(t, definition)},
	} {
		got := sentOptions(t, nil, llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f",
			Parameters: test.parameters, Strict: true}}}))["tools"]
		sameJSON(t, name, jsonOf(t, got),
			`[{"type":"function","function":{"name":"f","parameters":`+test.want+`,"strict":true}}]`)
	}
	for name, test := range map[string]struct {
		tool  llms.Tool
		code  llms.ErrorCode
		words []string
	}{
		"no function": {llms.Tool{Type: "function"}, llms.ErrCodeInvalidRequest, []string{"tools[1]", "no Function"}},
		"no name": {llms.Tool{Function: &llms.FunctionDefinition{}}, llms.ErrCodeInvalidRequest,
			[]string{"tools[1]", "no name"}},
		"bad schema": {llms.Tool{Function: &llms.FunctionDefinition{Name: "f", Parameters: func() {}}},
			llms.ErrCodeInvalidRequest, []string{"tools[1]", "(f)", "schema"}},
		"bad raw": {llms.Tool{Function: &llms.FunctionDefinition{Name: "f", Parameters: json.RawMessage("{")}},
			llms.ErrCodeInvalidRequest, []string{"tools[1]", "(f)", "schema"}},
		"list": {llms.Tool{Function: &llms.FunctionDefinition{Name: "f", Parameters: []int{1}}},
			llms.ErrCodeInvalidRequest, []string{"tools[1]", "[1]"}},
		"other type": {llms.Tool{Type: "web_search"}, llms.ErrCodeNotImplemented, []string{"tools[1]", "web_search"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chatServer(t)
			_, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"),
				llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "ok"}}, test.tool}))
			refused(t, srv, err, test.code, test.words...)
		})
	}
}

func testThinking(t *testing.T) {
	on, off := `"chat_template_kwargs":{"enable_thinking":true}`, `"chat_template_kwargs":{"enable_thinking":false}`
	for name, test := range map[string]struct {
		options []llms.CallOption
		want    string
	}{
		"none": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeNone), llms.WithThinkingBudget(5)},
			off},
		"low": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeLow)},
			`"reasoning_effort":"low",` + on},
		"medium": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeMedium)},
			`"reasoning_effort":"medium",` + on},
		"high": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeHigh)},
			`"reasoning_effort":"high",` + on},
		"auto":   {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeAuto)}, ``},
		"budget": {[]llms.CallOption{llms.WithThinkingBudget(512)}, `"thinking_token_budget":512`},
		"both": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeLow), llms.WithThinkingBudget(5)},
			`"reasoning_effort":"low","thinking_token_budget":5,` + on},
		"nil config": {[]llms.CallOption{llms.WithThinking(nil)}, ``},
		"then metadata": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeNone),
			llms.WithMetadata(map[string]any{"a": 1})}, off},
		"own template": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeNone),
			provider.WithExtraBody(map[string]any{"chat_template_kwargs": map[string]any{"x": 1}})},
			`"chat_template_kwargs":{"enable_thinking":false,"x":1}`},
		"own wins": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeNone),
			provider.WithExtraBody(map[string]any{"chat_template_kwargs": map[string]any{"enable_thinking": true}})},
			on},
	} {
		t.Run(name, func(t *testing.T) {
			body := sentOptions(t, nil, test.options...)
			delete(body, "model")
			sameJSON(t, name, jsonOf(t, body), "{"+test.want+"}")
		})
	}
	for name, test := range map[string]struct {
		options []llms.CallOption
		words   string
	}{
		"mode":   {[]llms.CallOption{llms.WithThinkingMode("deep")}, `"deep"`},
		"budget": {[]llms.CallOption{llms.WithThinkingBudget(-1)}, "-1"},
		"template": {[]llms.CallOption{llms.WithThinkingMode(llms.ThinkingModeNone),
			provider.WithExtraBody(map[string]any{"chat_template_kwargs": "x"})}, "chat_template_kwargs"},
	} {
		srv := chatServer(t)
		_, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"), test.options...)
		t.Run(name, func(t *testing.T) { refused(t, srv, err, llms.ErrCodeInvalidRequest, test.words) })
	}
	srv := chatServer(t)
	for model, want := range map[string]bool{"Qwen/Qwen3-8B": true, "openai/gpt-oss-20b": true,
		"deepseek-ai/DeepSeek-R1": true, "Qwen/Qwen3-4B-Thinking-2507": true,
		"Qwen/Qwen3-4B-Instruct-2507": false, "Qwen/Qwen3-Embedding-8B": false,
		"HuggingFaceTB/SmolLM2-135M-Instruct": false, "": false} {
		if got := newLLM(t, srv, provider.WithModel(model)).SupportsReasoning(); got != want {
			t.Errorf("SupportsReasoning of %q is %v, want %v", model, got, want)
		}
		if newLLM(t, srv, provider.WithModel(model), provider.WithReasoning(!want)).SupportsReasoning() == want {
			t.Errorf("WithReasoning(%v) is ignored for %q", !want, model)
		}
	}
}

func testExtraBody(t *testing.T) {
	fields := map[string]any{"min_p": 0.1, "guided_choice": []string{"a", "b"}}
	body := sentOptions(t, []llms.CallOption{provider.WithExtraBody(fields)},
		provider.WithExtraBody(map[string]any{"min_p": 0.2,
			"temperature": 2}), llms.WithTemperature(1), llms.WithMetadata(map[string]any{"secret": "s"}))
	sameJSON(t, "extra", jsonOf(t, body), `{"model":"m","min_p":0.2,"guided_choice":["a","b"],"temperature":2}`)
	if len(fields) != 2 || fields["min_p"] != 0.1 {
		t.Errorf("the caller's map was changed: %v", fields)
	}
	srv := chatServer(t)
	_, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"),
		provider.WithExtraBody(map[string]any{"bad": func() {}}))
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "WithExtraBody", `"bad"`)
	_, err = newLLM(t, srv).GenerateContent(t.Context(), human("x"),
		provider.WithExtraBody(map[string]any{"stream": true}))
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "stream")
}

// The options of a call are the caller's: their maps and slices stay as they are, and may be used
// in many calls at once.
func testConcurrency(t *testing.T) {
	srv := chatServer(t)
	llm := newLLM(t, srv, provider.WithDefaults(llms.WithThinkingMode(llms.ThinkingModeLow)))
	metadata := map[string]any{"a": 1}
	thinking := &llms.ThinkingConfig{Mode: llms.ThinkingModeHigh}
	schema := map[string]any{"type": "object", "properties": map[string]any{"q": map[string]any{"type": "string"}}}
	messages := []llms.MessageContent{
		{Role: "human", Parts: []llms.ContentPart{llms.TextPart("hi"), llms.BinaryPart("image/png", []byte{1})}},
		{Role: "ai", Parts: []llms.ContentPart{llms.ToolCall{FunctionCall: &llms.FunctionCall{Name: "f",
			Arguments: "2+2"}}}},
		{Role: "tool", Parts: []llms.ContentPart{llms.ToolCallResponse{Content: "4"}}},
	}
	options := []llms.CallOption{llms.WithMetadata(metadata), llms.WithThinking(thinking), llms.WithThinkingBudget(100),
		provider.WithExtraBody(map[string]any{"x": 1}),
		llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f",
			Parameters: schema}}}), llms.WithModel("other")}
	before := jsonOf(t, []any{messages, metadata, thinking, schema})
	beforeParts := slices.Clone(messages[1].Parts)

	done := make(chan error)
	for i := range 16 {
		go func() {
			o := options
			if i%2 == 0 {
				o = append(slices.Clone(options),
					llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			}
			_, err := llm.GenerateContent(t.Context(), messages, o...)
			done <- err
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if after := jsonOf(t, []any{messages, metadata, thinking, schema}); after != before {
		t.Errorf("the caller's values were changed:\n%s\n%s", before, after)
	}
	if !slices.Equal(slices.Collect(maps.Keys(metadata)), []string{"a"}) ||
		messages[1].Parts[0].(llms.ToolCall).ID != beforeParts[0].(llms.ToolCall).ID {
		t.Errorf("metadata %v, parts %v", metadata, messages[1].Parts)
	}
	for _, r := range srv.Requests() {
		var body map[string]any
		if err := r.JSON(&body); err != nil {
			t.Fatal(err)
		}
		if body["model"] != "other" || body["reasoning_effort"] != "high" || body["thinking_token_budget"] != 100.0 ||
			body["x"] != 1.0 {
			t.Errorf("body sent %v, want the model, thinking options and x of this goroutine", body)
		}
	}
	if _, err := llm.GenerateContent(t.Context(), human("x")); err != nil {
		t.Fatal(err)
	}
	if body := lastBody(t, srv); body["model"] != "m" || body["reasoning_effort"] != "low" || body["x"] != nil {
		t.Errorf("an option of an earlier call stayed: %v", body)
	}
}

// An option of the caller's own sees what the options before it have set, and nothing else.
func TestOwnOptionsSeeEarlierValues(t *testing.T) {
	type options = []llms.CallOption
	halve := func(o *llms.CallOptions) { o.MaxTokens /= 2 }
	for name, test := range map[string]struct {
		defaults, options options
		want              string
	}{
		"half of an option":   {nil, options{llms.WithMaxTokens(100), halve}, `"max_tokens":50`},
		"half of a default":   {options{llms.WithMaxTokens(100)}, options{halve}, `"max_tokens":50`},
		"a bound that holds":  {options{llms.WithTemperature(2)}, options{atMostOne}, `"temperature":1`},
		"a bound of nothing":  {nil, options{atMostOne}, ``},
		"only if unset":       {nil, options{unlessSet}, `"top_k":7`},
		"only if unset, set":  {options{llms.WithTopK(3)}, options{unlessSet}, `"top_k":3`},
		"zero over a default": {options{llms.WithTopK(3)}, options{llms.WithTopK(0)}, `"top_k":0`},
		"same as before":      {options{llms.WithTopK(3)}, options{llms.WithTopK(3)}, `"top_k":3`},
	} {
		want := `{"model":"m"}`
		if test.want != "" {
			want = `{"model":"m",` + test.want + `}`
		}
		sameJSON(t, name, jsonOf(t, sentOptions(t, test.defaults, test.options...)), want)
	}
}

func atMostOne(o *llms.CallOptions) {
	if o.Temperature > 1 {
		o.Temperature = 1
	}
}

func unlessSet(o *llms.CallOptions) {
	if o.TopK == 0 {
		o.TopK = 7
	}
}
