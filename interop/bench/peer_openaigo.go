package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

func dialOpenAIGo(a *answers, base string, hc *http.Client) (client, error) {
	opts := []option.RequestOption{option.WithAPIKey("benchmark-key"), option.WithBaseURL(base + "/v1/")}
	if hc != nil {
		opts = append(opts, option.WithHTTPClient(hc))
	}
	c := openai.NewClient(opts...)
	ctx := context.Background()
	texts, documents := a.inputs(), a.documents()
	embed := func(format openai.EmbeddingNewParamsEncodingFormat) func(func(string)) (any, error) {
		return func(func(string)) (any, error) {
			r, err := c.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts}, EncodingFormat: format})
			if err != nil {
				return nil, err
			}
			if format == openai.EmbeddingNewParamsEncodingFormatBase64 {
				// It asks for base64 and does not decode it: that is left to its caller.
				vectors := make([][]float32, len(r.Data))
				for i := range r.Data {
					var text string
					if err := json.Unmarshal([]byte(r.Data[i].JSON.Embedding.Raw()), &text); err != nil {
						return nil, err
					}
					if vectors[r.Data[i].Index], err = decodeBase64(text); err != nil {
						return nil, err
					}
				}
				return vectors, nil
			}
			vectors := make([][]float64, len(r.Data))
			for i := range r.Data {
				vectors[r.Data[i].Index] = r.Data[i].Embedding
			}
			return vectors, nil
		}
	}
	request := openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)}}
	accumulate := func(req openai.ChatCompletionNewParams) (*openai.ChatCompletionAccumulator, error) {
		s := c.Chat.Completions.NewStreaming(ctx, req)
		defer s.Close() //nolint:errcheck // the answer was read
		var acc openai.ChatCompletionAccumulator
		for s.Next() {
			if !acc.AddChunk(s.Current()) {
				return nil, errors.New("the accumulator refused a chunk")
			}
		}
		return &acc, s.Err()
	}
	return client{
		embedDefault: embed(""), embedFloat: embed(openai.EmbeddingNewParamsEncodingFormatFloat), embedBase64: embed(openai.EmbeddingNewParamsEncodingFormatBase64),
		stream: func(sink func(string)) (any, error) {
			s := c.Chat.Completions.NewStreaming(ctx, request)
			defer s.Close() //nolint:errcheck // the answer was read
			for s.Next() {
				chunk := s.Current()
				for i := range chunk.Choices {
					sink(chunk.Choices[i].Delta.Content)
				}
			}
			return nil, s.Err()
		},
		collect: func(func(string)) (any, error) {
			acc, err := accumulate(request)
			if err != nil {
				return nil, err
			}
			return acc.Choices[0].Message.Content, nil
		},
		toolStream: func(func(string)) (any, error) {
			req := request
			req.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: toolName, Parameters: toolSchema})}
			acc, err := accumulate(req)
			if err != nil {
				return nil, err
			}
			return acc.Choices[0].Message.ToolCalls[0].Function.Arguments, nil
		},
		chat: func(func(string)) (any, error) {
			r, err := c.Chat.Completions.New(ctx, request)
			if err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
		rerank: func(func(string)) (any, error) { // through its escape hatch
			var r rerankAnswer
			if err := c.Post(ctx, "rerank", map[string]any{"model": model, "query": query, "documents": documents}, &r); err != nil {
				return nil, err
			}
			return r.order(), nil
		},
	}, nil
}
