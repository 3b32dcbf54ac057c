// Command rag answers questions from documents: it converts them, cuts them into
// chunks, embeds these, finds the passages for a question by meaning and by
// keywords, reranks what both found, and has a model answer from the best one.
//
//	go run ./examples/rag                                  # the demo, on two documents of its own
//	go run ./examples/rag -q "Who signs?" contract.pdf …   # your question, your documents
//
// It uses the service that BABYAPI_BASE_URL names (with BABYAPI_API_KEY), else
// the local stack that runs on 127.0.0.1:8787, else it starts one and ends it.
//
// The local stack has no rerank model, so it reranks by comparing embeddings. The
// keyword search then adds passages to choose from, but the choice is made by meaning
// alone: of two passages that differ only in a code ("What does E47 mean?") it can
// take the wrong one. A rerank model reads the question and the passage together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

const (
	candidates = 5 // passages that each of the two searches finds
	shown      = 3 // passages that are left after reranking
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	out := newOutput(os.Stdout, os.Stderr)
	err := run(ctx, os.Args[1:], out)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		out.progress("")
		fmt.Fprintln(out.messages, "rag:", explain(ctx, err))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out *output) (err error) {
	c, err := parse(args, out.messages)
	if err != nil {
		return err
	}
	if len(c.files) == 0 {
		remove, err := c.takeDemo()
		if err != nil {
			return err
		}
		defer remove()
	}

	start := time.Now()
	s, err := findService(ctx, usualAddr, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.started != nil {
		out.add("start", 1, "local stack", start)
	}
	fmt.Fprintf(out.results, "Service: %s\n", s.client.BaseURL())

	passages, err := load(ctx, s.client, c.files, out)
	if err != nil {
		return err
	}

	x, err := newIndex(ctx, s.client, c, passages, out)
	if err != nil {
		return err
	}
	model, err := provider.NewFromClient(s.client, provider.WithModel(c.chatModel))
	if err != nil {
		return err
	}
	for _, question := range c.questions {
		fmt.Fprintf(out.results, "\nQuestion: %s\n", question)

		top, err := x.find(ctx, question, out)
		if err != nil {
			return err
		}
		for _, p := range top {
			fmt.Fprintf(out.results, "  %.2f  %s\n        %s\n", p.Score, source(p), shorten(body(p), 100))
		}

		start := time.Now()
		fmt.Fprint(out.results, "Answer: ")
		if err := answer(ctx, model, question, top[0], out.results); err != nil {
			return err
		}
		out.add("answer", 1, "answers", start)
	}

	if c.mcp {
		fmt.Fprintf(out.results, "\nThe same through babyapi-mcp: %s\n", c.questions[0])
		if err := overMCP(ctx, s, c.files, c.questions[0], passages, c.rerankModel, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out.results)
	out.table()
	return nil
}

// load converts the files and cuts them into chunks, along their headings and as
// long as the embedding model takes.
func load(ctx context.Context, client *babyclient.Client, files []string, out *output) ([]schema.Document, error) {
	start := time.Now()
	out.progress("converting %d documents", len(files))
	loader, err := provider.NewLoader(client,
		provider.WithFiles(files...),
		provider.WithMode(provider.PerChunk),
		provider.WithChunker(babyclient.ChunkerHybrid),
		provider.WithBatchOptions(babyclient.BatchOptions{Progress: func(p babyclient.BatchProgress) {
			out.progress("converting: %d of %d documents, last %s", p.Done, p.Total, p.Name)
		}}))
	if err != nil {
		return nil, err
	}
	passages, err := loader.Load(ctx)
	if err != nil {
		return nil, err
	}
	out.add("convert and chunk", len(files), "documents", start)
	fmt.Fprintf(out.results, "%d documents, %d chunks\n", len(files), len(passages))
	if len(passages) == 0 {
		return nil, fmt.Errorf("there is no text in %s: give a document that holds some", strings.Join(files, ", "))
	}
	return passages, nil
}

// index finds the passages for a question.
type index struct {
	search   union
	reranker *provider.Reranker
}

func newIndex(
	ctx context.Context, client *babyclient.Client, c *config, passages []schema.Document, out *output,
) (*index, error) {
	start := time.Now()
	embedder, err := provider.NewEmbedder(client, c.embedModel, provider.WithEmbedProgress(func(done, total int) {
		out.progress("embedding: %d of %d chunks", done, total)
	}))
	if err != nil {
		return nil, err
	}
	store := &memoryStore{embedder: embedder}
	if _, err := store.AddDocuments(ctx, passages); err != nil {
		return nil, err
	}
	out.add("embed", len(passages), "chunks", start)

	reranker, err := provider.NewReranker(client, c.rerankModel)
	if err != nil {
		return nil, err
	}
	return &index{reranker: reranker, search: union{
		vectorstores.ToRetriever(store, candidates), // by meaning
		newKeywordIndex(passages, candidates),       // by keywords
	}}, nil
}

// find returns the best passages, best first.
func (x *index) find(ctx context.Context, question string, out *output) ([]schema.Document, error) {
	start := time.Now()
	found, err := x.search.GetRelevantDocuments(ctx, question)
	if err != nil {
		return nil, err
	}
	out.add("search", 1, "questions", start)

	start = time.Now()
	top, err := x.reranker.Rerank(ctx, question, found, shown)
	if err != nil {
		return nil, err
	}
	out.add("rerank", len(found), "passages", start)
	return top, nil
}

// answer streams the answer that the model finds in the passage. The examples
// before the question help a small model; a large one can do without them.
func answer(ctx context.Context, model llms.Model, question string, passage schema.Document, w io.Writer) error {
	ask := func(passage, question string) llms.MessageContent {
		return llms.TextParts(llms.ChatMessageTypeHuman, fmt.Sprintf("Passage: %s\n\nQuestion: %s", passage, question))
	}
	reply := func(text string) llms.MessageContent { return llms.TextParts(llms.ChatMessageTypeAI, text) }
	messages := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Answer the question in one sentence from the passage."),
		ask("Red lamp\nThe red lamp is on when the door is open. Close the door.",
			"The red lamp is on. What does that mean?"),
		reply("It means that the door is open."),
		ask("Library\nBooks may be kept for 21 days. A late book costs 2 euros per week.",
			"How long may I keep a book?"),
		reply("Books may be kept for 21 days."),
		ask("Rooms\nThe rooms differ in size.\nRed room, Seats = 12. Blue room, Seats = 300. Green room, Seats = 40.",
			"How many seats has the red room?"),
		reply("The red room has 12 seats."),
		ask(heading(passage)+"\n"+body(passage), question),
	}
	resp, err := model.GenerateContent(ctx, messages, llms.WithTemperature(0), llms.WithMaxTokens(400),
		llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			_, err := w.Write(piece)
			return err
		}))
	if err == nil && resp.Choices[0].StopReason == babyclient.FinishLength {
		fmt.Fprint(w, " … (cut at 400 tokens)")
	}
	fmt.Fprintln(w)
	return err
}
