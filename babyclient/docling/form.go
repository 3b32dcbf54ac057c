package docling

// KeyValues is a region of keys and values, or a form: a graph of cells and the links between them.
type KeyValues struct {
	DocNode
	Floating
	Graph Graph `json:"graph,always"`
}

// Graph is what a [KeyValues] says.
type Graph struct {
	Cells []GraphCell `json:"cells,always"`
	Links []GraphLink `json:"links,always"`
	Fields
}

// GraphCell is a key, a value, or a checkbox.
type GraphCell struct {
	Label   Label       `json:"label,always"` // "key", "value", "checkbox", "unspecified"
	CellID  int         `json:"cell_id,always"`
	Text    string      `json:"text,always"`
	Orig    string      `json:"orig,always"`
	Prov    *Provenance `json:"prov"`
	ItemRef *Ref        `json:"item_ref"` // the text, table or picture that it is
	Fields
}

// GraphLink joins two cells.
type GraphLink struct {
	Label        Label `json:"label,always"` // "to_value", "to_key", "to_parent", "to_child", "unspecified"
	SourceCellID int   `json:"source_cell_id,always"`
	TargetCellID int   `json:"target_cell_id,always"`
	Fields
}

// Field is a region of fields, or one field of it. Its key and its values are its children.
type Field struct {
	DocNode
}
