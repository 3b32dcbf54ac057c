package docling_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// everything visits all items of a document.
var everything = docling.ItemsOptions{Layers: docling.AllLayers, Groups: true, Pictures: true}

func TestItemsComeInTheOrderAndDepthOfDoclingCore(t *testing.T) {
	for name, raw := range documents(t) {
		golden, err := os.ReadFile(name + ".want.json")
		if err != nil {
			t.Fatal(err)
		}
		var wanted struct{ Items orderedDepths }
		if err := json.Unmarshal(golden, &wanted); err != nil {
			t.Fatal(err)
		}
		doc := parse(t, raw)
		if slices.ContainsFunc(wanted.Items, func(s string) bool {
			_, ok := doc.Item(strings.Fields(s)[0])
			return !ok
		}) {
			continue // docling-core put list items into lists of its own
		}
		var got []string
		for item, depth := range doc.Items(everything) {
			if item.Ref() != "#/furniture" {
				got = append(got, fmt.Sprint(item.Ref(), " ", depth))
			}
		}
		if !slices.Equal(got, wanted.Items) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, wanted.Items)
		}
	}
}

// orderedDepths are references and depths, in the order of an object.
type orderedDepths []string

func (o *orderedDepths) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	_, err := d.Token()
	for err == nil && d.More() {
		var ref json.Token
		var value []any
		if ref, err = d.Token(); err == nil {
			err = d.Decode(&value)
			*o = append(*o, fmt.Sprint(ref, " ", value[0]))
		}
	}
	return err
}

func TestADeepDocumentNeitherOverflowsNorHangs(t *testing.T) {
	depth := 500_000
	if testing.Short() {
		depth = 10_000
	}
	doc := &docling.Document{Groups: make([]docling.Group, depth)}
	doc.Body.SelfRef = "#/body"
	doc.Body.Children = []docling.Ref{{Ref: "#/groups/0"}}
	for i := range doc.Groups {
		doc.Groups[i].SelfRef = fmt.Sprint("#/groups/", i)
		doc.Groups[i].Children = []docling.Ref{{Ref: fmt.Sprint("#/groups/", i+1)}}
	}
	tree, ok := errors.AsType[*docling.TreeError](doc.Check())
	if !ok || len(tree.Refs) != 1 || tree.Refs[0].Fault != docling.FaultTooDeep {
		t.Errorf("Check: %v", tree)
	}
	n := 0
	for range doc.Items(everything) {
		n++
	}
	if n != 501 {
		t.Errorf("%d items, want the root and 500 below it", n)
	}
	if _, err := doc.Markdown(docling.MarkdownOptions{}); err != nil {
		t.Errorf("Markdown: %v", err)
	}
	doc.Groups[depth-1].Children[0].Ref = "#/body" // a circle
	for i := range doc.Groups[:depth-1] {
		doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: doc.Groups[i].SelfRef})
	}
	if n := len(doc.Check().(*docling.TreeError).Refs); n == 0 { //nolint:errorlint // Check returns no other
		t.Error("no bad references")
	}
}

// A text that returns to a page is on it once.
func TestPagesAreEachNamedOnce(t *testing.T) {
	doc := &docling.Document{Texts: make([]docling.Text, 1)}
	for _, page := range []int{2, 3, 2} {
		doc.Texts[0].Prov = append(doc.Texts[0].Prov, docling.Provenance{PageNo: page})
	}
	item, ok := doc.Item("#/texts/0")
	if pages := item.Pages(); !ok || !slices.Equal(pages, []int{2, 3}) {
		t.Errorf("pages %v, want 2 and 3", pages)
	}
}

func TestNumbersBelow1AreNoPages(t *testing.T) {
	text := docling.Text{}
	text.SelfRef, text.Label = "#/texts/0", docling.LabelTitle
	text.Prov = []docling.Provenance{{PageNo: -1}, {PageNo: 0}, {PageNo: 2}}
	doc := docling.Document{Texts: []docling.Text{text}}
	doc.Body.SelfRef, doc.Body.Children = "#/body", []docling.Ref{{Ref: "#/texts/0"}}
	item, _ := doc.Item("#/texts/0")
	place, _ := item.Place()
	if pages := item.Pages(); !slices.Equal(pages, []int{2}) || place.Number != 2 || doc.Outline()[0].Page != 2 {
		t.Errorf("pages %v, place %v, in the outline %d; want 2", pages, place, doc.Outline()[0].Page)
	}
}

