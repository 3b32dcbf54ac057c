// Package mcpconfig writes the configuration that each MCP client wants for babyapi-mcp. The
// README, --print-config and their tests all take it from here.
package mcpconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Settings are what a configuration says.
type Settings struct {
	// Command is the program: its absolute path for clients that do not search the PATH.
	Command string
	// Root is the folder that may be read.
	Root string
	// Key is the API key.
	Key string
}

// Example has the values that a reader replaces.
func Example() Settings {
	return Settings{Command: "babyapi-mcp", Root: "/path/to/documents", Key: "YOUR_KEY"}
}

const keyVariable = "BABYAPI_API_KEY"

// client is one MCP client.
type client struct {
	name  string
	write func(Settings) string
}

var clients = []client{
	{"claude-desktop", mcpServers},
	{"claude-code", func(s Settings) string {
		return fmt.Sprintf("claude mcp add babyapi -e %s=%s -- %s --root %s\n",
			keyVariable, shellWord(s.Key), shellWord(s.Command), shellWord(s.Root))
	}},
	{"codex", func(s Settings) string {
		const table = "[mcp_servers.babyapi]\ncommand = %s\nargs = [\"--root\", %s]\ntool_timeout_sec = 120\n\n" +
			"[mcp_servers.babyapi.env]\n%s = %s\n"
		return fmt.Sprintf(table, tomlString(s.Command), tomlString(s.Root), keyVariable, tomlString(s.Key))
	}},
	{"cursor", mcpServers},
	{"vscode", func(s Settings) string {
		input := orderedObject{
			{"type", "promptString"}, {"id", "babyapi-key"}, {"description", "BabyAPI key"}, {"password", true},
		}
		s.Key = "${input:babyapi-key}" // VS Code asks for the key and keeps it
		server := append(orderedObject{{"type", "stdio"}}, server(s)...)
		return indent(orderedObject{
			{"inputs", []orderedObject{input}},
			{"servers", orderedObject{{"babyapi", server}}},
		})
	}},
	{"gemini-cli", mcpServers},
	{"zed", func(s Settings) string {
		return indent(orderedObject{{"context_servers", orderedObject{{"babyapi", server(s)}}}})
	}},
}

// mcpServers is the form that most clients share.
func mcpServers(s Settings) string {
	return indent(orderedObject{{"mcpServers", orderedObject{{"babyapi", server(s)}}}})
}

// server is how to start the program.
func server(s Settings) orderedObject {
	return orderedObject{
		{"command", s.Command},
		{"args", []string{"--root", s.Root}},
		{"env", orderedObject{{keyVariable, s.Key}}},
	}
}

// Clients are the names that [Snippet] knows.
func Clients() []string {
	var names []string
	for _, c := range clients {
		names = append(names, c.name)
	}
	return names
}

// Snippet is the configuration of a client, as it is pasted.
func Snippet(name string, s Settings) (string, error) {
	i := slices.IndexFunc(clients, func(c client) bool { return c.name == name })
	if i < 0 {
		return "", fmt.Errorf("client %q: want one of %s", name, strings.Join(Clients(), ", "))
	}
	return clients[i].write(s), nil
}

// MustSnippet is Snippet for a name that is known.
func MustSnippet(name string, s Settings) string {
	text, err := Snippet(name, s)
	if err != nil {
		panic(err)
	}
	return text
}

// orderedObject is a JSON object that keeps its order.
type orderedObject []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o orderedObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", m.name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func indent(o orderedObject) string {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		panic(err) // strings and lists of them only
	}
	return string(b) + "\n"
}

// tomlString quotes a TOML basic string.
func tomlString(s string) string { return strconv.Quote(s) }

var plainWord = regexp.MustCompile(`^[-/_.:0-9a-zA-Z]+$`)

// shellWord quotes a word for a POSIX shell if it has to be.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
