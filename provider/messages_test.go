package provider_test

import (
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

// sentMessages is how messages look on the wire.
func sentMessages(t *testing.T, messages []llms.MessageContent) string {
	t.Helper()
	srv := chatServer(t)
	if _, err := newLLM(t, srv).GenerateContent(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	return jsonOf(t, lastBody(t, srv)["messages"])
}

func message(role llms.ChatMessageType, parts ...llms.ContentPart) []llms.MessageContent {
	return []llms.MessageContent{{Role: role, Parts: parts}}
}

func testRoles(t *testing.T) {
	for role, want := range map[llms.ChatMessageType]string{
		llms.ChatMessageTypeSystem: "system", llms.ChatMessageTypeHuman: "user", llms.ChatMessageTypeAI: "assistant",
		llms.ChatMessageTypeGeneric: "user", "user": "user", "assistant": "assistant", "developer": "developer",
	} {
		got := sentMessages(t, message(role, llms.TextPart("x")))
		sameJSON(t, string(role), got, `[{"role":"`+want+`","content":"x"}]`)
	}
	for _, role := range []llms.ChatMessageType{"", "robot"} {
		srv := chatServer(t)
		_, err := newLLM(t, srv).GenerateContent(t.Context(), append(human("hi"), message(role, llms.TextPart("x"))...))
		refused(t, srv, err, llms.ErrCodeInvalidRequest, "messages[1]", `role "`+string(role)+`"`)
	}
}

// otherPart is a part of another package.
type otherPart struct{ llms.ContentPart }

func testParts(t *testing.T) {
	text, image := llms.TextContent{Text: "look"}, llms.ImageURLContent{URL: "https://x/a.png", Detail: "low"}
	binary := llms.BinaryContent{MIMEType: "image/png", Data: []byte{1, 2}}
	cached := llms.WithCacheControl(text, &llms.CacheControl{Type: "ephemeral"})
	nested := llms.WithCacheControl(&cached, nil)
	for name, parts := range map[string][]llms.ContentPart{
		"values":   {text, image, binary},
		"pointers": {&text, &image, &binary},
		"cached":   {cached, llms.WithCacheControl(&image, nil), &llms.CachedContent{ContentPart: binary}},
		"nested":   {nested, &image, binary},
	} {
		sameJSON(t, name, sentMessages(t, message("human", parts...)), `[{"role":"user","content":[
			{"type":"text","text":"look"},
			{"type":"image_url","image_url":{"url":"https://x/a.png","detail":"low"}},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,AQI="}}]}]`)
	}
	call := llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}
	answer := llms.ToolCallResponse{ToolCallID: "1", Content: "y"}
	sameJSON(t, "tool parts by pointer", sentMessages(t, append(message("ai", &call), message("tool", &answer)...)),
		`[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f",`+
			`"arguments":"{}"}}]},
		  {"role":"tool","tool_call_id":"1","content":"y"}]`)

	var none *llms.TextContent
	for name, test := range map[string]struct {
		role  llms.ChatMessageType
		part  llms.ContentPart
		code  llms.ErrorCode
		words []string
	}{
		"nil":         {"human", nil, llms.ErrCodeInvalidRequest, []string{"messages[0].Parts[1] is nil"}},
		"nil pointer": {"human", none, llms.ErrCodeInvalidRequest, []string{"messages[0].Parts[1] is nil"}},
		"cached nil": {"human", llms.CachedContent{}, llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1] is nil"}},
		"foreign": {"human", otherPart{text}, llms.ErrCodeNotImplemented,
			[]string{"messages[0].Parts[1]", "otherPart"}},
		"foreign, ai": {"ai", otherPart{text}, llms.ErrCodeNotImplemented,
			[]string{"messages[0].Parts[1]", "otherPart"}},
		"image of ai": {"ai", image, llms.ErrCodeNotImplemented,
			[]string{"messages[0].Parts[1]", "ImageURLContent"}},
		"image of tool": {"tool", image, llms.ErrCodeInvalidRequest, []string{"messages[0].Parts[0]"}},
		"call of human": {"human", call, llms.ErrCodeInvalidRequest, []string{"messages[0].Parts[1]", "tool call"}},
		"thinking, human": {"human", provider.ReasoningPart("hm"), llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1]", "ReasoningPart"}},
		"answer of human": {"human", answer, llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1]", "role tool"}},
		"answer of ai": {"ai", answer, llms.ErrCodeInvalidRequest, []string{"messages[0].Parts[1]", "role tool"}},
		"no URL": {"human", llms.ImageURLContent{}, llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1]", "URL"}},
		"no data": {"human", llms.BinaryContent{MIMEType: "image/png"}, llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1]", "no data"}},
		"document": {"human", llms.BinaryContent{MIMEType: "application/pdf", Data: []byte("%PDF-")},
			llms.ErrCodeNotImplemented, []string{"messages[0].Parts[1]", "application/pdf", "Loader"}},
		"part without type": {"human", provider.Part(babyclient.Part{}), llms.ErrCodeInvalidRequest,
			[]string{"messages[0].Parts[1]", "no type"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chatServer(t)
			_, err := newLLM(t, srv).GenerateContent(t.Context(), message(test.role, text, test.part))
			refused(t, srv, err, test.code, test.words...)
		})
	}
	srv := chatServer(t)
	llm := newLLM(t, srv)
	_, err := llm.GenerateContent(t.Context(), nil)
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "no messages")
	_, err = llm.GenerateContent(t.Context(), message("human"))
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "messages[0]", "no parts")
}

