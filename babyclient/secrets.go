package babyclient

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// collector collects the secrets of a call from its request as it is sent. A service, a store, or a
// proxy before them can repeat them in an error.
type collector struct {
	found secrets
}

// secrets returns what was found, in the order that redacting needs.
func (c *collector) secrets() secrets {
	slices.Sort(c.found)
	return slices.Compact(c.found)
}

func (c *collector) add(texts ...string) {
	for _, text := range texts {
		if text = strings.TrimSpace(text); len(text) >= leastSecret {
			c.found = append(c.found, text)
			if !utf8.ValidString(text) { // as it stands in an error
				c.found = append(c.found, validUTF8([]byte(text)))
			}
		}
	}
}

// addKey adds the API key.
func (c *collector) addKey(key string) {
	if key != "" {
		c.add(key)
		c.found = append(c.found, "Bearer "+key)
	}
}

// addValue adds a secret, and its parts, which can be repeated alone: the lines of a private key,
// the values of a connection string or of cookies.
func (c *collector) addValue(value string) {
	c.add(value)
	if !strings.ContainsAny(value, "\n;=") {
		return
	}
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '\n' || r == ';' }) {
		_, after, _ := strings.Cut(part, "=")
		c.add(part, after)
	}
}

// addHeader adds the values of the headers whose names say that they hold a secret.
func (c *collector) addHeader(h http.Header) {
	for name, values := range h {
		for _, value := range values {
			c.addHeaderValue(name, value)
		}
	}
}

func (c *collector) addHeaderValue(name, value string) {
	name = strings.ToLower(name)
	for _, word := range []string{"key", "token", "secret", "auth", "cookie", "password", "credential", "signature"} {
		if !strings.Contains(name, word) {
			continue
		}
		c.addValue(value)
		if _, credentials, ok := strings.Cut(value, " "); ok { // behind "Bearer"
			c.addValue(credentials)
		}
		basic := http.Request{Header: http.Header{"Authorization": {value}}}
		if user, password, ok := basic.BasicAuth(); ok {
			c.add(user+":"+password, password)
		}
		return
	}
}

// addURL adds the user information and the query of a URL or path, which may be one that cannot be
// parsed.
func (c *collector) addURL(text string) {
	text, fragment, _ := strings.Cut(text, "#")
	text, query, hasQuery := strings.Cut(text, "?")
	if _, authority, ok := strings.Cut(text, "//"); ok {
		authority, _, _ = strings.Cut(authority, "/")
		if end := strings.LastIndexByte(authority, '@'); end > 0 {
			c.found = append(c.found, authority[:end+1])
			user, password, _ := strings.Cut(authority[:end], ":")
			c.addEscaped(user, url.PathUnescape)
			c.addEscaped(password, url.PathUnescape)
		}
	}
	if hasQuery && query != "" {
		c.found = append(c.found, "?"+query)
	}
	for _, part := range []string{query, fragment} {
		c.add(part)
		for pair := range strings.FieldsFuncSeq(part, func(r rune) bool { return r == '&' || r == ';' }) {
			_, value, _ := strings.Cut(pair, "=")
			c.add(pair)
			c.addEscaped(value, url.QueryUnescape)
			c.addEscaped(value, url.PathUnescape) // which leaves a plus sign
		}
	}
}

// addEscaped adds a text as it stands, and what it stands for.
func (c *collector) addEscaped(text string, unescape func(string) (string, error)) {
	c.add(text)
	if plain, err := unescape(text); err == nil {
		c.add(plain)
	}
}

// addText adds a text, which can be a URL, or JSON, or a secret by its name.
func (c *collector) addText(name, text string, isSecret bool) {
	switch {
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		if raw := []byte(text); json.Valid(raw) {
			c.addJSON(raw, jsonPlace{name: name, isSecret: isSecret})
		}
	case strings.Contains(text[:min(len(text), 16)], "://"):
		c.addURL(text)
	}
	if isSecret {
		c.addValue(text)
	}
}

// addJSON adds what is secret in valid JSON: the values of fields whose names say so, the headers
// in it, and what is secret in URLs. place is where it stands.
func (c *collector) addJSON(raw []byte, place jsonPlace) {
	w := jsonSecrets{collector: c, raw: raw}
	w.value(0, place)
}

