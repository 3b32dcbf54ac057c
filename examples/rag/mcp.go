package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

const mcpCommand = "github.com/babyapi-org/babyapi-go/cmd/babyapi-mcp"

// overMCP does what an agent would: it starts babyapi-mcp, has it convert the
// files, and has it rank the passages for the question.
func overMCP(
	ctx context.Context, s *service, files []string, question string,
	passages []schema.Document, model string, out *output,
) (err error) {
	dir, err := os.MkdirTemp("", "babyapi-mcp-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	start := time.Now()
	out.progress("building babyapi-mcp")
	program := filepath.Join(dir, "babyapi-mcp")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, mcpCommand) //nolint:gosec // a folder of our own
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building babyapi-mcp, which needs Go and this module's folder: %w\n%s", err, text)
	}
	args := []string{"--rerank-model", model}
	for _, f := range files {
		args = append(args, "--root", filepath.Dir(f))
	}
	env := []string{"BABYAPI_BASE_URL=" + s.client.BaseURL()}
	if s.key != "" {
		env = append(env, "BABYAPI_API_KEY="+s.key)
	}
	client, err := mcpclient.NewStdioMCPClient(program, env, args...)
	if err != nil {
		return fmt.Errorf("starting babyapi-mcp: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	_, err = client.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ClientInfo: mcp.Implementation{Name: "babyapi-go-rag", Version: babyclient.Version}}})
	if err != nil {
		return fmt.Errorf("greeting babyapi-mcp: %w", err)
	}
	out.add("mcp: start", 1, "server", start)

	for _, f := range files {
		start := time.Now()
		out.progress("converting %s over MCP", filepath.Base(f))
		text, err := callTool(ctx, client, "convert", map[string]any{"source": f, "max_chars": 2000})
		if err != nil {
			return err
		}
		out.add("mcp: convert", 1, "documents", start)
		line, _, _ := strings.Cut(text, "\n")
		fmt.Fprintf(out.results, "  convert %s: %s\n", filepath.Base(f), shorten(line, 60))
	}

	start = time.Now()
	texts := make([]string, len(passages))
	for i, p := range passages {
		texts[i] = p.PageContent
	}
	answer, err := callTool(ctx, client, "rerank", map[string]any{"query": question, "texts": texts, "top_n": 1})
	if err != nil {
		return err
	}
	var ranked struct {
		Results []struct {
			Index int     `json:"index"`
			Score float64 `json:"relevance_score"`
		} `json:"results"`
	}
	err = json.Unmarshal([]byte(answer), &ranked)
	if err != nil || len(ranked.Results) != 1 || ranked.Results[0].Index >= len(passages) {
		return fmt.Errorf("the rerank tool answered %s, not one result (%w)", shorten(answer, 200), err)
	}
	out.add("mcp: rerank", len(texts), "passages", start)
	top := ranked.Results[0]
	fmt.Fprintf(out.results, "  rerank  %.2f  %s\n", top.Score, source(passages[top.Index]))
	return nil
}

// callTool returns the text that a tool answers. A failure of the tool is an
// answer too, whose text says why.
func callTool(ctx context.Context, client *mcpclient.Client, name string, arguments map[string]any) (string, error) {
	request := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: name, Arguments: arguments}}
	result, err := client.CallTool(ctx, request)
	if err != nil {
		return "", fmt.Errorf("calling the tool %s: %w", name, err)
	}
	var text strings.Builder
	for _, c := range result.Content {
		text.WriteString(mcp.GetTextFromContent(c))
	}
	if result.IsError {
		return "", fmt.Errorf("the tool %s: %s", name, text.String())
	}
	return text.String(), nil
}
