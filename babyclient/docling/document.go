package docling

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Document is a DoclingDocument. Its items stand in lists by their kind, and Body is the tree of
// them, by references.
type Document struct {
	SchemaName string  `json:"schema_name"` // "DoclingDocument"
	Version    string  `json:"version"`     // of the schema
	Name       string  `json:"name"`
	Origin     *Origin `json:"origin,omitzero"`
	Furniture  *Group  `json:"furniture,omitzero"` // the tree of headers and footers, in documents before 1.1.0
	Body       Group   `json:"body"`

	Groups        []Group       `json:"groups"`
	Texts         []Text        `json:"texts"`
	Pictures      []Picture     `json:"pictures"`
	Tables        []Table       `json:"tables"`
	KeyValueItems []KeyValues   `json:"key_value_items"`
	FormItems     []KeyValues   `json:"form_items"`
	FieldRegions  []Field       `json:"field_regions,omitzero"`
	FieldItems    []Field       `json:"field_items,omitzero"`
	PageByNumber  map[int]*Page `json:"pages"` // by number

	Fields
}

// Fields is part of every object of a document. It keeps what the object's type has no field for,
// so that a document that came from a newer docling, or from another program, loses nothing when it
// is encoded again.
type Fields struct {
	// Extra are the fields that the type has no name for, as they were written.
	Extra map[string]json.RawMessage `json:"-"`

	// shape says which fields the object had in JSON, and in which order. It is nil for an object
	// that a program made.
	shape *shape
}

// Origin is the file that the document was made of.
type Origin struct {
	MediaType string `json:"mimetype"`
	// BinaryHash is docling's hash of the file's bytes: a number of 64 bits without sign, or, in
	// old documents, a string of hexadecimal digits.
	BinaryHash json.RawMessage `json:"binary_hash"`
	Filename   string          `json:"filename"`
	URI        string          `json:"uri,omitzero"`
	Fields
}

// Page is a page, a slide or a sheet.
type Page struct {
	Size   Size   `json:"size"`
	Image  *Image `json:"image,omitzero"` // a picture of it, if one was asked for
	PageNo int    `json:"page_no"`
	Fields
}

// MarshalJSON encodes the document. Of a document that [Parse] read, and that was not changed, the
// result is JSON equal to what was read, with the names in the same order.
func (d *Document) MarshalJSON() ([]byte, error) { return marshal(d), nil }

// Pages are the pages, slides or sheets, by number. A format without pages, as DOCX and HTML, has
// none.
func (d *Document) Pages() []*Page {
	out := make([]*Page, 0, len(d.PageByNumber))
	for _, p := range d.PageByNumber {
		if p != nil {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *Page) int { return cmp.Compare(a.PageNo, b.PageNo) })
	return out
}
