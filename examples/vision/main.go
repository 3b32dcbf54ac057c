// Command vision asks about an image. It needs a model that sees: the model of
// the local stack reads text only, and the service then says so.
//
//	go run ./examples/vision -model Qwen/Qwen2.5-VL-7B-Instruct photo.jpg "What is this?"
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/signal"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"),
		"`model` that sees")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "vision:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model string, args []string) error {
	data, question := redSquare(), "What colour is this square?"
	if len(args) > 0 {
		var err error
		if data, err = os.ReadFile(args[0]); err != nil {
			return err
		}
		question = cmp.Or(strings.Join(args[1:], " "), "What is in this image?")
	}
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	resp, err := client.Chat(ctx, &babyclient.ChatRequest{
		Model: model,
		Messages: []babyclient.Message{babyclient.UserParts(
			babyclient.TextPart(question),
			babyclient.ImagePart(data),
		)},
		MaxTokens: new(300),
	})
	if err != nil {
		return err
	}
	fmt.Println(babyclient.Printable(resp.Text()))
	return nil
}

// redSquare is an image for those who give none.
func redSquare() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		img.Set(i%64, i/64, color.RGBA{R: 255, A: 255})
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory, where nothing fails
	return b.Bytes()
}
