package babyclient

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Roles of a [Message].
const (
	RoleSystem    = "system"
	RoleDeveloper = "developer"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool"
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

	// Temperature flattens (above 1) or sharpens (below 1) the choice of tokens; 0 takes the likeliest. 0 to 2.
	Temperature *float64 `json:"temperature,omitzero"`
	// TopP keeps the likeliest tokens that together have this probability. Above 0, to 1.
	TopP *float64 `json:"top_p,omitzero"`
	// TopK keeps this many of the likeliest tokens; -1 keeps all (vLLM).
	TopK *int `json:"top_k,omitzero"`
	// MinP keeps tokens at least this likely, as a part of the likeliest's probability. 0 to 1 (vLLM).
	MinP *float64 `json:"min_p,omitzero"`
	// PresencePenalty makes tokens that have come up less likely, FrequencyPenalty the more so
	// the more often they have. -2 to 2.
	PresencePenalty  *float64 `json:"presence_penalty,omitzero"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitzero"`
	// RepetitionPenalty makes tokens of prompt and answer less likely above 1 (vLLM).
	RepetitionPenalty *float64 `json:"repetition_penalty,omitzero"`
	// LogitBias adds to the logits of tokens, by token id. -100 to 100.
	LogitBias map[string]float64 `json:"logit_bias,omitempty"`
	// Logprobs asks for the log probability of each token, TopLogprobs for that many of the likeliest beside it.
	Logprobs    *bool `json:"logprobs,omitzero"`
	TopLogprobs *int  `json:"top_logprobs,omitzero"`

	// Tools are the functions that the model may call.
	Tools []Tool `json:"tools,omitempty"`
	// ToolChoice is [ToolChoiceAuto], [ToolChoiceNone], [ToolChoiceRequired], [ToolChoiceFunction], or any
	// other value that the engine takes.
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

// StreamOptions asks for usage in a stream.
type StreamOptions struct {
	// IncludeUsage asks for a last chunk with the usage and no choices.
	IncludeUsage bool `json:"include_usage"`
	// ContinuousUsageStats asks for the usage so far on every chunk (vLLM).
	ContinuousUsageStats bool `json:"continuous_usage_stats,omitempty"`
}

// Message is one message of a conversation, sent or received.
type Message struct {
	// Role is one of the Role constants.
	Role string
	// Content is the text. It is not used when Parts is set.
	Content string
	// Parts is content of several parts: text, images, audio, video.
	Parts []Part
	// Name tells participants of one role apart.
	Name string
	// ToolCalls are the calls that an assistant message makes.
	ToolCalls []ToolCall
	// ToolCallID is the call that a tool message answers.
	ToolCallID string
	// Reasoning is what the model thought before it answered; vLLM calls it "reasoning",
	// llama.cpp and older servers "reasoning_content". It is sent back under the name it came with.
	Reasoning string
	// Refusal is why the model did not answer, where the service says so.
	Refusal string

	reasoningContent bool
}

// System is a system message.
func System(text string) Message { return Message{Role: RoleSystem, Content: text} }

// User is a user message of text.
func User(text string) Message { return Message{Role: RoleUser, Content: text} }

// UserParts is a user message of several parts:
//
//	UserParts(TextPart("What is this?"), ImagePart(png))
func UserParts(parts ...Part) Message { return Message{Role: RoleUser, Parts: parts} }

// Assistant is an assistant message of text.
func Assistant(text string) Message { return Message{Role: RoleAssistant, Content: text} }

// ToolResult is the answer to the tool call with that id.
func ToolResult(id, content string) Message {
	return Message{Role: RoleTool, ToolCallID: id, Content: content}
}

// messageWire is a message as the wire has it, with content C: any to send, text or parts to receive.
type messageWire[C any] struct {
	Role             string     `json:"role"`
	Content          C          `json:"content"`
	Name             string     `json:"name,omitempty"`
	ToolCalls        []ToolCall `json:"tool_calls,omitempty"`
	ToolCallID       string     `json:"tool_call_id,omitempty"`
	Reasoning        string     `json:"reasoning,omitempty"`
	ReasoningContent string     `json:"reasoning_content,omitempty"`
	Refusal          string     `json:"refusal,omitempty"`
}

// MarshalJSON encodes the message as the wire has it. An assistant message with tool calls
// and no text has content null.
func (m Message) MarshalJSON() ([]byte, error) { return marshal(m.wire()) }

func (m *Message) wire() messageWire[any] {
	w := messageWire[any]{Role: m.Role, Content: m.Content, Name: m.Name, ToolCalls: m.ToolCalls, ToolCallID: m.ToolCallID, Refusal: m.Refusal}
	switch {
	case m.Parts != nil:
		w.Content = m.Parts
	case m.Content == "" && len(m.ToolCalls) > 0:
		w.Content = nil
	}
	if m.reasoningContent {
		w.ReasoningContent = m.Reasoning
	} else {
		w.Reasoning = m.Reasoning
	}
	return w
}

// UnmarshalJSON decodes content as text, null or parts, and reasoning under both names.
func (m *Message) UnmarshalJSON(data []byte) error {
	var w messageWire[string]
	var parts []Part
	if err := json.Unmarshal(data, &w); err != nil {
		var p messageWire[[]Part]
		if json.Unmarshal(data, &p) != nil {
			return err
		}
		parts = p.Content
		w = messageWire[string]{p.Role, "", p.Name, p.ToolCalls, p.ToolCallID, p.Reasoning, p.ReasoningContent, p.Refusal}
	}
	*m = messageOf(&w)
	m.Parts = parts
	return nil
}

func messageOf(w *messageWire[string]) Message {
	m := Message{Role: w.Role, Content: w.Content, Name: w.Name, ToolCalls: w.ToolCalls, ToolCallID: w.ToolCallID, Refusal: w.Refusal, Reasoning: w.Reasoning}
	if m.Reasoning == "" && w.ReasoningContent != "" {
		m.Reasoning, m.reasoningContent = w.ReasoningContent, true
	}
	return m
}

// Part is one part of a message. Make it with [TextPart], [ImageURLPart], [ImagePart],
// [AudioPart] or [VideoURLPart]; a part of another type goes into Extra, with its type.
type Part struct {
	Type       string      `json:"type"`
	Text       string      `json:"text,omitempty"`
	ImageURL   *MediaURL   `json:"image_url,omitzero"`
	VideoURL   *MediaURL   `json:"video_url,omitzero"`
	AudioURL   *MediaURL   `json:"audio_url,omitzero"`
	InputAudio *InputAudio `json:"input_audio,omitzero"`

	// Extra holds further fields of the part.
	Extra map[string]any `json:"-"`
}

// MediaURL is where the service finds an image, a video or a sound: a URL that it can reach, or a
// data URI.
type MediaURL struct {
	URL string `json:"url"`
	// Detail is "low", "high" or "auto", for images.
	Detail string `json:"detail,omitempty"`
}

// InputAudio is sound in the message itself.
type InputAudio struct {
	// Data is the sound in base64.
	Data string `json:"data"`
	// Format is "wav", "mp3"…
	Format string `json:"format"`
}

// TextPart is a part of text.
func TextPart(text string) Part { return Part{Type: "text", Text: text} }

// ImageURLPart is an image that the service fetches, or a data URI.
func ImageURLPart(url string) Part { return Part{Type: "image_url", ImageURL: &MediaURL{URL: url}} }

// ImagePart is an image by its bytes, sent as a data URI. Its media type is sniffed.
func ImagePart(data []byte) Part {
	return ImageURLPart(dataURI(http.DetectContentType(data), data))
}

// VideoURLPart is a video that the service fetches, or a data URI.
func VideoURLPart(url string) Part { return Part{Type: "video_url", VideoURL: &MediaURL{URL: url}} }

// AudioPart is sound by its bytes, in a format such as "wav" or "mp3".
func AudioPart(data []byte, format string) Part {
	return Part{Type: "input_audio", InputAudio: &InputAudio{Data: base64.StdEncoding.EncodeToString(data), Format: format}}
}

func dataURI(mediaType string, data []byte) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// MarshalJSON adds Extra, and keeps an empty text: a part of type text must have one.
func (p Part) MarshalJSON() ([]byte, error) {
	type plain Part
	extra := p.Extra
	if p.Type == "text" && p.Text == "" {
		extra = map[string]any{"text": ""}
		maps.Copy(extra, p.Extra)
	}
	return marshalBody(plain(p), extra)
}

// Tool is a function that the model may call.
type Tool struct {
	// Type is "function"; empty means that.
	Type     string   `json:"type"`
	Function Function `json:"function"`
}

// Function describes a function to the model.
type Function struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters is the JSON schema of the arguments: any value that marshals to one. nil
	// is sent as the schema of an object without properties.
	Parameters any `json:"parameters"`
	// Strict asks that the arguments follow the schema.
	Strict *bool `json:"strict,omitzero"`
}

