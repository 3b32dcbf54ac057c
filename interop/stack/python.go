package stack

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

// Python is a Python that has the packages of a file of locked requirements. It is made
// once for each file, in the cache of the local stack.
func Python(t testing.TB, requirements string) (python string) {
	t.Helper()
	requirements, err := filepath.Abs(requirements)
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
	probe := exec.CommandContext(t.Context(), python, "-I", "-m", "pip", "--version") //nolint:gosec // of this machine
	if probe.Run() == nil {
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
	for _, args := range [][]string{
		{base, "-I", "-m", "venv", aside},
		{filepath.Join(aside, bin), "-I", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
			"--only-binary", ":all:", "-r", requirements},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...) //nolint:gosec // a Python of this machine
		cmd.Env = append(os.Environ(), "PIP_USER=0", "PIP_DISABLE_PIP_VERSION_CHECK=1")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, text)
		}
	}
	if err := errors.Join(os.RemoveAll(venv), os.Rename(aside, venv)); err != nil {
		if _, there := os.Stat(python); there != nil {
			t.Fatal(err)
		}
	}
	return python
}
