package babyclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
)

// CompleteRequest is the body of POST /v1/completions. What is not set is not sent.
type CompleteRequest struct {
	// Model names the model. Empty: the default model of the client.
	Model string `json:"model,omitempty"`
	// Prompt is the text to go on from: a string, a []string, token ids ([]int), or a list of
	// those ([][]int).
	Prompt any `json:"prompt"`
	// Suffix is text that comes after the completion, where the model can fill in.
	Suffix string `json:"suffix,omitempty"`

	// The sampling fields are as in a [ChatRequest].
	MaxTokens         *int               `json:"max_tokens,omitzero"`
	MinTokens         *int               `json:"min_tokens,omitzero"`
	N                 *int               `json:"n,omitzero"`
	Stop              []string           `json:"stop,omitempty"`
	Seed              *int               `json:"seed,omitzero"`
	Temperature       *float64           `json:"temperature,omitzero"`
	TopP              *float64           `json:"top_p,omitzero"`
	TopK              *int               `json:"top_k,omitzero"`
	MinP              *float64           `json:"min_p,omitzero"`
	PresencePenalty   *float64           `json:"presence_penalty,omitzero"`
	FrequencyPenalty  *float64           `json:"frequency_penalty,omitzero"`
	RepetitionPenalty *float64           `json:"repetition_penalty,omitzero"`
	LogitBias         map[string]float64 `json:"logit_bias,omitempty"`
	// Logprobs is how many likely tokens to tell for each place.
	Logprobs *int `json:"logprobs,omitzero"`
	// Echo repeats the prompt before the completion.
	Echo bool `json:"echo,omitempty"`
	// StreamOptions is for CompleteStream only.
	StreamOptions *StreamOptions `json:"stream_options,omitzero"`
	User          string         `json:"user,omitempty"`

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any `json:"-"`
}

// CompleteResponse is the answer to a completion, or a piece of it: a chunk of
// [Client.CompleteStream] has the same fields.
type CompleteResponse struct {
	Meta
	ID                string           `json:"id"`
	Object            string           `json:"object"`
	Created           int64            `json:"created"` // seconds since 1970
	Model             string           `json:"model"`
	Choices           []CompleteChoice `json:"choices"`
	Usage             *Usage           `json:"usage,omitzero"`
	SystemFingerprint string           `json:"system_fingerprint,omitempty"`
	ServiceTier       string           `json:"service_tier,omitempty"`

	notJSON error
}

// CompleteChunk is a piece of a streamed completion: Text is what it adds.
type CompleteChunk = CompleteResponse

// CompleteChoice is one completion. With several prompts, choice i*N+j is the j-th of prompt i.
type CompleteChoice struct {
	Index        int    `json:"index"`
	Text         string `json:"text"`
	FinishReason string `json:"finish_reason"`
	// Logprobs is as the engine gives it: vLLM's lists, or llama.cpp's content.
	Logprobs   json.RawMessage `json:"logprobs,omitempty"`
	StopReason any             `json:"stop_reason,omitempty"`
}

// Text is the text of the first choice.
func (r *CompleteResponse) Text() string {
	for i := range r.Choices {
		if r.Choices[i].Index == 0 {
			return r.Choices[i].Text
		}
	}
	return ""
}

// Complete continues a prompt: POST /v1/completions.
func (c *Client) Complete(ctx context.Context, req *CompleteRequest, opts ...CallOption) (*CompleteResponse, error) {
	k := &call{method: http.MethodPost, path: "/v1/completions"}
	b, err := c.completeBody(req, false)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	out := new(CompleteResponse)
	if err := resp.decode(raw, out); err != nil {
		return nil, err
	}
	if len(out.Choices) == 0 {
		return nil, resp.invalidResponse(raw, "the answer has no choices", nil)
	}
	out.tidy()
	return out, nil
}

// CompleteStream continues a prompt piece by piece. See [Client.ChatStream] for the rules.
func (c *Client) CompleteStream(ctx context.Context, req *CompleteRequest, opts ...CallOption) iter.Seq2[*CompleteChunk, error] {
	return streamOf(ctx, c, func() (*call, error) {
		b, err := c.completeBody(req, true)
		k := streamCall("/v1/completions", b)
		if err != nil {
			return nil, c.wrap(k, err)
		}
		return k, nil
	}, opts, func(m Meta) func([]byte) *CompleteChunk {
		return func(data []byte) *CompleteChunk {
			chunk := new(CompleteChunk)
			if err := json.Unmarshal(data, chunk); err != nil {
				*chunk = CompleteChunk{notJSON: err}
			}
			chunk.Meta = m
			chunk.Raw = bytes.Clone(data)
			return chunk
		}
	})
}

