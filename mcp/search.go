package mcp

import (
	"bytes"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSearchChars is the longest text that a search takes.
const maxSearchChars = 1000

// seenText is a text as a person sees it, for the search: without the marks of Markdown, in lower
// case, with one kind of blank, dash and quote. For example, of
//
//	The **R&amp;D** budget
//	is 5&nbsp;M – see `user\_name`.
//
// it is "the r&d budget is 5 m - see username.". Underscores and asterisks go from the text and
// from what is searched, because not every mark can be told from a character that the document has.
type seenText struct {
	text []byte
	at   []uint32 // where each byte of text begins in the whole text
}

// see makes the text as a person sees it, in one pass.
func see(text string) seenText {
	s := seenText{text: make([]byte, 0, len(text)), at: make([]uint32, 0, len(text))}
	for i := 0; i < len(text); {
		c := text[i]
		size := 1
		switch {
		case c == '<' && strings.HasPrefix(text[i:], "<!--"):
			size = commentSize(text[i:])
			s.addByte(' ', i)
		case c == '&':
			var decoded string
			if decoded, size = decodeEntity(text[i:]); decoded != "" {
				for _, r := range decoded {
					s.addRune(r, i)
				}
			}
		case c < utf8.RuneSelf:
			s.addRune(rune(c), i)
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			s.addRune(r, i)
		}
		i += size
	}
	return s
}

func (s *seenText) addByte(c byte, at int) {
	if c == ' ' && len(s.text) > 0 && s.text[len(s.text)-1] == ' ' {
		return
	}
	s.text = append(s.text, c)
	s.at = append(s.at, uint32(at)) //nolint:gosec // an answer of the service has less than 4 GB
}

func (s *seenText) addRune(r rune, at int) {
	switch {
	case r >= 'A' && r <= 'Z':
		s.addByte(byte(r)+'a'-'A', at)
	case r == '*' || r == '_' || r == '`' || r == '\\':
	case r <= ' ' || r == '|': // a column of a table ends
		s.addByte(' ', at)
	case r < utf8.RuneSelf:
		s.addByte(byte(r), at)
	default:
		for _, c := range []byte(seenRune(r)) {
			s.addByte(c, at)
		}
	}
}

// seenRune is a character as it is searched.
func seenRune(r rune) string {
	switch r {
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff': // seen by nobody
		return ""
	case '‘', '’', '‚', '‛', '′':
		return "'"
	case '“', '”', '„', '‟', '«', '»', '″':
		return `"`
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return "-"
	case '…':
		return "..."
	case 'ﬀ':
		return "ff"
	case 'ﬁ':
		return "fi"
	case 'ﬂ':
		return "fl"
	case 'ﬃ':
		return "ffi"
	case 'ﬄ':
		return "ffl"
	case utf8.RuneError:
		return ""
	}
	if unicode.IsSpace(r) {
		return " "
	}
	return string(unicode.ToLower(r))
}

// commentSize is how many bytes an HTML comment has, 1 for one that does not end. docling marks
// pictures by comments, and this server marks pages.
func commentSize(text string) int {
	const longest = 1000
	if end := strings.Index(text[:min(len(text), longest)], "-->"); end >= 0 {
		return end + len("-->")
	}
	return 1
}

// decodeEntity decodes the character reference that a text begins with. What is none is "&" alone.
func decodeEntity(text string) (decoded string, size int) {
	const longest = 12
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 0 {
		return "&", 1
	}
	if decoded = html.UnescapeString(text[:end+1]); decoded == text[:end+1] {
		return "&", 1
	}
	return decoded, end + 1
}

// findSeen returns where words stand in a text as a person sees it, from an offset on, each as the
// bytes from the first to behind the last. Words of nothing but marks are searched as they are.
func findSeen(text, words string, offset int) (found []span) {
	wanted := bytes.TrimSpace(see(words).text)
	if len(wanted) == 0 {
		return findExactly(text, words, offset)
	}
	s := see(text[offset:])
	for i := 0; ; {
		n := bytes.Index(s.text[i:], wanted)
		if n < 0 {
			break
		}
		from, end := i+n, i+n+len(wanted)
		last := int(s.at[end-1])
		_, size := utf8.DecodeRuneInString(text[offset+last:])
		found = append(found, span{offset + int(s.at[from]), offset + last + size})
		i = end
	}
	if found == nil { // such as the URL of a link, or a part of a comment
		return findExactly(text, words, offset)
	}
	return found
}

func findExactly(text, words string, offset int) (found []span) {
	if words = strings.TrimSpace(words); words == "" {
		return nil
	}
	for i := offset; ; {
		n := strings.Index(text[i:], words)
		if n < 0 {
			return found
		}
		found = append(found, span{i + n, i + n + len(words)})
		i += n + len(words)
	}
}

// charCounter turns offsets in bytes into offsets in characters. The offsets must ascend: so the
// text is gone through once for all of them.
type charCounter struct {
	text         string
	bytes, chars int
}

func (c *charCounter) at(offset int) int {
	c.chars += utf8.RuneCountInString(c.text[c.bytes:offset])
	c.bytes = offset
	return c.chars
}
