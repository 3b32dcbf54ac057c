// Package openaigo makes the calls with openai-go.
package openaigo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	opts := []option.RequestOption{option.WithAPIKey(calls.Key), option.WithBaseURL(base + "/v1/")}
	if hc != nil {
		opts = append(opts, option.WithHTTPClient(hc))
	}
	c := openai.NewClient(opts...)
	ctx := context.Background()
	embed := func(format openai.EmbeddingNewParamsEncodingFormat) (*openai.CreateEmbeddingResponse, error) {
		return c.Embeddings.New(ctx, openai.EmbeddingNewParams{
			Model:          calls.Model,
			Input:          openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: in.Texts},
			EncodingFormat: format,
		})
	}
	floats := func(format openai.EmbeddingNewParamsEncodingFormat) calls.Call {
		return func(func(string)) (any, error) {
			r, err := embed(format)
			if err != nil {
				return nil, err
			}
			vectors := make([][]float64, len(r.Data))
			for i := range r.Data {
				vectors[r.Data[i].Index] = r.Data[i].Embedding
			}
			return vectors, nil
		}
	}
	request := openai.ChatCompletionNewParams{
		Model:    calls.Model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(calls.Prompt)},
	}
	withTool := request
	withTool.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
		shared.FunctionDefinitionParam{Name: calls.ToolName, Parameters: calls.ToolSchema})}
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
	return calls.Client{
		calls.EmbedDefault: floats(""),
		calls.EmbedFloat:   floats(openai.EmbeddingNewParamsEncodingFormatFloat),
		// It asks for base64 and does not decode it: that is left to its caller.
		calls.EmbedBase64: func(func(string)) (any, error) {
			r, err := embed(openai.EmbeddingNewParamsEncodingFormatBase64)
			if err != nil {
				return nil, err
			}
			vectors := make([][]float32, len(r.Data))
			for i := range r.Data {
				var text string
				if err := json.Unmarshal([]byte(r.Data[i].JSON.Embedding.Raw()), &text); err != nil {
					return nil, err
				}
				if vectors[r.Data[i].Index], err = calls.DecodeBase64(text); err != nil {
					return nil, err
				}
			}
			return vectors, nil
		},
		calls.Stream: func(piece func(string)) (any, error) {
			s := c.Chat.Completions.NewStreaming(ctx, request)
			defer s.Close() //nolint:errcheck // the answer was read
			for s.Next() {
				chunk := s.Current()
				for i := range chunk.Choices {
					piece(chunk.Choices[i].Delta.Content)
				}
			}
			return nil, s.Err()
		},
		calls.Collect: func(func(string)) (any, error) {
			acc, err := accumulate(request)
			if err != nil {
				return nil, err
			}
			return acc.Choices[0].Message.Content, nil
		},
		calls.ToolStream: func(func(string)) (any, error) {
			acc, err := accumulate(withTool)
			if err != nil {
				return nil, err
			}
			return acc.Choices[0].Message.ToolCalls[0].Function.Arguments, nil
		},
		calls.Chat: func(func(string)) (any, error) {
			r, err := c.Chat.Completions.New(ctx, request)
			if err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
		calls.Rerank: func(func(string)) (any, error) { // through its escape hatch
			var r calls.RerankAnswer
			req := map[string]any{"model": calls.Model, "query": calls.Query, "documents": in.Documents}
			err := c.Post(ctx, "rerank", req, &r)
			return r.Order(), err
		},
		calls.Upload: func(func(string)) (any, error) {
			f, err := os.Open(in.File)
			if err != nil {
				return nil, err
			}
			defer f.Close() //nolint:errcheck // only read
			_, err = c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeAssistants})
			return "received", err
		},
	}, nil
}
