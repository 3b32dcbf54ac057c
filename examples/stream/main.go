// Command stream prints an answer while it is being written. Ctrl-C closes the
// connection, which ends the generation.
//
//	go run ./examples/stream "Why is the sea salty?"
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"), "`model` to ask")
	flag.Parse()
	question := cmp.Or(strings.Join(flag.Args(), " "), "Why is the sea salty? Answer in two sentences.")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, question); err != nil {
		fmt.Fprintln(os.Stderr, "stream:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, question string) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	req := &babyclient.ChatRequest{
		Model:         model,
		Messages:      []babyclient.Message{babyclient.User(question)},
		MaxTokens:     new(300),
		StreamOptions: &babyclient.StreamOptions{IncludeUsage: true},
	}
	for chunk, err := range client.ChatStream(ctx, req) {
		if errors.Is(err, context.Canceled) {
			fmt.Println("\n(stopped)")
			return nil
		}
		if err != nil {
			return err
		}
		if chunk.Err() != nil { // an event that could not be decoded
			return chunk.Err()
		}
		fmt.Print(babyclient.Printable(chunk.Text()))
		if u := chunk.Usage; u != nil {
			fmt.Printf("\n(%d tokens of prompt, %d of answer)\n", u.PromptTokens, u.CompletionTokens)
		}
	}
	return nil
}
