package babyclient

import (
	"bytes"
	"cmp"
)

// chatDecoder decodes the chunks of one stream, each with regard to those before it: half a
// character waits for its other half, and of a whole message only what has not come yet is given
// out.
type chatDecoder struct {
	memo    chunkMemo
	halves  halfJoiner
	choices byIndex[choiceSoFar]
}

// choiceSoFar is what has come of one choice.
type choiceSoFar struct {
	content, reasoning, refusal textSoFar
	calls                       callsSoFar
}

// callsSoFar stands for the tool calls that have come, in pieces and in whole messages.
type callsSoFar struct {
	next      int // an index that no call has
	hasPieces bool
	ids       map[string]bool
	whole     map[FunctionCall]bool // those without an id, of messages
}

// note remembers pieces of calls.
func (c *callsSoFar) note(pieces []ToolCall) {
	for _, piece := range pieces {
		c.hasPieces = true
		c.noteID(realID(piece.ID))
		if piece.Index != nil {
			c.next = max(c.next, *piece.Index+1)
		}
	}
}

func (c *callsSoFar) noteID(id string) {
	if id == "" {
		return
	}
	if c.ids == nil {
		c.ids = map[string]bool{}
	}
	c.ids[id] = true
}

// missing are the calls of a whole message that have not come yet, each with an index. A message
// can hold all calls so far, or one that is new. Where pieces came, a call without an id is one of
// them.
func (c *callsSoFar) missing(calls []ToolCall) (out []ToolCall) {
	for _, call := range calls {
		id := realID(call.ID)
		if c.ids[id] || id == "" && (c.hasPieces || c.whole[call.Function]) {
			continue
		}
		call.Index = new(c.next)
		c.next++
		out = append(out, call)
	}
	for _, call := range out { // after all, because a message can have two calls that are alike
		c.noteID(realID(call.ID))
		if c.whole == nil {
			c.whole = map[FunctionCall]bool{}
		}
		c.whole[call.Function] = true
	}
	return out
}

// textSoFar stands for a text whose pieces have come. It keeps no text, which would double what a
// long answer takes.
type textSoFar struct {
	length    int    // bytes
	hash      uint64 // of the bytes
	hasPieces bool   // in deltas, and not only in whole messages
}

func (t *textSoFar) add(piece string) {
	if piece != "" {
		t.append(piece)
		t.hasPieces = true
	}
}

func (t *textSoFar) append(piece string) {
	t.length += len(piece)
	for i := range len(piece) {
		t.hash = (t.hash ^ uint64(piece[i])) * 1099511628211 // FNV-1a
	}
}

// isPrefixOf reports whether text begins with all that has come.
func (t *textSoFar) isPrefixOf(text string) bool {
	if len(text) < t.length {
		return false
	}
	var begin textSoFar
	begin.append(text[:t.length])
	return begin.hash == t.hash
}

// missing is the part of a whole text that has not come yet. A whole text that does not begin with
// the pieces is another version of them, such as one without white space around it. If there were
// no pieces, it is itself a piece, of a server that calls its deltas messages.
func (t *textSoFar) missing(whole string) string {
	switch {
	case t.isPrefixOf(whole):
		whole = whole[t.length:]
	case t.hasPieces:
		whole = ""
	}
	t.append(whole)
	return whole
}

func (d *chatDecoder) again(data []byte) *ChatChunk {
	if len(d.halves.held) > 0 {
		return nil
	}
	chunk := d.memo.again(data)
	if chunk != nil {
		d.note(chunk)
	}
	return chunk
}

func (d *chatDecoder) decode(data []byte) (*ChatChunk, error) {
	chunk := d.memo.decode(data)
	mendHalves(&d.halves, chunk, data, (*ChatChunk).texts, decodeChatChunk)
	chunk.addText(data)
	d.note(chunk)
	if bytes.Contains(data, []byte(`"message"`)) {
		d.addMessages(chunk, data)
	}
	return chunk, chunk.err
}

func (d *chatDecoder) hasChoices() bool { return len(d.choices.inOrder) > 0 }

// rest is a chunk with the halves of characters that were left alone.
func (d *chatDecoder) rest() *ChatChunk {
	if len(d.halves.held) == 0 {
		return nil
	}
	chunk := &ChatChunk{Meta: d.memo.meta, fail: d.memo.fail}
	for key := range d.halves.held {
		choice := ChunkChoice{Index: key.choice}
		half := d.halves.give(key)
		switch key.field {
		case "content":
			choice.Delta.Content = half
		case "reasoning":
			choice.Delta.Reasoning = half
		case "refusal":
			choice.Delta.Refusal = half
		default:
			choice.Delta.ToolCalls = []ToolCall{{Index: &key.call, Function: FunctionCall{Arguments: half}}}
		}
		chunk.Choices = append(chunk.Choices, choice)
	}
	return chunk
}

// texts are the texts of the chunk that can end in the midst of a character.
func (c *ChatChunk) texts() (texts []chunkText) {
	for i := range c.Choices {
		index, delta := c.Choices[i].Index, &c.Choices[i].Delta
		texts = append(texts,
			chunkText{textKey{choice: index, field: "content"}, &delta.Content},
			chunkText{textKey{choice: index, field: "reasoning"}, &delta.Reasoning},
			chunkText{textKey{choice: index, field: "refusal"}, &delta.Refusal})
		for j := range delta.ToolCalls {
			call := &delta.ToolCalls[j]
			key := textKey{choice: index, field: "arguments"}
			if call.Index != nil {
				key.call = *call.Index
			}
			texts = append(texts, chunkText{key, &call.Function.Arguments})
		}
	}
	return texts
}

// note remembers what the deltas of a chunk add.
func (d *chatDecoder) note(chunk *ChatChunk) {
	for i := range chunk.Choices {
		delta := &chunk.Choices[i].Delta
		choice := d.choice(chunk.Choices[i].Index)
		choice.content.add(delta.Content)
		choice.reasoning.add(delta.Reasoning)
		choice.refusal.add(delta.Refusal)
		choice.calls.note(delta.ToolCalls)
	}
}

func (d *chatDecoder) choice(index int) *choiceSoFar {
	return d.choices.find(index, func() *choiceSoFar { return new(choiceSoFar) })
}

// addMessages adds to the deltas of a chunk what its whole messages have beyond all that came
// before. Some servers end a stream with the whole message in place of, or beside, its pieces;
// others send with each piece all that came so far.
func (d *chatDecoder) addMessages(chunk *ChatChunk, data []byte) {
	var whole struct {
		Choices []struct {
			Message *looseMessage `json:"message"`
		} `json:"choices"`
	}
	if err := unmarshalFitting(data, &whole, ""); err != nil && chunk.err == nil {
		chunk.err = err
	}
	for i := range min(len(chunk.Choices), len(whole.Choices)) {
		if whole.Choices[i].Message == nil {
			continue
		}
		message := whole.Choices[i].Message.delta()
		choice, delta := d.choice(chunk.Choices[i].Index), &chunk.Choices[i].Delta
		delta.Role = cmp.Or(delta.Role, message.Role)
		delta.Content += choice.content.missing(message.Content)
		if reasoning := choice.reasoning.missing(message.Reasoning); reasoning != "" {
			delta.Reasoning += reasoning
			delta.reasoningField = message.reasoningField
		}
		delta.Refusal += choice.refusal.missing(message.Refusal)
		delta.ToolCalls = append(delta.ToolCalls, choice.calls.missing(message.ToolCalls)...)
	}
}
