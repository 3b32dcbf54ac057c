package docling_test

import (
	"bytes"
	"encoding/json"
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

// sameJSON compares two values. Numbers are the same if they are written alike, or have the same
// float64.
func sameJSON(t testing.TB, got, want []byte) bool {
	t.Helper()
	return reflect.DeepEqual(anyOf(t, got), anyOf(t, want))
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

// numbers makes a float64 of each number, but of those that are too large for it.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil && max(f, -f) < 1<<53 {
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
