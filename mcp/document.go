package mcp

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// document is a converted document, or a long answer of a model, kept to be read in parts.
type document struct {
	id     string
	name   string
	format string
	text   string
	// pages are where the pages begin, for Markdown of a document that has pages; empty where
	// that is not known.
	pages []pageStart
	// goesOn has, for a page, the later ones that have no text but the rest of one that begins on
	// it.
	goesOn map[int][]int
	// lastPage is the last page that was converted, 0 for a document without pages. If only some
	// pages were asked for, ranged is set, and nobody knows how many there are.
	lastPage int
	ranged   bool
	// unpaged is why the pages of a document that may have some are not known.
	unpaged error
	// warnings are what the service said of a conversion that went well in part.
	warnings []string
}

// pageStart is where a page begins.
type pageStart struct {
	offset int // in bytes
	page   int // counted from 1
}

// span is a piece of the text, in bytes.
type span struct{ from, to int }

// chars is the length of the document in characters.
func (d *document) chars() int { return utf8.RuneCountInString(d.text) }

// byteOffset turns an offset in characters into one in bytes. ok is false past the end.
func (d *document) byteOffset(chars int) (_ int, ok bool) {
	if chars == 0 {
		return 0, true
	}
	n := 0
	for i := range d.text {
		if n == chars {
			return i, true
		}
		n++
	}
	return len(d.text), n == chars
}

// charOffset turns an offset in bytes into one in characters.
func (d *document) charOffset(bytes int) int { return utf8.RuneCountInString(d.text[:bytes]) }

// pageAt is the page of an offset in bytes, 0 where it is not known.
func (d *document) pageAt(offset int) int {
	i, found := slices.BinarySearchFunc(d.pages, offset, func(p pageStart, o int) int { return p.offset - o })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return d.pages[i].page
}

// headings are those of Markdown. In other formats they are not known.
func (d *document) headings() []heading {
	if d.format != babyclient.FormatMarkdown {
		return nil
	}
	return findHeadings(d.text)
}

// spans are the pieces of the text that are on the given pages; all of it for none. A page that has
// only the rest of a text has the piece of the page where that text begins.
func (d *document) spans(pages pageRanges) ([]span, error) {
	if len(pages) == 0 {
		return []span{{0, len(d.text)}}, nil
	}
	if len(d.pages) == 0 {
		return nil, d.refusePages()
	}
	if first := pages[0].first; d.lastPage > 0 && first > d.lastPage {
		if d.ranged {
			return nil, refuse("page %d of %s was not converted with it. Call convert with source and pages %q.",
				first, d.name, pages)
		}
		return nil, refuse("%s has %d pages: there is no page %d.", d.name, d.lastPage, first)
	}
	var out []span
	for i, p := range d.pages {
		if !pages.contain(p.page) && !slices.ContainsFunc(d.goesOn[p.page], pages.contain) {
			continue
		}
		end := len(d.text)
		if i+1 < len(d.pages) {
			end = d.pages[i+1].offset
		}
		if n := len(out); n > 0 && out[n-1].to == p.offset {
			out[n-1].to = end
		} else {
			out = append(out, span{p.offset, end})
		}
	}
	if len(out) == 0 {
		return nil, refuse("pages %s of %s hold no text.", pages, d.name)
	}
	return out, nil
}

// refusePages refuses a choice of pages in a document whose page starts are not known.
func (d *document) refusePages() error {
	why := ""
	if d.unpaged != nil {
		why = fmt.Sprintf(" (%s)", clip(d.unpaged.Error()))
	}
	return refuse("%s has no pages that are known in format %q%s. "+
		"It is converted: read it with convert {\"document_id\":%q}, or by search or outline.",
		d.name, d.format, why, d.id)
}

// nextPart returns the pieces of the spans, from the byte offset on, that fit into budget
// characters, and the byte where the next part begins, -1 if there is none. The pieces are not
// always neighbours. An empty document still gives one piece.
func (d *document) nextPart(spans []span, offset, budget int) (pieces []span, next int) {
	for _, s := range spans {
		if s.to <= offset && s.to > s.from {
			continue
		}
		s.from = max(s.from, offset)
		if budget <= 0 {
			return pieces, s.from
		}
		end := s.from + partLength(d.text[s.from:s.to], budget)
		pieces = append(pieces, span{s.from, end})
		budget -= utf8.RuneCountInString(d.text[s.from:end])
		if end < s.to {
			return pieces, end
		}
	}
	return pieces, -1
}
