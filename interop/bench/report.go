package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is a run as Markdown.
func (m *measured) report() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	p("### What must hold\n")
	p("| must | this run | |")
	p("| --- | --- | --- |")
	for _, must := range m.musts() {
		p("| %s | %s | %s |", must.what, must.got, map[bool]string{true: "met", false: "**not met**"}[must.met])
	}
	for _, t := range []struct {
		title string
		r     results
	}{{"The client alone: answers from memory", m.memory}, {"Over loopback: the client's process alone, the server is another", m.loop}} {
		p("\n### %s\n\n%s", t.title, t.r.table())
	}
	p("### Allocations, from memory\n\n%s", m.memory.allocations())
	if m.processes != nil {
		p("\n### Whole processes: start, one call, end\n")
		p("CPU (× babyclient), wall, peak memory.\n")
		names := []string{ours, raw, goOpenAI, langchain, openAIGo, "Python babyapi", "Python openai"}
		names = slices.DeleteFunc(names, func(n string) bool { return m.processes["chat"][n] == nil })
		p("| operation | %s |", strings.Join(names, " | "))
		p("| --- |%s", strings.Repeat(" --- |", len(names)))
		for _, operation := range processOperations {
			var row strings.Builder
			for _, n := range names {
				if s := m.processes[operation][n]; s != nil {
					fmt.Fprintf(&row, " %s (%s), %s, %s |", duration(s.CPU), times(float64(s.CPU)/float64(m.processes[operation][ours].CPU)), duration(s.Wall), size(float64(s.Peak)))
				} else {
					row.WriteString(" – |")
				}
			}
			p("| %s |%s", operation, row.String())
		}
		var row strings.Builder
		for _, n := range names {
			if m.binaries[n] > 0 {
				fmt.Fprintf(&row, " %.1f MB |", float64(m.binaries[n])/1e6)
			} else {
				row.WriteString(" – |")
			}
		}
		p("| stripped program |%s", row.String())
		row.Reset()
		for _, n := range names {
			if u, ok := m.uploads[n]; ok {
				row.WriteString(" " + map[bool]string{true: "yes", false: "no"}[u.ContentLength == u.Received] + " |")
			} else {
				row.WriteString(" – |")
			}
		}
		p("| upload has a Content-Length |%s", row.String())
	}
	if m.callers64 != nil {
		p("\n### Many at once, each client as it comes\n")
		names := []string{ours, raw, goOpenAI, langchain, openAIGo}
		p("| | %s |", strings.Join(names, " | "))
		p("| --- |%s", strings.Repeat(" --- |", len(names)))
		crowds := func(title string, c map[string]*crowd) {
			var row strings.Builder
			for _, n := range names {
				fmt.Fprintf(&row, " %s, %d |", duration(c[n].CPU), c[n].Connections)
			}
			p("| %s: CPU for a call, connections made |%s", title, row.String())
		}
		crowds("64 callers, 6,000 calls", m.callers64)
		crowds("1,000 callers, 6,000 calls", m.callers1000)
		var row strings.Builder
		for _, n := range names {
			fmt.Fprintf(&row, " %.1f KiB, %.1f KiB, %.1f |", m.streams[n].Bytes/1024, m.streams[n].Stack/1024, m.streams[n].All)
		}
		p("| 1,000 open streams, for each: memory, of which stacks, goroutines |%s", row.String())
	}
	if g := m.gateway; g != nil {
		p("\n### babyapi-local's gateway\n")
		p("| | |\n| --- | --- |")
		p("| CPU added to a small chat | %s |", duration(g.Call))
		p("| CPU added to an event of a stream | %s |", duration(g.Event))
		p("| a stream of an event each %s takes longer by | %.1f %% |", pace, 100*g.Longer)
	}
	if m.mcp != nil {
		p("\n### MCP servers: from start to tools/list\n")
		p("| server | CPU | wall | resident while idle | list of tools | ping, median |")
		p("| --- | --- | --- | --- | --- | --- |")
		for _, n := range slices.Sorted(maps.Keys(m.mcp)) {
			c := m.mcp[n]
			p("| %s | %s | %s | %s | %d B | %s |", n, duration(c.CPU), duration(c.Wall), size(float64(c.Resident)), c.List, duration(c.Ping))
		}
	}
	if m.embed != nil {
		p("\n### The cost as work grows\n")
		p("| | items | CPU for each | wall for each | live memory beyond items and results |")
		p("| --- | --- | --- | --- | --- |")
		for _, g := range m.embed {
			p("| provider's embedder, one call | %s | %s | %s | %s |", thousands(float64(g.N)), duration(g.CPU), duration(g.Wall), mib(g.Memory))
		}
		for _, g := range m.convert {
			p("| ConvertAll, a job for each | %s | %s | %s | %s |", thousands(float64(g.N)), duration(g.CPU), duration(g.Wall), mib(g.Memory))
		}
	}
	p("\n### What was measured\n")
	p("%s, %s/%s, %d CPUs.", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, peer := range peers {
		if v := peer.version(); v != "" {
			p("- %s: %s %s", peer.name, peer.module, v)
		}
	}
	if m.processes["chat"]["Python babyapi"] != nil {
		p("- the Python SDKs: babyapi 0.4.0, openai 3.54.0 (locked in interop/bench/python/sdks.txt)")
	}
	if m.mcp["docling-mcp"] != nil {
		p("- docling-mcp 3.3.0 (locked in interop/bench/python/docling-mcp.txt)")
	}
	if m.mcp["server-filesystem"] != nil {
		p("- @modelcontextprotocol/server-filesystem 2026.8.31")
	}
	for _, s := range m.skipped {
		p("- skipped: %s", s)
	}
	return b.String()
}

