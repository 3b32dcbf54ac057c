// Command rerank finds the passages of documents that answer a question best.
//
//	go run ./examples/rerank "The display shows E31. What does it mean?" FILE...
//
// It is a langchaingo loader and a reranker, without a vector store between them: right for a few
// documents. The local stack compares embeddings, which find the topic; a rerank model reads
// question and passage together.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

func main() {
	model := flag.String("model", cmp.Or(os.Getenv("BABYAPI_RERANK_MODEL"), "all-minilm-l6-v2"), "rerank `model`")
	top := flag.Int("top", 3, "`number` of passages to show")
	flag.Parse()
	question := "The display shows E31. What does it mean?"
	files := []string{"examples/rag/documents/t90-service-manual.pdf"}
	if flag.NArg() > 0 {
		question = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		files = flag.Args()[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *model, *top, question, files); err != nil {
		fmt.Fprintln(os.Stderr, "rerank:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model string, top int, question string, files []string) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	loader, err := provider.NewLoader(client, provider.WithFiles(files...), provider.WithMode(provider.PerChunk))
	if err != nil {
		return err
	}
	passages, err := loader.Load(ctx)
	if err != nil {
		return err
	}
	reranker, err := provider.NewReranker(client, model)
	if err != nil {
		return err
	}
	best, err := reranker.Rerank(ctx, question, passages, top)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%d of %d passages:\n", question, len(best), len(passages))
	for _, p := range best {
		where := fmt.Sprint(p.Metadata[provider.MetadataFilename])
		if page, ok := p.Metadata[provider.MetadataPage]; ok {
			where += fmt.Sprintf(", page %d", page)
		}
		fmt.Printf("  %.2f  %s\n        (%s)\n", p.Score, oneLine(p.PageContent, 90), where)
	}
	return nil
}

// oneLine is the start of a text on one line.
func oneLine(text string, limit int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > limit {
		r = append(r[:limit], '…')
	}
	return babyclient.Printable(string(r))
}
