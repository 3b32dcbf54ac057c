// Package langchain_test shows that provider takes the place of langchaingo's own: in its test
// suites, its agents, chains and vector stores, and beside its openai provider.
package langchain_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/tmc/langchaingo/documentloaders"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/interop/stack"
	"github.com/babyapi-org/babyapi-go/provider"
)

var (
	_ llms.Model                = (*provider.LLM)(nil)
	_ embeddings.Embedder       = (*provider.Embedder)(nil)
	_ documentloaders.Loader    = (*provider.Loader)(nil)
	_ schema.Retriever          = (*provider.RerankRetriever)(nil)
	_ vectorstores.VectorStore  = (*provider.RerankStore)(nil)
	_ embeddings.EmbedderClient = (*provider.LLM)(nil)
)

func TestMain(m *testing.M) { stack.Main(m) }

const (
	chatPath  = "POST /v1/chat/completions"
	embedPath = "POST /v1/embeddings"
)

func newServer(t testing.TB) *babytest.Server {
	t.Helper()
	srv := babytest.NewServer()
	t.Cleanup(srv.Close)
	return srv
}

func newLLM(t testing.TB, srv *babytest.Server, opts ...provider.Option) *provider.LLM {
	t.Helper()
	llm, err := provider.NewFromClient(srv.Client(), append([]provider.Option{provider.WithModel("m")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return llm
}

// engines is a client of the local stack on real engines.
func engines(t testing.TB) *babyclient.Client {
	t.Helper()
	client, err := babyclient.New(babyclient.WithBaseURL(stack.URL(t)), babyclient.WithAPIKey("local"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func says(text string) http.Handler {
	return babytest.JSON(200,
		map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": text},
			"finish_reason": "stop"}}})
}

// calls is an answer that calls tools: id, name and arguments of each.
func calls(all ...[3]string) http.Handler {
	var list []any
	for _, c := range all {
		list = append(list, map[string]any{"id": c[0], "type": "function",
			"function": map[string]any{"name": c[1], "arguments": c[2]}})
	}
	return babytest.JSON(200,
		map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": nil, "tool_calls": list},
			"finish_reason": "tool_calls"}}})
}

func human(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// body is the body of the request with that number, the last one for -1.
func body(t testing.TB, srv *babytest.Server, n int) map[string]any {
	t.Helper()
	requests := srv.Requests()
	if n < 0 {
		n += len(requests)
	}
	if n < 0 || n >= len(requests) {
		t.Fatalf("there are %d requests", len(requests))
	}
	var out map[string]any
	if err := requests[n].JSON(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
