package docling

import "encoding/json"

// Document is a DoclingDocument. Its items stand in lists by their kind, and Body is the tree of
// them, by references.
type Document struct {
	SchemaName string  `json:"schema_name,always"` // "DoclingDocument"
	Version    string  `json:"version,always"`     // of the schema
	Name       string  `json:"name,always"`
	Origin     *Origin `json:"origin"`
	Furniture  *Group  `json:"furniture"` // the tree of headers and footers, in documents before 1.1.0
	Body       Group   `json:"body,always"`

	Groups        []Group       `json:"groups,always"`
	Texts         []Text        `json:"texts,always"`
	Pictures      []Picture     `json:"pictures,always"`
	Tables        []Table       `json:"tables,always"`
	KeyValueItems []KeyValues   `json:"key_value_items,always"`
	FormItems     []KeyValues   `json:"form_items,always"`
	FieldRegions  []Field       `json:"field_regions"`
	FieldItems    []Field       `json:"field_items"`
	PageItems     map[int]*Page `json:"pages,always"` // by number

	Fields
}

// Origin is the file that the document was made of.
type Origin struct {
	MediaType string `json:"mimetype,always"`
	// BinaryHash is docling's hash of the file's bytes: a number of 64 bits without sign, or, in
	// old documents, a string of hexadecimal digits.
	BinaryHash json.RawMessage `json:"binary_hash,always"`
	Filename   string          `json:"filename,always"`
	URI        string          `json:"uri"`
	Fields
}

// Page is a page, a slide or a sheet.
type Page struct {
	Size   Size   `json:"size,always"`
	Image  *Image `json:"image"` // a picture of it, if one was asked for
	PageNo int    `json:"page_no,always"`
	Fields
}

// MarshalJSON encodes the document. Of a document that [Parse] read, and that was not changed, the
// result is JSON equal to what was read, with the names in the same order.
func (d *Document) MarshalJSON() ([]byte, error) { return marshal(d), nil }