// jsonSecrets walks through JSON, without decoding it: a request can hold documents of many
// megabytes in base64, which are skipped.
type jsonSecrets struct {
	*collector
	raw []byte
	// doubtful are texts in an object that is secret by its name. They are secret if none of its
	// own names says which of them is, as "private_key" says it in a "service_account_key".
	doubtful []string
}

// jsonPlace is what is known of a value by what it stands in.
type jsonPlace struct {
	name       string
	isSecret   bool
	isDoubtful bool
	isHeader   bool
}

// value walks through the value at i, and returns where it ends.
func (w *jsonSecrets) value(i int, place jsonPlace) (end int) {
	i = skipSpace(w.raw, i)
	switch w.raw[i] {
	case '{':
		return w.object(i, place)
	case '[':
		for i = skipSpace(w.raw, i+1); w.raw[i] != ']'; {
			i = w.next(w.value(i, place))
		}
		return i + 1
	case '"':
		const longest = 64 << 10 // bytes; what is longer is a document
		end = w.stringEnd(i)
		if end-i <= longest {
			text, _ := unquoteJSON(w.raw[i:end])
			w.text(text, place)
		}
		return end
	}
	for end = i; end < len(w.raw) && bytes.IndexByte([]byte(",]} \n\t\r"), w.raw[end]) < 0; {
		end++
	}
	w.text(string(w.raw[i:end]), place) // a number can be a password
	return end
}

func (w *jsonSecrets) object(i int, place jsonPlace) (end int) {
	begin := len(w.doubtful)
	namesSecrets := false
	for i = skipSpace(w.raw, i+1); w.raw[i] != '}'; {
		end := w.stringEnd(i)
		name, _ := unquoteJSON(w.raw[i:end])
		isSecret := isSecretName(name)
		namesSecrets = namesSecrets || isSecret
		i = skipSpace(w.raw, end) + 1 // the colon
		i = w.next(w.value(i, jsonPlace{name: name, isSecret: isSecret,
			isDoubtful: place.isSecret || place.isDoubtful,
			isHeader:   strings.EqualFold(place.name, "headers") || strings.EqualFold(place.name, "header")}))
	}
	switch {
	case namesSecrets:
		w.doubtful = w.doubtful[:begin]
	case place.isSecret:
		for _, text := range w.doubtful[begin:] {
			w.addValue(text)
		}
		w.doubtful = w.doubtful[:begin]
	}
	return i + 1
}

// next returns where the element or field after one that ends at i begins, or the end of the list
// or object.
func (w *jsonSecrets) next(i int) int {
	if i = skipSpace(w.raw, i); w.raw[i] == ',' {
		i = skipSpace(w.raw, i+1)
	}
	return i
}

func (w *jsonSecrets) text(text string, place jsonPlace) {
	if place.isHeader {
		w.addHeaderValue(place.name, text)
	}
	w.addText(place.name, text, place.isSecret)
	if place.isDoubtful {
		w.doubtful = append(w.doubtful, text)
	}
}

// stringEnd returns where the string that begins at i ends.
func (w *jsonSecrets) stringEnd(i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(w.raw[i:], '"')
		slashes := len(w.raw[:i]) - len(bytes.TrimRight(w.raw[:i], `\`))
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// isSecretName reports whether the name of a field says that its value is a secret. "max_tokens" is
// one too, but its value is no text that is long enough. "key_prefix", "tokenizer" and "author" are
// not.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"key", "keys", "token", "tokens", "auth", "pass", "pwd", "sig", "jwt"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	for _, word := range []string{"secret", "password", "passphrase", "credential", "authorization", "cookie",
		"signature", "connection_string", "connectionstring"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// secretsOfURL are the secrets in a URL.
func secretsOfURL(text string) secrets {
	var c collector
	c.addURL(text)
	return c.secrets()
}

// publicURL is a URL or path without what can be secret in it, for an error. It may be one that
// cannot be parsed.
func publicURL(text string) string {
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	scheme, rest, ok := strings.Cut(text, "//")
	if ok {
		scheme += "//"
	} else {
		scheme, rest = "", text
	}
	authority, path, hasPath := strings.Cut(rest, "/")
	if hasPath {
		path = "/" + path
	}
	return scheme + authority[strings.LastIndexByte(authority, '@')+1:] + path
}
