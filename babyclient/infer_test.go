package babyclient_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

func TestInfer(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /infer",
		babytest.JSON(200, `{"model":"m","output":" Paris","usage":{"total_tokens":4},"finish_reason":"length"}`),
		babytest.JSON(200, `{"output":""}`),
		babytest.JSON(200, `{"output":null}`),
	)
	c := client(srv)
	resp, err := c.Infer(
		t.Context(),
		&babyclient.InferRequest{
			Model:            " m ",
			Prompt:           "\n p ",
			MaxTokens:        new(0),
			Temperature:      new(0.0),
			TopP:             new(1.0),
			TopK:             new(-1),
			Stop:             []string{"x"},
			PresencePenalty:  new(0.5),
			FrequencyPenalty: new(-0.5),
		},
	)
	if err != nil || resp.Output != " Paris" || resp.FinishReason != babyclient.FinishLength ||
		resp.Usage.TotalTokens != 4 ||
		resp.Model != "m" {
		t.Errorf("%+v, %v", resp, err)
	}
	sameJSON(
		t,
		seen(t, srv).Body,
		`{"model":"m","prompt":"p","max_tokens":0,"temperature":0,"top_p":1,"top_k":-1,"stop":["x"],`+
			`"presence_penalty":0.5,"frequency_penalty":-0.5}`,
	)
	if resp, err = c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); err != nil || resp.Output != "" {
		t.Errorf("an empty output is one: %+v, %v", resp, err)
	}
	if _, err = c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); !errors.Is(
		err,
		babyclient.ErrInvalidResponse,
	) {
		t.Errorf("no output: %v", err)
	}
}

