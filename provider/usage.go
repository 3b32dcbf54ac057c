package provider

import (
	"context"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Usage is how many tokens one request took.
type Usage struct {
	// Operation is "chat", "embeddings" or "rerank".
	Operation string
	// Model is the one that answered.
	Model string
	babyclient.Usage
}

// UsageFunc is called with the usage of each request whose answer reports it. Concurrent calls of a
// model call it concurrently.
type UsageFunc func(context.Context, Usage)

// report calls f, unless f is nil or the answer had no usage.
func (f UsageFunc) report(ctx context.Context, operation, model string, usage *babyclient.Usage) {
	if f != nil && usage != nil {
		f(ctx, Usage{Operation: operation, Model: model, Usage: *usage})
	}
}
