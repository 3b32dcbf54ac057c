// Package examples_test runs the examples as a person would, on real engines.
package examples_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

func TestExamples(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
	bin := t.TempDir() + string(filepath.Separator)
	for _, args := range [][]string{{"build", "-o", bin, "./agent", "./vectorstore"},
		{"-C", "../..", "build", "-o", bin, "./cmd/babyapi-mcp"}} {
		if text, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %q: %v\n%s", args, err, text)
		}
	}
	// A chat model so small that it says a few sentences only, always the same, and calls one tool.
	s, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0",
		ChatModel: "../../internal/local/testdata/models/tiny-chat.gguf", Messages: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // its end is asserted in its own tests
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stdout string // a pattern for all of it
		stderr string // a part
	}{
		{"agent", nil, 0, `^get_weather\({"city": "Oslo", "unit": "c"}\)\nIt is 21 C in Oslo\.\n$`, ""},
		// The schemas of more tools do not fit this model, which is said.
		{"agent", []string{"-mcp", bin + "babyapi-mcp"}, 1, `^$`, "agent: babyapi: token_limit: "},
		{"agent", []string{"-mcp", bin + "nowhere"}, 1, `^$`, "nowhere"},
		{"agent", []string{"-model", "gpt-9"}, 1, `^$`, "agent: babyapi: resource_not_found: "},
		{"vectorstore", nil, 0,
			`(?s)E31.*\n12 passages in the store, the best:\n  0\.\d\d  E31: low battery .*\nanswer: `, ""},
		{"vectorstore", []string{"why?", "nowhere.pdf"}, 1, `^$`, "nowhere.pdf"},
	} {
		cmd := exec.CommandContext(t.Context(), bin+tt.name, tt.args...)
		cmd.Dir = ".." // as go run ./examples/NAME
		cmd.Env = append(os.Environ(), "BABYAPI_BASE_URL="+s.BaseURL(), "BABYAPI_API_KEY=local",
			"BABYAPI_DEFAULT_MODEL=tiny-chat")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != tt.code ||
			!regexp.MustCompile(tt.stdout).Match(stdout.Bytes()) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s %q: exit code %d, want %d\nstdout %q, want %s\nstderr %q, want %q", tt.name, tt.args, code,
				tt.code, &stdout, tt.stdout, &stderr, tt.stderr)
		}
	}
}
