package mcp

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPartLength(t *testing.T) {
	tests := []struct {
		name, text string
		budget     int
		want       string // the first part
	}{
		{"fits", "abc", 3, "abc"},
		{"before a heading", strings.Repeat("a", 80) + "\n\n# H\n\nb\n\n" + strings.Repeat("c", 40), 100,
			strings.Repeat("a", 80) + "\n\n"},
		{"at a blank line", strings.Repeat("a", 60) + "\n\nb\n" + strings.Repeat("c", 60), 100,
			strings.Repeat("a", 60) + "\n\n"},
		{"not after a heading", strings.Repeat("a", 50) + "\n\n## H\n\n" + strings.Repeat("c", 90), 70,
			strings.Repeat("a", 50) + "\n\n"},
		{"between the rows of a table", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", 33,
			"| a | b |\n|---|---|\n| 1 | 2 |\n"},
		{"at a space", "aaaa bbbb cccc dddd", 12, "aaaa bbbb "},
		{"inside a word at last", strings.Repeat("x", 30), 12, strings.Repeat("x", 12)},
		{"never inside a character", strings.Repeat("€", 30), 7, strings.Repeat("€", 7)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.text[:partLength(tt.text, tt.budget)]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever the text and the budget: every part is valid, within the budget and not empty, and
// all parts joined are the text.
func FuzzPartLength(f *testing.F) {
	f.Add("# a\n\nb c\n\n| 1 | 2 |\n", 5)
	f.Add("€€€\n\n#€", 1)
	f.Fuzz(func(t *testing.T, text string, budget int) {
		text = strings.ToValidUTF8(text, "?")
		if budget < 1 {
			return
		}
		var joined strings.Builder
		for rest := text; rest != ""; {
			n := partLength(rest, budget)
			if n < 1 || n > len(rest) {
				t.Fatalf("partLength(%q, %d) = %d", rest, budget, n)
			}
			part := rest[:n]
			if !utf8.ValidString(part) || utf8.RuneCountInString(part) > budget {
				t.Fatalf("part %q of %q with budget %d", part, text, budget)
			}
			joined.WriteString(part)
			rest = rest[n:]
		}
		if joined.String() != text {
			t.Fatalf("joined %q, want %q", joined.String(), text)
		}
	})
}

// randomMarkdown is a document of headings, paragraphs, tables and code, in several scripts.
func randomMarkdown(r *rand.Rand, blocks int) string {
	words := strings.Fields("the quick brown fox Grüße über 水 測 定 данные emoji😀 e\u0301 x")
	sentence := func(n int) string {
		var out []string
		for range n {
			out = append(out, words[r.IntN(len(words))])
		}
		return strings.Join(out, " ")
	}
	var b strings.Builder
	for range blocks {
		switch r.IntN(6) {
		case 0:
			b.WriteString(strings.Repeat("#", 1+r.IntN(4)) + " " + sentence(3))
		case 1:
			for range 1 + r.IntN(30) {
				b.WriteString("| " + sentence(2) + " | " + sentence(2) + " |\n")
			}
		case 2:
			b.WriteString("```\n# no heading\n" + sentence(20) + "\n```")
		case 3:
			b.WriteString(pageBreak)
		default:
			b.WriteString(sentence(1 + r.IntN(200)))
		}
		b.WriteString("\n\n")
	}
	return b.String()
}
