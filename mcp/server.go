package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Names of the tools.
const (
	ToolConvert = "convert"
	ToolInfer   = "infer"
	ToolRerank  = "rerank"
)

// Defaults that [NewServer] starts from.
const (
	DefaultWait        = 45 * time.Second // that a convert call waits before it answers with a job id
	DefaultTimeout     = 15 * time.Minute // of one conversion
	DefaultMaxFileSize = 100 << 20        // bytes
	// inferTimeout is of one infer or rerank call: a model can think long, and is billed even if
	// nobody waits.
	inferTimeout = 10 * time.Minute
)

// Server is an MCP server with the tools convert, rerank and infer. Make it with [NewServer]
// and end it with [Server.Close].
type Server struct {
	client  *babyclient.Client
	mcp     *mcpserver.MCPServer
	files   *files
	library *library

	version        string
	tools          []string
	rerankModel    string
	embeddingModel string
	wait           time.Duration
	timeout        time.Duration
	logger         *slog.Logger
}

// An Option configures a server at [NewServer].
type Option func(*Server) error

// WithRoots allows the tools to read files under these folders, and nowhere else. Without it
// the roots that the client tells hold, else the working folder, unless that is the home folder
// or the root of a disk.
func WithRoots(dirs ...string) Option {
	return func(s *Server) error {
		for _, dir := range dirs {
			if err := s.files.addRoot(dir); err != nil {
				return err
			}
		}
		return nil
	}
}

// WithTools serves only the tools of these names. Default: all.
func WithTools(names ...string) Option {
	return func(s *Server) error {
		all := []string{ToolConvert, ToolInfer, ToolRerank}
		for _, name := range names {
			if !slices.Contains(all, name) {
				return fmt.Errorf("tool %q: want one or more of %s", name, strings.Join(all, ", "))
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
		s.wait = d
		return nil
	}
}

// WithTimeout sets how long one conversion may take. Default: [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return func(s *Server) error {
		if d <= 0 {
			return fmt.Errorf("timeout %s: want more than 0", d)
		}
		s.timeout = d
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
		s.files.maxSize = bytes
		return nil
	}
}

// WithLogger logs each call: its tool, how long it took, whether it failed. Never an argument,
// a document or a key. Default: no log.
func WithLogger(l *slog.Logger) Option {
	return func(s *Server) error {
		if l != nil {
			s.logger = l
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
	s := &Server{
		client:  client,
		files:   &files{maxSize: DefaultMaxFileSize},
		library: newLibrary(),
		version: babyclient.Version,
		tools:   []string{ToolConvert, ToolInfer, ToolRerank},
		wait:    DefaultWait,
		timeout: DefaultTimeout,
		logger:  slog.New(slog.DiscardHandler),
	}
	for _, o := range opts {
		if err := o(s); err != nil {
			s.Close()
			return nil, fmt.Errorf("mcp: %w", err)
		}
	}
	if len(s.files.roots) == 0 {
		s.files.useWorkingFolder()
	}
	s.mcp = mcpserver.NewMCPServer("babyapi", s.version,
		mcpserver.WithTitle("BabyAPI"),
		mcpserver.WithDescription("Reads documents, ranks passages and asks open-weight models."),
		mcpserver.WithInstructions(s.instructions()),
		mcpserver.WithToolCapabilities(false),
		// The list of tools never changes while the server runs.
		mcpserver.WithCacheHints(300_000, mcpgo.CacheScopePublic),
	)
	for _, add := range []struct {
		name string
		to   func(*Server)
	}{{ToolConvert, addConvert}, {ToolInfer, addInfer}, {ToolRerank, addRerank}} {
		if slices.Contains(s.tools, add.name) {
			add.to(s)
		}
	}
	return s, nil
}

// MCPServer is the mcp-go server below, to serve the tools over another transport or to add
// tools.
func (s *Server) MCPServer() *mcpserver.MCPServer { return s.mcp }

// Close ends the conversions that run in the background, tells the service to give them up, and
// closes the roots.
func (s *Server) Close() {
	s.library.close()
	s.files.close()
}

func (s *Server) instructions() string {
	var b strings.Builder
	b.WriteString("BabyAPI runs open-weight models and reads documents. ")
	if slices.Contains(s.tools, ToolConvert) {
		b.WriteString("Use convert to read a PDF, Office file, web page or scan, instead of reading the bytes. " +
			"A long document comes in parts: its last line holds the call that continues; search and outline find the place without reading all. ")
	}
	if slices.Contains(s.tools, ToolRerank) {
		b.WriteString("Use rerank to find the passages that answer a question, in texts or in a converted document. ")
	}
	if slices.Contains(s.tools, ToolInfer) {
		b.WriteString("Use infer to ask another model. ")
	}
	b.WriteString("Calls are billed: do not repeat one that failed unless its text says so. ")
	b.WriteString(s.files.describe())
	return b.String()
}

// tool is what a tool tells of itself beside its schema.
type tool struct {
	name        string
	title       string
	description string
	idempotent  bool
	// aliases are names that models give an argument by mistake, and its right name.
	aliases map[string]string
	output  json.RawMessage // the schema of structuredContent, nil for none
}

// request is one call of a tool.
type request struct {
	progress *progress
}

// addTool registers a tool whose arguments are A: a struct whose JSON schema, made by its
// tags, is what the client sees and what arguments are checked against.
func addTool[A any](s *Server, t tool, run func(context.Context, *request, A) (*mcpgo.CallToolResult, error)) {
	schema := schemaOf[A]()
	spec := mcpgo.Tool{
		Name:            t.name,
		Title:           t.title,
		Description:     t.description,
		RawInputSchema:  mustJSON(schema),
		RawOutputSchema: t.output,
		Annotations: mcpgo.ToolAnnotation{
			Title:           t.title,
			ReadOnlyHint:    new(true),
			DestructiveHint: new(false),
			IdempotentHint:  new(t.idempotent),
			OpenWorldHint:   new(true),
		},
	}
	if t.name == ToolConvert {
		// Claude Code cuts results that are longer than its own limit, unless told.
		spec.Meta = mcpgo.NewMetaFromMap(map[string]any{"anthropic/maxResultSizeChars": maxMaxChars})
	}
	s.mcp.AddTool(spec, func(ctx context.Context, r mcpgo.CallToolRequest) (result *mcpgo.CallToolResult, _ error) {
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				id := rand.Text()[:8]
				s.logger.ErrorContext(ctx, "panic", "tool", t.name, "id", id, "panic", p, "stack", string(debug.Stack()))
				result = errorResult(fmt.Sprintf("%s: internal error %s in the MCP server. Do not repeat the call; tell the user that its log has the details.", t.name, id))
			}
			s.logger.InfoContext(ctx, "call", "tool", t.name, "ms", time.Since(start).Milliseconds(), "error", result.IsError, "cancelled", ctx.Err() != nil)
		}()
		var args A
		if err := decodeArguments(t, schema, rawArguments(r), &args); err != nil {
			return errorResult(t.name + ": " + err.Error()), nil
		}
		req := &request{progress: startProgress(ctx, r)}
		defer req.progress.stop()
		result, err := run(ctx, req, args)
		if err != nil {
			return errorResult(t.name + ": " + s.explain(ctx, err)), nil
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

func textResult(text string) *mcpgo.CallToolResult { return mcpgo.NewToolResultText(text) }
