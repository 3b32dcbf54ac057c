// Package docs_test holds the README and the other pages to what they say: their Go compiles,
// their commands and options exist, their links lead somewhere.
package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var update = flag.Bool("update", false, "write what the pages take from the code")

// pages are the Markdown files of the project.
func pages(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "dist" || d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			out = append(out, path)
		}
		return nil
	})
	if err != nil || !slices.Contains(out, filepath.Join(root, "README.md")) {
		t.Fatalf("the pages %v: %v", out, err)
	}
	return out
}

type block struct {
	page, language, text string
	line                 int
}

var fence = regexp.MustCompile("(?m)^```(\\w*)\n((?s:.*?))^```$")

func blocks(t *testing.T, languages ...string) []block {
	t.Helper()
	var out []block
	for _, page := range pages(t) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
			b := block{page: page, language: text[m[2]:m[3]], text: text[m[4]:m[5]], line: strings.Count(text[:m[0]], "\n") + 1}
			if slices.Contains(languages, b.language) {
				out = append(out, b)
			}
		}
	}
	return out
}

// TestGoCompiles vets every Go block: a program as it is, statements inside a function that
// has what such pages take for granted.
func TestGoCompiles(t *testing.T) {
	dir, found := programs(t)
	if len(found) == 0 {
		t.Fatal("no Go in the pages")
	}
	out, err := exec.CommandContext(t.Context(), "go", "vet", "./"+dir+"/...").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// programs writes every Go block as a program into a folder, block by block.
func programs(t *testing.T) (dir string, found []block) {
	t.Helper()
	found = blocks(t, "go")
	// Inside the module, so that its own packages are found.
	dir, err := os.MkdirTemp(".", "build-") //nolint:usetesting // t.TempDir is outside of the module
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for i, b := range found {
		source := b.text
		if isFragment(b) {
			source = wrap(source)
		}
		folder := filepath.Join(dir, fmt.Sprintf("block%d", i))
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		source = fmt.Sprintf("//line %s:%d\n%s", filepath.Base(b.page), b.line+1, source)
		if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, found
}

func isFragment(b block) bool { return !strings.HasPrefix(b.text, "package ") }

// imports are the packages that a fragment may name without importing them.
var imports = map[string]string{
	"babyclient": "github.com/babyapi-org/babyapi-go/babyclient",
	"babytest":   "github.com/babyapi-org/babyapi-go/babyclient/babytest",
	"provider":   "github.com/babyapi-org/babyapi-go/provider",
	"llms":       "github.com/tmc/langchaingo/llms",
	"schema":     "github.com/tmc/langchaingo/schema",
	"http":       "net/http",
	"slog":       "log/slog",
	"json":       "encoding/json",
	"context":    "context", "errors": "errors", "fmt": "fmt", "log": "log", "os": "os", "strings": "strings", "time": "time", "io": "io",
}

func wrap(statements string) string {
	used := map[string]bool{"context": true, "babyclient": true, "log": true}
	for name := range imports {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(statements) {
			used[name] = true
		}
	}
	var b strings.Builder
	b.WriteString("package main\nimport (\n")
	for name := range used {
		fmt.Fprintf(&b, "%q\n", imports[name])
	}
	b.WriteString(`)

func main() {
	client, err := babyclient.New()
	if err != nil {
		log.Fatal(err)
	}
	req := &babyclient.ChatRequest{Model: "smollm2-135m-instruct", MaxTokens: new(20), Messages: []babyclient.Message{babyclient.User("Why is the sky blue?")}}
	if err := fragment(context.Background(), client, req); err != nil {
		log.Fatal(err)
	}
}

func fragment(ctx context.Context, client *babyclient.Client, req *babyclient.ChatRequest) error {
`)
	b.WriteString(statements)
	// A page shows how a value is got, not always what is done with it.
	for _, m := range regexp.MustCompile(`(?m)^(\w+(?:, \w+)*) :=`).FindAllStringSubmatch(statements, -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			if name != "_" {
				fmt.Fprintf(&b, "_ = %s\n", name)
			}
		}
	}
	b.WriteString("return nil\n}\n")
	return b.String()
}

func TestJSONIsJSON(t *testing.T) {
	for _, b := range blocks(t, "json") {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s:%d: no JSON", b.page, b.line)
		}
	}
}

var (
	command    = regexp.MustCompile(`(?m)(?:^|&& )(make|go run) (\S+)((?: -\S+)*)`)
	makeTarget = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// TestCommandsExist checks that what a page tells to run is there.
func TestCommandsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range makeTarget.FindAllSubmatch(makefile, -1) {
		targets[string(m[1])] = true
	}
	n := 0
	for _, b := range blocks(t, "sh") {
		base := root
		if strings.Contains(b.text, "cd interop") {
			base = filepath.Join(root, "interop")
		}
		for _, m := range command.FindAllStringSubmatch(b.text, -1) {
			n++
			switch m[1] {
			case "make":
				if !targets[m[2]] {
					t.Errorf("%s:%d: make has no target %q", b.page, b.line, m[2])
				}
			case "go run":
				if _, err := os.Stat(filepath.Join(base, m[2])); err != nil {
					t.Errorf("%s:%d: %v", b.page, b.line, err)
				}
			}
		}
	}
	if n == 0 {
		t.Fatal("no commands in the pages")
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLeadSomewhere checks the links inside the project, anchors included.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(string(data), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s: %v", page, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(t, target), anchor) {
				t.Errorf("%s: the link %s: no such heading", page, m[1])
			}
		}
	}
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// anchors are those that GitHub makes of the headings of a page.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range heading.FindAllStringSubmatch(string(data), -1) {
		out = append(out, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

// TestOptionsExist checks that the client has every name that the pages write as an option.
func TestOptionsExist(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "doc", "-all", "../../babyclient").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"README.md"} {
		data, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`((?:With|Err)[A-Z]\\w+)`").FindAllStringSubmatch(string(data), -1) {
			if !strings.Contains(string(out), m[1]) {
				t.Errorf("%s: babyclient has no %s", page, m[1])
			}
		}
	}
}
