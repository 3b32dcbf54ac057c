package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// ChatChunk is a piece of a streamed chat. It may be kept; Raw is its own copy.
type ChatChunk struct {
	Meta
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // seconds since 1970
	Model   string `json:"model"`
	// Choices is empty in the chunk that carries the usage. A chunk whose data was no JSON has
	// nothing but Raw.
	Choices           []ChunkChoice `json:"choices"`
	Usage             *Usage        `json:"usage,omitzero"`
	SystemFingerprint string        `json:"system_fingerprint,omitempty"`
	ServiceTier       string        `json:"service_tier,omitempty"`

	notJSON error
}

// ChunkChoice is the piece of one choice.
type ChunkChoice struct {
	Index int   `json:"index"`
	Delta Delta `json:"delta"`
	// FinishReason is empty until the choice ends.
	FinishReason string    `json:"finish_reason"`
	Logprobs     *Logprobs `json:"logprobs,omitzero"`
	StopReason   any       `json:"stop_reason,omitempty"`
}

// Delta is what a chunk adds to a message.
type Delta struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content,omitempty"`
	// Reasoning is a piece of thinking, under either name that servers use.
	Reasoning string `json:"reasoning,omitempty"`
	Refusal   string `json:"refusal,omitempty"`
	// ToolCalls are pieces of calls: by Index, id and name once, the arguments in pieces.
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`

	reasoningContent bool
}

// UnmarshalJSON reads reasoning under both names.
func (d *Delta) UnmarshalJSON(data []byte) error {
	type plain Delta
	var w struct {
		plain
		ReasoningContent string `json:"reasoning_content"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*d = Delta(w.plain)
	if d.Reasoning == "" && w.ReasoningContent != "" {
		d.Reasoning, d.reasoningContent = w.ReasoningContent, true
	}
	return nil
}

// Text is the text that the chunk adds to the first choice; empty for every other one.
func (c *ChatChunk) Text() string {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return c.Choices[i].Delta.Content
		}
	}
	return ""
}

// Reasoning is the thinking that the chunk adds to the first choice.
func (c *ChatChunk) Reasoning() string {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return c.Choices[i].Delta.Reasoning
		}
	}
	return ""
}

var errorKey = []byte(`"error"`)

// hasErrorKey is a quick look that spares most events a second decoding.
func hasErrorKey(data []byte) bool { return bytes.Contains(data, errorKey) }

// Collect ranges over a stream and returns the answer that the plain call would have given.
// When the stream fails it returns what had come together with the error.
func Collect(chunks iter.Seq2[*ChatChunk, error]) (*ChatResponse, error) {
	var a chatAssembler
	for chunk, err := range chunks {
		if err != nil {
			return a.response(), err
		}
		if err := a.add(chunk); err != nil {
			return a.response(), err
		}
	}
	if len(a.choices) == 0 {
		return a.response(), a.out.noChoices()
	}
	return a.response(), nil
}

// chatAssembler puts the chunks of a stream together.
type chatAssembler struct {
	out     ChatResponse
	choices []*choiceAssembler // by their order of arrival
}

type choiceAssembler struct {
	choice    ChatChoice
	content   strings.Builder
	reasoning strings.Builder
	refusal   strings.Builder
	calls     []*callAssembler
}

type callAssembler struct {
	index     int
	call      ToolCall
	arguments strings.Builder
}

// notJSONEvent is the error of collecting a chunk that is no JSON.
func (m *Meta) notJSONEvent(cause error) *Error {
	return &Error{Code: CodeInvalidResponse, Message: "an event of the stream is no JSON: " + quote(string(m.Raw)),
		StatusCode: m.StatusCode, RequestID: m.RequestID, Header: m.Header, Details: string(m.Raw), Err: cause}
}

// noChoices is the error of a stream that ended without any.
func (m *Meta) noChoices() *Error {
	return &Error{Code: CodeInvalidResponse, Message: "the stream had no choices", StatusCode: m.StatusCode, RequestID: m.RequestID, Header: m.Header}
}

