package docling_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// open reads a document of testdata. A program has the JSON from a conversion.
func open(name string) *docling.Document {
	raw, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		log.Fatal(err)
	}
	doc, err := docling.Parse(raw)
	if err != nil {
		log.Fatal(err)
	}
	return doc
}

// A document whose references are faulty can be read all the same.
func ExampleParse() {
	doc, err := docling.Parse([]byte(`{"schema_name": "DoclingDocument", "version": "1.10.0", "name": "note",
		"body": {"self_ref": "#/body", "children": [{"$ref": "#/texts/0"}, {"$ref": "#/texts/7"}]},
		"texts": [{"self_ref": "#/texts/0", "label": "title", "orig": "Hello", "text": "Hello"}]}`))
	if faulty, ok := errors.AsType[*docling.TreeError](err); ok {
		fmt.Println(faulty.Error())
	} else if err != nil {
		log.Fatal(err)
	}
	text, err := doc.Markdown(docling.MarkdownOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// docling: 1 references cannot be followed: "#/texts/7" of "#/body" points to nothing
	// # Hello
}

// Items come in reading order, with their depth.
func ExampleDocument_Items() {
	doc := open("deck_pptx")
	layers := []docling.Layer{docling.LayerBody, docling.LayerNotes}
	options := docling.ItemsOptions{Layers: layers, Groups: true, Page: 1}
	for item, depth := range doc.Items(options) {
		if item.Layer() == docling.LayerNotes || item.Label() == docling.LabelListItem {
			fmt.Printf("%d %s %s: %s\n", depth, item.Ref(), item.Label(), item.Text())
		}
	}
	// Output:
	// 3 #/texts/1 list_item: Point A of 1
	// 3 #/texts/2 list_item: Point B
	// 5 #/texts/3 list_item: Deeper
	// 2 #/texts/4 text: Say this on slide 1.
}

// A program that changes a document checks that its references can still be followed.
func ExampleDocument_Check() {
	doc := open("notes_md")
	doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: "#/body"})
	faulty, ok := errors.AsType[*docling.TreeError](doc.Check())
	fmt.Println(ok, faulty.Refs[0].Ref, faulty.Refs[0].Fault)
	// Output:
	// true #/body points to an item that is referenced twice, or in a circle
}

// A document that is changed and encoded keeps all that was not changed.
func ExampleDocument_MarshalJSON() {
	doc, err := docling.Parse([]byte(`{"name":"draft","new_field":[1,2],"origin":null}`))
	if err != nil {
		log.Fatal(err)
	}
	doc.Name = "final"
	raw, err := json.Marshal(doc)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(raw[:len(`{"name":"final","new_field":[1,2],"origin":null`)]))
	// Output:
	// {"name":"final","new_field":[1,2],"origin":null
}

func ExampleDocument_Outline() {
	for _, h := range open("report_pdf").Outline() {
		fmt.Printf("page %d: %s%s\n", h.Page, strings.Repeat("  ", h.Level-1), h.Text)
	}
	// Output:
	// page 1:   Annual Report
	// page 1:   Results
	// page 2:   Outlook
}

// Pages with a picture are those of a conversion that asked for page images.
func ExampleDocument_Pages() {
	for _, page := range open("report_pdf").Pages() {
		_, _, err := page.Image.Bytes()
		fmt.Println(page.PageNo, page.Size.Width, page.Size.Height, err)
	}
	// Output:
	// 1 612 792 docling: the document does not hold the bytes of the picture
	// 2 612 792 docling: the document does not hold the bytes of the picture
}

func ExampleDocument_Places() {
	for _, place := range open("book_xlsx").Places() {
		text, err := open("book_xlsx").Markdown(docling.MarkdownOptions{Page: place.Number, CompactTables: true})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(place.Kind, place.Number, place.Name, place.Hidden, len(text) > 0)
	}
	// Output:
	// sheet 1 Sales false true
	// sheet 2 Empty false false
	// sheet 3 Other data false true
	// sheet 4 Last empty false false
	// sheet 5 Hidden true false
}

func ExampleDocument_Notes() {
	for _, note := range open("deck_pptx").Notes() {
		fmt.Printf("slide %d: %s\n", note.Page, note.Text)
	}
	for _, note := range open("book_xlsx").Notes() {
		fmt.Printf("sheet %d: %s (on %s)\n", note.Page, note.Text, note.Targets[0].Item.Ref())
	}
	// Output:
	// slide 1: Say this on slide 1.
	// slide 2: Say this on slide 2.
	// sheet 1: [author: Ada]: Check this (on #/tables/0)
}

func ExampleDocument_KeyValues() {
	for _, kv := range open("by_hand").KeyValues() {
		fmt.Printf("%s: %s = %s\n", kv.Item.Label(), kv.Key, kv.Value)
	}
	// Output:
	// key_value_region: Name = Ada
	// form: Name = Ada
	// field_item: Born = 1815
}

