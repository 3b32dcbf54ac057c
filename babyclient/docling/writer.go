package docling

import "strings"

const (
	maxTextBytes = 256 << 20
	// maxSteps bounds the visits of items. An item of an honest document costs two, and one more
	// for each list around it.
	maxSteps = 50_000_000
	// maxNesting bounds how deep the writer calls itself. The lists of [tree.wrapListItems] make
	// the tree up to twice as deep, and captions and cells lead on into other branches: in a
	// hostile document in circles.
	maxNesting = 4 * maxDepth
)

// writer writes one text. It is a port of docling-core's MarkdownDocSerializer, whose order of
// visits it keeps, because what is written, and where, depends on what was written before.
type writer struct {
	*tree
	options MarkdownOptions
	plain   bool
	layers  map[Layer]bool
	marks   pageMarks // only for [Document.MarkdownPages]

	captions    map[*treeNode]bool // of some item: written with it, not where they stand
	footnotes   map[*treeNode]bool // likewise not written where they stand
	inCaption   map[*treeNode]bool // what stands below a caption
	excluded    map[*treeNode]bool // by page, label or layer
	steps, size int
	depth       int
	err         error
}

// scope is where an item is written.
type scope struct {
	list    int  // how many lists it is in
	inline  bool // in a line with others
	cell    bool // in a cell of a table: tables are put on one line
	bare    bool // in a cell of a table: headings have no mark
	written *writtenItems
}

// writtenItems is what was written already.
type writtenItems struct {
	nodes  map[*treeNode]bool
	breaks map[int]bool // page breaks, by their number
}

func newWrittenItems() *writtenItems {
	return &writtenItems{nodes: map[*treeNode]bool{}, breaks: map[int]bool{}}
}

// part is a piece of the text.
type part struct {
	text    string
	first   *treeNode // the first item that it is of, nil for none
	isBreak bool
}

func newWriter(d *Document, o MarkdownOptions, plain bool) *writer {
	w := &writer{
		tree: newTree(d), options: o, plain: plain, layers: map[Layer]bool{},
		captions: map[*treeNode]bool{}, footnotes: map[*treeNode]bool{}, inCaption: map[*treeNode]bool{},
	}
	if w.options.ImagePlaceholder == "" && !plain {
		w.options.ImagePlaceholder = "<!-- image -->"
	}
	if len(o.Layers) == 0 {
		w.layers[LayerBody] = true
	}
	for _, l := range o.Layers {
		w.layers[l] = true
	}
	w.body.each(true, func(n *treeNode) step {
		f := floatingOf(n.value)
		w.addAll(w.captions, f.Captions)
		w.addAll(w.footnotes, f.Footnotes)
		return goDown
	})
	for caption := range w.captions {
		caption.each(true, func(n *treeNode) step {
			if n != caption {
				w.inCaption[n] = true
			}
			return w.count()
		})
	}
	w.exclude()
	return w
}

func (w *writer) addAll(set map[*treeNode]bool, refs []Ref) {
	for _, ref := range refs {
		if n := w.nodeAt(ref.Ref); n != nil {
			set[n] = true
		}
	}
}

// count bounds the work.
func (w *writer) count() step {
	if w.steps++; w.steps > maxSteps {
		w.err = ErrTooLarge
	}
	if w.err != nil {
		return stop
	}
	return goDown
}

// add counts text that was made.
func (w *writer) add(text string) string {
	if w.size += len(text); w.size > maxTextBytes {
		w.err = ErrTooLarge
		return ""
	}
	return text
}

// unwritten are the labels that docling-core does not write.
var unwritten = map[Label]bool{LabelChart: true, LabelGradingScale: true}

// exclude finds the items that are not written. One that is in another layer is not met at all.
func (w *writer) exclude() {
	w.excluded = map[*treeNode]bool{}
	w.body.each(true, func(n *treeNode) step {
		if node := nodeOf(n.value); !n.isGroup() && w.layers[node.layer()] {
			w.excluded[n] = unwritten[node.Label] || w.options.Page != 0 && n.page() != w.options.Page
		}
		return goDown
	})
	for i := range w.document.Tables {
		t := &w.document.Tables[i]
		n := w.nodeFor(t)
		if n == nil || !w.excluded[n] && w.layers[t.layer()] {
			continue
		}
		w.excluded[n] = true
		for j := range t.Data.Cells {
			if ref := t.Data.Cells[j].Ref; ref != nil {
				if held := w.nodeAt(ref.Ref); held != nil {
					held.each(true, func(n *treeNode) step {
						w.excluded[n] = true
						return w.count()
					})
				}
			}
		}
	}
}

func (w *writer) whole() (string, error) {
	parts := w.parts(w.body, scope{written: newWrittenItems()})
	text := join(parts, "\n\n")
	if w.options.PageBreak != "" {
		text = breakMark.ReplaceAllLiteralString(text, w.options.PageBreak)
	}
	if meta := w.meta(w.body); meta != "" {
		text = joinTexts("\n\n", text, meta)
	}
	return text, w.err
}

