package agents_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/memory"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
	"github.com/babyapi-org/babyapi-go/provider/agents"
)

// model is a provider.LLM whose answers are scripted.
func model(t testing.TB, answers ...http.Handler) (*provider.LLM, *babytest.Server) {
	t.Helper()
	srv := babytest.NewServer()
	t.Cleanup(srv.Close)
	srv.On("POST /v1/chat/completions", answers...)
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("m"))
	if err != nil {
		t.Fatal(err)
	}
	return llm, srv
}

func says(text string) http.Handler {
	return babytest.JSON(200, map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": text},
		"finish_reason": "stop"}}})
}

// calls is an answer that says text and calls tools: id, name and arguments of each.
func calls(text string, all ...[3]string) http.Handler {
	var list []any
	for _, c := range all {
		list = append(list, map[string]any{"id": c[0], "type": "function",
			"function": map[string]any{"name": c[1], "arguments": c[2]}})
	}
	return babytest.JSON(200, map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": text,
		"tool_calls": list}, "finish_reason": "tool_calls"}}})
}

type city struct {
	City string `json:"city"`
	Days int    `json:"days,omitempty" jsonschema:"minimum=1"`
}

func weather(t testing.TB) agents.SchemaTool {
	t.Helper()
	tool, err := agents.NewTool("weather", "The weather of a city.", func(_ context.Context, in city) (string, error) {
		if in.City == "Atlantis" {
			return "", errors.New("no such city")
		}
		return fmt.Sprintf("rain in %s for %d days", in.City, in.Days), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// plain is a tool without a schema.
type plain struct{}

func (plain) Name() string        { return "shout" }
func (plain) Description() string { return "Says it louder." }
func (plain) Call(_ context.Context, input string) (string, error) {
	return strings.ToUpper(input), nil
}

func newAgent(t testing.TB, llm llms.Model, with []tools.Tool, opts ...agents.Option) *agents.ToolAgent {
	t.Helper()
	a, err := agents.NewToolAgent(llm, with, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestToolAgentCallsTools(t *testing.T) {
	llm, srv := model(t,
		calls("I look at both.", [3]string{"1", "weather", `{"city": "Oslo", "days": 2}`},
			[3]string{"2", "weather", `{"city":"Atlantis"}`}),
		calls("", [3]string{"3", "shout", `{"input":"rain"}`}, [3]string{"4", "weather", `{"town":"Oslo"}`},
			[3]string{"5", "weather", `{"city": `}, [3]string{"6", "nothing", "{}"}, [3]string{"7", "weather", ""},
			[3]string{"8", "shout", `{"x":1}`}),
		says("It rains."))
	agent := newAgent(t, llm, []tools.Tool{weather(t), plain{}}, agents.WithSystemMessage("Be brief."),
		agents.WithCallOptions(llms.WithTemperature(0)))
	got, err := chains.Run(t.Context(), langchain.NewExecutor(agent), "Oslo?", chains.WithMaxTokens(50))
	if err != nil || got != "It rains." {
		t.Fatalf("answer %q, error %v; want It rains.", got, err)
	}
	var body struct {
		Messages    []map[string]any `json:"messages"`
		Tools       []any            `json:"tools"`
		Temperature *float64         `json:"temperature"`
		MaxTokens   int              `json:"max_tokens"`
		Stream      bool             `json:"stream"`
	}
	last := srv.Requests()[2]
	if err := last.JSON(&body); err != nil {
		t.Fatal(err)
	}
	if body.Temperature == nil || *body.Temperature != 0 || body.MaxTokens != 50 || body.Stream {
		t.Errorf("options %s", last.Body)
	}
	wantJSON(t, "tools", body.Tools, `[
		{"type":"function","function":{"name":"weather","description":"The weather of a city.",`+
		`"parameters":{"type":"object",
			"properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1}},"required":["city"],`+
		`"additionalProperties":false}}},
		{"type":"function","function":{"name":"shout","description":"Says it louder.","parameters":{"type":"object",
			"properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}}}]`)
	call := func(id, name, arguments string) string {
		raw, _ := json.Marshal(arguments)
		return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":` + string(raw) +
			`}}`
	}
	result := func(id, content string) string {
		raw, _ := json.Marshal(content)
		return `{"role":"tool","tool_call_id":"` + id + `","content":` + string(raw) + `}`
	}
	// The calls of a turn are in one message, with what was said, and their arguments are as the
	// model wrote them.
	wantJSON(t, "messages", body.Messages, `[{"role":"system","content":"Be brief."},{"role":"user","content":"Oslo?"},
		{"role":"assistant","content":"I look at both.",`+
		`"tool_calls":[`+call("1", "weather", `{"city": "Oslo", "days": 2}`)+`,`+
		call("2", "weather", `{"city":"Atlantis"}`)+`]},
		`+result("1", "rain in Oslo for 2 days")+`,`+result("2", "error: no such city")+`,
		{"role":"assistant","content":null,`+
		`"tool_calls":[`+call("3", "shout", `{"input":"rain"}`)+`,`+call("4", "weather", `{"town":"Oslo"}`)+`,`+
		call("5", "weather", "{}")+`,`+
		call("6", "nothing", "{}")+`,`+call("7", "weather", "{}")+`,`+call("8", "shout", `{"x":1}`)+`]},
		`+result("3", "RAIN")+`,`+
		result("4", `error: the arguments of weather are wrong: json: unknown field "town"`)+`,`+
		result("5", `error: the arguments of weather are no JSON object: {"city": `)+`,`+result("6",
		"nothing is not a valid tool, try another one")+`,`+
		result("7", `error: the arguments of weather lack "city"`)+`,`+result("8",
		`error: shout takes one argument, "input", which is a string`)+`]`)
}

func wantJSON(t testing.TB, what string, got any, want string) {
	t.Helper()
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := errors.Join(json.Unmarshal(raw, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n got %s\nwant %s", what, raw, want)
	}
}

// listener keeps what is streamed.
type listener struct {
	callbacks.SimpleHandler
	heard []string
}

func (l *listener) HandleStreamingFunc(_ context.Context, chunk []byte) {
	l.heard = append(l.heard, string(chunk))
}

func TestToolAgentStreams(t *testing.T) {
	stream := babytest.Stream(`{"choices":[{"index":0,"delta":{"content":"It "}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"rains."},"finish_reason":"stop"}]}`)
	llm, _ := model(t, stream)
	l := &listener{}
	got, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, nil, agents.WithCallback(l))), "Oslo?")
	if err != nil || got != "It rains." || strings.Join(l.heard, "|") != "It |rains." {
		t.Errorf("answer %q, error %v, streamed %q; want It rains., in two pieces", got, err, l.heard)
	}
	l.heard = nil
	var own []string
	_, err = chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, nil, agents.WithCallback(l))), "Oslo?",
		chains.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			own = append(own, string(chunk))
			return nil
		}))
	if err != nil || strings.Join(own, "|") != "It |rains." || l.heard != nil {
		t.Errorf("error %v, the chain heard %q, the handler %q; want the chain alone", err, own, l.heard)
	}
}

