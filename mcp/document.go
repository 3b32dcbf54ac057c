package mcp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	// lastPage is the last page that was converted, 0 for a document without pages. If only some
	// were asked for, ranged is set, and nobody knows how many there are.
	lastPage int
	ranged   bool
	// warnings are what the service said of a conversion that went well in part.
	warnings []string
}

// pageStart is where a page begins.
type pageStart struct {
	offset int // in bytes
	page   int // counted from 1
}

// pageBreak stands between two pages of Markdown as the service sends it. What the agent sees
// is a comment with the number of the page that begins.
const pageBreak = "<!-- babyapi-page-break -->"

// newDocument reads what docling answered in one format. ranged tells that only some pages
// were asked for.
func newDocument(name, format string, ranged bool, c *babyclient.Converted) *document {
	d := &document{name: name, format: format, ranged: ranged}
	for _, e := range c.Errors {
		w := e.Message
		if e.Page > 0 {
			w = fmt.Sprintf("page %d: %s", e.Page, w)
		}
		d.warnings = append(d.warnings, w)
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
// hold text, in order. docling breaks once between two of those, however many empty ones lie
// between, so the numbers cannot be counted; where they do not fit, none is told.
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

// layout is the part of a DoclingDocument that tells which item is on which page.
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

// readLayout is empty for what is no DoclingDocument.
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
// that is on a later page than all before. What is in a picture, or not of the body, does not
// count.
func (l *layout) textPages() []int {
	items := map[string]*layoutItem{}
	pictures := map[string]bool{}
	for _, list := range [][]layoutItem{l.Groups, l.Texts, l.Pictures, l.Tables, l.KeyValues, l.Forms} {
		for i := range list {
			items[list[i].Ref] = &list[i]
		}
	}
	for i := range l.Pictures {
		pictures[l.Pictures[i].Ref] = true
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

// span is a piece of the text, in bytes.
type span struct{ from, to int }

// spans are the pieces of the text that are on the given pages; all of it for none.
func (d *document) spans(pages pageRanges) ([]span, error) {
	if len(pages) == 0 {
		return []span{{0, len(d.text)}}, nil
	}
	if len(d.pages) == 0 {
		return nil, refuse("%s has no pages that are known in format %q. It is converted: read it with convert {\"document_id\":%q}, or by search or outline.", d.name, d.format, d.id)
	}
	if first := pages[0].first; d.lastPage > 0 && first > d.lastPage {
		if d.ranged {
			return nil, refuse("page %d of %s was not converted with it. Call convert with source and pages %q.", first, d.name, pages)
		}
		return nil, refuse("%s has %d pages: there is no page %d.", d.name, d.lastPage, first)
	}
	var out []span
	for i, p := range d.pages {
		if !pages.contain(p.page) {
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

// heading is a heading of a Markdown document.
type heading struct {
	offset int // in bytes
	level  int
	title  string
}

var headingLine = regexp.MustCompile(`^(#{1,6})\s+(\S.*)$`)

// headings are those of Markdown, fenced code left out.
func (d *document) headings() []heading {
	var out []heading
	if d.format != babyclient.FormatMarkdown {
		return nil
	}
	offset, fenced := 0, false
	for line := range strings.Lines(d.text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if m := headingLine.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil && !fenced {
			out = append(out, heading{offset, len(m[1]), m[2]})
		}
		offset += len(line)
	}
	return out
}

// passage is a piece of a document to rank.
type passage struct {
	span
	heading string // of the section that it is in
}

// passageChars is about how long a passage is: some 300 tokens, which every rerank model takes.
const passageChars = 1200

// passages cuts the document at its blocks. A passage does not go beyond its section.
func (d *document) passages() []passage {
	var out []passage
	headings := d.headings()
	add := func(from, to int, title string) {
		for from < to {
			end := from + cut(d.text[from:to], passageChars)
			if strings.TrimSpace(d.text[from:end]) != "" {
				out = append(out, passage{span{from, end}, title})
			}
			from = end
		}
	}
	from, title := 0, ""
	for _, h := range headings {
		// A heading right below another stays with it.
		if strings.TrimSpace(strings.TrimPrefix(d.text[from:h.offset], headingText(d.text[from:h.offset]))) == "" {
			title = h.title
			continue
		}
		add(from, h.offset, title)
		from, title = h.offset, h.title
	}
	add(from, len(d.text), title)
	return out
}

// headingText is the first line of text if it is a heading.
func headingText(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if headingLine.MatchString(strings.TrimRight(line, "\r")) {
		return line
	}
	return ""
}
