package provider

import (
	"context"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// DefaultTimeout is how long an inference call may take: longer than babyclient's own, since an
// agent waits for long answers, and one that nobody waits for is billed all the same.
const DefaultTimeout = 10 * time.Minute

// LLM is a model behind BabyAPI. It is safe for concurrent use; make it with [New] or [NewFromClient].
type LLM struct {
	// CallbacksHandler is told of each GenerateContent: its start, then exactly one of its end and
	// its error. Set it before the first call, or with [WithCallback].
	CallbacksHandler callbacks.Handler

	client              *babyclient.Client
	model               string
	embeddingModel      string
	embeddingDimensions int
	timeout             time.Duration
	defaults            []llms.CallOption
	reasoning           *bool
	onUsage             UsageFunc
}

var (
	_ llms.Model                = (*LLM)(nil)
	_ llms.ReasoningModel       = (*LLM)(nil)
	_ embeddings.EmbedderClient = (*LLM)(nil)
)

// New makes a model with a client of its own. What no option gives is taken from the environment:
// BABYAPI_API_KEY, BABYAPI_BASE_URL, BABYAPI_DEFAULT_MODEL. A missing key is an error at the first call.
func New(opts ...Option) (*LLM, error) {
	c := configure(opts)
	client, err := babyclient.New(c.client...)
	if err != nil {
		return nil, wrapError(err)
	}
	return c.llm(client)
}

// NewFromClient makes a model that calls through client. [WithToken], [WithBaseURL], [WithHTTPClient]
// and [WithClientOptions] configure a client, so here they are an error.
func NewFromClient(client *babyclient.Client, opts ...Option) (*LLM, error) {
	c := configure(opts)
	switch {
	case client == nil:
		return nil, invalid("the client is nil: make it with babyclient.New, or use New")
	case len(c.client) > 0:
		return nil, invalid("conflicting options: NewFromClient takes the key, the base URL and the HTTP client from its client: give them to babyclient.New")
	}
	return c.llm(client)
}

// Client is the client that the model calls through: for [NewEmbedder], [NewLoader], [NewReranker],
// and for what langchaingo has no place for.
func (l *LLM) Client() *babyclient.Client { return l.client }

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
func (l *LLM) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
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

func (l *LLM) generate(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
	o := readOptions(l.defaults, options)
	req, err := l.buildRequest(messages, o)
	if err != nil {
		return nil, err
	}
	var chat *babyclient.ChatResponse
	if o.streaming() {
		chat, err = l.stream(ctx, req, o)
	} else {
		chat, err = l.client.Chat(ctx, req, babyclient.WithTimeout(l.timeout))
	}
	if err != nil {
		return nil, err
	}
	if chat.Usage != nil {
		l.onUsage.call(ctx, Usage{Operation: "chat", Model: chat.Model, Usage: *chat.Usage})
	}
	return newResponse(chat, req, o)
}

// CreateEmbedding embeds texts as they are, in one request: POST /v1/embeddings. It makes the LLM a
// client for langchaingo's embeddings.NewEmbedder; [NewEmbedder] is the better one. The model is that of
// [WithEmbeddingModel].
func (l *LLM) CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error) {
	if len(texts) == 0 {
		return [][]float32{}, nil
	}
	if l.embeddingModel == "" {
		return nil, invalid("no embedding model: use WithEmbeddingModel")
	}
	req := &babyclient.EmbedRequest{Model: l.embeddingModel, Input: texts}
	if l.embeddingDimensions > 0 {
		req.Dimensions = &l.embeddingDimensions
	}
	resp, err := l.client.Embed(ctx, req, babyclient.WithTimeout(l.timeout))
	if err != nil {
		return nil, wrapError(err)
	}
	if resp.Usage != nil {
		l.onUsage.call(ctx, Usage{Operation: "embeddings", Model: resp.Model, Usage: *resp.Usage})
	}
	return resp.Vectors, nil
}
