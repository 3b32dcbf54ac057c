package docling

// Text is a paragraph, a heading, a list item, code, a formula, or another text; its Label says
// which. The fields that only some of them have are zero for the others.
type Text struct {
	DocNode
	Orig       string      `json:"orig,always"` // as it stood in the document
	Text       string      `json:"text,always"` // as docling cleaned it
	Formatting *Formatting `json:"formatting"`
	Hyperlink  string      `json:"hyperlink"` // a URL, or a path

	Level        int    `json:"level"`         // of a section header or field heading, 1 for the outermost
	Enumerated   bool   `json:"enumerated"`    // of a list item: the list counts
	Marker       string `json:"marker"`        // of a list item: "-", "1.", "a)"
	CodeLanguage string `json:"code_language"` // of code: "Python"
	Kind         string `json:"kind"`          // of a field value: "read_only" or "fillable"

	Floating // of code
}

// Formatting is how a text looks. Script is "baseline", "sub" or "super".
type Formatting struct {
	Bold          bool   `json:"bold,always"`
	Italic        bool   `json:"italic,always"`
	Underline     bool   `json:"underline,always"`
	Strikethrough bool   `json:"strikethrough,always"`
	Script        string `json:"script"`
	Fields
}

// level is the level, with docling-core's default.
func (t *Text) level() int {
	if t.Level == 0 {
		return 1
	}
	return t.Level
}

// marker is the marker, with docling-core's default.
func (t *Text) marker() string {
	if t.Marker == "" && !t.has("marker") {
		return "-"
	}
	return t.Marker
}

// decoded keeps one string where docling wrote the same text twice, as it nearly always does.
func (t *Text) decoded(*decoder) error {
	if t.Orig == t.Text {
		t.Orig = t.Text
	}
	return nil
}

func (t *Text) decodeField(string, []byte) bool { return false }
