package mcp

import "strings"

// passage is a piece of a document to rank.
type passage struct {
	span
	heading string // of the section that it is in
}

// passageChars is about how long a passage is: some 300 tokens, which every rerank model takes.
const passageChars = 1200

// passages divides the document between its blocks. A passage does not go beyond its section.
func (d *document) passages() []passage {
	var out []passage
	add := func(from, to int, title string) {
		for from < to {
			end := from + partLength(d.text[from:to], passageChars)
			if strings.TrimSpace(d.text[from:end]) != "" {
				out = append(out, passage{span{from, end}, title})
			}
			from = end
		}
	}
	from, title := 0, ""
	for _, h := range d.headings() {
		section := d.text[from:h.offset]
		// A heading right below another stays with it.
		if strings.TrimSpace(strings.TrimPrefix(section, leadingHeading(section))) == "" {
			title = h.title
			continue
		}
		add(from, h.offset, title)
		from, title = h.offset, h.title
	}
	add(from, len(d.text), title)
	return out
}
