package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

//go:embed documents/*.pdf documents/*.docx
var documents embed.FS

// The demo, which runs without -q and files. Each answer stands in one place of one document.
var demoDocuments = []string{"t90-service-manual.pdf", "travel-policy.docx"}

var demoQuestions = []string{
	"How often must the desiccant cartridge be replaced?",
	"What is the limit per night for a hotel in Oslo?",
	"The display shows E31. What does that mean?",
}

// config is what the command line says.
type config struct {
	chatModel, embedModel, rerankModel string
	questions, files                   []string // no files: the demo
	mcp                                bool     // convert and rerank through babyapi-mcp too
}

// parse reads the command line and looks at the files, before anything is started.
func parse(args []string, messages io.Writer) (*config, error) {
	c := &config{}
	fs := flag.NewFlagSet("rag", flag.ContinueOnError)
	fs.SetOutput(messages)
	fs.Usage = func() {
		fmt.Fprint(messages, "usage: rag                                the demo\n"+
			"       rag [FLAG...] -q QUESTION FILE...      your question, your documents\n\n")
		fs.PrintDefaults()
	}
	question := fs.String("q", "", "the `question` to answer from the files")
	fs.StringVar(&c.chatModel, "chat-model", modelFromEnv("BABYAPI_DEFAULT_MODEL", local.ChatModel),
		"`model` that answers (BABYAPI_DEFAULT_MODEL)")
	fs.StringVar(&c.embedModel, "embed-model", modelFromEnv("BABYAPI_EMBED_MODEL", local.EmbedModel),
		"`model` of the embeddings (BABYAPI_EMBED_MODEL)")
	fs.StringVar(&c.rerankModel, "rerank-model", modelFromEnv("BABYAPI_RERANK_MODEL", local.EmbedModel),
		"`model` that reranks (BABYAPI_RERANK_MODEL)")
	fs.BoolVar(&c.mcp, "mcp", false, "convert and rerank once more through babyapi-mcp, as the demo does")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	c.questions, c.files = []string{*question}, fs.Args()
	switch {
	case *question == "" && len(c.files) == 0:
		return c, nil
	case strings.TrimSpace(*question) == "":
		return nil, fmt.Errorf("no question for %s: give one with -q, before the files", strings.Join(c.files, ", "))
	case len(c.files) == 0:
		return nil, fmt.Errorf("no documents for the question %q: name the files after it", *question)
	}
	for i, f := range c.files {
		st, err := os.Stat(f)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: give the path of a document", err)
		case st.IsDir():
			return nil, fmt.Errorf("%s is a folder: give the documents in it", f)
		case st.Size() == 0:
			return nil, fmt.Errorf("%s is empty: give a document that holds something", f)
		}
		if c.files[i], err = filepath.Abs(f); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// modelFromEnv is the model that the environment names, but only if the environment
// names the service too: the local stack has no model of the hosted service.
func modelFromEnv(name, ofLocalStack string) string {
	if model := os.Getenv(name); model != "" && os.Getenv("BABYAPI_BASE_URL") != "" {
		return model
	}
	return ofLocalStack
}

// takeDemo sets the questions and the documents of the demo. The documents are written
// into a folder, so that the MCP server too can read them; remove removes the folder.
func (c *config) takeDemo() (remove func(), err error) {
	dir, err := os.MkdirTemp("", "babyapi-rag-")
	if err != nil {
		return nil, err
	}
	c.questions, c.mcp = demoQuestions, true
	for _, name := range demoDocuments {
		file := filepath.Join(dir, name)
		var data []byte
		if data, err = documents.ReadFile("documents/" + name); err == nil {
			err = os.WriteFile(file, data, 0o600)
		}
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		c.files = append(c.files, file)
	}
	return func() { _ = os.RemoveAll(dir) }, nil
}
