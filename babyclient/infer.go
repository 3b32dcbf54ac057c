package babyclient

import (
	"context"
	"strings"
)

// InferRequest is the body of POST /infer: text in, text out.
type InferRequest struct {
	// Model names the model. Empty: the default model of the client. It is trimmed.
	Model string `json:"model"`
	// Prompt is the text. It is trimmed, and must not be empty.
	Prompt string `json:"prompt"`

	// The sampling fields are as in a [ChatRequest]; the endpoint takes no others.
	MaxTokens        *int     `json:"max_tokens,omitzero"`
	Temperature      *float64 `json:"temperature,omitzero"`
	TopP             *float64 `json:"top_p,omitzero"`
	TopK             *int     `json:"top_k,omitzero"`
	Stop             []string `json:"stop,omitempty"`
	PresencePenalty  *float64 `json:"presence_penalty,omitzero"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitzero"`
}

// InferResponse is the answer to [Client.Infer].
type InferResponse struct {
	Meta
	Model string `json:"model,omitempty"`
	// Output is the text.
	Output string `json:"output"`
	Usage  *Usage `json:"usage,omitzero"`
	// FinishReason is why the model stopped, empty if the service does not say. An answer
	// cut at the token limit ends with [FinishLength].
	FinishReason string `json:"finish_reason,omitempty"`
}

// Infer asks a model in one call: POST /infer. An answer that the service broke off is
// [ErrGenerationFailed]; what had been generated is returned together with that error.
func (c *Client) Infer(ctx context.Context, req *InferRequest, opts ...CallOption) (*InferResponse, error) {
	return fetch(ctx, c, req, opts, readInfer)
}

func (r *InferRequest) call(c *Client) (*call, error) {
	trimmed, err := r.check(c)
	if err != nil {
		return refusedPost("/infer", err)
	}
	return newPost("/infer", trimmed, nil)
}

// check checks the request and returns it as it is sent.
func (r *InferRequest) check(c *Client) (*InferRequest, error) {
	if r == nil {
		return nil, invalid(CodeInvalidInferInput, "the InferRequest is nil")
	}
	trimmed := *r
	if trimmed.Prompt = strings.TrimSpace(r.Prompt); trimmed.Prompt == "" {
		return nil, invalid(CodePromptRequired, "prompt is empty")
	}
	var err error
	if trimmed.Model, err = c.model(r.Model, nil); err != nil {
		return nil, err
	}
	return &trimmed, sampling{
		maxTokens: r.MaxTokens, temperature: r.Temperature, topP: r.TopP,
		presencePenalty: r.PresencePenalty, frequencyPenalty: r.FrequencyPenalty,
	}.check()
}

func readInfer(raw []byte) (*InferResponse, error) {
	out := new(InferResponse)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	var given struct {
		Output *string // nil tells an answer without output from an empty output
	}
	if err := decode(raw, &given); err != nil {
		return nil, err
	}
	if given.Output == nil {
		return nil, errNoField("output")
	}
	return out, checkGeneration(raw, out.FinishReason)
}
