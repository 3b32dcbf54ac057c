// Command chat holds a conversation: each line that it reads is a question, and
// the model sees all that was said before.
//
//	go run ./examples/chat
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"),
		"`model` to talk to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the next Ctrl-C ends the wait for a line
	if err := run(ctx, *model); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model string) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	conversation := []babyclient.Message{babyclient.System("Be brief.")}
	fmt.Println("Ask something; an empty line ends it.")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() && lines.Text() != "" {
		conversation = append(conversation, babyclient.User(lines.Text()))
		resp, err := client.Chat(ctx, &babyclient.ChatRequest{
			Model:       model,
			Messages:    conversation,
			Temperature: new(0.0),
			MaxTokens:   new(300),
		})
		if err != nil {
			return err
		}
		conversation = append(conversation, resp.Message())
		fmt.Println(babyclient.Printable(resp.Text()))
		if resp.FinishReason() == babyclient.FinishLength {
			fmt.Println("(cut at 300 tokens)")
		}
	}
	return lines.Err()
}
