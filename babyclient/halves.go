package babyclient

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A character beyond U+FFFF can be two escapes in JSON, such as \ud83d\ude00, the two halves of a
// surrogate pair. Servers that cut their text by tokens may end one event with the first half and
// begin the next with the second. On its own encoding/json reads either half as U+FFFD, the
// replacement character.

// halfJoiner joins the halves of the texts of one stream. An example, for the events "a\ud83d" and
// "\ude00b":
//
//  1. markHalves writes the first event again, with the private character U+10F03D in place of the
//     half, so that it survives the decoding.
//  2. join finds that mark at the end of the text, holds the half back, and returns "a".
//  3. The second event begins with the mark of the other half. join puts both together and returns
//     "😀b".
type halfJoiner struct {
	held map[textKey]rune // the halves at the end of the texts so far
}

// textKey names a text of a stream: a field of a choice, and of a call if it is arguments.
type textKey struct {
	choice int
	field  string
	call   int
}

// chunkText is a text of a chunk.
type chunkText struct {
	key  textKey
	text *string
}

// mendHalves joins the halves in the texts of a chunk, whose data are given. textsOf finds the
// texts, decode decodes data that are marked.
func mendHalves[T any](j *halfJoiner, chunk *T, data []byte, textsOf func(*T) []chunkText, decode func([]byte) *T) {
	hasHalf := hasLoneHalf(data)
	if len(j.held) == 0 && !hasHalf {
		return
	}
	texts := textsOf(chunk)
	if hasHalf {
		if marked, ok := markHalves(data); ok {
			if again := textsOf(decode(marked)); len(again) == len(texts) {
				for i, t := range texts {
					*t.text = j.join(t.key, *again[i].text)
				}
				return
			}
		}
	}
	for _, t := range texts {
		*t.text = j.resume(t.key, *t.text)
	}
}

// join is the text of a chunk that may hold marks, after what was held back of the text before.
func (j *halfJoiner) join(key textKey, marked string) string {
	first, size := utf8.DecodeRuneInString(marked)
	if held, ok := j.held[key]; ok && isMark(first) {
		if whole := utf16.DecodeRune(held, halfOf(first)); whole != utf8.RuneError {
			delete(j.held, key)
			marked = string(whole) + marked[size:]
		}
	}
	last, size := utf8.DecodeLastRuneInString(marked)
	isHeldBack := isMark(last) && isFirst(halfOf(last))
	if isHeldBack {
		marked = marked[:len(marked)-size]
	}
	text := strings.Map(func(r rune) rune {
		if isMark(r) {
			return utf8.RuneError
		}
		return r
	}, marked)
	if text != "" || isHeldBack { // something follows the half that is held
		text = j.give(key) + text
	}
	if isHeldBack {
		if j.held == nil {
			j.held = map[textKey]rune{}
		}
		j.held[key] = halfOf(last)
	}
	return text
}

// resume is the text of a chunk without marks, after what was held back of the text before.
func (j *halfJoiner) resume(key textKey, text string) string {
	if text == "" {
		return ""
	}
	return j.give(key) + text
}

// give gives up the half that is held, which stays alone.
func (j *halfJoiner) give(key textKey) string {
	if _, ok := j.held[key]; !ok {
		return ""
	}
	delete(j.held, key)
	return string(utf8.RuneError)
}

// The marks are private characters, one for each half.
const firstMark, lastMark = 0x10f000, 0x10f7ff

func isMark(r rune) bool     { return r >= firstMark && r <= lastMark }
func halfOf(mark rune) rune  { return mark - firstMark + 0xd800 }
func markOf(half rune) rune  { return half - 0xd800 + firstMark }
func isFirst(half rune) bool { return half < 0xdc00 }

// hasLoneHalf reports whether JSON text holds the escape of a half without its other half.
func hasLoneHalf(data []byte) bool {
	i := bytes.IndexByte(data, '\\')
	if i < 0 {
		return false
	}
	for range loneHalves(data[i:]) {
		return true
	}
	return false
}

// loneHalves yields where the escapes of lone halves begin, and the halves.
func loneHalves(data []byte) func(yield func(int, rune) bool) {
	return func(yield func(int, rune) bool) {
		for i := 0; i < len(data); {
			next := bytes.IndexByte(data[i:], '\\')
			if next < 0 {
				return
			}
			i += next
			half, ok := escapedHalf(data[i:])
			if !ok {
				i += 2 // the escaped byte may be a backslash too
				continue
			}
			if other, ok := escapedHalf(data[i+escapeLength:]); ok && utf16.DecodeRune(half, other) != utf8.RuneError {
				i += 2 * escapeLength
				continue
			}
			if !yield(i, half) {
				return
			}
			i += escapeLength
		}
	}
}

const escapeLength = len(`\ud83d`)

// escapedHalf is the half whose escape data begin with.
func escapedHalf(data []byte) (rune, bool) {
	if len(data) < escapeLength || data[0] != '\\' || data[1] != 'u' || data[2]|0x20 != 'd' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[2:escapeLength]), 16, 16)
	return rune(n), err == nil && utf16.IsSurrogate(rune(n))
}

// markHalves puts a mark in the place of each lone half. ok is false if data hold such a private
// character themselves.
func markHalves(data []byte) (marked []byte, ok bool) {
	if bytes.Contains(data, []byte("\xf4\x8f")) || bytes.Contains(bytes.ToLower(data), []byte(`\udbf`)) {
		return nil, false
	}
	rest := 0
	for i, half := range loneHalves(data) {
		marked = utf8.AppendRune(append(marked, data[rest:i]...), markOf(half))
		rest = i + escapeLength
	}
	return append(marked, data[rest:]...), true
}
