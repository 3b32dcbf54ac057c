package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
)

// TestMCPConfigurations checks that the page has, for each client, what --print-config prints.
func TestMCPConfigurations(t *testing.T) {
	page := filepath.Join(root, "docs/mcp.md")
	got := read(t, page)
	want := got
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
	if want == got {
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

// mcpServer is what a client's configuration says of a server.
type mcpServer struct {
	Command string
	Args    []string
	Env     map[string]string
}

// TestMCPConfigurationsRun starts what each JSON configuration of the pages names, as a client
// does, and asks for the tools.
func TestMCPConfigurationsRun(t *testing.T) {
	program := built(t, "cmd/babyapi-mcp")
	started := 0
	for _, b := range blocks(t, "json") {
		var config map[string]json.RawMessage
		if err := json.Unmarshal([]byte(b.text), &config); err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
		}
		for _, key := range []string{"mcpServers", "servers", "context_servers"} { // as the clients call it
			var servers map[string]mcpServer
			if config[key] == nil || json.Unmarshal(config[key], &servers) != nil {
				continue
			}
			for name, server := range servers {
				started++
				out, err := listTools(t, program, server)
				if err != nil || strings.Count(out, `"inputSchema"`) != 3 {
					t.Errorf("%s:%d: the server %s does not list three tools: %v\n%s", b.page, b.line, name, err, out)
				}
			}
		}
	}
	if started < 6 {
		t.Errorf("%d configurations were started, want at least 6", started)
	}
}

// listTools starts babyapi-mcp as the configuration says and returns what it answers.
func listTools(t *testing.T, program string, server mcpServer) (string, error) {
	t.Helper()
	if server.Command != "babyapi-mcp" {
		t.Errorf("the configuration starts %q, want babyapi-mcp", server.Command)
	}
	args := slices.Clone(server.Args)
	for i, arg := range args {
		if strings.HasPrefix(arg, "/path/to/") { // the reader's own
			args[i] = t.TempDir()
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	for name, value := range server.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":` +
		`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}` + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
