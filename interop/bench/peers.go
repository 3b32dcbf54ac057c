package main

import (
	"net/http"
	"runtime/debug"
	"strings"
)

// Operations that every client is asked for, as far as it has them.
const (
	embedDefault = "embeddings, as asked by default"
	embedFloat   = "embeddings as JSON floats"
	embedBase64  = "embeddings as base64"
	stream       = "stream"
	collect      = "stream, collected"
	toolStream   = "stream of a tool call, collected"
	chat         = "small chat"
	rerank       = "rerank"
	docling      = "docling answer"
)

var operations = []string{embedDefault, embedFloat, embedBase64, stream, collect, toolStream, chat, rerank, docling}

// client makes the calls of one peer: each returns what the answer says, to be checked. sink gets each piece of a streamed text.
type client map[string]func(sink func(string)) (any, error)

// peer is a client to compare.
type peer struct {
	name   string
	module string // whose version is shown; empty for the standard library
	dial   func(a *answers, base string, hc *http.Client) (client, error)
}

const (
	ours      = "babyclient"
	ourLLM    = "provider"
	floor     = "floor"
	raw       = "net/http+json" // with encoding/json
	goOpenAI  = "go-openai"
	openAIGo  = "openai-go"
	langchain = "langchaingo"
)

var peers = []peer{
	{floor, "", dialFloor},
	{ours, "github.com/babyapi-org/babyapi-go", dialOurs},
	{ourLLM, "github.com/babyapi-org/babyapi-go", dialProvider},
	{raw, "", dialRaw},
	{goOpenAI, "github.com/sashabaranov/go-openai", dialGoOpenAI},
	{langchain, "github.com/tmc/langchaingo", dialLangchain},
	{openAIGo, "github.com/openai/openai-go/v3", dialOpenAIGo},
}

// version is that of the module in this build.
func (p peer) version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || p.module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == p.module {
			if m.Replace != nil {
				return "this tree"
			}
			return m.Version
		}
	}
	return "unknown"
}

const (
	prompt   = "What is the capital of France?"
	query    = "capital of France"
	toolName = "save"
)

var toolSchema = map[string]any{"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}}}

// inputs are the texts of an embedding request.
func (a *answers) inputs() []string {
	texts := make([]string, a.sizes.Texts)
	for i := range texts {
		texts[i] = strings.Repeat("a sentence to embed ", 4)
	}
	return texts
}

func (a *answers) documents() []string {
	texts := make([]string, a.sizes.Documents)
	for i := range texts {
		texts[i] = rerankText(i)
	}
	return texts
}
