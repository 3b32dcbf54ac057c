package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio"
)

// Defaults that [NewServer] starts from.
const (
	// DefaultWait is how long a convert call waits before it answers with a job id.
	DefaultWait = 45 * time.Second
	// DefaultTimeout is how long one conversion may take.
	DefaultTimeout = 15 * time.Minute
	// DefaultMaxFileSize is the size of the largest file that is uploaded, in bytes.
	DefaultMaxFileSize = 100 << 20
)

// Server is an MCP server with the tools convert, rerank and infer. Make it with [NewServer]
// and end it with [Server.Close].
type Server struct {
	mcp       *mcpserver.MCPServer
	documents *documents

	version        string
	tools          []string
	rerankModel    string
	embeddingModel string
}

// An Option configures a server at [NewServer].
type Option func(*Server) error

// WithRoots allows the tools to read files under these folders, and nowhere else. Without it
// the roots that the client has are used, else the working folder, unless that is the home folder
// or the root of a disk.
func WithRoots(dirs ...string) Option {
	return func(s *Server) error {
		for _, dir := range dirs {
			if err := s.documents.roots.add(dir); err != nil {
				return err
			}
		}
		return nil
	}
}

// WithTools serves only the tools of these names. Default: all.
func WithTools(names ...string) Option {
	return func(s *Server) error {
		for _, name := range names {
			if !slices.Contains(allTools, name) {
				return fmt.Errorf("tool %q: want one or more of %s", name, strings.Join(allTools, ", "))
			}
		}
		if len(names) > 0 {
			s.tools = names
		}
		return nil
	}
}

// WithRerankModel sets the model of rerank calls that name none. The model of infer calls is
// the client's: [babyclient.WithDefaultModel].
func WithRerankModel(model string) Option {
	return func(s *Server) error {
		s.rerankModel = strings.TrimSpace(model)
		return nil
	}
}

// WithEmbeddingModel sets the model that ranks where there is no rerank model: vLLM takes an
// embedding model on /v1/rerank too, and scores by cosine similarity.
func WithEmbeddingModel(model string) Option {
	return func(s *Server) error {
		s.embeddingModel = strings.TrimSpace(model)
		return nil
	}
}

// WithWait sets how long a convert call waits before it answers with a job id, where the
// call does not say. Default: [DefaultWait]; at most 10 minutes. Keep it under the client's own
// timeout, which is 60 s in many.
func WithWait(d time.Duration) Option {
	return func(s *Server) error {
		if d <= 0 || d > maxWaitSeconds*time.Second {
			return fmt.Errorf("wait %s: want more than 0 and at most %d s", d, maxWaitSeconds)
		}
		s.documents.wait = d
		return nil
	}
}

// WithTimeout sets how long one conversion may take. Default: [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return func(s *Server) error {
		if d <= 0 {
			return fmt.Errorf("timeout %s: want more than 0", d)
		}
		s.documents.timeout = d
		return nil
	}
}

// WithMaxFileSize sets the most bytes of a file that is uploaded. Default:
// [DefaultMaxFileSize].
func WithMaxFileSize(bytes int64) Option {
	return func(s *Server) error {
		if bytes <= 0 {
			return fmt.Errorf("max file size %d: want more than 0 bytes", bytes)
		}
		s.documents.roots.maxFileSize = bytes
		return nil
	}
}

// WithLogger logs each call: its tool, how long it took, whether it failed. Never an argument,
// a document or a key. Default: no log.
func WithLogger(l *slog.Logger) Option {
	return func(s *Server) error {
		if l != nil {
			s.documents.logger, s.documents.roots.logger = l, l
		}
		return nil
	}
}

// WithVersion sets the version that the server tells its clients. Default:
// [babyclient.Version].
func WithVersion(version string) Option {
	return func(s *Server) error {
		s.version = version
		return nil
	}
}

// NewServer makes a server whose tools call client. A client without a key will do: the tools
// are listed, and a call answers that the key is missing.
func NewServer(client *babyclient.Client, opts ...Option) (*Server, error) {
	if client == nil {
		return nil, errors.New("the client is nil: make one with babyclient.New")
	}
	logger := slog.New(slog.DiscardHandler)
	s := &Server{
		documents: &documents{
			client:  client,
			roots:   &roots{maxFileSize: DefaultMaxFileSize, logger: logger},
			library: newLibrary(),
			wait:    DefaultWait,
			timeout: DefaultTimeout,
			logger:  logger,
		},
		version: babyclient.Version,
		tools:   allTools,
	}
	for _, o := range opts {
		if err := o(s); err != nil {
			s.Close()
			return nil, fmt.Errorf("mcp: %w", err)
		}
	}
	if !s.documents.roots.named {
		s.documents.roots.useWorkingFolder()
	}
	s.mcp = mcpserver.NewMCPServer("babyapi", s.version,
		mcpserver.WithTitle("BabyAPI"),
		mcpserver.WithDescription("Reads documents, ranks passages and asks open-weight models."),
		mcpserver.WithInstructions(s.instructions()),
		mcpserver.WithToolCapabilities(false),
		// The list of tools never changes while the server runs.
		mcpserver.WithCacheHints(300_000, mcpgo.CacheScopePublic),
	)
	tools := map[string]interface{ addTo(toolServer) }{
		ToolConvert: convertTool{s.documents},
		ToolInfer:   inferTool{s.documents},
		ToolRerank:  rerankTool{s.documents, cmp.Or(s.rerankModel, s.embeddingModel)},
	}
	for _, name := range s.tools {
		tools[name].addTo(toolServer{s.mcp, s.documents.logger, client.BaseURL(), client.Redact})
	}
	return s, nil
}

// MCPServer is the mcp-go server below, to serve the tools over another transport or to add
// tools.
func (s *Server) MCPServer() *mcpserver.MCPServer { return s.mcp }

// ServeStdio serves one client over in and out, one JSON-RPC message a line, until the input
// ends, ctx does, or out cannot be written to. At the end of the input, calls under way may
// finish for two seconds; when ctx ends they are cancelled at once. Neither is an error.
//
// A Read that is blocked cannot be ended: when ctx ends first, the goroutine that reads in
// lives until in gives something or is closed.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := stdio.Serve(ctx, s.mcp, s.documents.logger, in, out); err != nil {
		return fmt.Errorf("mcp: %w", err)
	}
	return nil
}

// Close ends the conversions that run in the background, tells the service to give them up, and
// closes the roots.
func (s *Server) Close() {
	s.documents.library.close()
	s.documents.roots.close()
}

func (s *Server) instructions() string {
	var b strings.Builder
	b.WriteString("BabyAPI runs open-weight models and reads documents. ")
	if slices.Contains(s.tools, ToolConvert) {
		b.WriteString("Use convert to read a PDF, Office file, web page or scan, instead of reading the bytes. " +
			"A long document comes in parts: its last line holds the call that continues; " +
			"search and outline find the place without reading all. ")
	}
	if slices.Contains(s.tools, ToolRerank) {
		b.WriteString("Use rerank to find the passages that answer a question, in texts or in a converted document. ")
	}
	if slices.Contains(s.tools, ToolInfer) {
		b.WriteString("Use infer to ask another model. ")
	}
	b.WriteString("Calls are billed: do not repeat one that failed unless its text says so. ")
	b.WriteString(s.documents.roots.describe())
	return b.String()
}
