package babyclient

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote quotes a value for an error message, and shortens a long one.
func quote(s string) string {
	const most = 120 // bytes
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// Printable is a text as it may be shown to a person: with U+FFFD for each character that could
// steer a terminal, turn the direction of what is around it, or end a line where none ends. Models,
// documents and services choose their words, and an escape sequence among them could rewrite what
// stands on the screen. Line feeds and tabs stay. The errors of this package are printable.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		isControl := unicode.IsControl(r) && r != '\n' && r != '\t'
		if isControl || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// validUTF8 is the text of b, with U+FFFD where it is no UTF-8.
func validUTF8(b []byte) string { return strings.ToValidUTF8(string(b), string(utf8.RuneError)) }
