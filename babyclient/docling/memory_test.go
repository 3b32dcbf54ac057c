package docling_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// bigTable is the JSON of a document with one table, as docling-serve writes it: with all fields of
// each cell, and each cell twice.
func bigTable(rows, cols int) []byte {
	var cells, grid bytes.Buffer
	for r := range rows {
		grid.WriteByte('[')
		for c := range cols {
			cell := fmt.Sprintf(`{"bbox":null,"row_span":1,"col_span":1,`+
				`"start_row_offset_idx":%d,"end_row_offset_idx":%d,"start_col_offset_idx":%d,`+
				`"end_col_offset_idx":%d,"text":"cell %d of %d","column_header":%t,"row_header":false,`+
				`"row_section":false,"fillable":false}`, r, r+1, c, c+1, c, r, r == 0)
			cells.WriteString(cell)
			grid.WriteString(cell)
			if c+1 < cols {
				cells.WriteByte(',')
				grid.WriteByte(',')
			}
		}
		grid.WriteByte(']')
		if r+1 < rows {
			cells.WriteByte(',')
			grid.WriteByte(',')
		}
	}
	return fmt.Appendf(nil, `{"schema_name":"DoclingDocument","version":"1.10.0","name":"big","origin":null,`+
		`"furniture":{"self_ref":"#/furniture","parent":null,"children":[],"content_layer":"furniture","meta":null,`+
		`"name":"_root_","label":"unspecified"},"body":{"self_ref":"#/body","parent":null,`+
		`"children":[{"$ref":"#/tables/0"}],`+
		`"content_layer":"body","meta":null,"name":"_root_","label":"unspecified"},"groups":[],"texts":[],`+
		`"pictures":[],`+
		`"tables":[{"self_ref":"#/tables/0","parent":{"$ref":"#/body"},"children":[],"content_layer":"body",`+
		`"meta":null,"label":"table","prov":[],"captions":[],"references":[],"footnotes":[],"image":null,`+
		`"data":{"table_cells":[%s],`+
		`"num_rows":%d,"num_cols":%d,"orientation":"rot_0","grid":[%s]},"annotations":[]}],"key_value_items":[],`+
		`"form_items":[],"pages":{}}`, cells.Bytes(), rows, cols, grid.Bytes())
}

// held is how much memory the result of f holds, and how much f allocates to make it.
func held(f func() any) (live, allocated uint64) {
	var before, after, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v := f()
	runtime.ReadMemStats(&end)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(v)
	return after.HeapAlloc - before.HeapAlloc, end.TotalAlloc - before.TotalAlloc
}

func TestATableHoldsHalfOfTheMemoryOfAMap(t *testing.T) {
	if testing.Short() {
		t.Skip("28 MB of JSON")
	}
	raw := bigTable(6_000, 10) // BenchmarkTable300000 has the same ratio
	ofMap, allocatedByMap := held(func() any {
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		return v
	})
	ofDocument, allocated := held(func() any { return parse(t, raw) })
	t.Logf("%d MB of JSON: the document holds %d MB and allocates %d MB, the map holds %d MB and allocates %d MB",
		len(raw)>>20, ofDocument>>20, allocated>>20, ofMap>>20, allocatedByMap>>20)
	if ofDocument > ofMap/4 {
		t.Errorf("the document holds %d bytes, the map %d", ofDocument, ofMap)
	}
	if allocated > allocatedByMap/2 {
		t.Errorf("the document allocates %d bytes, the map %d", allocated, allocatedByMap)
	}
	doc := parse(t, raw)
	if n := len(doc.Tables[0].Data.Cells); n != 60_000 {
		t.Errorf("%d cells", n)
	}
	again, err := doc.MarshalJSON()
	if err != nil || !bytes.Equal(again, raw) {
		t.Errorf("not encoded as it was read: %d bytes of %d, %v", len(again), len(raw), err)
	}
}

func BenchmarkTable300000(b *testing.B) {
	raw := bigTable(30_000, 10)
	benchmarkParse(b, raw)
}

func TestADocumentOfEmptyObjectsIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("25 MB of JSON")
	}
	for name, raw := range map[string]string{
		"texts":  `{"texts":[` + strings.Repeat(`{},`, 1<<20) + `{}]}`,
		"fields": `{"x0":1` + manyFields(2<<20) + `}`,
		"pages":  `{"pages":{"0":{}` + strings.ReplaceAll(manyFields(2<<20), ":1", ":{}") + `}}`,
	} {
		if name == "pages" {
			raw = strings.ReplaceAll(raw, `"x`, `"`)
		}
		_, allocated := held(func() any {
			doc, err := docling.Parse([]byte(raw))
			if err == nil || !strings.Contains(err.Error(), "too much memory") {
				t.Errorf("%s: error %v", name, err)
			}
			return doc
		})
		t.Logf("%s: %d MB of JSON, %d MB allocated", name, len(raw)>>20, allocated>>20)
		if allocated > 600<<20 {
			t.Errorf("%s: %d bytes allocated for %d", name, allocated, len(raw))
		}
	}
}

// manyFields are fields of an object, each with a name of its own.
func manyFields(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `,"x%d":1`, i+1)
	}
	return out.String()
}

// BenchmarkDocument7MB reads a document of about 7 MB as docling makes them: texts with their runs,
// links and formats, and few tables. DOCLING_BENCHMARK names another one.
func BenchmarkDocument7MB(b *testing.B) {
	raw, err := os.ReadFile(os.Getenv("DOCLING_BENCHMARK"))
	if err != nil {
		raw = repeated(b, "page_html", 7<<20)
	}
	benchmarkParse(b, raw)
	b.Run("markdown", func(b *testing.B) {
		doc := parse(b, raw)
		for b.Loop() {
			if _, err := doc.Markdown(docling.MarkdownOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("items", func(b *testing.B) {
		doc := parse(b, raw)
		for b.Loop() {
			n := 0
			for range doc.Items(docling.ItemsOptions{}) {
				n++
			}
		}
	})
	b.Run("marshal", func(b *testing.B) {
		doc := parse(b, raw)
		for b.Loop() {
			if _, err := doc.MarshalJSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// repeated is a document with the texts of another so often that its JSON has about that size.
func repeated(b *testing.B, name string, size int) []byte {
	doc := read(b, name)
	texts := doc.Texts
	raw, err := json.Marshal(texts)
	if err != nil {
		b.Fatal(err)
	}
	for range size / len(raw) {
		for _, text := range texts {
			text.SelfRef = fmt.Sprint("#/texts/", len(doc.Texts))
			text.Parent, text.Children = &docling.Ref{Ref: "#/body"}, []docling.Ref{}
			doc.Texts = append(doc.Texts, text)
			doc.Body.Children = append(doc.Body.Children, docling.Ref{Ref: text.SelfRef})
		}
	}
	if raw, err = doc.MarshalJSON(); err != nil {
		b.Fatal(err)
	}
	return raw
}

// benchmarkParse compares Parse with encoding/json into a map and into structs that name only what
// a program that wants texts and cells needs.
func benchmarkParse(b *testing.B, raw []byte) {
	b.Run("docling", func(b *testing.B) {
		benchmarkOf(b, raw, func() any { return parse(b, raw) })
	})
	b.Run("map", func(b *testing.B) {
		benchmarkOf(b, raw, func() any {
			var v map[string]any
			if err := json.Unmarshal(raw, &v); err != nil {
				b.Fatal(err)
			}
			return v
		})
	})
	b.Run("structs", func(b *testing.B) {
		benchmarkOf(b, raw, func() any {
			var v minimal
			if err := json.Unmarshal(raw, &v); err != nil {
				b.Fatal(err)
			}
			return v
		})
	})
}

func benchmarkOf(b *testing.B, raw []byte, f func() any) {
	live, _ := held(f)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(live)/(1<<20), "MB-held")
}

// minimal is what a program would write for itself.
type minimal struct {
	Texts []struct {
		SelfRef string `json:"self_ref"`
		Label   string `json:"label"`
		Text    string `json:"text"`
		Prov    []struct {
			PageNo int                          `json:"page_no"`
			BBox   struct{ L, T, R, B float64 } `json:"bbox"`
		} `json:"prov"`
	} `json:"texts"`
	Tables []struct {
		Data struct {
			Cells []struct {
				Row  int    `json:"start_row_offset_idx"`
				Col  int    `json:"start_col_offset_idx"`
				Text string `json:"text"`
			} `json:"table_cells"`
		} `json:"data"`
	} `json:"tables"`
}
