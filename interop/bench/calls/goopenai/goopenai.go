// Package goopenai makes the calls with go-openai.
package goopenai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/sashabaranov/go-openai"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	config := openai.DefaultConfig(calls.Key)
	config.BaseURL = base + "/v1"
	if hc != nil {
		config.HTTPClient = hc
	}
	c := openai.NewClientWithConfig(config)
	ctx := context.Background()
	embed := func(format openai.EmbeddingEncodingFormat) calls.Call {
		return func(func(string)) (any, error) {
			req := openai.EmbeddingRequest{Model: calls.Model, Input: in.Texts, EncodingFormat: format}
			r, err := c.CreateEmbeddings(ctx, req)
			if err != nil {
				return nil, err
			}
			vectors := make([][]float32, len(r.Data))
			for _, d := range r.Data {
				vectors[d.Index] = d.Embedding
			}
			return vectors, nil
		}
	}
	request := openai.ChatCompletionRequest{
		Model:    calls.Model,
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: calls.Prompt}},
	}
	withTool := request
	withTool.Tools = []openai.Tool{{
		Type:     openai.ToolTypeFunction,
		Function: &openai.FunctionDefinition{Name: calls.ToolName, Parameters: calls.ToolSchema},
	}}
	eachDelta := func(req openai.ChatCompletionRequest, f func(openai.ChatCompletionStreamChoiceDelta)) error {
		s, err := c.CreateChatCompletionStream(ctx, req)
		if err != nil {
			return err
		}
		defer s.Close() //nolint:errcheck // the answer was read
		for {
			chunk, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			for i := range chunk.Choices {
				f(chunk.Choices[i].Delta)
			}
		}
	}
	return calls.Client{
		calls.EmbedDefault: embed(""),
		calls.EmbedFloat:   embed(openai.EmbeddingEncodingFormatFloat),
		calls.EmbedBase64:  embed(openai.EmbeddingEncodingFormatBase64),
		calls.Stream: func(piece func(string)) (any, error) {
			return nil, eachDelta(request, func(d openai.ChatCompletionStreamChoiceDelta) { piece(d.Content) })
		},
		calls.Collect: func(func(string)) (any, error) {
			var text strings.Builder
			err := eachDelta(request, func(d openai.ChatCompletionStreamChoiceDelta) { text.WriteString(d.Content) })
			return text.String(), err
		},
		calls.ToolStream: func(func(string)) (any, error) {
			var arguments strings.Builder
			err := eachDelta(withTool, func(d openai.ChatCompletionStreamChoiceDelta) {
				for i := range d.ToolCalls {
					arguments.WriteString(d.ToolCalls[i].Function.Arguments)
				}
			})
			return arguments.String(), err
		},
		calls.Chat: func(func(string)) (any, error) {
			r, err := c.CreateChatCompletion(ctx, request)
			if err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
		calls.Upload: func(func(string)) (any, error) {
			req := openai.FileRequest{FileName: "upload.bin", FilePath: in.File, Purpose: "assistants"}
			_, err := c.CreateFile(ctx, req)
			return "received", err
		},
	}, nil
}
