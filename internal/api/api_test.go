// Package api_test keeps the list of everything that the packages of this module export, so that
// a change of the public surface is seen, and reviewed, as a change of a file.
package api_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lists anew")

// published are the packages that a program can import, by their folder.
var published = []string{
	"babyclient", "babyclient/babytest", "babyclient/docling", "provider", "provider/agents", "mcp",
}

func TestSurface(t *testing.T) {
	for _, folder := range published {
		t.Run(folder, func(t *testing.T) {
			got := surface(t, filepath.Join("../..", folder))
			list := strings.ReplaceAll(folder, "/", "-") + ".txt"
			if *update {
				if err := os.WriteFile(list, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(list)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(got, want) {
				return
			}
			before, after := declarations(want), declarations(got)
			for _, d := range before {
				if !slices.Contains(after, d) {
					t.Errorf("gone: %s", d)
				}
			}
			for _, d := range after {
				if !slices.Contains(before, d) {
					t.Errorf("new: %s", d)
				}
			}
			t.Errorf("%s exports other things than internal/api/%s says: "+
				"if that is meant, go test ./internal/api -update", folder, list)
		})
	}
}

// TestEveryPackageIsListed finds a package that is public and not in the list.
func TestEveryPackageIsListed(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case "internal", "testdata", "cmd", "docs", "examples", "packaging", "interop", "tools", ".git", ".cache",
			"bin", "dist":
			return filepath.SkipDir
		}
		folder, _ := filepath.Rel("../..", filepath.Dir(path))
		if strings.HasSuffix(path, ".go") && !slices.Contains(published, filepath.ToSlash(folder)) {
			t.Errorf("%s is public and has no list of what it exports", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func declarations(list []byte) []string { return strings.Split(string(list), "\n\n") }

// surface is every exported declaration, without comments and bodies, in the order of the text.
func surface(t *testing.T, folder string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution) // without comments
		if err != nil {
			t.Fatal(err)
		}
		if !ast.FileExports(file) {
			continue
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && !exported(d.Recv.List[0].Type) {
					continue
				}
				d.Body = nil
				out = append(out, text(t, set, d))
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, spec := range d.Specs {
					out = append(out, d.Tok.String()+" "+text(t, set, spec))
				}
			}
		}
	}
	slices.Sort(out)
	return []byte(strings.Join(slices.Compact(out), "\n\n") + "\n")
}

// exported tells whether a receiver is of an exported type.
func exported(receiver ast.Expr) bool {
	switch e := receiver.(type) {
	case *ast.StarExpr:
		return exported(e.X)
	case *ast.IndexExpr: // of a generic type
		return exported(e.X)
	case *ast.Ident:
		return e.IsExported()
	}
	return false
}

func text(t *testing.T, set *token.FileSet, node any) string {
	t.Helper()
	var b bytes.Buffer
	if err := (&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(&b, set,
		node); err != nil {
		t.Fatal(err)
	}
	// A declaration keeps the blank lines between its fields.
	return strings.ReplaceAll(b.String(), "\n\n", "\n")
}
