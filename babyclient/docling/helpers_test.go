package docling_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// documents are the names of the documents in testdata. DOCLING_DOCUMENTS names one more folder,
// such as one that testdata/golden.py or testdata/random.py filled.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, folder := range []string{"testdata", os.Getenv("DOCLING_DOCUMENTS")} {
		paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if folder == "" || strings.HasSuffix(path, ".want.json") {
				continue
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimSuffix(path, ".json")] = raw
		}
	}
	if len(out) == 0 {
		t.Fatal("no documents in testdata")
	}
	return out
}

func parse(t testing.TB, raw []byte) *docling.Document {
	t.Helper()
	doc, err := docling.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func read(t testing.TB, name string) *docling.Document {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

// difference is where two JSON values differ, "" for nowhere. Numbers are the same if they have the
// same float64, and where there is none, if they are written alike.
func difference(t testing.TB, got, want []byte) string {
	t.Helper()
	return differenceOf(anyOf(t, got), anyOf(t, want))
}

func differenceOf(got, want any) string {
	switch g := got.(type) {
	case map[string]any:
		w, ok := want.(map[string]any)
		for name := range g {
			if _, both := w[name]; !both && ok {
				return "." + name + " is new"
			}
		}
		for name := range w {
			if _, both := g[name]; !both {
				return "." + name + " is gone"
			}
			if d := differenceOf(g[name], w[name]); d != "" {
				return "." + name + d
			}
		}
		if ok {
			return ""
		}
	case []any:
		if w, ok := want.([]any); ok && len(w) == len(g) {
			for i := range g {
				if d := differenceOf(g[i], w[i]); d != "" {
					return fmt.Sprintf("[%d]%s", i, d)
				}
			}
			return ""
		}
	}
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf(": got %#v, want %#v", got, want)
}

func anyOf(t testing.TB, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return numbers(v)
}

// numbers makes a float64 of each number that is not too large for it.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil {
			return f
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = numbers(v[name])
		}
	}
	return v
}
