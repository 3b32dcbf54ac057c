package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Embedder turns texts into vectors, many at a time. It keeps their order, the caller's slice and
// their line breaks as they are. It is safe for concurrent use.
type Embedder struct {
	client *babyclient.Client
	model  string
	embedderConfig
}

var _ embeddings.Embedder = (*Embedder)(nil)

// NewEmbedder makes an embedder with a model of client.
func NewEmbedder(client *babyclient.Client, model string, opts ...EmbedderOption) (*Embedder, error) {
	e := &Embedder{client: client, model: strings.TrimSpace(model), embedderConfig: configure(embedderConfig{
		batchSize: DefaultEmbedBatchSize, batchBytes: DefaultEmbedBatchBytes,
		concurrency: DefaultEmbedConcurrency, timeout: DefaultTimeout}, opts)}
	switch blank := e.blankReplacement; {
	case client == nil:
		return nil, errNilClient()
	case e.model == "":
		return nil, invalid("no embedding model: name the one that the index is, or will be, made with")
	case e.batchSize <= 0:
		return nil, invalid("WithBatchSize(%d): want 1 or more", e.batchSize)
	case e.batchBytes <= 0:
		return nil, invalid("WithBatchBytes(%d): want 1 or more", e.batchBytes)
	case e.concurrency <= 0:
		return nil, invalid("WithEmbedConcurrency(%d): want 1 or more", e.concurrency)
	case e.dimensions < 0:
		return nil, invalid("WithEmbedDimensions(%d): want 1 or more, or 0 for the model's own", e.dimensions)
	case e.timeout <= 0:
		return nil, invalid("WithEmbedTimeout(%s): want a positive duration", e.timeout)
	case blank != nil && isBlank(*blank) && *blank != " ":
		return nil, invalid("WithBlankReplacement(%q): want a text that is not blank, or one space", *blank)
	case e.modelPrefixes && e.prefixes != (Prefixes{}):
		return nil, invalid("conflicting options: WithPrefixes and WithModelPrefixes")
	}
	if e.modelPrefixes {
		p, known := ModelPrefixes(e.model)
		if !known {
			return nil, invalid("WithModelPrefixes: the prefixes of model %q are not known: "+
				"give them with WithPrefixes", e.model)
		}
		e.prefixes = p
	}
	return e, nil
}

// EmbedError is in the error of an EmbedDocuments in which a request failed.
type EmbedError struct {
	// From and To are the range of texts that failed: texts[From:To].
	From, To int
	// Vectors has the vector of each text that has one, and nil for the others. [Embedder.Resume]
	// continues from here.
	Vectors [][]float32
	// Err is the cause.
	Err error
}

// Error names the range, and how many texts have their vector.
func (e *EmbedError) Error() string {
	return fmt.Sprintf("embedding texts[%d:%d]: %s (%d of %d texts are done: Embedder.Resume goes on from there)",
		e.From, e.To, strings.TrimPrefix(e.Err.Error(), "babyapi: "), countVectors(e.Vectors), len(e.Vectors))
}

// Unwrap is the cause.
func (e *EmbedError) Unwrap() error { return e.Err }

// EmbedDocuments turns documents into vectors, in their order: POST /v1/embeddings. No texts give
// no vectors and no request. The first failure ends the requests that are under way; the error has
// an [*EmbedError] in it, which keeps what succeeded.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embedMissing(ctx, texts, make([][]float32, len(texts)))
}

// Resume continues an EmbedDocuments that failed: it embeds the texts that have no vector yet in
// vectors, which are those of the [EmbedError]. It returns the vectors of all texts.
func (e *Embedder) Resume(ctx context.Context, texts []string, vectors [][]float32) ([][]float32, error) {
	if len(vectors) != len(texts) {
		return nil, invalid("Resume: there are %d texts and %d vectors: give those of the EmbedError of the same texts",
			len(texts), len(vectors))
	}
	return e.embedMissing(ctx, texts, slices.Clone(vectors))
}

// embedMissing gives each text that has no vector its own.
func (e *Embedder) embedMissing(ctx context.Context, texts []string, vectors [][]float32) ([][]float32, error) {
	for i, text := range texts { // all texts are checked before anything is sent
		if vectors[i] == nil {
			if err := e.check(fmt.Sprintf("texts[%d]", i), text); err != nil {
				return nil, err
			}
		}
	}
	run := embedRun{Embedder: e, texts: texts, vectors: vectors, done: countVectors(vectors)}
	if err := run.run(ctx); err != nil {
		return nil, wrapError(err)
	}
	return vectors, nil
}

// EmbedQuery turns a query into a vector.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	if err := e.check("the query", text); err != nil {
		return nil, err
	}
	vectors, err := e.embed(ctx, []string{e.input(e.prefixes.Query, text)})
	if err != nil {
		return nil, wrapError(err)
	}
	return vectors[0], nil
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// check refuses a blank text that has no replacement.
func (e *Embedder) check(what, text string) error {
	if e.blankReplacement == nil && isBlank(text) {
		return invalid("%s is %q: the engines refuse blank texts; leave them out, or use WithBlankReplacement",
			what, text)
	}
	return nil
}

// input is what is sent for a text that check has passed.
func (e *Embedder) input(prefix, text string) string {
	if isBlank(text) {
		text = *e.blankReplacement
	}
	return prefix + text
}

// embed makes one request, and returns a vector for each input.
func (e *Embedder) embed(ctx context.Context, inputs []string) ([][]float32, error) {
	req := &babyclient.EmbedRequest{Model: e.model, Input: inputs}
	if e.truncation != 0 {
		req.TruncatePromptTokens = &e.truncation
	}
	if e.dimensions > 0 {
		req.Dimensions = &e.dimensions
	}
	resp, err := e.client.Embed(ctx, req, babyclient.WithTimeout(e.timeout))
	if err != nil {
		return nil, err
	}
	e.onUsage.report(ctx, "embeddings", resp.Model, resp.Usage)
	return resp.Vectors, nil
}
