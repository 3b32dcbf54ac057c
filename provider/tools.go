package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// toolset is the tools of a request, with what is needed to repair calls of them.
type toolset struct {
	tools []babyclient.Tool
	// argument is, for a tool that takes a single argument, that argument.
	argument map[string]argument
}

type argument struct {
	name string
	text bool // of type string, or of a type that the schema does not tell
}

// convertTools merges the tools with the deprecated functions, which langchaingo's agents still use.
func convertTools(tools []llms.Tool, functions []llms.FunctionDefinition) (toolset, error) {
	set := toolset{argument: map[string]argument{}}
	seen := map[string]bool{}
	add := func(where string, f *llms.FunctionDefinition) error {
		if f == nil {
			return invalid("%s has no Function", where)
		}
		if f.Name == "" {
			return invalid("%s has no name", where)
		}
		if seen[f.Name] {
			return invalid("%s: another tool is named %q too", where, f.Name)
		}
		seen[f.Name] = true
		parameters, err := schemaJSON(f.Parameters)
		if err != nil {
			return invalid("%s (%s): its Parameters are no JSON schema: %v", where, f.Name, err)
		}
		t := babyclient.FunctionTool(f.Name, f.Description, nil)
		if parameters != nil {
			t.Function.Parameters = parameters
			if a, ok := singleArgument(parameters); ok {
				set.argument[f.Name] = a
			}
		}
		if f.Strict {
			t.Function.Strict = new(true)
		}
		set.tools = append(set.tools, t)
		return nil
	}
	for i, t := range tools {
		if t.Type != "" && t.Type != "function" {
			return set, llms.NewError(llms.ErrCodeNotImplemented, providerName, fmt.Sprintf("tools[%d] has type %q: only functions can be called", i, t.Type))
		}
		if err := add(fmt.Sprintf("tools[%d]", i), t.Function); err != nil {
			return set, err
		}
	}
	fromTools := maps.Clone(seen)
	for i := range functions {
		if fromTools[functions[i].Name] { // said twice, once in the old way
			continue
		}
		if err := add(fmt.Sprintf("functions[%d]", i), &functions[i]); err != nil {
			return set, err
		}
	}
	return set, nil
}

// schemaJSON encodes a JSON schema: an object, or nil for none.
func schemaJSON(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	switch {
	case string(raw) == "null":
		return nil, nil
	case raw[0] != '{':
		return nil, fmt.Errorf("want a JSON object, not %s", shorten(string(raw)))
	}
	return raw, nil
}

// singleArgument is the argument of a tool that takes or needs only one.
func singleArgument(schema json.RawMessage) (argument, bool) {
	var s struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if json.Unmarshal(schema, &s) != nil {
		return argument{}, false
	}
	name := ""
	switch {
	case len(s.Required) == 1:
		name = s.Required[0]
	case len(s.Properties) == 1:
		for name = range s.Properties {
		}
	default:
		return argument{}, false
	}
	t := s.Properties[name].Type
	return argument{name: name, text: t == nil || t == "string"}, true
}

var errNoArguments = errors.New("its arguments are no JSON object, and the request has no tool of that name with a single argument to put them into")

// repair makes the arguments of an earlier call a JSON object, as the engines and the chat templates
// need them. langchaingo's agents unwrap a single argument and replay its bare text.
func (s toolset) repair(name, arguments string) (string, error) {
	trimmed := bytes.TrimSpace([]byte(arguments))
	valid := json.Valid(trimmed)
	switch {
	case len(trimmed) == 0 || string(trimmed) == "null":
		return "{}", nil
	case valid && trimmed[0] == '{':
		return arguments, nil
	}
	a, ok := s.argument[name]
	if !ok {
		return "", fmt.Errorf("%w: %s", errNoArguments, shorten(arguments))
	}
	var wrapped any = arguments
	if valid && !a.text {
		wrapped = json.RawMessage(trimmed)
	}
	out, err := json.Marshal(map[string]any{a.name: wrapped})
	return string(out), err
}

func (s toolset) has(name string) bool {
	for _, t := range s.tools {
		if t.Function.Name == name {
			return true
		}
	}
	return false
}

// choice is the wire's tool_choice for a choice in any of the forms that langchaingo and its other
// providers take: a word, the name of a tool, llms.ToolChoice, or their JSON.
func (s toolset) choice(v any, behavior llms.FunctionCallBehavior) (any, error) {
	option := "ToolChoice"
	if v == nil && behavior != "" {
		option, v = "FunctionCallBehavior", string(behavior)
		if json.Valid([]byte(behavior)) {
			v = json.RawMessage(behavior)
		}
	} else if v != nil && behavior != "" {
		return nil, invalid("conflicting options: ToolChoice and FunctionCallBehavior (%q) are both set: use ToolChoice", behavior)
	}
	if v == nil {
		return nil, nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, invalid("%s cannot be encoded as JSON: %v", option, err)
	}
	var word, name string
	var object struct {
		Type     string `json:"type"`
		Name     string `json:"name"` // as in function_call
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &word) == nil:
	case json.Unmarshal(raw, &object) == nil:
		if name = object.Function.Name; name == "" {
			name = object.Name
		}
		word = object.Type
	default:
		return nil, invalid("%s %s: want \"auto\", \"none\", \"required\" or a tool", option, shorten(string(raw)))
	}
	switch {
	case name != "":
	case word == "", word == babyclient.ToolChoiceAuto, word == babyclient.ToolChoiceNone:
		if len(s.tools) == 0 || word == "" {
			return nil, nil // what happens anyway
		}
		return word, nil
	case word == babyclient.ToolChoiceRequired:
		if len(s.tools) == 0 {
			return nil, invalid("conflicting options: %s is %q, and there are no tools", option, word)
		}
		return word, nil
	default:
		name = word
	}
	if !s.has(name) {
		return nil, invalid("conflicting options: %s is the tool %q, and no tool of the request is named so", option, name)
	}
	return babyclient.ToolChoiceFunction(name), nil
}

// shorten quotes a value for an error message.
func shorten(s string) string {
	const most = 120
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
