// Command langchaingo makes one call with langchaingo's openai provider: langchaingo chat|stream|embed URL [TEXT...].
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
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
	llm, err := openai.New(openai.WithToken("benchmark-key"), openai.WithBaseURL(url+"/v1"), openai.WithModel("m"), openai.WithEmbeddingModel("m"))
	if err != nil {
		return nil, err
	}
	n := 0
	switch op {
	case "chat":
		text, err := llms.GenerateFromSinglePrompt(ctx, llm, "What is the capital of France?")
		return len(text), err
	case "stream":
		_, err := llms.GenerateFromSinglePrompt(ctx, llm, "What is the capital of France?", llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			n += len(piece)
			return nil
		}))
		return n, err
	case "embed":
		vectors, err := llm.CreateEmbedding(ctx, args)
		for _, v := range vectors {
			n += len(v)
		}
		return n, err
	}
	return nil, fmt.Errorf("no operation %q", op)
}
