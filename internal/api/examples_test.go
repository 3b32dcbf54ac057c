package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// calledByOthers are the methods that a user of the packages does not call: encoding/json, errors,
// fmt and langchaingo do.
var calledByOthers = []string{
	"MarshalJSON", "UnmarshalJSON", "Is", "Unwrap", "Format",
	"Plan", "GetInputKeys", "GetOutputKeys", "GetTools", // of an agents.Agent
}

// TestEverythingHasAnExample: a reader of pkg.go.dev finds each function and each method in an
// example of its package.
func TestEverythingHasAnExample(t *testing.T) {
	for _, folder := range published {
		t.Run(folder, func(t *testing.T) {
			used := usedInExamples(t, filepath.Join("../..", folder))
			if len(used) == 0 {
				t.Fatal("no examples")
			}
			for _, name := range functions(t, filepath.Join("../..", folder)) {
				_, method, isMethod := strings.Cut(name, ".")
				if !isMethod {
					method = name
				}
				if !used[method] && (!isMethod || !slices.Contains(calledByOthers, method)) {
					t.Errorf("%s is in no example: add an Example function, or the line to one", name)
				}
			}
		})
	}
}

// functions are the names of the exported functions, and of methods as Type.Method.
func functions(t *testing.T, folder string) (out []string) {
	t.Helper()
	for _, file := range parse(t, folder, false) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || !f.Name.IsExported():
			case f.Recv == nil:
				out = append(out, f.Name.Name)
			case exported(f.Recv.List[0].Type):
				receiver := f.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				if generic, ok := receiver.(*ast.IndexExpr); ok {
					receiver = generic.X
				}
				out = append(out, receiver.(*ast.Ident).Name+"."+f.Name.Name)
			}
		}
	}
	return out
}

// usedInExamples are the names after a dot in the Example functions of a package, as in client.Chat
// and babyclient.New.
func usedInExamples(t *testing.T, folder string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, file := range parse(t, folder, true) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Example") {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					out[s.Sel.Name] = true
				}
				return true
			})
		}
	}
	return out
}

func parse(t *testing.T, folder string, tests bool) (out []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file)
	}
	return out
}
