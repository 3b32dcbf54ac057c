package mcpconfig

import (
	"encoding/json"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

var awkward = Settings{Command: `/opt/my tools/babyapi-mcp`, Root: `/home/me/a "b" c'd`, Key: "sk-$1`x`"}

// Every snippet that is JSON parses, and says command, folder and key wherever the client wants
// them.
func TestJSONSnippets(t *testing.T) {
	path := map[string][]string{
		"claude-desktop": {"mcpServers", "babyapi"}, "cursor": {"mcpServers", "babyapi"},
		"gemini-cli": {"mcpServers", "babyapi"},
		"vscode":     {"servers", "babyapi"}, "zed": {"context_servers", "babyapi"},
	}
	for client, keys := range path {
		t.Run(client, func(t *testing.T) {
			text, err := Snippet(client, awkward)
			if err != nil {
				t.Fatal(err)
			}
			var v map[string]any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			for _, k := range keys {
				v, _ = v[k].(map[string]any)
			}
			if v["command"] != awkward.Command || !reflect.DeepEqual(v["args"], []any{"--root", awkward.Root}) {
				t.Errorf("the server is %v, want command %q and root %q", v, awkward.Command, awkward.Root)
			}
			key := awkward.Key
			if client == "vscode" {
				key = "${input:babyapi-key}" // VS Code asks for it and keeps it
				if strings.Contains(text, awkward.Key) || !strings.Contains(text, `"password": true`) {
					t.Errorf("the key stands in %s", text)
				}
			}
			if env, _ := v["env"].(map[string]any); env["BABYAPI_API_KEY"] != key {
				t.Errorf("env is %v, want the key %q", v["env"], key)
			}
		})
	}
}

// The command for Claude Code is one that a shell splits into the words that are meant.
func TestClaudeCodeSnippet(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here to split the words of the command")
	}
	text, err := Snippet("claude-code", awkward)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", `claude() { for a in "$@"; do printf '%s\n' "$a"; done; }; `+
		text).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"mcp", "add", "babyapi", "-e", "BABYAPI_API_KEY=" + awkward.Key, "--", awkward.Command, "--root",
		awkward.Root}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The TOML for Codex: each line is a table or a key with a basic string, a list of them, or a
// number.
func TestCodexSnippet(t *testing.T) {
	text, err := Snippet("codex", awkward)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	table := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.TrimSuffix(name, "]") + "."
			continue
		}
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, " = ")
		var v any
		// A TOML basic string, list or number of this kind is JSON.
		if !ok || json.Unmarshal([]byte(value), &v) != nil {
			t.Fatalf("line %q", line)
		}
		got[table+key] = v
	}
	want := map[string]any{
		"mcp_servers.babyapi.command": awkward.Command, "mcp_servers.babyapi.args": []any{"--root", awkward.Root},
		"mcp_servers.babyapi.tool_timeout_sec": 120.0, "mcp_servers.babyapi.env.BABYAPI_API_KEY": awkward.Key,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUnknownClient(t *testing.T) {
	if _, err := Snippet("emacs", Example()); err == nil ||
		!strings.Contains(err.Error(), "claude-desktop, claude-code, codex, cursor, vscode, gemini-cli, zed") {
		t.Errorf("got %v, want the clients that there are", err)
	}
}
