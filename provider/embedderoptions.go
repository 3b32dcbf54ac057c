package provider

import "time"

// Defaults of an [Embedder].
const (
	DefaultEmbedBatchSize   = 64        // texts in one request
	DefaultEmbedBatchBytes  = 256 << 10 // bytes of text in one request
	DefaultEmbedConcurrency = 4         // requests under way at once
)

type embedderConfig struct {
	batchSize        int
	batchBytes       int
	concurrency      int
	dimensions       int // 0: the model's own
	truncation       int // tokens; 0: none, -1: the most that the model takes
	prefixes         Prefixes
	modelPrefixes    bool
	blankReplacement *string // nil: a blank text is an error
	timeout          time.Duration
	onProgress       func(done, total int)
	onUsage          UsageFunc
}

// An EmbedderOption configures an [Embedder].
type EmbedderOption func(*embedderConfig)

// WithBatchSize sets how many texts go in one request. Default: [DefaultEmbedBatchSize].
func WithBatchSize(texts int) EmbedderOption { return func(c *embedderConfig) { c.batchSize = texts } }

// WithBatchBytes sets how many bytes of text go in one request; a longer text goes alone. Default:
// [DefaultEmbedBatchBytes].
func WithBatchBytes(n int) EmbedderOption { return func(c *embedderConfig) { c.batchBytes = n } }

// WithEmbedConcurrency sets how many requests are under way at once. Default:
// [DefaultEmbedConcurrency].
func WithEmbedConcurrency(requests int) EmbedderOption {
	return func(c *embedderConfig) { c.concurrency = requests }
}

// WithEmbedDimensions sets how many numbers a vector has, for models that can shorten it. Default,
// and 0: as many as the model gives.
func WithEmbedDimensions(n int) EmbedderOption { return func(c *embedderConfig) { c.dimensions = n } }

// WithEmbedTruncation cuts a text to that many tokens; -1 means the most that the model takes.
// Default: a text that is too long is an error.
func WithEmbedTruncation(tokens int) EmbedderOption {
	return func(c *embedderConfig) { c.truncation = tokens }
}

// WithBlankReplacement sends replacement, such as "-" or " ", for texts that are empty or blank.
// Default: such a text is an error, since the engines refuse the whole batch for one of them.
func WithBlankReplacement(replacement string) EmbedderOption {
	return func(c *embedderConfig) { c.blankReplacement = &replacement }
}

// WithEmbedTimeout limits each request. Default: [DefaultTimeout].
func WithEmbedTimeout(d time.Duration) EmbedderOption {
	return func(c *embedderConfig) { c.timeout = d }
}

// WithEmbedProgress calls f after each request of an EmbedDocuments, one call at a time, with how
// many of the texts have their vector.
func WithEmbedProgress(f func(done, total int)) EmbedderOption {
	return func(c *embedderConfig) { c.onProgress = f }
}

// WithEmbedUsageFunc makes each request report its tokens to f.
func WithEmbedUsageFunc(f UsageFunc) EmbedderOption { return func(c *embedderConfig) { c.onUsage = f } }

// WithPrefixes puts p before each query and document. Default: none. An index must be searched with
// the prefixes that it was made with.
func WithPrefixes(p Prefixes) EmbedderOption { return func(c *embedderConfig) { c.prefixes = p } }

// WithModelPrefixes puts the prefixes of [ModelPrefixes] before each query and document; a model
// without an entry there is an error.
func WithModelPrefixes() EmbedderOption { return func(c *embedderConfig) { c.modelPrefixes = true } }
