// Command babyapi makes one call with babyclient: babyapi chat|stream|embed|upload URL [TEXT... or FILE].
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/babyapi-org/babyapi-go/babyclient"
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
	c, err := babyclient.New(babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL(url))
	if err != nil {
		return nil, err
	}
	req := &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("What is the capital of France?")}}
	switch op {
	case "chat":
		r, err := c.Chat(ctx, req)
		if err != nil {
			return nil, err
		}
		return len(r.Text()), nil
	case "stream":
		n := 0
		for chunk, err := range c.ChatStream(ctx, req) {
			if err != nil {
				return nil, err
			}
			n += len(chunk.Text())
		}
		return n, nil
	case "embed":
		r, err := c.Embed(ctx, &babyclient.EmbedRequest{Model: "m", Input: args})
		if err != nil {
			return nil, err
		}
		return len(r.Vectors) * r.Dimensions(), nil
	case "upload":
		r, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromFile(args[0])}})
		if err != nil {
			return nil, err
		}
		return r.Document().Markdown, nil
	}
	return nil, fmt.Errorf("no operation %q", op)
}
