package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// report is a run as Markdown.
func (r *run) report() string {
	var b strings.Builder
	section := func(title string, paragraphs ...string) {
		b.WriteString("\n### " + title + "\n\n" + strings.Join(paragraphs, "\n\n"))
	}
	value, ratio := r.results.value, r.results.ratio

	var required [][]string
	for _, q := range r.requirements() {
		required = append(required, []string{q.what, q.got, q.state})
	}
	section("What is required", table([]string{"requirement", "this run", ""}, required))

	compared := func(how string, cell func(name, ourName string) string) string {
		header := []string{"operation"}
		for _, p := range peers {
			header = append(header, p.name)
		}
		var rows [][]string
		for _, o := range operations {
			row := []string{o.title}
			for _, p := range peers {
				row = append(row, cell(key(how, o.name, p.name), key(how, o.name, ours)))
			}
			rows = append(rows, row)
		}
		return table(header, rows)
	}
	cpuAndRatio := func(name, ourName string) string {
		return cell("%s (%s×)", duration(value(name, cpuNs)), short(ratio(cpuNs, name, ourName)))
	}
	section("The client alone: answers from memory", compared("memory", cpuAndRatio))
	section("Over loopback: the client's process alone, the service is another", compared("loopback", cpuAndRatio))
	section("Allocations, from memory", compared("memory", func(name, _ string) string {
		return cell("%s, %s", count(value(name, allocs)), size(value(name, allocBytes)))
	}))
	section("Whole processes: start, one call, end", "CPU (× babyclient), wall, peak memory.", r.processTable())
	section("Many at once, each client as it comes", r.crowdTable())

	section("babyapi-local's gateway", table([]string{"", ""}, [][]string{
		{"CPU added to a small chat", duration(value(gatewayCall, cpuNs))},
		{"CPU added to an event of a stream", duration(value(gatewayStream, cpuNs))},
		{"a stream of an event each millisecond takes longer by", percent(value(gatewayStream, extraWall))},
	}))

	var documents [][]string
	for _, document := range jsonDocuments {
		row := []string{fmt.Sprintf("%s, %s", document.title,
			megabytes(value(key("document", document.name, ourDocument), jsonBytes)))}
		for _, reader := range documentReaders {
			name, ourName := key("document", document.name, reader.name), key("document", document.name, ourDocument)
			row = append(row, cell("%s (%s×), %s, %s (%s×), %s",
				duration(value(name, cpuNs)), short(ratio(cpuNs, name, ourName)), duration(value(name, wallNs)),
				size(value(name, liveBytes)), short(ratio(liveBytes, name, ourName)), size(value(name, allocBytes))))
		}
		documents = append(documents, row)
	}
	section("A document read from docling's JSON",
		"CPU (× docling.Parse), wall, memory kept (× docling.Parse), allocated.",
		table([]string{"document", ourDocument, anyMap, structsByHand}, documents))

	var servers [][]string
	for _, name := range []string{ourMCP, doclingMCP, nodeMCP} {
		if n := key("mcp", name); r.results[n] != nil {
			servers = append(servers, []string{name, duration(value(n, cpuNs)), duration(value(n, wallNs)),
				size(value(n, liveBytes)), cell("%s B", count(value(n, listBytes))), duration(value(n, pingNs))})
		}
	}
	section("MCP servers: from start to tools/list",
		table([]string{"server", "CPU", "wall", "resident while idle", "list of tools", "ping, median"}, servers))

	var grown [][]string
	for _, g := range growths {
		for _, n := range r.steps(g.work) {
			name := key(g.work, strconv.Itoa(n))
			grown = append(grown, []string{g.title, thousands(n), duration(value(name, cpuNs)),
				duration(value(name, wallNs)), size(value(name, liveBytes))})
		}
	}
	section("The cost as work grows",
		table([]string{"", "items", "CPU for each", "wall for each", "live memory beyond items and results"}, grown))
	section("What was measured", r.versions())
	return b.String()
}

func (r *run) processTable() string {
	names := append(slices.Clone(asTheyCome), pythonBabyAPI, pythonOpenAI)
	var rows [][]string
	row := func(title string, cell func(name string) string) {
		cells := []string{title}
		for _, name := range names {
			cells = append(cells, cell(name))
		}
		rows = append(rows, cells)
	}
	value := r.results.value
	for _, operation := range processOperations {
		row(operation, func(client string) string {
			name, ourName := key("process", operation, client), key("process", operation, ours)
			return cell("%s (%s×), %s, %s", duration(value(name, cpuNs)), short(r.results.ratio(cpuNs, name, ourName)),
				duration(value(name, wallNs)), size(value(name, peakBytes)))
		})
	}
	row("stripped program", func(client string) string {
		return megabytes(value(key("program", client), programBytes))
	})
	row("upload has a Content-Length", func(client string) string {
		upload := r.results[key("process", calls.Upload, client)]
		if upload == nil {
			return "–"
		}
		return map[bool]string{true: "yes", false: "no"}[upload[declaredBytes] == upload[receivedBytes]]
	})
	return table(append([]string{"operation"}, names...), rows)
}

