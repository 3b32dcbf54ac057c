package babyclient

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"
)

// Finish reasons of a [ChatChoice].
const (
	FinishStop          = "stop"
	FinishLength        = "length" // cut at the token limit: the answer is not complete
	FinishToolCalls     = "tool_calls"
	FinishContentFilter = "content_filter"
)

// ChatRequest is the body of POST /v1/chat/completions. A field that is not set is not sent,
// so that the service's own default holds; a pointer tells zero from not set:
//
//	Temperature: new(0.0)
type ChatRequest struct {
	// Model names the model. Empty: the default model of the client.
	Model string `json:"model,omitempty"`
	// Messages is the conversation, at least one message.
	Messages []Message `json:"messages"`

	// MaxTokens is the most tokens to generate. OpenAI's newer name is MaxCompletionTokens.
	MaxTokens           *int `json:"max_tokens,omitzero"`
	MaxCompletionTokens *int `json:"max_completion_tokens,omitzero"`
	// MinTokens is the least (vLLM).
	MinTokens *int `json:"min_tokens,omitzero"`
	// N is how many choices to generate for the one prompt.
	N *int `json:"n,omitzero"`
	// Stop ends the answer before any of these strings.
	Stop []string `json:"stop,omitempty"`
	// Seed makes sampling repeatable, as far as the engine can.
	Seed *int `json:"seed,omitzero"`

	// Temperature flattens (above 1) or sharpens (below 1) the choice of tokens; 0 takes the
	// likeliest. 0 to 2.
	Temperature *float64 `json:"temperature,omitzero"`
	// TopP keeps the likeliest tokens that together have this probability. Above 0, to 1.
	TopP *float64 `json:"top_p,omitzero"`
	// TopK keeps this many of the likeliest tokens; -1 keeps all (vLLM).
	TopK *int `json:"top_k,omitzero"`
	// MinP keeps tokens at least this likely, as a part of the likeliest's probability. 0 to 1
	// (vLLM).
	MinP *float64 `json:"min_p,omitzero"`
	// PresencePenalty makes tokens that have come up less likely, FrequencyPenalty the more so
	// the more often they have. -2 to 2.
	PresencePenalty  *float64 `json:"presence_penalty,omitzero"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitzero"`
	// RepetitionPenalty makes tokens of prompt and answer less likely above 1 (vLLM).
	RepetitionPenalty *float64 `json:"repetition_penalty,omitzero"`
	// LogitBias adds to the logits of tokens, by token id. -100 to 100.
	LogitBias map[string]float64 `json:"logit_bias,omitempty"`
	// Logprobs asks for the log probability of each token, TopLogprobs for that many of the
	// likeliest beside it.
	Logprobs    *bool `json:"logprobs,omitzero"`
	TopLogprobs *int  `json:"top_logprobs,omitzero"`

	// Tools are the functions that the model may call.
	Tools []Tool `json:"tools,omitempty"`
	// ToolChoice is [ToolChoiceAuto], [ToolChoiceNone], [ToolChoiceRequired], [ToolChoiceFunction],
	// or any other value that the engine takes.
	ToolChoice any `json:"tool_choice,omitempty"`
	// ParallelToolCalls lets one answer hold several calls. The server's default is true.
	ParallelToolCalls *bool `json:"parallel_tool_calls,omitzero"`
	// ResponseFormat makes the answer JSON: [JSONObject], [JSONSchema].
	ResponseFormat *ResponseFormat `json:"response_format,omitzero"`
	// ReasoningEffort is "low", "medium" or "high" for models that think, "none" for some.
	ReasoningEffort string `json:"reasoning_effort,omitempty"`
	// StreamOptions is for ChatStream only.
	StreamOptions *StreamOptions `json:"stream_options,omitzero"`
	// User identifies the end user to the service.
	User string `json:"user,omitempty"`

	// Extra is merged into the body last: any field of the engine that has no name here
	// ("chat_template_kwargs", "structured_outputs"…), and it wins over those that have.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the request as [Client.Chat] sends it: messages as the wire has them, and
// with Extra.
func (r ChatRequest) MarshalJSON() ([]byte, error) {
	return encodeBody(r.body(r.Model, false), r.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (r *ChatRequest) UnmarshalJSON(data []byte) error {
	return decodeWithExtra(data, (*chatFields)(r), &r.Extra)
}

// chatFields are the fields of a ChatRequest without its methods.
type chatFields ChatRequest

// chatBody is a ChatRequest as it is sent. encoding/json prefers its own fields to fields of the
// same name in the embedded struct.
type chatBody struct {
	Model string `json:"model,omitempty"`
	// Messages are encoded in one go. Message.MarshalJSON would make encoding/json check and copy
	// each message, which is most of the request, once more.
	Messages any `json:"messages"` // []messageWire[any], or []any if a message has Extra
	*chatFields
	Stream bool `json:"stream,omitempty"`
}

func (r *ChatRequest) body(model string, stream bool) *chatBody {
	body := &chatBody{Model: model, chatFields: (*chatFields)(r), Stream: stream}
	conversation := withDistinctCallIDs(r.Messages)
	messages := make([]messageWire[any], len(conversation))
	hasExtra := false
	for i, m := range conversation {
		m.ToolCalls = sentCalls(m.ToolCalls)
		messages[i] = m.wire()
		hasExtra = hasExtra || m.Extra != nil
	}
	if !hasExtra {
		body.Messages = messages
		return body
	}
	mixed := make([]any, len(conversation))
	for i, m := range conversation {
		mixed[i] = messages[i]
		if m.Extra != nil {
			m.ToolCalls = messages[i].ToolCalls
			mixed[i] = m // Message.MarshalJSON adds Extra.
		}
	}
	body.Messages = mixed
	return body
}

// ChatResponse is the answer to a chat.
type ChatResponse struct {
	Meta
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // seconds since 1970
	Model   string `json:"model"`
	// Choices are ordered by Index. There is at least one, N of the request many.
	Choices           []ChatChoice `json:"choices"`
	Usage             *Usage       `json:"usage,omitzero"`
	SystemFingerprint string       `json:"system_fingerprint,omitempty"`
	ServiceTier       string       `json:"service_tier,omitempty"`
}

// ChatChoice is one answer of the model.
type ChatChoice struct {
	Index   int     `json:"index"`
	Message Message `json:"message"`
	// FinishReason is why the model stopped: one of the Finish constants, or the engine's own.
	FinishReason string    `json:"finish_reason"`
	Logprobs     *Logprobs `json:"logprobs,omitzero"`
	// StopReason is the stop string or token id that ended the answer (vLLM), else nil.
	StopReason any `json:"stop_reason,omitempty"`
}

// Text is the text of the first choice, without the thinking.
func (r *ChatResponse) Text() string { return r.choice().Message.Text() }

// Reasoning is what the model thought before the first choice.
func (r *ChatResponse) Reasoning() string { return r.choice().Message.Reasoning }

// ToolCalls are the calls that the first choice makes.
func (r *ChatResponse) ToolCalls() []ToolCall { return r.choice().Message.ToolCalls }

// FinishReason is why the first choice ended.
func (r *ChatResponse) FinishReason() string { return r.choice().FinishReason }

// Message is the first choice's message: append it to the conversation to continue it.
func (r *ChatResponse) Message() Message {
	m := r.choice().Message
	m.Role = cmp.Or(m.Role, RoleAssistant)
	return m
}

func (r *ChatResponse) choice() *ChatChoice {
	if len(r.Choices) == 0 {
		return &ChatChoice{}
	}
	return &r.Choices[0]
}

// Chat asks for an answer to a conversation: POST /v1/chat/completions.
//
// An answer cut at the token limit is no error: its FinishReason is [FinishLength]. One that the
// service broke off is [ErrGenerationFailed]; what had been generated is returned together with
// that error. A field beside the content that is not of its usual type stays zero, and is in Raw.
func (c *Client) Chat(ctx context.Context, req *ChatRequest, opts ...CallOption) (*ChatResponse, error) {
	return fetch(ctx, c, req, opts, readChat)
}

const chatPath = "/v1/chat/completions"

func (r *ChatRequest) call(c *Client) (*call, error) {
	model, err := r.check(c)
	if err == nil && r.StreamOptions != nil {
		err = invalid(CodeInvalidRequest, "stream_options is for ChatStream: leave it out of Chat")
	}
	if err != nil {
		return refusedPost(chatPath, err)
	}
	return newGeneration(chatPath, r.body(model, false), r.Extra)
}

// check checks the request and returns the model that it is for.
func (r *ChatRequest) check(c *Client) (model string, err error) {
	if r == nil {
		return "", invalid(CodeInvalidRequest, "the ChatRequest is nil")
	}
	if model, err = c.model(r.Model, r.Extra); err != nil {
		return "", err
	}
	if len(r.Messages) == 0 && r.Extra["messages"] == nil {
		return "", invalid(CodeInvalidRequest, "messages is empty: give at least one")
	}
	for i := range r.Messages {
		if err := r.Messages[i].check(i); err != nil {
			return "", err
		}
	}
	for i := range r.Tools {
		if err := r.Tools[i].check(i); err != nil {
			return "", err
		}
	}
	return model, sampling{
		maxTokens: r.MaxTokens, maxCompletionTokens: r.MaxCompletionTokens, minTokens: r.MinTokens,
		n: r.N, topLogprobs: r.TopLogprobs,
		temperature: r.Temperature, topP: r.TopP, minP: r.MinP,
		presencePenalty: r.PresencePenalty, frequencyPenalty: r.FrequencyPenalty,
		repetitionPenalty: r.RepetitionPenalty,
	}.check()
}

func readChat(raw []byte) (*ChatResponse, error) {
	var tail []byte
	out, err := decodeChat(raw)
	if isSyntaxError(err) {
		raw, tail = mendJSON(raw)
		out, err = decodeChat(raw)
	}
	if len(out.Choices) == 0 {
		return nil, cmp.Or(err, errNoField("choices"))
	}
	addElsewhere(raw, out.Choices)
	sortByIndex(out.Choices, func(c ChatChoice) int { return c.Index })
	if err != nil {
		return out, err
	}
	reasons := make([]string, len(out.Choices))
	for i := range out.Choices {
		reasons[i] = out.Choices[i].FinishReason
	}
	return out, cmp.Or(checkGeneration(raw, reasons...), checkTail(tail))
}

// chatAnswer is a ChatResponse whose messages are plain structs. Message.UnmarshalJSON would read
// each message, which is most of the answer, twice more.
type chatAnswer struct {
	ChatResponse
	Choices []struct {
		ChatChoice
		Message messageWire[string] `json:"message"`
	} `json:"choices"`
}

// looseChatAnswer is a chatAnswer whose messages may be of any form.
type looseChatAnswer struct {
	ChatResponse
	Choices []struct {
		ChatChoice
		Message looseMessage `json:"message"`
	} `json:"choices"`
}

// decodeChat always returns a response, which is what could be decoded if there is an error.
func decodeChat(raw []byte) (*ChatResponse, error) {
	var decoded chatAnswer
	if json.Unmarshal(raw, &decoded) != nil {
		return decodeLooseChat(raw)
	}
	out := new(decoded.ChatResponse)
	if decoded.Choices != nil {
		out.Choices = make([]ChatChoice, len(decoded.Choices))
	}
	for i, choice := range decoded.Choices {
		out.Choices[i] = choice.ChatChoice
		out.Choices[i].Message = messageOf(&choice.Message, choice.Message.Content, nil)
	}
	addUnnamed(raw, out.Choices)
	return out, nil
}

// addElsewhere gives choices without a message what stands in "text" or "delta".
func addElsewhere(raw []byte, choices []ChatChoice) {
	isEmpty := func(c ChatChoice) bool { return c.Message.isEmpty() }
	if !slices.ContainsFunc(choices, isEmpty) {
		return
	}
	for i, message := range messagesElsewhere(raw) {
		if i < len(choices) && choices[i].Message.isEmpty() && !message.isEmpty() {
			choices[i].Message = message
		}
	}
}

// addUnnamed gives the messages of an answer the fields that have no name here.
func addUnnamed(raw []byte, choices []ChatChoice) {
	if !hasUnnamedInMessages(raw) {
		return
	}
	var answer struct {
		Choices []struct {
			Message json.RawMessage `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(raw, &answer) != nil {
		return // choices of another form, which are in Raw
	}
	for i := range min(len(choices), len(answer.Choices)) {
		choices[i].Message.Extra = unnamedFields(answer.Choices[i].Message, messageFields)
	}
}

func decodeLooseChat(raw []byte) (*ChatResponse, error) {
	var decoded looseChatAnswer
	err := decode(raw, &decoded)
	out := new(decoded.ChatResponse)
	for _, choice := range decoded.Choices {
		c := choice.ChatChoice
		c.Message = choice.Message.message()
		out.Choices = append(out.Choices, c)
	}
	addUnnamed(raw, out.Choices)
	return out, err
}

// ChatStream asks for an answer piece by piece. The request goes out when the range starts,
// and only once; an error is the last thing that the range yields:
//
//	for chunk, err := range c.ChatStream(ctx, req) {
//		if err != nil {
//			return err
//		}
//		if chunk.Err() != nil {
//			return chunk.Err() // or go on without what could not be decoded
//		}
//		fmt.Print(chunk.Text())
//	}
//
// Leaving the loop closes the connection, which ends the generation. A stream that breaks off
// before its end is an error ([ErrStreamTruncated], [ErrStreamFailed], [ErrTimeout]).
// [ChatChunk.Err] tells a chunk that could not be decoded; the stream goes on after it, but does
// not end without an error ([ErrInvalidResponse]).
func (c *Client) ChatStream(ctx context.Context, req *ChatRequest, opts ...CallOption) iter.Seq2[*ChatChunk, error] {
	newDecoder := func(m Meta, fail *errorMaker) chunkDecoder[ChatChunk] {
		return &chatDecoder{memo: chunkMemo{meta: m, fail: fail}}
	}
	return streamOf(ctx, c, streamedChat{req}, opts, newDecoder)
}

// streamedChat is a ChatRequest that is answered with a stream.
type streamedChat struct{ *ChatRequest }

func (r streamedChat) call(c *Client) (*call, error) {
	model, err := r.check(c)
	if err != nil {
		return refusedPost(chatPath, err)
	}
	return newStream(chatPath, r.body(model, true), r.Extra)
}
