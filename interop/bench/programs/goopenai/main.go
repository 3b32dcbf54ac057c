// Command goopenai makes one call with go-openai: goopenai chat|stream|embed|upload URL [TEXT... or FILE].
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sashabaranov/go-openai"
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
	config := openai.DefaultConfig("benchmark-key")
	config.BaseURL = url + "/v1"
	c := openai.NewClientWithConfig(config)
	req := openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "What is the capital of France?"}}}
	switch op {
	case "chat":
		r, err := c.CreateChatCompletion(ctx, req)
		if err != nil {
			return nil, err
		}
		return len(r.Choices[0].Message.Content), nil
	case "stream":
		s, err := c.CreateChatCompletionStream(ctx, req)
		if err != nil {
			return nil, err
		}
		n := 0
		for {
			chunk, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return n, s.Close()
			}
			if err != nil {
				return nil, err
			}
			n += len(chunk.Choices[0].Delta.Content)
		}
	case "embed":
		r, err := c.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: "m", Input: args})
		if err != nil {
			return nil, err
		}
		return len(r.Data) * len(r.Data[0].Embedding), nil
	case "upload":
		_, err := c.CreateFile(ctx, openai.FileRequest{FileName: "upload.bin", FilePath: args[0], Purpose: "assistants"})
		return "received", err
	}
	return nil, fmt.Errorf("no operation %q", op)
}
