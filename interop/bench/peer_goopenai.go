package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/sashabaranov/go-openai"
)

func dialGoOpenAI(a *answers, base string, hc *http.Client) (client, error) {
	config := openai.DefaultConfig("benchmark-key")
	config.BaseURL = base + "/v1"
	if hc != nil {
		config.HTTPClient = hc
	}
	c := openai.NewClientWithConfig(config)
	ctx := context.Background()
	texts := a.inputs()
	embed := func(format openai.EmbeddingEncodingFormat) func(func(string)) (any, error) {
		return func(func(string)) (any, error) {
			r, err := c.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: model, Input: texts, EncodingFormat: format})
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
	request := openai.ChatCompletionRequest{Model: model, Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}}}
	each := func(req openai.ChatCompletionRequest, f func(openai.ChatCompletionStreamChoiceDelta)) error {
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
	return client{
		embedDefault: embed(""), embedFloat: embed(openai.EmbeddingEncodingFormatFloat), embedBase64: embed(openai.EmbeddingEncodingFormatBase64),
		stream: func(sink func(string)) (any, error) {
			return nil, each(request, func(d openai.ChatCompletionStreamChoiceDelta) { sink(d.Content) })
		},
		collect: func(func(string)) (any, error) {
			var text strings.Builder
			err := each(request, func(d openai.ChatCompletionStreamChoiceDelta) { text.WriteString(d.Content) })
			return text.String(), err
		},
		toolStream: func(func(string)) (any, error) {
			req := request
			req.Tools = []openai.Tool{{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: toolName, Parameters: toolSchema}}}
			var arguments strings.Builder
			err := each(req, func(d openai.ChatCompletionStreamChoiceDelta) {
				for i := range d.ToolCalls {
					arguments.WriteString(d.ToolCalls[i].Function.Arguments)
				}
			})
			return arguments.String(), err
		},
		chat: func(func(string)) (any, error) {
			r, err := c.CreateChatCompletion(ctx, request)
			if err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
	}, nil
}
