package docling_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

func TestADocumentIsEncodedAsItWasRead(t *testing.T) {
	for name, raw := range documents(t) {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(parse(t, raw))
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(t, got, raw); d != "" {
				t.Errorf("encoded otherwise than read: %s", d)
			}
			if origin := parse(t, raw).Origin; origin != nil && !bytes.Contains(got, origin.BinaryHash) {
				t.Errorf("the hash %s is not encoded as it was read", origin.BinaryHash)
			}
		})
	}
}

// odd is a document with fields that no version of docling has, with nulls and absent fields, and
// with a grid that does not follow from the cells.
const odd = `{"schema_name":"DoclingDocument","version":"1.3.0","name":"n","zzz":{"a":[1,2.50,"x"]},
"origin":{"mimetype":"text/html","binary_hash":18446744073709551615,"filename":"f","uri":null,"new":1e400},
"furniture":null,"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/0","hint":"h"}],"label":"unspecified"},
"texts":[{"self_ref":"#/texts/0","parent":{"$ref":"#/body"},"children":[],"label":"text","prov":[
{"page_no":3.0,"bbox":{"l":0.1,"t":-0,"r":1e-7,"b":1.5e+22,"coord_origin":"BOTTOMLEFT","k":null},"charspan":[0,9]}],
"orig":"\ud83d\ude00","text":"a\u0000b\"\\\n\u007f\u2028","a b":null,"comments":[{"$ref":"#/texts/0","range":null}],
"formatting":{"bold":true,"script":"sub"},"meta":{"summary":{"text":"s"},"corp__x":[{}]}}],
"tables":[{"self_ref":"#/tables/0","data":{"grid":[[{"text":"other"}]],"num_rows":1,"num_cols":1,"table_cells":[
{"start_row_offset_idx":0,"end_row_offset_idx":1,"start_col_offset_idx":0,"end_col_offset_idx":1,"text":"x","q":[]}]}},
{"self_ref":"#/tables/1","data":{"num_rows":1,"num_cols":1,"table_cells":[]}}],
"pages":{"2":{"page_no":2,"size":{"width":1,"height":2.25},"image":null},"10":{"page_no":10,"size":{}}}}`

func TestFieldsWithoutANameAreKept(t *testing.T) {
	doc := parse(t, []byte(odd))
	got, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if d := difference(t, got, []byte(odd)); d != "" {
		t.Errorf("encoded otherwise than read: %s", d)
	}
	if got := string(doc.Extra["zzz"]); got != `{"a":[1,2.50,"x"]}` {
		t.Errorf("Extra of the document: %s", got)
	}
	if got := string(doc.Origin.BinaryHash); got != "18446744073709551615" {
		t.Errorf("hash %s", got)
	}
}

func TestWhatAProgramChangesIsEncoded(t *testing.T) {
	doc := parse(t, []byte(odd))
	doc.Name = "other"
	doc.Origin.URI = "https://example.com/"
	doc.Texts[0].Hyperlink = "x.html"
	doc.Texts[0].Comments[0].Range = &[2]int{1, 2}
	delete(doc.Extra, "zzz")
	doc.Extra["mine"] = json.RawMessage(`true`)
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, raw)
	if again.Name != "other" || again.Origin.URI != "https://example.com/" || again.Texts[0].Hyperlink != "x.html" ||
		*again.Texts[0].Comments[0].Range != [2]int{1, 2} ||
		string(again.Extra["mine"]) != "true" || len(again.Extra) != 1 {
		t.Errorf("a change is lost: %s", raw)
	}
}

func TestADocumentThatAProgramMakes(t *testing.T) {
	doc := docling.Document{
		SchemaName: "DoclingDocument", Version: "1.10.0", Name: "made",
		Body: docling.Group{Node: docling.Node{SelfRef: "#/body", Children: []docling.Ref{{Ref: "#/texts/0"}}}},
		Texts: []docling.Text{{
			DocNode: docling.DocNode{Node: docling.Node{SelfRef: "#/texts/0", Label: docling.LabelTitle}},
			Text:    "A title",
		}},
	}
	raw, err := json.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"schema_name":"DoclingDocument","version":"1.10.0","name":"made",` +
		`"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/0"}]},"groups":[],"texts":[` +
		`{"self_ref":"#/texts/0","children":[],"label":"title","prov":[],"orig":"","text":"A title"}],` +
		`"pictures":[],"tables":[],"key_value_items":[],"form_items":[],"pages":{}}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

func TestVersionsAreThoseOfDoclingCore(t *testing.T) {
	for version, accepted := range map[string]bool{
		`"1.0.0"`: true, `"1.5.0"`: true, `"1.10.0"`: true, `"1.10.7"`: true, `"1.9.0-rc.1+x"`: true,
		`"1.11.0"`: false, `"2.0.0"`: false, `"0.9.0"`: false, `"1.10"`: false,
		`""`: false, `"1.01.0"`: false, `1`: false,
	} {
		_, err := docling.Parse([]byte(`{"schema_name":"DoclingDocument","version":` + version + `,"name":"n"}`))
		if (err == nil) != accepted {
			t.Errorf("version %s: error %v", version, err)
		}
	}
	for _, raw := range []string{
		`{"version":"1.11.0","name":"n"}`,
		`{"version":"1.11.0","name":"n","body":{"self_ref":"#/body","children":[{"$ref":"#/texts/7"}]}}`,
	} {
		doc, err := docling.Parse([]byte(raw))
		version, isVersion := errors.AsType[*docling.VersionError](err)
		if doc == nil || doc.Name != "n" || !isVersion || version.Version != "1.11.0" {
			t.Errorf("%s: got document %v and error %v, want both", raw, doc, err)
		}
		_, isTree := errors.AsType[*docling.TreeError](err)
		if isTree != strings.Contains(raw, "#/texts/7") {
			t.Errorf("%s: error %v", raw, err)
		}
	}
	if _, err := docling.Parse([]byte(`{"name":"n"}`)); err != nil {
		t.Errorf("without schema and version, which docling-core accepts: %v", err)
	}
}

