package babyclient

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The pass over the names finds what decoding the object finds.
func FuzzUnnamedFields(f *testing.F) {
	for _, s := range []string{`{"role":"x"}`, `{"role":"x","a":1}`, `{"a":null,"b":[],"c":{},"d":""}`,
		`{"content":"\\\"a\":1","role":{"a":1}}`, `{"a" : [{"b":2}]}`, `{"\u0061":1}`, `[]`, `{"a":[ ]}`} {
		f.Add([]byte(s))
	}
	names := []string{"role", "content"}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var all map[string]json.RawMessage
		if json.Unmarshal(raw, &all) != nil {
			hasUnnamedInMessages(raw) // must end, whatever it is
			return
		}
		got := unnamedFields(raw, names)
		for name, value := range all {
			_, found := got[name]
			want := !slices.Contains(names, name) && !isEmptyJSON(value)
			if slices.ContainsFunc(names, func(n string) bool { return n != name && strings.EqualFold(n, name) }) {
				continue
			}
			if found != want && len(all) == 1 {
				t.Errorf("%s: %q found: %t, want %t", raw, name, found, want)
			}
		}
	})
}
