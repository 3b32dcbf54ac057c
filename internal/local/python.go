package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// interpreter is a Python that was run and found fit to build the environment.
type interpreter struct {
	Executable     string `json:"executable"`
	Version        string `json:"version"`
	Minor          int    `json:"minor"`
	Major          int    `json:"major"`
	Bits           int    `json:"bits"`
	Implementation string `json:"implementation"`
	Venv           bool   `json:"venv"`
	Musl           bool   `json:"musl"`
}

const probe = `
import importlib.util, json, platform, struct, sys, sysconfig
print(json.dumps({
  "executable": sys.executable,
  "version": platform.python_version(),
  "major": sys.version_info[0],
  "minor": sys.version_info[1],
  "bits": struct.calcsize("P") * 8,
  "implementation": platform.python_implementation(),
  "venv": all(importlib.util.find_spec(m) for m in ("venv", "ensurepip")),
  "musl": "musl" in (sysconfig.get_config_var("SOABI") or ""),
}))`

// probeTimeout is how long a Python may take to tell what it is. Tests shorten it.
var probeTimeout = 20 * time.Second

var errNoPython = errors.New("no fit Python found")

// FindPython is the path of the Python that the engines would be installed with: named, or if that
// is empty, the first one on the PATH that is fit.
func FindPython(ctx context.Context, named string) (string, error) {
	py, err := findPython(ctx, named)
	if err != nil {
		return "", err
	}
	return py.Executable, nil
}

// findPython returns the Python to build the environment with: named, if that is set, else the
// first candidate on the PATH that is fit. Each candidate is run, because the shim of a version
// manager may be found and yet fail.
func findPython(ctx context.Context, named string) (*interpreter, error) {
	if named != "" {
		py, err := probePython(ctx, []string{named})
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w; give --python (or BABYAPI_LOCAL_PYTHON) a CPython 3.11 to 3.14",
				errNoPython, named, err)
		}
		return py, nil
	}
	var unfit []string
	for _, candidate := range pythonCandidates() {
		py, err := probePython(ctx, candidate)
		if err == nil {
			return py, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		unfit = append(unfit, strings.Join(candidate, " ")+": "+err.Error())
	}
	if len(unfit) == 0 {
		unfit = []string{"there is none on the PATH"}
	}
	return nil, fmt.Errorf("%w; the local engines need CPython 3.11 to 3.14 (64 bit, with venv):\n  %s\n%s",
		errNoPython, strings.Join(unfit, "\n  "), pythonAdvice())
}

func pythonAdvice() string {
	switch runtime.GOOS {
	case "darwin":
		return "install it (brew install python@3.13), or name one that you have with --python"
	case "windows":
		return "install it (winget install Python.Python.3.13), or name one that you have with --python"
	default:
		return "install it (Debian, Ubuntu: sudo apt install python3 python3-venv; " +
			"Fedora: sudo dnf install python3), or name one that you have with --python"
	}
}

// pythonCandidates are the commands of all Pythons on the PATH by their usual names, in the order
// in which they are tried.
func pythonCandidates() [][]string {
	var found [][]string
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
		if _, err := exec.LookPath("py"); err == nil {
			found = append(found, []string{"py", "-3"})
		}
	}
	for _, name := range []string{"python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"} {
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			path := filepath.Join(dir, name+suffix)
			if st, err := os.Stat(path); err == nil && !st.IsDir() && filepath.IsAbs(path) {
				found = append(found, []string{path})
			}
		}
	}
	return found
}

// errSlow means that a Python gave no answer in time, which says nothing about whether it works.
var errSlow = errors.New("gave no answer in time; the machine may be busy")

// askPython runs a program with a Python and returns what it prints.
func askPython(
	ctx context.Context, limit time.Duration, command []string, program string, args ...string,
) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	args = slices.Concat(command[1:], []string{"-c", program}, args)
	cmd := exec.CommandContext(ctx, command[0], args...) //nolint:gosec // the user's own Python
	cmd.Env = childEnvironment(everyChildGets)
	cmd.WaitDelay = time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			return nil, fmt.Errorf("does not run: %w: %s", err, line)
		}
		return nil, fmt.Errorf("does not run: %w", err)
	}
	return out, nil
}

// probePython runs a Python and fails if it is not fit to build the environment.
func probePython(ctx context.Context, command []string) (*interpreter, error) {
	out, err := askPython(ctx, probeTimeout, command, probe)
	if err != nil {
		return nil, err
	}
	var py interpreter
	if err := json.Unmarshal(out, &py); err != nil {
		return nil, fmt.Errorf("answered %.60q, which is not what a Python answers", out)
	}
	switch {
	case py.Implementation != "CPython":
		return nil, fmt.Errorf("is %s %s, not CPython", py.Implementation, py.Version)
	case py.Major != 3 || py.Minor < 11 || py.Minor > 14:
		return nil, fmt.Errorf("is Python %s, not 3.11 to 3.14", py.Version)
	case py.Bits != 64:
		return nil, fmt.Errorf("is a %d-bit Python, not 64-bit", py.Bits)
	case py.Musl:
		return nil, errors.New("is built for musl (Alpine), for which llama.cpp has no package; " +
			"use a system with glibc")
	case !py.Venv:
		return nil, fmt.Errorf("has no venv module (Debian, Ubuntu: sudo apt install python3.%d-venv)", py.Minor)
	}
	return &py, nil
}

// proof looks for modules, or imports them, and fails with one line about the first that fails.
const proof = `
import importlib, importlib.util, sys
how, names, sys.path[:0] = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
for name in names:
    try:
        if how == "import":
            importlib.import_module(name)
        elif importlib.util.find_spec(name) is None:
            sys.exit("No module named " + name)
    except Exception as e:
        sys.exit(f"import of {name}: {type(e).__name__}: {e}")
`

// provePython fails if a Python lacks one of the modules, which are looked for in the paths first.
// Importing them all takes a second or more, so without full they are only looked for.
func provePython(ctx context.Context, python string, full bool, modules []string, paths ...string) error {
	how, limit := "find", probeTimeout
	if full {
		how, limit = "import", startTimeout
	}
	args := append([]string{how, strings.Join(modules, ",")}, paths...)
	_, err := askPython(ctx, limit, []string{python}, proof, args...)
	return err
}