func TestPagesAreInOrder(t *testing.T) {
	doc := docling.Document{PageByNumber: map[int]*docling.Page{}}
	for _, number := range []int{math.MaxInt, math.MinInt, 1} {
		doc.PageByNumber[number] = &docling.Page{PageNo: number}
	}
	var got []int
	for _, p := range doc.Pages() {
		got = append(got, p.PageNo)
	}
	raw, err := doc.MarshalJSON()
	if !slices.IsSorted(got) || len(got) != 3 {
		t.Errorf("pages %v, want three in order", got)
	}
	if err != nil || !regexp.MustCompile(`"-\d+":.*"1":.*"\d+":`).Match(raw) {
		t.Errorf("encoded as %s, error %v, want the pages in order", raw, err)
	}
}

func TestItemsOptions(t *testing.T) {
	doc := read(t, "by_hand")
	count := func(o docling.ItemsOptions) (n int) {
		for range doc.Items(o) {
			n++
		}
		return n
	}
	all, body := count(everything), count(docling.ItemsOptions{})
	if notes := count(docling.ItemsOptions{Layers: []docling.Layer{docling.LayerNotes}}); notes != 2 {
		t.Errorf("%d items in the layer of notes, want a note and a comment", notes)
	}
	if n := count(docling.ItemsOptions{NoCaptions: true}); n != body-4 { // three captions, a footnote
		t.Errorf("%d items without captions, %d with", n, body)
	}
	if n := count(docling.ItemsOptions{Pictures: true}); n != body+1 {
		t.Errorf("%d items with pictures, %d without", n, body)
	}
	if all <= body {
		t.Errorf("%d items in all, %d in the body", all, body)
	}
	for item := range doc.Items(docling.ItemsOptions{Page: 2}) {
		if !slices.Contains(item.Pages(), 2) {
			t.Errorf("%s is not on page 2", item.Ref())
		}
	}
	for range doc.Items(everything) { // a loop may end early
		break
	}
}

func TestWhatAnItemSaysOfItself(t *testing.T) {
	doc := read(t, "page_html")
	var links, boxes, languages []string
	for item := range doc.Items(docling.ItemsOptions{}) {
		if link := item.Hyperlink(); link != "" {
			links = append(links, link)
		}
		if checked, ok := item.Checkbox(); ok {
			boxes = append(boxes, fmt.Sprint(item.Text(), checked))
		}
		if item.Label() == docling.LabelCode {
			languages = append(languages, item.CodeLanguage())
		}
	}
	if !slices.Contains(links, "https://example.com/a_b?x=1&y=(2)") {
		t.Errorf("links %q", links)
	}
	if len(boxes) != 2 || !strings.HasSuffix(boxes[0], "true") || !strings.HasSuffix(boxes[1], "false") {
		t.Errorf("checkboxes %q", boxes)
	}
	hand := read(t, "by_hand")
	code, _ := hand.Item("#/texts/9")
	if code.CodeLanguage() != "Python" || code.Caption() != "Listing 1" || len(languages) == 0 {
		t.Errorf("code in %q, captioned %q; %q", code.CodeLanguage(), code.Caption(), languages)
	}
	box := code.Provenance()[0]
	top := box.BBox.ToTopLeft(hand.PageByNumber[1].Size.Height)
	if box.BBox.Origin != docling.CoordBottomLeft || top.T != 100 || top.B != 120 {
		t.Errorf("box %+v, from the top %+v", box.BBox, top)
	}
	if parent, ok := code.Parent(); !ok || parent.Ref() != "#/body" {
		t.Errorf("parent %v", parent.Ref())
	}
}