func (r *run) crowdTable() string {
	value := r.results.value
	var rows [][]string
	for _, callers := range []int{64, 1_000} {
		row := []string{thousands(callers) + " callers, answers after 20 ms: CPU for a call, connections made"}
		for _, client := range asTheyCome {
			name := key(fmt.Sprintf("callers-%d", callers), client)
			row = append(row, cell("%s, %s", duration(value(name, cpuNs)), count(value(name, connections))))
		}
		rows = append(rows, row)
	}
	row := []string{"1,000 open streams, for each: memory, of which stacks, goroutines"}
	for _, client := range asTheyCome {
		name := key("streams", client)
		row = append(row, cell("%s, %s, %s",
			size(value(name, liveBytes)), size(value(name, stackBytes)), fmt.Sprintf("%.1f", value(name, goroutines))))
	}
	return table(append([]string{""}, asTheyCome...), append(rows, row))
}

// versions says on what the run was, of which clients, and what was skipped.
func (r *run) versions() string {
	lines := []string{
		fmt.Sprintf("%s, %s/%s, %d CPUs.", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
	}
	for _, p := range peers {
		if v := p.version(); v != "" {
			lines = append(lines, fmt.Sprintf("- %s: %s %s", p.name, p.module, v))
		}
	}
	if r.results[key("process", calls.Chat, pythonBabyAPI)] != nil {
		lines = append(lines, "- babyapi 0.4.0 and openai 3.54.0 for Python, locked in interop/bench/python/sdks.txt")
	}
	if r.results[key("mcp", doclingMCP)] != nil {
		lines = append(lines, "- docling-mcp 3.3.0, locked in interop/bench/python/docling-mcp.txt")
	}
	if r.results[key("mcp", nodeMCP)] != nil {
		lines = append(lines, "- @modelcontextprotocol/"+nodeMCP+" "+nodeMCPVersion)
	}
	for _, s := range r.skipped {
		lines = append(lines, "- skipped: "+s)
	}
	return strings.Join(lines, "\n") + "\n"
}

func table(header []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(header)
	line(slices.Repeat([]string{"---"}, len(header)))
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// cell is a dash where something was not measured.
func cell(format string, parts ...any) string {
	if slices.Contains(parts, any("–")) {
		return "–"
	}
	return fmt.Sprintf(format, parts...)
}

// withUnit writes a number that is scaled to a unit, or a dash for NaN, which was not measured.
func withUnit(v float64, format string, scaled float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf(format, scaled)
}

func duration(ns float64) string {
	switch {
	case ns < 1e4:
		return withUnit(ns, "%.2f µs", ns/1e3)
	case ns < 1e6:
		return withUnit(ns, "%.0f µs", ns/1e3)
	case ns < 1e9:
		return withUnit(ns, "%.1f ms", ns/1e6)
	}
	return withUnit(ns, "%.2f s", ns/1e9)
}

func size(b float64) string {
	switch {
	case b < 10<<10:
		return withUnit(b, "%.1f KiB", b/(1<<10))
	case b < 1<<20:
		return withUnit(b, "%.0f KiB", b/(1<<10))
	}
	return withUnit(b, "%.1f MiB", b/(1<<20))
}

func plain(n float64) string     { return withUnit(n, "%.4g", math.Round(100*n)/100) }
func percent(r float64) string   { return withUnit(r, "%.1f %%", 100*r) }
func megabytes(b float64) string { return withUnit(b, "%.1f MB", b/1e6) }

// short is a ratio of two digits.
func short(r float64) string {
	if r >= 10 {
		return withUnit(r, "%.0f", r)
	}
	return withUnit(r, "%.2g", r)
}

func count(n float64) string {
	if math.IsNaN(n) {
		return "–"
	}
	return thousands(int(math.Round(n)))
}

// thousands is a whole number with its thousands apart.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// The part of BENCHMARKS.md that a run writes.
const (
	beginMark = "<!-- what follows is written by `make bench` -->\n"
	endMark   = "<!-- end of what is written by `make bench` -->\n"
)

// keep puts the report and the plot where they are committed.
func (r *run) keep() error {
	root := filepath.Join(r.folder, "..")
	path := filepath.Join(root, "BENCHMARKS.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(page, []byte(beginMark))
	_, tail, ok2 := bytes.Cut(rest, []byte(endMark))
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the lines between which a run is written", path)
	}
	page = slices.Concat(head, []byte(beginMark+r.report()+"\n"+endMark), tail)
	if err := os.WriteFile(path, page, 0o644); err != nil { //nolint:gosec // for everybody to read
		return err
	}
	plotted := filepath.Join(root, "interop", "bench", "growth.svg")
	return os.WriteFile(plotted, []byte(r.plot()), 0o644) //nolint:gosec // likewise
}
