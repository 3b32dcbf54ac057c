package main

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if child() { // the processes that a run starts of itself are this test
		return
	}
	os.Exit(m.Run())
}

// TestQuick makes a whole run with small answers: every client answers right, and every table is there. It looks at no time.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a dozen programs: run without -short")
	}
	m, err := run(t.Context(), options{dir: "..", quick: true}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	report := m.report()
	for _, want := range []string{"What must hold", "from memory", "Over loopback", "Allocations", "Whole processes", "Many at once", "gateway", "MCP servers", "as work grows", "go-openai v1."} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, operation := range operations {
		for _, peer := range []string{floor, ours} {
			if m.memory.of(operation, peer) == nil || m.loop.of(operation, peer) == nil {
				t.Errorf("%s of %s was not measured", operation, peer)
			}
		}
	}
	if up := m.uploads[ours]; up.ContentLength <= quickSizes.Upload || up.ContentLength != up.Received {
		t.Errorf("the upload had Content-Length %d and was %d bytes", up.ContentLength, up.Received)
	}
	if svg := plot([]line{{"a", "red", m.embed}, {"b", "blue", m.convert}}); strings.Count(svg, "<circle") != 2*(len(embedSteps)+len(convertSteps)) || strings.Contains(svg, "NaN") {
		t.Errorf("the plot lacks points: %s", svg)
	}
}

// TestCheck makes sure that a wrong answer is seen, or the comparison of answers would show nothing.
func TestCheck(t *testing.T) {
	a, other := newAnswers(quickSizes), newAnswers(sizes{Texts: 2, Dimensions: 4, Chunks: 7, ToolPieces: 3, Documents: 4, Docling: 1 << 10})
	other.text = "no"
	c, err := dialOurs(other, "http://bench.invalid", clientOf(a))
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range operations {
		if err := other.check(operation, c[operation]); err == nil {
			t.Errorf("%s: a wrong answer was taken for right", operation)
		}
	}
}
