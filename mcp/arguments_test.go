package mcp

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type sampleArguments struct {
	Source string    `json:"source" jsonschema_description:"A path, e.g. report.pdf"`
	Kind   string    `json:"kind,omitempty" jsonschema:"enum=md,enum=html" jsonschema_description:"The kind, e.g. md"`
	Count  int       `json:"count,omitempty" jsonschema:"minimum=1,maximum=9" jsonschema_description:"How many, e.g. 3"`
	Heat   *float64  `json:"heat,omitempty" jsonschema_description:"How hot, e.g. 0.2"`
	Force  bool      `json:"force,omitempty" jsonschema_description:"Whether, e.g. true"`
	Texts  []string  `json:"texts,omitempty" jsonschema_description:"Some texts"`
	Extra  anyObject `json:"extra,omitempty" jsonschema_description:"More"`
}

var sampleAliases = map[string]string{"source": "path"}

func TestDecodeArguments(t *testing.T) {
	tests := []struct {
		name, in string
		want     sampleArguments
	}{
		{"plain", `{"source":"a","kind":"md","count":3,"heat":0.5,"force":true,"texts":["x"],"extra":{"a":1}}`,
			sampleArguments{Source: "a", Kind: "md", Count: 3, Heat: new(0.5), Force: true, Texts: []string{"x"},
				Extra: anyObject{"a": 1.0}}},
		{"numbers and booleans in strings", `{"source":"a","count":" 5 ","heat":"0","force":"True"}`,
			sampleArguments{Source: "a", Count: 5, Heat: new(0.0), Force: true}},
		{"whole numbers as floats", `{"source":"a","count":5.0}`, sampleArguments{Source: "a", Count: 5}},
		{"one text is a list", `{"source":"a","texts":"x"}`, sampleArguments{Source: "a", Texts: []string{"x"}}},
		{"a list in a string", `{"source":"a","texts":"[\"x\",\"y\"]"}`,
			sampleArguments{Source: "a", Texts: []string{"x", "y"}}},
		{"a text that begins as a list", `{"source":"a","texts":"[1] see below"}`,
			sampleArguments{Source: "a", Texts: []string{"[1] see below"}}},
		{"an object in a string", `{"source":"a","extra":"{\"a\":true}"}`,
			sampleArguments{Source: "a", Extra: anyObject{"a": true}}},
		{"null is absent", `{"source":"a","count":null,"texts":null}`, sampleArguments{Source: "a"}},
		{"the case of an enum", `{"source":"a","kind":"HTML "}`, sampleArguments{Source: "a", Kind: "html"}},
		{"all in a string", `"{\"source\":\"a\"}"`, sampleArguments{Source: "a"}},
	}
	schema := schemaOf[sampleArguments]()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got sampleArguments
			if err := decodeArguments(sampleAliases, schema, json.RawMessage(tt.in), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDecodeArgumentsRefuses(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"missing", `{}`, `"source" is missing. source: A path, e.g. report.pdf`},
		{"missing for null", `{"source":null}`, `"source" is missing`},
		{"no arguments", ``, `"source" is missing`},
		{"another name", `{"path":"x"}`,
			`unknown argument "path". Accepted: source, kind, count, heat, force, texts, extra. ` +
				`Did you mean "source"?`},
		{"a typing error", `{"sorce":"x"}`, `Did you mean "source"?`},
		{"camel case", `{"Source":"x"}`, `Did you mean "source"?`},
		{"nothing like it", `{"zzzzzzzz":1}`,
			`unknown argument "zzzzzzzz". Accepted: source, kind, count, heat, force, texts, extra.`},
		{"number for string", `{"source":7}`, `"source" must be a string, got 7. source: A path`},
		{"not of the enum", `{"source":"a","kind":"pdf"}`, `"kind" must be one of "md","html", got "pdf"`},
		{"word for number", `{"source":"a","count":"many"}`, `"count" must be a number, got "many"`},
		{"broken number", `{"source":"a","count":1.5}`, `"count" must be a whole number, got 1.5`},
		{"too small", `{"source":"a","count":0}`, `"count" must be at least 1, got 0`},
		{"too large", `{"source":"a","count":"10"}`, `"count" must be at most 9, got 10`},
		{"infinite", `{"source":"a","heat":"Inf"}`, `"heat" must be a number`},
		{"word for boolean", `{"source":"a","force":"yes"}`, `"force" must be true or false, got "yes"`},
		{"number in a list", `{"source":"a","texts":["x",7]}`,
			`"texts" must be a list, whose item 1 must be a string, got 7`},
		{"text for object", `{"source":"a","extra":"x"}`, `"extra" must be a JSON object, got "x"`},
		{"a list", `[1]`, `the arguments must be a JSON object, got [1]`},
	}
	schema := schemaOf[sampleArguments]()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := decodeArguments(sampleAliases, schema, json.RawMessage(tt.in), new(sampleArguments))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	long := `{"source":"a","count":"` + strings.Repeat("9x", 5000) + `"}`
	err := decodeArguments(sampleAliases, schema, json.RawMessage(long), new(sampleArguments))
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("a long value is not clipped: %v", err)
	}
}

// Whatever a model writes is decoded or refused, never a panic, and what is decoded follows the
// schema.
func FuzzDecodeArguments(f *testing.F) {
	f.Add(`{"source":"a","count":"5","texts":["x"],"extra":"{}"}`)
	f.Add(`{"source":7}`)
	f.Add(`"{\"source\":\"a\"}"`)
	f.Add(`{"heat":1e999,"source":"\ud800"}`)
	schema := schemaOf[sampleArguments]()
	f.Fuzz(func(t *testing.T, in string) {
		var got sampleArguments
		if err := decodeArguments(sampleAliases, schema, json.RawMessage(in), &got); err != nil {
			return
		}
		if got.Count != 0 && (got.Count < 1 || got.Count > 9) || got.Kind != "" && got.Kind != "md" &&
			got.Kind != "html" {
			t.Errorf("%s: decoded against the schema: %+v", in, got)
		}
	})
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"source", "sorce", 1}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
