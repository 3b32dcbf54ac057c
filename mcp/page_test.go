package mcp

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func TestCut(t *testing.T) {
	tests := []struct {
		name, text string
		budget     int
		want       string // the first part
	}{
		{"fits", "abc", 3, "abc"},
		{"before a heading", strings.Repeat("a", 80) + "\n\n# H\n\nb\n\n" + strings.Repeat("c", 40), 100, strings.Repeat("a", 80) + "\n\n"},
		{"at a blank line", strings.Repeat("a", 60) + "\n\nb\n" + strings.Repeat("c", 60), 100, strings.Repeat("a", 60) + "\n\n"},
		{"not after a heading", strings.Repeat("a", 50) + "\n\n## H\n\n" + strings.Repeat("c", 90), 70, strings.Repeat("a", 50) + "\n\n"},
		{"between the rows of a table", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", 33, "| a | b |\n|---|---|\n| 1 | 2 |\n"},
		{"at a space", "aaaa bbbb cccc dddd", 12, "aaaa bbbb "},
		{"inside a word at last", strings.Repeat("x", 30), 12, strings.Repeat("x", 12)},
		{"never inside a character", strings.Repeat("€", 30), 7, strings.Repeat("€", 7)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.text[:cut(tt.text, tt.budget)]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever the text and the budget: every part is valid, within the budget and not empty, and
// all parts joined are the text.
func FuzzCut(f *testing.F) {
	f.Add("# a\n\nb c\n\n| 1 | 2 |\n", 5)
	f.Add("€€€\n\n#€", 1)
	f.Fuzz(func(t *testing.T, text string, budget int) {
		text = strings.ToValidUTF8(text, "?")
		if budget < 1 {
			return
		}
		var joined strings.Builder
		for rest := text; rest != ""; {
			n := cut(rest, budget)
			if n < 1 || n > len(rest) {
				t.Fatalf("cut(%q, %d) = %d", rest, budget, n)
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

// Reading a document in parts, with whatever budget, by the offsets that the view gives, is
// reading it whole.
func TestPartsJoinedAreTheDocument(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		text, pages := numberPages(randomMarkdown(r, 40), nil)
		d := &document{id: "d_x", name: "x", format: babyclient.FormatMarkdown, text: text, pages: pages}
		budget := 1 + r.IntN(3000)
		var joined strings.Builder
		for offset := 0; offset >= 0; {
			v := &view{doc: d, offset: offset, budget: budget}
			pieces, next, err := v.read()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pieces {
				joined.WriteString(d.text[p.from:p.to])
			}
			if next >= 0 {
				// What the model is told is in characters, and leads back to the same place.
				back, ok := d.byteOffset(d.charOffset(next))
				if !ok || back != next || next <= offset {
					t.Fatalf("seed %d: offset %d after %d comes back as %d", seed, next, offset, back)
				}
			}
			offset = next
		}
		if joined.String() != d.text {
			t.Fatalf("seed %d, budget %d: the parts joined are not the document", seed, budget)
		}
	}
}

func TestParsePages(t *testing.T) {
	tests := map[string]pageRanges{
		"3":          {{3, 3}},
		"1-5,8":      {{1, 5}, {8, 8}},
		"8, 1 - 5":   {{1, 5}, {8, 8}},
		"12-":        {{12, 0}},
		"2–4":        {{2, 4}},
		"":           nil,
		"1..3, 7:9,": {{1, 3}, {7, 9}},
	}
	for in, want := range tests {
		got, err := parsePages(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"0", "5-2", "a", "1-b", "-3", "1;2", "99999999999999999999"} {
		if got, err := parsePages(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
	if got := (pageRanges{{3, 4}, {6, 0}}).hull(); got != (pageRange{3, 0}) {
		t.Errorf("hull: %v", got)
	}
	if got := (pageRanges{{3, 9}, {6, 7}}).hull(); got != (pageRange{3, 9}) {
		t.Errorf("hull: %v", got)
	}
}

// layoutJSON is a DoclingDocument of one text on each of the given pages, of total pages.
func layoutJSON(total int, pages ...int) string {
	var all, children, texts []string
	for p := range total {
		all = append(all, fmt.Sprintf(`"%d":{"page_no":%d}`, p+1, p+1))
	}
	for i, p := range pages {
		children = append(children, fmt.Sprintf(`{"$ref":"#/texts/%d"}`, i))
		texts = append(texts, fmt.Sprintf(`{"self_ref":"#/texts/%d","children":[],"content_layer":"body","prov":[{"page_no":%d}]}`, i, p))
	}
	return fmt.Sprintf(`{"origin":{"binary_hash":13564993687249300075},"pages":{%s},"body":{"self_ref":"#/body","children":[%s]},"texts":[%s]}`,
		strings.Join(all, ","), strings.Join(children, ","), strings.Join(texts, ","))
}

// An empty page makes no break, so counting breaks would give every page after it a wrong number.
func TestPageNumbersSurviveEmptyPages(t *testing.T) {
	d := newDocument("x.pdf", babyclient.FormatMarkdown, false, &babyclient.Converted{
		Markdown: "one\n\n" + pageBreak + "\n\nthree\n\n" + pageBreak + "\n\nfour",
		JSON:     []byte(layoutJSON(5, 1, 1, 3, 4)),
	})
	if want := "one\n\n<!-- page 3 -->\n\nthree\n\n<!-- page 4 -->\n\nfour"; d.text != want {
		t.Errorf("got %q, want %q", d.text, want)
	}
	for text, page := range map[string]int{"one": 1, "three": 3, "four": 4} {
		if got := d.pageAt(strings.Index(d.text, text)); got != page {
			t.Errorf("%q is on page %d, want %d", text, got, page)
		}
	}
	if d.lastPage != 5 {
		t.Errorf("last page %d, want 5", d.lastPage)
	}
	spans, err := d.spans(pageRanges{{3, 0}})
	if err != nil || len(spans) != 1 || !strings.HasPrefix(d.text[spans[0].from:], "<!-- page 3 -->") {
		t.Errorf("pages 3-: %v, %v", spans, err)
	}
	if _, err := d.spans(pageRanges{{2, 2}}); err == nil {
		t.Error("page 2 is empty, but no error says so")
	}
	if _, err := d.spans(pageRanges{{6, 6}}); err == nil || !strings.Contains(err.Error(), "has 5 pages") {
		t.Errorf("page 6: %v", err)
	}
}

// Where the breaks do not fit the layout, no page number is told rather than a wrong one.
func TestPageNumbersThatDoNotFitAreNotTold(t *testing.T) {
	d := newDocument("x.pdf", babyclient.FormatMarkdown, false, &babyclient.Converted{Markdown: "a" + pageBreak + "b", JSON: []byte(layoutJSON(3, 1, 2, 3))})
	if len(d.pages) != 0 || d.text != "a<!-- page break -->b" {
		t.Errorf("got %v, %q", d.pages, d.text)
	}
}

func TestTextPagesLeaveOutPicturesAndFurniture(t *testing.T) {
	l := readLayout([]byte(`{"body":{"children":[{"$ref":"#/texts/0"},{"$ref":"#/pictures/0"},{"$ref":"#/groups/0"},{"$ref":"#/texts/3"}]},
		"texts":[{"self_ref":"#/texts/0","prov":[{"page_no":1}]},{"self_ref":"#/texts/1","prov":[{"page_no":2}]},
			{"self_ref":"#/texts/2","prov":[{"page_no":4}]},{"self_ref":"#/texts/3","content_layer":"furniture","prov":[{"page_no":9}]}],
		"pictures":[{"self_ref":"#/pictures/0","children":[{"$ref":"#/texts/1"}],"prov":[{"page_no":1}]}],
		"groups":[{"self_ref":"#/groups/0","children":[{"$ref":"#/texts/2"},{"$ref":"#/groups/0"}]}]}`))
	if got := l.textPages(); !reflect.DeepEqual(got, []int{1, 4}) {
		t.Errorf("got %v, want [1 4]", got)
	}
}

func TestPassages(t *testing.T) {
	long := strings.Repeat("word ", 600)
	d := &document{format: babyclient.FormatMarkdown, text: "intro\n\n# A\n\n## A1\n\nalpha\n\n# B\n\n" + long + "\n\n```\n# no heading\n```\n"}
	var headings, all []string
	for _, p := range d.passages() {
		headings = append(headings, p.heading)
		all = append(all, d.text[p.from:p.to])
		if n := utf8.RuneCountInString(d.text[p.from:p.to]); n > passageChars {
			t.Errorf("a passage of %d characters", n)
		}
	}
	if joined := strings.Join(all, ""); joined != d.text {
		t.Errorf("the passages joined are not the document: %q", joined)
	}
	if want := []string{"", "A1", "B", "B", "B"}; !reflect.DeepEqual(headings, want) {
		t.Errorf("headings %q, want %q", headings, want)
	}
}
