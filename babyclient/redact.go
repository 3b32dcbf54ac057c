package babyclient

import (
	"net/http"
	"slices"
	"strings"
)

// secrets are the texts that must not appear in an error or a log, the longest first: if a shorter
// one were replaced first, it would break up a longer one that contains it, and leave its rest.
type secrets []string

// secretsOf collects the API key, the values of the headers whose names say that they hold a
// secret, and more. A service, or a proxy before it, can repeat them in an error.
func secretsOf(apiKey string, header http.Header, more []string) secrets {
	var out secrets
	add := func(secret string) {
		const least = 6 // bytes; replacing a shorter word would blank out half of a sentence
		if len(secret) >= least {
			out = append(out, secret)
		}
	}
	add(apiKey)
	for _, secret := range more {
		add(secret)
	}
	for name, values := range header {
		if namesSecret(name) {
			for _, v := range values {
				add(v)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

func namesSecret(header string) bool {
	header = strings.ToLower(header)
	for _, word := range []string{"key", "token", "secret", "auth", "cookie", "password"} {
		if strings.Contains(header, word) {
			return true
		}
	}
	return false
}

// redact replaces every secret in a text.
func (s secrets) redact(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return text
}

// redactHeader replaces every secret in a header. It returns h itself if there is none in it, else
// a copy: the answer's own header is not ours to change.
func (s secrets) redactHeader(h http.Header) http.Header {
	copied := false
	for name, values := range h {
		for i, value := range values {
			clean := s.redact(value)
			if clean == value {
				continue
			}
			if !copied {
				h, copied = h.Clone(), true
			}
			h[name][i] = clean
		}
	}
	return h
}