func testMedia(t *testing.T) {
	png := []byte("\x89PNG\r\n\x1a\n")
	for name, test := range map[string]struct {
		parts []llms.ContentPart
		want  string
	}{
		"one text":   {[]llms.ContentPart{llms.TextPart("a")}, `"a"`},
		"empty text": {[]llms.ContentPart{llms.TextPart("")}, `""`},
		"several texts": {[]llms.ContentPart{llms.TextPart("a"), llms.TextPart("")},
			`[{"type":"text","text":"a"},{"type":"text","text":""}]`},
		"image alone": {[]llms.ContentPart{llms.ImageURLPart("u")}, `[{"type":"image_url","image_url":{"url":"u"}}]`},
		"type by bytes": {[]llms.ContentPart{llms.BinaryPart("", png)},
			`[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]`},
		"type with parameters": {[]llms.ContentPart{llms.BinaryPart("Image/JPEG; q=1", []byte{1})},
			`[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AQ=="}}]`},
		"mp3": {[]llms.ContentPart{llms.BinaryPart("audio/mpeg", []byte{1})},
			`[{"type":"input_audio","input_audio":{"data":"AQ==","format":"mp3"}}]`},
		"wav": {[]llms.ContentPart{llms.BinaryPart("audio/x-wav", []byte{1})},
			`[{"type":"input_audio","input_audio":{"data":"AQ==","format":"wav"}}]`},
		"video": {[]llms.ContentPart{llms.BinaryPart("video/mp4", []byte{1})},
			`[{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AQ=="}}]`},
		"a wire part": {[]llms.ContentPart{provider.Part(babyclient.VideoURLPart("v"))},
			`[{"type":"video_url","video_url":{"url":"v"}}]`},
	} {
		sameJSON(t, name, sentMessages(t, message("human", test.parts...)), `[{"role":"user","content":`+test.want+`}]`)
	}
}

func testAssistantMessage(t *testing.T) {
	call := func(id, name string) llms.ToolCall {
		return llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: name, Arguments: `{"a": 1}`}}
	}
	got := sentMessages(t,
		message("ai", provider.ReasoningPart("hm"), llms.TextPart("I look"), call("1", "f"), call("2", "g")))
	sameJSON(t, "text, thinking and calls", got, `[{"role":"assistant","content":"I look","reasoning":"hm",`+
		`"tool_calls":[
		{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},
		{"id":"2","type":"function","function":{"name":"g","arguments":"{\"a\": 1}"}}]}]`)
	for name, test := range map[string]struct {
		call  llms.ToolCall
		code  llms.ErrorCode
		words string
	}{
		"no FunctionCall": {llms.ToolCall{ID: "7"}, llms.ErrCodeInvalidRequest, `tool call "7" has no FunctionCall`},
		"no name": {llms.ToolCall{ID: "7", FunctionCall: &llms.FunctionCall{}}, llms.ErrCodeInvalidRequest,
			`tool call "7" has no function name`},
		"other type": {llms.ToolCall{ID: "7", Type: "custom", FunctionCall: &llms.FunctionCall{Name: "f"}},
			llms.ErrCodeNotImplemented, `type "custom"`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := chatServer(t)
			_, err := newLLM(t, srv).GenerateContent(t.Context(), message("ai", llms.TextPart("x"), test.call))
			refused(t, srv, err, test.code, "messages[0].Parts[1]", test.words)
		})
	}
}

