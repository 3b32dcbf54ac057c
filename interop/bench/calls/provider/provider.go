// Package provider makes the calls with this project's provider for langchaingo.
package provider

import (
	"net/http"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/langchaingo"
	"github.com/babyapi-org/babyapi-go/provider"
)

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	opts := []provider.Option{
		provider.WithToken(calls.Key), provider.WithBaseURL(base),
		provider.WithModel(calls.Model), provider.WithEmbeddingModel(calls.Model),
	}
	if hc != nil {
		opts = append(opts, provider.WithHTTPClient(hc))
	}
	llm, err := provider.New(opts...)
	if err != nil {
		return nil, err
	}
	return langchaingo.Client(llm, in), nil
}
