package docling

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// scanner reads JSON that [json.Valid] has accepted, without copying it. On such text it cannot run
// past the end, and it never nests deeper than json.Valid allows (10,000).
type scanner struct {
	data []byte
	pos  int
}

// peek skips white space and returns the byte that the next token begins with.
func (s *scanner) peek() byte {
	for {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
}

// next skips white space and commas or a colon, and returns the byte that the next token begins
// with.
func (s *scanner) next() byte {
	for {
		switch c := s.peek(); c {
		case ',', ':':
			s.pos++
		default:
			return c
		}
	}
}

// value returns the next value as it is written, and moves past it.
func (s *scanner) value() []byte {
	first := s.next()
	start := s.pos
	switch first {
	case '"':
		s.skipString()
	case '{', '[':
		s.skipNested()
	default: // a number, true, false or null
		for s.pos < len(s.data) && !isDelimiter(s.data[s.pos]) {
			s.pos++
		}
	}
	return s.data[start:s.pos]
}

func isDelimiter(c byte) bool {
	switch c {
	case ',', ']', '}', ':', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

func (s *scanner) skipString() {
	for s.pos++; s.data[s.pos] != '"'; s.pos++ {
		if s.data[s.pos] == '\\' {
			s.pos++
		}
	}
	s.pos++
}

func (s *scanner) skipNested() {
	for depth := 0; ; {
		switch s.data[s.pos] {
		case '"':
			s.skipString()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.pos++
		if depth == 0 {
			return
		}
	}
}

// unquote decodes a string literal. Like encoding/json it replaces what is no UTF-8 by U+FFFD.
func unquote(literal []byte) string {
	inner := literal[1 : len(literal)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(literal, &text) // cannot fail: the literal is valid JSON
	return text
}

// appendString writes a string literal. Unlike encoding/json it leaves &, < and > as they are.
func appendString(out []byte, text string) []byte {
	const hexDigits = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(out, text[start:]...), '"')
}

// appendFloat writes a number as the shortest text that reads as the same float64.
func appendFloat(out []byte, f float64) []byte {
	format := byte('f')
	if abs := max(f, -f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(out, f, format, -1, 64)
}
