// Command babyapi-mcp serves BabyAPI to agents over MCP on stdio: it reads documents, ranks
// passages and asks models. See babyapi-mcp --help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
	"github.com/babyapi-org/babyapi-go/mcp"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// stopLimit is how long after a signal the process ends, whatever it still does.
const stopLimit = 10 * time.Second

func main() {
	// A client that closes our stdout must not kill us: the jobs under way are told first.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, func() {
		time.Sleep(stopLimit)
		fmt.Fprintln(os.Stderr, "babyapi-mcp: it did not end by itself after the signal")
		os.Exit(exitFailed)
	})
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. Nothing but protocol, or what was asked for by a flag, goes to stdout.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage(stdout)
		return exitOK
	case err != nil:
		return c.fail(stderr, err)
	case c.showVersion:
		fmt.Fprintln(stdout, versionLine())
		return exitOK
	case c.printConfig != "":
		text, err := mcpconfig.Snippet(c.printConfig, mcpconfig.Example())
		if err != nil {
			return c.fail(stderr, err)
		}
		fmt.Fprint(stdout, text)
		return exitOK
	}
	logs := stderr
	if c.logFile != "" {
		f, err := os.OpenFile(c.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return c.fail(stderr, fmt.Errorf("--log-file: %w", err))
		}
		defer f.Close() //nolint:errcheck // each line is written at once
		logs = f
	}
	logger := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: c.logLevel}))
	server, client, err := c.server(logger)
	if err != nil {
		return c.fail(stderr, err)
	}
	defer client.CloseIdleConnections()
	defer server.Close()
	if environment("BABYAPI_API_KEY", "BABY_API_KEY") == "" {
		logger.Warn("no API key: the tools are listed, but every call will fail; set BABYAPI_API_KEY")
	}
	if f, ok := stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprintln(stderr, "babyapi-mcp waits for an MCP client on its stdin. To set one up: babyapi-mcp --help")
		}
	}
	if err := server.ServeStdio(ctx, stdin, stdout); err != nil {
		logger.Error("stopped", "error", err)
		return exitFailed
	}
	return exitOK
}

// config is what the flags and the environment say.
type config struct {
	roots       []string
	baseURL     string
	model       string
	embedModel  string
	rerankModel string
	tools       []string
	wait        time.Duration
	timeout     time.Duration
	maxFile     int64
	logLevel    slog.Level
	logFile     string
	printConfig string
	showVersion bool
}

func (c *config) fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "babyapi-mcp: %v\nTry babyapi-mcp --help.\n", err)
	return exitUsage
}

// parse reads flags, and the environment for what no flag says.
func parse(args []string) (*config, error) {
	c := &config{}
	f := flag.NewFlagSet("babyapi-mcp", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Func("root", "", func(dir string) error {
		c.roots = append(c.roots, dir)
		return nil
	})
	var tools, wait, timeout, maxFile, level string
	f.StringVar(&c.baseURL, "base-url", "", "")
	f.StringVar(&c.model, "model", "", "")
	f.StringVar(&c.embedModel, "embed-model", environment("BABYAPI_MCP_EMBED_MODEL"), "")
	f.StringVar(&c.rerankModel, "rerank-model", environment("BABYAPI_MCP_RERANK_MODEL"), "")
	f.StringVar(&tools, "tools", environment("BABYAPI_MCP_TOOLS"), "")
	f.StringVar(&wait, "wait", environment("BABYAPI_MCP_WAIT"), "")
	f.StringVar(&timeout, "timeout", environment("BABYAPI_MCP_TIMEOUT"), "")
	f.StringVar(&maxFile, "max-file", environment("BABYAPI_MCP_MAX_FILE"), "")
	f.StringVar(&level, "log", environment("BABYAPI_MCP_LOG"), "")
	f.StringVar(&c.logFile, "log-file", environment("BABYAPI_MCP_LOG_FILE"), "")
	f.StringVar(&c.printConfig, "print-config", "", "")
	f.BoolVar(&c.showVersion, "version", false, "")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	// Desktop programs give the folders that the user chose one after the other, without a flag.
	c.roots = append(c.roots, f.Args()...)
	if len(c.roots) == 0 {
		c.roots = filepath.SplitList(environment("BABYAPI_MCP_ROOTS"))
	}
	for name := range strings.FieldsFuncSeq(tools, func(r rune) bool { return r == ',' || r == ' ' }) {
		c.tools = append(c.tools, name)
	}
	var err error
	if c.wait, err = duration("--wait (BABYAPI_MCP_WAIT)", wait, mcp.DefaultWait); err != nil {
		return c, err
	}
	if c.timeout, err = duration("--timeout (BABYAPI_MCP_TIMEOUT)", timeout, mcp.DefaultTimeout); err != nil {
		return c, err
	}
	c.maxFile = mcp.DefaultMaxFileSize
	if maxFile != "" {
		digits := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(maxFile)), "MB")
		megabytes, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || megabytes <= 0 {
			return c, fmt.Errorf("--max-file (BABYAPI_MCP_MAX_FILE) is %q: want a number of megabytes, such as 100",
				maxFile)
		}
		c.maxFile = megabytes << 20
	}
	c.logLevel = slog.LevelWarn
	if level != "" {
		if err := c.logLevel.UnmarshalText([]byte(level)); err != nil {
			return c, fmt.Errorf("--log (BABYAPI_MCP_LOG) is %q: want debug, info, warn or error", level)
		}
	}
	return c, nil
}

