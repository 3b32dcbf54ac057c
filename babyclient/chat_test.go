package babyclient_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

const chatAnswer = `{"id":"c1","object":"chat.completion","created":1,"model":"tiny","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}`

// sameJSON compares JSON by its values.
func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	if g, w := parse(t, got), parse(t, []byte(want)); !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What of a request is on the wire, and that what is not set is not.
func TestChatBody(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.JSON(200, chatAnswer))
	c := client(srv)
	schema := map[string]any{"type": "object"}
	png := []byte("\x89PNG\r\n\x1a\n0000")
	tests := []struct {
		name string
		req  babyclient.ChatRequest
		want string // beside model and messages; with "messages" instead of them
	}{
		{"least", babyclient.ChatRequest{}, `{}`},
		{"model", babyclient.ChatRequest{Model: "  other "}, `{"model":"other"}`},
		{"all fields", babyclient.ChatRequest{
			MaxTokens: new(
				5,
			), MaxCompletionTokens: new(6), MinTokens: new(1), N: new(2), Stop: []string{"x"}, Seed: new(-7),
			Temperature: new(0.0), TopP: new(0.5),
			TopK: new(
				-1,
			), MinP: new(0.1), PresencePenalty: new(-1.5), FrequencyPenalty: new(2.0), RepetitionPenalty: new(1.1),
			LogitBias: map[string]float64{"5": -100},
			Logprobs:  new(true), TopLogprobs: new(0), ParallelToolCalls: new(false), ReasoningEffort: "low",
			User: "u"},
			`{"max_tokens":5,"max_completion_tokens":6,"min_tokens":1,"n":2,"stop":["x"],"seed":-7,"temperature":0,"top_p":0.5,"top_k":-1,"min_p":0.1,
			"presence_penalty":-1.5,"frequency_penalty":2,"repetition_penalty":1.1,"logit_bias":{"5":-100},"logprobs":true,"top_logprobs":0,
			"parallel_tool_calls":false,"reasoning_effort":"low","user":"u"}`},
		{
			"extra wins",
			babyclient.ChatRequest{
				TopK: new(3),
				Extra: map[string]any{
					"top_k":                4,
					"chat_template_kwargs": map[string]any{"enable_thinking": false},
					"nothing":              nil,
				},
			},
			`{"top_k":4,"chat_template_kwargs":{"enable_thinking":false},"nothing":null}`,
		},
		{
			"extra model and messages",
			babyclient.ChatRequest{Extra: map[string]any{"model": "m2", "messages": []any{"raw"}}},
			`{"model":"m2","messages":["raw"]}`,
		},
		{
			"tools",
			babyclient.ChatRequest{
				Tools: []babyclient.Tool{
					babyclient.FunctionTool("f", "does f", schema),
					{Function: babyclient.Function{Name: "g", Strict: new(true)}},
				},
				ToolChoice: babyclient.ToolChoiceFunction("f"),
			},
			`{"tools":[{"type":"function","function":{"name":"f","description":"does f","parameters":{"type":"object"}}},
			{"type":"function","function":{"name":"g","strict":true,"parameters":{"type":"object","properties":{}}}}],
			"tool_choice":{"type":"function","function":{"name":"f"}}}`,
		},
		{
			"tool choice",
			babyclient.ChatRequest{ToolChoice: babyclient.ToolChoiceRequired},
			`{"tool_choice":"required"}`,
		},
		{"JSON schema", babyclient.ChatRequest{ResponseFormat: babyclient.JSONSchema("city", schema)},
			`{"response_format":{"type":"json_schema","json_schema":{"name":"city","schema":{"type":"object"},` +
				`"strict":true}}}`},
		{
			"JSON object",
			babyclient.ChatRequest{ResponseFormat: babyclient.JSONObject()},
			`{"response_format":{"type":"json_object"}}`,
		},
		{
			"roles",
			babyclient.ChatRequest{
				Messages: []babyclient.Message{
					babyclient.System("s"),
					{Role: babyclient.RoleDeveloper, Content: "d", Name: "n"},
					babyclient.User("<b>&"),
					babyclient.Assistant(
						"",
					),
					{
						Role: babyclient.RoleAssistant,
						ToolCalls: []babyclient.ToolCall{
							{ID: "t1", Type: "function", Function: babyclient.FunctionCall{Name: "f", Arguments: "{}"}},
						},
					},
					babyclient.ToolResult(
						"t1",
						"42",
					),
					{Role: babyclient.RoleAssistant, Content: "x", Reasoning: "because", Refusal: "no"},
				},
			},
			`{"messages":[{"role":"system","content":"s"},{"role":"developer","content":"d","name":"n"},{"role":"user","content":"<b>&"},{"role":"assistant","content":""},
			{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]},
			{"role":"tool","content":"42","tool_call_id":"t1"},{"role":"assistant","content":"x","reasoning":"because","refusal":"no"}]}`,
		},
		{
			"parts",
			babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.UserParts(
				babyclient.TextPart("look"),
				babyclient.TextPart(""),
				babyclient.ImageURLPart("https://h/i.png"),
				babyclient.ImagePart(
					png,
				),
				babyclient.AudioPart([]byte("abc"), "wav"),
				babyclient.VideoURLPart("https://h/v.mp4"),
				babyclient.Part{
					Type:     "image_url",
					ImageURL: &babyclient.MediaURL{URL: "u", Detail: "low"},
				},
				babyclient.Part{Type: "audio_url", AudioURL: &babyclient.MediaURL{URL: "a"}},
				babyclient.Part{Type: "file", Extra: map[string]any{"file": map[string]any{"file_id": "1"}}},
			)}},
			`{"messages":[{"role":"user","content":[{"type":"text","text":"look"},{"type":"text","text":""},{"type":"image_url","image_url":{"url":"https://h/i.png"}},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgowMDAw"}},{"type":"input_audio","input_audio":{"data":"YWJj","format":"wav"}},
			{"type":"video_url","video_url":{"url":"https://h/v.mp4"}},{"type":"image_url","image_url":{"url":"u","detail":"low"}},
			{"type":"audio_url","audio_url":{"url":"a"}},{"type":"file","file":{"file_id":"1"}}]}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.req.Messages == nil && tt.req.Extra["messages"] == nil {
				tt.req.Messages = hi
			}
			if _, err := c.Chat(t.Context(), &tt.req); err != nil {
				t.Fatal(err)
			}
			want := parse(t, []byte(tt.want)).(map[string]any)
			for name, v := range map[string]any{"model": "tiny", "messages": encode(t, hi)} {
				if want[name] == nil {
					want[name] = v
				}
			}
			if got := parse(t, seen(t, srv).Body); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// Bad input is refused before anything is sent, naming the field and its value.
func TestBadGenerationInput(t *testing.T) {
	srv := server(t)
	c := client(srv)
	noModel := srv.Client(babyclient.WithDefaultModel(""))
	chat := func(change func(*babyclient.ChatRequest)) error {
		req := &babyclient.ChatRequest{Messages: hi}
		change(req)
		_, err := c.Chat(t.Context(), req)
		return err
	}
	complete := func(req *babyclient.CompleteRequest) error {
		_, err := c.Complete(t.Context(), req)
		return err
	}
	infer := func(req *babyclient.InferRequest) error {
		_, err := c.Infer(t.Context(), req)
		return err
	}
	_, nilChat := c.Chat(t.Context(), nil)
	_, noChatModel := noModel.Chat(t.Context(), &babyclient.ChatRequest{Messages: hi})
	_, noInferModel := noModel.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p", Model: " "})
	_, noAnyModel := noModel.InferAny(t.Context(), map[string]any{"prompt": "p"})
	_, neither := c.InferAny(t.Context(), map[string]any{"input": "p"})
	_, nilAny := c.InferAny(t.Context(), nil)
	_, unencodable := c.InferAny(t.Context(), map[string]any{"prompt": func() {}})
	var streamErr error
	for _, err := range c.CompleteStream(t.Context(), nil) {
		streamErr = err
	}
	tests := []struct {
		name string
		err  error
		code string
		says string
	}{
		{"nil chat", nilChat, babyclient.CodeInvalidRequest, "nil"},
		{"nil completion", complete(nil), babyclient.CodeInvalidRequest, "nil"},
		{"nil stream", streamErr, babyclient.CodeInvalidRequest, "nil"},
		{"nil infer", infer(nil), babyclient.CodeInvalidInferInput, "nil"},
		{"nil any", nilAny, babyclient.CodeInvalidInferInput, "messages"},
		{"no model", noChatModel, babyclient.CodeModelRequired, "WithDefaultModel"},
		{"no infer model", noInferModel, babyclient.CodeModelRequired, "model"},
		{"no any model", noAnyModel, babyclient.CodeModelRequired, "model"},
		{"neither messages nor prompt", neither, babyclient.CodeInvalidInferInput, "prompt"},
		{"unencodable", unencodable, babyclient.CodeInvalidRequestBody, "func"},
		{
			"no messages",
			chat(func(r *babyclient.ChatRequest) { r.Messages = nil }),
			babyclient.CodeInvalidRequest,
			"messages",
		},
		{
			"no role",
			chat(func(r *babyclient.ChatRequest) { r.Messages = []babyclient.Message{hi[0], {Content: "x"}} }),
			babyclient.CodeInvalidRequest,
			"messages[1]",
		},
		{"content twice", chat(func(r *babyclient.ChatRequest) {
			r.Messages = []babyclient.Message{
				{Role: "user", Content: "x", Parts: []babyclient.Part{babyclient.TextPart("y")}},
			}
		}), babyclient.CodeInvalidRequest, "Parts"},
		{"part without type", chat(func(r *babyclient.ChatRequest) {
			r.Messages = []babyclient.Message{babyclient.UserParts(babyclient.Part{Text: "y"})}
		}), babyclient.CodeInvalidRequest, "Parts[0]"},
		{
			"tool without name",
			chat(func(r *babyclient.ChatRequest) { r.Tools = []babyclient.Tool{{}} }),
			babyclient.CodeInvalidRequest,
			"tools[0]",
		},
		{
			"stream options",
			chat(func(r *babyclient.ChatRequest) { r.StreamOptions = &babyclient.StreamOptions{} }),
			babyclient.CodeInvalidRequest,
			"stream_options",
		},
		{
			"stream options",
			complete(&babyclient.CompleteRequest{Prompt: "p", StreamOptions: &babyclient.StreamOptions{}}),
			babyclient.CodeInvalidRequest,
			"stream_options",
		},
		{
			"max_tokens",
			chat(func(r *babyclient.ChatRequest) { r.MaxTokens = new(-5) }),
			babyclient.CodeInvalidRequest,
			"max_tokens is -5",
		},
		{"n", chat(func(r *babyclient.ChatRequest) { r.N = new(-1) }), babyclient.CodeInvalidRequest, "n is -1"},
		{
			"temperature",
			chat(func(r *babyclient.ChatRequest) { r.Temperature = new(math.NaN()) }),
			babyclient.CodeInvalidRequest,
			"temperature is NaN",
		},
		{
			"top_p",
			complete(&babyclient.CompleteRequest{Prompt: "p", TopP: new(math.Inf(1))}),
			babyclient.CodeInvalidRequest,
			"top_p is +Inf",
		},
		{
			"logit_bias",
			chat(func(r *babyclient.ChatRequest) { r.LogitBias = map[string]float64{"1": math.NaN()} }),
			babyclient.CodeInvalidRequestBody,
			"NaN",
		},
		{
			"extra",
			chat(func(r *babyclient.ChatRequest) { r.Extra = map[string]any{"f": make(chan int)} }),
			babyclient.CodeInvalidRequestBody,
			"Extra[f]",
		},
		{"blank prompt", complete(&babyclient.CompleteRequest{Prompt: " \n"}), babyclient.CodePromptRequired, "prompt"},
		{"no prompt", complete(&babyclient.CompleteRequest{}), babyclient.CodePromptRequired, "prompt"},
		{
			"no prompts",
			complete(&babyclient.CompleteRequest{Prompt: []string{}}),
			babyclient.CodePromptRequired,
			"prompt",
		},
		{
			"blank among prompts",
			complete(&babyclient.CompleteRequest{Prompt: []string{"a", ""}}),
			babyclient.CodePromptRequired,
			"prompt[1]",
		},
		{"no tokens", complete(&babyclient.CompleteRequest{Prompt: []int{}}), babyclient.CodePromptRequired, "prompt"},
		{
			"no token lists",
			complete(&babyclient.CompleteRequest{Prompt: [][]int{}}),
			babyclient.CodePromptRequired,
			"prompt",
		},
		{"infer prompt", infer(&babyclient.InferRequest{Prompt: "\t"}), babyclient.CodePromptRequired, "prompt"},
		{
			"infer number",
			infer(&babyclient.InferRequest{Prompt: "p", PresencePenalty: new(math.Inf(-1))}),
			babyclient.CodeInvalidRequest,
			"presence_penalty is -Inf",
		},
	}
	for _, tt := range tests {
		e := fails(t, tt.err)
		if e.Code != tt.code || !strings.Contains(tt.err.Error(), tt.says) ||
			!errors.Is(tt.err, babyclient.ErrInvalidRequest) {
			t.Errorf("%s: code %s, %v; want %s and %q", tt.name, e.Code, tt.err, tt.code, tt.says)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestCompleteBody(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /v1/completions",
		babytest.JSON(200, `{"choices":[{"index":1,"text":"b"},{"index":0,"text":"a","logprobs":null}]}`),
	)
	c := client(srv)
	for _, tt := range []struct {
		prompt any
		want   string
	}{{"p", `"p"`}, {[]string{"a", "b"}, `["a","b"]`}, {[]int{1, 2}, `[1,2]`}, {[][]int{{1}, {2, 3}}, `[[1],[2,3]]`}} {
		resp, err := c.Complete(
			t.Context(),
			&babyclient.CompleteRequest{Prompt: tt.prompt, Suffix: "s", Echo: new(true), Logprobs: new(0)},
		)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, seen(t, srv).Body, `{"model":"tiny","prompt":`+tt.want+`,"suffix":"s","echo":true,"logprobs":0}`)
		if resp.Text() != "a" || resp.Choices[1].Text != "b" || resp.Choices[0].Logprobs != nil {
			t.Errorf("choices %+v", resp.Choices)
		}
	}
}

func TestChatResponse(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /v1/chat/completions",
		babytest.JSON(200, `{"choices":[
		{"index":1,"message":{"role":"assistant","content":"second"}},
		{"index":0,"message":{"content":null,"reasoning_content":"hm","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`),
		babytest.JSON(
			200,
			`{"choices":[{"message":{"role":"assistant","content":[{"type":"text","text":"parts"}],`+
				`"reasoning":"both","reasoning_content":"names"}}]}`,
		),
	)
	c := client(srv)
	resp, err := c.Chat(t.Context(), &babyclient.ChatRequest{Messages: hi})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text() != "" || resp.Reasoning() != "hm" || resp.FinishReason() != babyclient.FinishToolCalls ||
		resp.ToolCalls()[0].Function.Name != "f" ||
		resp.Choices[1].Message.Content != "second" {
		t.Errorf("%+v", resp)
	}
	// The answer goes on in the conversation under the names it came with.
	b, err := json.Marshal(resp.Message())
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(
		t,
		b,
		`{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"t","type":"function",`+
			`"function":{"name":"f","arguments":"{}"}}]}`,
	)
	if resp, err = c.Chat(t.Context(), &babyclient.ChatRequest{Messages: hi}); err != nil ||
		resp.Message().Parts[0].Text != "parts" ||
		resp.Reasoning() != "both" {
		t.Errorf("%+v, %v", resp, err)
	}
	var empty babyclient.ChatResponse
	if empty.Text() != "" || empty.Message().Role != babyclient.RoleAssistant || empty.ToolCalls() != nil {
		t.Error("an empty response is not empty")
	}
}

// A 2xx that is not what it must be is an error, with what the answer says of it.
func TestInvalidResponses(t *testing.T) {
	tests := []string{
		``,
		`null`,
		`[]`,
		`{}`,
		`{"choices":[]}`,
		`{"choices":"x"}`,
		`<html>`,
		`"text"`,
		`{"error":{"message":"overloaded"}}`,
	}
	for _, body := range tests {
		srv := server(t)
		srv.On("/", babytest.JSON(200, body))
		c := client(srv)
		_, chat := c.Chat(t.Context(), &babyclient.ChatRequest{Messages: hi})
		_, complete := c.Complete(t.Context(), &babyclient.CompleteRequest{Prompt: "p"})
		_, infer := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		_, embed := c.Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a"}})
		_, rerank := c.Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
		_, models := c.Models(t.Context())
		_, convert := c.Docling.Convert(
			t.Context(),
			&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromURL("http://h/a.md")}},
		)
		_, chunk := c.Docling.Chunk(
			t.Context(),
			&babyclient.ChunkRequest{Sources: []babyclient.Source{babyclient.FromURL("http://h/a.md")}},
		)
		_, start := c.Docling.StartConvert(
			t.Context(),
			&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromURL("http://h/a.md")}},
		)
		_, status := c.Docling.ConvertJob("x", "").Status(t.Context())
		_, ocr := c.OCR.Start(t.Context(), &babyclient.OCRRequest{Model: "m", Input: "x"})
		if body == `[]` {
			models = rerank // a bare list is a list of models
		}
		for name, err := range map[string]error{"chat": chat, "complete": complete, "infer": infer, "embed": embed,
			"rerank": rerank, "models": models,
			"convert": convert, "chunk": chunk, "start": start, "status": status, "ocr": ocr} {
			e := fails(t, err)
			if !errors.Is(err, babyclient.ErrInvalidResponse) || e.StatusCode != 200 || e.Details != body {
				t.Errorf("%s of %s: %v (status %d, details %s)", name, body, err, e.StatusCode, e.Details)
			}
			if strings.Contains(body, "overloaded") && !strings.Contains(err.Error(), "overloaded") {
				t.Errorf("%s does not say why: %v", name, err)
			}
		}
		if n := len(srv.Requests()); n != 11 {
			t.Errorf("%d requests for 11 calls: none may be sent again", n)
		}
	}
}

