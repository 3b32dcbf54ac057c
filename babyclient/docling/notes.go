package docling

// Note is what an author says beside the content: a speaker's note, or a comment.
type Note struct {
	Item Item // the text of the note
	Text string
	Page int // the slide it belongs to, 0 where that is not known
	// Targets are the items that it comments on. Range, if not nil, is the part of the text.
	Targets []Target
	Comment bool // it is a comment, else a note
}

// Target is what a comment is about.
type Target struct {
	Item  Item
	Range *[2]int // characters of the item's text, the second excluded; nil for all of it
}

// Notes are the speaker's notes and the comments, in reading order.
func (d *Document) Notes() []Note {
	targets := map[string][]Target{}
	d.all(func(value any) {
		if n, ok := value.(docNoder); ok {
			for _, c := range n.docNode().Comments {
				targets[c.Ref] = append(targets[c.Ref], Target{Item{value, d}, c.Range})
			}
		}
	})
	var out []Note
	section, sectionDepth := Item{}, 0 // of comments, the last that was met
	for item, depth := range d.Items(ItemsOptions{Layers: AllLayers, Groups: true, Pictures: true}) {
		if section.Value != nil && depth <= sectionDepth {
			section = Item{}
		}
		if item.Label() == LabelCommentSection {
			section, sectionDepth = item, depth
		}
		text, ok := item.Value.(*Text)
		about := targets[item.Ref()]
		if !ok || item.Layer() != LayerNotes && len(about) == 0 {
			continue
		}
		if section.Value != nil && len(about) == 0 { // a comment can point to the section as a whole
			about = targets[section.Ref()]
		}
		note := Note{Item: item, Text: text.Text, Targets: about, Comment: section.Value != nil || len(about) > 0}
		note.Page = item.placeNumber()
		for _, t := range about {
			if note.Page == 0 {
				note.Page = t.Item.placeNumber()
			}
		}
		if group, ok := section.Value.(*Group); ok && note.Page == 0 {
			note.Page, _ = slideNumber(group)
		}
		out = append(out, note)
	}
	return out
}

// KeyValue is a key of a form and a value that belongs to it.
type KeyValue struct {
	Key, Value string
	Item       Item // the form, the region, or the field that they stand in
}

// KeyValues are the keys and values of the document's forms, key-value regions and fields. A key
// with several values stands once for each, one without a value with "".
func (d *Document) KeyValues() []KeyValue {
	var out []KeyValue
	for item := range d.Items(ItemsOptions{Layers: AllLayers, Pictures: true}) {
		switch v := item.Value.(type) {
		case *KeyValues:
			out = v.Graph.pairs(out, item)
		case *Field:
			if v.Label == LabelFieldItem {
				out = d.fieldPairs(out, item)
			}
		}
	}
	return out
}

func (g *Graph) pairs(out []KeyValue, item Item) []KeyValue {
	texts := map[int]string{}
	for _, c := range g.Cells {
		texts[c.CellID] = c.Text
	}
	values := map[int][]int{} // of a key, the cells of its values
	for _, l := range g.Links {
		switch l.Label {
		case "to_value":
			values[l.SourceCellID] = append(values[l.SourceCellID], l.TargetCellID)
		case "to_key":
			values[l.TargetCellID] = append(values[l.TargetCellID], l.SourceCellID)
		}
	}
	for _, c := range g.Cells {
		if c.Label == "key" && len(values[c.CellID]) == 0 {
			out = append(out, KeyValue{Key: c.Text, Item: item})
		}
		for _, v := range values[c.CellID] {
			out = append(out, KeyValue{Key: c.Text, Value: texts[v], Item: item})
		}
	}
	return out
}

func (d *Document) fieldPairs(out []KeyValue, field Item) []KeyValue {
	key, values := "", []string(nil)
	for _, ref := range nodeOf(field.Value).Children {
		item, _ := d.Item(ref.Ref)
		switch item.Label() {
		case LabelFieldKey:
			key = item.Text()
		case LabelFieldValue:
			values = append(values, item.Text())
		}
	}
	if len(values) == 0 {
		values = []string{""}
	}
	for _, value := range values {
		out = append(out, KeyValue{Key: key, Value: value, Item: field})
	}
	return out
}
