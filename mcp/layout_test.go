package mcp

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// layoutJSON is a DoclingDocument of one text on each of the given pages, of total pages.
func layoutJSON(total int, pages ...int) string {
	var all, children, texts []string
	for p := range total {
		all = append(all, fmt.Sprintf(`"%d":{"page_no":%d}`, p+1, p+1))
	}
	for i, p := range pages {
		children = append(children, fmt.Sprintf(`{"$ref":"#/texts/%d"}`, i))
		texts = append(texts,
			fmt.Sprintf(`{"self_ref":"#/texts/%d","children":[],"content_layer":"body","prov":[{"page_no":%d}]}`, i, p))
	}
	const layout = `{"origin":{"binary_hash":13564993687249300075},"pages":{%s},` +
		`"body":{"self_ref":"#/body","children":[%s]},"texts":[%s]}`
	return fmt.Sprintf(layout,
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
		t.Errorf("pages 3-: got %v, %v, want one span from page 3 on", spans, err)
	}
	if _, err := d.spans(pageRanges{{2, 2}}); err == nil {
		t.Error("page 2 is empty, but no error says so")
	}
	if _, err := d.spans(pageRanges{{6, 6}}); err == nil || !strings.Contains(err.Error(), "has 5 pages") {
		t.Errorf("page 6: got %v, want that there are 5", err)
	}
}

// Where the breaks do not fit the layout, no page number is told rather than a wrong one.
func TestPageNumbersThatDoNotFitAreNotTold(t *testing.T) {
	d := newDocument("x.pdf", babyclient.FormatMarkdown, false,
		&babyclient.Converted{Markdown: "a" + pageBreak + "b", JSON: []byte(layoutJSON(3, 1, 2, 3))})
	if len(d.pages) != 0 || d.text != "a<!-- page break -->b" {
		t.Errorf("got pages %v in %q, want a break without a number", d.pages, d.text)
	}
}

func TestTextPagesLeaveOutPicturesAndFurniture(t *testing.T) {
	l := readLayout([]byte(`{
		"body":{"children":[{"$ref":"#/texts/0"},{"$ref":"#/pictures/0"},{"$ref":"#/groups/0"},{"$ref":"#/texts/3"}]},
		"texts":[{"self_ref":"#/texts/0","prov":[{"page_no":1}]},{"self_ref":"#/texts/1","prov":[{"page_no":2}]},
			{"self_ref":"#/texts/2","prov":[{"page_no":4}]},
				{"self_ref":"#/texts/3","content_layer":"furniture","prov":[{"page_no":9}]}],
		"pictures":[{"self_ref":"#/pictures/0","children":[{"$ref":"#/texts/1"}],"prov":[{"page_no":1}]}],
		"groups":[{"self_ref":"#/groups/0","children":[{"$ref":"#/texts/2"},{"$ref":"#/groups/0"}]}]}`))
	if got := l.textPages(); !reflect.DeepEqual(got, []int{1, 4}) {
		t.Errorf("got %v, want [1 4]", got)
	}
}
