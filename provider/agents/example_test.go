package agents_test

import (
	"context"
	"fmt"
	"log"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/memory"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
	"github.com/babyapi-org/babyapi-go/provider/agents"
)

func ExampleNewToolAgent() {
	srv := babytest.NewServer() // a model that calls the tool, and then answers
	defer srv.Close()
	srv.On("POST /v1/chat/completions",
		babytest.Stream(`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function",`+
			`"function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}]}`),
		babytest.Stream(`{"choices":[{"index":0,"delta":{"content":"It is 21 degrees in Oslo."},`+
			`"finish_reason":"stop"}]}`))
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}

	weather, err := agents.NewTool("weather", "The weather of a city.", func(_ context.Context, in struct {
		City string `json:"city"`
	}) (string, error) {
		fmt.Println("asked for", in.City)
		return "21 degrees", nil
	})
	if err != nil {
		log.Fatal(err)
	}
	agent, err := agents.NewToolAgent(llm, []tools.Tool{weather},
		agents.WithSystemMessage("Answer in one sentence."),
		agents.WithCallOptions(llms.WithTemperature(0)),
		agents.WithCallback(callbacks.SimpleHandler{})) // its HandleStreamingFunc gets the answer as it is written
	if err != nil {
		log.Fatal(err)
	}
	answer, err := chains.Run(context.Background(), langchain.NewExecutor(agent), "How warm is it in Oslo?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output:
	// asked for Oslo
	// It is 21 degrees in Oslo.
}

// The tools of an MCP server, here one in this process; client.NewStdioMCPClient of mcp-go starts a
// program.
func ExampleToolsFromMCP() {
	ctx := context.Background()
	s := server.NewMCPServer("clock", "1.0.0")
	s.AddTool(mcp.NewTool("time", mcp.WithDescription("Tells the time.")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("noon"), nil
		})
	c, err := client.NewInProcessClient(s)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the example is over
	if _, err := c.Initialize(ctx, mcp.InitializeRequest{}); err != nil {
		log.Fatal(err)
	}

	found, err := agents.ToolsFromMCP(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	for _, tool := range found {
		answer, err := tool.Call(ctx, "{}")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(tool.Name(), answer)
	}
	// Output: time noon
}

// An agent that remembers. Give WithMemory a memory of langchaingo, or WithMessages what was said
// before.
func ExampleWithMemory() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /v1/chat/completions", says("Hello Ada."), says("You are Ada."))
	llm, err := provider.NewFromClient(srv.Client(), provider.WithModel("Qwen/Qwen3-8B"))
	if err != nil {
		log.Fatal(err)
	}
	agent, err := agents.NewToolAgent(llm, nil,
		agents.WithMessages(llms.TextParts(llms.ChatMessageTypeHuman, "Call me by my name.")),
		agents.WithMemory(memory.NewConversationBuffer(memory.WithReturnMessages(true))))
	if err != nil {
		log.Fatal(err)
	}
	executor := langchain.NewExecutor(agent)
	for _, question := range []string{"I am Ada.", "Who am I?"} {
		answer, err := chains.Run(context.Background(), executor, question)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
	// Output:
	// Hello Ada.
	// You are Ada.
}
