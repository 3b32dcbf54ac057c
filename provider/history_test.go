package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/cache"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

// kept is a backend of langchaingo's cache.
type kept map[string]*llms.ContentResponse

func (k kept) Get(_ context.Context, key string) *llms.ContentResponse    { return k[key] }
func (k kept) Put(_ context.Context, key string, r *llms.ContentResponse) { k[key] = r }

// langchaingo's cache makes its key of the JSON of messages and options.
func TestCacheTellsCallsApart(t *testing.T) {
	part := func(p llms.ContentPart) []llms.MessageContent { return message("human", p) }
	header := provider.WithClientCallOptions(babyclient.WithHeader("X-Tenant", "a"))
	calls := map[string]struct {
		messages []llms.MessageContent
		options  []llms.CallOption
	}{
		"plain":           {human("x"), nil},
		"extra body":      {human("x"), []llms.CallOption{provider.WithExtraBody(map[string]any{"a": 1})}},
		"another body":    {human("x"), []llms.CallOption{provider.WithExtraBody(map[string]any{"a": 2})}},
		"schema":          {human("x"), []llms.CallOption{provider.WithJSONSchema("s", json.RawMessage(`{"type":"object"}`))}},
		"another schema":  {human("x"), []llms.CallOption{provider.WithJSONSchema("s", json.RawMessage(`{"type":"string"}`))}},
		"another name":    {human("x"), []llms.CallOption{provider.WithJSONSchema("t", json.RawMessage(`{"type":"object"}`))}},
		"think tags":      {human("x"), []llms.CallOption{provider.WithThinkTags()}},
		"open think tag":  {human("x"), []llms.CallOption{provider.WithOpenThinkTag()}},
		"video":           {part(provider.Part(babyclient.VideoURLPart("https://example.com/a"))), nil},
		"another video":   {part(provider.Part(babyclient.VideoURLPart("https://example.com/b"))), nil},
		"thinking":        {message("ai", provider.ReasoningPart("hm"), llms.TextPart("x")), nil},
		"other thinking":  {message("ai", provider.ReasoningPart("oh"), llms.TextPart("x")), nil},
		"client option":   {human("x"), []llms.CallOption{header}},
		"a client option": {human("x"), []llms.CallOption{provider.WithClientCallOptions(babyclient.WithHeader("X", "b"))}},
	}
	backend := kept{}
	srv := chatServer(t, says("a"))
	model := cache.New(newLLM(t, srv), backend)
	for range 2 { // the second time from the cache
		for name, call := range calls {
			if _, err := model.GenerateContent(t.Context(), call.messages, call.options...); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if n := len(srv.Requests()); n != len(calls) || len(backend) != len(calls) {
			t.Errorf("%d requests and %d answers kept, want %d", n, len(backend), len(calls))
		}
	}
	_, err := model.GenerateContent(t.Context(), human("x"), provider.WithExtraBody(map[string]any{"f": func() {}}))
	if err == nil || len(srv.Requests()) != len(calls) {
		t.Errorf("error %v, want that the options have no key", err)
	}
}

// A conversation that a program stores as JSON is the same when it is read again.
func TestHistorySurvivesJSON(t *testing.T) {
	choice := &llms.ContentChoice{ReasoningContent: "well", GenerationInfo: map[string]any{
		"ReasoningField": "reasoning_content"}}
	history := append(message("human", llms.TextPart("look"), provider.Part(babyclient.VideoURLPart("https://e/v")),
		provider.Part(babyclient.Part{Type: "file", Extra: map[string]any{"file": map[string]any{"id": "f1"}}}),
		llms.BinaryContent{MIMEType: "image/png", Data: []byte{1, 2}}),
		append(message("ai", provider.ReasoningPart("hm"), llms.TextPart("I look."),
			llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}),
			append(message("tool", llms.ToolCallResponse{ToolCallID: "a", Name: "f", Content: "1"}),
				message("ai", provider.ReasoningPartOf(choice), llms.TextPart("It is 1."))...)...)...)
	raw, err := json.Marshal(history)
	if err != nil {
		t.Fatal(err)
	}
	var again []llms.MessageContent
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "sent", sentMessages(t, again), sentMessages(t, history))
	if fmt.Sprint(len(again)) != "4" {
		t.Errorf("%d messages, want 4", len(again))
	}
}
