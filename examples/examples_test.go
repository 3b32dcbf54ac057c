// Package examples_test runs the examples as a person would, against a real
// stack. The tests of examples/rag are in its own folder.
package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

// examples are built in bin, and run against a stack whose chat model is so
// small that it says a few sentences only, always the same.
type examples struct{ bin, base string }

func build(t *testing.T, names ...string) *examples {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
	e := &examples{bin: t.TempDir()}
	args := []string{"build", "-o", e.bin + string(filepath.Separator)}
	for _, n := range names {
		args = append(args, "./"+n)
	}
	if text, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0",
		ChatModel: "../internal/local/testdata/models/tiny-chat.gguf", Messages: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	e.base = s.BaseURL()
	return e
}

func (e *examples) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(e.bin, name), args...)
	cmd.Dir = ".." // as go run ./examples/NAME
	cmd.Env = append(os.Environ(), "BABYAPI_BASE_URL="+e.base, "BABYAPI_API_KEY=local",
		"BABYAPI_DEFAULT_MODEL=tiny-chat")
	return cmd
}

func TestExamples(t *testing.T) {
	e := build(t, "chat", "stream", "vision", "tools", "embeddings", "batch", "mcp-client", "structured", "rerank")
	t.Run("output", func(t *testing.T) { testOutput(t, e) })
	t.Run("batch goes on after Ctrl-C", func(t *testing.T) { testBatchGoesOn(t, e) })
}

func testOutput(t *testing.T, e *examples) {
	photo := filepath.Join(t.TempDir(), "nowhere.jpg")
	for _, tt := range []struct {
		name, stdin string
		args        []string
		code        int
		stdout      string // a pattern for all of it
		stderr      string // a part
	}{
		{"chat", "Say hello\n\nnever read\n", nil, 0, `^Ask something; an empty line ends it.\nHello!\n$`, ""},
		{"chat", "hi", []string{"-model", "gpt-9"}, 1, `^Ask`, "chat: babyapi: POST /v1/chat/completions: 404"},
		{"stream", "", []string{"Count to twenty"}, 0, `^1 2 3 .* 19 20\.\n\(\d+ tokens of prompt, \d+ of answer\)\n$`,
			""},
		{"vision", "", nil, 1, `^$`, "image input is not supported"},
		{"vision", "", []string{photo}, 1, `^$`, "nowhere.jpg"},
		{"tools", "", nil, 0, `^get_weather\({"city": "Oslo", "unit": "c"}\) = 21 C\nIt is 21 C in Oslo\.\n$`, ""},
		{"embeddings", "", nil, 0,
			`^Where can I eat something\?\n5 vectors of 384 numbers\n  0\.\d\d  The canteen serves lunch`, ""},
		{"batch", "", []string{"-out", t.TempDir()}, 0, `^2 of 2 documents are in `, ""},
		{"batch", "", []string{"-out", t.TempDir(), photo}, 1, `^0 of 1 documents`, "nowhere.jpg"},
		{"mcp-client", "", nil, 0, `(?s)^offset 0, page 1: ## T-90 .*18 months.*\(read in 3 parts\)\n$`, ""},
		{"mcp-client", "", []string{photo}, 1, `^$`, "nowhere.jpg"},
		{"structured", "", nil, 0, `^city: (Oslo|Paris)\ndays: \d+\nguest: .{0,20}\n\(\d+ tokens\)\n$`, ""},
		{"structured", "", []string{"-model", "gpt-9"}, 1, `^$`, "structured: babyapi: resource_not_found: "},
		{"rerank", "", nil, 0,
			`(?s)E31.*\n3 of 12 passages:\n  0\.\d\d  E31: low battery .*\n` +
				`        \(t90-service-manual.pdf, page 3\)\n`, ""},
		{"rerank", "", []string{"why?", photo}, 1, `^$`, "nowhere.jpg"},
	} {
		cmd := e.command(t, tt.name, tt.args...)
		cmd.Stdin = strings.NewReader(tt.stdin)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != tt.code ||
			!regexp.MustCompile(tt.stdout).Match(stdout.Bytes()) ||
			!strings.Contains(stderr.String(), tt.stderr) || (tt.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("%s %q: exit code %d, want %d\nstdout %q, want %s\nstderr %q, want %q",
				tt.name, tt.args, code, tt.code, &stdout, tt.stdout, &stderr, tt.stderr)
		}
	}
}

func testBatchGoesOn(t *testing.T, e *examples) {
	if runtime.GOOS == "windows" {
		t.Skip("Ctrl-C cannot be sent to another process on this system: run this test on Linux or macOS")
	}
	manual, err := os.ReadFile("rag/documents/t90-service-manual.pdf")
	if err != nil {
		t.Fatal(err)
	}
	in, out := t.TempDir(), t.TempDir()
	args := []string{"-out", out}
	for i := range 30 {
		file := filepath.Join(in, fmt.Sprintf("%02d.pdf", i))
		if err := os.WriteFile(file, manual, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	submitted := func() []string {
		journal, err := os.ReadFile(filepath.Join(out, ".jobs"))
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(journal)), "\n")
	}

	cmd := e.command(t, "batch", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for len(submitted()) < 3 && t.Context().Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "goes on from here") {
		t.Fatalf("exit code %d, %s", code, &stderr)
	}
	before := submitted()
	if len(before) == 30 {
		t.Fatal("all were submitted before the interrupt, so there is nothing to go on with")
	}

	text, err := e.command(t, "batch", args...).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(text), "30 of 30 documents") {
		t.Fatalf("%v\n%s", err, text)
	}
	if after := submitted(); strings.Join(after[:len(before)], "\n") != strings.Join(before, "\n") {
		t.Errorf("the journal was changed: %q, then %q", before, after)
	} else {
		seen := map[string]bool{}
		for _, line := range after {
			file, _, _ := strings.Cut(line, `","ID"`)
			if seen[file] {
				t.Errorf("submitted twice: %s", file)
			}
			seen[file] = true
		}
	}
	written, err := filepath.Glob(filepath.Join(out, "*.md"))
	if err != nil || len(written) != 30 {
		t.Fatalf("%d documents, want 30; %v", len(written), err)
	}
	for _, file := range written {
		markdown, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(markdown), "every 18 months") {
			t.Errorf("%s: %v, %d bytes", file, err, len(markdown))
		}
	}
}