func TestToolAgentFails(t *testing.T) {
	llm, _ := model(t, babytest.JSON(401, `{"error":"no"}`))
	_, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, nil)), "x")
	if !llms.IsAuthenticationError(err) {
		t.Errorf("error %v, want an authentication error", err)
	}
	for name, test := range map[string]struct {
		model llms.Model
		tools []tools.Tool
	}{
		"no model": {nil, nil},
		"nil tool": {llm, []tools.Tool{nil}},
		"one name": {llm, []tools.Tool{weather(t), weather(t)}},
	} {
		if _, err := agents.NewToolAgent(test.model, test.tools); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	if _, err := agents.NewTool("", "", func(context.Context, city) (string, error) { return "", nil }); err == nil {
		t.Error("a tool without a name is no error")
	}
	if _, err := agents.NewTool("f", "",
		func(context.Context, chan int) (string, error) { return "", nil }); err == nil {
		t.Error("a tool without a schema is no error")
	}
	// A context that ends in a tool ends the run.
	ctx, cancel := context.WithCancel(t.Context())
	stop, err := agents.NewTool("stop", "",
		func(ctx context.Context, _ struct{}) (string, error) { cancel(); return "", ctx.Err() })
	if err != nil {
		t.Fatal(err)
	}
	llm, srv := model(t, calls("", [3]string{"1", "stop", "{}"}))
	_, err = chains.Run(ctx, langchain.NewExecutor(newAgent(t, llm, []tools.Tool{stop})), "x")
	if !errors.Is(err, context.Canceled) || len(srv.Requests()) != 1 {
		t.Errorf("error %v after %d requests, want the cancelled context after one", err, len(srv.Requests()))
	}
}

