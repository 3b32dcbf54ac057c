package agents

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// MCPClient is the part of a client of an MCP server that [ToolsFromMCP] needs. An mcp-go
// *client.Client is one, once it is initialized.
type MCPClient interface {
	// ListTools lists all tools, however many pages the server has of them.
	ListTools(ctx context.Context, request mcp.ListToolsRequest) (*mcp.ListToolsResult, error)
	// CallTool calls a tool. A failure that the tool itself reports is a result, not an error.
	CallTool(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error)
}

// ToolsFromMCP makes tools of those of an MCP server, such as babyapi-mcp, with their whole
// schemas. The model gets a result that the server marks as an error like any other.
func ToolsFromMCP(ctx context.Context, client MCPClient) ([]SchemaTool, error) {
	list, err := client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, fmt.Errorf("agents: listing the tools of the MCP server: %w", err)
	}
	var out []SchemaTool
	for _, t := range list.Tools {
		var schema any = t.InputSchema
		if t.RawInputSchema != nil {
			schema = t.RawInputSchema
		}
		raw, err := json.Marshal(schema)
		if err != nil {
			return nil, fmt.Errorf("agents: the schema of MCP tool %q: %w", t.Name, err)
		}
		out = append(out, &mcpTool{client: client, name: t.Name, description: t.Description, schema: raw})
	}
	return out, nil
}

type mcpTool struct {
	client            MCPClient
	name, description string
	schema            json.RawMessage
}

func (t *mcpTool) Name() string        { return t.name }
func (t *mcpTool) Description() string { return t.description }
func (t *mcpTool) Parameters() any     { return t.schema }

func (t *mcpTool) Call(ctx context.Context, input string) (string, error) {
	arguments := map[string]any{}
	if strings.TrimSpace(input) != "" {
		if err := json.Unmarshal([]byte(input), &arguments); err != nil {
			return fmt.Sprintf("error: the arguments of %s are no JSON object: %v", t.name, err), nil
		}
	}
	request := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: t.name, Arguments: arguments}}
	result, err := t.client.CallTool(ctx, request)
	if err != nil {
		return "", fmt.Errorf("MCP tool %s: %w", t.name, err)
	}
	text := resultText(result)
	if result.IsError && !strings.HasPrefix(strings.ToLower(text), "error") {
		text = "error: " + text
	}
	return text, nil
}

// resultText is a result as text. Content that is no text is named, so that the model knows that it
// is there.
func resultText(r *mcp.CallToolResult) string {
	var parts []string
	for _, c := range r.Content {
		switch c := c.(type) {
		case mcp.TextContent:
			parts = append(parts, c.Text)
		case mcp.ImageContent:
			parts = append(parts, fmt.Sprintf("[an image, %s]", c.MIMEType))
		case mcp.AudioContent:
			parts = append(parts, fmt.Sprintf("[a sound, %s]", c.MIMEType))
		case mcp.ResourceLink:
			parts = append(parts, fmt.Sprintf("[%s: %s]", c.Name, c.URI))
		case mcp.EmbeddedResource:
			switch res := c.Resource.(type) {
			case mcp.TextResourceContents:
				parts = append(parts, res.Text)
			case mcp.BlobResourceContents:
				parts = append(parts, fmt.Sprintf("[%s, %s]", res.URI, res.MIMEType))
			}
		default:
			parts = append(parts, fmt.Sprintf("[content of type %T]", c))
		}
	}
	if len(parts) == 0 && r.StructuredContent != nil {
		if raw, err := json.Marshal(r.StructuredContent); err == nil {
			return string(raw)
		}
	}
	return strings.Join(parts, "\n")
}
