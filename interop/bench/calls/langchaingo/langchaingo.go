// Package langchaingo makes the calls with langchaingo's own provider for OpenAI's wire.
package langchaingo

import (
	"context"
	"net/http"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	opts := []openai.Option{
		openai.WithToken(calls.Key), openai.WithBaseURL(base + "/v1"),
		openai.WithModel(calls.Model), openai.WithEmbeddingModel(calls.Model),
	}
	if hc != nil {
		opts = append(opts, openai.WithHTTPClient(hc))
	}
	llm, err := openai.New(opts...)
	if err != nil {
		return nil, err
	}
	c := Client(llm, in)
	c[calls.EmbedFloat] = c[calls.EmbedDefault] // it cannot ask for base64
	return c, nil
}

// Model is what langchaingo's own provider and this project's have in common.
type Model interface {
	llms.Model
	// CreateEmbedding returns the vectors of texts.
	CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error)
}

// Client makes the calls with a model of langchaingo.
func Client(llm Model, in *calls.Input) calls.Client {
	ctx := context.Background()
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, calls.Prompt)}
	tools := []llms.Tool{{
		Type: "function", Function: &llms.FunctionDefinition{Name: calls.ToolName, Parameters: calls.ToolSchema},
	}}
	generate := func(opts ...llms.CallOption) (any, error) {
		r, err := llm.GenerateContent(ctx, messages, opts...)
		if err != nil {
			return nil, err
		}
		if made := r.Choices[0].ToolCalls; len(made) == 1 {
			return made[0].FunctionCall.Arguments, nil
		}
		return r.Choices[0].Content, nil
	}
	streaming := func(piece func(string)) llms.CallOption {
		return llms.WithStreamingFunc(func(_ context.Context, text []byte) error {
			piece(string(text))
			return nil
		})
	}
	return calls.Client{
		calls.EmbedDefault: func(func(string)) (any, error) { return llm.CreateEmbedding(ctx, in.Texts) },
		calls.Stream: func(piece func(string)) (any, error) {
			_, err := generate(streaming(piece))
			return nil, err
		},
		calls.Collect: func(piece func(string)) (any, error) { return generate(streaming(piece)) },
		calls.ToolStream: func(piece func(string)) (any, error) {
			return generate(streaming(piece), llms.WithTools(tools))
		},
		calls.Chat: func(func(string)) (any, error) { return generate() },
	}
}
