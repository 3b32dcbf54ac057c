package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// plan is what a [Config] comes to: a gateway, and the engines to start for it.
type plan struct {
	gateway *gateway
	engines []*plannedEngine
}

// plannedEngine is an engine to start, with what decides its command once the installation is
// known.
type plannedEngine struct {
	*engine
	kind  string // chat, embed, rerank or docling
	model string // a GGUF file, or empty for the default
}

// newPlan checks the configuration.
func newPlan(c *Config) (*plan, error) {
	if c.DoclingNodes < 0 || c.DoclingNodes > 16 {
		return nil, fmt.Errorf("%d docling nodes: give 1 to 16", c.DoclingNodes)
	}
	if len(c.DoclingURLs) > 0 && c.DoclingNodes > 0 {
		return nil, errors.New("docling nodes to start and docling URLs exclude one another: give one of them")
	}
	if c.MaxUpload < 0 {
		return nil, fmt.Errorf("the largest upload is %d bytes: give more than 0", c.MaxUpload)
	}
	g := &gateway{apiKey: c.APIKey, started: time.Now(), docling: &docling{}, maxUpload: c.MaxUpload}
	p := &plan{gateway: g}
	var errs []error
	add := func(kind, name, base, model string, names ...string) *backend {
		b, err := p.add(kind, name, base, model, names)
		errs = append(errs, err)
		return b
	}
	g.chat = add("chat", "chat", c.ChatURL, c.ChatModel, ChatModel, chatModelOnHub)
	g.embed = add("embed", "embed", c.EmbedURL, c.EmbedModel, EmbedModel, embedModelOnHub)
	if c.RerankURL != "" || c.RerankModel != "" {
		g.rerank = add("rerank", "rerank", c.RerankURL, c.RerankModel)
	}
	urls := c.DoclingURLs
	if len(urls) == 0 {
		urls = make([]string, max(c.DoclingNodes, 1))
	}
	for i, base := range urls {
		node := &doclingNode{backend: add("docling", "docling-"+strconv.Itoa(i), base, "")}
		g.docling.nodes = append(g.docling.nodes, node)
	}
	return p, errors.Join(errs...)
}

// add plans one backend: the server at base, or an engine with the model, which has these names if
// it is the default one.
func (p *plan) add(kind, name, base, model string, names []string) (b *backend, err error) {
	switch {
	case base != "" && model != "":
		return nil, fmt.Errorf("a model file and a URL for %s exclude one another: give one of them", kind)
	case base != "":
		return newRemote(name, base)
	case model != "":
		if err := checkGGUF(model); err != nil {
			return nil, fmt.Errorf("the %s model must be a GGUF file: %w", kind, err)
		}
		names = []string{strings.TrimSuffix(filepath.Base(model), ".gguf")}
		if model, err = filepath.Abs(model); err != nil { // the engines run in another folder
			return nil, err
		}
	}
	b = &backend{name: name, own: true, names: names}
	p.engines = append(p.engines, &plannedEngine{engine: &engine{backend: b}, kind: kind, model: model})
	return b, nil
}

// checkGGUF checks that the file begins as all GGUF files do.
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

// prepare fills in the command of the engine.
func (e *plannedEngine) prepare(in *installation, logDir string, c *Config) error {
	e.messages = c.Messages
	e.dir = logDir // in the caller's folder docling-serve would read a .env
	e.logPath = filepath.Join(logDir, e.name+".log")
	// Each run has a new log. A restart goes on in it, because the log says why there was a
	// restart.
	if err := os.Remove(e.logPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	key := randomHex(16)
	if e.kind == "docling" {
		e.prepareDocling(in, logDir, key, c)
		return nil
	}
	return e.prepareLlama(in, key)
}

// ownSettings are variables that every engine has, beside those of its kind.
func ownSettings(in *installation, more ...string) []string {
	return append([]string{"PYTHONUNBUFFERED=1", "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1",
		"HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1", "NO_COLOR=1", "HF_HOME=" + in.hubCache()}, more...)
}

// localAddresses are those that --allow-local-sources adds to the public ones that docling reads
// URLs from: of this machine, of private networks, of a link and of a carrier.
const localAddresses = `["127.0.0.0/8","::1/128","10.0.0.0/8","172.16.0.0/12","192.168.0.0/16","fc00::/7",` +
	`"169.254.0.0/16","fe80::/10","100.64.0.0/10"]`

func (e *plannedEngine) prepareDocling(in *installation, logDir, key string, c *Config) {
	e.command = []string{in.python(), in.program("serve_light.py")}
	if c.AllowRemoteTargets {
		e.command = append(e.command, "--allow-remote-targets")
	}
	if c.AllowLocalSources {
		e.command = append(e.command, "--allow-local-sources")
	}
	e.ready = "/ready"
	e.credential = credential{"X-Api-Key", key}
	e.scratch = filepath.Join(logDir, e.name+".tmp")
	settings := ownSettings(in,
		"TMPDIR="+e.scratch, "TEMP="+e.scratch, "TMP="+e.scratch,
		"DOCLING_SERVE_API_KEY="+key,
		"DOCLING_SERVE_LOAD_MODELS_AT_BOOT=false",
		"DOCLING_SERVE_ENG_KIND=local", // docling_reach.py stands before the queue of that one
		// A proxy of the user's is on another machine: it cannot call back a program of this one.
		"no_proxy="+cmp.Or(os.Getenv("no_proxy"), os.Getenv("NO_PROXY"))+",127.0.0.1,::1,localhost")
	if c.AllowLocalSources {
		settings = append(settings, "DOCLINGCORE_ALLOWED_PRIVATE_IPS="+localAddresses)
	}
	if in.ocr != "" {
		settings = append(settings, "PYTHONPATH="+filepath.Join(in.ocr, "packages"))
	}
	e.env = childEnvironment(doclingGets, settings...)
}

func (e *plannedEngine) prepareLlama(in *installation, key string) (err error) {
	model := e.model
	if model == "" {
		model = in.embedModel()
		if e.kind == "chat" {
			if model, err = in.chatModel(); err != nil {
				return err
			}
		}
	}
	e.command = []string{in.python(), in.program("llama.py"), e.kind, model, e.names[0]}
	e.ready = "/health"
	e.credential = credential{"Authorization", "Bearer " + key}
	e.env = childEnvironment(engineGets, ownSettings(in, "BABYAPI_LOCAL_ENGINE_KEY="+key)...)
	e.inspect = e.inspectLlama
	return nil
}

// inspectLlama asks llama.cpp for the sizes of its model.
func (e *engine) inspectLlama(ctx context.Context, t *target) error {
	b := &backend{name: e.name, own: true}
	b.target.Store(t)
	var list struct {
		Data []struct {
			Meta struct {
				Context    int `json:"n_ctx"`
				Dimensions int `json:"n_embd"`
			} `json:"meta"`
		} `json:"data"`
	}
	if err := b.call(ctx, "/v1/models", nil, nil, &list); err != nil {
		return fmt.Errorf("asking for its model: %w", err)
	}
	if len(list.Data) != 1 || list.Data[0].Meta.Context == 0 {
		return errors.New("it does not tell the context of its model")
	}
	t.maxTokens, t.dimensions = list.Data[0].Meta.Context, list.Data[0].Meta.Dimensions
	return nil
}
