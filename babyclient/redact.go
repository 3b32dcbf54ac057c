package babyclient

import (
	"errors"
	"html"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// secrets are the texts that must not appear in an error or a log ([collector] finds them), the
// longest first: if a shorter one were replaced first, it would break up a longer one that contains
// it, and leave its rest.
type secrets []string

// redact replaces every secret in a text, however it is escaped there.
func (s secrets) redact(text string) string {
	for _, secret := range s {
		text = redactOne(text, secret)
	}
	return text
}

func redactOne(text, secret string) string {
	const redacted = "[redacted]"
	var out strings.Builder
	begin := secret[:1] + `\%&`
	for done, i := 0, 0; ; {
		next := strings.IndexAny(text[i:], begin)
		if secret[0] >= utf8.RuneSelf {
			next = strings.IndexFunc(text[i:], func(r rune) bool {
				return r >= utf8.RuneSelf || strings.ContainsRune(`\%&`, r)
			})
		}
		if next < 0 {
			if done == 0 {
				return text
			}
			out.WriteString(text[done:])
			return out.String()
		}
		i += next
		n := matchEscaped(text[i:], secret, 0)
		if n == 0 {
			i += max(1, repeats(text[i:], `\`)) // a run is looked at once
			continue
		}
		out.WriteString(text[done:i])
		out.WriteString(redacted)
		i += n
		done = i
	}
}

// matchEscaped returns how many bytes at the beginning of text are the secret: as it stands, or with
// any of its characters escaped as in JSON, in a URL or in HTML. A server may escape what it repeats
// more than it has to, and more than once. matched counts the bytes that were matched before.
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
		n = 1
		for strings.HasPrefix(text[n:], "25") && isHex(text[n+2:], 2) { // escaped more than once
			n += 2
		}
		if !isHex(text[n:], 2) {
			return 0, 0
		}
		if b, _ := strconv.ParseUint(text[n:n+2], 16, 8); byte(b) == secret[0] {
			return n + 2, 1
		}
	case '&':
		const longest = 10
		end := strings.IndexByte(text[:min(len(text), longest)], ';') + 1
		decoded := html.UnescapeString(text[:end])
		if end > 0 && decoded != text[:end] && strings.HasPrefix(secret, decoded) {
			return end, len(decoded)
		}
	}
	return 0, 0
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
		code, _ := strconv.ParseUint(s[:digits], 16, 32)
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

// redactCause returns a cause whose texts hold no secret: err itself if they hold none.
func (s secrets) redactCause(err error) error {
	if failed, ok := err.(*DocumentError); ok {
		clean := *failed
		clean.Filename = s.redact(clean.Filename)
		clean.Status = DocumentStatus(s.redact(string(clean.Status)))
		clean.Errors = append([]DoclingError(nil), clean.Errors...)
		redactErrors(clean.Errors, s.redact)
		return &clean
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var clean []error
		for _, one := range joined.Unwrap() {
			if _, ok := one.(*DocumentError); ok {
				clean = append(clean, s.redactCause(one))
			}
		}
		if len(clean) == len(joined.Unwrap()) {
			return errors.Join(clean...)
		}
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if text := inner.Error(); s.redact(text) != text {
			return &redactedCause{s.redact(err.Error()), err}
		}
	}
	return err
}

// redactedCause stands for a cause whose text holds a secret. errors.Is finds what it would find in
// the cause. errors.As does not, because it would hand out the text.
type redactedCause struct {
	text  string
	cause error
}

func (c *redactedCause) Error() string        { return c.text }
func (c *redactedCause) Is(target error) bool { return errors.Is(c.cause, target) }

// A wordy response holds words of the service about what failed, which end up in logs.
type wordy interface {
	redactWords(redact func(string) string)
}

func redactErrors(said []DoclingError, redact func(string) string) {
	for i := range said {
		e := &said[i]
		for _, text := range []*string{&e.ComponentType, &e.ModuleName, &e.Message, &e.Category} {
			*text = redact(*text)
		}
	}
}

func (r *ConvertResponse) redactWords(redact func(string) string) {
	for _, doc := range r.Documents {
		redactErrors(doc.Errors, redact)
	}
	for i := range r.Artifacts {
		redactErrors(r.Artifacts[i].Errors, redact)
	}
}

func (r *ChunkResponse) redactWords(redact func(string) string) {
	for _, doc := range r.Documents {
		redactErrors(doc.Errors, redact)
	}
}

func (s *JobStatus) redactWords(redact func(string) string) {
	s.Message = redact(s.Message)
	if f := s.Failure; f != nil {
		for _, text := range []*string{&f.Category, &f.Message, &f.Phase} {
			*text = redact(*text)
		}
		clean := map[string]string{}
		for name, value := range f.Details {
			clean[redact(name)] = redact(value)
		}
		if f.Details != nil {
			f.Details = clean
		}
	}
}
