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
// If the document is well formed but its references are not, Parse returns the document and a
// [*TreeError]: what can be reached can be read, and the error says what cannot.
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
	if err := doc.checkVersion(); err != nil {
		return nil, err
	}
	if doc.Version == "1.0.0" {
		for i := range doc.Texts {
			label := doc.Texts[i].Label
			doc.Texts[i].furniture = label == LabelPageHeader || label == LabelPageFooter
		}
	}
	for i := range doc.Texts { // one string where docling wrote the same twice, as it nearly always does
		if t := &doc.Texts[i]; t.Orig == t.Text {
			t.Orig = t.Text
		}
	}
	for i := range doc.Tables {
		doc.Tables[i].document = doc
	}
	return doc, doc.Check()
}

// versionPattern is that of semantic versions, as docling-core checks it.
var versionPattern = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?` +
	`(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)

func (d *Document) checkVersion() error {
	if d.has("schema_name") && d.SchemaName != "DoclingDocument" {
		return fmt.Errorf("docling: schema %q is no DoclingDocument", d.SchemaName)
	}
	if !d.has("version") { // docling-core takes it for the newest
		return nil
	}
	m := versionPattern.FindStringSubmatch(d.Version)
	if m == nil {
		return fmt.Errorf("docling: version %q is no version", d.Version)
	}
	if minor, err := strconv.Atoi(m[2]); err != nil || m[1] != "1" || minor > supportedMinor {
		return fmt.Errorf("docling: schema version %s: this package reads 1.0 to 1.%d", d.Version, supportedMinor)
	}
	return nil
}
