package babyclient

import "cmp"

// Tool is a function that the model may call.
type Tool struct {
	// Type is "function"; empty means that.
	Type     string   `json:"type"`
	Function Function `json:"function"`
}

// Function describes a function to the model.
type Function struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters is the JSON schema of the arguments: any value that marshals to one. nil
	// is sent as the schema of an object without properties.
	Parameters any `json:"parameters"`
	// Strict asks that the arguments follow the schema.
	Strict *bool `json:"strict,omitzero"`
}

// FunctionTool is a tool with that name, description and JSON schema of its arguments.
func FunctionTool(name, description string, parameters any) Tool {
	function := Function{Name: name, Description: description, Parameters: parameters}
	return Tool{Type: "function", Function: function}
}

// MarshalJSON fills in the type and the schema of a function without arguments.
func (t Tool) MarshalJSON() ([]byte, error) {
	type fields Tool
	t.Type = cmp.Or(t.Type, "function")
	if t.Function.Parameters == nil {
		t.Function.Parameters = map[string]any{"type": "object", "properties": map[string]any{}}
	}
	return marshal(fields(t))
}

func (t *Tool) check(i int) error {
	if t.Function.Name == "" && cmp.Or(t.Type, "function") == "function" {
		return invalid(CodeInvalidRequest, "tools[%d] has no function name", i)
	}
	return nil
}

// Values of [ChatRequest.ToolChoice].
const (
	ToolChoiceAuto     = "auto"     // the model decides
	ToolChoiceNone     = "none"     // no tool is called
	ToolChoiceRequired = "required" // at least one is
)

// ToolChoiceFunction is the ToolChoice that makes the model call the function of that name.
func ToolChoiceFunction(name string) any {
	return map[string]any{"type": "function", "function": map[string]any{"name": name}}
}

// ToolCall is a call that the model makes, whole or, in a [Delta], a piece of one.
type ToolCall struct {
	// Index tells the calls of a streamed answer apart: a piece belongs to the call with its
	// index. It is nil in a whole answer.
	Index    *int         `json:"index,omitzero"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function FunctionCall `json:"function"`
}

// FunctionCall names the function and its arguments.
type FunctionCall struct {
	Name string `json:"name,omitempty"`
	// Arguments is JSON, as text. A model can write text that is no JSON. Arguments that a server
	// sends as an object are its JSON.
	Arguments string `json:"arguments"`
}

// ResponseFormat asks for JSON. Make it with [JSONObject] or [JSONSchema].
type ResponseFormat struct {
	Type       string            `json:"type"`
	JSONSchema *JSONSchemaFormat `json:"json_schema,omitzero"`
}

// JSONSchemaFormat is the schema that the answer follows.
type JSONSchemaFormat struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Schema is any value that marshals to a JSON schema.
	Schema any   `json:"schema"`
	Strict *bool `json:"strict,omitzero"`
}

// JSONObject asks for a JSON object of any shape.
func JSONObject() *ResponseFormat { return &ResponseFormat{Type: "json_object"} }

// JSONSchema asks for JSON that follows schema: any value that marshals to a JSON schema.
func JSONSchema(name string, schema any) *ResponseFormat {
	format := &JSONSchemaFormat{Name: name, Schema: schema, Strict: new(true)}
	return &ResponseFormat{Type: "json_schema", JSONSchema: format}
}
