// Package python holds the official Python SDK (PyPI: babyapi) against this
// project: its requests against those of babyclient, and the SDK itself,
// unchanged, against the local stack.
//
// The SDK is locked in babyapi-VERSION.txt. To lock it again:
//
//	uv pip compile --universal --python-version 3.11 --generate-hashes --only-binary :all: \
//	  --no-emit-index-url --no-header --no-annotate babyapi-VERSION.in -o babyapi-VERSION.txt
package python

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
	"github.com/babyapi-org/babyapi-go/interop/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// sdk is a Python that has a version of the SDK installed.
func sdk(t *testing.T, version string) (python string) {
	t.Helper()
	requirements, err := filepath.Abs("babyapi-" + version + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	base, err := local.FindPython(t.Context(), os.Getenv("BABYAPI_LOCAL_PYTHON"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := local.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256(append(text, base...))
	venv := filepath.Join(cache, fmt.Sprintf("env-sdk-%x", key[:6])) // under a name that babyapi-local clean removes
	bin := filepath.Join("bin", "python")
	if runtime.GOOS == "windows" {
		bin = filepath.Join("Scripts", "python.exe")
	}
	python = filepath.Join(venv, bin)
	if exec.CommandContext(t.Context(), python, "-I", "-c", "import babyapi").Run() == nil {
		return python
	}
	// Built aside and renamed: it is there whole or not at all, and of two that build it one wins.
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	aside, err := os.MkdirTemp(cache, "env-sdk-*.partial") //nolint:usetesting // a rename stays on one disk
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(aside) }() // what is not renamed is of no use
	run(t, nil, nil, base, "-I", "-m", "venv", aside)
	run(t, nil, nil, filepath.Join(aside, bin), "-I", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
		"--only-binary", ":all:", "-r", requirements)
	if err := errors.Join(os.RemoveAll(venv), os.Rename(aside, venv)); err != nil {
		if _, there := os.Stat(python); there != nil {
			t.Fatal(err)
		}
	}
	return python
}

// run runs a command and returns what it printed. env is added to the environment.
func run(t *testing.T, stdin io.Reader, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "PIP_USER=0", "PIP_DISABLE_PIP_VERSION_CHECK=1", "NO_PROXY=127.0.0.1,localhost", "PYTHONUTF8=1",
		"BABYAPI_API_KEY=", "BABY_API_KEY=", "BABYAPI_BASE_URL=", "BABYAPI_DEFAULT_MODEL=")
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes()
}

// lines decodes a report of one JSON value on each line.
func lines[T any](t *testing.T, report []byte) []T {
	t.Helper()
	var out []T
	for line := range bytes.Lines(report) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v in the line %s", err, line)
		}
		out = append(out, v)
	}
	return out
}
