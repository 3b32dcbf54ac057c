package mcp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// pageBreak stands between two pages of Markdown as the service sends it. What the agent sees
// is a comment with the number of the page that begins.
const pageBreak = "<!-- babyapi-page-break -->"

// newDocument reads what docling answered in one format. ranged says that only some pages were
// asked for.
func newDocument(name, format string, ranged bool, c *babyclient.Converted) *document {
	d := &document{name: name, format: format, ranged: ranged}
	for _, e := range c.Errors {
		warning := e.Message
		if e.Page > 0 {
			warning = fmt.Sprintf("page %d: %s", e.Page, warning)
		}
		d.warnings = append(d.warnings, warning)
	}
	layout := readLayout(c.JSON)
	d.lastPage = layout.lastPage()
	switch format {
	case babyclient.FormatText:
		d.text = c.Text
	case babyclient.FormatHTML:
		d.text = c.HTML
	case babyclient.FormatJSON:
		d.text = string(c.JSON)
	case babyclient.FormatDocTags:
		d.text = c.DocTags
	default:
		d.text, d.pages = numberPages(c.Markdown, layout.textPages())
	}
	return d
}

// numberPages replaces the page breaks by comments with page numbers. pages are the pages that
// hold text, in order. The numbers cannot be counted, because docling breaks once between two of
// those pages, however many empty ones lie between. Example: text on pages 1 and 4, so
// "a" + pageBreak + "b" becomes "a<!-- page 4 -->b". If there are not as many breaks as the pages
// make, no number is right, and none is given.
func numberPages(markdown string, pages []int) (string, []pageStart) {
	parts := strings.Split(markdown, pageBreak)
	if len(parts) != max(1, len(pages)) {
		return strings.ReplaceAll(markdown, pageBreak, "<!-- page break -->"), nil
	}
	var starts []pageStart
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			starts = append(starts, pageStart{b.Len(), pages[i]})
			fmt.Fprintf(&b, "<!-- page %d -->", pages[i])
		} else if len(pages) > 0 {
			starts = append(starts, pageStart{0, pages[0]})
		}
		b.WriteString(part)
	}
	return b.String(), starts
}

// layout is the part of a DoclingDocument that says which item is on which page.
type layout struct {
	Pages map[string]struct{} `json:"pages"`
	Body  layoutItem          `json:"body"`

	Groups    []layoutItem `json:"groups"`
	Texts     []layoutItem `json:"texts"`
	Pictures  []layoutItem `json:"pictures"`
	Tables    []layoutItem `json:"tables"`
	KeyValues []layoutItem `json:"key_value_items"`
	Forms     []layoutItem `json:"form_items"`
}

type layoutItem struct {
	Ref      string `json:"self_ref"`
	Layer    string `json:"content_layer"`
	Children []struct {
		Ref string `json:"$ref"`
	} `json:"children"`
	Prov []struct {
		Page int `json:"page_no"`
	} `json:"prov"`
}

// readLayout is empty if raw is no DoclingDocument.
func readLayout(raw json.RawMessage) *layout {
	l := new(layout)
	if json.Unmarshal(raw, l) != nil {
		return new(layout)
	}
	return l
}

func (l *layout) lastPage() int {
	last := 0
	for p := range l.Pages {
		if n, err := strconv.Atoi(p); err == nil {
			last = max(last, n)
		}
	}
	return last
}

// textPages are the pages of the items in reading order, as docling breaks pages: at each item
// that is on a later page than all before. An item inside a picture, or outside the body, such as
// the foot of a page, does not count.
func (l *layout) textPages() []int {
	items := map[string]*layoutItem{}
	pictures := map[string]bool{}
	for _, list := range [][]layoutItem{l.Groups, l.Texts, l.Pictures, l.Tables, l.KeyValues, l.Forms} {
		for i := range list {
			items[list[i].Ref] = &list[i]
		}
	}
	for _, p := range l.Pictures {
		pictures[p.Ref] = true
	}
	var pages []int
	seen := map[string]bool{}
	var walk func(*layoutItem)
	walk = func(parent *layoutItem) {
		for _, child := range parent.Children {
			item := items[child.Ref]
			if item == nil || seen[child.Ref] {
				continue
			}
			seen[child.Ref] = true
			body := item.Layer == "" || item.Layer == "body"
			if body && len(item.Prov) > 0 {
				if p := item.Prov[0].Page; len(pages) == 0 || p > pages[len(pages)-1] {
					pages = append(pages, p)
				}
			}
			if !pictures[child.Ref] {
				walk(item)
			}
		}
	}
	walk(&l.Body)
	return pages
}
