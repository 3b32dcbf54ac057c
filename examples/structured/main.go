// Command structured has a model answer with a Go value, through langchaingo.
//
//	go run ./examples/structured "Ada wants to see Oslo for four days."
//
// The model of the local stack is too small to understand the text; the form of its answer is right
// all the same, because the engine lets it write nothing else.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

// trip is what the answer holds. Its fields and tags are the schema that the model follows.
type trip struct {
	City  string `json:"city" jsonschema:"enum=Oslo,enum=Paris"`
	Days  int    `json:"days" jsonschema:"minimum=1,maximum=30"`
	Guest string `json:"guest" jsonschema_description:"first name of who travels" jsonschema:"maxLength=20"`
}

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"), "chat `model`")
	flag.Parse()
	text := cmp.Or(strings.Join(flag.Args(), " "), "Ada wants to see Oslo for four days.")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, text); err != nil {
		fmt.Fprintln(os.Stderr, "structured:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, text string) error {
	llm, err := provider.New(provider.WithModel(model))
	if err != nil {
		return err
	}
	messages := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You read what people write about a trip, and fill in a form."),
		llms.TextParts(llms.ChatMessageTypeHuman, text),
	}
	t, resp, err := provider.GenerateJSON[trip](ctx, llm, messages, llms.WithTemperature(0), llms.WithMaxTokens(200))
	if err != nil {
		return err
	}
	fmt.Printf("city: %s\ndays: %d\nguest: %s\n", babyclient.Printable(t.City), t.Days, babyclient.Printable(t.Guest))
	fmt.Printf("(%d tokens)\n", resp.Choices[0].GenerationInfo["TotalTokens"])
	return nil
}
