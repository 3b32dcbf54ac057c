package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// toolset is the tools of a request, with what is needed to repair calls of them.
type toolset struct {
	tools []babyclient.Tool
	// single holds, by the name of a tool that takes a single argument, that argument.
	single map[string]argument
}

type argument struct {
	name   string
	isText bool // of type string, or of a type that the schema does not say
}

// convertTools merges the tools with the deprecated functions, which langchaingo's agents still
// use. A function that is among the tools too is left out.
func convertTools(tools []llms.Tool, functions []llms.FunctionDefinition) (toolset, error) {
	set := toolset{single: map[string]argument{}}
	for i, t := range tools {
		if t.Type != "" && t.Type != "function" {
			return set, newError(llms.ErrCodeNotImplemented,
				fmt.Sprintf("tools[%d] has type %q: only functions can be called", i, t.Type))
		}
		if err := set.add(fmt.Sprintf("tools[%d]", i), t.Function); err != nil {
			return set, err
		}
	}
	among := set // the tools alone
	for i := range functions {
		if among.has(functions[i].Name) {
			continue
		}
		if err := set.add(fmt.Sprintf("functions[%d]", i), &functions[i]); err != nil {
			return set, err
		}
	}
	return set, nil
}

// add adds a function; where names it in errors.
func (s *toolset) add(where string, f *llms.FunctionDefinition) error {
	switch {
	case f == nil:
		return invalid("%s has no Function", where)
	case f.Name == "":
		return invalid("%s has no name", where)
	case s.has(f.Name):
		return invalid("%s: another tool is named %q too", where, f.Name)
	}
	parameters, err := schemaJSON(f.Parameters)
	if err != nil {
		return invalid("%s (%s): its Parameters are no JSON schema: %v", where, f.Name, err)
	}
	t := babyclient.FunctionTool(f.Name, f.Description, nil)
	if parameters != nil {
		t.Function.Parameters = parameters
		if a, ok := singleArgument(parameters); ok {
			s.single[f.Name] = a
		}
	}
	if f.Strict {
		t.Function.Strict = new(true)
	}
	s.tools = append(s.tools, t)
	return nil
}

func (s toolset) has(name string) bool {
	return slices.ContainsFunc(s.tools, func(t babyclient.Tool) bool { return t.Function.Name == name })
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
	names := s.Required
	if len(names) != 1 {
		names = slices.Collect(maps.Keys(s.Properties))
	}
	if len(names) != 1 {
		return argument{}, false
	}
	t := s.Properties[names[0]].Type
	return argument{name: names[0], isText: t == nil || t == "string"}, true
}

// repair makes the arguments of an earlier call a JSON object, as the engines and the chat
// templates need them. langchaingo's agents unwrap a single argument and send its bare text back:
// "Oslo" for a tool that takes a city becomes {"city":"Oslo"} again. Where there is no such tool,
// because the model has made up its name, or no such argument, it becomes {"input":"Oslo"}: the
// model is told by the tool's answer what was wrong with it, and a run must not end for that.
func (s toolset) repair(name, arguments string) (string, error) {
	trimmed := bytes.TrimSpace([]byte(arguments))
	valid := json.Valid(trimmed)
	var text string
	switch {
	case len(trimmed) == 0, string(trimmed) == "null", json.Unmarshal(trimmed, &text) == nil && isEmptyOrNull(text):
		return "{}", nil
	case valid && trimmed[0] == '{':
		return arguments, nil
	}
	a := s.singleOf(name)
	var value any = arguments
	if valid && !a.isText {
		value = json.RawMessage(trimmed)
	}
	out, err := json.Marshal(map[string]any{a.name: value})
	return string(out), err
}

func isEmptyOrNull(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text == "null"
}

// singleOf is the single argument of a tool. A model writes its name in other case at times.
func (s toolset) singleOf(tool string) argument {
	if a, ok := s.single[tool]; ok {
		return a
	}
	for name, a := range s.single {
		if strings.EqualFold(name, tool) {
			return a
		}
	}
	return argument{name: "input", isText: true}
}