// Collect keeps what belongs together apart: calls by index, ids or the order where a server gives
// no index.
func TestCollectToolCalls(t *testing.T) {
	call := func(fields string) string {
		return `{"choices":[{"index":0,"delta":{"tool_calls":[{` + fields + `}]}}]}`
	}
	tests := map[string][]string{
		"by index": {
			call(`"index":1,"id":"b","function":{"name":"g","arguments":"{"}`),
			call(`"index":0,"id":"a","type":"function","function":{"name":"f"}`),
			call(`"index":0,"function":{"arguments":"{}"}`),
			call(`"index":1,"function":{"arguments":"}"}`),
		},
		"without index": {
			call(`"id":"a","function":{"name":"f","arguments":"{"}`),
			call(`"function":{"arguments":"}"}`),
			call(`"id":"b","function":{"name":"g","arguments":"{}"}`),
		},
	}
	for name, events := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On(
				"POST /v1/chat/completions",
				babytest.Stream(append(events, `{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
					`{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`)...),
			)
			resp, err := babyclient.Collect(chatStream(t.Context(), client(srv)))
			if err != nil {
				t.Fatal(err)
			}
			want := []babyclient.ToolCall{
				{ID: "a", Type: "function", Function: babyclient.FunctionCall{Name: "f", Arguments: "{}"}},
				{ID: "b", Type: "function", Function: babyclient.FunctionCall{Name: "g", Arguments: "{}"}},
			}
			if !reflect.DeepEqual(resp.ToolCalls(), want) || resp.FinishReason() != babyclient.FinishToolCalls ||
				resp.Usage.TotalTokens != 3 {
				t.Errorf("%+v", resp)
			}
		})
	}
	srv := server(t)
	srv.On("/", babytest.Stream(`{"choices":[]}`))
	if _, err := babyclient.Collect(chatStream(t.Context(), client(srv))); !errors.Is(
		err,
		babyclient.ErrInvalidResponse,
	) {
		t.Errorf("a stream without choices: %v", err)
	}
	if _, err := babyclient.CollectCompletion(client(srv).CompleteStream(t.Context(),
		&babyclient.CompleteRequest{Prompt: "p"})); !errors.Is(
		err,
		babyclient.ErrInvalidResponse,
	) {
		t.Errorf("a stream without choices: %v", err)
	}
}

// Text and Reasoning of a chunk are those of choice 0, wherever it stands.
func TestChunkOfSeveralChoices(t *testing.T) {
	srv := server(t)
	srv.On(
		"/",
		babytest.Stream(
			`{"choices":[{"index":1,"delta":{"content":"x","reasoning":"y"}}]}`,
			`{"choices":[{"index":1,"delta":{}},{"index":0,"delta":{"content":"a","reasoning_content":"b"}}]}`,
		),
	)
	var got []string
	for chunk, err := range chatStream(t.Context(), client(srv)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, chunk.Text()+"/"+chunk.Reasoning())
	}
	if s := strings.Join(got, " "); s != "/ a/b" {
		t.Errorf("got %q", s)
	}
}
