package docling_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// FuzzDocument reads any bytes. What is read is encoded as it was, and its items and texts end.
func FuzzDocument(f *testing.F) {
	for _, raw := range documents(f) {
		f.Add(raw)
	}
	f.Add([]byte(odd))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := docling.Parse(raw)
		if doc == nil {
			if err == nil {
				t.Fatal("neither a document nor an error")
			}
			return
		}
		_, isTree := errors.AsType[*docling.TreeError](err)
		_, isVersion := errors.AsType[*docling.VersionError](err)
		if err != nil && !isTree && !isVersion {
			t.Fatalf("a document with the error %v", err)
		}
		again, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(t, again, raw); d != "" {
			t.Errorf("encoded otherwise than read: %s", d)
		}
		items := 2 + len(doc.Texts) + len(doc.Groups) + len(doc.Tables) + len(doc.Pictures) +
			len(doc.KeyValueItems) + len(doc.FormItems) + len(doc.FieldItems) + len(doc.FieldRegions)
		for item := range doc.Items(everything) {
			if items--; items < 0 {
				t.Fatal("more items than the document has")
			}
			item.Place()
		}
		for _, o := range []docling.MarkdownOptions{
			{}, {CompactTables: true, PictureText: true, PageBreak: "-"}, {Page: 1},
		} {
			if _, err := doc.Markdown(o); err != nil && !errors.Is(err, docling.ErrTooLarge) {
				t.Error(err)
			}
		}
		pages, err := doc.MarkdownPages(docling.MarkdownOptions{})
		if whole, wholeErr := doc.Markdown(docling.MarkdownOptions{}); err == nil && wholeErr == nil {
			var pieces strings.Builder
			for _, p := range pages {
				pieces.WriteString(p.Text)
			}
			if squeeze(pieces.String()) != squeeze(whole) {
				t.Errorf("the pieces are %q, the whole is %q", pieces.String(), whole)
			}
		}
		_, err = doc.Text(docling.TextOptions{Layers: docling.AllLayers})
		if err != nil && !errors.Is(err, docling.ErrTooLarge) {
			t.Error(err)
		}
		doc.Outline()
		doc.Places()
		doc.Notes()
		doc.KeyValues()
		for i := range doc.Tables {
			doc.Tables[i].HeaderColumns()
			if err := doc.Tables[i].CSV(discard{}); err != nil {
				t.Error(err)
			}
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
