package mcp_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/mcp"
)

// What babyapi-mcp does: serve one client over stdin and stdout, until the input ends.
func ExampleServer_ServeStdio() {
	service := babytest.NewServer()
	defer service.Close()
	service.On("POST /infer", babytest.JSON(200, `{"output":"Paris."}`))
	roots, err := os.MkdirTemp("", "documents")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(roots) //nolint:errcheck // a temporary folder

	server, err := mcp.NewServer(service.Client(babyclient.WithDefaultModel("Qwen/Qwen3-8B")),
		mcp.WithRoots(roots),                              // the only files that an agent can have read
		mcp.WithTools(mcp.ToolInfer, mcp.ToolRerank),      // all three where it is left out
		mcp.WithRerankModel("BAAI/bge-reranker-v2-m3"),    // or
		mcp.WithEmbeddingModel("Qwen/Qwen3-Embedding-4B"), // where the service has no rerank model
		mcp.WithWait(30*time.Second), mcp.WithTimeout(5*time.Minute), mcp.WithMaxFileSize(20<<20),
		mcp.WithVersion("1.2.3"),
		mcp.WithLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	input := `{"jsonrpc":"2.0","id":1,"method":"tools/call",` +
		`"params":{"name":"infer","arguments":{"prompt":"The capital of France?"}}}`
	var output strings.Builder
	if err := server.ServeStdio(context.Background(), strings.NewReader(input), &output); err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(output.String(), "Paris."))
	// Output: true
}

// The mcp-go server, for another transport: server.NewStreamableHTTPServer(s.MCPServer()) of mcp-go
// is an http.Handler.
func ExampleServer_MCPServer() {
	client, err := babyclient.New() // a key is needed at the first call, not to list the tools
	if err != nil {
		log.Fatal(err)
	}
	s, err := mcp.NewServer(client)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	for name := range s.MCPServer().ListTools() {
		if name == mcp.ToolConvert {
			fmt.Println(name)
		}
	}
	// Output: convert
}
