package langchain_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/mcp"
	"github.com/babyapi-org/babyapi-go/provider/agents"
)

// An agent uses the tools of our own MCP server, over stdio.
func TestAgentWithMCPServer(t *testing.T) {
	srv := newServer(t)
	srv.On("POST /v1/rerank", prefers("cherry"))
	srv.On(chatPath,
		strict(calls([3]string{"1", "rerank", `{"model":"r","query":"red fruit","texts":["banana","cherry"]}`})),
		strict(says("the cherry")))
	server, err := mcp.NewServer(srv.Client())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	toServer, in := io.Pipe()
	out, fromServer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeStdio(ctx, toServer, fromServer) }()
	c := client.NewClient(transport.NewIO(out, in, io.NopCloser(strings.NewReader(""))))
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Initialize(ctx, mcpgo.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	list, err := agents.ToolsFromMCP(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	var with []tools.Tool
	for _, tool := range list {
		with = append(with, tool)
	}
	agent, err := agents.NewToolAgent(newLLM(t, srv), with)
	if err != nil {
		t.Fatal(err)
	}
	got, err := chains.Run(ctx, langchain.NewExecutor(agent), "Which fruit is red?")
	if err != nil || got != "the cherry" {
		t.Errorf("the agent answered %q, %v, want the cherry", got, err)
	}
	first, last := jsonOf(t, body(t, srv, 0)["tools"]), jsonOf(t, body(t, srv, -1)["messages"])
	for _, name := range []string{"convert", "rerank", "infer"} {
		if !strings.Contains(first, `"name":"`+name+`"`) {
			t.Errorf("tool %s is not in %s", name, first)
		}
	}
	if strings.Contains(first, "__arg1") || !strings.Contains(first, `"texts"`) || !strings.Contains(last, "0.9") {
		t.Errorf("want schemas and a score: the tools are %s\nthe messages %s", first, last)
	}
	cancel()
	_ = in.Close() // the end of the input ends the server
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
