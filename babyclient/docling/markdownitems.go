package docling

import (
	"encoding/json"
	"strings"
)

// table writes a table without its caption: docling-core's MarkdownTableSerializer.
func (w *writer) table(n *treeNode, s scope) string {
	t, _ := n.value.(*Table)
	if w.excluded[n] {
		return ""
	}
	owners := t.cellOwners(w.document)
	return w.grid(&t.Data, w.options.CompactTables, func(i int, c *Cell) string {
		if c.Ref == nil || owners[c.Ref.Ref] != i+1 {
			return c.Text
		}
		return w.item(w.nodeAt(c.Ref.Ref), scope{cell: true, bare: true, written: s.written}).text
	})
}

// grid writes the cells of a table. textOf is called once for each cell that is in it.
func (w *writer) grid(t *TableData, compact bool, textOf func(i int, c *Cell) string) string {
	if t.rows() == 0 || t.cols() == 0 {
		return ""
	}
	covering := t.covering()
	if covering == nil {
		w.err = ErrTooLarge
		return ""
	}
	texts, made := make([]string, len(t.Cells)), make([]bool, len(t.Cells))
	rows := make([][]string, t.rows())
	size := 0
	for row := range rows {
		rows[row] = make([]string, t.cols())
		for col := range rows[row] {
			i := covering[row*t.cols()+col]
			if i < 0 {
				continue
			}
			if !made[i] {
				text := strings.ReplaceAll(textOf(int(i), &t.Cells[i]), "\n", " ")
				texts[i], made[i] = strings.ReplaceAll(text, "|", "&#124;"), true
			}
			rows[row][col] = texts[i]
			size += len(texts[i])
		}
	}
	if size > maxTextBytes-w.size { // a cell that spans a million places has its text in each
		w.err = ErrTooLarge
		return ""
	}
	cells := t.Rows()
	g := newTextGrid(rows, t.headerRows(cells), cells)
	if compact {
		return g.compact()
	}
	widths, size := g.widths()
	if size > maxTextBytes-w.size {
		w.err = ErrTooLarge
		return ""
	}
	return g.padded(widths)
}

// flatTable writes a table that stands in a cell of another as one line.
func (w *writer) flatTable(n *treeNode, t *Table, s scope) string {
	n.each(true, func(below *treeNode) step {
		s.written.nodes[below] = true
		return w.count()
	})
	if w.excluded[n] {
		return ""
	}
	var out []string
	owners := t.cellOwners(w.document)
	covering := t.Data.covering()
	if covering == nil {
		w.err = ErrTooLarge
	}
	done := map[int32]bool{}
	for _, i := range covering {
		if i < 0 || w.count() == stop {
			continue
		}
		c := &t.Data.Cells[i]
		text := c.Text
		if c.Ref != nil && owners[c.Ref.Ref] == int(i)+1 {
			if done[i] {
				continue
			}
			done[i] = true
			text = w.flat(w.nodeAt(c.Ref.Ref), s)
		}
		if text = w.add(text); text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

// flat is all text of an item and of what is below it.
func (w *writer) flat(n *treeNode, s scope) string {
	if w.depth++; w.depth > maxNesting || w.count() == stop {
		return ""
	}
	defer func() { w.depth-- }()
	if t, ok := n.value.(*Table); ok {
		return w.flatTable(n, t, s)
	}
	var out []string
	if t := n.text(); t != nil && !w.excluded[n] && t.Text != "" {
		out = append(out, t.Text)
	}
	for _, c := range n.children {
		if text := w.flat(c, s); text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

// picture writes what stands for a picture, without its caption.
func (w *writer) picture(n *treeNode, p *Picture) string {
	if w.excluded[n] {
		return ""
	}
	isData := p.Image != nil && strings.HasPrefix(p.Image.URI, "data:")
	switch {
	case w.options.Images == ImageEmbedded && isData:
		return "![Image](" + linkDestination(p.Image.URI) + ")"
	case w.options.Images == ImageEmbedded:
		return "<!-- 🖼️❌ Image not available. Please use `PdfPipelineOptions(generate_picture_images=True)` -->"
	case w.options.Images == ImageReferenced && p.Image != nil && !isData:
		return "![Image](" + picturePath(p.Image.URI) + ")"
	}
	return w.options.ImagePlaceholder
}

// meta writes what a model says about an item.
func (w *writer) meta(n *treeNode) string {
	m := effectiveMeta(n.value)
	if m == nil || w.excluded[n] {
		return ""
	}
	var out []string
	add := func(text string) { out = append(out, text) }
	addText := func(p *Prediction) {
		if p != nil {
			add(p.Text)
		}
	}
	addWords := func(words *Words) {
		if words != nil {
			add(strings.Join(words.Values, ", "))
		}
	}
	addText(m.Summary)
	addWords(m.Keywords)
	addWords(m.Topics)
	addText(m.Description)
	if m.Classification != nil {
		add(humanize(m.Classification.mostLikely()))
	}
	if m.Molecule != nil {
		add(m.Molecule.SMILES)
	}
	if m.TabularChart != nil {
		chart := &m.TabularChart.ChartData
		add(pythonStrip(w.grid(chart, false, func(_ int, c *Cell) string { return c.Text })))
	}
	for _, s := range m.shape.list() {
		if s.field < 0 {
			add(pythonText(m.Extra[s.name]))
		}
	}
	return joinTexts("\n\n", out...)
}

// pythonText is what Python's str makes of a value that is no object and no array. docling-core
// writes those as Python would, which is of no use; here they are left out.
func pythonText(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
	case float64:
		if v != 0 {
			return string(raw)
		}
	}
	return ""
}
