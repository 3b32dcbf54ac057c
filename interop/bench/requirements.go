package main

import (
	"fmt"
	"math"
	"strconv"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// requirement is a limit that a run has to keep, and what this run says of it.
type requirement struct {
	what, got string
	state     string // met, notMet or notMeasured
}

const (
	met         = "met"
	notMet      = "**not met**"
	notMeasured = "not measured"
)

// requirements compares what was measured with every limit.
func (r *run) requirements() []requirement {
	var out []requirement
	add := func(what string, got float64, unit func(float64) string, ok bool) {
		found := requirement{what, unit(got), notMet}
		switch {
		case math.IsNaN(got):
			found.got, found.state = "–", notMeasured
		case ok:
			found.state = met
		}
		out = append(out, found)
	}
	atMost := func(what string, got, limit float64, unit func(float64) string) {
		add(what+" ≤ "+unit(limit), got, unit, got <= limit)
	}
	atLeast := func(what string, got, limit float64, unit func(float64) string) {
		add(what+" ≥ "+unit(limit), got, unit, got >= limit)
	}
	value, ratio := r.results.value, r.results.ratio

	// The client alone, beside others.
	cpuOf := func(operation, client, other string) (what string, got float64) {
		what = fmt.Sprintf("%s: CPU, %s / %s", titleOf(operation), client, other)
		return what, ratio(cpuNs, key("memory", operation, client), key("memory", operation, other))
	}
	for _, slower := range []struct {
		operation, client string
		limit             float64
	}{
		{calls.EmbedDefault, goOpenAI, 6}, {calls.EmbedDefault, openAIGo, 20}, {calls.EmbedFloat, goOpenAI, 2},
		{calls.Stream, goOpenAI, 6}, {calls.Stream, openAIGo, 15},
	} {
		what, got := cpuOf(slower.operation, slower.client, ours)
		atLeast(what, got, slower.limit, plain)
	}
	for _, pair := range []struct{ operation, client, other string }{
		{calls.Chat, ours, netHTTP}, {calls.Collect, ourProvider, ours}, {calls.EmbedDefault, ourProvider, ours},
	} {
		what, got := cpuOf(pair.operation, pair.client, pair.other)
		atMost(what, got, 1.3, plain)
	}
	atMost("embeddings: allocations", value(key("memory", calls.EmbedDefault, ours), allocs), 70, plain)
	atMost("stream: allocations for a chunk",
		value(key("memory", calls.Stream, ours), allocs)/float64(r.sizes.Chunks), 4, plain)
	atMost("stream, collected: memory kept / bytes of the text", value(collectedLong, liveBytes), 2, plain)
	atMost("stream, collected: CPU for a chunk, of four times as many / of as many",
		ratio(cpuNs, collectedLong, collectedShort), 1.3, plain)

	// Whole processes.
	upload := key("process", calls.Upload, ours)
	atMost("upload: CPU, babyclient / stdlib, a bare copy",
		ratio(cpuNs, upload, key("process", calls.Upload, netHTTP)), 1.2, plain)
	atMost("upload: peak memory", value(upload, peakBytes), 24<<20, size)
	declared := value(upload, declaredBytes)
	add("upload: the Content-Length is that of what came", declared, size,
		declared == value(upload, receivedBytes) && declared >= float64(r.sizes.Upload))
	atMost("cold start and one call: CPU, babyclient / stdlib",
		ratio(cpuNs, key("process", calls.Chat, ours), key("process", calls.Chat, netHTTP)), 1.15, plain)
	atMost("a stripped program that uses only the client",
		value(key("program", ours), programBytes), 7_000_000, megabytes)

	// Many at once.
	atMost("64 callers, answers after 20 ms: connections", value(key("callers-64", ours), connections), 64, plain)
	atMost("1,000 callers, answers after 20 ms: connections / callers",
		value(key("callers-1000", ours), connections)/1_000, 1.7, plain)
	atMost("1,000 streams at once: memory of each", value(key("streams", ours), liveBytes), 40<<10, size)
	atMost("1,000 streams at once: goroutines of ours", value(key("streams", ours), ownGoroutines), 0, plain)

	// babyapi-local.
	atMost("babyapi-local: CPU added to a call", value(gatewayCall, cpuNs), 0.3e6, duration)
	atMost("babyapi-local: a stream of an event each millisecond takes longer by",
		value(gatewayStream, extraWall), 0.10, percent)
	atMost("babyapi-local: CPU added to an event", value(gatewayStream, cpuNs), 0.10*float64(pace), duration)

	// Documents.
	for _, document := range jsonDocuments {
		atMost(fmt.Sprintf("%s: memory kept, %s / %s", document.title, ourDocument, anyMap), ratio(liveBytes,
			key("document", document.name, ourDocument), key("document", document.name, anyMap)), 0.5, plain)
	}

	// Growing work.
	for _, g := range growths {
		steps := r.steps(g.work)
		first, last := steps[0], steps[len(steps)-1]
		memory := func(n int) float64 { return value(key(g.work, strconv.Itoa(n)), liveBytes) }
		atMost(fmt.Sprintf("%s: memory for %s items beyond that for %s", g.title, thousands(last), thousands(first)),
			memory(last)-memory(first), 8<<20, size)
	}

	// babyapi-mcp.
	our, docling := key("mcp", ourMCP), key("mcp", doclingMCP)
	atLeast("babyapi-mcp to tools/list: CPU, docling-mcp / babyapi-mcp", ratio(cpuNs, docling, our), 100, plain)
	if value(our, liveBytes) > 0 { // Linux says how much memory a process has
		atLeast("babyapi-mcp: memory, docling-mcp / babyapi-mcp", ratio(liveBytes, docling, our), 8, plain)
	}
	atMost("babyapi-mcp: tools/list", value(our, listBytes), 6<<10, size)
	atMost("babyapi-mcp: a call takes longer than with the client alone (wall, medians) by",
		value(mcpCalls, wallNs), 0.5e6, duration)
	atMost(fmt.Sprintf("babyapi-mcp: a ping under %d calls (wall, the longest of 20)", waitingCalls),
		value(mcpCalls, pingNs), 50e6, duration)
	return out
}

func titleOf(operation string) string {
	for _, o := range operations {
		if o.name == operation {
			return o.title
		}
	}
	return operation
}
