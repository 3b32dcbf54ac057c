// Command babyapi-local serves the BabyAPI wire on 127.0.0.1, on real engines: llama.cpp for chat,
// completions, embeddings and reranking, docling-serve for documents. The first run installs them,
// later runs need no network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

const usage = `babyapi-local serves the BabyAPI wire on 127.0.0.1, on real engines.

usage: babyapi-local [FLAG...]         install the engines if need be, and serve
       babyapi-local setup [FLAG...]   only install them
       babyapi-local doctor [FLAG...]  check what it needs, and say what to do
       babyapi-local clean             remove what was installed

Engines: llama.cpp's server with SmolLM2-135M-Instruct for chat, completions
and /infer, and with all-MiniLM-L6-v2 for embeddings; docling-serve for
documents. The first run installs them into the user's cache folder, or the
one that BABYAPI_LOCAL_CACHE names: it needs Python 3.11 to 3.14 and 1.2 GB,
and downloads 350 MB. Later runs need no network.

What is not what the hosted service runs:
  - the models are small: good to build and test with, not to trust
  - reranking is the cosine similarity of the embeddings unless --rerank-model
    or --rerank-url is given, and its answer's "model" says so
  - docling-serve runs without its models for page layout and tables: rules by
    gaps and letter height stand in for the layout model (headings are found by
    their size), and tables of a PDF come out as lines of text. HTML, Markdown,
    DOCX, PPTX, XLSX and CSV are converted in full. Put a full docling-serve
    behind it with --docling-url for better PDFs
  - scans are read with --ocr (RapidOCR); without it, a document whose pages
    hold no text has a warning in its errors
  - /v1/ocr is not served (501)

Flags:
`

func main() {
	// After the first Ctrl-C the signal is no longer caught, so a second one ends the program at
	// once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "babyapi-local: interrupted")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "babyapi-local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	c, err := parseFlags(args, stdout, stderr)
	if c == nil || err != nil {
		return err
	}
	switch command {
	case "serve":
		return serve(ctx, *c, stdout)
	case "setup":
		return local.Setup(ctx, *c)
	case "doctor":
		return local.Doctor(ctx, *c, stdout)
	case "clean":
		return local.Clean(ctx, *c, stdout)
	}
	return fmt.Errorf("there is no command %q; see babyapi-local --help", command)
}

