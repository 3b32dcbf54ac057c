package mcp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// number writes 412345 as 412,345.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}

func seconds(d time.Duration) string { return d.Truncate(time.Second).String() }

// clip shortens a value that is repeated in a message to 100 characters.
func clip(s string) string {
	const longest = 100
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest]) + "…"
}

// excerpt is the text around the bytes from to to, on one line.
func excerpt(text string, from, to int) string {
	const around = 80
	left := max(0, from-around)
	for left < from && !utf8.RuneStart(text[left]) {
		left++
	}
	right := min(len(text), to+around)
	for right < len(text) && !utf8.RuneStart(text[right]) {
		right++
	}
	out := strings.Join(strings.Fields(text[left:right]), " ")
	if left > 0 {
		out = "…" + out
	}
	if right < len(text) {
		out += "…"
	}
	return out
}

// callJSON writes the arguments of a call as a model gives them: names and values in this order.
func callJSON(namesAndValues ...any) string {
	var b strings.Builder
	for i, v := range namesAndValues {
		separator := ","
		switch {
		case i == 0:
			separator = "{"
		case i%2 == 1:
			separator = ":"
		}
		b.WriteString(separator)
		var value strings.Builder
		e := json.NewEncoder(&value)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // strings, numbers and booleans only
		b.WriteString(strings.TrimSuffix(value.String(), "\n"))
	}
	b.WriteByte('}')
	return b.String()
}

// mustJSON encodes values whose types are all of this package's making.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("mcp: cannot encode %T: %v", v, err))
	}
	return b
}