// table has the CPU time of each operation by peer.
func (r results) table() string {
	return r.rows(func(operation, peer string) string {
		return fmt.Sprintf("%s (%s)", duration(r.of(operation, peer).CPU), times(r.ratio(operation, peer, ours)))
	})
}

// allocations has how many there are for an operation, and how much memory.
func (r results) allocations() string {
	return r.rows(func(operation, peer string) string {
		c := r.of(operation, peer)
		return thousands(c.Allocs) + ", " + size(c.Bytes)
	})
}

func (r results) rows(cell func(operation, peer string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| operation | %s |\n| --- |%s\n", strings.Join(peerNames(), " | "), strings.Repeat(" --- |", len(peers)))
	for _, operation := range operations {
		b.WriteString("| " + operation + " |")
		for _, peer := range peers {
			if r.of(operation, peer.name) == nil {
				b.WriteString(" – |")
			} else {
				b.WriteString(" " + cell(operation, peer.name) + " |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func peerNames() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

func times(r float64) string {
	if r >= 10 {
		return fmt.Sprintf("%.0f×", r)
	}
	return fmt.Sprintf("%.2g×", r)
}

func duration(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f µs", float64(d)/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func size(b float64) string {
	switch {
	case b < 10<<10:
		return fmt.Sprintf("%.1f KiB", b/(1<<10))
	case b < 1<<20:
		return fmt.Sprintf("%.0f KiB", b/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", b/(1<<20))
}

// thousands is a whole number with its thousands apart.
func thousands(n float64) string {
	s := fmt.Sprintf("%.0f", n)
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
func (m *measured) keep(root string) error {
	path := filepath.Join(root, "BENCHMARKS.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(text, []byte(beginMark))
	_, tail, ok2 := bytes.Cut(rest, []byte(endMark))
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the lines between which a run is written", path)
	}
	text = slices.Concat(head, []byte(beginMark+"\n"+m.report()+"\n"+endMark), tail)
	if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // for everybody to read
		return err
	}
	svg := plot([]line{{"embedding through the provider", "#1565c0", m.embed}, {"documents through ConvertAll", "#c62828", m.convert}})
	return os.WriteFile(filepath.Join(root, "interop", "bench", "growth.svg"), []byte(svg), 0o644) //nolint:gosec // likewise
}
