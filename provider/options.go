package provider

import (
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
	clientOptions       []babyclient.Option
	callback            callbacks.Handler
	model               string
	embeddingModel      string
	embeddingDimensions int
	timeout             time.Duration // 0: not set
	httpTimeout         time.Duration // of the caller's http.Client
	defaults            []llms.CallOption
	reasoning           *bool // nil: by the name of the model
	onUsage             UsageFunc
}

// WithToken sets the API key. Default: BABYAPI_API_KEY, else BABY_API_KEY.
func WithToken(key string) Option { return WithClientOptions(babyclient.WithAPIKey(key)) }

// WithBaseURL sets the URL of the service. Default: BABYAPI_BASE_URL, else the hosted service.
func WithBaseURL(url string) Option { return WithClientOptions(babyclient.WithBaseURL(url)) }

// WithHTTPClient makes all calls go through hc, for a proxy, TLS settings or instrumentation. If hc
// has a Timeout, that is the default of [WithTimeout].
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) {
		c.clientOptions = append(c.clientOptions, babyclient.WithHTTPClient(hc))
		if hc != nil {
			c.httpTimeout = hc.Timeout
		}
	}
}

// WithClientOptions gives [New] options of babyclient, such as retries, headers and a logger.
// babyclient.WithTimeout has no effect there: [WithTimeout] sets the timeout.
func WithClientOptions(opts ...babyclient.Option) Option {
	return func(c *config) { c.clientOptions = append(c.clientOptions, opts...) }
}

// WithModel sets the model of calls that name none. Default: the client's, which New takes from
// BABYAPI_DEFAULT_MODEL.
func WithModel(model string) Option { return func(c *config) { c.model = strings.TrimSpace(model) } }

// WithEmbeddingModel sets the model of [LLM.CreateEmbedding]. There is no default, since vectors of
// another model than that of the index would spoil the index without any error.
func WithEmbeddingModel(model string) Option {
	return func(c *config) { c.embeddingModel = strings.TrimSpace(model) }
}

// WithEmbeddingDimensions sets how many numbers the vectors of [LLM.CreateEmbedding] have, for
// models that can shorten them. Default, and 0: as many as the model gives.
func WithEmbeddingDimensions(n int) Option { return func(c *config) { c.embeddingDimensions = n } }

// WithCallback sets the CallbacksHandler.
func WithCallback(h callbacks.Handler) Option { return func(c *config) { c.callback = h } }

// WithTimeout limits a call that does not stream, from sending to the last byte of the answer, and
// a stream that is silent: it is the longest time without a byte. Default: [DefaultTimeout], even
// if the client given to [NewFromClient] has another timeout.
func WithTimeout(d time.Duration) Option { return func(c *config) { c.timeout = d } }

// WithDefaults gives options to every call, langchaingo's and those of this package. An option of
// the call itself wins, even if it sets zero.
//
//	provider.WithDefaults(llms.WithTemperature(0.2), provider.WithThinkTags())
func WithDefaults(opts ...llms.CallOption) Option {
	return func(c *config) { c.defaults = append(c.defaults, opts...) }
}

// WithReasoning says whether the model thinks before it answers. Default: [LLM.SupportsReasoning]
// guesses from the name of the model.
func WithReasoning(yes bool) Option { return func(c *config) { c.reasoning = &yes } }

// WithUsageFunc makes each call report its tokens to f. langchaingo itself has no place for the
// usage of embeddings.
func WithUsageFunc(f UsageFunc) Option { return func(c *config) { c.onUsage = f } }
