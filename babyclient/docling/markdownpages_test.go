package docling_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// squeeze leaves out white space, which is all that pieces and the whole may differ in.
func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

func TestMarkdownPagesAreTheWholeMarkdown(t *testing.T) {
	for name, raw := range documents(t) {
		t.Run(name, func(t *testing.T) {
			doc, err := docling.Parse(raw)
			if doc == nil {
				t.Fatal(err)
			}
			for _, o := range []docling.MarkdownOptions{
				{}, {CompactTables: true, PictureText: true}, {Layers: docling.AllLayers},
			} {
				want, err := doc.Markdown(o)
				if err != nil {
					t.Fatal(err)
				}
				pages, err := doc.MarkdownPages(o)
				if err != nil {
					t.Fatal(err)
				}
				var got strings.Builder
				for _, p := range pages {
					got.WriteString(p.Text)
				}
				if squeeze(got.String()) != squeeze(want) {
					t.Errorf("%+v: the pieces are\n%v\nwant\n%q", o, pages, want)
				}
			}
		})
	}
}

// A piece has the same text as its page alone. Of documents whose lists or headings go over pages
// that need not be so, but these have none.
func TestMarkdownPagesAgreeWithThePagesAlone(t *testing.T) {
	for _, name := range []string{"report_pdf", "deck_pptx", "book_xlsx"} {
		doc := read(t, name)
		pages, err := doc.MarkdownPages(docling.MarkdownOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(pages) < 2 {
			t.Errorf("%s: %d pieces", name, len(pages))
		}
		for _, p := range pages {
			want, err := doc.Markdown(docling.MarkdownOptions{Page: p.Page})
			if err != nil {
				t.Fatal(err)
			}
			if p.Page == 0 || p.Text != want {
				t.Errorf("%s, page %d: got %q, want %q", name, p.Page, p.Text, want)
			}
		}
	}
}

func TestMarkdownPagesWithoutPages(t *testing.T) {
	doc := read(t, "letter_docx")
	pages, err := doc.MarkdownPages(docling.MarkdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := doc.Markdown(docling.MarkdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 1 || pages[0] != (docling.PageText{Page: 0, Text: whole}) {
		t.Errorf("got %+v, want one piece of page 0", pages)
	}
}

func TestMarkdownPagesTurn(t *testing.T) {
	text := func(i, page int) string {
		return fmt.Sprintf(`{"self_ref":"#/texts/%d","parent":{"$ref":"#/body"},"children":[],"label":"text",`+
			`"prov":%s,"orig":"t%d","text":"t%d"}`, i, provOf(page), i, i)
	}
	item := func(i, page int, group string) string {
		return fmt.Sprintf(`{"self_ref":"#/texts/%d","parent":{"$ref":%q},"children":[],"label":"list_item",`+
			`"prov":%s,"orig":"i%d","text":"i%d","enumerated":false,"marker":"-"}`, i, group, provOf(page), i, i)
	}
	group := func(i int, label, children string) string {
		return fmt.Sprintf(`{"self_ref":"#/groups/%d","parent":{"$ref":"#/body"},"children":[%s],"label":%q,"name":"g"}`,
			i, children, label)
	}
	ref := func(list string, numbers ...int) string {
		var out []string
		for _, n := range numbers {
			out = append(out, fmt.Sprintf(`{"$ref":"#/%s/%d"}`, list, n))
		}
		return strings.Join(out, ",")
	}
	tests := map[string]struct {
		body   string
		groups []string
		texts  []string
		want   []docling.PageText
	}{
		"a text without a page goes with the one before": {
			body: ref("texts", 0, 1, 2), texts: []string{text(0, 2), text(1, 0), text(2, 3)},
			want: []docling.PageText{{Page: 2, Text: "t0\n\nt1"}, {Page: 3, Text: "t2"}},
		},
		"a text without a page in front": {
			body: ref("texts", 0, 1), texts: []string{text(0, 0), text(1, 1)},
			want: []docling.PageText{{Page: 0, Text: "t0"}, {Page: 1, Text: "t1"}},
		},
		"back to an earlier page": {
			body: ref("texts", 0, 1, 2), texts: []string{text(0, 1), text(1, 2), text(2, 1)},
			want: []docling.PageText{{Page: 1, Text: "t0"}, {Page: 2, Text: "t1"}, {Page: 1, Text: "t2"}},
		},
		"a list over two pages": {
			body: ref("groups", 0), groups: []string{group(0, "list", ref("texts", 0, 1, 2))},
			texts: []string{item(0, 1, "#/groups/0"), item(1, 2, "#/groups/0"), item(2, 2, "#/groups/0")},
			want:  []docling.PageText{{Page: 1, Text: "- i0"}, {Page: 2, Text: "- i1\n- i2"}},
		},
		"a line over two pages is of the first": {
			body: ref("groups", 0) + "," + ref("texts", 2), groups: []string{group(0, "inline", ref("texts", 0, 1))},
			texts: []string{text(0, 1), text(1, 2), text(2, 2)},
			want:  []docling.PageText{{Page: 1, Text: "t0 t1"}, {Page: 2, Text: "t2"}},
		},
		"slides": {
			body: ref("groups", 0, 1, 2),
			groups: []string{
				group(0, "chapter", ref("texts", 0)), group(1, "chapter", ""), group(2, "chapter", ref("texts", 1)),
			},
			texts: []string{text(0, 1), text(1, 3)},
			want:  []docling.PageText{{Page: 1, Text: "t0"}, {Page: 3, Text: "t1"}},
		},
		"a number below 1 is no page": {
			body:   ref("groups", 0) + "," + ref("texts", 1, 2, 3),
			groups: []string{group(0, "list", ref("texts", 0))},
			texts:  []string{item(0, -3, "#/groups/0"), text(1, 1), text(2, -1), text(3, 2)},
			want:   []docling.PageText{{Page: 0, Text: "- i0"}, {Page: 1, Text: "t1\n\nt2"}, {Page: 2, Text: "t3"}},
		},
		"a page of an empty text is passed over": {
			body:  ref("texts", 0, 1, 2),
			texts: []string{text(0, 1), strings.Replace(text(1, 2), `"text":"t1"`, `"text":""`, 1), text(2, 3)},
			want:  []docling.PageText{{Page: 1, Text: "t0"}, {Page: 3, Text: "t2"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := docling.Parse([]byte(fmt.Sprintf(`{"name":"d","body":{"self_ref":"#/body","children":[%s]},`+
				`"groups":[%s],"texts":[%s]}`, test.body, strings.Join(test.groups, ","), strings.Join(test.texts, ","))))
			if doc == nil {
				t.Fatal(err)
			}
			got, err := doc.MarkdownPages(docling.MarkdownOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// provOf is the provenance of a text on a page, none for 0.
func provOf(page int) string {
	if page == 0 {
		return "[]"
	}
	return fmt.Sprintf(`[{"page_no":%d,"bbox":{"l":0,"t":0,"r":1,"b":1},"charspan":[0,1]}]`, page)
}
