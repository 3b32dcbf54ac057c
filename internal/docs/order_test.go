package docs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxExceptions is how many pairs of files of a package may go against its reading order.
const maxExceptions = 8

// pair says that the file user uses something that the file used declares.
type pair struct{ user, used string }

func (p pair) String() string { return fmt.Sprintf("`%s` uses `%s`", p.user, p.used) }

// readingOrder is what CONTRIBUTING.md says of a package, in a section like this:
//
//	### Reading order of `babyclient`
//
//	1. `client.go` – what it is
//	2. `chat.go`, `complete.go` – several files of one item are read from left to right
//
//	- `complete.go` uses `client.go`: the reason
//
// Each file uses those below it alone. The list without numbers has the exceptions.
type readingOrder struct {
	files      []string
	exceptions []pair
}

// TestReadingOrder holds the lists of CONTRIBUTING.md to the code.
func TestReadingOrder(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"babyclient", "mcp"} {
		t.Run(folder, func(t *testing.T) {
			order, err := parseReadingOrder(string(page), folder)
			if err != nil {
				t.Fatalf("CONTRIBUTING.md: %v", err)
			}
			files, uses := usesBetweenFiles(t, filepath.Join(root, folder))
			for _, fault := range order.faults(files, uses) {
				t.Errorf("CONTRIBUTING.md, the reading order of %s: %s", folder, fault)
			}
		})
	}
}

var (
	orderItem = regexp.MustCompile("^[0-9]+\\. ((?:(?:, )?`\\w+\\.go`)+)")
	exception = regexp.MustCompile("^- `(\\w+\\.go)` uses `(\\w+\\.go)`: \\S")
	goFile    = regexp.MustCompile(`\w+\.go`)
)

func parseReadingOrder(page, folder string) (*readingOrder, error) {
	title := "### Reading order of `" + folder + "`\n"
	_, section, ok := strings.Cut(page, title)
	if !ok {
		return nil, fmt.Errorf("there is no section %q", strings.TrimSpace(title))
	}
	order := &readingOrder{}
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if m := orderItem.FindStringSubmatch(line); m != nil {
			order.files = append(order.files, goFile.FindAllString(m[1], -1)...)
		}
		if m := exception.FindStringSubmatch(line); m != nil {
			order.exceptions = append(order.exceptions, pair{m[1], m[2]})
		} else if strings.HasPrefix(line, "- ") {
			return nil, fmt.Errorf("%q is not of the form \"- `lower.go` uses `upper.go`: the reason\"", line)
		}
	}
	return order, nil
}

// faults compares the lists with the files of the package and with which of them uses which: uses
// has, for each pair, one identifier that makes it so.
func (o *readingOrder) faults(files []string, uses map[pair]string) (out []string) {
	place := map[string]int{}
	for i, file := range o.files {
		if _, twice := place[file]; twice {
			out = append(out, file+" is listed twice")
		}
		if !slices.Contains(files, file) {
			out = append(out, file+" is listed and does not exist")
		}
		place[file] = i
	}
	for _, file := range files {
		if _, listed := place[file]; !listed {
			out = append(out, file+" is not listed")
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(uses), comparePairs) {
		if place[p.user] > place[p.used] && !slices.Contains(o.exceptions, p) {
			out = append(out, fmt.Sprintf("%v, which stands above it, for %s", p, uses[p]))
		}
	}
	for _, p := range o.exceptions {
		if uses[p] == "" || place[p.user] < place[p.used] {
			out = append(out, fmt.Sprintf("the exception \"%v\" is none any more", p))
		}
	}
	if n := len(o.exceptions); n > maxExceptions {
		out = append(out, fmt.Sprintf("%d exceptions, want at most %d", n, maxExceptions))
	}
	return out
}

func comparePairs(a, b pair) int { return strings.Compare(a.String(), b.String()) }

// usesBetweenFiles type-checks a package and returns its files and, for each pair of them of which
// one uses the other, an identifier that is used.
func usesBetweenFiles(t *testing.T, folder string) (names []string, uses map[pair]string) {
	t.Helper()
	set := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		names = append(names, filepath.Base(path))
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "gc", exportData(t, folder))}
	checked, err := config.Check(folder, set, files, info)
	if err != nil {
		t.Fatalf("type-checking %s: %v", folder, err)
	}
	uses = map[pair]string{}
	for ident, object := range info.Uses {
		if object.Pkg() != checked {
			continue
		}
		file := func(pos token.Pos) string { return filepath.Base(set.Position(pos).Filename) }
		p := pair{file(ident.Pos()), file(object.Pos())}
		if p.user != p.used && (uses[p] == "" || ident.Name < uses[p]) {
			uses[p] = ident.Name
		}
	}
	return names, uses
}

// exportData returns a function that opens what the compiler has written of a package that the one
// in the folder imports.
func exportData(t *testing.T, folder string) func(path string) (io.ReadCloser, error) {
	t.Helper()
	args := []string{"list", "-deps", "-export", "-json=ImportPath,Export", "./" + folder}
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", folder, err)
	}
	files := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Export string }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// TestReadingOrderSeesFaults makes sure that the comparison above would notice.
func TestReadingOrderSeesFaults(t *testing.T) {
	const good = "### Reading order of `p`\n\n1. `a.go` – top\n2. `b.go`, `c.go` – below\n\n" +
		"- `c.go` uses `a.go`: a reason\n\n## Next\n\n1. `other.go`\n"
	files := []string{"a.go", "b.go", "c.go"}
	uses := map[pair]string{{"a.go", "b.go"}: "Down", {"c.go", "a.go"}: "Up"}
	upTwice := map[pair]string{{"c.go", "a.go"}: "Up", {"c.go", "b.go"}: "Name"}
	nowhereUp := map[pair]string{{"a.go", "b.go"}: "Down"}
	twice := strings.Replace(good, "`b.go`,", "`b.go`, `a.go`,", 1)
	nineExceptions := strings.Replace(good, "- `c", strings.Repeat("- `c.go` uses `a.go`: again\n", 8)+"- `c", 1)
	for name, tt := range map[string]struct {
		page  string
		files []string
		uses  map[pair]string
		want  string
	}{
		"as it should be":     {good, files, uses, ""},
		"a use that goes up":  {good, files, upTwice, "`c.go` uses `b.go`, which stands above it, for Name"},
		"an exception gone":   {good, files, nowhereUp, "\"`c.go` uses `a.go`\" is none any more"},
		"a file too many":     {good, files[:2], uses, "c.go is listed and does not exist"},
		"a file missing":      {good, append(files, "d.go"), uses, "d.go is not listed"},
		"a file twice":        {twice, files, nil, "a.go is listed twice"},
		"too many exceptions": {nineExceptions, files, uses, "9 exceptions, want at most 8"},
		"no reason":           {strings.Replace(good, ": a reason", "", 1), files, uses, "is not of the form"},
		"no section":          {"# Contributing", files, uses, "there is no section"},
	} {
		t.Run(name, func(t *testing.T) {
			order, err := parseReadingOrder(tt.page, "p")
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = strings.Join(order.faults(tt.files, tt.uses), "; ")
			}
			if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("the faults are %q, want %q", got, tt.want)
			}
		})
	}
}
