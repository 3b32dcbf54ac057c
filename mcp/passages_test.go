package mcp

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func TestPassages(t *testing.T) {
	long := strings.Repeat("word ", 600)
	d := &document{format: babyclient.FormatMarkdown, text: "intro\n\n# A\n\n## A1\n\nalpha\n\n# B\n\n" + long +
		"\n\n```\n# no heading\n```\n"}
	var headings, all []string
	for _, p := range d.passages() {
		headings = append(headings, p.heading)
		all = append(all, d.text[p.from:p.to])
		if n := utf8.RuneCountInString(d.text[p.from:p.to]); n > passageChars {
			t.Errorf("a passage has %d characters, want at most %d", n, passageChars)
		}
	}
	if joined := strings.Join(all, ""); joined != d.text {
		t.Errorf("the passages joined are not the document: %q", joined)
	}
	if want := []string{"", "A1", "B", "B", "B"}; !reflect.DeepEqual(headings, want) {
		t.Errorf("headings %q, want %q", headings, want)
	}
}
