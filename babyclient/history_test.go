package babyclient_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// sent is the body that a chat sends.
func sent(t *testing.T, req *babyclient.ChatRequest) map[string]json.RawMessage {
	t.Helper()
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.JSON(200, `{"choices":[{"index":0,"message":{"content":"x"}}]}`))
	req.Model = "m"
	if _, err := client(srv).Chat(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	var body map[string]json.RawMessage
	if err := srv.Requests()[0].JSON(&body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestHistoryIsRepairedOnTheWayOut(t *testing.T) {
	call := func(id, arguments string) babyclient.ToolCall {
		return babyclient.ToolCall{ID: id, Type: "function",
			Function: babyclient.FunctionCall{Name: "f", Arguments: arguments}}
	}
	said := func(calls ...babyclient.ToolCall) babyclient.Message {
		return babyclient.Message{Role: "assistant", ToolCalls: calls}
	}
	result := babyclient.ToolResult
	for name, test := range map[string]struct {
		messages []babyclient.Message
		want     string // ids and arguments of calls, and ids of results
	}{
		"nothing to repair": {[]babyclient.Message{said(call("a", `{"x":1}`), call("b", "{}")), result("a", ""),
			result("b", "")}, `a{"x":1} b{} ->a ->b`},
		"no arguments":    {[]babyclient.Message{said(call("a", ""), call("b", " "), call("c", "null"))}, `a{} b{} c{}`},
		"no JSON is kept": {[]babyclient.Message{said(call("a", "2+2"))}, `a2+2`},
		"two of one id": {[]babyclient.Message{said(call("a", "{}"), call("a", "{}")), result("a", ""), result("a", "")},
			`a{} a_2{} ->a ->a_2`},
		"three, and another": {[]babyclient.Message{
			said(call("a", "{}"), call("b", "{}"), call("a", "{}"), call("a", "{}")),
			result("a", ""), result("b", ""), result("a", ""), result("a", ""),
		}, `a{} b{} a_2{} a_3{} ->a ->b ->a_2 ->a_3`},
		"the new id is taken": {[]babyclient.Message{said(call("a_2", "{}"), call("a", "{}"), call("a", "{}")),
			result("a_2", ""), result("a", ""), result("a", "")}, `a_2{} a{} a_3{} ->a_2 ->a ->a_3`},
		"one id in two turns": {[]babyclient.Message{said(call("a", "{}")), result("a", ""), said(call("a", "{}")),
			result("a", "")}, `a{} ->a a{} ->a`},
		"two turns, two of one id": {[]babyclient.Message{said(call("a", "{}"), call("a", "{}")), result("a", ""),
			result("a", ""), said(call("a", "{}")), result("a", "")}, `a{} a_2{} ->a ->a_2 a{} ->a`},
		"no ids": {[]babyclient.Message{said(call("", "{}"), call("", "{}"))}, `{} {}`},
		"a result too many": {[]babyclient.Message{said(call("a", "{}"), call("a", "{}")), result("a", ""), result("a", ""),
			result("a", "")}, `a{} a_2{} ->a ->a_2 ->a`},
	} {
		t.Run(name, func(t *testing.T) {
			before := fmt.Sprintf("%+v", test.messages)
			var messages []babyclient.Message
			body := sent(t, &babyclient.ChatRequest{Messages: test.messages})
			if err := json.Unmarshal(body["messages"], &messages); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range messages {
				for _, c := range m.ToolCalls {
					got = append(got, c.ID+c.Function.Arguments)
				}
				if m.Role == "tool" {
					got = append(got, "->"+m.ToolCallID)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("sent %s, want %s", got, test.want)
			}
			if after := fmt.Sprintf("%+v", test.messages); after != before {
				t.Errorf("the caller's messages are changed:\n%s\n%s", before, after)
			}
		})
	}
}

// Fields that have no name here stand in Extra of messages, parts, tools, functions and formats,
// and survive being stored as JSON.
func TestExtraWithinTheRequest(t *testing.T) {
	cache := map[string]any{"type": "ephemeral"}
	req := &babyclient.ChatRequest{
		Messages: []babyclient.Message{
			{Role: "system", Content: "be brief", Extra: map[string]any{"cache_control": cache}},
			{Role: "user", Parts: []babyclient.Part{{Type: "text", Text: "x", Extra: map[string]any{"cache_control": cache}}}},
			babyclient.User("plain"),
		},
		Tools: []babyclient.Tool{
			{Type: "web_search"},
			{Type: "code_interpreter", Extra: map[string]any{"container": map[string]any{"type": "auto"}}},
			{Function: babyclient.Function{Name: "f", Extra: map[string]any{"returns": "text"}},
				Extra: map[string]any{"cache_control": cache}},
			babyclient.FunctionTool("g", "", nil),
		},
		ResponseFormat: &babyclient.ResponseFormat{Type: "json_object",
			Extra: map[string]any{"schema": map[string]any{"type": "object"}}},
	}
	want := map[string]string{
		"messages": `[{"role":"system","content":"be brief","cache_control":{"type":"ephemeral"}},
			{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},
			{"role":"user","content":"plain"}]`,
		"tools": `[{"type":"web_search"},{"type":"code_interpreter","container":{"type":"auto"}},
			{"type":"function","cache_control":{"type":"ephemeral"},
				"function":{"name":"f","returns":"text","parameters":{"type":"object","properties":{}}}},
			{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]`,
		"response_format": `{"type":"json_object","schema":{"type":"object"}}`,
	}
	check := func(what string, body map[string]json.RawMessage) {
		for field, text := range want {
			if canonicalJSON(t, body[field]) != canonicalJSON(t, []byte(text)) {
				t.Errorf("%s, %s: %s, want %s", what, field, body[field], text)
			}
		}
	}
	check("sent", sent(t, req))
	stored, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var again babyclient.ChatRequest
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	check("stored, read and sent", sent(t, &again))

	structural := &babyclient.ResponseFormat{Type: "structural_tag", Extra: map[string]any{"structures": []any{}}}
	if got := string(sent(t, &babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("x")},
		ResponseFormat: structural})["response_format"]); got != `{"structures":[],"type":"structural_tag"}` {
		t.Errorf("sent %s", got)
	}
	envelope := babyclient.JSONSchema("s", map[string]any{})
	envelope.JSONSchema.Extra = map[string]any{"version": 2}
	if got := string(sent(t, &babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("x")},
		ResponseFormat: envelope})["response_format"]); !strings.Contains(got, `"version":2`) {
		t.Errorf("sent %s", got)
	}
}

