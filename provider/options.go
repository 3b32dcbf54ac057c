package provider

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// An Option configures an [LLM] at [New] or [NewFromClient].
type Option func(*config)

type config struct {
	client              []babyclient.Option
	callback            callbacks.Handler
	model               string
	embeddingModel      string
	embeddingDimensions int
	timeout             time.Duration // 0: not set
	httpTimeout         time.Duration
	defaults            []llms.CallOption
	reasoning           *bool
	onUsage             UsageFunc
}

func configure(opts []Option) *config {
	c := new(config)
	for _, o := range opts {
		if o != nil {
			o(c)
		}
	}
	return c
}

func (c *config) llm(client *babyclient.Client) (*LLM, error) {
	switch {
	case c.embeddingDimensions < 0:
		return nil, invalid("WithEmbeddingDimensions(%d): want 1 or more, or 0 for the model's own", c.embeddingDimensions)
	case c.timeout < 0:
		return nil, invalid("WithTimeout(%s): want a positive duration", c.timeout)
	}
	return &LLM{CallbacksHandler: c.callback, client: client, model: c.model, embeddingModel: c.embeddingModel, embeddingDimensions: c.embeddingDimensions,
		timeout: cmp.Or(c.timeout, c.httpTimeout, DefaultTimeout), defaults: c.defaults, reasoning: c.reasoning, onUsage: c.onUsage}, nil
}

// WithToken sets the API key. Default: BABYAPI_API_KEY, else BABY_API_KEY.
func WithToken(key string) Option { return WithClientOptions(babyclient.WithAPIKey(key)) }

// WithBaseURL sets the URL of the service. Default: BABYAPI_BASE_URL, else the hosted service.
func WithBaseURL(url string) Option { return WithClientOptions(babyclient.WithBaseURL(url)) }

// WithHTTPClient makes all calls go through hc, for a proxy, TLS settings or instrumentation. Its
// Timeout, if it has one, is the default of [WithTimeout].
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) {
		c.client = append(c.client, babyclient.WithHTTPClient(hc))
		if hc != nil {
			c.httpTimeout = hc.Timeout
		}
	}
}

// WithClientOptions gives [New] any option of babyclient: retries, headers, a logger. The timeout is
// that of [WithTimeout].
func WithClientOptions(opts ...babyclient.Option) Option {
	return func(c *config) { c.client = append(c.client, opts...) }
}

// WithModel sets the model of calls that name none. Default: that of the client, BABYAPI_DEFAULT_MODEL.
func WithModel(model string) Option { return func(c *config) { c.model = strings.TrimSpace(model) } }

// WithEmbeddingModel sets the model of CreateEmbedding. There is no default: another model would
// spoil an index in silence.
func WithEmbeddingModel(model string) Option {
	return func(c *config) { c.embeddingModel = strings.TrimSpace(model) }
}

// WithEmbeddingDimensions sets the length of the vectors of CreateEmbedding, for models that can
// shorten them. Default, and 0: the model's own.
func WithEmbeddingDimensions(n int) Option { return func(c *config) { c.embeddingDimensions = n } }

// WithCallback sets the CallbacksHandler.
func WithCallback(h callbacks.Handler) Option { return func(c *config) { c.callback = h } }

// WithTimeout limits a call that does not stream, from sending to the whole answer read. Default:
// [DefaultTimeout], also where the client given to [NewFromClient] has another. A stream has no limit but its context's.
func WithTimeout(d time.Duration) Option { return func(c *config) { c.timeout = d } }

// WithDefaults gives options to every call, langchaingo's and those of this package. An option of the
// call itself wins, also one that sets zero.
//
//	provider.WithDefaults(llms.WithTemperature(0.2), provider.WithThinkTags())
func WithDefaults(opts ...llms.CallOption) Option {
	return func(c *config) { c.defaults = append(c.defaults, opts...) }
}

// WithReasoning says whether the model thinks before it answers. Default: by its name.
func WithReasoning(yes bool) Option { return func(c *config) { c.reasoning = &yes } }

// WithUsageFunc tells f what each call took; langchaingo has no place for the usage of embeddings.
func WithUsageFunc(f UsageFunc) Option { return func(c *config) { c.onUsage = f } }

// Usage is what one request took.
type Usage struct {
	// Operation is "chat", "embeddings" or "rerank".
	Operation string
	// Model is the one that answered.
	Model string
	babyclient.Usage
}

// UsageFunc is told of the usage of each request whose answer tells it. Concurrent calls call it
// concurrently.
type UsageFunc func(context.Context, Usage)

func (f UsageFunc) call(ctx context.Context, u Usage) {
	if f != nil {
		f(ctx, u)
	}
}
