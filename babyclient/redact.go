package babyclient

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// leastSecret is how many bytes a text must have to be kept out of errors wherever it stands. A
// shorter one, such as the value in "?page=1", would be blanked out of most sentences, and its
// absence would tell it. It is kept out only together with what stands around it: a key behind
// "Bearer ", user and password before "@", a query behind "?".
const leastSecret = 8

// secrets are the texts that must not appear in an error or a log ([collector] finds them), in the
// order of their first bytes.
type secrets []string

// redact replaces every secret in a text, however it is escaped there. It goes through the text
// once, since there can be many secrets, and an answer can be long.
func (s secrets) redact(text string) string {
	var ends [256]int // of the secrets that begin with a byte
	for i, secret := range s {
		ends[secret[0]] = i + 1
	}
	longest := func(at int, first byte) (n int) {
		for i := ends[first] - 1; i >= 0 && s[i][0] == first; i-- {
			n = max(n, matchEscaped(text[at:], s[i], 0))
		}
		return n
	}
	var out strings.Builder
	kept, secretEnd := 0, 0 // up to where the text was written, or left out
	for i := 0; i < len(text); i++ {
		first, n := text[i], 0
		if ends[first] > 0 {
			n = longest(i, first)
		}
		if first == '\\' || first == '%' || first == '&' {
			if escaped, ok := firstEscaped(text[i:]); ok && ends[escaped] > 0 {
				n = max(n, longest(i, escaped))
			}
		}
		if n > 0 && i >= secretEnd { // else it overlaps with the one before
			out.WriteString(text[kept:i])
			out.WriteString("[redacted]")
		}
		if n > 0 {
			secretEnd = max(secretEnd, i+n)
			kept = secretEnd
		}
		if first == '\\' {
			i += repeats(text[i:], `\`) - 1 // a match at any of them is one at the first
		}
	}
	if kept == 0 {
		return text
	}
	out.WriteString(text[kept:])
	return out.String()
}

// firstEscaped is the first byte of what the escape at the beginning of text stands for.
func firstEscaped(text string) (byte, bool) {
	decoded := ""
	switch text[0] {
	case '\\':
		if text = strings.TrimLeft(text, `\`); text != "" {
			r, _ := unescape(text)
			decoded = string(r)
		}
	case '%':
		if n := 1 + 2*percents(text[1:]); isHex(text[n:], 2) {
			return hexByte(text[n:]), true
		}
	case '&':
		decoded, _ = entity(text)
	}
	return (decoded + " ")[0], decoded != ""
}

// matchEscaped returns how many bytes at the beginning of text are the secret: as it stands, or
// with any of its characters escaped as in JSON, in a URL or in HTML. A server may escape what it
// repeats more than it has to, and more than once. matched counts the bytes that were matched
// before.
//
// A text that was cut in the midst of a secret holds a part of it. So the beginning of a secret is
// one too, if a text ends with it.
//
// An example: the text is `\u003ckey\/1%22.`, the secret `<key/1"`. Its first character is matched
// by `\u003c`, "key" by itself, "/" by `\/`, "1" by itself and the quote by "%22": 16 bytes.
func matchEscaped(text, secret string, matched int) int {
	length := 0
	for secret != "" {
		isCut := text == "" || strings.HasPrefix(text, "…") || strings.HasPrefix(text, "\ufffd")
		if isCut && !strings.HasPrefix(secret, text[:min(len(text), 3)]) || text == "" {
			if matched < leastSecret {
				return 0
			}
			return length
		}
		isSame := text[0] == secret[0] && text[0] != '\\'
		n, m := matchEscape(text, secret)
		switch {
		case isSame && n > 0: // a secret that itself looks escaped
			if rest := matchEscaped(text[1:], secret[1:], matched+1); rest > 0 {
				return length + 1 + rest
			}
		case isSame:
			n, m = 1, 1
		case n == 0 && matched >= leastSecret && len(text) < 6 && strings.IndexByte(`\%&`, text[0]) >= 0:
			return length + len(text) // an escape that was cut
		case n == 0:
			return 0
		}
		text, secret = text[n:], secret[m:]
		length += n
		matched += m
	}
	return length
}

// matchEscape returns how many bytes of text are one escaped character, and how many of the secret
// it stands for: none, if the secret begins with another one.
func matchEscape(text, secret string) (n, m int) {
	switch text[0] {
	case '\\':
		return matchBackslash(text, secret)
	case '+':
		if secret[0] == ' ' {
			return 1, 1
		}
	case '%':
		if secret[0] == '%' { // "%25" for it, or "%2525": as often as the secret has it itself is left
			n = 1 + 2*(repeats(text[1:], "25")-repeats(secret[1:], "25"))
			return max(0, n), 1
		}
		n = 1 + 2*percents(text[1:])
		if isHex(text[n:], 2) && hexByte(text[n:]) == secret[0] {
			return n + 2, 1
		}
	case '&':
		if decoded, length := entity(text); length > 0 && strings.HasPrefix(secret, decoded) {
			return length, len(decoded)
		}
	}
	return 0, 0
}

// percents counts the "25" by which a percent sign was escaped, once or more, before two digits.
func percents(text string) int {
	n := repeats(text, "25")
	if n > 0 && !isHex(text[2*n:], 2) {
		n-- // the last is what was escaped
	}
	return n
}

// matchBackslash is [matchEscape] for the escapes of JSON, and of Python and Go, which begin with a
// backslash: with several, if the text was escaped more than once.
func matchBackslash(text, secret string) (n, m int) {
	n, m = repeats(text, `\`), repeats(secret, `\`)
	if m > 0 && n < len(text) {
		if r, size := unescape(text[n:]); r == '\\' { // `\u005c`
			return n + size, 1
		}
	}
	if n < m {
		return 0, 0
	}
	escaped, want := text[n:], secret[m:]
	if m > 0 && (escaped == "" || want == "" || escaped[0] == want[0]) {
		return n, m
	}
	if escaped != "" && want != "" {
		r, size := unescape(escaped)
		if wanted, wide := utf8.DecodeRuneInString(want); r == wanted {
			return n + size, m + wide
		}
	}
	if m > 0 {
		return n, m
	}
	return 0, 0
}

// unescape returns the character that an escape stands for, and the length of the escape in bytes,
// both without the backslash.
func unescape(escape string) (r rune, size int) {
	hexRune := func(s string, digits int) rune {
		if !isHex(s, digits) {
			return -1
		}
		code, _ := strconv.ParseInt(s[:digits], 16, 32)
		return rune(code)
	}
	const letters, meanings = "nrtbfv", "\n\r\t\b\f\v"
	switch i := strings.IndexByte(letters, escape[0]); {
	case i >= 0:
		return rune(meanings[i]), 1
	case escape[0] == 'x':
		return hexRune(escape[1:], 2), 3
	case escape[0] == 'u':
		r = hexRune(escape[1:], 4)
		if !utf16.IsSurrogate(r) {
			return r, 5
		}
		rest := strings.TrimLeft(escape[5:], `\`)
		if strings.HasPrefix(rest, "u") && isHex(rest[1:], 4) {
			return utf16.DecodeRune(r, hexRune(rest[1:], 4)), len(escape) - len(rest) + 5
		}
	}
	return utf8.DecodeRuneInString(escape)
}

// repeats counts how often a text begins with part, again and again.
func repeats(text, part string) (n int) {
	for strings.HasPrefix(text, part) {
		text = text[len(part):]
		n++
	}
	return n
}

// hexByte is the byte that two hexadecimal digits stand for.
func hexByte(s string) byte {
	b, _ := strconv.ParseUint(s[:2], 16, 8)
	return byte(b)
}

// isHex reports whether s begins with so many hexadecimal digits.
func isHex(s string, digits int) bool {
	return len(s) >= digits && strings.Trim(s[:digits], "0123456789abcdefABCDEF") == ""
}

// redactHeader replaces every secret in a header. It returns h itself if there is none in it, else
// a copy: the answer's own header is not ours to change.
func (s secrets) redactHeader(h http.Header) http.Header {
	copied := false
	change := func() {
		if !copied {
			h, copied = h.Clone(), true
		}
	}
	for name, values := range h {
		if s.isInName(name) {
			change()
			delete(h, name)
			continue
		}
		for i, value := range values {
			if clean := s.redact(value); clean != value {
				change()
				h[name][i] = clean
			}
		}
	}
	return h
}

// isInName reports whether the name of a header holds a secret, of which net/http has changed the
// case.
func (s secrets) isInName(name string) bool {
	name = strings.ToLower(name)
	for _, secret := range s {
		if strings.Contains(name, strings.ToLower(secret)) {
			return true
		}
	}
	return false
}

// A redactable cause makes a copy of itself for another text of its fields.
type redactable interface {
	redacted(redact func(string) string) error
}

// redactCause returns a cause whose texts hold no secret: err itself if they hold none.
func (s secrets) redactCause(err error) error {
	if failed, ok := err.(redactable); ok {
		return failed.redacted(s.redact)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var clean []error
		for _, one := range joined.Unwrap() {
			if _, ok := one.(redactable); ok {
				clean = append(clean, s.redactCause(one))
			}
		}
		if len(clean) == len(joined.Unwrap()) {
			return errors.Join(clean...)
		}
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if text := inner.Error(); s.redact(text) != text {
			return &redactedError{s.redact(err.Error()), err}
		}
	}
	return err
}

// redactedError stands for a cause whose text holds a secret. errors.Is finds what it would find in
// the cause. errors.As does not, because it would hand out the text.
type redactedError struct {
	text  string
	cause error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.cause, target) }
