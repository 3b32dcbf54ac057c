package provider_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

func Example() {
	srv := exampleServer() // a service that knows the answers below
	defer srv.Close()

	llm, err := provider.New(provider.WithBaseURL(srv.URL), provider.WithToken("key"),
		provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := llms.GenerateFromSinglePrompt(context.Background(), llm, "Why is the sky blue?",
		llms.WithTemperature(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output: Rayleigh scattering.
}

func ExampleGenerateJSON() {
	srv := exampleServer()
	defer srv.Close()

	type weather struct {
		City    string `json:"city"`
		Degrees int    `json:"degrees" jsonschema_description:"in Celsius"`
	}
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	w, _, err := provider.GenerateJSON[weather](context.Background(), llm, []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeHuman, "21 degrees in Oslo, what a summer!"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.City, w.Degrees)
	// Output: Oslo 21
}

func ExampleReranker_Rerank() {
	srv := exampleServer()
	defer srv.Close()

	client, err := babyclient.New(babyclient.WithBaseURL(srv.URL), babyclient.WithAPIKey("key"))
	if err != nil {
		log.Fatal(err)
	}
	reranker, err := provider.NewReranker(client, "BAAI/bge-reranker-v2-m3")
	if err != nil {
		log.Fatal(err)
	}
	docs := []schema.Document{{PageContent: "Rain falls in Bergen."}, {PageContent: "Oslo is the capital of Norway."}}
	best, err := reranker.Rerank(context.Background(), "What is the capital of Norway?", docs, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(best[0].PageContent, best[0].Score)
	// Output: Oslo is the capital of Norway. 0.98
}

func exampleServer() *babytest.Server {
	srv := babytest.NewServer()
	srv.On(chatPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := "Rayleigh scattering."
		if strings.Contains(string(readAll(r)), "json_schema") {
			answer = `{"city":"Oslo","degrees":21}`
		}
		babytest.JSON(200, map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": answer},
			"finish_reason": "stop"}}}).ServeHTTP(w, r)
	}))
	srv.On(rerankPath, babytest.JSON(200, `{"results":[{"index":1,"relevance_score":0.98}]}`))
	return srv
}
