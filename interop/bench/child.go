package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// What is measured alone is the work of a process of its own: this program again, with the work in
// an environment variable.
const (
	childVariable = "BABYAPI_BENCH_CHILD"
	quickVariable = "BABYAPI_BENCH_QUICK"
)

func childCommand(ctx context.Context, quick bool, work ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join(work, " "))
	if quick {
		cmd.Env = append(cmd.Env, quickVariable+"=1")
	}
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// inChild does the work in a process of its own and returns what it found.
func inChild(ctx context.Context, quick bool, work ...string) (found result, err error) {
	cmd, err := childCommand(ctx, quick, work...)
	if err != nil {
		return nil, err
	}
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(work, " "), err)
	}
	return found, json.Unmarshal(text, &found)
}

// child does the work of such a process, and reports whether this is one.
func child() bool {
	work := strings.Fields(os.Getenv(childVariable))
	if len(work) == 0 {
		return false
	}
	found, err := workOfChild(work)
	if err == nil && found != nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	return true
}

func workOfChild(work []string) (result, error) {
	switch work[0] {
	case "serve":
		size := fullSizes
		if os.Getenv(quickVariable) != "" {
			size = quickSizes
		}
		return nil, serve(context.Background(), size)
	case "callers":
		return callFromMany(work[1], work[2], number(work[3]), number(work[4]))
	case "streams":
		return openStreams(work[1], work[2], number(work[3]))
	case "embed":
		return embedTexts(work[1], number(work[2]))
	case "convert":
		return convertDocuments(work[1], number(work[2]))
	case "document":
		return measureDocument(number(work[1]), work[2])
	}
	return nil, fmt.Errorf("no work %q", work[0])
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
