package provider

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Defaults of an [Embedder].
const (
	DefaultEmbedBatchSize   = 64        // texts in one request
	DefaultEmbedBatchBytes  = 256 << 10 // bytes of text in one request
	DefaultEmbedParallelism = 4         // requests under way at once
)

// Embedder turns texts into vectors, many at a time. It keeps their order, the caller's slice and
// their line breaks as they are. It is safe for concurrent use.
type Embedder struct {
	client *babyclient.Client
	model  string
	embedderConfig
}

type embedderConfig struct {
	batchSize   int
	batchBytes  int
	parallelism int
	dimensions  int
	truncate    int
	prefixes    Prefixes
	byModel     bool
	blank       *string
	timeout     time.Duration
	progress    func(done, total int)
	onUsage     UsageFunc
}

var _ embeddings.Embedder = (*Embedder)(nil)

// An EmbedderOption configures an [Embedder].
type EmbedderOption func(*embedderConfig)

// NewEmbedder makes an embedder with a model of client.
func NewEmbedder(client *babyclient.Client, model string, opts ...EmbedderOption) (*Embedder, error) {
	e := &Embedder{client: client, model: strings.TrimSpace(model), embedderConfig: embedderConfig{batchSize: DefaultEmbedBatchSize,
		batchBytes: DefaultEmbedBatchBytes, parallelism: DefaultEmbedParallelism, timeout: DefaultTimeout}}
	for _, o := range opts {
		if o != nil {
			o(&e.embedderConfig)
		}
	}
	switch {
	case client == nil:
		return nil, invalid("the client is nil: make it with babyclient.New, or take that of an LLM")
	case e.model == "":
		return nil, invalid("no embedding model: name the one that the index is, or will be, made with")
	case e.batchSize <= 0:
		return nil, invalid("WithBatchSize(%d): want 1 or more", e.batchSize)
	case e.batchBytes <= 0:
		return nil, invalid("WithBatchBytes(%d): want 1 or more", e.batchBytes)
	case e.parallelism <= 0:
		return nil, invalid("WithParallelism(%d): want 1 or more", e.parallelism)
	case e.dimensions < 0:
		return nil, invalid("WithDimensions(%d): want 1 or more, or 0 for the model's own", e.dimensions)
	case e.timeout <= 0:
		return nil, invalid("WithEmbedTimeout(%s): want a positive duration", e.timeout)
	case e.blank != nil && strings.TrimSpace(*e.blank) == "" && *e.blank != " ":
		return nil, invalid("WithBlankTextsAs(%q): want a text that is not blank, or one space", *e.blank)
	case e.byModel && e.prefixes != (Prefixes{}):
		return nil, invalid("conflicting options: WithPrefixes and WithModelPrefixes")
	}
	if e.byModel {
		p, known := ModelPrefixes(e.model)
		if !known {
			return nil, invalid("WithModelPrefixes: the prefixes of model %q are not known: give them with WithPrefixes", e.model)
		}
		e.prefixes = p
	}
	return e, nil
}

// WithBatchSize sets how many texts go in one request. Default: [DefaultEmbedBatchSize].
func WithBatchSize(texts int) EmbedderOption { return func(c *embedderConfig) { c.batchSize = texts } }

// WithBatchBytes sets how many bytes of text go in one request; a longer text goes alone. Default:
// [DefaultEmbedBatchBytes].
func WithBatchBytes(n int) EmbedderOption { return func(c *embedderConfig) { c.batchBytes = n } }

// WithParallelism sets how many requests are under way at once. Default: [DefaultEmbedParallelism].
func WithParallelism(requests int) EmbedderOption {
	return func(c *embedderConfig) { c.parallelism = requests }
}

// WithDimensions sets the length of the vectors, for models that can shorten them. Default, and 0: the
// model's own.
func WithDimensions(n int) EmbedderOption { return func(c *embedderConfig) { c.dimensions = n } }

// WithTruncation cuts a text to that many tokens; -1 means the most that the model takes. Default:
// a text that is too long is an error.
func WithTruncation(tokens int) EmbedderOption {
	return func(c *embedderConfig) { c.truncate = tokens }
}

// WithBlankTextsAs sends replacement for texts that are empty or blank, such as "-" or " ". Default:
// they are an error, since the engines refuse the whole batch for one of them.
func WithBlankTextsAs(replacement string) EmbedderOption {
	return func(c *embedderConfig) { c.blank = &replacement }
}

