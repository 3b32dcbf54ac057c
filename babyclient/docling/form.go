package docling

// KeyValues is a region of keys and values, or a form: a graph of cells and the links between them.
type KeyValues struct {
	DocNode
	Floating
	Graph Graph `json:"graph"`
}

// Graph is what a [KeyValues] says.
type Graph struct {
	Cells []GraphCell `json:"cells"`
	Links []GraphLink `json:"links"`
	Fields
}

// GraphCell is a key, a value, or a checkbox.
type GraphCell struct {
	Label   Label       `json:"label"` // "key", "value", "checkbox", "unspecified"
	CellID  int         `json:"cell_id"`
	Text    string      `json:"text"`
	Orig    string      `json:"orig"`
	Prov    *Provenance `json:"prov,omitzero"`
	ItemRef *Ref        `json:"item_ref,omitzero"` // the text, table or picture that it is
	Fields
}

// GraphLink joins two cells.
type GraphLink struct {
	Label        Label `json:"label"` // "to_value", "to_key", "to_parent", "to_child", "unspecified"
	SourceCellID int   `json:"source_cell_id"`
	TargetCellID int   `json:"target_cell_id"`
	Fields
}

// Field is a region of fields, or one field of it. Its key and its values are its children.
type Field struct {
	DocNode
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
