package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/provider"
)

func TestTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var results bytes.Buffer
		o := &output{results: &results}
		start := time.Now()
		time.Sleep(1500 * time.Millisecond)
		o.add("convert", 2, "documents", start)
		for range 3 {
			start := time.Now()
			time.Sleep(250 * time.Millisecond)
			o.add("rerank", 7, "passages", start)
		}
		o.table()
		want := `
step                count               seconds
convert                 2 documents        1.50
rerank                 21 passages         0.75
total                                      2.25
`
		if got := "\n" + results.String(); got != want {
			t.Errorf("the table is%s\nwant%s", got, want)
		}
	})
}

func TestProgress(t *testing.T) {
	var terminal bytes.Buffer
	o := &output{terminal: &terminal}
	o.progress("%d of %d", 1, 2)
	o.progress("")
	if got, want := terminal.String(), "\r\x1b[K1 of 2\r\x1b[K"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	(&output{}).progress("silent, and no crash, without a terminal")
}

func TestPassage(t *testing.T) {
	p := schema.Document{PageContent: "Policy\nHotels\nThe limit is 210 euros.", Metadata: map[string]any{
		provider.MetadataSource: "/home/me/policy.docx", provider.MetadataHeadings: "Policy > Hotels"}}
	if got, want := source(p), "policy.docx, Hotels"; got != want {
		t.Errorf("source is %q, want %q", got, want)
	}
	if got, want := body(p), "The limit is 210 euros."; got != want {
		t.Errorf("body is %q, want %q", got, want)
	}
	p = schema.Document{PageContent: "Text.", Metadata: map[string]any{
		provider.MetadataSource: "a.pdf", provider.MetadataPage: 3}}
	if got, want := source(p)+" "+body(p), "a.pdf, page 3 Text."; got != want {
		t.Errorf("without headings: %q, want %q", got, want)
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{
		"short":             "short",
		"two\n  lines":      "two lines",
		"ten letter":        "ten letter",
		"eleven char":       "eleven ch…",
		"nine char and so":  "nine char…",
		"äöüäöüäöüäöüäöü":   "äöüäöüäöü…",
		"":                  "",
		"a b c d e f g h i": "a b c d e…",
	} {
		if got := shorten(text, 10); got != want {
			t.Errorf("shorten(%q, 10) = %q, want %q", text, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	joined := errors.Join(errors.New("a.pdf is bad"), fmt.Errorf("b.pdf is bad"))
	if got := explain(t.Context(), joined); strings.Contains(got, "\n") || !strings.Contains(got, "a.pdf") ||
		!strings.Contains(got, "b.pdf") {
		t.Errorf("two errors are %q, want both in one line", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := explain(ctx, errors.New("dial tcp: operation was canceled")); got != "interrupted" {
		t.Errorf("after Ctrl-C: %q", got)
	}
}

// A document, a model and a file name cannot steer the terminal.
func TestOutputIsPlain(t *testing.T) {
	const evil = "a\x1b]0;owned\x07b\x1b[2J\u009bc\rd"
	var results, terminal bytes.Buffer
	o := &output{results: plainWriter{&results}, messages: plainWriter{&results}, terminal: &terminal}
	fmt.Fprintf(o.results, "%s\n\t%s\n", evil, shorten(evil, 100))
	o.progress("reading %s", evil)
	shown := strings.TrimPrefix(terminal.String(), "\r\033[K") +
		strings.NewReplacer("\n", "", "\t", "").Replace(results.String())
	if strings.ContainsFunc(shown, unicode.IsControl) || !strings.Contains(shown, "owned") {
		t.Errorf("shown: %q", shown)
	}
}
