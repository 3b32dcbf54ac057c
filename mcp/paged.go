package mcp

import (
	"fmt"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
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
	structure, err := docling.Parse(c.JSON)
	if structure != nil {
		for _, p := range structure.Pages() {
			d.lastPage = max(d.lastPage, p.PageNo)
		}
	}
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
		if !d.setPages(structure, err, c.Markdown) {
			d.text, d.unpaged = strings.ReplaceAll(c.Markdown, pageBreak, "<!-- page break -->"), err
		}
	}
	return d
}

// setPages makes the text from the DoclingDocument, which says on which page each item is. The
// service's own Markdown does not: of two pages with an empty one between, it breaks once, and in
// presentations it breaks a slide late.
//
// It returns false if there is no DoclingDocument, or if something in it could not be read and the
// text would not be that of the service's Markdown. Then that is read, because no text must be lost
// for the sake of page numbers.
func (d *document) setPages(structure *docling.Document, parseErr error, markdown string) bool {
	if structure == nil {
		return false
	}
	pieces, err := structure.MarkdownPages(docling.MarkdownOptions{})
	if err != nil {
		return false
	}
	var text strings.Builder
	var starts []pageStart
	goesOn := pagesThatGoOn(structure, pieces)
	announced := map[int]bool{} // a page can have several pieces
	for i, p := range pieces {
		if i > 0 {
			text.WriteString("\n\n")
		}
		if p.Page > 0 {
			starts = append(starts, pageStart{text.Len(), p.Page})
		}
		if i > 0 {
			fmt.Fprintf(&text, "<!-- page %d -->\n\n", p.Page)
		}
		text.WriteString(p.Text)
		if announced[p.Page] {
			continue
		}
		announced[p.Page] = true
		for _, page := range goesOn[p.Page] {
			fmt.Fprintf(&text, "\n\n<!-- page %d has only the rest of a text that begins on page %d -->", page, p.Page)
		}
	}
	isDoubtful := parseErr != nil || len(pieces) == 0
	if isDoubtful && !docling.SameText(pieces, strings.ReplaceAll(markdown, pageBreak, "")) {
		return false
	}
	d.text, d.pages, d.goesOn = text.String(), starts, goesOn
	return true
}

// pagesThatGoOn has, for a page, the later ones that have no piece because all their text belongs
// to an item that begins on that page. Docling joins a paragraph over several pages into one item.
func pagesThatGoOn(structure *docling.Document, pieces []docling.PageText) map[int][]int {
	hasPiece := map[int]bool{}
	for _, p := range pieces {
		hasPiece[p.Page] = true
	}
	out := map[int][]int{}
	for item := range structure.Items(docling.ItemsOptions{}) {
		pages := item.Pages()
		if len(pages) < 2 || !hasPiece[pages[0]] {
			continue
		}
		for _, page := range pages[1:] {
			if !hasPiece[page] {
				hasPiece[page], out[pages[0]] = true, append(out[pages[0]], page)
			}
		}
	}
	return out
}