// duration reads "45s", "15m" or a number of seconds. It is otherwise where nothing is given.
func duration(name, value string, otherwise time.Duration) (time.Duration, error) {
	if value == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(value)
	if seconds, plain := strconv.Atoi(value); plain == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is %q: want a time such as 45s or 15m", name, value)
	}
	return d, nil
}

func (c *config) server(logger *slog.Logger) (*mcp.Server, *babyclient.Client, error) {
	options := []babyclient.Option{babyclient.WithDefaultModel(c.model), babyclient.WithLogger(logger)}
	if c.baseURL != "" {
		options = append(options, babyclient.WithBaseURL(c.baseURL))
	}
	client, err := babyclient.New(options...)
	if err != nil {
		return nil, nil, err
	}
	server, err := mcp.NewServer(client,
		mcp.WithRoots(c.roots...),
		mcp.WithTools(c.tools...),
		mcp.WithRerankModel(c.rerankModel),
		mcp.WithEmbeddingModel(c.embedModel),
		mcp.WithWait(c.wait),
		mcp.WithTimeout(c.timeout),
		mcp.WithMaxFileSize(c.maxFile),
		mcp.WithLogger(logger),
		mcp.WithVersion(version()),
	)
	return server, client, err
}

// environment is the first of these variables that is set, "" if none is.
func environment(names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v
		}
	}
	return ""
}

// release is set by the linker in a release.
var release string

// version is that of the release, else of the module, else of the package in a working tree.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	return "v" + babyclient.Version
}

func versionLine() string {
	commit := "unknown commit"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				commit = s.Value[:12]
			}
		}
	}
	return fmt.Sprintf("babyapi-mcp %s (%s, %s)", version(), commit, runtime.Version())
}

func usage(w io.Writer) {
	fmt.Fprintf(w, `babyapi-mcp serves BabyAPI to agents over MCP on stdio, with three tools:
  convert   reads a document (PDF, Office, HTML, image, scan), in parts if it is long
  rerank    finds the passages that answer a question
  infer     asks an open-weight model

Usage: babyapi-mcp [flags] [FOLDER...]

  --root FOLDER          allow the tools to read files under FOLDER (repeatable, as is FOLDER without a flag)
                         default: the roots that the client tells, else the working folder,
                         but never the home folder or the root of a disk
  --base-url URL         the service (default %s)
  --model MODEL          model of infer calls that name none
  --rerank-model MODEL   model of rerank calls that name none
  --embed-model MODEL    model that ranks, by cosine similarity, where there is no rerank model
  --tools LIST           serve only these tools, such as convert,rerank
  --wait TIME            how long convert waits before it answers with a job id (default %s)
  --timeout TIME         how long one conversion may take (default %s)
  --max-file MB          the largest file that is uploaded (default %d)
  --log LEVEL            debug, info, warn or error, to stderr (default warn)
  --log-file FILE        log to FILE instead
  --print-config CLIENT  print the configuration of a client: %s
  --version              print the version
  --help                 print this

Environment, where a flag does not say:
  BABYAPI_API_KEY        the key; without one the tools are listed, and calls say that it is missing
  BABYAPI_BASE_URL, BABYAPI_DEFAULT_MODEL
  BABYAPI_MCP_ROOTS      folders, separated by %q
  BABYAPI_MCP_TOOLS, BABYAPI_MCP_RERANK_MODEL, BABYAPI_MCP_EMBED_MODEL, BABYAPI_MCP_WAIT, BABYAPI_MCP_TIMEOUT,
  BABYAPI_MCP_MAX_FILE, BABYAPI_MCP_LOG, BABYAPI_MCP_LOG_FILE

Claude Code:
  %s
Exit codes: 0 done, 1 stdin or stdout failed, 2 a flag or a variable is not valid.
`, babyclient.DefaultBaseURL, mcp.DefaultWait, mcp.DefaultTimeout, mcp.DefaultMaxFileSize>>20,
		strings.Join(mcpconfig.Clients(), ", "), string(os.PathListSeparator),
		mcpconfig.MustSnippet("claude-code", mcpconfig.Example()))
}
