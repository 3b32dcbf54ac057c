package docling

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// PageText is a piece of a document's Markdown that is of one page, slide or sheet.
type PageText struct {
	Page int // 0 before the first item that has a page, and in a format without pages
	Text string
}

// MarkdownPages writes the document like [Document.Markdown], in pieces of one page, slide or sheet
// each, in reading order. Nothing is left out: an item that docling gave no page belongs to the
// piece before it. An item on several pages belongs to the first of them. A page that the reading
// order comes back to has several pieces, and a page without text has none.
//
// The pages are right for presentations too, where docling-core writes its page breaks one slide
// late. The options Page and PageBreak do not matter.
func (d *Document) MarkdownPages(o MarkdownOptions) ([]PageText, error) {
	o.Page, o.PageBreak = 0, ""
	w := newWriter(d, o, false)
	w.marks.nonce = rand.Text()
	text, err := w.whole()
	if err != nil {
		return nil, err
	}
	return w.marks.split(text), nil
}

// SameText reports whether pages hold the text of markdown: all its characters but white space, in
// its order. Of a document that [Parse] returned with an error, the pages that this package makes
// may lack what the Markdown of the service has.
func SameText(pages []PageText, markdown string) bool {
	var text strings.Builder
	for _, p := range pages {
		text.WriteString(withoutSpace(p.Text))
	}
	return text.String() == withoutSpace(markdown)
}

func withoutSpace(text string) string { return strings.Join(strings.Fields(text), "") }

// pageMarks are put into the text where another page begins. Their nonce keeps a text of the
// document from being taken for one.
type pageMarks struct {
	nonce string // "" for a text without marks
	page  int    // of the item that was written last
}

// turn returns the mark to put in front of an item of that page, "" if the page goes on.
func (m *pageMarks) turn(page int) string {
	if page == 0 || page == m.page {
		return ""
	}
	m.page = page
	return fmt.Sprintf("#_#_PAGE_%s_%d_#_#", m.nonce, page)
}

// split cuts a text at its marks. Blank lines at a cut go. The blanks that indent a line stay.
func (m *pageMarks) split(text string) []PageText {
	mark := regexp.MustCompile(`\s*#_#_PAGE_` + m.nonce + `_(\d+)_#_#\n*`)
	var out []PageText
	page, start := 0, 0
	add := func(end int) {
		if end > start {
			out = append(out, PageText{page, text[start:end]})
		}
	}
	for _, found := range mark.FindAllStringSubmatchIndex(text, -1) {
		add(found[0])
		page, _ = strconv.Atoi(text[found[2]:found[3]]) // the pattern has digits alone
		start = found[1]
	}
	add(len(text))
	return out
}

// turnPage returns the mark that has to stand in front of an item, "" for none. A group has it in
// front of the whole group, and not within, before its first item: so a slide's mark stands before
// the slide. Within a line of text or a cell of a table there is none, because a mark would break
// it.
func (w *writer) turnPage(n *treeNode, s scope) string {
	if w.marks.nonce == "" || s.inline || s.cell {
		return ""
	}
	page := firstPage(n.value)
	if n.isGroup() {
		page = w.firstPageBelow(n, map[*treeNode]bool{}, func(n *treeNode) int { return firstPage(n.value) })
	}
	return w.marks.turn(page)
}