func TestPlacesAreThoseOfTheFile(t *testing.T) {
	for name, want := range map[string]string{
		"report_pdf":  "page 1, page 2",
		"deck_pptx":   "slide 1, slide 2, slide 3, slide 4",
		"book_xlsx":   "sheet 1 Sales, sheet 2 Empty, sheet 3 Other data, sheet 4 Last empty, sheet 5 Hidden hidden",
		"letter_docx": "", "page_html": "", "mail_eml": "", "notes_md": "",
	} {
		doc := read(t, name)
		var got []string
		for _, p := range doc.Places() {
			text := fmt.Sprint(p.Kind, " ", p.Number)
			if p.Name != "" {
				text += " " + p.Name
			}
			if p.Hidden {
				text += " hidden"
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		for item := range doc.Items(everything) {
			place, ok := item.Place()
			if prov := item.Provenance(); len(prov) > 0 && (!ok || place.Number != prov[0].PageNo) {
				t.Errorf("%s: %s is on %v, and docling says page %d", name, item.Ref(), place, prov[0].PageNo)
			}
			if want == "" && ok {
				t.Errorf("%s: %s is on %v, in a format without pages", name, item.Ref(), place)
			}
		}
	}
	slide, _ := read(t, "deck_pptx").Item("#/groups/9")
	if place, ok := slide.Place(); !ok || place.Number != 4 {
		t.Errorf("an empty slide is on %v", place)
	}
	sheet, _ := read(t, "book_xlsx").Item("#/groups/2")
	if place, ok := sheet.Place(); !ok || place.Name != "Empty" || place.Number != 2 {
		t.Errorf("an empty sheet is on %v", place)
	}
}

func TestEachSlideHasItsOwnText(t *testing.T) {
	doc := read(t, "deck_pptx")
	for _, p := range doc.Places() {
		text, err := doc.Markdown(docling.MarkdownOptions{Page: p.Number})
		if err != nil {
			t.Fatal(err)
		}
		title, isEmpty := fmt.Sprint("# Slide ", p.Number), p.Number == 4
		if isEmpty && text != "" || !isEmpty && !strings.HasPrefix(text, title) {
			t.Errorf("slide %d: %s", p.Number, text)
		}
	}
}

func TestNotesAndComments(t *testing.T) {
	for name, want := range map[string][]string{
		"deck_pptx":   {"1 Say this on slide 1. false", "2 Say this on slide 2. false"},
		"book_xlsx":   {"1 [author: Ada]: Check this true #/tables/0"},
		"letter_docx": {"0 [author: Ada, true #/texts/2 #/texts/3 #/texts/4 #/texts/5 #/texts/6"},
		"by_hand":     {"3 a comment true #/texts/", "3 a note false"},
	} {
		var got []string
		for _, n := range read(t, name).Notes() {
			text, _, _ := strings.Cut(n.Text, " time:")
			line := fmt.Sprint(n.Page, " ", text, " ", n.Comment)
			for _, target := range n.Targets {
				line += " " + target.Item.Ref()
			}
			got = append(got, line)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q, want %q", name, got, want)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: %q, want %q", name, got[i], want[i])
			}
		}
	}
}

