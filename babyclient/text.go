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

// printable replaces the control characters in s. Services and documents choose some of the words
// in our messages, and a control character among them could steer the reader's terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, s)
}

func validUTF8(b []byte) string { return strings.ToValidUTF8(string(b), string(utf8.RuneError)) }
