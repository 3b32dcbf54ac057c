// Command agent answers a question with a langchaingo agent that calls functions of this program,
// and tools of an MCP server if one is given.
//
//	cd interop && go run ./examples/agent "What is the weather in Oslo?"
//	cd interop && go run ./examples/agent -mcp "babyapi-mcp" "Which page of a.pdf is about rain?"
//
// The model must be one that calls tools. That of the local stack is not.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/provider"
	"github.com/babyapi-org/babyapi-go/provider/agents"
)

// place is what the function takes: the model is shown these fields.
type place struct {
	City string `json:"city" jsonschema:"enum=Paris,enum=Oslo"`
	Unit string `json:"unit" jsonschema:"enum=c,enum=f"`
}

func weather(_ context.Context, in place) (string, error) {
	degrees := map[string]int{"Paris": 18, "Oslo": 21}
	d, ok := degrees[in.City]
	if !ok {
		return "", fmt.Errorf("there is no weather of %q", in.City)
	}
	if in.Unit == "f" {
		d = d*9/5 + 32
	}
	return fmt.Sprintf("%d %s", d, strings.ToUpper(in.Unit)), nil
}

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"),
		"`model` that calls tools")
	server := flag.String("mcp", "", "`command` of an MCP server whose tools the agent may use too")
	flag.Parse()
	question := cmp.Or(strings.Join(flag.Args(), " "), "What is the weather in Oslo?")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, *server, question); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, server, question string) error {
	llm, err := provider.New(provider.WithModel(model))
	if err != nil {
		return err
	}
	getWeather, err := agents.NewTool("get_weather", "Current weather for a city", weather)
	if err != nil {
		return err
	}
	with := []tools.Tool{getWeather}
	if server != "" {
		more, end, err := mcpTools(ctx, server)
		if err != nil {
			return err
		}
		defer end()
		for _, t := range more {
			with = append(with, t)
		}
	}
	agent, err := agents.NewToolAgent(llm, with)
	if err != nil {
		return err
	}
	executor := langchain.NewExecutor(agent, langchain.WithMaxIterations(5), langchain.WithCallbacksHandler(teller{}))
	answer, err := chains.Run(ctx, executor, question, chains.WithTemperature(0), chains.WithMaxTokens(300))
	if err != nil {
		return err
	}
	fmt.Println(answer)
	return nil
}

// mcpTools starts an MCP server and lists its tools.
func mcpTools(ctx context.Context, command string) (_ []agents.SchemaTool, end func(), _ error) {
	words := strings.Fields(command)
	c, err := client.NewStdioMCPClient(words[0], os.Environ(), words[1:]...)
	if err != nil {
		return nil, nil, fmt.Errorf("starting %q: %w", command, err)
	}
	end = func() { _ = c.Close() } // the server ends with its input
	if _, err := c.Initialize(ctx, mcp.InitializeRequest{}); err != nil {
		end()
		return nil, nil, fmt.Errorf("starting %q: %w", command, err)
	}
	list, err := agents.ToolsFromMCP(ctx, c)
	if err != nil {
		end()
	}
	return list, end, err
}

// teller shows what the agent does.
type teller struct{ callbacks.SimpleHandler }

func (teller) HandleAgentAction(_ context.Context, a schema.AgentAction) {
	fmt.Printf("%s(%s)\n", a.Tool, a.ToolInput)
}
