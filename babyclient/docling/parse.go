package docling

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
)

// supportedMinor is the minor version of the newest schema that this package knows, 1.10.0.
const supportedMinor = 10

// Parse reads a document, as docling-serve's json_content and docling-core's export_to_dict write
// it. It accepts the versions of the schema that docling-core 2.104 accepts: 1.0 to 1.10. It
// refuses text that is no JSON, values of another kind than the schema's, two fields of one name,
// and tables beyond docling-core's limits (1,000,000 cells, 5,000,000 in all).
//
// Two errors come together with the document, which can be read all the same: a [*TreeError] if
// some references cannot be followed, which says what cannot be reached, and a [*VersionError] if
// the schema is a newer 1.x than this package knows, in which a text may stand where it does not
// look.
func Parse(raw []byte) (*Document, error) {
	if !json.Valid(raw) {
		var v any
		return nil, fmt.Errorf("docling: %w", json.Unmarshal(raw, &v))
	}
	d := newDecoder(raw)
	if d.peek() != '{' {
		return nil, errors.New("docling: the document is no JSON object")
	}
	doc := &Document{}
	if err := d.decode(reflect.ValueOf(doc).Elem()); err != nil {
		return nil, err
	}
	newer, err := doc.checkVersion()
	if err != nil {
		return nil, err
	}
	doc.prepare()
	err = doc.Check()
	if newer {
		err = errors.Join(&VersionError{doc.Version}, err)
	}
	return doc, err
}

// prepare sets what follows from the fields that were decoded.
func (d *Document) prepare() {
	for i := range d.Texts {
		t := &d.Texts[i]
		isMargin := t.Label == LabelPageHeader || t.Label == LabelPageFooter
		t.furniture = isMargin && d.Version == "1.0.0"
		if t.Orig == t.Text { // as docling nearly always writes it
			t.Orig = t.Text // let both share the memory of one string
		}
	}
	for i := range d.Tables {
		d.Tables[i].document = d
	}
}

// VersionError is the error for a document of a newer schema than this package knows. docling-core
// refuses such a document.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("docling: schema version %s is newer than 1.%d, the newest that this package knows: "+
		"what it does not know stands in Extra alone", e.Version, supportedMinor)
}

// versionPattern is that of semantic versions, as docling-core checks it.
var versionPattern = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?` +
	`(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)

// checkVersion fails for what is no DoclingDocument of schema 1. newer tells whether it is a later
// 1.x than this package knows.
func (d *Document) checkVersion() (newer bool, err error) {
	if d.has("schema_name") && d.SchemaName != "DoclingDocument" {
		return false, fmt.Errorf("docling: schema %q is no DoclingDocument", d.SchemaName)
	}
	if !d.has("version") { // docling-core takes it for the newest
		return false, nil
	}
	m := versionPattern.FindStringSubmatch(d.Version)
	if m == nil {
		return false, fmt.Errorf("docling: version %q is no version", d.Version)
	}
	minor, err := strconv.Atoi(m[2])
	if err != nil || m[1] != "1" {
		return false, fmt.Errorf("docling: schema version %s: this package reads 1.0 to 1.%d",
			d.Version, supportedMinor)
	}
	return minor > supportedMinor, nil
}
