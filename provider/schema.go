package provider

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schemaJSON encodes a JSON schema that a caller gave: an object, or nil for none.
func schemaJSON(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	switch {
	case err != nil:
		return nil, err
	case string(raw) == "null":
		return nil, nil
	case raw[0] != '{':
		return nil, fmt.Errorf("want a JSON object, not %s", quoteShort(string(raw)))
	}
	return raw, nil
}

// orderedObject is a JSON object that keeps the order of its members. A model writes the fields of
// an answer in the order of its schema, and writes better when it reasons before it concludes.
type orderedObject []member

type member struct {
	name  string
	value any
}

func (o orderedObject) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// schemaOf is the JSON schema of what encoding/json makes of a Go type. It is written here because
// a package for it would double the modules that a program gets with this one.
func schemaOf(t reflect.Type) (orderedObject, error) {
	b := schemaBuilder{structs: map[reflect.Type]orderedObject{}, recursive: map[reflect.Type]bool{}}
	schema, err := b.schema(t)
	if err != nil || len(b.recursive) == 0 {
		return schema, err
	}
	var defs orderedObject
	for d := range b.recursive {
		defs = append(defs, member{schemaName(d.String()), b.structs[d]})
	}
	slices.SortFunc(defs, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return append(schema, member{"$defs", defs}), nil
}

type schemaBuilder struct {
	structs   map[reflect.Type]orderedObject // nil while the schema of the struct is being made
	recursive map[reflect.Type]bool          // structs that hold themselves: they become definitions
}

var (
	timeType       = reflect.TypeFor[time.Time]()
	rawMessageType = reflect.TypeFor[json.RawMessage]()
	numberType     = reflect.TypeFor[json.Number]()
	marshaler      = reflect.TypeFor[json.Marshaler]()
	textMarshaler  = reflect.TypeFor[encoding.TextMarshaler]()
)

func implements(t, iface reflect.Type) bool {
	return t.Implements(iface) || reflect.PointerTo(t).Implements(iface)
}

func typed(name string) orderedObject { return orderedObject{{"type", name}} }

func (b *schemaBuilder) schema(t reflect.Type) (orderedObject, error) {
	switch {
	case t == timeType:
		return append(typed("string"), member{"format", "date-time"}), nil
	case t == numberType:
		return typed("number"), nil
	case t == rawMessageType, t.Kind() == reflect.Interface:
		return orderedObject{}, nil
	case t.Kind() == reflect.Pointer:
		return b.schema(t.Elem())
	case implements(t, marshaler):
		return orderedObject{}, nil // only its MarshalJSON knows what it becomes
	case implements(t, textMarshaler):
		return typed("string"), nil
	}
	switch t.Kind() {
	case reflect.String:
		return typed("string"), nil
	case reflect.Bool:
		return typed("boolean"), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return typed("integer"), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return append(typed("integer"), member{"minimum", 0}), nil
	case reflect.Float32, reflect.Float64:
		return typed("number"), nil
	case reflect.Slice, reflect.Array:
		return b.listSchema(t)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("type %s: the keys of a JSON object are strings", t)
		}
		values, err := b.schema(t.Elem())
		return append(typed("object"), member{"additionalProperties", values}), err
	case reflect.Struct:
		return b.structSchema(t)
	}
	return nil, fmt.Errorf("type %s has no JSON form", t)
}

func (b *schemaBuilder) listSchema(t reflect.Type) (orderedObject, error) {
	if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
		return typed("string"), nil // encoding/json writes bytes as base64
	}
	items, err := b.schema(t.Elem())
	out := append(typed("array"), member{"items", items})
	if t.Kind() == reflect.Array {
		out = append(out, member{"minItems", t.Len()}, member{"maxItems", t.Len()})
	}
	return out, err
}

func (b *schemaBuilder) structSchema(t reflect.Type) (orderedObject, error) {
	if schema, seen := b.structs[t]; seen {
		if schema != nil {
			return schema, nil
		}
		b.recursive[t] = true
		return orderedObject{{"$ref", "#/$defs/" + schemaName(t.String())}}, nil
	}
	b.structs[t] = nil
	properties, required := orderedObject{}, []string{}
	if err := b.addFields(t, &properties, &required); err != nil {
		return nil, err
	}
	b.structs[t] = append(typed("object"),
		member{"properties", properties}, member{"required", required}, member{"additionalProperties", false})
	return b.structs[t], nil
}

// schemaName replaces what the wire does not allow in the name of a schema.
func schemaName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
}

func (b *schemaBuilder) addFields(t reflect.Type, properties *orderedObject, required *[]string) error {
	for _, f := range jsonFields(t) {
		schema, err := b.schema(f.Type)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if f.hasOption("string") && isQuotable(f.Type) {
			schema = typed("string")
		}
		if schema, err = describe(schema, f.StructField); err != nil {
			return fmt.Errorf("field %s of %s: %w", f.Name, t, err)
		}
		if !f.hasOption("omitempty") && !f.hasOption("omitzero") {
			*required = append(*required, f.name)
			if f.Type.Kind() == reflect.Pointer {
				schema = orderedObject{{"anyOf", []orderedObject{schema, typed("null")}}}
			}
		}
		*properties = append(*properties, member{f.name, schema})
	}
	return nil
}

// isQuotable tells whether encoding/json writes a value of the type as a string if the tag says so.
func isQuotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.String || t.Kind() == reflect.Bool ||
		t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
}

// describe adds what the tags of a field say.
func describe(schema orderedObject, f reflect.StructField) (orderedObject, error) {
	schema = slices.Clone(schema)
	if text := f.Tag.Get("jsonschema_description"); text != "" {
		schema = append(schema, member{"description", text})
	}
	var enum []any
	for _, item := range splitTag(f.Tag.Get("jsonschema")) {
		key, value, _ := strings.Cut(item, "=")
		switch key {
		case "description", "title", "pattern":
			schema = append(schema, member{key, value})
		case "enum":
			v, err := enumValue(schema, value)
			if err != nil {
				return nil, err
			}
			enum = append(enum, v)
		case "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems":
			if _, err := strconv.ParseFloat(value, 64); err != nil {
				return nil, fmt.Errorf("tag jsonschema: %s is %q: want a number", key, value)
			}
			schema = slices.DeleteFunc(schema, func(m member) bool { return m.name == key })
			schema = append(schema, member{key, json.Number(value)})
		case "required": // a field is required anyway, unless encoding/json may omit it
		default:
			return nil, fmt.Errorf("tag jsonschema: unknown word %q", key)
		}
	}
	if enum != nil {
		schema = append(schema, member{"enum", enum})
	}
	return schema, nil
}

// splitTag splits at commas that no backslash stands before.
func splitTag(tag string) []string {
	if tag == "" {
		return nil
	}
	const comma = "\x00"
	items := strings.Split(strings.ReplaceAll(tag, `\,`, comma), ",")
	for i := range items {
		items[i] = strings.ReplaceAll(items[i], comma, ",")
	}
	return items
}

func enumValue(schema orderedObject, value string) (any, error) {
	if len(schema) == 0 || schema[0].value == "string" {
		return value, nil
	}
	if !json.Valid([]byte(value)) {
		return nil, fmt.Errorf("tag jsonschema: enum value %q is not of the type of the field", value)
	}
	return json.RawMessage(value), nil
}