// FunctionTool is a tool with that name, description and JSON schema of its arguments.
func FunctionTool(name, description string, parameters any) Tool {
	return Tool{Type: "function", Function: Function{Name: name, Description: description, Parameters: parameters}}
}

// MarshalJSON fills in the type and the schema of a function without arguments.
func (t Tool) MarshalJSON() ([]byte, error) {
	type plain Tool
	t.Type = first(t.Type, "function")
	if t.Function.Parameters == nil {
		t.Function.Parameters = map[string]any{"type": "object", "properties": map[string]any{}}
	}
	return marshal(plain(t))
}

// Values of [ChatRequest.ToolChoice].
const (
	ToolChoiceAuto     = "auto"     // the model decides
	ToolChoiceNone     = "none"     // no tool is called
	ToolChoiceRequired = "required" // at least one is
)

// ToolChoiceFunction is the ToolChoice that makes the model call the function of that name.
func ToolChoiceFunction(name string) any {
	return map[string]any{"type": "function", "function": map[string]any{"name": name}}
}

// ToolCall is a call that the model makes, whole or, in a [Delta], a piece of one.
type ToolCall struct {
	// Index tells the calls of a streamed answer apart: a piece belongs to the call with its
	// index. nil in a whole answer.
	Index    *int         `json:"index,omitzero"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function FunctionCall `json:"function"`
}

// FunctionCall names the function and its arguments.
type FunctionCall struct {
	Name string `json:"name,omitempty"`
	// Arguments is JSON, as text. A model can write text that is no JSON.
	Arguments string `json:"arguments"`
}

// ResponseFormat asks for JSON. Make it with [JSONObject] or [JSONSchema].
type ResponseFormat struct {
	Type       string            `json:"type"`
	JSONSchema *JSONSchemaFormat `json:"json_schema,omitzero"`
}

// JSONSchemaFormat is the schema that the answer follows.
type JSONSchemaFormat struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Schema is any value that marshals to a JSON schema.
	Schema any   `json:"schema"`
	Strict *bool `json:"strict,omitzero"`
}

// JSONObject asks for a JSON object of any shape.
func JSONObject() *ResponseFormat { return &ResponseFormat{Type: "json_object"} }

// JSONSchema asks for JSON that follows schema: any value that marshals to a JSON schema.
func JSONSchema(name string, schema any) *ResponseFormat {
	return &ResponseFormat{Type: "json_schema", JSONSchema: &JSONSchemaFormat{Name: name, Schema: schema, Strict: new(true)}}
}

// Usage counts the tokens that a call took.
type Usage struct {
	PromptTokens            int                      `json:"prompt_tokens"`
	CompletionTokens        int                      `json:"completion_tokens"`
	TotalTokens             int                      `json:"total_tokens"`
	PromptTokensDetails     *PromptTokensDetails     `json:"prompt_tokens_details,omitzero"`
	CompletionTokensDetails *CompletionTokensDetails `json:"completion_tokens_details,omitzero"`
}

// PromptTokensDetails divides the tokens of the prompt.
type PromptTokensDetails struct {
	CachedTokens       int `json:"cached_tokens"`
	CreatedCacheTokens int `json:"created_cache_tokens,omitempty"`
	MultimodalTokens   int `json:"multimodal_tokens,omitempty"`
	AudioTokens        int `json:"audio_tokens,omitempty"`
}

// CompletionTokensDetails divides the tokens of the answer.
type CompletionTokensDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens,omitempty"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens,omitempty"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens,omitempty"`
}