func TestToolsFromMCP(t *testing.T) {
	s := server.NewMCPServer("test", "1")
	schema := `{"type":"object","properties":{"q":{"$ref":"#/$defs/q"}},"required":["q"],` +
		`"$defs":{"q":{"type":"string"}}}`
	s.AddTool(mcp.NewToolWithRawSchema("look", "Looks.", json.RawMessage(schema)),
		func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			switch q := r.GetArguments()["q"]; q {
			case "fail":
				return mcp.NewToolResultError("cannot look"), nil
			case "structured":
				return &mcp.CallToolResult{Content: []mcp.Content{}, StructuredContent: map[string]any{"n": 1}}, nil
			case "broken":
				return nil, errors.New("broken")
			default:
				return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent("saw " + q.(string)),
					mcp.NewImageContent("AA==", "image/png"),
					mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: "file:///a",
						Text: "inside"}), mcp.NewResourceLink("file:///b", "b", "", "text/plain")}}, nil
			}
		})
	c, err := client.NewInProcessClient(s)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // nothing is open
	if _, err := c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	list, err := agents.ToolsFromMCP(t.Context(), c)
	if err != nil || len(list) != 1 || list[0].Name() != "look" || list[0].Description() != "Looks." {
		t.Fatalf("tools %v, error %v; want the tool look with its description", list, err)
	}
	wantJSON(t, "schema", list[0].Parameters(), schema)
	for input, want := range map[string]string{
		`{"q":"me"}`:         "saw me\n[an image, image/png]\ninside\n[b: file:///b]",
		`{"q":"fail"}`:       "error: cannot look",
		`{"q":"structured"}`: `{"n":1}`,
		`{"q":`:              "error: the arguments of look are no JSON object: unexpected end of JSON input",
	} {
		if got, err := list[0].Call(t.Context(), input); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", input, got, err, want)
		}
	}
	if _, err := list[0].Call(t.Context(), `{"q":"broken"}`); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v", err)
	}
	llm, srv := model(t, calls("", [3]string{"1", "look", `{"q":"me"}`}), says("done"))
	if got, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, []tools.Tool{list[0]})),
		"x"); err != nil || got != "done" {
		t.Errorf("answer %q, error %v; want done", got, err)
	}
	if !strings.Contains(string(srv.Requests()[1].Body), "saw me") {
		t.Errorf("sent %s", srv.Requests()[1].Body)
	}
}

// lastMessages are the messages of the last request.
func lastMessages(t testing.TB, srv *babytest.Server) []map[string]any {
	t.Helper()
	var body struct {
		Messages []map[string]any `json:"messages"`
	}
	requests := srv.Requests()
	if err := requests[len(requests)-1].JSON(&body); err != nil {
		t.Fatal(err)
	}
	return body.Messages
}

