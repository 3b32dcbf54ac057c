package docs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/local"
	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
)

// TestGoRuns runs every Go block of the README and of docs/ against the local stack, in a folder
// that holds the documents which the pages name.
func TestGoRuns(t *testing.T) {
	needEngines(t)
	stack := startStack(t)
	folder := t.TempDir()
	for name, from := range map[string]string{"report.pdf": "t90-service-manual.pdf", "policy.docx": "travel-policy.docx"} {
		copyFile(t, filepath.Join(root, "examples/rag/documents", from), filepath.Join(folder, name))
	}
	dir, found := programs(t)
	bin := t.TempDir() + string(filepath.Separator)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./"+dir+"/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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
				t.Errorf("%v, it printed %q", err, out)
			}
		})
	}
	if ran < 10 {
		t.Errorf("%d blocks ran", ran)
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
	// A chat model of 1 MB under the name of the usual one: what it says does not matter here, and it is quick.
	model := filepath.Join(t.TempDir(), local.ChatModel+".gguf")
	copyFile(t, filepath.Join(root, "internal/local/testdata/models/tiny-chat.gguf"), model)
	stack, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0", ChatModel: model, Messages: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close() })
	return stack.BaseURL()
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMCPConfigurations checks that the page has, for each client, what --print-config prints.
func TestMCPConfigurations(t *testing.T) {
	page := filepath.Join(root, "docs/mcp.md")
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	for _, name := range mcpconfig.Clients() {
		snippet := mcpconfig.MustSnippet(name, mcpconfig.Example())
		language := "json"
		switch name {
		case "claude-code":
			language = "sh"
		case "codex":
			language = "toml"
		}
		mark := "<!-- " + name + " -->\n"
		before, after, ok := strings.Cut(want, mark)
		if !ok {
			t.Errorf("docs/mcp.md: no place for %s", name)
			continue
		}
		if m := fence.FindStringIndex(after); m != nil && strings.TrimSpace(after[:m[0]]) == "" {
			after = after[m[1]:]
		} else {
			after = "\n" + strings.TrimLeft(after, "\n")
		}
		want = before + mark + "\n```" + language + "\n" + snippet + "```" + after
	}
	if want == string(data) {
		return
	}
	if !*update {
		t.Error("docs/mcp.md does not say what babyapi-mcp --print-config prints: go test ./internal/docs -update")
		return
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMCPConfigurationsRun starts what each JSON configuration of the pages names, as a client does, and asks for the tools.
func TestMCPConfigurationsRun(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "../../cmd/babyapi-mcp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	type server struct {
		Command string
		Args    []string
		Env     map[string]string
	}
	started := 0
	for _, b := range blocks(t, "json") {
		var config map[string]json.RawMessage
		if err := json.Unmarshal([]byte(b.text), &config); err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
		}
		for _, under := range []string{"mcpServers", "servers", "context_servers"} { // as the clients call it
			var servers map[string]server
			if config[under] == nil || json.Unmarshal(config[under], &servers) != nil {
				continue
			}
			for name, s := range servers {
				started++
				args := slices.Clone(s.Args)
				for i, a := range args {
					if strings.HasPrefix(a, "/path/to/") { // the reader's own
						args[i] = t.TempDir()
					}
				}
				cmd := exec.CommandContext(t.Context(), filepath.Join(bin, s.Command), args...)
				for k, v := range s.Env {
					cmd.Env = append(cmd.Env, k+"="+v)
				}
				cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
`)
				out, err := cmd.CombinedOutput()
				if err != nil || strings.Count(string(out), `"inputSchema"`) != 3 {
					t.Errorf("%s:%d: the server %s: %v\n%s", b.page, b.line, name, err, out)
				}
			}
		}
	}
	if started < 6 {
		t.Errorf("%d configurations were started", started)
	}
}

// TestFlagsExist checks that the programs have the flags that the pages give them.
func TestFlagsExist(t *testing.T) {
	for _, program := range []string{"babyapi-mcp", "babyapi-local"} {
		out, err := exec.CommandContext(t.Context(), "go", "run", root+"/cmd/"+program, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, b := range blocks(t, "sh") {
			for line := range strings.Lines(b.text) {
				_, args, ok := strings.Cut(line, program+" ")
				if !ok || strings.HasPrefix(line, "claude mcp add") && program != "babyapi-mcp" {
					continue
				}
				for word := range strings.FieldsSeq(args) {
					if flag, ok := strings.CutPrefix(word, "--"); ok {
						n++
						if !strings.Contains(string(out), "-"+flag) {
							t.Errorf("%s:%d: %s has no flag --%s", b.page, b.line, program, flag)
						}
					}
				}
			}
		}
		if n == 0 {
			t.Errorf("no flag of %s in the pages", program)
		}
	}
}
