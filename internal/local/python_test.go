package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakePython writes a program that answers the probe with what a Python of
// this kind would.
func fakePython(t *testing.T, path string, change func(*interpreter)) {
	t.Helper()
	py := interpreter{Executable: path, Version: "3.12.1", Major: 3, Minor: 12, Bits: 64, Implementation: "CPython",
		Venv: true}
	change(&py)
	text, err := json.Marshal(py)
	if err != nil {
		t.Fatal(err)
	}
	script(t, path, "echo '"+string(text)+"'")
}

func script(t *testing.T, path, body string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake Pythons are shell scripts: run this test on Linux or macOS")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestFindPythonPassesOverUnfit(t *testing.T) {
	shims, bin := t.TempDir(), t.TempDir()
	script(t, filepath.Join(shims, "python3.12"), "echo 'pyenv: python3.12: command not found' >&2; exit 127")
	fakePython(t, filepath.Join(shims, "python3.11"), func(py *interpreter) { py.Venv = false })
	fakePython(t, filepath.Join(shims, "python3"), func(py *interpreter) { py.Minor, py.Version = 9, "3.9.2" })
	fakePython(t, filepath.Join(bin, "python3"), func(*interpreter) {})
	t.Setenv("PATH", shims+string(os.PathListSeparator)+bin)
	py, err := findPython(t.Context(), "")
	if err != nil || py.Executable != filepath.Join(bin, "python3") {
		t.Errorf("Python found %+v, error %v; want the second one, the first does not run", py, err)
	}
}

func TestFindPythonTellsWhyNot(t *testing.T) {
	tests := map[string]struct {
		change func(*interpreter)
		want   string
	}{
		"too old": {func(py *interpreter) { py.Minor, py.Version = 9, "3.9.2" },
			"is Python 3.9.2, not 3.11 to 3.14"},
		"too new": {func(py *interpreter) { py.Minor, py.Version = 15, "3.15.0" },
			"is Python 3.15.0, not 3.11 to 3.14"},
		"not CPython": {func(py *interpreter) { py.Implementation = "PyPy" }, "is PyPy 3.12.1, not CPython"},
		"32 bit":      {func(py *interpreter) { py.Bits = 32 }, "is a 32-bit Python"},
		"musl":        {func(py *interpreter) { py.Musl = true }, "is built for musl"},
		"no ensurepip": {func(py *interpreter) { py.Venv = false },
			"has no venv module (Debian, Ubuntu: sudo apt install python3.12-venv)"},
		"no JSON at it": {nil, `answered "hello`},
		"fails":         {nil, "does not run: exit status 3: broken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "python3")
			switch {
			case tt.change != nil:
				fakePython(t, path, tt.change)
			case name == "fails":
				script(t, path, "echo broken >&2; exit 3")
			default:
				script(t, path, "echo hello")
			}
			t.Setenv("PATH", filepath.Dir(path))
			for _, named := range []string{"", path} {
				_, err := findPython(t.Context(), named)
				if !errors.Is(err, errNoPython) || !strings.Contains(err.Error(), tt.want) ||
					!strings.Contains(err.Error(), "--python") {
					t.Errorf("named %q: %v, want %s", named, err, tt.want)
				}
			}
		})
	}
}

func TestFindPythonNone(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findPython(t.Context(), "")
	if !errors.Is(err, errNoPython) || !strings.Contains(err.Error(), "none on the PATH") ||
		!strings.Contains(err.Error(), "install it") {
		t.Errorf("error without a Python: %v, want advice how to install one", err)
	}
	_, err = findPython(t.Context(), "python9")
	if !errors.Is(err, errNoPython) || !strings.Contains(err.Error(), "python9") {
		t.Errorf("error of a named Python that is not there: %v, want its name", err)
	}
}
