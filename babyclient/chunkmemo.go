package babyclient

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// The chunks of one stream are alike but for the piece of text. chunkMemo decodes the first of
// a kind with encoding/json, with a mark in the place of the text, and learns by where the
// mark comes out that the bytes before and after the text mean this very chunk around any text. A decoder being a
// function of its input, a later event with the same bytes around it needs no decoding.
type chunkMemo struct {
	before, after []byte // what stands around the text of the chunk below
	like          ChatChunk
	text          func(*Delta) *string // where the text stands in it
	wasted        int                  // chunks learnt from that no other was like

	meta  Meta
	slab  []chunkCell
	bytes []byte // where the copies for Raw are cut from
}

// chunkCell is a chunk with its one choice, so that they are allocated together, and many at once.
type chunkCell struct {
	chunk  ChatChunk
	choice [1]ChunkChoice
}

// slabSize is how many chunks share an allocation. More are hardly faster, and a stream holds on to them.
const slabSize = 4

// memoMark is no text that a model would write, and is written as it is in JSON.
const memoMark = "\x7f#babyclient#\x7f"

// callCell is the one tool call of a chunk with what it points to.
type callCell struct {
	call  [1]ToolCall
	index int
}

// textKeys are the keys whose value is a piece of text, and where it comes out.
var textKeys = [...]struct {
	key  []byte
	text func(*Delta) *string
}{
	{[]byte(`"content":`), func(d *Delta) *string { return &d.Content }},
	{[]byte(`"reasoning_content":`), func(d *Delta) *string { return &d.Reasoning }},
	{[]byte(`"reasoning":`), func(d *Delta) *string { return &d.Reasoning }},
	{[]byte(`"arguments":`), func(d *Delta) *string {
		if len(d.ToolCalls) == 0 {
			return new(string)
		}
		return &d.ToolCalls[0].Function.Arguments
	}},
}

func (m *chunkMemo) decode(data []byte) *ChatChunk {
	if len(m.before) > 0 && len(data) > len(m.before)+len(m.after) && bytes.HasPrefix(data, m.before) && bytes.HasSuffix(data, m.after) {
		// Both quotes are in what was learnt.
		if text, ok := unquote(data[len(m.before)-1 : len(data)-len(m.after)+1]); ok {
			m.wasted = 0
			return m.fill(text, data)
		}
	}
	return m.learn(data)
}

// fill is a chunk like the one learnt, with another text.
func (m *chunkMemo) fill(text string, data []byte) *ChatChunk {
	if len(m.slab) == 0 {
		// The copies for Raw begin anew too, so that cells and copies live and die together.
		m.slab, m.bytes = make([]chunkCell, slabSize), make([]byte, 0, slabSize*(len(data)+16))
	}
	cell := &m.slab[0]
	m.slab = m.slab[1:]
	cell.chunk = m.like
	cell.choice[0] = m.like.Choices[0]
	cell.chunk.Choices = cell.choice[:]
	cell.chunk.Raw = m.keep(data)
	delta := &cell.choice[0].Delta
	if len(delta.ToolCalls) > 0 {
		own := &callCell{call: [1]ToolCall(delta.ToolCalls)}
		if at := own.call[0].Index; at != nil {
			own.index, own.call[0].Index = *at, &own.index
		}
		delta.ToolCalls = own.call[:]
	}
	*m.text(delta) = text
	return &cell.chunk
}

// keep copies data into memory that the chunks of a slab share, where it fits.
func (m *chunkMemo) keep(data []byte) json.RawMessage {
	if len(data) > cap(m.bytes)-len(m.bytes) {
		return bytes.Clone(data)
	}
	start := len(m.bytes)
	m.bytes = append(m.bytes, data...)
	return json.RawMessage(m.bytes[start:len(m.bytes):len(m.bytes)])
}

// learn decodes data with encoding/json and, where its text can be told, remembers it.
func (m *chunkMemo) learn(data []byte) *ChatChunk {
	chunk := new(ChatChunk)
	if m.wasted < 8 {
		for _, k := range textKeys {
			i := bytes.Index(data, k.key)
			if i < 0 {
				continue
			}
			start := skipSpace(data, i+len(k.key))
			if start >= len(data) || data[start] != '"' {
				continue
			}
			start++
			n := bytes.IndexByte(data[start:], '"')
			if n <= 0 || !isPlainText(data[start:start+n]) {
				continue
			}
			marked := make([]byte, 0, len(data)+len(memoMark))
			marked = append(append(append(marked, data[:start]...), memoMark...), data[start+n:]...)
			if json.Unmarshal(marked, chunk) != nil || len(chunk.Choices) != 1 || !isMarked(chunk, k.text) {
				*chunk = ChatChunk{}
				continue
			}
			m.wasted++
			m.before = append(m.before[:0], data[:start]...)
			m.after = append(m.after[:0], data[start+n:]...)
			chunk.Meta = m.meta
			m.like, m.text = *chunk, k.text
			return m.fill(string(data[start:start+n]), data)
		}
	}
	if err := json.Unmarshal(data, chunk); err != nil {
		*chunk = ChatChunk{notJSON: err}
	}
	chunk.Meta = m.meta
	chunk.Raw = m.keep(data)
	return chunk
}

// isMarked reports whether the mark came out as the text, and fill copies all that the chunk points to.
func isMarked(c *ChatChunk, text func(*Delta) *string) bool {
	choice := &c.Choices[0]
	calls := choice.Delta.ToolCalls
	return *text(&choice.Delta) == memoMark && (calls == nil || len(calls) == 1) && c.Usage == nil && choice.Logprobs == nil && choice.StopReason == nil
}

// unquote decodes a JSON string, and reports whether it is one.
func unquote(quoted []byte) (string, bool) {
	if text := quoted[1 : len(quoted)-1]; isPlainText(text) {
		return string(text), true
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// isPlainText reports whether text stands for itself inside a JSON string.
func isPlainText(text []byte) bool {
	ascii := true
	for _, c := range text {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.Valid(text)
}
