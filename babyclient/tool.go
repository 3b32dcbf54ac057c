package babyclient

import "cmp"

// Tool is a function that the model may call, or a tool of the service's own, such as
// Tool{Type: "web_search"}.
type Tool struct {
	// Type is "function"; empty means that.
	Type     string   `json:"type"`
	Function Function `json:"function"` // not sent if it is empty and the type another

	// Extra holds further fields of the tool.
	Extra map[string]any `json:"-"`
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

	// Extra holds further fields of the function.
	Extra map[string]any `json:"-"`
}

// FunctionTool is a tool with that name, description and JSON schema of its arguments.
func FunctionTool(name, description string, parameters any) Tool {
	function := Function{Name: name, Description: description, Parameters: parameters}
	return Tool{Type: functionType, Function: function}
}

// MarshalJSON fills in the type.
func (t Tool) MarshalJSON() ([]byte, error) {
	type fields Tool
	t.Type = cmp.Or(t.Type, functionType)
	if t.Type != functionType && t.Function.isZero() {
		return encodeBody(map[string]string{"type": t.Type}, t.Extra)
	}
	return encodeBody(fields(t), t.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (t *Tool) UnmarshalJSON(data []byte) error {
	type fields Tool
	return decodeWithExtra(data, (*fields)(t), &t.Extra)
}

const functionType = "function"

func (f *Function) isZero() bool {
	return f.Name == "" && f.Description == "" && f.Parameters == nil && f.Strict == nil && f.Extra == nil
}

// MarshalJSON fills in the schema of a function without arguments.
func (f Function) MarshalJSON() ([]byte, error) {
	type fields Function
	if f.Parameters == nil {
		f.Parameters = map[string]any{"type": "object", "properties": map[string]any{}}
	}
	return encodeBody(fields(f), f.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (f *Function) UnmarshalJSON(data []byte) error {
	type fields Function
	return decodeWithExtra(data, (*fields)(f), &f.Extra)
}

func (t *Tool) check(i int) error {
	if t.Function.Name == "" && cmp.Or(t.Type, functionType) == functionType {
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

// realID is "" for what servers write that have no id.
func realID(id string) string {
	switch id {
	case "null", "None", "nil", "undefined":
		return ""
	}
	return id
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

	// Extra holds further fields, such as the "schema" that some servers take beside "json_object",
	// or the fields of a "structural_tag".
	Extra map[string]any `json:"-"`
}

// MarshalJSON adds Extra.
func (f ResponseFormat) MarshalJSON() ([]byte, error) {
	type fields ResponseFormat
	return encodeBody(fields(f), f.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (f *ResponseFormat) UnmarshalJSON(data []byte) error {
	type fields ResponseFormat
	return decodeWithExtra(data, (*fields)(f), &f.Extra)
}

// JSONSchemaFormat is the schema that the answer follows.
type JSONSchemaFormat struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Schema is any value that marshals to a JSON schema.
	Schema any   `json:"schema"`
	Strict *bool `json:"strict,omitzero"`

	// Extra holds further fields of the schema's envelope.
	Extra map[string]any `json:"-"`
}

// MarshalJSON adds Extra.
func (f JSONSchemaFormat) MarshalJSON() ([]byte, error) {
	type fields JSONSchemaFormat
	return encodeBody(fields(f), f.Extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (f *JSONSchemaFormat) UnmarshalJSON(data []byte) error {
	type fields JSONSchemaFormat
	return decodeWithExtra(data, (*fields)(f), &f.Extra)
}

// JSONObject asks for a JSON object of any shape.
func JSONObject() *ResponseFormat { return &ResponseFormat{Type: "json_object"} }

// JSONSchema asks for JSON that follows schema: any value that marshals to a JSON schema.
func JSONSchema(name string, schema any) *ResponseFormat {
	format := &JSONSchemaFormat{Name: name, Schema: schema, Strict: new(true)}
	return &ResponseFormat{Type: "json_schema", JSONSchema: format}
}
