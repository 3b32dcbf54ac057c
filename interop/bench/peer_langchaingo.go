package main

import (
	"net/http"

	"github.com/tmc/langchaingo/llms/openai"
)

func dialLangchain(a *answers, base string, hc *http.Client) (client, error) {
	opts := []openai.Option{openai.WithToken("benchmark-key"), openai.WithBaseURL(base + "/v1"), openai.WithModel(model), openai.WithEmbeddingModel(model)}
	if hc != nil {
		opts = append(opts, openai.WithHTTPClient(hc))
	}
	llm, err := openai.New(opts...)
	if err != nil {
		return nil, err
	}
	c := langchainClient(a, llm)
	c[embedFloat] = c[embedDefault] // it cannot ask for base64
	return c, nil
}