func TestWhatIsNoDocumentIsRefusedByName(t *testing.T) {
	for raw, want := range map[string]string{
		``:                                    "unexpected end",
		`{"name":`:                            "unexpected end",
		`[]`:                                  "no JSON object",
		`null`:                                "no JSON object",
		`{"schema_name":"Other"}`:             `schema "Other"`,
		`{"texts":{}}`:                        ".texts: want an array",
		`{"texts":[{"level":"2"}]}`:           `.texts[0].level: want an integer, found "2"`,
		`{"texts":[{"level":1.5}]}`:           ".texts[0].level: want an integer",
		`{"texts":[{"prov":[{"bbox":[1]}]}]}`: ".texts[0].prov[0].bbox: want an object",
		`{"texts":[null]}`:                    "no null in an array",
		`{"pages":{"x":{}}}`:                  "an integer as a name",
		`{"name":"a","name":"b"}`:             "no name twice",
		`{"x":1,"x":2}`:                       `the document: an object may have no name twice, and this has "x"`,
		`{"tables":[{"data":{"grid":[],"num_rows":0,"grid":[]}}]}`:            `.tables[0].data: an object may have no name twice, and this has "grid"`,
		`{"pages":{"1":{},"1":{}}}`:                                           `.pages: an object may have no name twice, and this has "1"`,
		`{"texts":[{"meta":{"keywords":[]}}]}`:                                ".texts[0].meta.keywords: want an object",
		`{"texts":[{"comments":[{"range":[1]}]}]}`:                            "want an array of 2",
		`{"tables":[{"data":{"num_rows":1000001,"num_cols":0}}]}`:             "the limit is 1000000",
		`{"tables":[{"data":{"num_rows":2000,"num_cols":1000}}]}`:             "the limit is 1000000",
		`{"tables":[{"data":{"num_rows":4611686018427387904,"num_cols":4}}]}`: "the limit is 1000000",
	} {
		if _, err := docling.Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", raw, err, want)
		}
	}
}

func TestTablesTogetherAreBounded(t *testing.T) {
	table := `{"data":{"num_rows":1000,"num_cols":1000}}`
	_, err := docling.Parse([]byte(`{"tables":[` + strings.Repeat(table+",", 5) + table + `]}`))
	if err == nil || !strings.Contains(err.Error(), "more than 5000000 cells") {
		t.Errorf("6 tables of a million cells: error %v", err)
	}
	cell := `{"start_row_offset_idx":0,"end_row_offset_idx":1000,"start_col_offset_idx":0,"end_col_offset_idx":1000}`
	const document = `{"tables":[{"data":{"num_rows":1000,"num_cols":1000,"table_cells":[%s%s]}}]}`
	_, err = docling.Parse(fmt.Appendf(nil, document,
		strings.Repeat(cell+",", 50), cell))
	if err == nil || !strings.Contains(err.Error(), "cover more than") {
		t.Errorf("51 cells that each cover a million places: error %v", err)
	}
}

func TestReferencesThatCannotBeFollowedAreReported(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want docling.BadRef
	}{
		"to nothing": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/1"}]},"texts":[{"self_ref":"#/texts/0"}]}`,
			docling.BadRef{From: "#/body", Ref: "#/texts/1", Fault: docling.FaultMissing},
		},
		"to no reference": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"texts/0/../1"}]},"texts":[{"self_ref":"#/texts/0"}]}`,
			docling.BadRef{From: "#/body", Ref: "texts/0/../1", Fault: docling.FaultMissing},
		},
		"in a circle": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"#/groups/0"}]},
			"groups":[{"self_ref":"#/groups/0","children":[{"$ref":"#/body"}]}]}`,
			docling.BadRef{From: "#/groups/0", Ref: "#/body", Fault: docling.FaultTwice},
		},
		"twice": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"#/texts/0"},{"$ref":"#/texts/0"}]},
			"texts":[{"self_ref":"#/texts/0"}]}`,
			docling.BadRef{From: "#/body", Ref: "#/texts/0", Fault: docling.FaultTwice},
		},
		"of a caption": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"#/pictures/0"}]},
			"pictures":[{"self_ref":"#/pictures/0","captions":[{"$ref":"#/texts/9"}]}]}`,
			docling.BadRef{From: "#/pictures/0", Ref: "#/texts/9", Fault: docling.FaultMissing},
		},
		"of a cell": {
			`{"body":{"self_ref":"#/body","children":[{"$ref":"#/tables/0"}]},"tables":[{"self_ref":"#/tables/0",
			"data":{"num_rows":1,"num_cols":1,"table_cells":[{"ref":{"$ref":"#/tables/0"}}]}}]}`,
			docling.BadRef{From: "#/tables/0", Ref: "#/tables/0", Fault: docling.FaultCell},
		},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := docling.Parse([]byte(c.raw))
			tree, ok := errors.AsType[*docling.TreeError](err)
			if !ok || len(tree.Refs) != 1 || tree.Refs[0] != c.want {
				t.Fatalf("error %v, want one of %v", err, c.want)
			}
			raw, err := json.Marshal(doc)
			if d := difference(t, raw, []byte(c.raw)); err != nil || d != "" {
				t.Errorf("encoded again: %v, %s", err, d)
			}
		})
	}
}