func TestToolAgentRemembers(t *testing.T) {
	texts := func() *memory.ConversationBuffer { return memory.NewConversationBuffer() }
	messages := func() *memory.ConversationBuffer {
		return memory.NewConversationBuffer(memory.WithReturnMessages(true), memory.WithMemoryKey("chat"))
	}
	const asText = `[{"role":"system","content":"Be brief.\n\nEarlier conversation:\nHuman: I am Ada.\nAI: Hello Ada."},
		{"role":"user","content":"Who am I?"}]`
	const asMessages = `[{"role":"system","content":"Be brief."},{"role":"user","content":"I am Ada."},
		{"role":"assistant","content":"Hello Ada."},{"role":"user","content":"Who am I?"}]`
	for name, test := range map[string]struct {
		ofAgent, ofExecutor schema.Memory
		want                string
	}{
		"text, of the executor":  {nil, texts(), asText},
		"text, of the agent":     {texts(), nil, asText},
		"messages, of the agent": {messages(), nil, asMessages},
	} {
		t.Run(name, func(t *testing.T) {
			llm, srv := model(t, says("Hello Ada."), calls("", [3]string{"1", "shout", `{"input":"x"}`}), says("Ada."))
			options := []agents.Option{agents.WithSystemMessage("Be brief.")}
			if test.ofAgent != nil {
				options = append(options, agents.WithMemory(test.ofAgent))
			}
			var executorOptions []langchain.Option
			if test.ofExecutor != nil {
				executorOptions = append(executorOptions, langchain.WithMemory(test.ofExecutor))
			}
			executor := langchain.NewExecutor(newAgent(t, llm, []tools.Tool{plain{}}, options...), executorOptions...)
			for _, turn := range [][2]string{{"I am Ada.", "Hello Ada."}, {"Who am I?", "Ada."}} {
				if got, err := chains.Run(t.Context(), executor, turn[0]); err != nil || got != turn[1] {
					t.Fatalf("%s: %q, %v; want %q", turn[0], got, err, turn[1])
				}
			}
			got := lastMessages(t, srv)
			wantJSON(t, "messages", got[:len(got)-2], test.want)
		})
	}
}

func TestToolAgentTakesEarlierMessages(t *testing.T) {
	llm, srv := model(t, says("Ada."))
	agent := newAgent(t, llm, nil, agents.WithMessages(llms.TextParts(llms.ChatMessageTypeHuman, "I am Ada."),
		llms.TextParts(llms.ChatMessageTypeAI, "Hello.")), agents.WithCallOptions(nil, llms.WithTemperature(0)))
	if _, err := chains.Run(t.Context(), langchain.NewExecutor(agent), "Who am I?"); err != nil {
		t.Fatal(err)
	}
	wantJSON(t, "messages", lastMessages(t, srv), `[{"role":"user","content":"I am Ada."},
		{"role":"assistant","content":"Hello."},{"role":"user","content":"Who am I?"}]`)
}

// brokenMemory can be read or not, and never be written.
type brokenMemory struct {
	schema.Memory
	load map[string]any
	err  error
}

func (m brokenMemory) LoadMemoryVariables(context.Context, map[string]any) (map[string]any, error) {
	return m.load, m.err
}

func (m brokenMemory) SaveContext(context.Context, map[string]any, map[string]any) error {
	return errors.New("disk full")
}

func TestToolAgentMemoryFails(t *testing.T) {
	for name, test := range map[string]struct {
		memory brokenMemory
		want   string
	}{
		"load":         {brokenMemory{err: errors.New("no disk")}, "no disk"},
		"another kind": {brokenMemory{load: map[string]any{"history": 3}}, "int"},
		"save":         {brokenMemory{}, "disk full"},
	} {
		llm, _ := model(t, says("the answer"))
		agent := newAgent(t, llm, nil, agents.WithMemory(test.memory))
		_, err := chains.Run(t.Context(), langchain.NewExecutor(agent), "x")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
		if e, ok := errors.AsType[*llms.Error](err); name == "save" && (!ok || e.Details["content"] != "the answer") {
			t.Errorf("save: error %#v, want the answer in it", err)
		}
	}
}

