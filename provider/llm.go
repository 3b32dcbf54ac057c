package provider

import (
	"cmp"
	"context"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// LLM is a model behind BabyAPI. It is safe for concurrent use; make it with [New] or
// [NewFromClient].
type LLM struct {
	// CallbacksHandler is called at the start of each GenerateContent, and once at its end, with
	// the answer or the error. Set it before the first call, or with [WithCallback].
	CallbacksHandler callbacks.Handler

	client *babyclient.Client
	config
}

var (
	_ llms.Model                = (*LLM)(nil)
	_ llms.ReasoningModel       = (*LLM)(nil)
	_ embeddings.EmbedderClient = (*LLM)(nil)
)

// New makes a model with a client of its own. What no option sets is taken from the environment:
// BABYAPI_API_KEY, BABYAPI_BASE_URL, BABYAPI_DEFAULT_MODEL. A missing key is an error at the first
// call.
func New(opts ...Option) (*LLM, error) {
	c := configure(config{}, opts)
	client, err := babyclient.New(c.clientOptions...)
	if err != nil {
		return nil, wrapError(err)
	}
	return newLLM(client, c)
}

// NewFromClient makes a model that calls through client. [WithToken], [WithBaseURL],
// [WithHTTPClient] and [WithClientOptions] are errors here, because they configure a client.
func NewFromClient(client *babyclient.Client, opts ...Option) (*LLM, error) {
	c := configure(config{}, opts)
	switch {
	case client == nil:
		return nil, invalid("the client is nil: make it with babyclient.New, or use New")
	case len(c.clientOptions) > 0:
		return nil, invalid("conflicting options: NewFromClient takes the key, the base URL and the HTTP client " +
			"from its client: give them to babyclient.New")
	}
	return newLLM(client, c)
}

func newLLM(client *babyclient.Client, c config) (*LLM, error) {
	switch {
	case c.embeddingDimensions < 0:
		return nil, invalid("WithEmbeddingDimensions(%d): want 1 or more, or 0 for the model's own",
			c.embeddingDimensions)
	case c.timeout < 0:
		return nil, invalid("WithTimeout(%s): want a positive duration", c.timeout)
	}
	c.timeout = cmp.Or(c.timeout, c.httpTimeout, DefaultTimeout)
	return &LLM{CallbacksHandler: c.callback, client: client, config: c}, nil
}

// Client is the client that the model calls through. [NewEmbedder], [NewLoader] and [NewReranker]
// take it, and it does what langchaingo has no interface for.
func (l *LLM) Client() *babyclient.Client { return l.client }

// SupportsReasoning reports whether the model thinks before it answers: what [WithReasoning] said,
// else a guess from the name of the model that [WithModel] set.
func (l *LLM) SupportsReasoning() bool {
	if l.reasoning != nil {
		return *l.reasoning
	}
	return reasonsByName(l.model)
}

// Call asks for the answer to one prompt.
//
// Deprecated: langchaingo keeps it for old programs. Use [llms.GenerateFromSinglePrompt].
func (l *LLM) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, l, prompt, options...)
}

// GenerateContent asks for an answer to a conversation: POST /v1/chat/completions. It streams when
// llms.WithStreamingFunc, llms.WithStreamingReasoningFunc or [WithStreamingToolCallFunc] gives a
// function, and returns the same answer either way.
//
// The answer has at least one choice. An answer cut at the token limit has the StopReason "length".
func (l *LLM) GenerateContent(
	ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption,
) (*llms.ContentResponse, error) {
	if l.CallbacksHandler != nil {
		l.CallbacksHandler.HandleLLMGenerateContentStart(ctx, messages)
	}
	resp, err := l.generate(ctx, messages, options)
	if err != nil {
		err = wrapError(err)
		if l.CallbacksHandler != nil {
			l.CallbacksHandler.HandleLLMError(ctx, err)
		}
		return nil, err
	}
	if l.CallbacksHandler != nil {
		l.CallbacksHandler.HandleLLMGenerateContentEnd(ctx, resp)
	}
	return resp, nil
}

func (l *LLM) generate(
	ctx context.Context, messages []llms.MessageContent, options []llms.CallOption,
) (*llms.ContentResponse, error) {
	o := readOptions(l.defaults, options)
	req, err := newRequest(l.model, messages, o)
	if err != nil {
		return nil, err
	}
	// On a stream the timeout is the longest time without a byte, see [babyclient.WithTimeout].
	clientOptions := append([]babyclient.CallOption{babyclient.WithTimeout(l.timeout)}, o.own().client...)
	var chat *babyclient.ChatResponse
	if o.streaming() {
		chat, err = stream(ctx, l.client, req, o, clientOptions)
	} else {
		chat, err = l.client.Chat(ctx, req, clientOptions...)
	}
	if err != nil {
		// What had come is a detail of the error, where nobody takes it for an answer.
		if chat != nil && chat.Text() != "" {
			err = withDetail(err, "partial_content", chat.Text())
		}
		return nil, err
	}
	l.onUsage.report(ctx, "chat", chat.Model, chat.Usage)
	return newResponse(chat, req, o)
}

// CreateEmbedding embeds texts as they are, in one request: POST /v1/embeddings, with the model of
// [WithEmbeddingModel]. It makes the LLM a client for langchaingo's embeddings.NewEmbedder. Prefer
// [NewEmbedder], which splits many texts into requests and checks them.
func (l *LLM) CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error) {
	if len(texts) == 0 {
		return [][]float32{}, nil
	}
	if l.embeddingModel == "" {
		return nil, invalid("no embedding model: use WithEmbeddingModel")
	}
	e := Embedder{client: l.client, model: l.embeddingModel, embedderConfig: embedderConfig{
		dimensions: l.embeddingDimensions, timeout: l.timeout, onUsage: l.onUsage}}
	vectors, err := e.embed(ctx, texts)
	return vectors, wrapError(err)
}
