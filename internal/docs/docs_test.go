// Package docs_test holds the README and the other pages to what they say: their Go compiles and
// runs, the README's commands run, those of other pages, options and links exist.
package docs_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var update = flag.Bool("update", false, "write what the pages take from the code")

// notOurs are folders whose Markdown files are none of the project's pages.
var notOurs = []string{"testdata", "bin", "dist", ".git", ".cache", "node_modules"}

// pages are the Markdown files of the project.
func pages(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(notOurs, d.Name()) {
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

// read returns the text of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a block of code in a page; line is where it begins.
type block struct {
	page, language, text string
	line                 int
}

var fence = regexp.MustCompile("(?m)^```(\\w*)\n((?s:.*?))^```$")

func blocks(t *testing.T, languages ...string) []block {
	t.Helper()
	var out []block
	for _, page := range pages(t) {
		text := read(t, page)
		for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
			language, line := text[m[2]:m[3]], strings.Count(text[:m[0]], "\n")+1
			if slices.Contains(languages, language) {
				out = append(out, block{page, language, text[m[4]:m[5]], line})
			}
		}
	}
	return out
}

func TestJSONIsJSON(t *testing.T) {
	for _, b := range blocks(t, "json") {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s:%d: this block is no JSON", b.page, b.line)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLeadSomewhere checks the links inside the project, anchors included.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, page), ""), -1) {
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
	var out []string
	for _, m := range heading.FindAllStringSubmatch(read(t, page), -1) {
		out = append(out, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

// TestOptionsExist checks that the client has every option and error that the README names.
func TestOptionsExist(t *testing.T) {
	documentation := run(t, "go", "doc", "-all", "../../babyclient")
	option := regexp.MustCompile("`((?:With|Err)[A-Z]\\w+)`")
	for _, m := range option.FindAllStringSubmatch(read(t, filepath.Join(root, "README.md")), -1) {
		if !strings.Contains(documentation, m[1]) {
			t.Errorf("README.md: babyclient has no %s", m[1])
		}
	}
}
