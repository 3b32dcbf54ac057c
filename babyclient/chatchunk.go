package babyclient

import (
	"bytes"
	"encoding/json"
)

// ChatChunk is a piece of a streamed chat. It may be kept; Raw is its own copy.
type ChatChunk struct {
	Meta
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // seconds since 1970
	Model   string `json:"model"`
	// Choices is empty in the chunk that carries the usage, and can be in one whose Err is not nil.
	Choices           []ChunkChoice `json:"choices"`
	Usage             *Usage        `json:"usage,omitzero"`
	SystemFingerprint string        `json:"system_fingerprint,omitempty"`
	ServiceTier       string        `json:"service_tier,omitempty"`

	err  error
	fail *errorMaker // of the stream
}

// Err is why the chunk could not be decoded whole: its event held no JSON, or its content was of
// another form. Such a chunk has what could be decoded, and what the service wanted to say is in
// Raw. The stream goes on after it, and ends with an error that matches [ErrInvalidResponse] and
// quotes Raw. Err is nil for every other chunk.
func (c *ChatChunk) Err() error { return c.err }

// decodeChatChunk decodes the data of an event as far as they fit.
func decodeChatChunk(data []byte) *ChatChunk {
	chunk := new(ChatChunk)
	chunk.err = unmarshalFitting(data, chunk, "")
	return chunk
}

// addText gives choices with an empty delta the text that stands beside it, where a completion has
// it.
func (c *ChatChunk) addText(data []byte) {
	if !bytes.Contains(data, []byte(`"text"`)) {
		return
	}
	var wire struct {
		Choices []struct {
			Text looseContent `json:"text"`
		} `json:"choices"`
	}
	_ = unmarshalFitting(data, &wire, "") // what does not fit was found before
	for i := range min(len(c.Choices), len(wire.Choices)) {
		if delta := &c.Choices[i].Delta; delta.Content == "" {
			delta.Content = wire.Choices[i].Text.allText()
		}
	}
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
	// ToolCalls are pieces of calls, told apart by Index: the id and the name come once, the
	// arguments in pieces.
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`

	reasoningField string // as in a Message
}

// UnmarshalJSON reads reasoning under both names, and content that is in parts.
func (d *Delta) UnmarshalJSON(data []byte) error {
	type fields Delta
	var wire struct {
		fields
		ReasoningContent string `json:"reasoning_content"`
	}
	if json.Unmarshal(data, &wire) != nil {
		var loose looseMessage
		err := unmarshalFitting(data, &loose, "choices.message")
		*d = loose.delta()
		return err
	}
	*d = Delta(wire.fields)
	if d.Reasoning == "" && wire.ReasoningContent != "" {
		d.Reasoning, d.reasoningField = wire.ReasoningContent, ReasoningInContent
	}
	return nil
}

// delta is the piece of a stream, which has content as text alone.
func (m *looseMessage) delta() Delta {
	whole := m.message()
	return Delta{Role: m.Role, Content: whole.Text(), Reasoning: whole.Reasoning, Refusal: whole.Refusal,
		ToolCalls: whole.ToolCalls, reasoningField: whole.ReasoningField}
}

// Text is the text that the chunk adds to the first choice. It is empty in a chunk of another
// choice.
func (c *ChatChunk) Text() string { return c.firstDelta().Content }

// Reasoning is the thinking that the chunk adds to the first choice.
func (c *ChatChunk) Reasoning() string { return c.firstDelta().Reasoning }

func (c *ChatChunk) firstDelta() *Delta {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return &c.Choices[i].Delta
		}
	}
	return &Delta{}
}

// byIndex holds what came of each choice of a stream, by its index and in the order of arrival. A
// search through a list would take hours for a hundred thousand choices.
type byIndex[T any] struct {
	inOrder []*T
	places  map[int]int // of an index in inOrder; only if there are several
	first   int         // the index of the first
}

// find is what came of a choice. If nothing came yet, create makes it.
func (b *byIndex[T]) find(index int, create func() *T) *T {
	if len(b.inOrder) > 0 && index == b.first {
		return b.inOrder[0] // without a map for the usual stream, of one choice
	}
	if place, ok := b.places[index]; ok {
		return b.inOrder[place]
	}
	switch {
	case len(b.inOrder) == 0:
		b.first = index
	case b.places == nil:
		b.places = map[int]int{}
	}
	if b.places != nil {
		b.places[index] = len(b.inOrder)
	}
	b.inOrder = append(b.inOrder, create())
	return b.inOrder[len(b.inOrder)-1]
}
