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
	reasoning     bool // the text is thinking
	wasted        int  // chunks learnt from that no other was like

	meta  Meta
	slab  []chunkCell
	bytes []byte // where the copies for Raw are cut from
}

// chunkCell is a chunk with its one choice, so that they are allocated together, and many at once.
type chunkCell struct {
	chunk  ChatChunk
	choice [1]ChunkChoice
}

// memoMark is no text that a model would write, and is written as it is in JSON.
const memoMark = "\x7f#babyclient#\x7f"

// textKeys are the keys of Delta whose value is a piece of text.
var textKeys = [...]struct {
	key       []byte
	reasoning bool
}{{[]byte(`"content":`), false}, {[]byte(`"reasoning_content":`), true}, {[]byte(`"reasoning":`), true}}

func (m *chunkMemo) decode(data []byte) *ChatChunk {
	if len(m.before) > 0 && len(data) >= len(m.before)+len(m.after) && bytes.HasPrefix(data, m.before) && bytes.HasSuffix(data, m.after) {
		if text := data[len(m.before) : len(data)-len(m.after)]; len(text) > 0 && isPlainText(text) {
			m.wasted = 0
			return m.fill(string(text), data)
		}
	}
	return m.learn(data)
}

// fill is a chunk like the one learnt, with another text.
func (m *chunkMemo) fill(text string, data []byte) *ChatChunk {
	if len(m.slab) == 0 {
		m.slab = make([]chunkCell, 16)
	}
	cell := &m.slab[0]
	m.slab = m.slab[1:]
	cell.chunk = m.like
	cell.choice[0] = m.like.Choices[0]
	cell.chunk.Choices = cell.choice[:]
	cell.chunk.Raw = m.keep(data)
	if m.reasoning {
		cell.choice[0].Delta.Reasoning = text
	} else {
		cell.choice[0].Delta.Content = text
	}
	return &cell.chunk
}

// keep copies data into memory that several chunks share.
func (m *chunkMemo) keep(data []byte) json.RawMessage {
	if len(data) > cap(m.bytes)-len(m.bytes) {
		m.bytes = make([]byte, 0, max(len(data), 16*min(len(data), 512)))
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
			i := bytes.LastIndex(data, k.key)
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
			if json.Unmarshal(marked, chunk) != nil || len(chunk.Choices) != 1 || !m.markedIn(chunk, k.reasoning) {
				*chunk = ChatChunk{}
				continue
			}
			m.wasted++
			m.before = append(m.before[:0], data[:start]...)
			m.after = append(m.after[:0], data[start+n:]...)
			chunk.Meta = m.meta
			m.like, m.reasoning = *chunk, k.reasoning
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

// markedIn reports whether the mark is the text of the delta, and nothing of the chunk can be
// changed through a copy of it.
func (m *chunkMemo) markedIn(c *ChatChunk, reasoning bool) bool {
	d := &c.Choices[0].Delta
	text := d.Content
	if reasoning {
		text = d.Reasoning
	}
	return text == memoMark && d.ToolCalls == nil && c.Usage == nil && c.Choices[0].Logprobs == nil && c.Choices[0].StopReason == nil
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
