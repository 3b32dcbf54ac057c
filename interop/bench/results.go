package main

import (
	"math"
	"strings"
)

// result is what one measurement found, by unit, as a Go benchmark reports it. Times are in
// nanoseconds, memory is in bytes.
type result map[string]float64

// The units.
const (
	cpuNs         = "cpu-ns/op" // of the whole process, the garbage collector's included
	wallNs        = "ns/op"
	allocs        = "allocs/op"
	allocBytes    = "B/op"
	peakBytes     = "peak-B"     // the most memory that a process had
	liveBytes     = "live-B"     // memory that stays in use
	stackBytes    = "stack-B"    // the stacks among it
	programBytes  = "program-B"  // the size of a stripped program
	declaredBytes = "declared-B" // the Content-Length of an upload
	receivedBytes = "received-B" // the bytes of an upload that came
	listBytes     = "list-B"     // the list of an MCP server's tools
	pingNs        = "ping-ns"
	connections   = "connections"
	goroutines    = "goroutines/op"
	ownGoroutines = "own-goroutines" // that babyclient started
	extraWall     = "extra-wall"     // how much more wall time: 0.01 is 1 %
	itemCount     = "items"
	jsonBytes     = "json-B" // the length of a document
	textBytes     = "text-B" // the texts and cells in it
)

// results are those of a run by what was measured and of whom, such as "memory/chat/go-openai".
type results map[string]result

func key(parts ...string) string { return strings.Join(parts, "/") }

// keep adds a result. Of several, the least of each unit counts: other work on the machine only
// adds.
func (r results) keep(name string, found result) {
	kept := r[name]
	if kept == nil {
		kept = result{}
		r[name] = kept
	}
	for unit, value := range found {
		if best, ok := kept[unit]; !ok || value < best {
			kept[unit] = value
		}
	}
}

// value returns NaN for what was not measured.
func (r results) value(name, unit string) float64 {
	if v, ok := r[name][unit]; ok {
		return v
	}
	return math.NaN()
}

// ratio is how many times the value of b that of a is.
func (r results) ratio(unit, a, b string) float64 { return r.value(a, unit) / r.value(b, unit) }