func ExampleDocument_Markdown() {
	text, err := open("book_xlsx").Markdown(docling.MarkdownOptions{CompactTables: true, Page: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// | Merged | Merged | x_y |
	// | - | - | - |
	// | a | b | c |
}

func ExampleDocument_Text() {
	text, err := open("report_pdf").Text(docling.TextOptions{Page: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// Outlook
	//
	// The second page says what comes next.
}

// A chunk of docling names its items, so a citation can say where it stands.
func ExampleDocument_Resolve() {
	doc := open("report_pdf")
	items, err := doc.Resolve([]string{"#/texts/1", "#/texts/5"}) // the doc_items of a chunk
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range items {
		for _, box := range item.Provenance() {
			page := doc.PageByNumber[box.PageNo]
			b := box.BBox.ToTopLeft(page.Size.Height)
			fmt.Printf("%.40q: page %d, %.0f from the left, %.0f from the top\n", item.Text(), box.PageNo, b.L, b.T)
		}
	}
	// Output:
	// "First paragraph of the report, with R&D ": page 1, 72 from the left, 93 from the top
	// "The second page says what comes next.": page 2, 72 from the left, 93 from the top
}

func ExampleDocument_Item() {
	item, ok := open("page_html").Item("#/texts/0")
	fmt.Println(item.Label(), item.Layer(), ok)
	// Output:
	// title furniture true
}

func ExampleItem() {
	doc := open("by_hand")
	for item := range doc.Items(docling.ItemsOptions{Page: 1}) {
		parent, _ := item.Parent()
		if checked, ok := item.Checkbox(); ok {
			fmt.Println("checkbox", checked, item.Text(), "in", parent.Ref())
		}
		if link := item.Hyperlink(); link != "" {
			fmt.Println("link", link)
		}
		if item.Label() == docling.LabelCode {
			fmt.Println("code", item.CodeLanguage(), item.Caption(), item.Pages())
		}
		if level := item.Level(); level > 1 {
			fmt.Println("heading", level, item.Text())
		}
	}
	table, _ := doc.Item("#/tables/0")
	place, _ := table.Place()
	fmt.Println("table", table.Caption(), table.Footnotes(), place.Kind, place.Number)
	// Output:
	// heading 8 A very_deep heading
	// link https://example.com/(x)?a=1&amp;b=2
	// checkbox true ticked in #/body
	// checkbox false not ticked in #/body
	// code Python Listing 1 [1]
	// table A table_caption <1> A footnote page 2
}

func ExampleItem_Markdown() {
	doc := open("page_html")
	for item := range doc.Items(docling.ItemsOptions{}) {
		if item.Level() != 2 {
			continue
		}
		markdown, err := item.Markdown(docling.MarkdownOptions{})
		if err != nil {
			log.Fatal(err)
		}
		text, err := item.PlainText(docling.TextOptions{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(markdown, "|", text)
	}
	// Output:
	// ## Lists | Lists
	// ## Table &amp; figure | Table & figure
}

func ExampleTable_CSV() {
	table := open("page_html").Tables[0]
	fmt.Println("header:", table.HeaderRows(), "rows,", table.HeaderColumns(), "columns")
	if err := table.CSV(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// header: 2 rows, 0 columns
	// Name,Values,
	// ,first,second
	// a_b,1,2.50
	// c|d,1e3,
	// rich cell,p q,in side
}

// A cell that spans several columns stands in each of them.
func ExampleTable_Rows() {
	for i, row := range open("page_html").Tables[0].Rows()[:2] {
		for col, cell := range row {
			begins := cell.StartRow == i && cell.StartCol == col
			fmt.Printf("%s (%d×%d, begins here: %t)\n", cell.Text, cell.RowSpan, cell.ColSpan, begins)
		}
	}
	// Output:
	// Name (2×1, begins here: true)
	// Values (1×2, begins here: true)
	// Values (1×2, begins here: false)
	// Name (2×1, begins here: false)
	// first (1×1, begins here: true)
	// second (1×1, begins here: true)
}

func ExampleTable_Markdown() {
	text, err := open("data_csv").Tables[0].Markdown(true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// | id | name | price |
	// | - | - | - |
	// | 1 | a,b | 1_000 |
	// | 2 | c d | -2.5e3 |
	// | 3 | é&#124;x | +7 |
}

func ExamplePicture() {
	for _, picture := range open("by_hand").Pictures {
		data, mediaType, err := picture.Image.Bytes()
		fmt.Printf("%t %q %v %q %q\n", len(data) > 0, mediaType, err, picture.Classification(), picture.Description())
	}
	// Output:
	// true "image/png" <nil> "" ""
	// false "" docling: the document does not hold the bytes of the picture "pie_chart" "A red_box"
	// false "" docling: the document does not hold the bytes of the picture "" ""
}

func ExampleDocument_MarkdownPages() {
	pages, err := open("deck_pptx").MarkdownPages(docling.MarkdownOptions{CompactTables: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, page := range pages {
		title, _, _ := strings.Cut(page.Text, "\n")
		fmt.Printf("slide %d: %s\n", page.Page, title)
	}
	// Output:
	// slide 1: # Slide 1
	// slide 2: # Slide 2
	// slide 3: # Slide 3
}

// Pages are taken in the place of the service's Markdown only if they lose nothing of it.
func ExampleSameText() {
	pages := []docling.PageText{{Page: 1, Text: "# Report"}, {Page: 2, Text: "All is well."}}
	fmt.Println(docling.SameText(pages, "# Report\n\nAll is  well.\n"))
	fmt.Println(docling.SameText(pages, "# Report\n\nAll is well.\n\nOr nearly."))
	// Output:
	// true
	// false
}
