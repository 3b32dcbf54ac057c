package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityPromises holds SECURITY.md to naming a test, or a make target, behind each promise.
func TestSecurityPromises(t *testing.T) {
	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	makefile := read(t, filepath.Join(root, "Makefile"))
	_, promises, ok := strings.Cut(read(t, filepath.Join(root, "SECURITY.md")), "## Promises")
	if !ok {
		t.Fatal("SECURITY.md has no section Promises")
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	n := 0
	promises = strings.ReplaceAll(promises, "\n  ", " ") // one line for each
	for line := range strings.Lines(promises) {
		promise, isPromise := strings.CutPrefix(line, "- ")
		if !isPromise {
			continue
		}
		n++
		_, named, _ := strings.Cut(promise, ": `")
		names := quoted.FindAllStringSubmatch("`"+named, -1)
		if len(names) == 0 {
			t.Errorf("no test behind %q", promise)
		}
		for _, m := range names {
			target, isTarget := strings.CutPrefix(m[1], "make ")
			if isTarget && strings.Contains(makefile, "\n"+target+":") || tests[m[1]] {
				continue
			}
			t.Errorf("%q names %s, which does not exist", promise, m[1])
		}
	}
	if n < 20 {
		t.Errorf("only %d promises were found in SECURITY.md", n)
	}
}

// TestWorkflowsArePinned checks that an action is what a commit says, and that a job has no right
// that it does not name.
func TestWorkflowsArePinned(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no workflows: %v %v", files, err)
	}
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses: *(\S+)`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	for _, file := range files {
		text := read(t, file)
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(m[1]) && !strings.HasPrefix(m[1], "./") {
				t.Errorf("%s: %s is not pinned to a commit", file, m[1])
			}
		}
		readOnly := strings.Contains(text, "\npermissions:\n  contents: read\n")
		if !readOnly && !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s does not begin with the rights to read alone", file)
		}
		if strings.Contains(text, "pull_request_target") || strings.Contains(text, "write-all") {
			t.Errorf("%s gives rights away", file)
		}
		if strings.Count(text, "actions/checkout@") != strings.Count(text, "persist-credentials: false") {
			t.Errorf("%s: a checkout keeps its credentials", file)
		}
	}
}
