package babyclient

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// This file reads pieces of JSON text for the fast decoders of stream chunks, embeddings and
// reranked documents. encoding/json decodes whatever these functions decline.

// skipSpace returns the index of the first byte of b, from i on, that is no JSON white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// unquoteJSON decodes a JSON string, quotes included. It reports false if quoted is not one.
func unquoteJSON(quoted []byte) (string, bool) {
	if inner := quoted[1 : len(quoted)-1]; isPlainText(inner) {
		return string(inner), true
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// isPlainText reports whether text, between the quotes of a JSON string, stands for itself: it
// holds no quote, no escape, no control character and no invalid UTF-8.
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

// stringEnd is the index behind the JSON string that begins at i.
func stringEnd(b []byte, i int) int {
	for end := i + 1; ; {
		quote := bytes.IndexByte(b[end:], '"')
		if quote < 0 {
			return len(b)
		}
		end += quote + 1
		backslashes := 0
		for b[end-2-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return end
		}
	}
}
