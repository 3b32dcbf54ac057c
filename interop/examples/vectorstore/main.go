// Command vectorstore puts documents into a vector store of langchaingo's, finds passages by
// meaning, reranks them, and has a model answer from the best.
//
//	cd interop
//	go run ./examples/vectorstore -db postgres://localhost/docs "The display shows E31. What does it mean?" FILE...
//
// The database is a PostgreSQL with pgvector. Without one, and so that the example runs anywhere,
// the vectors are held in memory.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
	"github.com/tmc/langchaingo/vectorstores/pgvector"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

type config struct {
	db, chat, embed, rerank string
	question                string
	files                   []string
}

func main() {
	var c config
	flag.StringVar(&c.db, "db", "", "`URL` of a PostgreSQL with pgvector; without it, the vectors are held in memory")
	flag.StringVar(&c.chat, "model", cmp.Or(os.Getenv("BABYAPI_DEFAULT_MODEL"), "smollm2-135m-instruct"),
		"chat `model`")
	flag.StringVar(&c.embed, "embed", cmp.Or(os.Getenv("BABYAPI_EMBED_MODEL"), "all-minilm-l6-v2"), "embedding `model`")
	flag.StringVar(&c.rerank, "rerank", cmp.Or(os.Getenv("BABYAPI_RERANK_MODEL"), "all-minilm-l6-v2"), "rerank `model`")
	flag.Parse()
	c.question, c.files = "The display shows E31. What does it mean?",
		[]string{"../examples/rag/documents/t90-service-manual.pdf"}
	if flag.NArg() > 0 {
		c.question = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		c.files = flag.Args()[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "vectorstore:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config) error {
	client, err := babyclient.New()
	if err != nil {
		return err
	}
	loader, err := provider.NewLoader(client, provider.WithFiles(c.files...))
	if err != nil {
		return err
	}
	passages, err := loader.LoadAndSplit(ctx, nil) // nil: docling cuts, by structure
	if err != nil {
		return err
	}
	embedder, err := provider.NewEmbedder(client, c.embed)
	if err != nil {
		return err
	}
	store, end, err := open(ctx, c.db, embedder)
	if err != nil {
		return err
	}
	defer end()
	if _, err := store.AddDocuments(ctx, passages); err != nil {
		return err
	}
	reranker, err := provider.NewReranker(client, c.rerank)
	if err != nil {
		return err
	}
	best := vectorstores.ToRetriever(reranker.Store(store), 3)
	found, err := best.GetRelevantDocuments(ctx, c.question)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%d passages in the store, the best:\n", c.question, len(passages))
	for _, p := range found {
		fmt.Printf("  %.2f  %s\n", p.Score, babyclient.Printable(strings.Join(strings.Fields(p.PageContent), " ")))
	}
	llm, err := provider.NewFromClient(client, provider.WithModel(c.chat))
	if err != nil {
		return err
	}
	answer, err := chains.Run(ctx, chains.NewRetrievalQAFromLLM(llm, best), c.question, chains.WithTemperature(0),
		chains.WithMaxTokens(100))
	if err != nil {
		return err
	}
	fmt.Println("answer:", strings.TrimSpace(answer))
	return nil
}

// open opens the database, or memory where there is none.
func open(ctx context.Context, db string, embedder embeddings.Embedder) (_ vectorstores.VectorStore, end func(),
	_ error) {
	if db == "" {
		return &memory{embedder: embedder}, func() {}, nil
	}
	store, err := pgvector.New(ctx, pgvector.WithConnectionURL(db), pgvector.WithEmbedder(embedder),
		pgvector.WithCollectionName("babyapi-go-example"), pgvector.WithPreDeleteCollection(true))
	if err != nil {
		return nil, nil, fmt.Errorf("opening the database: %w", err)
	}
	return store, func() { _ = store.Close() }, nil // nothing is left to write
}

// memory is the smallest vectorstores.VectorStore: it compares the query with every vector.
type memory struct {
	embedder embeddings.Embedder
	docs     []schema.Document
	vectors  [][]float32
}

func (m *memory) AddDocuments(ctx context.Context, docs []schema.Document, _ ...vectorstores.Option) ([]string, error) {
	texts := make([]string, len(docs))
	ids := make([]string, len(docs))
	for i, d := range docs {
		texts[i], ids[i] = d.PageContent, fmt.Sprint(len(m.docs)+i)
	}
	vectors, err := m.embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	m.docs, m.vectors = append(m.docs, docs...), append(m.vectors, vectors...)
	return ids, nil
}

func (m *memory) SimilaritySearch(ctx context.Context, query string, n int,
	_ ...vectorstores.Option) ([]schema.Document, error) {
	asked, err := m.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(m.docs)
	for i, v := range m.vectors {
		out[i].Score = 0
		for j := range v {
			out[i].Score += v[j] * asked[j] // the vectors are of length 1
		}
	}
	slices.SortStableFunc(out, func(a, b schema.Document) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(n, len(out))], nil
}
