package main

import (
	"context"
	"net/http"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

func dialOurs(a *answers, base string, hc *http.Client) (client, error) {
	opts := []babyclient.Option{babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL(base)}
	if hc != nil {
		opts = append(opts, babyclient.WithHTTPClient(hc))
	}
	c, err := babyclient.New(opts...)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	texts, documents := a.inputs(), a.documents()
	embed := func(format string) func(func(string)) (any, error) {
		return func(func(string)) (any, error) {
			r, err := c.Embed(ctx, &babyclient.EmbedRequest{Model: model, Input: texts, EncodingFormat: format})
			if err != nil {
				return nil, err
			}
			return r.Vectors, nil
		}
	}
	request := func() *babyclient.ChatRequest {
		return &babyclient.ChatRequest{Model: model, Messages: []babyclient.Message{babyclient.User(prompt)}}
	}
	return client{
		embedDefault: embed(""), embedFloat: embed("float"), embedBase64: embed("base64"),
		stream: func(sink func(string)) (any, error) {
			for chunk, err := range c.ChatStream(ctx, request()) {
				if err != nil {
					return nil, err
				}
				sink(chunk.Text())
			}
			return nil, nil
		},
		collect: func(func(string)) (any, error) {
			r, err := babyclient.Collect(c.ChatStream(ctx, request()))
			if err != nil {
				return nil, err
			}
			return r.Text(), nil
		},
		toolStream: func(func(string)) (any, error) {
			req := request()
			req.Tools = []babyclient.Tool{babyclient.FunctionTool(toolName, "", toolSchema)}
			r, err := babyclient.Collect(c.ChatStream(ctx, req))
			if err != nil || len(r.ToolCalls()) != 1 {
				return nil, err
			}
			return r.ToolCalls()[0].Function.Arguments, nil
		},
		chat: func(func(string)) (any, error) {
			r, err := c.Chat(ctx, request())
			if err != nil {
				return nil, err
			}
			return r.Text(), nil
		},
		rerank: func(func(string)) (any, error) {
			r, err := c.Rerank(ctx, &babyclient.RerankRequest{Model: model, Query: query, Documents: documents})
			if err != nil {
				return nil, err
			}
			var order []int
			for _, result := range r.Results {
				order = append(order, result.Index)
			}
			return order, nil
		},
		docling: func(func(string)) (any, error) {
			r, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromURL("https://example.com/report.pdf")}})
			if err != nil {
				return nil, err
			}
			return r.Document().Markdown, nil
		},
	}, nil
}

func dialProvider(a *answers, base string, hc *http.Client) (client, error) {
	opts := []provider.Option{provider.WithToken("benchmark-key"), provider.WithBaseURL(base), provider.WithModel(model), provider.WithEmbeddingModel(model)}
	if hc != nil {
		opts = append(opts, provider.WithHTTPClient(hc))
	}
	llm, err := provider.New(opts...)
	if err != nil {
		return nil, err
	}
	return langchainClient(a, llm), nil
}

// langchainModel is what langchaingo's own provider and ours have in common.
type langchainModel interface {
	llms.Model
	CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error)
}

func langchainClient(a *answers, llm langchainModel) client {
	ctx := context.Background()
	texts := a.inputs()
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, prompt)}
	generate := func(opts ...llms.CallOption) (any, error) {
		r, err := llm.GenerateContent(ctx, messages, opts...)
		if err != nil {
			return nil, err
		}
		if calls := r.Choices[0].ToolCalls; len(calls) == 1 {
			return calls[0].FunctionCall.Arguments, nil
		}
		return r.Choices[0].Content, nil
	}
	streaming := func(sink func(string)) llms.CallOption {
		return llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			sink(string(piece))
			return nil
		})
	}
	return client{
		embedDefault: func(func(string)) (any, error) { return llm.CreateEmbedding(ctx, texts) },
		stream: func(sink func(string)) (any, error) {
			_, err := generate(streaming(sink))
			return nil, err
		},
		collect: func(sink func(string)) (any, error) { return generate(streaming(sink)) },
		toolStream: func(sink func(string)) (any, error) {
			return generate(streaming(sink), llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: toolName, Parameters: toolSchema}}}))
		},
		chat: func(func(string)) (any, error) { return generate() },
	}
}
