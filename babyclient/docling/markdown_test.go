package docling_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// wanted is what docling-core writes of a document, see testdata/golden.py.
type wanted struct {
	Whole     map[string]*string
	Pages     map[string]string
	TextPages map[string]string          `json:"text pages"`
	Items     map[string]json.RawMessage // the depth, and the Markdown
	Headers   map[string]int
}

// TestTextsAreThoseOfDoclingCore compares each text with docling-core's, byte for byte.
func TestTextsAreThoseOfDoclingCore(t *testing.T) {
	texts := 0
	compare := func(t *testing.T, of string, want string, write func() (string, error)) {
		t.Helper()
		texts++
		if got, err := write(); err != nil || got != want {
			t.Errorf("%s: %v\n--- got\n%s\n--- want\n%s", of, err, got, want)
		}
	}
	for name, raw := range documents(t) {
		t.Run(name, func(t *testing.T) {
			var want wanted
			golden, err := os.ReadFile(name + ".want.json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(golden, &want); err != nil {
				t.Fatal(err)
			}
			doc := parse(t, raw)
			for of, text := range want.Whole {
				if text != nil {
					compare(t, of, *text, func() (string, error) { return whole(t, doc, of) })
				}
			}
			for page, text := range want.Pages {
				number, _ := strconv.Atoi(page)
				compare(t, "page "+page, text, func() (string, error) {
					return doc.Markdown(docling.MarkdownOptions{Page: number})
				})
				compare(t, "text of page "+page, want.TextPages[page], func() (string, error) {
					return doc.Text(docling.TextOptions{Page: number})
				})
			}
			for ref, raw := range want.Items {
				var text string
				depth := 0
				if err := json.Unmarshal(raw, &[]any{&depth, &text}); err != nil {
					t.Fatal(err)
				}
				item, ok := doc.Item(ref)
				if !ok && len(doc.Groups) > groupNumber(ref) {
					t.Errorf("no item %s", ref)
				}
				if ok && depth > 0 { // docling-core adds groups of its own to a document that it reads
					compare(t, ref, text, func() (string, error) {
						return item.Markdown(docling.MarkdownOptions{})
					})
				}
			}
			for i := range doc.Tables {
				table := &doc.Tables[i]
				if got, want := table.HeaderRows(), want.Headers[table.SelfRef]; got != want {
					t.Errorf("%s has %d header rows, want %d", table.SelfRef, got, want)
				}
			}
		})
	}
	t.Logf("%d texts of %d documents compared", texts, len(documents(t)))
}

// groupNumber is the number of a reference to a group, -1 for another.
func groupNumber(ref string) int {
	if number, ok := strings.CutPrefix(ref, "#/groups/"); ok {
		n, _ := strconv.Atoi(number)
		return n
	}
	return -1
}

// whole writes a document with the parameters that golden.py calls so.
func whole(t *testing.T, doc *docling.Document, parameters string) (string, error) {
	switch parameters {
	case "markdown":
		return doc.Markdown(docling.MarkdownOptions{})
	case "text":
		return doc.Text(docling.TextOptions{})
	case "compact":
		return doc.Markdown(docling.MarkdownOptions{CompactTables: true})
	case "break":
		return doc.Markdown(docling.MarkdownOptions{PageBreak: "<!-- page break -->"})
	case "text break":
		return doc.Text(docling.TextOptions{PageBreak: "~~~"})
	case "embedded":
		return doc.Markdown(docling.MarkdownOptions{Images: docling.ImageEmbedded})
	case "referenced":
		return doc.Markdown(docling.MarkdownOptions{Images: docling.ImageReferenced})
	case "placeholder":
		return doc.Markdown(docling.MarkdownOptions{ImagePlaceholder: "[image]"})
	case "pictures":
		return doc.Markdown(docling.MarkdownOptions{PictureText: true})
	case "text pictures":
		return doc.Text(docling.TextOptions{PictureText: true})
	case "layers":
		return doc.Markdown(docling.MarkdownOptions{Layers: docling.AllLayers})
	case "text layers":
		return doc.Text(docling.TextOptions{Layers: docling.AllLayers})
	}
	t.Fatalf("no parameters %q", parameters)
	return "", nil
}
