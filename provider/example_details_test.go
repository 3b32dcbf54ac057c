package provider_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// script is a service whose answers are given to it in order.
func script(pattern string, answers ...http.Handler) *babytest.Server {
	srv := babytest.NewServer()
	srv.On(pattern, answers...)
	return srv
}

// What New takes beside the model. Each is left out where the default will do.
func ExampleNew() {
	srv := script(chatPath,
		babytest.JSON(200, `{"choices":[{"message":{"content":"Scattering."}}],"usage":{"total_tokens":12}}`))
	defer srv.Close()

	llm, err := provider.New(
		provider.WithToken("key"), provider.WithBaseURL(srv.URL), provider.WithHTTPClient(srv.HTTPClient()),
		provider.WithModel("Qwen/Qwen3-8B"),
		provider.WithReasoning(false),
		provider.WithTimeout(2*time.Minute),
		provider.WithDefaults(llms.WithTemperature(0), llms.WithMaxTokens(200)), // of all calls
		provider.WithClientOptions(babyclient.WithHeader("X-Title", "example")), // any option of babyclient
		provider.WithCallback(callbacks.SimpleHandler{}),                        // langchaingo's, for a log or a trace
		provider.WithUsageFunc(func(_ context.Context, u provider.Usage) { fmt.Println(u.Operation, u.TotalTokens) }),
	)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := llm.Call(context.Background(), "Why is the sky blue?") // or llms.GenerateFromSinglePrompt
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer, llm.SupportsReasoning(), llm.Client().BaseURL() == srv.URL)
	// Output:
	// chat 12
	// Scattering. false true
}

// A conversation, streamed, with what langchaingo has no option or type for.
func ExampleLLM_GenerateContent() {
	srv := script(chatPath, babytest.Stream(
		`{"choices":[{"index":0,"delta":{"content":"<think>Blue is scattered most.</think>"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"Scatt"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"ering."},"finish_reason":"stop"}]}`))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	resp, err := llm.GenerateContent(context.Background(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "One word."),
		llms.TextParts(llms.ChatMessageTypeHuman, "Hello"),
		{Role: llms.ChatMessageTypeAI,
			Parts: []llms.ContentPart{provider.ReasoningPart("A greeting."), llms.TextPart("Hello!")}},
		{Role: llms.ChatMessageTypeHuman,
			Parts: []llms.ContentPart{provider.Part(babyclient.VideoURLPart("https://example.com/sky.mp4")),
				llms.TextPart("Why is it blue?")}},
	},
		provider.WithThinkTags(), // WithOpenThinkTag for models whose template opens the tag
		provider.WithExtraBody(map[string]any{"min_p": 0.05}),
		llms.WithStreamingFunc(func(_ context.Context, piece []byte) error { fmt.Printf("%s|", piece); return nil }))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("\n%s (%s)\n", resp.Choices[0].Content, resp.Choices[0].ReasoningContent)
	// Output:
	// Scatt|ering.|
	// Scattering. (Blue is scattered most.)
}

// A model such as DeepSeek-R1, whose chat template opens the tag itself.
func ExampleWithOpenThinkTag() {
	srv := script(chatPath,
		babytest.JSON(200, `{"choices":[{"message":{"content":"Blue is scattered most.</think>Scattering."}}]}`))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("deepseek-ai/DeepSeek-R1"),
		provider.WithDefaults(provider.WithOpenThinkTag()))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := llms.GenerateFromSinglePrompt(context.Background(), llm, "Why is the sky blue?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output: Scattering.
}

