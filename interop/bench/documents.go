package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

// The ways to read docling's JSON.
const (
	ourDocument   = "docling.Parse"
	anyMap        = "map[string]any"
	structsByHand = "structs by hand"
)

// documentReaders read a document, and return what counts the bytes of its texts and cells.
var documentReaders = []struct {
	name string
	read func(raw []byte) (textLength func() int, err error)
}{
	{ourDocument, readDocument}, {anyMap, readMap}, {structsByHand, readStructs},
}

// The documents to read.
var jsonDocuments = []struct {
	name, title string
	write       func(ctx context.Context, r *run, path string) error
}{
	{"converted", "an answer of the engine", writeConverted},
	{"cells", "a table of 300,000 cells", writeTable},
}

// compareDocuments reads each document in each way. Each reading has a process of its own: what
// another has left behind would count as memory of this one, or make room for it.
func (r *run) compareDocuments(ctx context.Context) error {
	for _, document := range jsonDocuments {
		r.say("documents: " + document.title)
		path := filepath.Join(r.tmp, document.name+".json")
		if err := document.write(ctx, r, path); err != nil {
			r.skip(document.title, err)
			continue
		}
		for range min(r.rounds, 3) {
			var length float64
			for i := range documentReaders {
				found, err := inChild(ctx, r.quick, "document", fmt.Sprint(i), path)
				if err != nil {
					return err
				}
				if i > 0 && found[textBytes] != length || found[textBytes] == 0 {
					return fmt.Errorf("%s read %g bytes of text in %s, the others %g",
						documentReaders[i].name, found[textBytes], path, length)
				}
				length = found[textBytes]
				r.results.keep(key("document", document.name, documentReaders[i].name), found)
			}
		}
	}
	return nil
}

// measureDocument reads the document in a file. The memory that stays in use is that of the result
// alone, unless the result holds on to the JSON.
func measureDocument(reader int, path string) (result, error) {
	var before, after runtime.MemStats
	live := liveHeap()
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found := result{jsonBytes: float64(len(raw))}
	runtime.ReadMemStats(&before)
	start, startCPU := time.Now(), cpuTime()
	textLength, err := documentReaders[reader].read(raw)
	found[wallNs], found[cpuNs] = float64(time.Since(start)), float64(cpuTime()-startCPU)
	if err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&after)
	found[allocBytes] = float64(after.TotalAlloc - before.TotalAlloc)
	found[liveBytes] = liveHeap() - live // raw has had its last use above, so it is gone
	found[textBytes] = float64(textLength())
	return found, nil
}

func readDocument(raw []byte) (func() int, error) {
	doc, err := docling.Parse(raw)
	return func() (n int) {
		for i := range doc.Texts {
			n += len(doc.Texts[i].Text)
		}
		for i := range doc.Tables {
			for _, cell := range doc.Tables[i].Data.Cells {
				n += len(cell.Text)
			}
		}
		return n
	}, err
}

func readMap(raw []byte) (func() int, error) {
	var doc map[string]any
	err := json.Unmarshal(raw, &doc)
	return func() (n int) {
		for _, text := range doc["texts"].([]any) {
			n += len(text.(map[string]any)["text"].(string))
		}
		for _, table := range doc["tables"].([]any) {
			for _, cell := range table.(map[string]any)["data"].(map[string]any)["table_cells"].([]any) {
				n += len(cell.(map[string]any)["text"].(string))
			}
		}
		return n
	}, err
}

// readStructs reads what a program for texts and cells would name by hand. It keeps nothing else.
func readStructs(raw []byte) (func() int, error) {
	var doc struct {
		Texts []struct {
			SelfRef string `json:"self_ref"`
			Label   string
			Text    string
			Prov    []struct {
				PageNo int `json:"page_no"`
				BBox   struct{ L, T, R, B float64 }
			}
		}
		Tables []struct {
			Data struct {
				Cells []struct {
					Row  int `json:"start_row_offset_idx"`
					Col  int `json:"start_col_offset_idx"`
					Text string
				} `json:"table_cells"`
			}
		}
	}
	err := json.Unmarshal(raw, &doc)
	return func() (n int) {
		for i := range doc.Texts {
			n += len(doc.Texts[i].Text)
		}
		for i := range doc.Tables {
			for _, cell := range doc.Tables[i].Data.Cells {
				n += len(cell.Text)
			}
		}
		return n
	}, err
}

