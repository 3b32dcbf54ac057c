// Command bench compares babyclient with other clients in one run: the same bytes for all, each
// answer checked before it is timed, CPU time of the process. `make bench` runs it; BENCHMARKS.md
// says how to read it. What needs no process of its own is a Go benchmark too: go -C interop test
// ./bench -bench .
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"testing"
)

// run is one run of everything.
type run struct {
	folder   string // of the module interop
	quick    bool   // small answers and one round: shows that all works, measures nothing
	rounds   int
	progress io.Writer

	sizes   sizes
	tmp     string // a folder for the time of the run
	service *serviceProcess
	results results
	skipped []string // what could not be measured, and why
}

func main() {
	if child() {
		return
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError) // without those of package testing
	r := &run{progress: os.Stderr}
	flags.StringVar(&r.folder, "dir", ".", "the `folder` of the module interop")
	flags.BoolVar(&r.quick, "quick", false, "small answers and one round: shows that all works, measures nothing")
	flags.IntVar(&r.rounds, "rounds", 5, "`number` of rounds, of which the best counts")
	benchtime := flags.String("benchtime", "150ms", "`time` of one measurement of one call")
	keep := flags.Bool("keep", false, "write the tables into BENCHMARKS.md, and the plot")
	_ = flags.Parse(os.Args[1:]) // it exits itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := r.all(ctx, *benchtime)
	stop()
	if err == nil && *keep {
		err = r.keep()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Fprint(os.Stdout, r.report())
	code := 0
	for _, q := range r.requirements() {
		if q.state == notMet && !r.quick {
			fmt.Fprintf(os.Stderr, "bench: not met: %s: %s\n", q.what, q.got)
			code = 1
		}
	}
	os.Exit(code)
}

func (r *run) say(what string) { fmt.Fprintln(r.progress, "bench:", what) }

func (r *run) skip(what string, err error) {
	line := strings.Join(strings.Fields(fmt.Sprintf("%s: %v", what, err)), " ") // an item of a list
	r.skipped = append(r.skipped, line)
	r.say("skipped: " + line)
}

// all measures everything.
func (r *run) all(ctx context.Context, benchtime string) (err error) {
	r.results, r.sizes = results{}, fullSizes
	total, open := 6_000, 1_000
	if r.quick {
		r.sizes, r.rounds, benchtime = quickSizes, 1, "1x"
		total, open = 1_000, 4
	}
	testing.Init()
	if err := flag.Set("test.benchtime", benchtime); err != nil {
		return err
	}
	if r.tmp, err = os.MkdirTemp("", "babyapi-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.tmp) //nolint:errcheck // in the system's own folder for such
	if r.service, err = startService(ctx, r.quick); err != nil {
		return err
	}
	defer r.service.close()
	a := newAnswers(r.sizes)
	memory, err := inMemory(a)
	if err != nil {
		return err
	}
	loopback, err := overLoopback(a, r.service.URL)
	if err != nil {
		return err
	}
	for _, measure := range []func() error{
		// Small things first: they suffer most from what large ones leave behind.
		func() error { return r.compareProcesses(ctx, a) },
		func() error { return r.compare("memory", memory, r.rounds) },
		func() error { return r.compare("loopback", loopback, min(r.rounds, 3)) },
		r.compareLengths,
		func() error { return r.compareCallers(ctx, 64, total) },
		func() error { return r.compareCallers(ctx, 1_000, total) },
		func() error { return r.compareStreams(ctx, open) },
		func() error { return r.measureGateway(ctx) },
		func() error { return r.compareDocuments(ctx) },
		func() error { return r.compareMCPServers(ctx) },
		func() error { return r.measureGrowth(ctx) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}