// docling links a comment to no cell if it finds none there, as on a hidden sheet. Then the name of
// the group says the sheet, which can have a dash in its name, or be called like a slide.
func TestCommentsAreOnTheSheetOfTheirName(t *testing.T) {
	for name, want := range map[string]int{
		"comment-Hid-A1": 2, "comment-slide1-B2": 1, "comment-a-b-A1": 3, "comment-b-A1": 0, "comment-Hid": 0,
	} {
		doc := docling.Document{PageByNumber: map[int]*docling.Page{}}
		group := func(label docling.Label, name string) {
			ref := fmt.Sprint("#/groups/", len(doc.Groups))
			doc.Groups = append(doc.Groups, docling.Group{Node: docling.Node{SelfRef: ref, Label: label}, Name: name})
			doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: ref})
		}
		for i, sheet := range []string{"slide1", "Hid", "a-b"} {
			group(docling.LabelSheet, sheet)
			doc.PageByNumber[i+1] = &docling.Page{PageNo: i + 1}
		}
		group(docling.LabelCommentSection, name)
		comments := &doc.Groups[3]
		comments.Layer, comments.Children = docling.LayerNotes, []docling.Ref{{Ref: "#/texts/0"}}
		text := docling.Text{Text: "a comment"}
		text.SelfRef, text.Layer = "#/texts/0", docling.LayerNotes
		doc.Texts = append(doc.Texts, text)
		notes := doc.Notes()
		if len(notes) != 1 || notes[0].Page != want || !notes[0].Comment {
			t.Errorf("%s: %+v, want a comment on sheet %d", name, notes, want)
		}
		item, _ := doc.Item("#/groups/3")
		if place, ok := item.Place(); place.Number != want || ok != (want > 0) {
			t.Errorf("%s is on %+v, want sheet %d", name, place, want)
		}
	}
}

