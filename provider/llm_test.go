package provider_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

func testInterfaces(t *testing.T) {
	srv := chatServer(t, says("four"))
	srv.On("POST /v1/embeddings", babytest.JSON(200,
		`{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":4,`+
			`"total_tokens":4}}`))
	var used []provider.Usage
	llm := newLLM(t, srv, provider.WithEmbeddingModel("e"), provider.WithEmbeddingDimensions(2),
		provider.WithUsageFunc(onUsage(&used)))
	var model llms.Model = llm
	got, err := model.Call(t.Context(), "2+2?", llms.WithMaxTokens(5)) //nolint:staticcheck // old programs call it
	if err != nil || got != "four" {
		t.Fatalf("Call: %q, %v", got, err)
	}
	sameJSON(t, "Call", jsonOf(t, lastBody(t, srv)),
		`{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"2+2?"}]}`)

	// langchaingo's own embedder on the LLM.
	stock, err := embeddings.NewEmbedder(llm)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := stock.EmbedDocuments(t.Context(), []string{"a", "b"})
	if err != nil || len(vectors) != 2 || vectors[0][0] != 1 || vectors[1][0] != 3 {
		t.Errorf("vectors %v, %v", vectors, err)
	}
	body := lastBody(t, srv)
	if body["model"] != "e" || body["dimensions"] != 2.0 || jsonOf(t, body["input"]) != `["a","b"]` {
		t.Errorf("body sent %v, want model e, dimensions 2, input a and b", body)
	}
	if len(used) != 1 || used[0].Operation != "embeddings" || used[0].PromptTokens != 4 {
		t.Errorf("usage reported %+v, want one of embeddings with 4 tokens", used)
	}
	if vectors, err := llm.CreateEmbedding(t.Context(), nil); err != nil || vectors == nil || len(vectors) != 0 {
		t.Errorf("no texts: %v, %v", vectors, err)
	}
	_, err = newLLM(t, srv).CreateEmbedding(t.Context(), []string{"a"})
	wantError(t, err, llms.ErrCodeInvalidRequest, "WithEmbeddingModel")
}

func TestNewRefusesBadOptions(t *testing.T) {
	srv := chatServer(t, says("hi"))
	llm, err := provider.New(provider.WithToken(babytest.Key), provider.WithBaseURL(srv.URL),
		provider.WithHTTPClient(&http.Client{}),
		provider.WithClientOptions(babyclient.WithHeader("X-Team", "blue")), provider.WithModel(" served "), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := llm.GenerateContent(t.Context(), human("x")); err != nil {
		t.Fatal(err)
	}
	r := srv.Requests()[0]
	if r.Header.Get("Authorization") != "Bearer "+babytest.Key || r.Header.Get("X-Team") != "blue" ||
		lastBody(t, srv)["model"] != "served" {
		t.Errorf("sent %v %s", r.Header, r.Body)
	}

	for name, test := range map[string]struct {
		make  func() (*provider.LLM, error)
		words string
	}{
		"base URL": {func() (*provider.LLM, error) { return provider.New(provider.WithBaseURL("ftp://x")) }, "ftp"},
		"dimensions": {func() (*provider.LLM, error) { return provider.New(provider.WithEmbeddingDimensions(-1)) },
			"-1"},
		"timeout": {func() (*provider.LLM, error) { return provider.New(provider.WithTimeout(-time.Second)) },
			"-1s"},
		"nil client": {func() (*provider.LLM, error) { return provider.NewFromClient(nil) }, "nil"},
		"key twice": {func() (*provider.LLM, error) {
			return provider.NewFromClient(srv.Client(), provider.WithToken("abcdefgh"))
		}, "conflicting"},
	} {
		t.Run(name, func(t *testing.T) {
			llm, err := test.make()
			if llm != nil {
				t.Error("a model came with the error")
			}
			wantError(t, err, llms.ErrCodeInvalidRequest, test.words)
		})
	}

	t.Run("no key", func(t *testing.T) {
		llm, err := provider.New(provider.WithBaseURL(srv.URL), provider.WithModel("m"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = llm.GenerateContent(t.Context(), human("x"))
		wantError(t, err, llms.ErrCodeAuthentication, "BABYAPI_API_KEY")
		if !errors.Is(err, babyclient.ErrAPIKeyRequired) || !llms.IsAuthenticationError(err) {
			t.Errorf("error %v, want ErrAPIKeyRequired and an authentication error of langchaingo", err)
		}
	})
	t.Run("no model", func(t *testing.T) {
		_, err := newLLM(t, srv, provider.WithModel("")).GenerateContent(t.Context(), human("x"))
		wantError(t, err, llms.ErrCodeInvalidRequest, "model")
	})
}

func testCallbacks(t *testing.T) {
	for name, test := range map[string]struct {
		answer  http.Handler
		input   []llms.MessageContent
		options []llms.CallOption
		want    []string
	}{
		"plain":         {says("x"), human("x"), nil, []string{"start", "end"}},
		"streamed":      {says("x"), human("x"), []llms.CallOption{onlyText()}, []string{"start", "end"}},
		"service error": {babytest.JSON(500, `{}`), human("x"), nil, []string{"start", "error"}},
		"stream error": {babytest.Events(text("x")), human("x"), []llms.CallOption{onlyText()},
			[]string{"start", "error"}},
		"bad message": {says("x"), nil, nil, []string{"start", "error"}},
		"bad option": {says("x"), human("x"), []llms.CallOption{llms.WithToolChoice("f")},
			[]string{"start", "error"}},
		"cut tool call": {babytest.JSON(200,
			`{"choices":[{"message":{"content":"<tool_call>{"},"finish_reason":"length"}]}`), human("x"),
			[]llms.CallOption{llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "f"}}})},
			[]string{"start", "error"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			llm := newLLM(t, chatServer(t, test.answer), provider.WithCallback(r))
			resp, err := llm.GenerateContent(t.Context(), test.input, test.options...)
			if got := jsonOf(t, r.events); got != jsonOf(t, test.want) {
				t.Errorf("callbacks %s, want %s", got, jsonOf(t, test.want))
			}
			if r.resp != resp || r.err != err { //nolint:errorlint // the very same is wanted
				t.Errorf("callbacks got response %v and error %v, GenerateContent returned %v and %v",
					r.resp, r.err, resp, err)
			}
			if (err == nil) == (resp == nil) {
				t.Errorf("response %v with error %v", resp, err)
			}
		})
	}
	llm := newLLM(t, chatServer(t))
	r := &recorder{}
	llm.CallbacksHandler = r
	if _, err := llm.GenerateContent(t.Context(), human("x")); err != nil || len(r.events) != 2 {
		t.Errorf("the exported field: %v, %v", r.events, err)
	}
}
