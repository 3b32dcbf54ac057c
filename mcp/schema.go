package mcp

import (
	"reflect"

	"github.com/invopop/jsonschema"
)

// schemaOf is the JSON schema of a struct of arguments or results. It has no reference, no list of
// types and no union, because some clients drop a tool, or all tools, that have one.
func schemaOf[A any]() *jsonschema.Schema {
	r := jsonschema.Reflector{
		Anonymous:                 true,
		DoNotReference:            true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: false,
	}
	s := r.ReflectFromType(reflect.TypeFor[A]())
	s.Version = ""
	if len(s.Required) == 0 {
		// It is present even when empty: OpenAI refuses a schema without it.
		s.Extras = map[string]any{"required": []string{}}
	}
	return s
}

// anyObject is an argument that is a JSON object of any shape.
type anyObject map[string]any

// JSONSchema says so to the reflector.
func (anyObject) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.TrueSchema}
}
