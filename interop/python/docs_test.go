package python

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/interop/stack"
)

// The Python that the page for people of the SDK shows beside the Go is Python that works.
func TestPythonOfTheDocs(t *testing.T) {
	base := stack.URL(t)
	page, err := os.ReadFile("../../docs/from-python-and-javascript.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```python\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(found) < 2 {
		t.Fatalf("the page has %d blocks of Python, want at least 2", len(found))
	}
	pdf, err := os.ReadFile("../../examples/rag/documents/t90-service-manual.pdf")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "report.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	python := sdk(t, "0.4.0")
	for _, m := range found {
		program := "import os\nos.chdir(" + `"` + filepath.ToSlash(folder) + `"` +
			")\nfrom babyapi import BabyAPI\nclient = BabyAPI()\n" + m[1]
		out := run(t, strings.NewReader(program), []string{"BABYAPI_BASE_URL=" + base, "BABYAPI_API_KEY=local"}, python,
			"-I", "-")
		if len(strings.TrimSpace(string(out))) == 0 {
			t.Errorf("it printed nothing:\n%s", m[1])
		}
	}
}