func canonicalJSON(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A message goes back with what it came with.
func TestReceivedFieldsGoBack(t *testing.T) {
	const message = `{"role":"assistant","content":"x","annotations":[],"audio":null,"refusal":"",
		"reasoning_details":[{"type":"reasoning.encrypted","data":"abc","index":0}],"provider_id":12345678901234567890}`
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.JSON(200, `{"choices":[{"index":0,"message":`+message+`}]}`))
	c := client(srv)
	req := &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("q")}}
	resp, err := c.Chat(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	req.Messages = append(req.Messages, resp.Message())
	if _, err := c.Chat(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	var body struct{ Messages []json.RawMessage }
	if err := srv.Requests()[1].JSON(&body); err != nil {
		t.Fatal(err)
	}
	want := `{"role":"assistant","content":"x",` +
		`"reasoning_details":[{"type":"reasoning.encrypted","data":"abc","index":0}],"provider_id":12345678901234567890}`
	if canonicalJSON(t, body.Messages[1]) != canonicalJSON(t, []byte(want)) {
		t.Errorf("sent back %s, want %s", body.Messages[1], want)
	}
}

func TestModelsInOtherForms(t *testing.T) {
	for body, want := range map[string][]string{
		`[{"id":"a","object":"model"},{"id":"b"}]`: {"a", "b"},
		`["a","b"]`: {"a", "b"},
		`[]`:        {},
		`{"models":[{"name":"a:latest","model":"a"}]}`:                             {"a"},
		`{"models":[{"name":"a:latest"}]}`:                                         {"a:latest"},
		`{"object":"list","data":[{"id":"a","created":1.5,"max_model_len":"12"}]}`: {"a"},
		`{"models":[{"name":"x"}],"data":[{"id":"a"}]}`:                            {"a"},
		`{"data":null}`:                             {},
		"\ufeff" + `{"data":[{"id":"a"}]}`:          {"a"},
		"\ufeff" + ` [{"id":"a","owned_by":"me"}] `: {"a"},
	} {
		srv := server(t)
		srv.On("GET /v1/models", babytest.JSON(200, body))
		resp, err := client(srv).Models(t.Context())
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		got := []string{}
		for _, m := range resp.Data {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	for _, body := range []string{`{}`, `null`, `"a"`, `{"models":null}`, `[1]`} {
		srv := server(t)
		srv.On("GET /v1/models", babytest.JSON(200, body))
		if resp, err := client(srv).Models(t.Context()); err == nil {
			t.Errorf("%s was read as %+v", body, resp.Data)
		}
	}
}

// A byte order mark, as of some proxies, stands before every kind of answer.
func TestByteOrderMark(t *testing.T) {
	srv := server(t)
	srv.On("POST /infer", babytest.JSON(200, "\ufeff"+`{"output":"x"}`))
	srv.On("POST /v1/chat/completions", babytest.JSON(200, "\ufeff"+`{"choices":[{"message":{"content":"x"}}]}`))
	srv.On("POST /v1/rerank", babytest.JSON(400, "\ufeff"+`{"error":{"message":"m"}}`))
	c := client(srv)
	infer := &babyclient.InferRequest{Model: "m", Prompt: "p"}
	if resp, err := c.Infer(t.Context(), infer); err != nil || resp.Output != "x" {
		t.Errorf("infer: %+v, %v", resp, err)
	}
	chat := &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("q")}}
	if resp, err := c.Chat(t.Context(), chat); err != nil || resp.Text() != "x" {
		t.Errorf("chat: %+v, %v", resp, err)
	}
	_, err := c.Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}})
	if e := fails(t, err); e.Message != "m" {
		t.Errorf("error %+v", e)
	}
}
