// Package local runs BabyAPI on one's own machine: real engines as child
// processes, and one gateway on 127.0.0.1 in front of them that serves the wire
// of the hosted service.
//
// [Start] installs the engines when that has not been done (a Python virtual
// environment in the user's cache folder), starts them side by side and returns
// when all are up. Nothing of it outlives the process, however that ends.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// DefaultAddr is where the gateway listens when [Config] does not say.
const DefaultAddr = "127.0.0.1:8787"

// The models that the engines run when [Config] names no others. The names of
// the hub are understood too.
const (
	ChatModel  = "smollm2-135m-instruct"
	EmbedModel = "all-minilm-l6-v2"

	chatModelOnHub  = "HuggingFaceTB/SmolLM2-135M-Instruct"
	embedModelOnHub = "sentence-transformers/all-MiniLM-L6-v2"
)

// Config says what to run. Its zero value is the whole stack on [DefaultAddr].
type Config struct {
	// Addr is the loopback address to listen on; port 0 takes one that is free.
	Addr string
	// APIKey is the key that callers must send. Empty takes any key or none.
	APIKey string

	// ChatURL, EmbedURL, RerankURL and DoclingURLs put servers that run already
	// behind the gateway in place of our engines. With several docling nodes,
	// requests go round robin, and those with an x-babyapi-docling-id to its node.
	ChatURL, EmbedURL, RerankURL string
	DoclingURLs                  []string
	// DoclingNodes is the number of docling-serve to start when there are no
	// DoclingURLs; 0 is 1.
	DoclingNodes int

	// ChatModel, EmbedModel and RerankModel are GGUF files to run in place of
	// the default models. Without RerankModel and RerankURL, reranking is the
	// cosine similarity of the embeddings.
	ChatModel, EmbedModel, RerankModel string
	// OCR installs RapidOCR, so that documents that are scans are read.
	OCR bool

	// Python is the interpreter to install the engines with. Empty finds one.
	Python string
	// CacheDir is where the engines are installed; empty is [CacheDir].
	CacheDir string

	// Messages gets what a person should know, line by line, as that an engine
	// died and is started again. Nil drops it.
	Messages io.Writer
	// Progress gets a line that is written over and over while something takes
	// long. Nil, as is right for anything but a terminal, keeps it silent.
	Progress io.Writer
}

// Stack is a gateway with its engines.
type Stack struct {
	base   string
	logDir string
	server *http.Server
	cancel context.CancelFunc // ends the engines
	wg     sync.WaitGroup
	unlock func()
	closed sync.Once
	err    error
}

// BaseURL is what a client needs as its base URL, such as "http://127.0.0.1:8787".
func (s *Stack) BaseURL() string { return s.base }

// LogDir is the folder of the engines' logs, or empty where none was started.
func (s *Stack) LogDir() string { return s.logDir }

// Close ends the gateway and the engines, and returns when all are gone.
// Requests under way are cut.
func (s *Stack) Close() error {
	s.closed.Do(func() {
		s.err = s.server.Close()
		s.cancel()
		s.wg.Wait()
		if s.unlock != nil {
			s.unlock()
		}
	})
	return s.err
}

