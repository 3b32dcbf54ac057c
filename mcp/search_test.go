package mcp

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A search finds what a person sees on the page, however the Markdown writes it.
func TestSearchFindsWhatIsSeen(t *testing.T) {
	tests := map[string]struct {
		text, words string
		want        []string // the bytes that were found
	}{
		"entity":                      {"our R&amp;D budget", "R&D", []string{"R&amp;D"}},
		"escaped":                     {`set user\_name here`, "user_name", []string{`user\_name`}},
		"not escaped, in code":        {"`user_name`", "user_name", []string{"user_name"}},
		"less than":                   {"if 5 &lt; 6 then", "5 < 6", []string{"5 &lt; 6"}},
		"one word bold":               {"the **net** revenue", "net revenue", []string{"net** revenue"}},
		"bold and italic":             {"***net*** *revenue*", "net revenue", []string{"net*** *revenue"}},
		"line break":                  {"the net\nrevenue", "net revenue", []string{"net\nrevenue"}},
		"blank lines":                 {"the net\n\n\trevenue", "net revenue", []string{"net\n\n\trevenue"}},
		"case":                        {"NET Revenue net REVENUE", "nEt rEVENUE", []string{"NET Revenue", "net REVENUE"}},
		"case, not ASCII":             {"GRÜSSE und Ärger", "grüsse UND äRGER", []string{"GRÜSSE und Ärger"}},
		"Cyrillic":                    {"Привет МИР", "привет мир", []string{"Привет МИР"}},
		"dashes":                      {"2019–2020 — a year‑end", "2019-2020 - a year-end", []string{"2019–2020 — a year‑end"}},
		"dash in the search":          {"2019-2020", "2019–2020", []string{"2019-2020"}},
		"quotes":                      {"the “best” of ’em", `"best" of 'em`, []string{"“best” of ’em"}},
		"no-break space":              {"5\u00a0km and 6&nbsp;km", "5 km and 6 km", []string{"5\u00a0km and 6&nbsp;km"}},
		"soft hyphen":                 {"Donau\u00addampf", "donaudampf", []string{"Donau\u00addampf"}},
		"ligature":                    {"the eﬃcient oﬃce", "efficient office", []string{"eﬃcient oﬃce"}},
		"ellipsis":                    {"and so on…", "so on...", []string{"so on…"}},
		"cells of a row":              {"| Oslo   | 12 |", "oslo 12", []string{"Oslo   | 12"}},
		"over a page":                 {"the net\n\n<!-- page 3 -->\n\nrevenue", "net revenue", []string{"net\n\n<!-- page 3 -->\n\nrevenue"}},
		"URL":                         {"see [here](https://e.org/a_b?x=1)", "https://e.org/a_b?x=1", []string{"https://e.org/a_b?x=1"}},
		"text of a link":              {"see [the *whole* report](https://e.org) now", "whole report", []string{"whole* report"}},
		"marks alone":                 {"a ** b __ c", "**", []string{"**"}},
		"in a comment":                {"a <!-- image --> b", "<!-- image -->", []string{"<!-- image -->"}},
		"not there":                   {"net income", "net revenue", nil},
		"part of a word":              {"revenues", "revenue", []string{"revenue"}},
		"next to each other":          {"aaaa", "aa", []string{"aa", "aa"}},
		"regular expression":          {"a.c abc (x)", "a.c", []string{"a.c"}},
		"&, no entity":                {"AT&T; AT&amp;T", "at&t", []string{"AT&T", "AT&amp;T"}},
		"no UTF-8":                    {"caf\xe9 net\xff revenue", "net revenue", []string{"net\xff revenue"}},
		"a comment that does not end": {"a <!-- net revenue", "net revenue", []string{"net revenue"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, before := range []string{"", "Grüße **vorher** &amp;\n"} {
				text := before + test.text
				var got []string
				for _, s := range findSeen(text, test.words, len(before)) {
					got = append(got, text[s.from:s.to])
				}
				if strings.Join(got, "|") != strings.Join(test.want, "|") {
					t.Errorf("%q in %q: found %q, want %q", test.words, text, got, test.want)
				}
			}
		})
	}
}

// Whatever is searched, what is found lies in the text, in order, and begins and ends at
// characters.
func FuzzSearch(f *testing.F) {
	f.Add("the **net** revenue &amp; <!-- x --> more", "net revenue &")
	f.Add("a\xff\u2028b", "b")
	f.Fuzz(func(t *testing.T, text, words string) {
		last := 0
		for _, s := range findSeen(text, words, 0) {
			if s.from < last || s.to < s.from || s.to > len(text) {
				t.Fatalf("%+v after %d of %d bytes", s, last, len(text))
			}
			if utf8.ValidString(text+words) && !utf8.ValidString(text[s.from:s.to]) {
				t.Errorf("%q is cut inside of a character", text[s.from:s.to])
			}
			last = s.to
		}
		plain := strings.TrimSpace(words)
		if plain != "" && strings.Contains(text, plain) && len(findSeen(text, words, 0)) == 0 {
			t.Errorf("%q is in %q and not found", plain, text)
		}
	})
}

// longText is of about 5 MB, with the words of the search in every line, or in none.
func longText(words string) string {
	line := "| a cell of the **table** | R&amp;D and user\\_name | 12 &lt; 13 | " + words + " |\n"
	return strings.Repeat(line, 5_000_000/len(line))
}

func BenchmarkSearch(b *testing.B) {
	words := strings.Repeat("abcdefgh ", 100)
	for name, text := range map[string]string{"none found": longText("x"), "many found": longText("needle")} {
		b.Run(name, func(b *testing.B) {
			d := &document{id: "d", name: "x", format: "md", text: text}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for _, search := range []string{"needle", words} {
					if _, err := (view{search: search}).render(d); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
