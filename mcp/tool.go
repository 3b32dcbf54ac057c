package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Names of the tools.
const (
	ToolConvert = "convert"
	ToolInfer   = "infer"
	ToolRerank  = "rerank"
)

var allTools = []string{ToolConvert, ToolInfer, ToolRerank}

// modelTimeout is the limit of one request to a model. It is long, because a model can think long,
// and is billed even if nobody waits for its answer.
const modelTimeout = 10 * time.Minute

// toolServer is where tools are added.
type toolServer struct {
	*mcpserver.MCPServer
	logger  *slog.Logger
	baseURL string              // of the service, for the errors that name it
	redact  func(string) string // takes the key out of what the service has said
}

// tool is what a client sees of a tool, beside the schema of its arguments.
type tool struct {
	name        string
	title       string
	description string
	idempotent  bool
	output      json.RawMessage // the schema of structuredContent, nil for none
	// maxResultChars is the length of the longest result, for Claude Code, which otherwise shortens
	// what is over its own limit; 0 for a tool whose results are short.
	maxResultChars int
	// aliases are, for an argument, the names that models give it by mistake, in lower case and
	// without underscores.
	aliases map[string]string
}

func (t tool) definition() mcpgo.Tool {
	definition := mcpgo.Tool{
		Name:            t.name,
		Title:           t.title,
		Description:     t.description,
		RawOutputSchema: t.output,
		Annotations: mcpgo.ToolAnnotation{
			Title:           t.title,
			ReadOnlyHint:    new(true),
			DestructiveHint: new(false),
			IdempotentHint:  new(t.idempotent),
			OpenWorldHint:   new(true),
		},
	}
	if t.maxResultChars > 0 {
		definition.Meta = mcpgo.NewMetaFromMap(map[string]any{"anthropic/maxResultSizeChars": t.maxResultChars})
	}
	return definition
}

// addTool adds a tool whose arguments are A: a struct whose JSON schema, made by its tags, is what
// the client sees and what arguments are checked against.
func addTool[A any](s toolServer, t tool, run func(context.Context, *progress, A) (*mcpgo.CallToolResult, error)) {
	schema := schemaOf[A]()
	definition := t.definition()
	definition.RawInputSchema = mustJSON(schema)
	s.AddTool(definition, func(ctx context.Context, r mcpgo.CallToolRequest) (result *mcpgo.CallToolResult, _ error) {
		start := time.Now()
		defer func() {
			redactResult(result, s.redact)
		}()
		defer func() {
			if p := recover(); p != nil {
				id := rand.Text()[:8]
				stack := string(debug.Stack())
				s.logger.ErrorContext(ctx, "panic", "tool", t.name, "id", id, "panic", p, "stack", stack)
				result = errorResult(fmt.Sprintf("%s: internal error %s in the MCP server. "+
					"Do not repeat the call; tell the user that its log has the details.", t.name, id))
			}
			s.logger.InfoContext(ctx, "call", "tool", t.name, "ms", time.Since(start).Milliseconds(),
				"error", result.IsError, "cancelled", ctx.Err() != nil)
		}()
		var arguments A
		if err := decodeArguments(t.aliases, schema, rawArguments(r), &arguments); err != nil {
			return errorResult(t.name + ": " + err.Error()), nil
		}
		progress := startProgress(ctx, r, notify)
		defer progress.stop()
		result, err := run(ctx, progress, arguments)
		if err != nil {
			return errorResult(t.name + ": " + explain(ctx, err, s.baseURL)), nil
		}
		return result, nil
	})
}

func rawArguments(r mcpgo.CallToolRequest) json.RawMessage {
	if raw, ok := r.GetRawArguments().(json.RawMessage); ok {
		return raw
	}
	return mustJSON(r.Params.Arguments) // of a client in this process
}

// redactResult is the last thing before a result goes out, whatever made it: a service can repeat
// the key that it was sent.
func redactResult(result *mcpgo.CallToolResult, redact func(string) string) {
	for i, content := range result.Content {
		if text, ok := content.(mcpgo.TextContent); ok {
			text.Text = redact(text.Text)
			result.Content[i] = text
		}
	}
}

func textResult(text string) *mcpgo.CallToolResult { return mcpgo.NewToolResultText(text) }
