package provider_test

import (
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

func TestStream(t *testing.T) {
	events := []string{delta(`{"reasoning":"hm"}`), text("It "), text("rains."),
		delta(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`), finish("tool_calls")}
	llm := newLLM(t, chatServer(t, babytest.Stream(events...)))
	var text, reasoning, calls []string
	var response *llms.ContentResponse
	for piece, err := range llm.Stream(t.Context(), human("x")) {
		if err != nil {
			t.Fatal(err)
		}
		if response != nil {
			t.Error("a piece after the whole answer")
		}
		text, reasoning, response = append(text, piece.Text), append(reasoning, piece.Reasoning), piece.Response
		if piece.ToolCall != nil {
			calls = append(calls, piece.ToolCall.Function.Name)
		}
	}
	if strings.Join(text, "") != "It rains." || strings.Join(reasoning, "") != "hm" || strings.Join(calls, "") != "f" {
		t.Errorf("text %q, thinking %q, calls %q", text, reasoning, calls)
	}
	if response == nil || response.Choices[0].Content != "It rains." || len(response.Choices[0].ToolCalls) != 1 {
		t.Errorf("the last piece has %+v, want the whole answer", response)
	}
}

func TestStreamIsLeft(t *testing.T) {
	srv := chatServer(t, babytest.Stream(text("a"), text("b"), text("c"), finish("stop")))
	for piece, err := range newLLM(t, srv).Stream(t.Context(), human("x")) {
		if err != nil || piece.Text != "a" {
			t.Errorf("piece %+v, error %v; want a alone", piece, err)
		}
		break
	}
	if n := len(srv.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestStreamIsSentOnce(t *testing.T) {
	srv := chatServer(t, babytest.Stream(text("a"), finish("stop")))
	stream := newLLM(t, srv).Stream(t.Context(), human("x"))
	for _, err := range stream {
		if err != nil {
			t.Fatal(err)
		}
	}
	for piece, err := range stream {
		wantError(t, err, llms.ErrCodeInvalidRequest, "ranged over already")
		if piece != (provider.Piece{}) {
			t.Errorf("piece %+v", piece)
		}
	}
	if n := len(srv.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestStreamFails(t *testing.T) {
	llm := newLLM(t, chatServer(t, babytest.Stream(text("a"), `{"error":{"message":"R","code":400}}`)))
	var got []string
	failures := 0
	for piece, err := range llm.Stream(t.Context(), human("x"), provider.WithExtraBody(map[string]any{"a": 1})) {
		if err != nil {
			failures++
			wantError(t, err, llms.ErrCodeInvalidRequest, "R")
			continue
		}
		got = append(got, piece.Text)
	}
	if strings.Join(got, "|") != "a" || failures != 1 {
		t.Errorf("pieces %q and %d errors, want a and one", got, failures)
	}
}
