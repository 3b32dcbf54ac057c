package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLockIsExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	got := make(chan error, 1)
	go func() {
		unlock, err := lock(t.Context(), path, false, func() { close(waiting) })
		if err == nil {
			unlock()
		}
		got <- err
	}()
	<-waiting
	select {
	case err := <-got:
		t.Fatalf("two hold the lock (%v)", err)
	default:
	}
	unlock()
	if err := <-got; err != nil {
		t.Errorf("taking the lock that was given back: %v", err)
	}
}

func TestLockGivesUpWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	second, err := lock(t.Context(), path, true, nil)
	if err != nil {
		t.Fatalf("a shared lock is not shared: %v", err)
	}
	second()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := lock(ctx, path, false, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("lock held by another: error %v, want the context that waiting cancelled", err)
	}
}

func TestBuildAside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "env")
	broken := errors.New("interrupted")
	fill := func(err error) func(string) error {
		return func(tmp string) error {
			if err := os.WriteFile(filepath.Join(tmp, fmt.Sprint(err)), nil, 0o600); err != nil {
				return err
			}
			return err
		}
	}
	if err := buildAside(dir, fill(broken)); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a folder half built is offered: %v", err)
	}
	if err := buildAside(dir, fill(nil)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"interrupted", "<nil>"} { // the second run goes on where the first was
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("file of a run after an interrupted one: %v", err)
		}
	}
}

func TestWritePrograms(t *testing.T) {
	cache := t.TempDir()
	dir, err := writePrograms(cache)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "llama.py"))
	if err != nil || !strings.Contains(string(text), "xllamacpp.Server") {
		t.Errorf("%v: %.100s", err, text)
	}
	again, err := writePrograms(cache)
	if err != nil || again != dir {
		t.Errorf("%s, %v, want %s", again, err, dir)
	}
}

func TestCheckRoom(t *testing.T) {
	cache := t.TempDir()
	if err := checkRoom(cache, cache, 1); err != nil {
		t.Errorf("room for one byte: %v", err)
	}
	err := checkRoom(cache, cache, 1<<60)
	if err == nil ||
		!strings.Contains(err.Error(), "needs about 1152921504606 MB more; make room, or set BABYAPI_LOCAL_CACHE") {
		t.Errorf("room for 1<<60 bytes: error %v, want it to say how much is needed", err)
	}
}

func TestExplainInstallFailures(t *testing.T) {
	tests := map[string]struct{ output, want string }{
		"uv without network": {"error: Failed to fetch: `pypi`\n  Caused by: dns error", "cannot be reached"},
		"pip without network": {"NewConnectionError: Failed to establish a new connection: [Errno -3] Temporary " +
			"failure in name resolution", "cannot be reached"},
		"a full disk":  {"OSError: [Errno 28] No space left on device; connection reset", "disk is full"},
		"a wrong hash": {"THESE PACKAGES DO NOT MATCH THE HASHES", "step: failed; it said:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("failed")
			err := explain(&stepError{command: "step", err: cause, output: tt.output, log: "install.log"})
			if !errors.Is(err, cause) || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), "install.log") {
				t.Errorf("error %v, want the cause, the log and %q", err, tt.want)
			}
		})
	}
}

// What a step started ends with this process's context, and its output is in the error.
func TestInstallStepReportsAndEnds(t *testing.T) {
	py, err := findPython(t.Context(), "")
	if err != nil {
		t.Skipf("a Python 3.11 to 3.14 is needed: %v", err)
	}
	cache := t.TempDir()
	programs, err := writePrograms(cache)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(cache, "install.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	i := installer{cache: cache, messages: io.Discard, log: log}
	in := &installation{programs: programs}
	err = i.command(t.Context(), in, cache, py.Executable, py.Executable, "-c", "import sys; sys.exit('wrong')")
	if step, ok := errors.AsType[*stepError](err); !ok || step.output != "wrong\n" {
		t.Errorf("error of a failed step: %v, want a stepError with the output wrong", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(500*time.Millisecond, cancel)
	err = i.command(ctx, in, cache, py.Executable, py.Executable, "-c", "import time; time.sleep(3600)")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error of a cancelled step: %v, want the cancelled context", err)
	}
}
