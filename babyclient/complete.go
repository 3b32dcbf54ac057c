package babyclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"iter"
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
	// Logprobs is how many of the likeliest tokens to tell for each place.
	Logprobs *int `json:"logprobs,omitzero"`
	// Echo repeats the prompt before the completion.
	Echo *bool `json:"echo,omitzero"`
	// StreamOptions is for CompleteStream only.
	StreamOptions *StreamOptions `json:"stream_options,omitzero"`
	User          string         `json:"user,omitempty"`

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the request as [Client.Complete] sends it, with Extra.
func (r CompleteRequest) MarshalJSON() ([]byte, error) {
	return encodeBody(r.body(r.Model, false), r.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (r *CompleteRequest) UnmarshalJSON(data []byte) error {
	return decodeWithExtra(data, (*completeFields)(r), &r.Extra)
}

// completeFields are the fields of a CompleteRequest without its methods.
type completeFields CompleteRequest

// completeBody is a CompleteRequest as it is sent. encoding/json prefers its own fields to fields
// of the same name in the embedded struct.
type completeBody struct {
	Model string `json:"model,omitempty"`
	*completeFields
	Stream bool `json:"stream,omitempty"`
}

func (r *CompleteRequest) body(model string, stream bool) *completeBody {
	return &completeBody{Model: model, completeFields: (*completeFields)(r), Stream: stream}
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

	err  error
	fail *errorMaker // of the stream
}

// Err is why a chunk of a stream could not be decoded whole. See [ChatChunk.Err]. It is nil for
// every other chunk, and for a plain answer.
func (r *CompleteResponse) Err() error { return r.err }

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

// Complete continues a prompt: POST /v1/completions. An answer that the service broke off is
// [ErrGenerationFailed]; what had been generated is returned together with that error.
func (c *Client) Complete(ctx context.Context, req *CompleteRequest, opts ...CallOption) (*CompleteResponse, error) {
	return fetch(ctx, c, req, opts, readCompletion)
}

const completePath = "/v1/completions"

func (r *CompleteRequest) call(c *Client) (*call, error) {
	model, err := r.check(c)
	if err == nil && r.StreamOptions != nil {
		err = invalid(CodeInvalidRequest, "stream_options is for CompleteStream: leave it out of Complete")
	}
	if err != nil {
		return refusedPost(completePath, err)
	}
	return newGeneration(completePath, r.body(model, false), r.Extra)
}

// check checks the request and returns the model that it is for.
func (r *CompleteRequest) check(c *Client) (model string, err error) {
	if r == nil {
		return "", invalid(CodeInvalidRequest, "the CompleteRequest is nil")
	}
	if model, err = c.model(r.Model, r.Extra); err != nil {
		return "", err
	}
	if r.Extra["prompt"] == nil {
		if err := checkPrompt(r.Prompt); err != nil {
			return "", err
		}
	}
	return model, sampling{
		maxTokens: r.MaxTokens, minTokens: r.MinTokens, n: r.N, logprobs: r.Logprobs,
		temperature: r.Temperature, topP: r.TopP, minP: r.MinP,
		presencePenalty: r.PresencePenalty, frequencyPenalty: r.FrequencyPenalty,
		repetitionPenalty: r.RepetitionPenalty,
	}.check()
}

// checkPrompt refuses a prompt that is missing or blank.
func checkPrompt(prompt any) error {
	isEmpty := prompt == nil
	switch p := prompt.(type) {
	case string:
		isEmpty = strings.TrimSpace(p) == ""
	case []string:
		isEmpty = len(p) == 0
		for i, s := range p {
			if strings.TrimSpace(s) == "" {
				return invalid(CodePromptRequired, "prompt[%d] is empty", i)
			}
		}
	case []int:
		isEmpty = len(p) == 0
	case [][]int:
		isEmpty = len(p) == 0
	}
	if isEmpty {
		return invalid(CodePromptRequired, "prompt is empty: give a string, strings, or token ids")
	}
	return nil
}

func readCompletion(raw []byte) (*CompleteResponse, error) {
	out := new(CompleteResponse)
	var tail []byte
	err := decode(raw, out)
	if isSyntaxError(err) {
		raw, tail = mendJSON(raw)
		err = decode(raw, out)
	}
	if len(out.Choices) == 0 {
		return nil, cmp.Or(err, errNoField("choices"))
	}
	out.addElsewhere(raw)
	out.tidy()
	if err != nil {
		return out, err
	}
	reasons := make([]string, len(out.Choices))
	for i := range out.Choices {
		reasons[i] = out.Choices[i].FinishReason
	}
	return out, cmp.Or(checkGeneration(raw, reasons...), checkTail(tail))
}

// CompleteStream continues a prompt piece by piece. See [Client.ChatStream] for the rules.
func (c *Client) CompleteStream(
	ctx context.Context, req *CompleteRequest, opts ...CallOption,
) iter.Seq2[*CompleteChunk, error] {
	newDecoder := func(m Meta, fail *errorMaker) chunkDecoder[CompleteChunk] {
		return &completeDecoder{meta: m, fail: fail}
	}
	return streamOf(ctx, c, streamedCompletion{req}, opts, newDecoder)
}

// streamedCompletion is a CompleteRequest that is answered with a stream.
type streamedCompletion struct{ *CompleteRequest }

func (r streamedCompletion) call(c *Client) (*call, error) {
	model, err := r.check(c)
	if err != nil {
		return refusedPost(completePath, err)
	}
	return newStream(completePath, r.body(model, true), r.Extra)
}

// completeDecoder decodes the chunks of one stream.
type completeDecoder struct {
	meta   Meta // of every chunk
	fail   *errorMaker
	halves halfJoiner
	hasAny bool // a chunk had a choice
}

func (d *completeDecoder) hasChoices() bool { return d.hasAny }

// again knows no chunk by heart.
func (*completeDecoder) again([]byte) *CompleteChunk { return nil }

func (d *completeDecoder) decode(data []byte) (*CompleteChunk, error) {
	chunk := decodeCompleteChunk(data)
	mendHalves(&d.halves, chunk, data, (*CompleteChunk).texts, decodeCompleteChunk)
	chunk.Meta, chunk.fail = d.meta, d.fail
	chunk.Raw = bytes.Clone(data)
	d.hasAny = d.hasAny || len(chunk.Choices) > 0
	return chunk, chunk.err
}

func (d *completeDecoder) rest() *CompleteChunk {
	if len(d.halves.held) == 0 {
		return nil
	}
	chunk := &CompleteChunk{Meta: d.meta, fail: d.fail}
	for key := range d.halves.held {
		chunk.Choices = append(chunk.Choices, CompleteChoice{Index: key.choice, Text: d.halves.give(key)})
	}
	chunk.tidy()
	return chunk
}

func decodeCompleteChunk(data []byte) *CompleteChunk {
	chunk := new(CompleteChunk)
	chunk.err = unmarshalFitting(data, chunk, "")
	chunk.addElsewhere(data)
	return chunk
}

// addElsewhere gives choices without a text that of their message or delta.
func (r *CompleteResponse) addElsewhere(raw []byte) {
	if !bytes.Contains(raw, []byte(`"message"`)) && !bytes.Contains(raw, []byte(`"delta"`)) {
		return
	}
	for i, message := range messagesElsewhere(raw) {
		if i < len(r.Choices) && r.Choices[i].Text == "" {
			r.Choices[i].Text = message.Text()
		}
	}
}

func (r *CompleteResponse) texts() []chunkText {
	texts := make([]chunkText, len(r.Choices))
	for i := range r.Choices {
		texts[i] = chunkText{textKey{choice: r.Choices[i].Index}, &r.Choices[i].Text}
	}
	return texts
}

// CollectCompletion ranges over a stream and returns the answer that the plain call would
// have given. When the stream fails it returns what had come together with the error.
// Log probabilities are collected where they are lists, as vLLM's and llama.cpp's are.
func CollectCompletion(chunks iter.Seq2[*CompleteChunk, error]) (*CompleteResponse, error) {
	var a completionAssembler
	for chunk, err := range chunks {
		if err != nil {
			return a.response(), err
		}
		a.add(chunk)
		if chunk.err != nil {
			return a.response(), chunk.fail.eventNotDecoded(chunk.Meta, chunk.err)
		}
	}
	out := a.response()
	if len(out.Choices) == 0 {
		return out, a.fail.streamWithoutChoices(a.out.Meta)
	}
	for i := range out.Choices {
		if reason := out.Choices[i].FinishReason; isFailedReason(reason) {
			return out, a.fail.streamBrokenOff(out.Meta, reason)
		}
	}
	return out, nil
}

// completionAssembler puts the chunks of a stream together.
type completionAssembler struct {
	fail    errorMaker // of the stream, once there was a chunk
	out     CompleteResponse
	choices byIndex[completionChoiceAssembler]
}

type completionChoiceAssembler struct {
	choice   CompleteChoice
	text     strings.Builder
	logprobs map[string][]json.RawMessage // the lists of the chunks, joined by name
}

func (a *completionAssembler) add(chunk *CompleteChunk) {
	o := &a.out
	if o.Header == nil { // the first chunk
		if chunk.fail != nil {
			a.fail = *chunk.fail
		}
		o.Meta = chunk.Meta
		o.Raw = nil
	}
	o.ID, o.Model = cmp.Or(o.ID, chunk.ID), cmp.Or(o.Model, chunk.Model)
	o.Created = cmp.Or(o.Created, chunk.Created)
	o.SystemFingerprint = cmp.Or(chunk.SystemFingerprint, o.SystemFingerprint)
	o.ServiceTier = cmp.Or(chunk.ServiceTier, o.ServiceTier)
	o.Usage = cmp.Or(chunk.Usage, o.Usage)
	for i := range chunk.Choices {
		a.choice(chunk.Choices[i].Index).add(&chunk.Choices[i])
	}
}

func (a *completionAssembler) choice(index int) *completionChoiceAssembler {
	return a.choices.find(index, func() *completionChoiceAssembler {
		return &completionChoiceAssembler{
			choice: CompleteChoice{Index: index}, logprobs: map[string][]json.RawMessage{},
		}
	})
}

func (a *completionChoiceAssembler) add(piece *CompleteChoice) {
	a.text.WriteString(piece.Text)
	a.choice.FinishReason = cmp.Or(piece.FinishReason, a.choice.FinishReason)
	if piece.StopReason != nil {
		a.choice.StopReason = piece.StopReason
	}
	var lists map[string][]json.RawMessage
	if json.Unmarshal(piece.Logprobs, &lists) == nil {
		for name, list := range lists {
			a.logprobs[name] = append(a.logprobs[name], list...)
		}
	}
}

func (a *completionAssembler) response() *CompleteResponse {
	out := a.out
	out.Object = "text_completion"
	for _, ch := range a.choices.inOrder {
		c := ch.choice
		c.Text = ch.text.String()
		if len(ch.logprobs) > 0 {
			c.Logprobs, _ = marshal(ch.logprobs) // it was JSON before, so it encodes
		}
		out.Choices = append(out.Choices, c)
	}
	out.tidy()
	return &out
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
