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
