package main

import (
	"fmt"
	"time"
)

// must is a promise about one operation, and what this run says of it.
type must struct {
	what string
	got  string
	met  bool
}

// measured is everything that a run found out. What was skipped is nil.
type measured struct {
	sizes          sizes
	memory, loop   results
	held           float64 // memory of a collected stream, in bytes of its text
	linear         float64 // CPU for a chunk of a collected stream of four times the length, in CPU for one of the short stream
	processes      map[string]map[string]*spent
	uploads        map[string]serverStats
	binaries       map[string]int64
	callers64      map[string]*crowd
	callers1000    map[string]*crowd
	streams        map[string]*memoryOfStreams
	gateway        *gatewayCost
	mcp            map[string]*mcpCost
	mcpCalls       *mcpCalls
	embed, convert []growth
	skipped        []string
}

func (m *measured) musts() []must {
	var out []must
	add := func(met bool, got string, what string, args ...any) {
		out = append(out, must{fmt.Sprintf(what, args...), got, met})
	}
	faster := func(operation, peer string, atLeast float64) {
		r := m.memory.ratio(operation, peer, ours)
		add(r >= atLeast, fmt.Sprintf("%.1f ×", r), "%s: ≥ %g × faster than %s", operation, atLeast, peer)
	}
	atMost := func(r float64, limit float64, what string) {
		add(r <= limit, fmt.Sprintf("%.2f ×", r), "%s ≤ %g ×", what, limit)
	}
	allocs := func(operation string, n float64, limit float64) {
		add(n <= limit, fmt.Sprintf("%.2f", n), "%s ≤ %g", operation, limit)
	}
	faster(embedDefault, goOpenAI, 6)
	faster(embedDefault, openAIGo, 20)
	allocs("embeddings: allocations", m.memory.of(embedDefault, ours).Allocs, 70)
	faster(embedFloat, goOpenAI, 2)
	faster(stream, goOpenAI, 6)
	faster(stream, openAIGo, 15)
	allocs("stream: allocations for a chunk", m.memory.of(stream, ours).Allocs/float64(m.sizes.Chunks), 2)
	atMost(m.held, 2, "stream, collected: memory kept, by the bytes of the text,")
	atMost(m.linear, 1.3, "stream, collected: CPU for a chunk when four times as long")
	atMost(m.memory.ratio(collect, ourLLM, ours), 1.3, "provider's stream, by the client's own collected,")
	atMost(m.memory.ratio(embedDefault, ourLLM, ours), 1.3, "provider's embeddings, by the client's own,")
	atMost(m.memory.ratio(chat, ours, raw), 1.3, "small chat, by net/http + encoding/json,")
	if up := m.processes["upload"]; up != nil {
		atMost(float64(up[ours].CPU)/float64(up[raw].CPU), 1.2, "upload: CPU, by a bare copy,")
		add(up[ours].Peak <= 24<<20, mib(float64(up[ours].Peak)), "upload: peak memory ≤ 24 MiB")
		seen := m.uploads[ours]
		add(seen.ContentLength >= m.sizes.Upload && seen.ContentLength == seen.Received, fmt.Sprint(seen.ContentLength), "upload: Content-Length set and true")
		atMost(float64(m.processes["chat"][ours].CPU)/float64(m.processes["chat"][raw].CPU), 1.15, "cold start and one call, by net/http + encoding/json,")
		add(m.binaries[ours] <= 7_000_000, fmt.Sprintf("%.1f MB", float64(m.binaries[ours])/1e6), "a stripped program that uses only the client ≤ 7 MB")
	}
	if m.callers64 != nil {
		add(m.callers64[ours].Connections <= 64, fmt.Sprint(m.callers64[ours].Connections), "64 callers, 6,000 calls: 64 connections")
	}
	if m.streams != nil {
		s := m.streams[ours]
		add(s.Bytes <= 40<<10, fmt.Sprintf("%.1f KiB", s.Bytes/1024), "1,000 streams at once: ≤ 40 KiB each")
		add(s.Ours == 0, fmt.Sprint(s.Ours), "1,000 streams at once: no goroutine of ours")
	}
	if g := m.gateway; g != nil {
		add(g.Call <= 300*time.Microsecond, g.Call.Round(time.Microsecond).String(), "babyapi-local: CPU added to a call ≤ 0.3 ms")
		add(g.Longer <= 0.10, fmt.Sprintf("%.1f %%", 100*g.Longer), "babyapi-local: a stream of an event each %s takes ≤ 10 %% longer", pace)
		add(float64(g.Event) <= 0.10*float64(pace), g.Event.Round(time.Microsecond).String(), "babyapi-local: CPU added to an event ≤ 10 %% of %s", pace)
	}
	flat := func(what string, steps []growth) {
		if len(steps) == 0 {
			return
		}
		last := steps[len(steps)-1]
		add(last.Memory <= steps[0].Memory+8<<20, mib(last.Memory), "%d %s: memory within 8 MiB of that for %d", last.N, what, steps[0].N)
	}
	flat("texts embedded", m.embed)
	flat("documents converted", m.convert)
	if us, them := m.mcp["babyapi-mcp"], m.mcp["docling-mcp"]; us != nil && them != nil {
		r := float64(them.CPU) / float64(us.CPU)
		add(r >= 100, fmt.Sprintf("%.0f ×", r), "babyapi-mcp to tools/list: ≥ 100 × less CPU than docling-mcp")
		if us.Resident > 0 {
			r = float64(them.Resident) / float64(us.Resident)
			add(r >= 8, fmt.Sprintf("%.1f ×", r), "babyapi-mcp: ≥ 8 × less memory than docling-mcp")
		}
	}
	if us := m.mcp["babyapi-mcp"]; us != nil {
		add(us.List <= 6<<10, fmt.Sprintf("%d B", us.List), "babyapi-mcp: tools/list ≤ 6 KiB")
	}
	if c := m.mcpCalls; c != nil {
		add(c.Overhead <= 500*time.Microsecond, c.Overhead.Round(time.Microsecond).String(), "babyapi-mcp: a call takes ≤ 0.5 ms longer than with the client alone (wall, medians)")
		add(c.Busy <= 50*time.Millisecond, c.Busy.Round(time.Microsecond).String(), "babyapi-mcp: a ping under %d calls ≤ 50 ms (wall, the longest of 20)", waitingCalls)
	}
	return out
}

func mib(b float64) string { return fmt.Sprintf("%.1f MiB", b/(1<<20)) }