// parseFlags reads the flags into a configuration, which is nil if it printed the help instead.
func parseFlags(args []string, stdout, stderr io.Writer) (*local.Config, error) {
	c := &local.Config{Messages: stderr}
	if isTerminal(os.Stderr) {
		c.Progress = os.Stderr
	}
	fs := flag.NewFlagSet("babyapi-local", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // main prints the error of Parse, once
	fs.StringVar(&c.Addr, "addr", local.DefaultAddr,
		"the loopback `address` to listen on; port 0 takes one that is free")
	keyFile := fs.String("api-key-file", "",
		"the `file` that holds the key that callers must send; BABYAPI_LOCAL_API_KEY is another way to give it. "+
			"Without a key, any key or none will do, and a server behind a --*-url gets the caller's")
	fs.StringVar(&c.APIKey, "api-key", "",
		"the `key` itself, which every user of this machine can then read in the list of processes (ps)")
	fs.StringVar(&c.ChatURL, "chat-url", "",
		"base `URL` of a server for chat and completions to use in place of ours, such as vLLM or Ollama")
	fs.StringVar(&c.EmbedURL, "embed-url", "", "base `URL` of a server for embeddings")
	fs.StringVar(&c.RerankURL, "rerank-url", "", "base `URL` of a server for reranking")
	fs.Func("docling-url", "base `URL` of a docling-serve; repeat it for several nodes, which are used in turn",
		func(url string) error {
			c.DoclingURLs = append(c.DoclingURLs, url)
			return nil
		})
	fs.IntVar(&c.DoclingNodes, "docling-nodes", 0, "`number` of docling-serve to start (default 1)")
	fs.BoolVar(&c.AllowRemoteTargets, "allow-remote-targets", false,
		"let our docling-serve send to other machines what a caller asks it to: results to a put target "+
			"or a store, and callbacks; and read documents of a store. A --docling-url decides that itself")
	fs.BoolVar(&c.AllowLocalSources, "allow-local-sources", false,
		"let our docling-serve read documents from URLs of this machine (loopback), of private networks and of "+
			"link-local addresses, where a caller may reach more than the programs that it speaks for. "+
			"A --docling-url decides that itself")
	maxUpload := fs.Int64("max-upload", local.DefaultMaxUpload>>20,
		"`MiB` that a request with documents may have. docling-serve holds an uploaded file once in memory and "+
			"one that stands in JSON four times, so the default can take 1 GB")
	fs.StringVar(&c.ChatModel, "chat-model", "",
		"GGUF `file` of a chat model to run in place of "+local.ChatModel)
	fs.StringVar(&c.EmbedModel, "embed-model", "",
		"GGUF `file` of an embedding model to run in place of "+local.EmbedModel)
	fs.StringVar(&c.RerankModel, "rerank-model", "", "GGUF `file` of a rerank model to run")
	fs.BoolVar(&c.OCR, "ocr", false, "install and use RapidOCR, to read scans (300 MB more)")
	fs.StringVar(&c.Python, "python", os.Getenv("BABYAPI_LOCAL_PYTHON"),
		"the `Python` to install the engines with "+
			"(BABYAPI_LOCAL_PYTHON; default: the first on the PATH that is fit)")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%w; see babyapi-local --help", err)
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("there is no argument %q; see babyapi-local --help", fs.Arg(0))
	}
	if *maxUpload < 1 || *maxUpload > 1<<20 {
		return nil, fmt.Errorf("--max-upload %d: give 1 MiB to 1048576 MiB (1 TiB)", *maxUpload)
	}
	c.MaxUpload = *maxUpload << 20
	var err error
	c.APIKey, err = chooseKey(c.APIKey, *keyFile)
	return c, err
}

// chooseKey is the key that callers must send: of the flag, else of the file, else of the variable.
func chooseKey(key, file string) (string, error) {
	switch {
	case key != "" && file != "":
		return "", errors.New("--api-key and --api-key-file exclude one another: give one of them")
	case key != "":
		return key, nil
	case file == "":
		return os.Getenv("BABYAPI_LOCAL_API_KEY"), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--api-key-file: %w", err)
	}
	// An empty file must not open the gateway to everybody, and the first line of a file with
	// several is not the key that callers would send.
	if key = strings.TrimSpace(string(text)); key == "" || strings.ContainsAny(key, "\r\n") {
		return "", fmt.Errorf("--api-key-file: %s must hold one line, the key", file)
	}
	return key, nil
}

func serve(ctx context.Context, c local.Config, stdout io.Writer) error {
	stack, err := local.Start(ctx, c)
	if err != nil {
		return err
	}
	if os.Getenv("GOMAXPROCS") == "" {
		// A gateway has little to do for each call. With more than one CPU, a quarter of its time
		// goes into threads that wake each other.
		runtime.GOMAXPROCS(1)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// What requests hold is limited, so what is above this is garbage, which is collected
		// sooner.
		debug.SetMemoryLimit(2 * local.MaxHeld)
	}
	fmt.Fprintf(stdout, "export BABYAPI_BASE_URL=%s\n", stack.BaseURL())
	if c.APIKey == "" {
		fmt.Fprintln(stdout, "export BABYAPI_API_KEY=local")
	} else {
		fmt.Fprintln(stdout, "# and BABYAPI_API_KEY, the key that babyapi-local was given")
	}
	if dir := stack.LogDir(); dir != "" {
		fmt.Fprintf(stdout, "# logs of the engines: %s\n# Ctrl-C ends it\n", dir)
	}
	<-ctx.Done()
	return stack.Close()
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