// WithEmbedTimeout limits each request. Default: [DefaultTimeout].
func WithEmbedTimeout(d time.Duration) EmbedderOption {
	return func(c *embedderConfig) { c.timeout = d }
}

// WithEmbedProgress tells f how many of the texts of one EmbedDocuments have their vector, after each
// request, one call at a time.
func WithEmbedProgress(f func(done, total int)) EmbedderOption {
	return func(c *embedderConfig) { c.progress = f }
}

// WithEmbedUsageFunc tells f what each request took.
func WithEmbedUsageFunc(f UsageFunc) EmbedderOption { return func(c *embedderConfig) { c.onUsage = f } }

// Prefixes are put before each text, for models that are trained with instructions.
type Prefixes struct {
	Query, Document string
}

// WithPrefixes puts p before each query and document. Default: none. An index must be searched with
// the prefixes that it was made for.
func WithPrefixes(p Prefixes) EmbedderOption { return func(c *embedderConfig) { c.prefixes = p } }

// WithModelPrefixes puts the prefixes of [ModelPrefixes] before each query and document; a model
// without an entry there is an error.
func WithModelPrefixes() EmbedderOption { return func(c *embedderConfig) { c.byModel = true } }

// ModelPrefixes are the prefixes that the makers of a model give for retrieval: of Qwen3-Embedding, E5
// and BGE, found by the name of the model. ok is false for a model that is not known here.
func ModelPrefixes(model string) (p Prefixes, ok bool) {
	const task = "Given a web search query, retrieve relevant passages that answer the query"
	name := strings.ToLower(model)
	switch {
	case strings.Contains(name, "qwen3-embedding"), strings.Contains(name, "e5-mistral"), strings.Contains(name, "e5-large-instruct"):
		return Prefixes{Query: "Instruct: " + task + "\nQuery: "}, true
	case strings.Contains(name, "e5-small"), strings.Contains(name, "e5-base"), strings.Contains(name, "e5-large"):
		return Prefixes{Query: "query: ", Document: "passage: "}, true
	case strings.Contains(name, "bge-m3"):
		return Prefixes{}, true
	case strings.Contains(name, "bge-") && strings.Contains(name, "-en"):
		return Prefixes{Query: "Represent this sentence for searching relevant passages: "}, true
	case strings.Contains(name, "bge-") && strings.Contains(name, "-zh"):
		return Prefixes{Query: "为这个句子生成表示以用于检索相关文章："}, true
	}
	return Prefixes{}, false
}

// EmbedError is in the error of an EmbedDocuments of which a request failed.
type EmbedError struct {
	// From and To are the range of texts that failed: texts[From:To].
	From, To int
	// Vectors has the vector of each text that has one, nil for the others. [Embedder.Resume] goes on
	// from here.
	Vectors [][]float32
	// Err is the cause.
	Err error
}

// Error names the range and how much is left.
func (e *EmbedError) Error() string {
	done := 0
	for _, v := range e.Vectors {
		if v != nil {
			done++
		}
	}
	return fmt.Sprintf("embedding texts[%d:%d]: %s (%d of %d texts are done: Embedder.Resume goes on from there)",
		e.From, e.To, strings.TrimPrefix(e.Err.Error(), "babyapi: "), done, len(e.Vectors))
}

// Unwrap is the cause.
func (e *EmbedError) Unwrap() error { return e.Err }

// EmbedDocuments turns documents into vectors, in their order: POST /v1/embeddings. No texts give no
// vectors and no request. The first failure ends the requests that are under way; the error has an
// [*EmbedError] in it, which keeps what succeeded.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	return e.fill(ctx, texts, make([][]float32, len(texts)))
}

// Resume is EmbedDocuments of the texts that have no vector yet, in vectors as they are in an
// [EmbedError]. It returns the vectors of all.
func (e *Embedder) Resume(ctx context.Context, texts []string, vectors [][]float32) ([][]float32, error) {
	if len(vectors) != len(texts) {
		return nil, invalid("Resume: there are %d texts and %d vectors: give those of the EmbedError of the same texts", len(texts), len(vectors))
	}
	return e.fill(ctx, texts, slices.Clone(vectors))
}

// fill gives each text without a vector its own.
func (e *Embedder) fill(ctx context.Context, texts []string, vectors [][]float32) ([][]float32, error) {
	for i, text := range texts { // all of them, before anything is sent
		if vectors[i] == nil && e.blank == nil && isBlank(text) {
			_, err := e.input(fmt.Sprintf("texts[%d]", i), e.prefixes.Document, text)
			return nil, err
		}
	}
	if err := e.run(ctx, e.batches(texts, vectors), vectors); err != nil {
		return nil, wrapError(err)
	}
	return vectors, nil
}