// Start runs the stack and returns when all engines are up. The gateway listens
// before that, and its GET /ready tells how far it is. When ctx ends before,
// Start gives up and leaves nothing behind; afterwards only [Stack.Close] ends
// the stack.
func Start(ctx context.Context, c Config) (*Stack, error) {
	if c.Messages == nil {
		c.Messages = io.Discard
	}
	c.Messages = &lockedWriter{w: c.Messages}
	g, engines, err := c.plan()
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, c.Addr)
	if err != nil {
		return nil, err
	}
	// the engines outlive ctx, which is only for the start
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Stack{base: "http://" + listener.Addr().String(), cancel: cancel}
	s.server = &http.Server{Handler: g.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	s.wg.Go(func() { _ = s.server.Serve(listener) })

	if len(engines) > 0 {
		err = s.launch(ctx, running, c, engines, g)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Setup installs the engines and returns without starting them.
func Setup(ctx context.Context, c Config) error {
	if c.Messages == nil {
		c.Messages = io.Discard
	}
	_, err := c.install(ctx)
	return err
}

func (c *Config) cacheDir() (string, error) {
	if c.CacheDir != "" {
		return filepath.Abs(c.CacheDir)
	}
	return CacheDir()
}

func (c *Config) install(ctx context.Context) (*installation, error) {
	cache, err := c.cacheDir()
	if err != nil {
		return nil, err
	}
	i := installer{cache: cache, python: c.Python, ocr: c.OCR, messages: c.Messages, progress: &progress{w: c.Progress}}
	return i.run(ctx)
}

// planned is an engine to start, with what decides its command once the
// installation is known.
type planned struct {
	*engine
	kind  string // chat, embed, rerank or docling
	model string // a GGUF file, or empty for the default
}

// plan checks the configuration and says what is to be started.
func (c *Config) plan() (*gateway, []*planned, error) {
	if c.DoclingNodes < 0 || c.DoclingNodes > 16 {
		return nil, nil, fmt.Errorf("%d docling nodes: give 1 to 16", c.DoclingNodes)
	}
	if len(c.DoclingURLs) > 0 && c.DoclingNodes > 0 {
		return nil, nil, errors.New("docling nodes to start and docling URLs exclude one another: give one of them")
	}
	g := &gateway{apiKey: c.APIKey, started: time.Now()}
	var engines []*planned
	var errs []error

	add := func(kind, name, base, model string, names ...string) *backend {
		if base != "" && model != "" {
			errs = append(errs, fmt.Errorf("a model file and a URL for %s exclude one another: give one of them", kind))
		}
		if base != "" {
			b, err := newRemote(name, base)
			errs = append(errs, err)
			return b
		}
		if model != "" {
			if err := checkGGUF(model); err != nil {
				errs = append(errs, fmt.Errorf("the %s model must be a GGUF file: %w", kind, err))
			}
			names = []string{strings.TrimSuffix(filepath.Base(model), ".gguf")}
			if abs, err := filepath.Abs(model); err == nil {
				model = abs // the engines run in another folder
			}
		}
		e := &planned{engine: &engine{backend: &backend{name: name, own: true, names: names}}, kind: kind, model: model}
		engines = append(engines, e)
		return e.backend
	}
	g.chat = add("chat", "chat", c.ChatURL, c.ChatModel, ChatModel, chatModelOnHub)
	g.embed = add("embed", "embed", c.EmbedURL, c.EmbedModel, EmbedModel, embedModelOnHub)
	if c.RerankURL != "" || c.RerankModel != "" {
		g.rerank = add("rerank", "rerank", c.RerankURL, c.RerankModel)
	}
	g.docling = &docling{gatewayHasKey: c.APIKey != ""}
	urls := c.DoclingURLs
	if len(urls) == 0 {
		urls = make([]string, max(c.DoclingNodes, 1))
	}
	for i, base := range urls {
		g.docling.nodes = append(g.docling.nodes, &doclingNode{backend: add("docling", "docling-"+strconv.Itoa(i), base, "")})
	}
	return g, engines, errors.Join(errs...)
}

// checkGGUF looks whether the file begins as all of its kind do.
func checkGGUF(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != "GGUF" {
		return fmt.Errorf("%s begins with %q", path, magic)
	}
	return nil
}

// listen takes the address, which must be one of this machine alone.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = DefaultAddr
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("the address %q is not one: give host and port, as %s: %w", addr, DefaultAddr, err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("the address %q would be open to other machines, and babyapi-local is for this one: give a port of 127.0.0.1 or [::1]", addr)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use, perhaps by another babyapi-local (then it can be used as it is): stop it, or take another port with --addr 127.0.0.1:PORT: %w", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return l, nil
}

// launch installs the engines if need be, starts them side by side and waits
// until all are up.
func (s *Stack) launch(ctx, running context.Context, c Config, engines []*planned, g *gateway) error {
	cache, err := c.cacheDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	// keeps `babyapi-local clean` from pulling the engines away
	if s.unlock, err = lock(ctx, filepath.Join(cache, "use.lock"), true, nil); err != nil {
		return err
	}
	g.installing.Store(true)
	in, err := c.install(ctx)
	g.installing.Store(false)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		return err
	}
	s.logDir = filepath.Join(in.cache, "logs", port)
	if err := os.MkdirAll(s.logDir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the logs: %w", err)
	}
	line := &progress{w: c.Progress}
	defer line.clear()
	results := make(chan error, len(engines))
	for _, e := range engines {
		if err := e.prepare(in, s.logDir, c.Messages); err != nil {
			return err
		}
	}
	line.set("starting %d engines", len(engines))
	for _, e := range engines {
		s.wg.Go(func() {
			e.run(running, func(err error) { results <- err })
		})
	}
	for n := len(engines); n > 0; n-- {
		select {
		case err := <-results:
			if err != nil {
				return err
			}
			line.set("starting the engines: %d of %d are up", len(engines)-n+1, len(engines))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// prepare fills in the command of the engine.
func (e *planned) prepare(in *installation, logDir string, messages io.Writer) error {
	e.messages = messages
	e.dir = logDir // not the caller's folder, whose .env docling-serve would read
	e.logPath = filepath.Join(logDir, e.name+".log")
	// a new log for each run, in which a restart goes on, as it tells why there was one
	if err := os.Remove(e.logPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	key := randomHex(16)
	program := func(name string) string { return filepath.Join(in.programs, name) }
	e.env = cleanEnv("PYTHONUNBUFFERED=1", "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1",
		"HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1", "NO_COLOR=1", "HF_HOME="+in.hubCache())
	if e.kind == "docling" {
		e.command = []string{in.python(), program("serve_light.py")}
		e.ready = "/ready"
		e.header = [2]string{"X-Api-Key", key}
		e.scratch = filepath.Join(logDir, e.name+".tmp")
		e.env = append(e.env,
			"TMPDIR="+e.scratch, "TEMP="+e.scratch, "TMP="+e.scratch,
			"DOCLING_SERVE_API_KEY="+key,
			"DOCLING_SERVE_LOAD_MODELS_AT_BOOT=false",
			// documents on this machine's own servers may be converted
			`DOCLINGCORE_ALLOWED_PRIVATE_IPS=["127.0.0.1"]`)
		if in.ocr != "" {
			e.env = append(e.env, "PYTHONPATH="+filepath.Join(in.ocr, "packages"))
		}
		return nil
	}
	model := e.model
	if model == "" {
		model = in.embedModel()
		if e.kind == "chat" {
			var err error
			if model, err = in.chatModel(); err != nil {
				return err
			}
		}
	}
	e.command = []string{in.python(), program("llama.py"), e.kind, model, e.names[0]}
	e.ready = "/health"
	e.header = [2]string{"Authorization", "Bearer " + key}
	e.env = append(e.env, "BABYAPI_LOCAL_ENGINE_KEY="+key)
	e.inspect = e.inspectLlama
	return nil
}

// inspectLlama asks llama.cpp what its model takes and gives.
func (e *engine) inspectLlama(ctx context.Context, t *target) error {
	asked := &backend{name: e.name, own: true}
	asked.target.Store(t)
	var list struct {
		Data []struct {
			Meta struct {
				Context    int `json:"n_ctx"`
				Dimensions int `json:"n_embd"`
			} `json:"meta"`
		} `json:"data"`
	}
	if err := asked.call(ctx, http.MethodGet, "/v1/models", nil, false, nil, &list); err != nil {
		return fmt.Errorf("asking for its model: %w", err)
	}
	if len(list.Data) != 1 || list.Data[0].Meta.Context == 0 {
		return errors.New("it does not tell the context of its model")
	}
	t.maxTokens, t.dimensions = list.Data[0].Meta.Context, list.Data[0].Meta.Dimensions
	return nil
}

// lockedWriter lets the engines write messages at the same time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