// What is no answer is an error, and has what there is of it.
func TestToolAgentRefusesWhatIsNoAnswer(t *testing.T) {
	answer := func(content, reason string) http.Handler {
		return babytest.JSON(200, map[string]any{"choices": []any{map[string]any{
			"message": map[string]any{"content": content, "reasoning": "hm"}, "finish_reason": reason}}})
	}
	for name, test := range map[string]struct {
		answer  http.Handler
		code    llms.ErrorCode
		content string
	}{
		"empty":       {answer("", "stop"), llms.ErrCodeProviderUnavailable, ""},
		"blank":       {answer(" \n", "stop"), llms.ErrCodeProviderUnavailable, " \n"},
		"cut":         {answer("The", "length"), llms.ErrCodeInvalidRequest, "The"},
		"filtered":    {answer("The", "content_filter"), llms.ErrCodeContentFilter, "The"},
		"cut, empty":  {answer("", "length"), llms.ErrCodeInvalidRequest, ""},
		"no text, no": {answer("", ""), llms.ErrCodeProviderUnavailable, ""},
		"refused": {babytest.JSON(200, `{"choices":[{"message":{"content":null,"refusal":"No.","reasoning":"hm"},`+
			`"finish_reason":"stop"}]}`), llms.ErrCodeContentFilter, ""},
	} {
		llm, _ := model(t, test.answer)
		got, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, nil)), "x")
		e, ok := errors.AsType[*llms.Error](err)
		if !ok || e.Code != test.code || e.Details["content"] != test.content || e.Details["reasoning"] != "hm" {
			t.Errorf("%s: answer %q, error %#v; want the code %s", name, got, err, test.code)
		}
	}
}

type trip struct {
	From  city    `json:"from"`
	Stops []city  `json:"stops"`
	Note  *string `json:"note"`
	Fast  bool    `json:"fast,omitempty"`
}

func TestNewToolAsksForWhatIsMissing(t *testing.T) {
	ran := 0
	tool, err := agents.NewTool("plan", "", func(context.Context, trip) (string, error) { ran++; return "ok", nil })
	if err != nil {
		t.Fatal(err)
	}
	for input, want := range map[string]string{
		`{"from":{"city":"Oslo"},"stops":[{"city":"Bergen"}],"note":null}`: "ok",
		`{"From":{"CITY":"Oslo"},"Stops":[],"note":"x"}`:                   "ok",
		`{}`: `error: the arguments of plan lack "from", "stops", "note"`,
		`{"from":{},"stops":[{"city":"a"},{"days":1}],"note":""}`:    `error: the arguments of plan lack "from.city", "stops[1].city"`,
		`{"from":{"city":null},"stops":null,"note":null}`:            `error: the arguments of plan lack "stops", "from.city"`,
		`{"from":null,"stops":[],"note":null}`:                       `error: the arguments of plan lack "from"`,
		`{"from":{"city":"Oslo"},"stops":[],"note":null,"fast":"x"}`: "error: the arguments of plan are wrong: ",
		`{"from":{"city":"Oslo"},"stops":[],"note":null} junk`:       "error: the arguments of plan are wrong: ",
		`{"from":{"city":"Oslo"},"stops":[],"note":null}{}`:          "error: the arguments of plan are wrong: ",
	} {
		ran = 0
		got, err := tool.Call(t.Context(), input)
		if err != nil || !strings.HasPrefix(got, want) || (ran == 1) != (want == "ok") {
			t.Errorf("%s: %q, %v, ran %d times; want %q", input, got, err, ran, want)
		}
	}
}

// A model that thinks between its calls gets its thinking back, under the name it came with.
func TestToolAgentReturnsTheThinking(t *testing.T) {
	answer := babytest.JSON(200, `{"choices":[{"message":{"content":"I look: 2.","reasoning_content":"hm, turn 7:\n\u00e9",`+
		`"tool_calls":[{"id":"1","type":"function","function":{"name":"shout","arguments":"{\"input\":\"x\"}"}},`+
		`{"id":"2","type":"function","function":{"name":"SHOUT","arguments":"{\"input\":\"y\"}"}}]},`+
		`"finish_reason":"tool_calls"}]}`)
	llm, srv := model(t, answer, answer, says("done"))
	got, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(t, llm, []tools.Tool{plain{}})), "x")
	if err != nil || got != "done" {
		t.Fatalf("answer %q, error %v", got, err)
	}
	messages := lastMessages(t, srv)
	if len(messages) != 7 {
		t.Fatalf("%d messages, want the question and two turns of an answer and two results: %v", len(messages), messages)
	}
	for _, i := range []int{1, 4} {
		m := messages[i]
		if m["reasoning_content"] != "hm, turn 7:\n\u00e9" || m["content"] != "I look: 2." || m["reasoning"] != nil ||
			len(m["tool_calls"].([]any)) != 2 {
			t.Errorf("message %d is %v", i, m)
		}
	}
}
