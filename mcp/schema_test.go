package mcp

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	jsonschema "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files")

// listTools is the result of tools/list.
func listTools(t *testing.T, s *Server) json.RawMessage {
	t.Helper()
	raw := mustJSON(s.mcp.HandleMessage(t.Context(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)))
	var m struct{ Result json.RawMessage }
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m.Result
}

// What clients see of a tool, testdata/tools/NAME.json, changes only on purpose.
func TestToolsListGolden(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	list := listTools(t, s)
	if len(list) > 6<<10 {
		t.Errorf("tools/list has %d bytes, more than 6 KB: every agent pays for them in every conversation", len(list))
	}
	var got struct{ Tools []json.RawMessage }
	if err := json.Unmarshal(list, &got); err != nil {
		t.Fatal(err)
	}
	for i, tool := range listedTools(t, s) {
		var indented bytes.Buffer
		if err := json.Indent(&indented, got.Tools[i], "", "  "); err != nil {
			t.Fatal(err)
		}
		indented.WriteByte('\n')
		golden := filepath.Join("testdata", "tools", tool.Name+".json")
		if *update {
			if err := os.WriteFile(golden, indented.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatalf("%v: run go test ./mcp -update", err)
		}
		if !bytes.Equal(indented.Bytes(), want) {
			t.Errorf("%s in tools/list is not %s: see git diff after go test ./mcp -update", tool.Name, golden)
		}
	}
	if files, err := os.ReadDir(filepath.Join("testdata", "tools")); err != nil || len(files) != len(got.Tools) {
		t.Errorf("testdata/tools holds %d files for %d tools (%v)", len(files), len(got.Tools), err)
	}
}

type listedTool struct {
	Name         string
	Title        string
	Description  string
	InputSchema  map[string]any
	OutputSchema map[string]any
	Annotations  map[string]any
}

func listedTools(t *testing.T, s *Server) []listedTool {
	t.Helper()
	var list struct{ Tools []listedTool }
	if err := json.Unmarshal(listTools(t, s), &list); err != nil {
		t.Fatal(err)
	}
	return list.Tools
}

// Every schema keeps to what all clients take.
func TestSchemasArePortable(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	tools := listedTools(t, s)
	if len(tools) != 3 {
		t.Fatalf("%d tools, want 3", len(tools))
	}
	for _, tool := range tools {
		t.Run(tool.Name, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z_]{1,40}$`).MatchString(tool.Name) {
				t.Errorf("the name %q is not one that all clients take", tool.Name)
			}
			if n := len(tool.Description); n == 0 || n > 2000 {
				t.Errorf("the description has %d bytes, want 1 to 2000", n)
			}
			if tool.Title == "" || tool.Annotations["title"] != tool.Title {
				t.Errorf("title %q, annotations.title %q, want the same twice", tool.Title, tool.Annotations["title"])
			}
			wantHints := map[string]any{"title": tool.Title, "readOnlyHint": true, "destructiveHint": false,
				"idempotentHint": tool.Name != ToolInfer, "openWorldHint": true}
			if !maps.Equal(tool.Annotations, wantHints) {
				t.Errorf("annotations %v, want %v", tool.Annotations, wantHints)
			}
			walkSchema(t, "input", tool.InputSchema, 0)
			if tool.OutputSchema != nil {
				walkSchema(t, "output", tool.OutputSchema, 0)
			}
		})
	}
	if n := len(s.instructions()); n > 2000 {
		t.Errorf("the instructions have %d bytes, more than 2000", n)
	}
}

func walkSchema(t *testing.T, at string, schema map[string]any, depth int) {
	t.Helper()
	if depth > 3 {
		t.Errorf("%s: nested deeper than 3", at)
	}
	allowed := []string{"type", "description", "properties", "required", "additionalProperties", "items", "enum",
		"minimum", "maximum"}
	for key := range schema {
		if !slices.Contains(allowed, key) {
			t.Errorf("%s: keyword %q, which some clients do not take", at, key)
		}
	}
	kind, ok := schema["type"].(string)
	if !ok {
		t.Errorf("%s: type is %v, want one name", at, schema["type"])
	}
	if depth > 0 && schema["description"] == nil && at[len(at)-2:] != "[]" {
		t.Errorf("%s: no description", at)
	}
	if list, ok := schema["enum"].([]any); ok {
		for _, e := range list {
			if _, ok := e.(string); !ok {
				t.Errorf("%s: enum value %v is no string", at, e)
			}
		}
	}
	switch kind {
	case "object":
		properties, ok := schema["properties"].(map[string]any)
		if !ok {
			if schema["additionalProperties"] != true || depth == 0 {
				t.Errorf("%s: an object has properties, or additionalProperties true", at)
			}
			return
		}
		required, ok := schema["required"].([]any)
		if !ok {
			t.Errorf("%s: required is %v, want a list", at, schema["required"])
		}
		if schema["additionalProperties"] != false {
			t.Errorf("%s: additionalProperties is %v, want false", at, schema["additionalProperties"])
		}
		for _, name := range required {
			if properties[name.(string)] == nil {
				t.Errorf("%s: requires %v, which it has not", at, name)
			}
		}
		for name, p := range properties {
			if !regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`).MatchString(name) {
				t.Errorf("%s: the property name %q is not one that all clients take", at, name)
			}
			sub, ok := p.(map[string]any)
			if !ok {
				t.Errorf("%s.%s: schema is %v, want an object", at, name, p)
				continue
			}
			walkSchema(t, at+"."+name, sub, depth+1)
		}
	case "array":
		items, ok := schema["items"].(map[string]any)
		if !ok {
			t.Errorf("%s: items is %v, want a schema", at, schema["items"])
			return
		}
		walkSchema(t, at+"[]", items, depth+1)
	}
}

