package mcp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// pagedJSON is a DoclingDocument of total pages, with the given text on each of some.
func pagedJSON(total int, texts ...pagedText) string {
	var all, children, items []string
	for p := range total {
		all = append(all, fmt.Sprintf(`"%d":{"page_no":%d,"size":{"width":9,"height":9}}`, p+1, p+1))
	}
	for i, t := range texts {
		children = append(children, fmt.Sprintf(`{"$ref":"#/texts/%d"}`, i))
		items = append(items, fmt.Sprintf(`{"self_ref":"#/texts/%d","parent":{"$ref":"#/body"},"children":[],`+
			`"label":"text","prov":[%s],"orig":%[3]q,"text":%[3]q}`, i, provenanceOn(t.page), t.text))
	}
	const document = `{"schema_name":"DoclingDocument","version":"1.9.0","name":"x",` +
		`"origin":{"mimetype":"application/pdf","binary_hash":13564993687249300075,"filename":"x.pdf"},` +
		`"pages":{%s},"body":{"self_ref":"#/body","children":[%s],"label":"unspecified","name":"_root_"},"texts":[%s]}`
	return fmt.Sprintf(document, strings.Join(all, ","), strings.Join(children, ","), strings.Join(items, ","))
}

func provenanceOn(page int) string {
	return fmt.Sprintf(`{"page_no":%d,"bbox":{"l":0,"t":0,"r":1,"b":1},"charspan":[0,1]}`, page)
}

type pagedText struct {
	page int
	text string
}

// An empty page makes no break in the service's Markdown, so counting its breaks would give every
// page after it a wrong number.
func TestPageNumbersSurviveEmptyPages(t *testing.T) {
	d := newDocument("x.pdf", babyclient.FormatMarkdown, false, &babyclient.Converted{
		Markdown: "one\n\nuno\n\n" + pageBreak + "\n\nthree\n\n" + pageBreak + "\n\nfour",
		JSON: []byte(pagedJSON(5, pagedText{1, "one"}, pagedText{1, "uno"}, pagedText{3, "three"},
			pagedText{4, "four"})),
	})
	if want := "one\n\nuno\n\n<!-- page 3 -->\n\nthree\n\n<!-- page 4 -->\n\nfour"; d.text != want {
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
		t.Errorf("pages 3-: got %v, %v, want one span from page 3 on", spans, err)
	}
	if _, err := d.spans(pageRanges{{2, 2}}); err == nil {
		t.Error("page 2 is empty, but no error says so")
	}
	if _, err := d.spans(pageRanges{{6, 6}}); err == nil || !strings.Contains(err.Error(), "has 5 pages") {
		t.Errorf("page 6: got %v, want that there are 5", err)
	}
}

// Docling joins a paragraph over several pages into one item, which is on the first. A page that
// has nothing else is no empty page.
func TestPagesThatOnlyGoOn(t *testing.T) {
	layout := pagedJSON(8, pagedText{1, "one"}, pagedText{2, "long"}, pagedText{1, "aside"}, pagedText{2, "two"},
		pagedText{5, "five"}, pagedText{6, "six"}, pagedText{-1, "of no page"})
	for page, goesOn := range map[int]string{2: provenanceOn(3) + "," + provenanceOn(4), 5: provenanceOn(6)} {
		layout = strings.Replace(layout, provenanceOn(page), provenanceOn(page)+","+goesOn, 1)
	}
	d := newDocument("x.pdf", babyclient.FormatMarkdown, false, &babyclient.Converted{JSON: []byte(layout)})
	const two = "<!-- page 2 -->\n\nlong\n\n<!-- page 3 has only the rest of a text that begins on page 2 -->\n\n" +
		"<!-- page 4 has only the rest of a text that begins on page 2 -->\n\n"
	const rest = "<!-- page 1 -->\n\naside\n\n<!-- page 2 -->\n\ntwo\n\n<!-- page 5 -->\n\nfive\n\n" +
		"<!-- page 6 -->\n\nsix\n\nof no page"
	if want := "one\n\n" + two + rest; d.text != want {
		t.Errorf("got %q, want %q", d.text, want)
	}
	for pages, want := range map[string]string{
		"2": two + "<!-- page 2 -->\n\ntwo\n\n", "3": two + "<!-- page 2 -->\n\ntwo\n\n",
		"4-5": two + "<!-- page 2 -->\n\ntwo\n\n<!-- page 5 -->\n\nfive\n\n",
		"6":   "<!-- page 6 -->\n\nsix\n\nof no page", "7": "",
	} {
		ranges, err := parsePages(pages)
		if err != nil {
			t.Fatal(err)
		}
		spans, err := d.spans(ranges)
		var got strings.Builder
		for _, s := range spans {
			got.WriteString(d.text[s.from:s.to])
		}
		if got.String() != want || (err != nil) != (want == "") {
			t.Errorf("pages %s: %q, error %v; want %q", pages, got.String(), err, want)
		}
	}
}

// A DoclingDocument that is not wholly understood gives page numbers only if no text is lost by it.
func TestDocumentsThatAreNotUnderstoodLoseNoText(t *testing.T) {
	whole := pagedJSON(2, pagedText{1, "one"}, pagedText{2, "two"})
	const markdown = "one\n\n" + pageBreak + "\n\ntwo"
	const paged, unpaged = "one\n\n<!-- page 2 -->\n\ntwo", "one\n\n<!-- page break -->\n\ntwo"
	tests := map[string]struct{ json, want string }{
		"none":                          {``, unpaged},
		"null":                          {`null`, unpaged},
		"an empty object":               {`{}`, unpaged},
		"not JSON":                      {`{"pages":`, unpaged},
		"another kind of value":         {strings.Replace(whole, `"page_no":1`, `"page_no":"1"`, 1), unpaged},
		"a newer schema":                {strings.Replace(whole, "1.9.0", "1.99.0", 1), paged},
		"a newer schema with more":      {strings.Replace(pagedJSON(2, pagedText{1, "one"}), "1.9.0", "1.99.0", 1), unpaged},
		"another schema":                {strings.Replace(whole, "1.9.0", "2.0.0", 1), unpaged},
		"a reference to nothing":        {strings.Replace(whole, `"#/texts/1"}]`, `"#/texts/7"}]`, 1), unpaged},
		"a reference twice, text whole": {strings.Replace(whole, `{"$ref":"#/texts/1"}]`, `{"$ref":"#/texts/1"},{"$ref":"#/texts/0"}]`, 1), paged},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDocument("x.pdf", babyclient.FormatMarkdown, false,
				&babyclient.Converted{Markdown: markdown, JSON: []byte(test.json)})
			if d.text != test.want || (len(d.pages) > 0) != (test.want == paged) {
				t.Errorf("got %q with pages %v, want %q", d.text, d.pages, test.want)
			}
			if d.pages == nil && test.json != `{}` && !strings.Contains(d.refusePages().Error(), "(docling: ") {
				t.Errorf("refused without the reason: %v", d.refusePages())
			}
		})
	}
}