// A tool whose arguments are a Go type, and its call as the model writes it.
func ExampleWithStreamingToolCallFunc() {
	srv := script(chatPath, babytest.Stream(
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function",`+
			`"function":{"name":"weather","arguments":"{\"city\":"}}]}}]}`,
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Oslo\"}"}}]},`+
			`"finish_reason":"tool_calls"}]}`))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	parameters, err := provider.SchemaOf[struct {
		City string `json:"city"`
	}]()
	if err != nil {
		log.Fatal(err)
	}
	_, err = llm.GenerateContent(context.Background(),
		[]llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Is it raining in Oslo?")},
		llms.WithTools([]llms.Tool{{Type: "function",
			Function: &llms.FunctionDefinition{Name: "weather", Parameters: parameters}}}),
		provider.WithStreamingToolCallFunc(func(_ context.Context, piece babyclient.ToolCall) error {
			fmt.Println(piece.Function.Name, piece.Function.Arguments)
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// weather {"city":
	//  "Oslo"}
}

// An answer in a form that is not a Go type; WithJSONType takes one that is.
func ExampleWithJSONSchema() {
	srv := script(chatPath, babytest.JSON(200, `{"choices":[{"message":{"content":"[\"Oslo\",\"Bergen\"]"}}]}`))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	for _, form := range []llms.CallOption{
		provider.WithJSONSchema("cities", map[string]any{"type": "array", "items": map[string]any{"type": "string"}}),
		provider.WithJSONType[[]string](),
	} {
		answer, err := llms.GenerateFromSinglePrompt(context.Background(), llm, "Two cities of Norway?", form)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
	// Output:
	// ["Oslo","Bergen"]
	// ["Oslo","Bergen"]
}

func ExampleNewEmbedder() {
	srv := script(embedPath, lengths()) // a service whose vector of a text is its length, and 1
	defer srv.Close()

	embedder, err := provider.NewEmbedder(srv.Client(), "Qwen/Qwen3-Embedding-0.6B",
		provider.WithModelPrefixes(), // as the maker of the model wants; WithPrefixes gives other ones
		provider.WithEmbedDimensions(2),
		provider.WithEmbedTruncation(-1),
		provider.WithBlankReplacement("-"),
		provider.WithBatchSize(2), provider.WithBatchBytes(1<<20), provider.WithEmbedConcurrency(1),
		provider.WithEmbedTimeout(time.Minute),
		provider.WithEmbedProgress(func(done, total int) { fmt.Println(done, "of", total) }),
		provider.WithEmbedUsageFunc(func(_ context.Context, u provider.Usage) { fmt.Println(u.TotalTokens, "tokens") }),
	)
	if err != nil {
		log.Fatal(err)
	}
	vectors, err := embedder.EmbedDocuments(context.Background(), []string{"one", "three", ""})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(vectors)
	query, err := embedder.EmbedQuery(context.Background(), "one")
	if err != nil {
		log.Fatal(err)
	}
	prefixes, _ := provider.ModelPrefixes("Qwen/Qwen3-Embedding-0.6B")
	fmt.Println(int(query[0]) == len(prefixes.Query+"one"))
	// Output:
	// 2 tokens
	// 2 of 3
	// 1 tokens
	// 3 of 3
	// [[3 1] [5 1] [1 1]]
	// 1 tokens
	// true
}

// What failed is done again, what succeeded is not.
func ExampleEmbedder_Resume() {
	srv := script(embedPath, lengths(), babytest.JSON(500, `{"error":"the engine died"}`), lengths())
	defer srv.Close()
	embedder, err := provider.NewEmbedder(srv.Client(), "intfloat/e5-small",
		provider.WithPrefixes(provider.Prefixes{Query: "query: ",
			Document: "passage: "}), provider.WithBatchSize(1), provider.WithEmbedConcurrency(1))
	if err != nil {
		log.Fatal(err)
	}
	texts := []string{"a", "bc"}
	vectors, err := embedder.EmbedDocuments(context.Background(), texts)
	if failed, ok := errors.AsType[*provider.EmbedError](err); ok {
		fmt.Println(texts[failed.From:failed.To], strings.Contains(failed.Error(), "the engine died"))
		vectors, err = embedder.Resume(context.Background(), texts, failed.Vectors)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(vectors), len(srv.Requests()))
	// Output:
	// [bc] true
	// 2 3
}

// The LLM as a client of langchaingo's own embedder.
func ExampleLLM_CreateEmbedding() {
	srv := script(embedPath, lengths())
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithEmbeddingModel("Qwen/Qwen3-Embedding-0.6B"),
		provider.WithEmbeddingDimensions(2))
	if err != nil {
		log.Fatal(err)
	}
	vectors, err := llm.CreateEmbedding(context.Background(), []string{"four"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(vectors)
	// Output: [[4 1]]
}

// doclingService is a service that converts any document to the same Markdown.
func doclingService(markdown string) *babytest.Server {
	srv := babytest.NewServer()
	for _, path := range []string{"convert/file", "convert/source", "chunk/hybrid/file", "chunk/hierarchical/file"} {
		srv.On("POST /docling/v1/"+path+"/async", babytest.JSON(200, `{"task_id":"t","task_status":"pending"}`))
	}
	srv.On("GET /docling/v1/status/poll/t", babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
	srv.On("GET /docling/v1/result/t", babytest.JSON(200, map[string]any{"status": "success",
		"document": map[string]any{"filename": "a.html", "md_content": markdown},
		"chunks": []any{map[string]any{"filename": "a.html", "text": "One. Two.", "headings": []string{"A"},
			"page_numbers": []int{1}, "num_tokens": 4}},
		"documents": []any{map[string]any{"content": map[string]any{"filename": "a.html"}, "status": "success"}}}))
	return srv
}

func ExampleNewLoader() {
	srv := doclingService("# A\n\nOne. Two.")
	defer srv.Close()
	dir, err := os.MkdirTemp("", "loader")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	file := filepath.Join(dir, "a.html")
	if err := os.WriteFile(file, []byte("<h1>A</h1>"), 0o600); err != nil {
		log.Fatal(err)
	}

	loader, err := provider.NewLoader(srv.Client(),
		provider.WithFiles(file),
		provider.WithFolder(dir, "*.html", "*.pdf"),
		provider.WithURLs("https://example.com/a.pdf"),
		provider.WithReader("b.html", strings.NewReader("<h1>B</h1>")),
		provider.WithSources(babyclient.FromBytes("c.md", []byte("# C"))),
		provider.WithConvertOptions(babyclient.ConvertOptions{DoOCR: new(false)}),
		provider.WithBatchOptions(babyclient.BatchOptions{Concurrency: 2}),
	)
	if err != nil {
		log.Fatal(err)
	}
	docs, err := loader.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(docs), docs[0].Metadata[provider.MetadataFilename])
	// Output: 5 a.html
}

// The chunks that docling cuts, as they come.
func ExampleLoader_Documents() {
	srv := doclingService("# A\n\nOne. Two.")
	defer srv.Close()
	mode := provider.PerChunk // or PerDocument, or PerPage
	loader, err := provider.NewLoader(srv.Client(), provider.WithReader("a.html", strings.NewReader("<h1>A</h1>")),
		provider.WithMode(mode), provider.WithChunker(babyclient.ChunkerHybrid),
		provider.WithChunkOptions(babyclient.ChunkOptions{Tokenizer: "Qwen/Qwen3-Embedding-0.6B", MaxTokens: new(512)}))
	if err != nil {
		log.Fatal(err)
	}
	for doc, err := range loader.Documents(context.Background()) {
		if err != nil {
			fmt.Println(err) // the others go on
			continue
		}
		fmt.Printf("%s, %v: %s\n", mode.String(), doc.Metadata[provider.MetadataHeadings], doc.PageContent)
	}
	// Output: PerChunk, A: One. Two.
}

// A citation: where on its page a passage stands, also after a vector store has kept it.
func ExampleBoxes() {
	found := schema.Document{PageContent: "Oslo is the capital of Norway.", Metadata: map[string]any{
		provider.MetadataBoxes: `[{"page":3,"l":72,"t":100.5,"r":540,"b":112}]`}}
	boxes, err := provider.Boxes(found)
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range boxes {
		fmt.Printf("page %d, %g points from the left, %g from the top\n", b.Page, b.L, b.T)
	}
	// Output: page 3, 72 points from the left, 100.5 from the top
}

// Text splitters of langchaingo cut tables anywhere: each piece gets the names of the columns.
func ExampleLoader_LoadAndSplit() {
	srv := doclingService("| name | price |\n|------|-------|\n| tea  |     3 |\n| cake |     5 |")
	defer srv.Close()
	loader, err := provider.NewLoader(srv.Client(), provider.WithReader("prices.html", strings.NewReader("<table>…")))
	if err != nil {
		log.Fatal(err)
	}
	// nil: as docling cuts
	docs, err := loader.LoadAndSplit(context.Background(), textsplitter.NewRecursiveCharacter(
		textsplitter.WithChunkSize(60), textsplitter.WithChunkOverlap(0)))
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range docs {
		fmt.Printf("%v:\n%s\n", d.Metadata[provider.MetadataChunk], d.PageContent)
	}
	// Output:
	// 0:
	// | name | price |
	// |------|-------|
	// | tea  |     3 |
	// 1:
	// | name | price |
	// |---|---|
	// | cake |     5 |
}

// shelf is a vector store, and a retriever, that finds the same documents always.
type shelf struct{ docs []schema.Document }

func (s *shelf) AddDocuments(_ context.Context, docs []schema.Document, _ ...vectorstores.Option) ([]string, error) {
	s.docs = append(s.docs, docs...)
	return make([]string, len(docs)), nil
}

func (s *shelf) SimilaritySearch(_ context.Context, _ string, n int, _ ...vectorstores.Option) ([]schema.Document,
	error) {
	return s.docs[:min(n, len(s.docs))], nil
}

func (s *shelf) GetRelevantDocuments(context.Context, string) ([]schema.Document, error) {
	return s.docs, nil
}

// A vector store whose searches are reranked.
func ExampleReranker_Store() {
	srv := exampleServer()
	defer srv.Close()
	reranker, err := provider.NewReranker(srv.Client(), "BAAI/bge-reranker-v2-m3", provider.WithOverfetch(2),
		provider.WithRerankTruncation(512),
		provider.WithRerankTimeout(10*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	store := reranker.Store(&shelf{})
	_, err = store.AddDocuments(context.Background(),
		[]schema.Document{{PageContent: "Rain falls in Bergen."}, {PageContent: "Oslo is the capital of Norway."}})
	if err != nil {
		log.Fatal(err)
	}
	found, err := store.SimilaritySearch(context.Background(), "What is the capital of Norway?", 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].PageContent)
	// Output: Oslo is the capital of Norway.
}

// A retriever whose order stays as it was while the service is out of order.
func ExampleReranker_Retriever() {
	srv := script(rerankPath, babytest.JSON(500, `{"error":"the engine died"}`))
	defer srv.Close()
	reranker, err := provider.NewReranker(srv.Client(), "BAAI/bge-reranker-v2-m3",
		provider.WithFallback(func(_ context.Context, err error) {
			fmt.Println("not reranked:",
				llms.IsProviderUnavailableError(err))
		}),
		provider.WithRerankCallback(callbacks.SimpleHandler{}),
		provider.WithRerankUsageFunc(func(_ context.Context, u provider.Usage) { fmt.Println(u.Model, u.TotalTokens) }))
	if err != nil {
		log.Fatal(err)
	}
	retriever := reranker.Retriever(&shelf{docs: []schema.Document{{PageContent: "Rain falls in Bergen."},
		{PageContent: "Oslo is the capital of Norway."}}}, 1)
	found, err := retriever.GetRelevantDocuments(context.Background(), "What is the capital of Norway?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].PageContent)
	// Output:
	// not reranked: true
	// Rain falls in Bergen.
}

// The pieces of an answer as they come, with options of babyclient for this one call.
func ExampleLLM_Stream() {
	srv := script(chatPath, babytest.Stream(text("It "), text("rains."), finish("stop")))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "How is the weather?")}
	for piece, err := range llm.Stream(context.Background(), messages,
		provider.WithClientCallOptions(babyclient.WithHeader("X-Tenant", "a"))) {
		if err != nil {
			log.Fatal(err)
		}
		if piece.Response == nil {
			fmt.Printf("%q\n", piece.Text)
		} else {
			fmt.Println(piece.Response.Choices[0].StopReason)
		}
	}
	// Output:
	// "It "
	// "rains."
	// stop
}

// An answer goes back with its thinking, which models that call tools want to see again.
func ExampleReasoningPartOf() {
	srv := script(chatPath, babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":"4",`+
		`"reasoning":"2 and 2"},"finish_reason":"stop"}]}`))
	defer srv.Close()
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "2+2?")}
	resp, err := llm.GenerateContent(ctx, messages)
	if err != nil {
		log.Fatal(err)
	}
	said := resp.Choices[0]
	messages = append(messages,
		llms.MessageContent{Role: llms.ChatMessageTypeAI,
			Parts: []llms.ContentPart{provider.ReasoningPartOf(said), llms.TextPart(said.Content)}},
		llms.TextParts(llms.ChatMessageTypeHuman, "And 2 more?"))
	if _, err := llm.GenerateContent(ctx, messages); err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(string(srv.Requests()[1].Body), `"reasoning":"2 and 2"`))
	// Output: true
}

// Of passages that say the same, one is enough.
func ExampleNewMMRRetriever() {
	retriever, err := provider.NewMMRRetriever(found{"close", "copy", "aside"}, // vectorstores.ToRetriever(store, 20)
		angles{"q": {1, 0}, "close": {1, 0.1}, "copy": {1, 0.1}, "aside": {0.8, -0.6}}, // a provider.Embedder
		2, 0.5)
	if err != nil {
		log.Fatal(err)
	}
	docs, err := retriever.GetRelevantDocuments(context.Background(), "q")
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range docs {
		fmt.Println(d.PageContent)
	}
	// Output:
	// close
	// aside
}

// Passages that do not answer the question are better left out than read by a model.
func ExampleWithRelevanceThreshold() {
	srv := script(rerankPath, babytest.JSON(200, ranks))
	defer srv.Close()
	reranker, err := provider.NewReranker(srv.Client(), "BAAI/bge-reranker-v2-m3", provider.WithRelevanceThreshold(0.5))
	if err != nil {
		log.Fatal(err)
	}
	docs, err := reranker.Rerank(context.Background(), "q", threeDocs(), 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(docs), docs[0].PageContent)
	// Output: 1 c
}