// Every description ends as it was written, and gives an example where the value is free.
func TestDescriptionsAreWhole(t *testing.T) {
	for name, schema := range map[string]json.RawMessage{ToolConvert: mustJSON(schemaOf[convertArguments]()),
		ToolInfer: mustJSON(schemaOf[inferArguments]()), ToolRerank: mustJSON(schemaOf[rerankArguments]())} {
		var s struct {
			Properties map[string]struct {
				Type        string
				Description string
				Enum        []string
			}
		}
		if err := json.Unmarshal(schema, &s); err != nil {
			t.Fatal(err)
		}
		for p, d := range s.Properties {
			free := (d.Type == "string" || d.Type == "integer" || d.Type == "number") && d.Enum == nil && p != "prompt"
			if free && !regexp.MustCompile(`e\.g\. \S`).MatchString(d.Description) {
				t.Errorf("%s.%s: no example in %q", name, p, d.Description)
			}
		}
	}
}

// structuredContent follows the schema that the tool promises, and says what the text says.
func TestStructuredContentFollowsItsSchema(t *testing.T) {
	svc := newService(t)
	svc.markdown = "# A\n\none two\n\n# B\n\nthree four"
	s, _ := newTestServer(t, svc)
	compiled := map[string]*jsonschema.Schema{}
	for _, tool := range listedTools(t, s) {
		if tool.OutputSchema == nil {
			continue
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("out.json", tool.OutputSchema); err != nil {
			t.Fatal(err)
		}
		compiled[tool.Name] = c.MustCompile("out.json")
	}
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	for _, args := range []string{`{"query":"two","texts":["one two","three"]}`, `{"query":"four","document_id":"` +
		id + `"}`} {
		r := call(t.Context(), t, s, ToolRerank, args)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Structured))
		if err != nil {
			t.Fatalf("%s: %v in %s", args, err, r.Structured)
		}
		if err := compiled[ToolRerank].Validate(v); err != nil {
			t.Errorf("%s: the structured content breaks the schema: %v", args, err)
		}
		if !jsonEqual(t, []byte(r.text()), r.Structured) {
			t.Errorf("text %s, structured %s, want the same twice", r.text(), r.Structured)
		}
	}
}

func jsonEqual(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		t.Fatalf("not JSON: %s, %s", a, b)
	}
	return x.String() == y.String()
}

func TestToolsFilter(t *testing.T) {
	s, _ := newTestServer(t, newService(t), WithTools(ToolRerank))
	if tools := listedTools(t, s); len(tools) != 1 || tools[0].Name != ToolRerank {
		t.Errorf("got %v, want rerank alone", tools)
	}
	raw := mustJSON(
		s.mcp.HandleMessage(t.Context(),
			json.RawMessage(
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"infer","arguments":{"prompt":"x"}}}`)))
	if !bytes.Contains(raw, []byte(`-32602`)) {
		t.Errorf("a tool that is filtered out was called: %s", raw)
	}
	if _, err := NewServer(s.documents.client, WithTools("embed")); err == nil {
		t.Error("WithTools took a name that is none")
	}
}

var documentIDPattern = regexp.MustCompile(`d_[a-z0-9]{10}`)

func documentID(t *testing.T, text string) string {
	t.Helper()
	id := documentIDPattern.FindString(text)
	if id == "" {
		t.Fatalf("no document_id in %q", text)
	}
	return id
}
