package docs_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
)

// TestGoCompiles vets every Go block: a program as it is, statements inside a function that
// has what such pages take for granted.
func TestGoCompiles(t *testing.T) {
	dir, found := programs(t)
	if len(found) == 0 {
		t.Fatal("no Go in the pages")
	}
	run(t, "go", "vet", "./"+dir+"/...")
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
	"babyclient":   "github.com/babyapi-org/babyapi-go/babyclient",
	"docling":      "github.com/babyapi-org/babyapi-go/babyclient/docling",
	"babytest":     "github.com/babyapi-org/babyapi-go/babyclient/babytest",
	"provider":     "github.com/babyapi-org/babyapi-go/provider",
	"llms":         "github.com/tmc/langchaingo/llms",
	"schema":       "github.com/tmc/langchaingo/schema",
	"textsplitter": "github.com/tmc/langchaingo/textsplitter",
	"bytes":        "bytes",
	"color":        "image/color",
	"draw":         "image/draw",
	"image":        "image",
	"png":          "image/png",
	"http":         "net/http",
	"net":          "net",
	"rand":         "crypto/rand",
	"slog":         "log/slog",
	"json":         "encoding/json",
	"context":      "context",
	"errors":       "errors",
	"fmt":          "fmt",
	"io":           "io",
	"log":          "log",
	"os":           "os",
	"strings":      "strings",
	"time":         "time",
}

// wrap makes a program of the statements of a page, which take a client, a context and a request
// for granted.
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
	req := &babyclient.ChatRequest{
		Model:     "smollm2-135m-instruct",
		MaxTokens: new(20),
		Messages:  []babyclient.Message{babyclient.User("Why is the sky blue?")},
	}
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

// TestGoRuns runs every Go block of the README and of docs/ against the local stack, in a folder
// that holds the documents which the pages name.
func TestGoRuns(t *testing.T) {
	needEngines(t)
	stack := startStack(t)
	folder := t.TempDir()
	documents := filepath.Join(root, "examples/rag/documents")
	copyFile(t, filepath.Join(documents, "t90-service-manual.pdf"), filepath.Join(folder, "report.pdf"))
	copyFile(t, filepath.Join(documents, "travel-policy.docx"), filepath.Join(folder, "policy.docx"))
	zipFolder(t, filepath.Join(root, "babyclient/testdata/talk"), filepath.Join(folder, "talk.pptx"))
	dir, found := programs(t)
	bin := t.TempDir() + string(filepath.Separator)
	run(t, "go", "build", "-o", bin, "./"+dir+"/...")
	ran := 0
	for i, b := range found {
		if !strings.HasPrefix(b.text, "package main") && !isFragment(b) { // a test, say
			continue
		}
		ran++
		t.Run(fmt.Sprintf("%s:%d", filepath.Base(b.page), b.line), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), fmt.Sprintf("%sblock%d", bin, i))
			cmd.Dir = folder
			cmd.Env = append(os.Environ(), "BABYAPI_BASE_URL="+stack, "BABYAPI_API_KEY=local")
			out, err := cmd.CombinedOutput()
			if err != nil || len(out) == 0 && !strings.Contains(b.text, "babyclient.New(") {
				t.Errorf("the block ended with %v and printed %q", err, out)
			}
		})
	}
	if ran < 10 {
		t.Errorf("%d blocks ran, want at least 10", ran)
	}
}

func needEngines(t *testing.T) {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
}

// startStack returns the base URL of a local stack that ends with the test.
func startStack(t *testing.T) string {
	t.Helper()
	// A chat model of 1 MB under the name of the usual one: it is quick, and what it says does not
	// matter here.
	model := filepath.Join(t.TempDir(), local.ChatModel+".gguf")
	copyFile(t, filepath.Join(root, "internal/local/testdata/models/tiny-chat.gguf"), model)
	config := local.Config{Addr: "127.0.0.1:0", ChatModel: model, Messages: io.Discard}
	stack, err := local.Start(t.Context(), config)
	if err != nil {
		t.Fatalf("starting the local stack: %v", err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	return stack.BaseURL()
}

// zipFolder makes one file of the parts of a presentation.
func zipFolder(t *testing.T, from, to string) {
	t.Helper()
	var out bytes.Buffer
	parts := zip.NewWriter(&out)
	if err := errors.Join(parts.AddFS(os.DirFS(from)), parts.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, []byte(read(t, from)), 0o600); err != nil {
		t.Fatal(err)
	}
}
