package babyclient

import (
	"cmp"
	"iter"
	"strings"
)

// Collect ranges over a stream and returns the answer that the plain call would have given.
// When the stream fails it returns what had come together with the error. So it does when the
// finish reason tells of a failure, such as "abort" ([ErrGenerationFailed]).
func Collect(chunks iter.Seq2[*ChatChunk, error]) (*ChatResponse, error) {
	var a chatAssembler
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

// chatAssembler puts the chunks of a stream together.
type chatAssembler struct {
	fail    errorMaker // of the stream, once there was a chunk
	out     ChatResponse
	choices byIndex[choiceAssembler]
}

type choiceAssembler struct {
	choice    ChatChoice
	content   strings.Builder
	reasoning strings.Builder
	refusal   strings.Builder
	calls     toolCallsAssembler
}

func (a *chatAssembler) add(chunk *ChatChunk) {
	o := &a.out
	if o.Header == nil { // the first chunk
		if chunk.fail != nil {
			a.fail = *chunk.fail
		}
		o.Meta = chunk.Meta
		o.Raw = nil
	}
	// The id is that of the first chunk that has one; other fields may come late, or again.
	o.ID, o.Model = cmp.Or(o.ID, chunk.ID), cmp.Or(o.Model, chunk.Model)
	o.Created = cmp.Or(o.Created, chunk.Created)
	o.SystemFingerprint = cmp.Or(chunk.SystemFingerprint, o.SystemFingerprint)
	o.ServiceTier = cmp.Or(chunk.ServiceTier, o.ServiceTier)
	if chunk.Usage != nil {
		o.Usage = chunk.Usage
	}
	for i := range chunk.Choices {
		a.choice(chunk.Choices[i].Index).add(&chunk.Choices[i])
	}
}

func (a *chatAssembler) choice(index int) *choiceAssembler {
	return a.choices.find(index, func() *choiceAssembler {
		return &choiceAssembler{choice: ChatChoice{Index: index, Message: Message{Role: RoleAssistant}}}
	})
}

func (a *choiceAssembler) add(c *ChunkChoice) {
	m := &a.choice.Message
	m.Role = cmp.Or(c.Delta.Role, m.Role)
	a.content.WriteString(c.Delta.Content)
	a.reasoning.WriteString(c.Delta.Reasoning)
	a.refusal.WriteString(c.Delta.Refusal)
	m.ReasoningField = cmp.Or(m.ReasoningField, c.Delta.reasoningField)
	a.choice.FinishReason = cmp.Or(c.FinishReason, a.choice.FinishReason)
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
		a.calls.add(piece)
	}
}

func (a *chatAssembler) response() *ChatResponse {
	out := a.out
	out.Object = "chat.completion"
	for _, ch := range a.choices.inOrder {
		c := ch.choice
		c.Message.Content = ch.content.String()
		c.Message.Reasoning = ch.reasoning.String()
		c.Message.Refusal = ch.refusal.String()
		c.Message.ToolCalls = ch.calls.whole()
		out.Choices = append(out.Choices, c)
	}
	sortByIndex(out.Choices, func(ch ChatChoice) int { return ch.Index })
	return &out
}
