package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// childVar names the work of a process that this program started of itself: what is to be measured alone.
const childVar = "BABYAPI_BENCH_CHILD"

// selfCommand is this program again, to do one thing.
func selfCommand(ctx context.Context, quick bool, work ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), childVar+"="+strings.Join(work, " "), "BABYAPI_BENCH_QUICK="+strconv.FormatBool(quick))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// runSelf runs the work in a process of its own and decodes what it prints.
func runSelf[T any](ctx context.Context, quick bool, work ...string) (out T, err error) {
	cmd, err := selfCommand(ctx, quick, work...)
	if err != nil {
		return out, err
	}
	text, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w", strings.Join(work, " "), err)
	}
	return out, json.Unmarshal(text, &out)
}

// child does the work of such a process, and reports whether this is one.
func child() bool {
	work := strings.Fields(os.Getenv(childVar))
	if len(work) == 0 {
		return false
	}
	s := fullSizes
	if os.Getenv("BABYAPI_BENCH_QUICK") == "true" {
		s = quickSizes
	}
	var out any
	var err error
	switch work[0] {
	case "server":
		err = serveChild(context.Background(), s)
	case "callers":
		out, err = callersChild(newAnswers(quickSizes), work[1], work[2], number(work[3]), number(work[4]))
	case "streams":
		out, err = streamsChild(newAnswers(quickSizes), work[1], work[2], number(work[3]))
	case "embed":
		out, err = growEmbedChild(work[1], number(work[2]))
	case "convert":
		out, err = growConvertChild(work[1], number(work[2]))
	default:
		err = fmt.Errorf("no work %q", work[0])
	}
	if err == nil && out != nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	return true
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// spent is what a process took for one thing.
type spent struct {
	CPU, Wall time.Duration
	Peak      int64 // bytes of memory
}

func (s *spent) best(o spent) {
	if s.CPU == 0 {
		*s = o
		return
	}
	s.CPU, s.Wall, s.Peak = min(s.CPU, o.CPU), min(s.Wall, o.Wall), min(s.Peak, o.Peak)
}
