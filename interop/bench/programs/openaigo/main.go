// Command openaigo makes one call with openai-go: openaigo chat|stream|embed|upload URL [TEXT... or FILE].
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	said, err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(said)
}

func run(ctx context.Context, op, url string, args []string) (any, error) {
	c := openai.NewClient(option.WithAPIKey("benchmark-key"), option.WithBaseURL(url+"/v1/"))
	req := openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("What is the capital of France?")}}
	switch op {
	case "chat":
		r, err := c.Chat.Completions.New(ctx, req)
		if err != nil {
			return nil, err
		}
		return len(r.Choices[0].Message.Content), nil
	case "stream":
		s := c.Chat.Completions.NewStreaming(ctx, req)
		n := 0
		for s.Next() {
			n += len(s.Current().Choices[0].Delta.Content)
		}
		return n, s.Err()
	case "embed":
		r, err := c.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: "m", Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: args}})
		if err != nil {
			return nil, err
		}
		return len(r.Data) * len(r.Data[0].Embedding), nil
	case "upload":
		f, err := os.Open(args[0])
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		_, err = c.Files.New(ctx, openai.FileNewParams{File: f, Purpose: openai.FilePurposeAssistants})
		return "received", err
	}
	return nil, fmt.Errorf("no operation %q", op)
}
