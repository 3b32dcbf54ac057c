//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestLocalStackAt(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   bool
	}{
		"ready":         {200, `{"ready":true,"engines":[{"name":"chat","up":true}]}`, true},
		"starting":      {503, `{"ready":false,"engines":[{"name":"chat","up":false}]}`, false},
		"another's":     {200, `{"status":"ready"}`, false},
		"no engines":    {200, `{"ready":true}`, false},
		"a web page":    {200, `<html>ready</html>`, false},
		"not found":     {404, `{"ready":true,"engines":[{}]}`, false},
		"empty and 200": {200, ``, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ready" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}))
		if got := localStackAt(t.Context(), server.URL); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		server.Close()
		if localStackAt(t.Context(), server.URL) {
			t.Errorf("%s: a server that is gone is a stack", name)
		}
	}
}

// sessionOf lists the commands of the processes in the session that pid leads:
// it, and all that it and its children started and that still runs.
func sessionOf(t *testing.T, pid int) []string {
	t.Helper()
	var found []string
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state ppid pgrp session": the name may hold anything
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[0] != "Z" && fields[3] == strconv.Itoa(pid) {
			cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			found = append(found, string(bytes.ReplaceAll(cmdline, []byte{0}, []byte(" "))))
		}
	}
	return found
}

// started runs the example with a stack of its own, in a session of its own.
func started(t *testing.T, args ...string) (cmd *exec.Cmd, stdout io.Reader, stderr *bytes.Buffer) {
	t.Helper()
	needEngines(t)
	cmd = command(t, silentAddr(t), nil, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stdout, stderr
}

func TestNothingLeftAfterAnError(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.pdf")
	if err := os.WriteFile(bad, []byte("no PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, stdout, stderr := started(t, "-q", "x", bad)
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "bad.pdf") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if left := sessionOf(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestNothingLeftAfterCtrlC(t *testing.T) {
	for _, until := range []string{"Service: ", "Answer: "} {
		cmd, stdout, stderr := started(t)
		lines := bufio.NewReader(stdout)
		for seen := ""; !strings.HasSuffix(seen, until); {
			b, err := lines.ReadByte()
			if err != nil {
				t.Fatalf("%v before %q; %s", err, until, stderr)
			}
			seen += string(b)
		}
		if n := len(sessionOf(t, cmd.Process.Pid)); n < 4 {
			t.Errorf("%d processes while it runs, want it and three engines at least", n)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 1 || stderr.String() != "rag: interrupted\n" {
			t.Errorf("at %q: exit code %d, %q", until, code, stderr)
		}
		if left := sessionOf(t, cmd.Process.Pid); len(left) > 0 {
			t.Errorf("at %q: left behind: %q", until, left)
		}
	}
}

// The engines are installed by now, so nothing but this machine is spoken to.
func TestDemoStaysOnThisMachine(t *testing.T) {
	needEngines(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace: install it to see which connections the demo opens")
	}
	log := filepath.Join(t.TempDir(), "connections")
	demo := command(t, silentAddr(t), nil)
	cmd := exec.CommandContext(t.Context(), strace, "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg", "-o",
		log, demo.Path)
	cmd.Env = demo.Env
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	local := 0
	for line := range strings.Lines(string(calls)) {
		switch {
		case strings.Contains(line, `inet_addr("127.0.0.1")`):
			local++
		case strings.Contains(line, "sa_family=AF_INET"): // and AF_INET6
			t.Errorf("not to 127.0.0.1: %s", line)
		}
	}
	if local == 0 {
		t.Error(fmt.Sprint("strace saw no connection at all, so this test saw nothing: ", len(calls), " bytes"))
	}
}