// The loose forms, as the official SDKs take them.
func TestInferRequestFrom(t *testing.T) {
	type req = babyclient.InferRequest
	tests := []struct {
		name string
		in   string
		want req
		code string
	}{
		{"prompt", `{"model":" m ","prompt":" p "}`, req{Model: "m", Prompt: "p"}, ""},
		{"input", `{"input":"p"}`, req{Prompt: "p"}, ""},
		{"text", `{"text":"p"}`, req{Prompt: "p"}, ""},
		{"first that is not blank", `{"prompt":" ","input":"","text":"p"}`, req{Prompt: "p"}, ""},
		{"prompt before text", `{"text":"t","prompt":"p"}`, req{Prompt: "p"}, ""},
		{"not a string", `{"prompt":5,"text":"p"}`, req{Prompt: "p"}, ""},
		{
			"snake",
			`{"prompt":"p","max_tokens":5,"temperature":0.5,"top_p":0.9,"top_k":3,"stop":["a","b"],` +
				`"presence_penalty":1,"frequency_penalty":2}`,
			req{
				Prompt:           "p",
				MaxTokens:        new(5),
				Temperature:      new(0.5),
				TopP:             new(0.9),
				TopK:             new(3),
				Stop:             []string{"a", "b"},
				PresencePenalty:  new(1.0),
				FrequencyPenalty: new(2.0),
			},
			"",
		},
		{
			"camel",
			`{"prompt":"p","maxTokens":5,"topP":0.9,"topK":3,"presencePenalty":1,"frequencyPenalty":2,"stop":"a"}`,
			req{
				Prompt:           "p",
				MaxTokens:        new(5),
				TopP:             new(0.9),
				TopK:             new(3),
				Stop:             []string{"a"},
				PresencePenalty:  new(1.0),
				FrequencyPenalty: new(2.0),
			},
			"",
		},
		{
			"nested",
			`{"prompt":"p","options":{"max_tokens":5,"topP":0.9}}`,
			req{Prompt: "p", MaxTokens: new(5), TopP: new(0.9)},
			"",
		},
		{
			"inside wins",
			`{"prompt":"p","max_tokens":1,"options":{"maxTokens":5}}`,
			req{Prompt: "p", MaxTokens: new(5)},
			"",
		},
		{
			"null is not set",
			`{"prompt":"p","max_tokens":null,"maxTokens":5,"options":null,"model":null}`,
			req{Prompt: "p", MaxTokens: new(5)},
			"",
		},
		{"unknown keys", `{"prompt":"p","best_of":3,"options":{"x":1}}`, req{Prompt: "p"}, ""},
		{"zero is set", `{"prompt":"p","temperature":0}`, req{Prompt: "p", Temperature: new(0.0)}, ""},
		{"both spellings", `{"prompt":"p","max_tokens":1,"maxTokens":1}`, req{}, babyclient.CodeInvalidOptions},
		{
			"both spellings inside",
			`{"prompt":"p","options":{"top_p":1,"topP":1}}`,
			req{},
			babyclient.CodeInvalidOptions,
		},
		{
			"both spellings outside",
			`{"prompt":"p","top_p":1,"topP":1,"options":{"top_p":1}}`,
			req{},
			babyclient.CodeInvalidOptions,
		},
		{"options no object", `{"prompt":"p","options":[]}`, req{}, babyclient.CodeInvalidOptions},
		{"option no number", `{"prompt":"p","temperature":"hot"}`, req{}, babyclient.CodeInvalidOptions},
		{"fraction of a token", `{"prompt":"p","max_tokens":1.5}`, req{}, babyclient.CodeInvalidOptions},
		{"absurd count", `{"prompt":"p","top_k":1e300}`, req{}, babyclient.CodeInvalidOptions},
		{"stop of numbers", `{"prompt":"p","stop":[1]}`, req{}, babyclient.CodeInvalidOptions},
		{"stop a number", `{"prompt":"p","stop":1}`, req{}, babyclient.CodeInvalidOptions},
		{"model a number", `{"prompt":"p","model":7}`, req{}, babyclient.CodeInvalidInferInput},
		{"no prompt", `{"model":"m"}`, req{}, babyclient.CodePromptRequired},
		{"nothing", `null`, req{}, babyclient.CodePromptRequired},
	}
	for _, tt := range tests {
		var m map[string]any
		if err := json.Unmarshal([]byte(tt.in), &m); err != nil {
			t.Fatal(err)
		}
		got, err := babyclient.InferRequestFrom(m)
		if tt.code != "" {
			if e := fails(t, err); e.Code != tt.code || !errors.Is(err, babyclient.ErrInvalidRequest) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(*got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	for _, v := range []any{5, int32(5), int64(5), float32(5),
		json.Number("5")} { // as Go code and decoders write numbers
		got, err := babyclient.InferRequestFrom(map[string]any{"prompt": "p", "max_tokens": v, "stop": []string{"s"}})
		if err != nil || *got.MaxTokens != 5 || got.Stop[0] != "s" {
			t.Errorf("%T: %+v, %v", v, got, err)
		}
	}
}

// The body goes as it is to the endpoint that its keys name, and the answer comes as it is.
func TestInferAny(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.JSON(200, ` {"chat":1}`))
	srv.On("POST /v1/completions", babytest.JSON(200, `{"completion":1}`), babytest.JSON(200, `<html>`))
	c := client(srv)
	body := map[string]any{
		"messages": []any{map[string]any{"role": "user", "content": "hi"}},
		"anything": map[string]any{"a": 1},
	}
	resp, err := c.InferAny(t.Context(), body)
	if err != nil || string(resp.Raw) != ` {"chat":1}` || resp.StatusCode != 200 {
		t.Errorf("a chat: %+v, %v", resp, err)
	}
	sameJSON(t, seen(t, srv).Body, `{"model":"tiny","messages":[{"role":"user","content":"hi"}],"anything":{"a":1}}`)
	if _, changed := body["model"]; changed {
		t.Error("the caller's map was changed")
	}
	resp, err = c.InferAny(t.Context(), map[string]any{"prompt": "p", "model": "other"})
	if err != nil || !strings.Contains(string(resp.Raw), "completion") {
		t.Errorf("a completion: %+v, %v", resp, err)
	}
	sameJSON(t, seen(t, srv).Body, `{"model":"other","prompt":"p"}`)
	if _, err = c.InferAny(t.Context(), map[string]any{"prompt": "p", "model": " "}); !errors.Is(
		err,
		babyclient.ErrInvalidResponse,
	) {
		t.Errorf("no JSON: %v", err)
	}
	sameJSON(t, seen(t, srv).Body, `{"model":"tiny","prompt":"p"}`)
}

func TestModels(t *testing.T) {
	srv := server(t)
	srv.On(
		"GET /v1/models",
		babytest.JSON(200, `{"object":"list","data":[{"id":"a","owned_by":"vllm","max_model_len":512}]}`),
		babytest.JSON(200, `{"data":null}`),
		babytest.JSON(404, `{"detail":"Not Found"}`),
	)
	c := client(srv)
	resp, err := c.Models(t.Context())
	if err != nil || resp.Data[0].ID != "a" || resp.Data[0].MaxModelLen != 512 {
		t.Errorf("%+v, %v", resp, err)
	}
	if resp, err = c.Models(t.Context()); err != nil || len(resp.Data) != 0 {
		t.Errorf("no models: %+v, %v", resp, err)
	}
	if _, err = c.Models(t.Context()); !errors.Is(err, babyclient.ErrNotFound) ||
		!strings.Contains(err.Error(), "does not list its models") {
		t.Errorf("err = %v", err)
	}
}