func (a *chatAssembler) add(chunk *ChatChunk) error {
	if chunk.notJSON != nil {
		return chunk.notJSONEvent(chunk.notJSON)
	}
	o := &a.out
	if o.Header == nil {
		o.Meta = chunk.Meta
		o.Raw = nil
	}
	o.ID, o.Model = first(o.ID, chunk.ID), first(o.Model, chunk.Model)
	o.Created = cmp.Or(o.Created, chunk.Created)
	o.SystemFingerprint = first(chunk.SystemFingerprint, o.SystemFingerprint)
	o.ServiceTier = first(chunk.ServiceTier, o.ServiceTier)
	if chunk.Usage != nil {
		o.Usage = chunk.Usage
	}
	for i := range chunk.Choices {
		a.choice(chunk.Choices[i].Index).add(&chunk.Choices[i])
	}
	return nil
}

func (a *chatAssembler) choice(index int) *choiceAssembler {
	for _, ch := range a.choices {
		if ch.choice.Index == index {
			return ch
		}
	}
	ch := &choiceAssembler{choice: ChatChoice{Index: index, Message: Message{Role: RoleAssistant}}}
	a.choices = append(a.choices, ch)
	return ch
}

func (a *choiceAssembler) add(c *ChunkChoice) {
	m := &a.choice.Message
	m.Role = first(c.Delta.Role, m.Role)
	a.content.WriteString(c.Delta.Content)
	a.reasoning.WriteString(c.Delta.Reasoning)
	a.refusal.WriteString(c.Delta.Refusal)
	m.reasoningContent = m.reasoningContent || c.Delta.reasoningContent
	a.choice.FinishReason = first(c.FinishReason, a.choice.FinishReason)
	if c.StopReason != nil {
		a.choice.StopReason = c.StopReason
	}
	if c.Logprobs != nil {
		if a.choice.Logprobs == nil {
			a.choice.Logprobs = &Logprobs{}
		}
		a.choice.Logprobs.Content = append(a.choice.Logprobs.Content, c.Logprobs.Content...)
		a.choice.Logprobs.Refusal = append(a.choice.Logprobs.Refusal, c.Logprobs.Refusal...)
	}
	for _, piece := range c.Delta.ToolCalls {
		a.call(piece).add(piece)
	}
}

// call finds the call that a piece belongs to: by index, and where a server gives none, a new
// id begins a new call.
func (a *choiceAssembler) call(piece ToolCall) *callAssembler {
	index := 0
	switch {
	case piece.Index != nil:
		index = *piece.Index
	case len(a.calls) > 0:
		last := a.calls[len(a.calls)-1]
		index = last.index
		if piece.ID != "" && last.call.ID != "" && piece.ID != last.call.ID {
			index++
		}
	}
	for _, c := range a.calls {
		if c.index == index {
			return c
		}
	}
	c := &callAssembler{index: index}
	a.calls = append(a.calls, c)
	return c
}

func (a *callAssembler) add(piece ToolCall) {
	a.call.ID = first(a.call.ID, piece.ID)
	a.call.Type = first(a.call.Type, piece.Type)
	a.call.Function.Name = first(a.call.Function.Name, piece.Function.Name)
	a.arguments.WriteString(piece.Function.Arguments)
}

func (a *chatAssembler) response() *ChatResponse {
	out := a.out
	out.Object = "chat.completion"
	for _, ch := range a.choices {
		c := ch.choice
		c.Message.Content, c.Message.Reasoning, c.Message.Refusal = ch.content.String(), ch.reasoning.String(), ch.refusal.String()
		sortByIndex(ch.calls, func(c *callAssembler) int { return c.index })
		for _, t := range ch.calls {
			call := t.call
			call.Type = first(call.Type, "function")
			call.Function.Arguments = t.arguments.String()
			c.Message.ToolCalls = append(c.Message.ToolCalls, call)
		}
		out.Choices = append(out.Choices, c)
	}
	sortByIndex(out.Choices, func(ch ChatChoice) int { return ch.Index })
	return &out
}

func sortByIndex[T any](s []T, index func(T) int) {
	slices.SortStableFunc(s, func(a, b T) int { return cmp.Compare(index(a), index(b)) })
}