func TestKeyValues(t *testing.T) {
	var got []string
	for _, kv := range read(t, "by_hand").KeyValues() {
		got = append(got, kv.Item.Ref()+" "+kv.Key+"="+kv.Value)
	}
	want := []string{"#/key_value_items/0 Name=Ada", "#/form_items/0 Name=Ada", "#/field_items/0 Born=1815"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOutline(t *testing.T) {
	var got []string
	for _, h := range read(t, "page_html").Outline() {
		got = append(got, fmt.Sprint(h.Level, " ", h.Text))
	}
	want := []string{"1 Main heading", "2 Lists", "2 Table & figure"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	headings := read(t, "report_pdf").Outline()
	if n := len(headings); n != 3 || headings[n-1].Text != "Outlook" || headings[n-1].Page != 2 {
		t.Errorf("outline of the PDF: %+v", headings)
	}
}

// docling-core refuses levels below 1 and above 100. Programs indent by them.
func TestLevelsAreThoseOfDoclingCore(t *testing.T) {
	for level, want := range map[int]int{-5: 2, 0: 2, 1: 2, 100: 101, 1 << 40: 101} {
		doc := parse(t, fmt.Appendf(nil, `{"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/0"}]},
			"texts":[{"self_ref":"#/texts/0","label":"section_header","level":%d,"text":"a"}]}`, level))
		if outline := doc.Outline(); len(outline) != 1 || outline[0].Level != want {
			t.Errorf("level %d: outline %+v, want one heading of level %d", level, outline, want)
		}
	}
}

func TestTablesAsCSV(t *testing.T) {
	for ref, want := range map[string]string{
		"by_hand #/tables/0":   "Group,Values | all,\n,one,two\n\" spaced \",True,\"1,234.5\"\n,False,١٢\n",
		"page_html #/tables/0": "Name,Values,\n,first,second\na_b,1,2.50\nc|d,1e3,\nrich cell,p q,in side\n",
		"data_csv #/tables/0":  "id,name,price\n1,\"a,b\",1_000\n2,\"c\nd\",-2.5e3\n3,é|x,+7\n",
	} {
		name, ref, _ := strings.Cut(ref, " ")
		item, _ := read(t, name).Item(ref)
		table, ok := item.Value.(*docling.Table)
		if !ok {
			t.Fatalf("%s has no %s", name, ref)
		}
		var out strings.Builder
		if err := table.CSV(&out); err != nil || out.String() != want {
			t.Errorf("%s %s: %v\n%q\nwant\n%q", name, ref, err, out.String(), want)
		}
	}
}

// What CSV writes, a reader of CSV reads: each row, and each text once.
func TestCSVKeepsEachRowAndText(t *testing.T) {
	cell := func(row, endRow, col, endCol int, text string) docling.Cell {
		return docling.Cell{StartRow: row, EndRow: endRow, StartCol: col, EndCol: endCol, Text: text}
	}
	for name, test := range map[string]struct {
		data docling.TableData
		want string
	}{
		"empty rows of one column": {docling.TableData{NumRows: 4, NumCols: 1, Cells: []docling.Cell{
			cell(0, 1, 0, 1, "h"), cell(2, 3, 0, 1, "v")}}, "h\n\"\"\nv\n\"\"\n"},
		"a cell that begins before the table": {docling.TableData{NumRows: 2, NumCols: 2, Cells: []docling.Cell{
			cell(-1, 1, -2, 1, "a"), cell(1, 2, 0, 2, "b")}}, "a,\nb,\n"},
		"a cell that lies under the beginning of another": {docling.TableData{NumRows: 2, NumCols: 2,
			Cells: []docling.Cell{cell(0, 2, 0, 2, "a"), cell(0, 1, 0, 1, "b")}}, "b,a\n,\n"},
	} {
		table := docling.Table{Data: test.data}
		var out strings.Builder
		err := table.CSV(&out)
		if err != nil || out.String() != test.want {
			t.Errorf("%s: CSV %q, error %v; want %q", name, out.String(), err, test.want)
		}
		records, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || len(records) != test.data.NumRows {
			t.Errorf("%s: a reader finds %q, error %v; want %d rows", name, records, err, test.data.NumRows)
		}
	}
}

// A program can make a table that Parse would refuse. It is no reason to take all memory.
func TestTablesBeyondTheLimits(t *testing.T) {
	whole := docling.Cell{EndRow: 1000, EndCol: 1000}
	for name, data := range map[string]docling.TableData{
		"2^40 rows and columns": {NumRows: 1 << 40, NumCols: 1 << 40},
		"2^40 rows":             {NumRows: 1 << 40, NumCols: 1},
		"a million and one":     {NumRows: 1, NumCols: 1_000_001},
		"cells over each other": {NumRows: 1000, NumCols: 1000, Cells: slices.Repeat([]docling.Cell{whole}, 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			doc := docling.Document{Tables: []docling.Table{{Data: data}}}
			doc.Body.SelfRef, doc.Body.Children = "#/body", []docling.Ref{{Ref: "#/tables/0"}}
			table := &doc.Tables[0]
			table.SelfRef, table.Label = "#/tables/0", docling.LabelTable
			if _, err := table.Markdown(true); !errors.Is(err, docling.ErrTooLarge) {
				t.Errorf("the table's Markdown: error %v, want ErrTooLarge", err)
			}
			if _, err := doc.Markdown(docling.MarkdownOptions{}); !errors.Is(err, docling.ErrTooLarge) {
				t.Errorf("the document's Markdown: error %v, want ErrTooLarge", err)
			}
			if err := table.CSV(io.Discard); !errors.Is(err, docling.ErrTooLarge) {
				t.Errorf("CSV: error %v, want ErrTooLarge", err)
			}
			if rows := table.Rows(); rows != nil || table.HeaderRows() != 0 || table.HeaderColumns() != 0 {
				t.Errorf("%d rows, %d and %d headers, want none", len(rows), table.HeaderRows(), table.HeaderColumns())
			}
			table.Data.Cells = nil
			if raw, err := doc.MarshalJSON(); err != nil || len(raw) > 1000 {
				t.Errorf("encoded in %d bytes, error %v, want less than 1000", len(raw), err)
			}
		})
	}
	// The shape of a table that Parse read has the grid, which is made again.
	doc, err := docling.Parse([]byte(`{"tables":[{"data":{"num_rows":0,"num_cols":0,"grid":[]}}]}`))
	if doc == nil {
		t.Fatal(err)
	}
	doc.Tables[0].Data.NumRows, doc.Tables[0].Data.NumCols = 1<<40, 1<<40
	if raw, err := doc.MarshalJSON(); err != nil || !strings.Contains(string(raw), `"grid":[]`) {
		t.Errorf("encoded as %s, error %v, want an empty grid", raw, err)
	}
}

func TestRowsRepeatCellsThatSpan(t *testing.T) {
	table := &read(t, "by_hand").Tables[0]
	rows := table.Rows()
	if rows[0][0] != rows[1][0] || rows[0][1] != rows[0][2] || rows[0][0] == rows[0][1] {
		t.Error("a cell that spans is not the same in each place")
	}
	if blank := rows[3][0]; blank.Text != "" || blank.StartRow != 3 || blank.ColSpan != 1 {
		t.Errorf("where no cell is: %+v", blank)
	}
	if rows, cols := table.HeaderRows(), table.HeaderColumns(); rows != 2 || cols != 0 {
		t.Errorf("%d header rows, %d header columns", rows, cols)
	}
}

func TestPictures(t *testing.T) {
	doc := read(t, "by_hand")
	data, mediaType, err := doc.Pictures[0].Image.Bytes()
	if err != nil || mediaType != "image/png" || !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Errorf("%d bytes of %s, %v", len(data), mediaType, err)
	}
	for i := range doc.Pictures[1:] {
		if _, _, err := doc.Pictures[1+i].Image.Bytes(); !errors.Is(err, docling.ErrNoBytes) {
			t.Errorf("picture %d: error %v", 1+i, err)
		}
	}
	if p := &doc.Pictures[1]; p.Classification() != "pie_chart" || p.Description() != "A red_box" {
		t.Errorf("%q, %q", p.Classification(), p.Description())
	}
	item, _ := doc.Item("#/pictures/0")
	if got := item.Caption(); got != "Figure_1" {
		t.Errorf("caption %q", got)
	}
	plain := &docling.Image{URI: "data:,a%20b", MediaType: "text/plain"}
	if got, _, err := plain.Bytes(); err != nil || string(got) != "a b" {
		t.Errorf("a data URI without base64: %q, %v", got, err)
	}
}

func TestResolve(t *testing.T) {
	doc := read(t, "report_pdf")
	items, err := doc.Resolve([]string{"#/texts/1", "/texts/0"})
	if err != nil || len(items) != 2 || items[0].Ref() != "#/texts/1" || len(items[0].Provenance()) == 0 {
		t.Errorf("%v, %v", items, err)
	}
	items, err = doc.Resolve([]string{"#/texts/1", "#/texts/99", "x"})
	if err == nil || len(items) != 1 || !strings.Contains(err.Error(), `"#/texts/99" "x"`) {
		t.Errorf("%v, %v", items, err)
	}
}

func TestTextsOfHostileDocumentsAreBounded(t *testing.T) {
	cell := docling.Cell{EndRow: 1000, EndCol: 1000, Text: strings.Repeat("x", 10_000)}
	table := docling.Table{Data: docling.TableData{NumRows: 1000, NumCols: 1000, Cells: []docling.Cell{cell}}}
	for _, compact := range []bool{false, true} {
		if _, err := table.Markdown(compact); !errors.Is(err, docling.ErrTooLarge) {
			t.Errorf("10 GB of Markdown: %v", err)
		}
	}
	wide := docling.Table{Data: docling.TableData{NumRows: 1_000_000, NumCols: 1, Cells: []docling.Cell{
		{EndRow: 1, EndCol: 1, Text: strings.Repeat("x", 100_000)},
	}}}
	if _, err := wide.Markdown(false); !errors.Is(err, docling.ErrTooLarge) {
		t.Errorf("100 GB of blanks: %v", err)
	}
	// Each listing is the caption of two others.
	doc := &docling.Document{}
	doc.Body.SelfRef = "#/body"
	for i := range 200 {
		text := docling.Text{Text: "x"}
		text.SelfRef = fmt.Sprint("#/texts/", i)
		text.Label = docling.LabelCode
		next := docling.Ref{Ref: fmt.Sprint("#/texts/", (i+1)%200)}
		text.Captions = []docling.Ref{next, next}
		if i%2 == 1 {
			text.Children = []docling.Ref{
				{Ref: fmt.Sprint("#/texts/", (i+3)%200)}, {Ref: fmt.Sprint("#/texts/", (i+5)%200)},
			}
		} else {
			doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: text.SelfRef})
		}
		doc.Texts = append(doc.Texts, text)
	}
	_, _ = doc.Markdown(docling.MarkdownOptions{}) // ends
}
