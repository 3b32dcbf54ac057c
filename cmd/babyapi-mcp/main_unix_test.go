//go:build unix

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// residentMemory is the peak of a process's resident memory in bytes.
func residentMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Skipf("the memory of a process is read from /proc: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Skip("no VmHWM in /proc")
	return 0
}

// A signal ends the program with code 0, also while a call runs, and the service is told.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			url, came, left := slowService(t)
			r := start(t, program(t, []string{"BABYAPI_API_KEY=k", "BABYAPI_BASE_URL=" + url}))
			r.send(t, toolCall("1", "infer", `{"prompt":"x","model":"m"}`))
			<-came
			if err := r.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			<-left
			if err := waitEnd(t, r); err != nil {
				t.Errorf("ended with %v, want exit code 0", err)
			}
		})
	}
}

// When its client is gone, the program ends: neither an orphan nor a busy loop stays.
func TestClientGone(t *testing.T) {
	url, came, left := slowService(t)
	t.Run("stdin ends while a call runs", func(t *testing.T) {
		r := start(t, program(t, []string{"BABYAPI_API_KEY=k", "BABYAPI_BASE_URL=" + url}))
		r.send(t, toolCall("1", "infer", `{"prompt":"x","model":"m"}`))
		<-came
		if err := r.stdin.Close(); err != nil {
			t.Fatal(err)
		}
		<-left
		if line := r.line(t); !strings.Contains(line, "cancelled") {
			t.Errorf("got %s, want the answer of a cancelled call", line)
		}
		if err := waitEnd(t, r); err != nil {
			t.Errorf("ended with %v, want exit code 0", err)
		}
	})
	t.Run("nobody reads stdout", func(t *testing.T) {
		cmd := program(t, nil)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = writer
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Close() // the program has its own
		_ = reader.Close() // nobody reads
		r := &running{cmd: cmd, stdin: stdin}
		r.send(t, initialize)
		if err := waitEnd(t, r); err == nil {
			t.Error("ended with code 0, although its answer was lost")
		}
	})
}
