package mcp

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
)

// schemaOf is the JSON schema of a struct of arguments or results. It has neither references
// nor lists of types nor unions: some clients drop a tool, or all tools, that have one.
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
		// Present even when empty: OpenAI refuses a schema without it.
		s.Extras = map[string]any{"required": []string{}}
	}
	return s
}

// object is a JSON object of any shape.
type object map[string]any

// JSONSchema tells the reflector.
func (object) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.TrueSchema}
}

// mustJSON encodes what is made of this package's own types only.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("mcp: cannot encode %T: %v", v, err))
	}
	return b
}