// writeConverted has the local engine convert a page of about 7 MB as JSON. A quick run takes a
// small document that docling has converted before.
func writeConverted(ctx context.Context, r *run, path string) error {
	if r.quick {
		raw, err := os.ReadFile(filepath.Join(r.folder, "../babyclient/docling/testdata/page_html.json"))
		if err != nil {
			return err
		}
		return os.WriteFile(path, raw, 0o600)
	}
	const none = "http://127.0.0.1:1" // in place of the engines that this does not need
	config := local.Config{Addr: "127.0.0.1:0", ChatURL: none, EmbedURL: none, Messages: r.progress}
	stack, err := local.Start(ctx, config)
	if err != nil {
		return err
	}
	defer stack.Close() //nolint:errcheck // what it was for is done
	client, err := babyclient.New(babyclient.WithAPIKey("local"), babyclient.WithBaseURL(stack.BaseURL()))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	answer, err := client.Docling.Convert(ctx, &babyclient.ConvertRequest{
		Sources: []babyclient.Source{babyclient.FromBytes("report.html", []byte(longPage(550)))},
		Options: babyclient.ConvertOptions{ToFormats: []string{babyclient.FormatJSON}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, answer.Document().JSON, 0o600)
}

// longPage is a page of sections with paragraphs, a list and a table each.
func longPage(sections int) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html><body><h1>Tides of a year</h1>")
	for i := range sections {
		fmt.Fprintf(&b, `<h2>Day %d</h2><p>Measured at the <b>north quay</b>, see <a href="https://example.com/%d">`+
			`the record</a> of the day.</p><p>The level rose by %d centimetres in an hour, which is more than in any `+
			`hour of the month before.</p><ul><li>first reading %d</li><li>second reading</li></ul><table>`+
			`<tr><th>Hour</th><th>Level</th><th>Wind</th></tr>`, i, i, i%90, i)
		for hour := range 6 {
			fmt.Fprintf(&b, "<tr><td>%d:00</td><td>%d cm</td><td>%d knots</td></tr>", hour, i+hour, hour)
		}
		b.WriteString("</table>")
	}
	b.WriteString("</body></html>")
	return b.String()
}

// writeTable writes a document of one table as docling-serve writes it: with every field of a cell,
// and each cell twice, in table_cells and in grid.
func writeTable(_ context.Context, r *run, path string) error {
	rows, cols := 30_000, 10
	if r.quick {
		rows = 100
	}
	var cells, grid strings.Builder
	for row := range rows {
		var line strings.Builder
		for col := range cols {
			fmt.Fprintf(&line, `,{"bbox":null,"row_span":1,"col_span":1,"start_row_offset_idx":%d,`+
				`"end_row_offset_idx":%d,"start_col_offset_idx":%d,"end_col_offset_idx":%d,"text":"cell %d of %d",`+
				`"column_header":%t,"row_header":false,"row_section":false,"fillable":false}`,
				row, row+1, col, col+1, col, row, row == 0)
		}
		cells.WriteString(line.String())
		grid.WriteString(",[" + line.String()[1:] + "]")
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, `{"schema_name":"DoclingDocument","version":"1.10.0","name":"table",`+
		`"body":{"self_ref":"#/body","children":[{"$ref":"#/tables/0"}],"name":"_root_","label":"unspecified"},`+
		`"groups":[],"texts":[],"pictures":[],"tables":[{"self_ref":"#/tables/0","parent":{"$ref":"#/body"},`+
		`"children":[],"label":"table","prov":[],"data":{"table_cells":[`+cells.String()[1:]+
		fmt.Sprintf(`],"num_rows":%d,"num_cols":%d,"grid":[`, rows, cols)+grid.String()[1:]+
		`]}}],"key_value_items":[],"form_items":[],"pages":{}}`)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
