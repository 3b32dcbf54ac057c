package mcp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Limits of a view.
const (
	defaultMaxChars = 32_000 // about 8,000 tokens: what clients take without a warning
	maxMatches      = 50
)

// view is what a call shows of a document: its outline, the matches of a search, or a part of its
// text.
type view struct {
	pages    pageRanges // only these; none for all
	offset   int        // where it begins, in characters
	maxChars int        // as the call gave it, 0 for the default
	outline  bool
	search   string
}

// render writes the view as the agent sees it.
func (v view) render(d *document) (string, error) {
	offset, ok := d.byteOffset(v.offset)
	if !ok {
		return "", refuse("offset %d is past the end: %s has %d characters.", v.offset, d.id, d.chars())
	}
	if v.outline && d.format != babyclient.FormatMarkdown {
		return "", refuse("an outline needs format md, and %s is kept as %s.", d.id, d.format)
	}
	spans, err := d.spans(v.pages)
	if err != nil {
		return "", err
	}
	switch {
	case v.outline:
		return v.renderOutline(d, spans, offset), nil
	case v.search != "":
		return v.renderSearch(d, spans, offset), nil
	}
	return v.renderPart(d, spans, offset), nil
}

// budget is how many characters the view may have.
func (v view) budget() int {
	if v.maxChars > 0 {
		return v.maxChars
	}
	return defaultMaxChars
}

// renderPart is the next part of the text. Its last line says which part it is and how to go on.
func (v view) renderPart(d *document, spans []span, offset int) string {
	pieces, next := d.nextPart(spans, offset, v.budget())
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(d.text[p.from:p.to])
	}
	fmt.Fprintf(&b, "\n\n[babyapi: %s%s", d.name, v.describePart(d, pieces, next))
	if next >= 0 {
		call := []any{"document_id", d.id, "offset", d.charOffset(next)}
		if len(v.pages) > 0 {
			call = append(call, "pages", v.pages.String())
		}
		if v.maxChars > 0 {
			call = append(call, "max_chars", v.maxChars)
		}
		fmt.Fprintf(&b, ". Continue: convert %s", callJSON(call...))
		if len(d.headings()) > 0 {
			fmt.Fprintf(&b, ". Headings: convert %s", callJSON("document_id", d.id, "outline", true))
		}
	} else {
		fmt.Fprintf(&b, ". document_id %s", d.id)
	}
	if len(d.warnings) > 0 {
		fmt.Fprintf(&b, ". Not converted whole: %s", clip(strings.Join(d.warnings, "; ")))
	}
	b.WriteString("]")
	return b.String()
}

// describePart says which part of the document the pieces are.
func (v view) describePart(d *document, pieces []span, next int) string {
	switch {
	case strings.TrimSpace(d.text) == "":
		return `, converted, but no text was found in it. If it is a scan, call again with ocr "force"`
	case len(pieces) == 0:
		return ", nothing after this offset"
	case v.offset == 0 && next < 0 && len(v.pages) == 0 && !d.ranged:
		text := fmt.Sprintf(", the whole document, %s characters", number(d.chars()))
		if d.lastPage > 0 {
			text += fmt.Sprintf(", %d pages", d.lastPage)
		}
		return text
	}
	first, last := pieces[0].from, pieces[len(pieces)-1].to
	text := fmt.Sprintf(", characters %s-%s of %s",
		number(d.charOffset(first)), number(d.charOffset(last)), number(d.chars()))
	switch page := d.pageAt(first); {
	case page == 0:
		return text
	case d.ranged:
		return text + fmt.Sprintf(" (pages %s)", pageRange{page, d.pageAt(last - 1)})
	default:
		return text + fmt.Sprintf(" (pages %s of %d)", pageRange{page, d.pageAt(last - 1)}, d.lastPage)
	}
}

// renderOutline is the headings, each with the offset to read it from.
func (v view) renderOutline(d *document, spans []span, offset int) string {
	var b strings.Builder
	chars := charCounter{text: d.text}
	count := 0
	for _, h := range d.headings() {
		if h.offset < offset || !within(spans, h.offset) {
			continue
		}
		line := fmt.Sprintf("%s%s %s\n", place(d, h.offset, chars.at(h.offset)), strings.Repeat("#", h.level), h.title)
		if b.Len()+len(line) > v.budget() && count > 0 {
			more := callJSON("document_id", d.id, "outline", true, "offset", chars.at(h.offset))
			fmt.Fprintf(&b, "\n[babyapi: more headings: convert %s]", more)
			return b.String()
		}
		count++
		b.WriteString(line)
	}
	if count == 0 {
		return fmt.Sprintf("[babyapi: %s has no headings here; it has %s characters. Read it with convert %s]",
			d.name, number(d.chars()), callJSON("document_id", d.id))
	}
	fmt.Fprintf(&b, "\n[babyapi: %d headings of %s, %s characters. %s]", count, d.name, number(d.chars()), readOn(d))
	return b.String()
}

// renderSearch is the places where the text occurs, as a person sees it: see [seenText].
func (v view) renderSearch(d *document, spans []span, offset int) string {
	var b strings.Builder
	chars := charCounter{text: d.text}
	total, shown, more := 0, 0, ""
	for _, match := range findSeen(d.text, v.search, offset) {
		if !within(spans, match.from) {
			continue
		}
		total++
		if more != "" {
			continue
		}
		line := place(d, match.from, chars.at(match.from)) + excerpt(d.text, match.from, match.to) + "\n"
		if shown == maxMatches || b.Len()+len(line) > v.budget() && shown > 0 {
			more = callJSON("document_id", d.id, "search", v.search, "offset", chars.at(match.from))
			continue
		}
		shown++
		b.WriteString(line)
	}
	if total == 0 {
		return fmt.Sprintf("[babyapi: %q does not occur in %s from offset %s on. "+
			"Try fewer or other words, or outline; rerank %s finds passages by meaning]",
			clip(v.search), d.name, number(v.offset), callJSON("document_id", d.id, "query", v.search))
	}
	fmt.Fprintf(&b, "\n[babyapi: %d of %d matches in %s. %s", shown, total, d.name, readOn(d))
	if more != "" {
		fmt.Fprintf(&b, ". More matches: convert %s", more)
	}
	b.WriteString("]")
	return b.String()
}

// place says where something is, for a list: at an offset in bytes, that is so many characters.
func place(d *document, offset, chars int) string {
	if p := d.pageAt(offset); p > 0 {
		return fmt.Sprintf("offset %d, page %d: ", chars, p)
	}
	return fmt.Sprintf("offset %d: ", chars)
}

// readOn is the call that reads from a place of a list.
func readOn(d *document) string {
	return fmt.Sprintf(`Read on from one: convert {"document_id":%q,"offset":OFFSET}`, d.id)
}

func within(spans []span, offset int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return offset >= s.from && offset < s.to })
}
