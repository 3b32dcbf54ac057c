package local

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pythonWithPrograms is a Python of this machine and the folder of the engines' programs.
func pythonWithPrograms(t *testing.T) (python string, in *installation) {
	t.Helper()
	py, err := findPython(t.Context(), "")
	if err != nil {
		t.Skipf("a Python 3.11 to 3.14 is needed: %v", err)
	}
	programs, err := writePrograms(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return py.Executable, &installation{programs: programs}
}

// serveInChild is a Python program that starts another one, which holds a port that it writes to
// the file named by its first argument, and then waits for it.
const serveInChild = `
import subprocess, sys
grandchild = """
import os, socket, sys, time
s = socket.create_server(('127.0.0.1', 0))
with open(sys.argv[1] + '.tmp', 'w') as f: f.write('127.0.0.1:%d' % s.getsockname()[1])
os.rename(sys.argv[1] + '.tmp', sys.argv[1])
time.sleep(3600)
"""
child = subprocess.Popen([sys.executable, "-c", grandchild, sys.argv[1]], stdin=subprocess.DEVNULL)
`

// waitForFile returns the text of a file, once it is there.
func waitForFile(t *testing.T, path string) string {
	t.Helper()
	for range 1000 {
		if text, err := os.ReadFile(path); err == nil {
			return string(text)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s was not written", path)
	return ""
}

// A step of the installation that is cancelled takes with it what it has started, so that nothing
// goes on writing into a folder that the next run works on.
func TestInstallStepEndsWithItsChildren(t *testing.T) {
	python, in := pythonWithPrograms(t)
	cache := t.TempDir()
	log, err := os.Create(filepath.Join(cache, "install.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	i := installer{cache: cache, messages: io.Discard, log: log}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	file := filepath.Join(cache, "address")
	go func() {
		ended <- i.command(ctx, in, cache, python, python, "-c", serveInChild+"child.wait()", file)
	}()
	address := waitForFile(t, file)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error of a cancelled step: %v, want the cancelled context", err)
	}
	isGone(t, address)
}

// An engine whose parent was killed ends at once with what it has started; one that is asked to
// stop does so in order.
func TestEngineStopsInOrderOnlyIfAsked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no process groups: run this test on Linux or macOS")
	}
	python, in := pythonWithPrograms(t)
	program := "import sys\nsys.path.insert(0, " + `"` + in.programs + `"` + ")\nsys.dont_write_bytecode = True\n" +
		"from parent import end_with_parent\n" + serveInChild +
		"def stop():\n    child.kill()\n    open(sys.argv[1] + '.stopped', 'w').close()\n" +
		"end_with_parent(stop, grace=0.1)\nchild.wait()\nimport time\ntime.sleep(60)\n"
	for word, wantStopped := range map[string]bool{"": false, "stop\n": true} {
		file := filepath.Join(t.TempDir(), "address")
		cmd := exec.CommandContext(t.Context(), python, "-c", program, file)
		ownGroup(cmd)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		cmd.WaitDelay = time.Second
		pipe, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		address := waitForFile(t, file)
		_, _ = io.WriteString(pipe, word)
		_ = pipe.Close()
		_ = cmd.Wait()
		isGone(t, address)
		if _, err := os.Stat(file + ".stopped"); (err == nil) != wantStopped {
			t.Errorf("after the word %q it stopped in order: %t, want %t; it said %s",
				word, err == nil, wantStopped, stderr.String())
		}
	}
}
