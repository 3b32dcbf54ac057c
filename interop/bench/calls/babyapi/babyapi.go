// Package babyapi makes the calls with babyclient.
package babyapi

import (
	"context"
	"net/http"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	opts := []babyclient.Option{babyclient.WithAPIKey(calls.Key), babyclient.WithBaseURL(base)}
	if hc != nil {
		opts = append(opts, babyclient.WithHTTPClient(hc))
	}
	c, err := babyclient.New(opts...)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	embed := func(format string) calls.Call {
		return func(func(string)) (any, error) {
			req := &babyclient.EmbedRequest{Model: calls.Model, Input: in.Texts, EncodingFormat: format}
			r, err := c.Embed(ctx, req)
			if err != nil {
				return nil, err
			}
			return r.Vectors, nil
		}
	}
	request := func() *babyclient.ChatRequest {
		return &babyclient.ChatRequest{
			Model: calls.Model, Messages: []babyclient.Message{babyclient.User(calls.Prompt)},
		}
	}
	convert := func(source babyclient.Source) (any, error) {
		r, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: []babyclient.Source{source}})
		if err != nil {
			return nil, err
		}
		return r.Document().Markdown, nil
	}
	return calls.Client{
		calls.EmbedDefault: embed(""),
		calls.EmbedFloat:   embed("float"),
		calls.EmbedBase64:  embed("base64"),
		calls.Stream: func(piece func(string)) (any, error) {
			for chunk, err := range c.ChatStream(ctx, request()) {
				if err != nil {
					return nil, err
				}
				piece(chunk.Text())
			}
			return nil, nil
		},
		calls.Collect: func(func(string)) (any, error) {
			r, err := babyclient.Collect(c.ChatStream(ctx, request()))
			if err != nil {
				return nil, err
			}
			return r.Text(), nil
		},
		calls.ToolStream: func(func(string)) (any, error) {
			req := request()
			req.Tools = []babyclient.Tool{babyclient.FunctionTool(calls.ToolName, "", calls.ToolSchema)}
			r, err := babyclient.Collect(c.ChatStream(ctx, req))
			if err != nil || len(r.ToolCalls()) != 1 {
				return nil, err
			}
			return r.ToolCalls()[0].Function.Arguments, nil
		},
		calls.Chat: func(func(string)) (any, error) {
			r, err := c.Chat(ctx, request())
			if err != nil {
				return nil, err
			}
			return r.Text(), nil
		},
		calls.Rerank: func(func(string)) (any, error) {
			req := &babyclient.RerankRequest{Model: calls.Model, Query: calls.Query, Documents: in.Documents}
			r, err := c.Rerank(ctx, req)
			if err != nil {
				return nil, err
			}
			var order []int
			for _, result := range r.Results {
				order = append(order, result.Index)
			}
			return order, nil
		},
		calls.Docling: func(func(string)) (any, error) { return convert(babyclient.FromURL(calls.URL)) },
		calls.Upload:  func(func(string)) (any, error) { return convert(babyclient.FromFile(in.File)) },
	}, nil
}
