// Command embeddings finds the sentences that are nearest to a question in
// meaning.
//
//	go run ./examples/embeddings "Where do I leave the bike?"
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

var sentences = []string{
	"Bicycles are parked in the yard behind the house.",
	"The canteen serves lunch from noon to two.",
	"The heating is repaired by the janitor.",
	"Parcels are kept at the reception for a week.",
}

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_EMBED_MODEL"), "all-minilm-l6-v2"), "embedding `model`")
	flag.Parse()
	question := cmp.Or(strings.Join(flag.Args(), " "), "Where can I eat something?")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, question); err != nil {
		fmt.Fprintln(os.Stderr, "embeddings:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, question string) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	resp, err := client.Embed(ctx, &babyclient.EmbedRequest{
		Model: model,
		Input: append([]string{question}, sentences...),
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%d vectors of %d numbers\n", question, len(resp.Vectors), resp.Dimensions())
	asked, vectors := resp.Vectors[0], resp.Vectors[1:]
	order := []int{0, 1, 2, 3}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(cosine(asked, vectors[b]), cosine(asked, vectors[a]))
	})
	for _, i := range order {
		fmt.Printf("  %.2f  %s\n", cosine(asked, vectors[i]), sentences[i])
	}
	return nil
}

// cosine is the similarity of two vectors, -1 to 1.
func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}