// EmbedQuery turns a query into a vector.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	input, err := e.input("the query", e.prefixes.Query, text)
	if err != nil {
		return nil, err
	}
	vectors, err := e.embed(ctx, []string{input})
	if err != nil {
		return nil, wrapError(err)
	}
	return vectors[0], nil
}

// input is what is sent for a text.
func (e *Embedder) input(what, prefix, text string) (string, error) {
	if !isBlank(text) {
		return prefix + text, nil
	}
	if e.blank == nil {
		return "", invalid("%s is %q: the engines refuse blank texts; leave them out, or use WithBlankTextsAs", what, text)
	}
	return prefix + *e.blank, nil
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// batch is the inputs of one request.
type batch struct {
	inputs []string
	at     []int // where the vectors go
}

// batches gathers the texts without a vector, none of which must be refused, one request after the other: a
// million texts are not all held a second time. It looks at a text once, before the vector can come.
func (e *Embedder) batches(texts []string, vectors [][]float32) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		var b batch
		var size int
		for i, text := range texts {
			if vectors[i] != nil {
				continue
			}
			input, err := e.input("", e.prefixes.Document, text)
			if err != nil {
				continue // it was refused before
			}
			if len(b.inputs) == e.batchSize || len(b.inputs) > 0 && size+len(input) > e.batchBytes {
				if !yield(b) {
					return
				}
				b, size = batch{}, 0
			}
			b.inputs, b.at = append(b.inputs, input), append(b.at, i)
			size += len(input)
		}
		if len(b.inputs) > 0 {
			yield(b)
		}
	}
}

// run embeds the batches side by side, and puts the vectors into out.
func (e *Embedder) run(ctx context.Context, batches iter.Seq[batch], out [][]float32) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		failed *EmbedError
		done   int
		group  sync.WaitGroup
		todo   = make(chan batch)
	)
	for _, v := range out {
		if v != nil {
			done++
		}
	}
	work := func(b batch) {
		vectors, err := e.embed(ctx, b.inputs)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			err = e.sameLength(vectors, out)
		}
		if err != nil {
			if failed == nil { // the others fail because of it
				failed = &EmbedError{From: b.at[0], To: b.at[len(b.at)-1] + 1, Vectors: out, Err: err}
			}
			cancel()
			return
		}
		for i, at := range b.at {
			out[at] = vectors[i]
		}
		done += len(b.at)
		if e.progress != nil {
			e.progress(done, len(out))
		}
	}
	for range min(e.parallelism, len(out)) {
		group.Go(func() {
			for b := range todo {
				work(b)
			}
		})
	}
	for b := range batches {
		if ctx.Err() != nil {
			break
		}
		select {
		case todo <- b:
		case <-ctx.Done():
		}
	}
	close(todo)
	group.Wait()
	if failed != nil {
		return failed
	}
	if done < len(out) { // the caller's context ended between two requests
		return &EmbedError{From: firstMissing(out), To: len(out), Vectors: out, Err: ctx.Err()}
	}
	return nil
}

func firstMissing(vectors [][]float32) int {
	for i, v := range vectors {
		if v == nil {
			return i
		}
	}
	return len(vectors)
}

// sameLength makes sure that the vectors of different requests fit into one index.
func (e *Embedder) sameLength(vectors, out [][]float32) error {
	for i, v := range out {
		if v != nil && len(v) != len(vectors[0]) {
			return &babyclient.Error{Code: babyclient.CodeInvalidResponse,
				Message: fmt.Sprintf("the vectors have %d dimensions, that of texts[%d] has %d", len(vectors[0]), i, len(v))}
		}
		if v != nil {
			break
		}
	}
	return nil
}

func (e *Embedder) embed(ctx context.Context, inputs []string) ([][]float32, error) {
	req := &babyclient.EmbedRequest{Model: e.model, Input: inputs}
	if e.dimensions > 0 {
		req.Dimensions = &e.dimensions
	}
	if e.truncate != 0 {
		req.TruncatePromptTokens = &e.truncate
	}
	resp, err := e.client.Embed(ctx, req, babyclient.WithTimeout(e.timeout))
	if err != nil {
		return nil, err
	}
	if resp.Usage != nil {
		e.onUsage.call(ctx, Usage{Operation: "embeddings", Model: resp.Model, Usage: *resp.Usage})
	}
	return resp.Vectors, nil
}