func testToolArguments(t *testing.T) {
	oneText := map[string]any{"type": "object",
		"properties": map[string]any{"__arg1": map[string]any{"type": "string"}}, "required": []string{"__arg1"}}
	oneList := map[string]any{"type": "object", "properties": map[string]any{"ids": map[string]any{"type": "array"},
		"unit": map[string]any{"type": "string"}}, "required": []string{"ids"}}
	two := map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{}, "b": map[string]any{}}}
	options := []llms.CallOption{
		llms.WithFunctions([]llms.FunctionDefinition{{Name: "text", Parameters: oneText}}),
		llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "list", Parameters: oneList}},
			{Function: &llms.FunctionDefinition{Name: "two", Parameters: two}}}),
	}
	call := func(name, arguments string) []llms.MessageContent {
		return message("ai", llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments}})
	}
	for _, test := range []struct{ name, arguments, want string }{
		{"text", "2+2", `{"__arg1":"2+2"}`},
		{"text", "42", `{"__arg1":"42"}`},
		{"text", "[1]", `{"__arg1":"[1]"}`},
		{"text", `"x"`, `{"__arg1":"\"x\""}`},
		{"text", `{"__arg1": `, `{"__arg1":"{\"__arg1\": "}`},
		{"list", "[1]", `{"ids":[1]}`},
		{"text", "", "{}"},
		{"two", "  ", "{}"},
		{"two", "null", "{}"},
		{"two", `{ "a" : 1.0,"a":2 }`, `{ "a" : 1.0,"a":2 }`},
		{"text", `""`, "{}"},
		{"two", `"null"`, "{}"},
		{"TEXT", "2+2", `{"__arg1":"2+2"}`},
		{"List", "[1]", `{"ids":[1]}`},
		{"two", "2+2", `{"input":"2+2"}`},
		{"two", "[1]", `{"input":"[1]"}`},
		{"unknown", "2+2", `{"input":"2+2"}`},
		{"unknown", `{"a`, `{"input":"{\"a"}`},
		{"unknown", `{"q":1}`, `{"q":1}`},
	} {
		srv := chatServer(t)
		if _, err := newLLM(t, srv).GenerateContent(t.Context(), call(test.name, test.arguments),
			options...); err != nil {
			t.Fatalf("%s(%s): %v", test.name, test.arguments, err)
		}
		var body struct {
			Messages []babyclient.Message `json:"messages"`
		}
		if err := srv.Requests()[0].JSON(&body); err != nil {
			t.Fatal(err)
		}
		if got := body.Messages[0].ToolCalls[0].Function.Arguments; got != test.want {
			t.Errorf("%s(%s): sent %s, want %s", test.name, test.arguments, got, test.want)
		}
	}
}

func testToolAnswers(t *testing.T) {
	call := func(id, name string) llms.ToolCall {
		return llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: name, Arguments: "{}"}}
	}
	for name, test := range map[string]struct {
		call   []llms.ContentPart
		answer []llms.ContentPart
		want   string // ids and contents of the tool messages
	}{
		"two in one message": {[]llms.ContentPart{call("a", "f"), call("b", "g")},
			[]llms.ContentPart{llms.ToolCallResponse{ToolCallID: "b", Content: "2"},
				llms.ToolCallResponse{ToolCallID: "a"}},
			`[["b","2"],["a",""]]`},
		"without ids": {[]llms.ContentPart{call("", "f"), call("", "f"), call("", "g")},
			[]llms.ContentPart{llms.ToolCallResponse{Name: "g", Content: "3"}, llms.ToolCallResponse{Content: "1"},
				llms.ToolCallResponse{Name: "f", Content: "2"}},
			`[["call_0_2","3"],["call_0_0","1"],["call_0_1","2"]]`},
		"as text": {[]llms.ContentPart{call("a", "f")}, []llms.ContentPart{llms.TextPart("1")}, `[["a","1"]]`},
		"an id of its own": {[]llms.ContentPart{call("a", "f")},
			[]llms.ContentPart{llms.ToolCallResponse{ToolCallID: "z", Content: "1"}}, `[["z","1"]]`},
	} {
		srv := chatServer(t)
		_, err := newLLM(t, srv).GenerateContent(t.Context(),
			append(message("ai", test.call...), message("tool", test.answer...)...))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got [][2]string
		for _, m := range lastBody(t, srv)["messages"].([]any)[1:] {
			m := m.(map[string]any)
			if m["role"] != "tool" {
				t.Errorf("%s: role %v", name, m["role"])
			}
			got = append(got, [2]string{m["tool_call_id"].(string), m["content"].(string)})
		}
		sameJSON(t, name, jsonOf(t, got), test.want)
	}
	srv := chatServer(t)
	_, err := newLLM(t, srv).GenerateContent(t.Context(),
		append(human("x"), message("tool", llms.ToolCallResponse{Name: "f", Content: "1"})...))
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "messages[1].Parts[0]", "ToolCallID")
}

func testFunctionRole(t *testing.T) {
	call := func(id, name string) llms.ToolCall {
		return llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: name, Arguments: "{}"}}
	}
	got := sentMessages(t, append(message("ai", call("a", "f"), call("b", "g")),
		message("function", llms.ToolCallResponse{Name: "g", Content: "9"})...))
	sameJSON(t, "function", got, `[{"role":"assistant","content":null,"tool_calls":[
		{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function",`+
		`"function":{"name":"g","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"b","content":"9"}]`)
}

// langchaingo's agents replay a step that failed before it chose a tool as a call of nothing.
func TestUnnamedCallOfAnAgent(t *testing.T) {
	nothing := llms.ToolCall{Type: "function", FunctionCall: &llms.FunctionCall{}}
	got := sentMessages(t, append(append(human("go"), message("ai", nothing)...),
		message("tool", llms.ToolCallResponse{Content: "could not parse that"})...))
	sameJSON(t, "unnamed", got, `[{"role":"user","content":"go"},{"role":"user","content":"could not parse that"}]`)

	srv := chatServer(t)
	_, err := newLLM(t, srv).GenerateContent(t.Context(), message("ai", nothing))
	refused(t, srv, err, llms.ErrCodeInvalidRequest, "without a name")
}