// CollectCompletion ranges over a stream and returns the answer that the plain call would
// have given. When the stream fails it returns what had come together with the error.
// Log probabilities are collected where they are lists, as vLLM's and llama.cpp's are.
func CollectCompletion(chunks iter.Seq2[*CompleteChunk, error]) (*CompleteResponse, error) {
	type assembler struct {
		choice   CompleteChoice
		text     strings.Builder
		logprobs map[string][]json.RawMessage
	}
	var (
		out     CompleteResponse
		choices []*assembler
	)
	response := func() *CompleteResponse {
		out.Object, out.Choices = "text_completion", nil
		for _, a := range choices {
			ch := a.choice
			ch.Text = a.text.String()
			if a.logprobs != nil {
				ch.Logprobs, _ = marshal(a.logprobs) // of raw JSON that was decoded: it encodes
			}
			out.Choices = append(out.Choices, ch)
		}
		out.tidy()
		return &out
	}
	for chunk, err := range chunks {
		if err != nil {
			return response(), err
		}
		if chunk.notJSON != nil {
			return response(), chunk.notJSONEvent(chunk.notJSON)
		}
		if out.Header == nil {
			out.Meta = chunk.Meta
			out.Raw = nil
		}
		out.ID, out.Model = first(out.ID, chunk.ID), first(out.Model, chunk.Model)
		out.Created = cmp.Or(out.Created, chunk.Created)
		out.SystemFingerprint = first(chunk.SystemFingerprint, out.SystemFingerprint)
		out.ServiceTier = first(chunk.ServiceTier, out.ServiceTier)
		out.Usage = cmp.Or(chunk.Usage, out.Usage)
		for _, ch := range chunk.Choices {
			var a *assembler
			for _, known := range choices {
				if known.choice.Index == ch.Index {
					a = known
				}
			}
			if a == nil {
				a = &assembler{choice: CompleteChoice{Index: ch.Index}}
				choices = append(choices, a)
			}
			a.text.WriteString(ch.Text)
			a.choice.FinishReason = first(ch.FinishReason, a.choice.FinishReason)
			if ch.StopReason != nil {
				a.choice.StopReason = ch.StopReason
			}
			var lists map[string][]json.RawMessage
			if json.Unmarshal(ch.Logprobs, &lists) == nil {
				for name, list := range lists {
					if a.logprobs == nil {
						a.logprobs = map[string][]json.RawMessage{}
					}
					a.logprobs[name] = append(a.logprobs[name], list...)
				}
			}
		}
	}
	if len(choices) == 0 {
		return response(), out.noChoices()
	}
	return response(), nil
}

// tidy orders the choices and makes a null logprobs absent.
func (r *CompleteResponse) tidy() {
	sortByIndex(r.Choices, func(ch CompleteChoice) int { return ch.Index })
	for i := range r.Choices {
		if string(r.Choices[i].Logprobs) == "null" {
			r.Choices[i].Logprobs = nil
		}
	}
}

func (c *Client) completeBody(req *CompleteRequest, stream bool) ([]byte, error) {
	if req == nil {
		return nil, invalid(CodeInvalidRequest, "the CompleteRequest is nil")
	}
	r := *req
	model, err := c.model(r.Model, r.Extra)
	if err != nil {
		return nil, err
	}
	r.Model = model
	if err := checkPrompt(r.Prompt); err != nil && r.Extra["prompt"] == nil {
		return nil, err
	}
	if r.StreamOptions != nil && !stream {
		return nil, invalid(CodeInvalidRequest, "stream_options is for CompleteStream: leave it out of Complete")
	}
	if err := firstError(
		checkCount("max_tokens", r.MaxTokens), checkCount("min_tokens", r.MinTokens), checkCount("n", r.N), checkCount("logprobs", r.Logprobs),
		checkFinite("temperature", r.Temperature), checkFinite("top_p", r.TopP), checkFinite("min_p", r.MinP),
		checkFinite("presence_penalty", r.PresencePenalty), checkFinite("frequency_penalty", r.FrequencyPenalty),
		checkFinite("repetition_penalty", r.RepetitionPenalty)); err != nil {
		return nil, err
	}
	return generationBody(struct {
		*CompleteRequest
		Stream bool `json:"stream,omitempty"`
	}{&r, stream}, r.Extra, stream)
}

// checkPrompt refuses a prompt that is missing or blank.
func checkPrompt(p any) error {
	missing := invalid(CodePromptRequired, "prompt is empty: give a string, strings, or token ids")
	switch p := p.(type) {
	case nil:
		return missing
	case string:
		if strings.TrimSpace(p) == "" {
			return missing
		}
	case []string:
		if len(p) == 0 {
			return missing
		}
		for i, s := range p {
			if strings.TrimSpace(s) == "" {
				return invalid(CodePromptRequired, "prompt[%d] is empty", i)
			}
		}
	case []int:
		if len(p) == 0 {
			return missing
		}
	case [][]int:
		if len(p) == 0 {
			return missing
		}
	}
	return nil
}
