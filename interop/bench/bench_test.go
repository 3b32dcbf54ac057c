package main

import (
	"fmt"
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

// BenchmarkMemory compares the clients alone: the answers come from memory. To compare:
//
//	go -C interop test ./bench -run '^$' -bench Memory -count 10 >memory.txt
//	benchstat -col /client memory.txt
func BenchmarkMemory(b *testing.B) {
	c, err := inMemory(newAnswers(fullSizes))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkEach(b, c)
}

// BenchmarkLoopback compares the clients over sockets: the answers come from another process.
func BenchmarkLoopback(b *testing.B) {
	service, err := startService(b.Context(), false)
	if err != nil {
		b.Fatal(err)
	}
	defer service.close()
	c, err := overLoopback(newAnswers(fullSizes), service.URL)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkEach(b, c)
}

func benchmarkEach(b *testing.B, c comparison) {
	for _, operation := range operations {
		for _, p := range peers {
			if call := c[p.name][operation.name]; call != nil {
				b.Run(operation.name+"/client="+p.name, func(b *testing.B) {
					if err := benchmark(b, call); err != nil {
						b.Fatal(err)
					}
				})
			}
		}
	}
}

// TestQuickRunIsComplete makes a whole run with small answers: every client answers right, and
// every table and limit has something to say. It looks at no time.
func TestQuickRunIsComplete(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a dozen programs: run without -short")
	}
	r := &run{folder: "..", quick: true, progress: t.Output()}
	if err := r.all(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	report := r.report()
	for _, want := range []string{
		"What is required", "from memory", "Over loopback", "Allocations", "Whole processes", "Many at once",
		"gateway", "docling's JSON", "MCP servers", "as work grows", "go-openai v1.",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, operation := range operations {
		for _, client := range []string{floor, ours} {
			for _, how := range []string{"memory", "loopback"} {
				if name := key(how, operation.name, client); !(r.results.value(name, cpuNs) >= 0) {
					t.Errorf("%s was not measured", name)
				}
			}
		}
	}
	for _, q := range r.requirements() {
		if q.state == notMeasured && !strings.Contains(q.what, doclingMCP) {
			t.Errorf("a quick run does not measure %q", q.what)
		}
		if strings.HasPrefix(q.what, "upload: the Content-Length") && q.state != met {
			t.Errorf("%s: %s", q.what, q.state)
		}
	}
	points := 0
	for _, g := range growths {
		points += 2 * len(r.steps(g.work))
	}
	if svg := r.plot(); strings.Count(svg, "<circle") != points || strings.Contains(svg, "NaN") {
		t.Errorf("the plot has %d points, want %d: %s", strings.Count(svg, "<circle"), points, svg)
	}
}

// TestWrongAnswersAreSeen makes sure that the comparison of answers would show something.
func TestWrongAnswersAreSeen(t *testing.T) {
	sent := newAnswers(quickSizes)
	other := newAnswers(sizes{Texts: 2, Dimensions: 4, Chunks: 7, ToolPieces: 3, Documents: 4, Docling: 1 << 10})
	other.want["chat"] = "something else"
	c, err := inMemory(sent)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range operations {
		if err := other.check(operation.name, c[ours][operation.name]); err == nil {
			t.Errorf("%s: a wrong answer was taken for right", operation.name)
		}
	}
}

func TestOfSeveralResultsTheLeastCounts(t *testing.T) {
	r := results{}
	for _, found := range []result{{cpuNs: 3, peakBytes: 1}, {cpuNs: 2, peakBytes: 2}, {cpuNs: 4}} {
		r.keep("x", found)
	}
	got := fmt.Sprint(r.value("x", cpuNs), r.value("x", peakBytes), r.value("x", wallNs), r.value("y", cpuNs))
	if want := "2 1 NaN NaN"; got != want {
		t.Errorf("the values are %s, want %s", got, want)
	}
}
