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
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/babyapi-org/babyapi-go/interop/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// sdk is a Python that has a version of the SDK installed.
func sdk(t *testing.T, version string) (python string) {
	t.Helper()
	return stack.Python(t, "babyapi-"+version+".txt")
}

// run runs a command and returns what it printed. env is added to the environment.
func run(t *testing.T, stdin io.Reader, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "PIP_USER=0", "PIP_DISABLE_PIP_VERSION_CHECK=1", "NO_PROXY=127.0.0.1,localhost",
		"PYTHONUTF8=1",
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
