package docling

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// textItem writes a text: docling-core's MarkdownTextSerializer.
func (w *writer) textItem(n *treeNode, t *Text, s scope) part {
	text, pending := t.Text, true // pending: formatting and escapes are still to come
	ofRuns := text == "" && len(n.children) == 1 && n.children[0].isInline()
	if ofRuns {
		text, pending = w.item(n.children[0], scope{written: s.written}).text, false
	}
	escape := true
	switch t.Label {
	case LabelCheckboxSelected:
		text = w.lineBreaks("- [x] " + text)
	case LabelCheckboxUnselected:
		text = w.lineBreaks("- [ ] " + text)
	case LabelTitle, LabelSectionHeader:
		if !ofRuns {
			text, pending = w.format(w.oneLine(text), t, true), false
		}
		text = w.heading(text, t, s)
	case LabelListItem:
		if !ofRuns {
			text, pending = w.format(w.lineBreaks(text), t, true), false
		}
		text = w.listMarker(n, t) + " " + text
	case LabelCode:
		text, escape = w.code(text, t, s), false
	case LabelFormula:
		text, escape = formula(text, t, s), false
	default:
		text = w.lineBreaks(text)
	}
	if t.Label == LabelCode {
		text = w.withCodeCaption(text, n, s)
	}
	p := part{text: text}
	if text != "" {
		p.first = n
	}
	if pending {
		p.text = w.format(text, t, escape)
	}
	return p
}

// withCodeCaption puts the caption of code behind it.
func (w *writer) withCodeCaption(text string, n *treeNode, s scope) string {
	separator := "\n\n"
	if s.inline {
		separator = " "
	}
	s.bare = false // docling-core forgets it here
	return joinTexts(separator, text, w.caption(n, s, newWrittenItems()))
}

// lineBreaks marks the ends of lines inside of a paragraph for Markdown.
func (w *writer) lineBreaks(text string) string {
	if w.plain || !strings.Contains(text, "\n") {
		return text
	}
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.ReplaceAll(p, "\n", "  \n")
	}
	return strings.Join(paragraphs, "\n\n")
}

// oneLine puts a heading on one line.
func (w *writer) oneLine(text string) string {
	if w.plain {
		return text
	}
	return strings.ReplaceAll(text, "\n", " ")
}

func (w *writer) heading(text string, t *Text, s scope) string {
	switch {
	case w.plain || s.bare:
		return text
	case t.Label == LabelTitle:
		return "# " + text
	}
	return strings.Repeat("#", min(t.level()+1, 6)) + " " + text
}

var enumeration = regexp.MustCompile(`^\p{Nd}+\.$`)

// listMarker is what stands in front of a list item: its own marker if Markdown has it, else a dash
// or a number, and after it the own marker if it says something, as "a)" does.
func (w *writer) listMarker(n *treeNode, t *Text) string {
	own := t.marker()
	if slices.Contains([]string{"-", "*", "+"}, own) || enumeration.MatchString(own) {
		return own
	}
	marker := "-"
	if own == "" && n.parent != nil && n.parent.isList() {
		first := n.parent.children[0]
		if first.isListItem() && first.text().Enumerated {
			marker = strconv.Itoa(n.index+1) + "."
		}
	}
	says := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	if strings.ContainsFunc(own, says) {
		marker += " " + own
	}
	return marker
}

func (w *writer) code(text string, t *Text, s scope) string {
	if w.plain {
		return text
	}
	ticks := 0
	for i, run := 0, 0; i < len(text); i++ {
		if run++; text[i] != '`' {
			run = 0
		}
		ticks = max(ticks, run)
	}
	if !s.inline && t.Hyperlink == "" {
		fence := strings.Repeat("`", max(3, ticks+1))
		return fence + "\n" + text + "\n" + fence
	}
	fence, blank := strings.Repeat("`", ticks+1), ""
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		blank = " "
	}
	return fence + blank + text + blank + fence
}

func formula(text string, t *Text, s scope) string {
	switch {
	case text != "" && s.inline:
		return "$" + text + "$"
	case text != "":
		return "$$" + text + "$$"
	case t.Orig != "":
		return "<!-- formula-not-decoded -->"
	}
	return ""
}

// format escapes a text and marks how it looks and where it links to. t is nil for a caption.
func (w *writer) format(text string, t *Text, escape bool) string {
	if w.plain {
		return text
	}
	if escape {
		text = escapeHTML.Replace(escapeUnderscores(text))
	}
	if t == nil {
		return text
	}
	if f := t.Formatting; f != nil {
		if f.Bold {
			text = "**" + text + "**"
		}
		if f.Italic {
			text = "*" + text + "*"
		}
		if f.Strikethrough {
			text = "~~" + text + "~~"
		}
	}
	if t.Hyperlink != "" && isSafeLink(t.Hyperlink) {
		text = "[" + text + "](" + linkDestination(t.Hyperlink) + ")"
	}
	return text
}

var escapeHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// pictureLink is a picture in Markdown, in whose address an underscore stays as it is.
var pictureLink = regexp.MustCompile(`!\[.*?\]\(.*?\)`)

func escapeUnderscores(text string) string {
	if !strings.Contains(text, "_") {
		return text
	}
	var out strings.Builder
	start := 0
	for _, link := range pictureLink.FindAllStringIndex(text, -1) {
		writeEscaped(&out, text[start:link[0]])
		out.WriteString(text[link[0]:link[1]])
		start = link[1]
	}
	writeEscaped(&out, text[start:])
	return out.String()
}

// writeEscaped puts a backslash before each underscore that has none.
func writeEscaped(out *strings.Builder, text string) {
	for i := range len(text) {
		if text[i] == '_' && (i == 0 || text[i-1] != '\\') {
			out.WriteByte('\\')
		}
		out.WriteByte(text[i])
	}
}

// isWritten tells whether a caption is one that is written.
func (w *writer) isWritten(caption *treeNode) bool {
	t := caption.text()
	return t != nil && w.layers[t.layer()] && !w.excluded[caption]
}

// caption writes the captions of an item.
func (w *writer) caption(n *treeNode, s scope, v *writtenItems) string {
	var out []string
	for _, ref := range floatingOf(n.value).Captions {
		caption := w.nodeAt(ref.Ref)
		if caption == nil || !w.isWritten(caption) {
			continue
		}
		below := w.parts(caption, scope{inline: true, cell: s.cell, bare: s.bare, written: v})
		out = append(out, joinTexts(" ", w.format(caption.text().Text, nil, true), join(below, " ")))
	}
	return strings.Join(out, " ")
}

// captioned puts the captions of an item in front of it.
func (w *writer) captioned(n *treeNode, s scope, text string) string {
	return joinTexts("\n\n", w.caption(n, s, s.written), text)
}
