// Command launch runs a program and prints what it took. It is small, because on Linux the peak of
// memory that a process is charged with is at least that of the process which started it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...) //nolint:gosec,noctx // it runs what it is told to
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	wall := time.Since(start)
	if err != nil {
		fmt.Fprintln(os.Stderr, "launch:", os.Args[1:], err)
		os.Exit(1)
	}
	s := cmd.ProcessState
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{ // the parent sees if it is cut
		"CPU": s.UserTime() + s.SystemTime(), "Wall": wall, "Peak": peak(s), "Output": string(out)})
}
