// Command mcp-client reads a document over MCP, as an agent does: it starts the
// server babyapi-mcp, looks at the outline, and then reads part by part, each time
// with the call that the part before it ended with.
//
//	go run ./examples/mcp-client [-server babyapi-mcp] report.pdf
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func main() {
	server := flag.String("server", "go run ./cmd/babyapi-mcp", "`command` that starts the MCP server")
	flag.Parse()
	file := "examples/rag/documents/t90-service-manual.pdf"
	if flag.NArg() > 0 {
		file = flag.Arg(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Fields(*server), file); err != nil {
		fmt.Fprintln(os.Stderr, "mcp-client:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server []string, file string) (err error) {
	// The server reads only what lies under a root.
	file, err = filepath.Abs(file)
	if err != nil {
		return err
	}
	if len(server) == 0 {
		return errors.New("-server is empty: give the command that starts babyapi-mcp")
	}
	args := append(server[1:], "--root", filepath.Dir(file))
	client, err := mcpclient.NewStdioMCPClient(server[0], os.Environ(), args...)
	if err != nil {
		return fmt.Errorf("starting %s: %w", server[0], err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if _, err := client.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_LEGACY_PROTOCOL_VERSION,
		ClientInfo:      mcp.Implementation{Name: "babyapi-go-example", Version: babyclient.Version},
	}}); err != nil {
		return fmt.Errorf("greeting the server: %w", err)
	}

	outline, err := convert(ctx, client, map[string]any{"source": file, "outline": true})
	if err != nil {
		return err
	}
	fmt.Printf("%s\n\n", babyclient.Printable(outline))

	parts := 0
	for next := map[string]any{"source": file, "max_chars": 1000}; next != nil; parts++ {
		text, err := convert(ctx, client, next)
		if err != nil {
			return err
		}
		text, next = split(text)
		fmt.Print(babyclient.Printable(text))
	}
	fmt.Printf("\n(read in %d parts)\n", parts)
	return nil
}

// convert calls the tool. A slow conversion is answered with another call to make, which convert
// then makes, until it has the document.
func convert(ctx context.Context, client *mcpclient.Client, arguments map[string]any) (string, error) {
	request := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "convert", Arguments: arguments}}
	result, err := client.CallTool(ctx, request)
	if err != nil {
		return "", fmt.Errorf("calling convert: %w", err)
	}
	var text strings.Builder
	for _, c := range result.Content {
		text.WriteString(mcp.GetTextFromContent(c))
	}
	if result.IsError {
		return "", errors.New(text.String())
	}
	still := regexp.MustCompile(`^Still converting .* Call convert (\{.*?\})`)
	if job := still.FindStringSubmatch(text.String()); job != nil {
		var again map[string]any
		if err := json.Unmarshal([]byte(job[1]), &again); err != nil {
			return "", fmt.Errorf("the call %s: %w", job[1], err)
		}
		for _, name := range []string{"outline", "max_chars"} {
			if v, ok := arguments[name]; ok {
				again[name] = v
			}
		}
		return convert(ctx, client, again)
	}
	return text.String(), nil
}

// split takes the line of the server off a part, and reads from it the call that continues; next is
// nil after the last part.
func split(part string) (text string, next map[string]any) {
	i := strings.LastIndex(part, "\n\n[babyapi: ")
	if i < 0 {
		return part, nil
	}
	if m := regexp.MustCompile(`Continue: convert (\{.*?\})`).FindStringSubmatch(part[i:]); m != nil {
		_ = json.Unmarshal([]byte(m[1]), &next) // what the server writes is JSON; else this was the last part
	}
	return part[:i], next
}
