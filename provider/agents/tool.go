package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/provider"
)

// SchemaTool is a tool with a schema, which shows the model what arguments it takes. Its Call gets
// them as a JSON object.
type SchemaTool interface {
	tools.Tool
	// Parameters is the JSON schema of the arguments: any value that marshals to one.
	Parameters() any
}

// NewTool makes a tool of a function. The schema of its arguments is that of In, as
// provider.SchemaOf makes it. If arguments do not decode into an In, or one that the schema
// requires is missing, the model is answered what is wrong with them, so that it can correct them.
func NewTool[In any](name, description string, call func(context.Context, In) (string, error)) (SchemaTool, error) {
	if name == "" || call == nil {
		return nil, fmt.Errorf("agents: tool %q needs a name and a function", name)
	}
	schema, err := provider.SchemaOf[In]()
	if err != nil {
		return nil, fmt.Errorf("agents: tool %q: %w", name, err)
	}
	f := &functionTool[In]{name: name, description: description, schema: schema, call: call}
	if err := json.Unmarshal(schema, &f.required); err != nil {
		return nil, fmt.Errorf("agents: tool %q: its schema: %w", name, err)
	}
	return f, nil
}

type functionTool[In any] struct {
	name, description string
	schema            json.RawMessage
	required          requirement
	call              func(context.Context, In) (string, error)
}

func (f *functionTool[In]) Name() string        { return f.name }
func (f *functionTool[In]) Description() string { return f.description }
func (f *functionTool[In]) Parameters() any     { return f.schema }

func (f *functionTool[In]) Call(ctx context.Context, input string) (string, error) {
	var in In
	d := json.NewDecoder(bytes.NewReader([]byte(input)))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	if err == nil {
		if _, after := d.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err != nil {
		return fmt.Sprintf("error: the arguments of %s are wrong: %v", f.name, err), nil
	}
	if missing := f.required.missing(json.RawMessage(input), ""); len(missing) > 0 {
		return fmt.Sprintf("error: the arguments of %s lack %s", f.name, strings.Join(missing, ", ")), nil
	}
	return f.call(ctx, in)
}

// requirement is the part of a JSON schema that says what must be there. encoding/json leaves a
// field at its zero value if it is absent or null, and the tool would be run with that.
type requirement struct {
	Properties map[string]requirement `json:"properties"`
	Items      *requirement           `json:"items"`
	Required   []string               `json:"required"`
	Type       any                    `json:"type"`  // nil for anything, null too
	AnyOf      []json.RawMessage      `json:"anyOf"` // only of fields that may be null
}

// missing are the names of what is required and absent, or null where it must not be.
func (r requirement) missing(value json.RawMessage, path string) (names []string) {
	var items []json.RawMessage
	if r.Items != nil && json.Unmarshal(value, &items) == nil {
		for i, item := range items {
			names = append(names, r.Items.missing(item, fmt.Sprintf("%s[%d].", strings.TrimSuffix(path, "."), i))...)
		}
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return names
	}
	fields := map[string]json.RawMessage{} // encoding/json takes a name in other case too
	for name, field := range object {
		fields[strings.ToLower(name)] = field
	}
	for _, name := range r.Required {
		field, given := fields[strings.ToLower(name)]
		mayBeNull := r.Properties[name].AnyOf != nil || r.Properties[name].Type == nil
		if !given || string(field) == "null" && !mayBeNull {
			names = append(names, fmt.Sprintf("%q", path+name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		if field, given := fields[strings.ToLower(name)]; given {
			names = append(names, r.Properties[name].missing(field, path+name+".")...)
		}
	}
	return names
}

// plainInput is the one argument of a tool without a schema.
const plainInput = "input"

// definition is a tool as the model is shown it.
func definition(t tools.Tool) llms.Tool {
	var parameters any = map[string]any{
		"type":                 "object",
		"properties":           map[string]any{plainInput: map[string]any{"type": "string"}},
		"required":             []string{plainInput},
		"additionalProperties": false,
	}
	if s, ok := t.(SchemaTool); ok {
		parameters = s.Parameters()
	}
	return llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
		Name: t.Name(), Description: t.Description(), Parameters: parameters}}
}

// forgivingTool is a tool whose failures are answers to the model. The executor itself would end
// the run at the first failure. Only an ended context still does.
type forgivingTool struct{ tools.Tool }

func (f forgivingTool) Call(ctx context.Context, input string) (string, error) {
	if strings.TrimSpace(input) == "" {
		input = "{}" // some models call a tool without arguments like this
	}
	arguments, ok := readArguments(input)
	if !ok {
		return fmt.Sprintf("error: the arguments of %s are no JSON object: %s", f.Name(), input), nil
	}
	if _, ok := f.Tool.(SchemaTool); !ok {
		if input, ok = arguments[plainInput].(string); !ok {
			return fmt.Sprintf("error: %s takes one argument, %q, which is a string", f.Name(), plainInput), nil
		}
	}
	out, err := f.Tool.Call(ctx, input)
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return "", errors.Join(ctx.Err(), err)
	}
	return "error: " + err.Error(), nil
}

// readArguments decodes the arguments of a call; ok is false if they are no JSON object.
func readArguments(text string) (arguments map[string]any, ok bool) {
	ok = json.Unmarshal([]byte(text), &arguments) == nil
	return arguments, ok
}
