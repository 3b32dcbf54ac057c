package docling

// Text is a paragraph, a heading, a list item, code, a formula, or another text; its Label says
// which. The fields that only some of them have are zero for the others.
type Text struct {
	DocNode
	Orig       string      `json:"orig"` // as it stood in the document
	Text       string      `json:"text"` // as docling cleaned it
	Formatting *Formatting `json:"formatting,omitzero"`
	Hyperlink  string      `json:"hyperlink,omitzero"` // a URL, or a path

	Level        int    `json:"level,omitzero"`         // of a section header or field heading, 1 for the outermost
	Enumerated   bool   `json:"enumerated,omitzero"`    // of a list item: the list counts
	Marker       string `json:"marker,omitzero"`        // of a list item: "-", "1.", "a)"
	CodeLanguage string `json:"code_language,omitzero"` // of code: "Python"
	Kind         string `json:"kind,omitzero"`          // of a field value: "read_only" or "fillable"

	Floating // of code
}

// Formatting is how a text looks. Script is "baseline", "sub" or "super".
type Formatting struct {
	Bold          bool   `json:"bold"`
	Italic        bool   `json:"italic"`
	Underline     bool   `json:"underline"`
	Strikethrough bool   `json:"strikethrough"`
	Script        string `json:"script,omitzero"`
	Fields
}

// level is the level, with docling-core's default, and within the bounds outside of which
// docling-core refuses a document: programs indent by it.
func (t *Text) level() int { return min(max(t.Level, 1), 100) }

// marker is the marker, with docling-core's default.
func (t *Text) marker() string {
	if t.Marker == "" && !t.has("marker") {
		return "-"
	}
	return t.Marker
}