// Logprobs are the log probabilities of the tokens of a chat answer.
type Logprobs struct {
	Content []TokenLogprob `json:"content"`
	Refusal []TokenLogprob `json:"refusal,omitempty"`
}

// TokenLogprob is the log probability of one token.
type TokenLogprob struct {
	ID      int     `json:"id,omitempty"` // llama.cpp
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	// Bytes are the token's own, where it is no whole UTF-8 text.
	Bytes []int `json:"bytes"`
	// TopLogprobs are the likeliest tokens at this place, TopLogprobs of the request many.
	TopLogprobs []TokenLogprob `json:"top_logprobs,omitempty"`
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
func (r *ChatResponse) Text() string { return r.choice().Message.Content }

// Reasoning is what the model thought before the first choice.
func (r *ChatResponse) Reasoning() string { return r.choice().Message.Reasoning }

// ToolCalls are the calls that the first choice makes.
func (r *ChatResponse) ToolCalls() []ToolCall { return r.choice().Message.ToolCalls }

// FinishReason is why the first choice ended.
func (r *ChatResponse) FinishReason() string { return r.choice().FinishReason }

// Message is the first choice's message: append it to the conversation to continue it.
func (r *ChatResponse) Message() Message {
	m := r.choice().Message
	m.Role = first(m.Role, RoleAssistant)
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
// An answer cut at the token limit is no error: its FinishReason is [FinishLength].
func (c *Client) Chat(ctx context.Context, req *ChatRequest, opts ...CallOption) (*ChatResponse, error) {
	k := &call{method: http.MethodPost, path: "/v1/chat/completions"}
	b, err := c.chatBody(req, false)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	out, err := decodeChat(raw)
	if err != nil {
		return nil, resp.notJSON(raw, err)
	}
	if len(out.Choices) == 0 {
		return nil, resp.invalidResponse(raw, "the answer has no choices", nil)
	}
	out.Meta = resp.Meta
	out.Raw = raw
	sortByIndex(out.Choices, func(ch ChatChoice) int { return ch.Index })
	return out, nil
}

// chatAnswer is a ChatResponse whose messages are plain structs: Message.UnmarshalJSON would read each
// message, which is most of the answer, twice more.
type chatAnswer struct {
	ChatResponse
	Choices []struct {
		ChatChoice
		Message messageWire[string] `json:"message"`
	} `json:"choices"`
}

func decodeChat(raw []byte) (*ChatResponse, error) {
	a := new(chatAnswer)
	if json.Unmarshal(raw, a) != nil { // also for a content that is no text
		out := new(ChatResponse)
		return out, json.Unmarshal(raw, out)
	}
	out := &a.ChatResponse
	if a.Choices != nil {
		out.Choices = make([]ChatChoice, len(a.Choices))
	}
	for i := range a.Choices {
		out.Choices[i] = a.Choices[i].ChatChoice
		out.Choices[i].Message = messageOf(&a.Choices[i].Message)
	}
	a.Choices = nil // out keeps a alive
	return out, nil
}

// ChatStream asks for an answer piece by piece. The request goes out when the range starts,
// and only once; an error is the last thing that the range yields:
//
//	for chunk, err := range c.ChatStream(ctx, req) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(chunk.Text())
//	}
//
// Leaving the loop closes the connection, which ends the generation. A stream that breaks off
// before its end is an error ([ErrStreamTruncated], [ErrStreamFailed], [ErrTimeout]).
func (c *Client) ChatStream(ctx context.Context, req *ChatRequest, opts ...CallOption) iter.Seq2[*ChatChunk, error] {
	return streamOf(ctx, c, func() (*call, error) {
		b, err := c.chatBody(req, true)
		k := streamCall("/v1/chat/completions", b)
		if err != nil {
			return nil, c.wrap(k, err)
		}
		return k, nil
	}, opts, func(m Meta) func([]byte) *ChatChunk { return (&chunkMemo{meta: m}).decode })
}

func (c *Client) chatBody(r *ChatRequest, stream bool) ([]byte, error) {
	if r == nil {
		return nil, invalid(CodeInvalidRequest, "the ChatRequest is nil")
	}
	model, err := c.model(r.Model, r.Extra)
	if err != nil {
		return nil, err
	}
	if len(r.Messages) == 0 && r.Extra["messages"] == nil {
		return nil, invalid(CodeInvalidRequest, "messages is empty: give at least one")
	}
	for i, m := range r.Messages {
		if m.Role == "" {
			return nil, invalid(CodeInvalidRequest, "messages[%d] has no role", i)
		}
		if m.Parts != nil && m.Content != "" {
			return nil, invalid(CodeInvalidRequest, "messages[%d] has both Content and Parts: put the text into a TextPart", i)
		}
		for j, p := range m.Parts {
			if p.Type == "" {
				return nil, invalid(CodeInvalidRequest, "messages[%d].Parts[%d] has no type", i, j)
			}
		}
	}
	for i, t := range r.Tools {
		if t.Function.Name == "" && first(t.Type, "function") == "function" {
			return nil, invalid(CodeInvalidRequest, "tools[%d] has no function name", i)
		}
	}
	if r.StreamOptions != nil && !stream {
		return nil, invalid(CodeInvalidRequest, "stream_options is for ChatStream: leave it out of Chat")
	}
	if err := firstError(
		checkCount("max_tokens", r.MaxTokens), checkCount("max_completion_tokens", r.MaxCompletionTokens),
		checkCount("min_tokens", r.MinTokens), checkCount("n", r.N), checkCount("top_logprobs", r.TopLogprobs),
		checkFinite("temperature", r.Temperature), checkFinite("top_p", r.TopP), checkFinite("min_p", r.MinP),
		checkFinite("presence_penalty", r.PresencePenalty), checkFinite("frequency_penalty", r.FrequencyPenalty),
		checkFinite("repetition_penalty", r.RepetitionPenalty)); err != nil {
		return nil, err
	}
	wire := chatWire{Model: model, Messages: make([]messageWire[any], len(r.Messages)), ChatRequest: *r, Stream: stream}
	for i := range r.Messages {
		wire.Messages[i] = r.Messages[i].wire()
	}
	if r.Tools != nil {
		wire.Tools = r.Tools
	}
	if r.ResponseFormat != nil {
		wire.ResponseFormat = r.ResponseFormat
	}
	if r.StreamOptions != nil {
		wire.StreamOptions = r.StreamOptions
	}
	return generationBody(&wire, r.Extra, stream)
}

// chatWire is a ChatRequest as it is sent. Its own fields win over those of the same name within.
type chatWire struct {
	Model    string             `json:"model,omitempty"`
	Messages []messageWire[any] `json:"messages"` // as Message.MarshalJSON would have them, but encoded once and not for each layer
	ChatRequest
	Stream bool `json:"stream,omitempty"`

	// Of these encoding/json learns the type only where one is there, which a first call feels.
	Tools          any `json:"tools,omitempty"`
	ResponseFormat any `json:"response_format,omitempty"`
	StreamOptions  any `json:"stream_options,omitempty"`
}

// generationBody encodes a body that may ask for a stream, and refuses one that asks for it
// in a plain call.
func generationBody(v any, extra map[string]any, stream bool) ([]byte, error) {
	if stream && extra["stream"] != nil {
		rest := make(map[string]any, len(extra))
		for name, value := range extra {
			if name != "stream" {
				rest[name] = value
			}
		}
		extra = rest
	}
	b, err := marshalBody(v, extra)
	if err != nil {
		return nil, err
	}
	if !stream && extra["stream"] != nil && wantsStream(b) {
		return nil, errStreamMethod
	}
	return b, nil
}

// model is the model of a generation: the call's, else the client's default.
func (c *Client) model(model string, extra map[string]any) (string, error) {
	if _, ok := extra["model"]; ok {
		return model, nil
	}
	if model = strings.TrimSpace(model); model == "" {
		model = c.defaultModel
	}
	if model == "" {
		return "", invalid(CodeModelRequired, "no model: set Model, or a default with WithDefaultModel or BABYAPI_DEFAULT_MODEL")
	}
	return model, nil
}

// quote shortens a value for an error message.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