func join(parts []part, separator string) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	return joinTexts(separator, texts...)
}

// joinTexts joins the texts that are not empty.
func joinTexts(separator string, texts ...string) string {
	var out strings.Builder
	for _, text := range texts {
		if text == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteString(separator)
		}
		out.WriteString(text)
	}
	return out.String()
}

// parts writes what is below a node, and is not written yet: docling-core's get_parts.
func (w *writer) parts(root *treeNode, s scope) []part {
	var out []part
	fromCaption := w.inCaption[root] || w.captions[root]
	onBreak := func(b pageBreak) {
		if !s.written.breaks[b.number] {
			s.written.breaks[b.number] = true
			out = append(out, part{text: b.mark(), isBreak: true})
		}
	}
	w.visit(root, onBreak, func(n *treeNode) step {
		if s.written.nodes[n] || w.inCaption[n] && !fromCaption {
			return goDown
		}
		s.written.nodes[n] = true
		pageBefore := w.marks.page
		mark := w.turnPage(n, s)
		switch p := w.item(n, s); {
		case p.text == "":
			w.marks.page = pageBefore // the mark is not written either
		case mark != "":
			out = append(out, part{text: mark, isBreak: true}, p)
		default:
			out = append(out, p)
		}
		if n.isGroup() && n != root && w.options.PageBreak == "" {
			return passOver // all of it is written
		}
		return goDown
	})
	return out
}

// item writes an item: docling-core's serialize.
func (w *writer) item(n *treeNode, s scope) part {
	if w.depth++; w.depth > maxNesting {
		w.err = ErrTooLarge
	}
	defer func() { w.depth-- }()
	s.written.nodes[n] = true
	if n == w.body || w.err != nil {
		return part{}
	}
	p := part{}
	switch v := n.value.(type) {
	case *Group:
		p = w.group(n, s)
	case *Text:
		if w.captions[n] || w.footnotes[n] {
			return part{}
		}
		if !w.excluded[n] {
			p = w.textItem(n, v, s)
		}
	case *Table:
		if s.cell {
			p = part{text: w.flatTable(n, v, s), first: n}
			break
		}
		p.text = w.captioned(n, s, w.table(n, s))
		p.first = w.firstOf(n, p.text)
	case *Picture:
		p.text = w.captioned(n, s, w.picture(n, v))
		p.first = w.firstOf(n, p.text)
	case *KeyValues:
		if !w.excluded[n] {
			p = part{text: "<!-- missing-key-value-item -->", first: n}
			if v.Label == LabelForm {
				p.text = "<!-- missing-form-item -->"
			}
		}
	}
	if meta := w.meta(n); meta != "" {
		p.text = joinTexts("\n\n", p.text, meta)
		if p.first == nil && !n.isGroup() {
			p.first = n
		}
	}
	p.text = w.add(p.text)
	return p
}

// firstOf is the item that a text with captions in front begins with: the first caption that is
// written, else n. It is nil for an empty text.
func (w *writer) firstOf(n *treeNode, text string) *treeNode {
	if text == "" {
		return nil
	}
	for _, ref := range floatingOf(n.value).Captions {
		if caption := w.nodeAt(ref.Ref); caption != nil && w.isWritten(caption) {
			return caption
		}
	}
	return n
}

// group writes the items of a group.
func (w *writer) group(n *treeNode, s scope) part {
	below := scope{cell: s.cell, bare: s.bare, written: s.written}
	switch {
	case n.isList():
		return w.listGroup(n, s)
	case n.isInline():
		below.list, below.inline = s.list, true
		parts := w.parts(n, below)
		return part{text: join(parts, " "), first: firstItem(parts)}
	}
	parts := w.parts(n, below)
	return part{text: join(parts, "\n\n"), first: firstItem(parts)}
}

func firstItem(parts []part) *treeNode {
	for _, p := range parts {
		if p.first != nil {
			return p.first
		}
	}
	return nil
}

// listGroup writes a list, each item on a line.
func (w *writer) listGroup(n *treeNode, s scope) part {
	parts := w.parts(n, scope{list: s.list + 1, inline: s.inline, cell: s.cell, bare: s.bare, written: s.written})
	var lines []part
	for _, p := range parts {
		if len(lines) > 0 && p.first != nil && p.first.parent != nil && p.first.parent.isInline() {
			lines[len(lines)-1].text += p.text // it goes on with the line above
		} else {
			lines = append(lines, p)
		}
	}
	indent := strings.Repeat(" ", 4*s.list)
	var out strings.Builder
	for i, p := range lines {
		if i > 0 {
			out.WriteByte('\n')
			if p.isBreak || lines[i-1].isBreak {
				out.WriteByte('\n')
			}
		}
		if p.text[0] != ' ' { // else a list in the list, which is indented already
			out.WriteString(indent)
		}
		out.WriteString(p.text)
	}
	return part{text: out.String(), first: firstItem(lines)}
}
