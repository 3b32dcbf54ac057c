package provider

import (
	"cmp"
	"encoding/json"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// choice is the wire's tool_choice for a choice in any of the forms that langchaingo and its other
// providers take: a word, the name of a tool, llms.ToolChoice, or their JSON. It is nil where a
// choice would change nothing.
func (s toolset) choice(given any, behavior llms.FunctionCallBehavior) (any, error) {
	option := "ToolChoice"
	switch {
	case given != nil && behavior != "":
		return nil, invalid("conflicting options: ToolChoice and FunctionCallBehavior (%q) are both set: "+
			"use ToolChoice", behavior)
	case behavior != "":
		option, given = "FunctionCallBehavior", string(behavior)
		if json.Valid([]byte(behavior)) {
			given = json.RawMessage(behavior)
		}
	case given == nil:
		return nil, nil
	}
	word, name, err := readChoice(option, given)
	switch {
	case err != nil:
		return nil, err
	case name != "":
	case word == "":
		return nil, nil
	case word == babyclient.ToolChoiceAuto, word == babyclient.ToolChoiceNone:
		if len(s.tools) == 0 {
			return nil, nil
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
		return nil, invalid("conflicting options: %s is the tool %q, and no tool of the request is named so",
			option, name)
	}
	return babyclient.ToolChoiceFunction(name), nil
}

// readChoice reads a choice that is a word or an object. Of an object, the word is its type.
func readChoice(option string, given any) (word, name string, err error) {
	raw, err := json.Marshal(given)
	if err != nil {
		return "", "", invalid("%s cannot be encoded as JSON: %v", option, err)
	}
	if json.Unmarshal(raw, &word) == nil { // also null, which leaves it empty
		return word, "", nil
	}
	var choice struct {
		Type     string `json:"type"`
		Name     string `json:"name"` // as in function_call
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(raw, &choice) != nil {
		return "", "", invalid(`%s %s: want "auto", "none", "required" or a tool`, option, quoteShort(string(raw)))
	}
	return choice.Type, cmp.Or(choice.Function.Name, choice.Name), nil
}
