package mcp

import (
	"reflect"
	"testing"
)

func TestParsePages(t *testing.T) {
	tests := map[string]pageRanges{
		"3":          {{3, 3}},
		"1-5,8":      {{1, 5}, {8, 8}},
		"8, 1 - 5":   {{1, 5}, {8, 8}},
		"12-":        {{12, 0}},
		"2–4":        {{2, 4}},
		"":           nil,
		"1..3, 7:9,": {{1, 3}, {7, 9}},
	}
	for in, want := range tests {
		got, err := parsePages(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"0", "5-2", "a", "1-b", "-3", "1;2", "99999999999999999999"} {
		if got, err := parsePages(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
	if got := (pageRanges{{3, 4}, {6, 0}}).enclosing(); got != (pageRange{3, 0}) {
		t.Errorf("3-4,6- is enclosed by %v, want 3-", got)
	}
	if got := (pageRanges{{3, 9}, {6, 7}}).enclosing(); got != (pageRange{3, 9}) {
		t.Errorf("3-9,6-7 is enclosed by %v, want 3-9", got)
	}
}
