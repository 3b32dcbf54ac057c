// Command bench compares babyclient with other clients in one run: the same bytes for all, each answer checked before it
// is timed, CPU time of the process as well as wall time. `make bench` runs it; BENCHMARKS.md says how to read it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options of a run.
type options struct {
	dir    string // of the module interop
	quick  bool   // small answers and one round: shows that all works, measures nothing
	rounds int
	budget time.Duration // CPU time of one measurement
}

func main() {
	if child() {
		return
	}
	o := options{}
	flag.StringVar(&o.dir, "dir", ".", "the `folder` of the module interop")
	flag.BoolVar(&o.quick, "quick", false, "small answers and one round: shows that all works, measures nothing")
	flag.IntVar(&o.rounds, "rounds", 5, "`number` of runs, of which the best counts")
	flag.DurationVar(&o.budget, "budget", 150*time.Millisecond, "CPU `time` of one measurement")
	only := flag.String("only", "", "compare nothing but the operations whose name holds this `text`, from memory")
	keep := flag.Bool("keep", false, "write the tables into BENCHMARKS.md, and the plot")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	if *only != "" {
		operations = slices.DeleteFunc(operations, func(name string) bool { return !strings.Contains(name, *only) })
		a := newAnswers(fullSizes)
		r, err := compare(a, "http://bench.invalid", func() *http.Client { return clientOf(a) }, o.rounds, o.budget, func(string) {})
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		fmt.Fprint(os.Stdout, r.table(), "\n", r.allocations())
		return
	}
	m, err := run(ctx, o, os.Stderr)
	if err == nil && *keep {
		err = m.keep(filepath.Join(o.dir, ".."))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Fprint(os.Stdout, m.report())
	code := 0
	for _, must := range m.musts() {
		if !must.met && !o.quick {
			fmt.Fprintf(os.Stderr, "bench: not met: %s: %s\n", must.what, must.got)
			code = 1
		}
	}
	stop()
	os.Exit(code)
}

func run(ctx context.Context, o options, progress io.Writer) (*measured, error) {
	m := &measured{sizes: fullSizes}
	calls, open := 6_000, 1_000
	if o.quick {
		m.sizes, o.rounds, o.budget = quickSizes, 1, 0
		calls, open = 128, 4
	}
	say := func(what string) { fmt.Fprintln(progress, "bench:", what) }
	skip := func(what string, err error) {
		m.skipped = append(m.skipped, fmt.Sprintf("%s: %v", what, err))
		say("skipped: " + m.skipped[len(m.skipped)-1])
	}
	tmp, err := os.MkdirTemp("", "babyapi-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // in the system's own folder for such
	a := newAnswers(m.sizes)
	srv, err := startServer(ctx, o.quick)
	if err != nil {
		return nil, err
	}
	defer srv.close() //nolint:errcheck // all that it had to say was checked

	// Small things first: they suffer most from what large ones leave behind.
	all, err := programs(ctx, o, tmp, skip)
	if err != nil {
		return nil, err
	}
	m.binaries = map[string]int64{}
	for _, p := range all {
		m.binaries[p.name] = p.size
	}
	if m.processes, m.uploads, err = processes(ctx, srv, a, o, all, tmp, say); err != nil {
		return nil, err
	}
	say("from memory")
	if m.memory, err = compare(a, "http://bench.invalid", func() *http.Client { return clientOf(a) }, o.rounds, o.budget, say); err != nil {
		return nil, err
	}
	say("over loopback")
	pool := func() *http.Client { return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}} }
	if m.loop, err = compare(a, srv.URL, pool, min(o.rounds, 3), o.budget, say); err != nil {
		return nil, err
	}
	say("collected streams")
	if m.held, m.linear, err = collected(m.sizes, o.rounds, o.budget); err != nil {
		return nil, err
	}
	say("many callers")
	if m.callers64, err = callers(ctx, srv, o, 64, calls); err != nil {
		return nil, err
	}
	if m.callers1000, err = callers(ctx, srv, o, min(1_000, calls), calls); err != nil {
		return nil, err
	}
	say("many streams")
	if m.streams, err = streams(ctx, srv, o, open); err != nil {
		return nil, err
	}
	say("the gateway")
	if m.gateway, err = gateway(ctx, srv, o, tmp); err != nil {
		return nil, err
	}
	say("MCP servers")
	if m.mcp, err = mcpServersCost(ctx, o, tmp, skip); err != nil {
		return nil, err
	}
	if m.mcpCalls, err = mcpCallsCost(ctx, o, tmp); err != nil {
		return nil, err
	}
	say("growing work")
	if m.embed, err = grow(ctx, srv, o, "embed", embedSteps); err != nil {
		return nil, err
	}
	m.convert, err = grow(ctx, srv, o, "convert", convertSteps)
	return m, err
}
