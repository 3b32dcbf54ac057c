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

// object is a JSON object that keeps the order of its members: a model writes the fields of an
// answer in the order of its schema, and writes better when it reasons before it concludes.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
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

// schemaOf is the JSON schema of what encoding/json makes of a Go type. It is made here and not by a
// package for it because that would double the modules that a program gets with this one.
func schemaOf(t reflect.Type) (object, error) {
	b := schemaBuilder{defs: map[reflect.Type]object{}, referenced: map[reflect.Type]bool{}}
	schema, err := b.of(t)
	if err != nil || len(b.referenced) == 0 {
		return schema, err
	}
	var defs object
	for d := range b.referenced {
		defs = append(defs, member{b.name(d), b.defs[d]})
	}
	slices.SortFunc(defs, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return append(schema, member{"$defs", defs}), nil
}

type schemaBuilder struct {
	defs       map[reflect.Type]object // nil for a struct that is under way
	referenced map[reflect.Type]bool   // structs that hold themselves
}

var (
	timeType       = reflect.TypeFor[time.Time]()
	rawMessageType = reflect.TypeFor[json.RawMessage]()
	marshaler      = reflect.TypeFor[json.Marshaler]()
	textMarshaler  = reflect.TypeFor[encoding.TextMarshaler]()
)

func (b *schemaBuilder) of(t reflect.Type) (object, error) {
	is := func(name string) (object, error) { return object{{"type", name}}, nil }
	switch {
	case t == timeType:
		return object{{"type", "string"}, {"format", "date-time"}}, nil
	case t == rawMessageType, t.Kind() == reflect.Interface:
		return object{}, nil
	case t.Kind() == reflect.Pointer:
		return b.of(t.Elem())
	case t.Implements(marshaler), reflect.PointerTo(t).Implements(marshaler):
		return object{}, nil // only its code knows
	case t.Implements(textMarshaler), reflect.PointerTo(t).Implements(textMarshaler):
		return is("string")
	}
	switch t.Kind() {
	case reflect.String:
		return is("string")
	case reflect.Bool:
		return is("boolean")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return is("integer")
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}, nil
	case reflect.Float32, reflect.Float64:
		return is("number")
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return is("string") // base64
		}
		items, err := b.of(t.Elem())
		if err != nil {
			return nil, err
		}
		out := object{{"type", "array"}, {"items", items}}
		if t.Kind() == reflect.Array {
			out = append(out, member{"minItems", t.Len()}, member{"maxItems", t.Len()})
		}
		return out, nil
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("type %s: the keys of a JSON object are strings", t)
		}
		values, err := b.of(t.Elem())
		if err != nil {
			return nil, err
		}
		return object{{"type", "object"}, {"additionalProperties", values}}, nil
	case reflect.Struct:
		return b.ofStruct(t)
	}
	return nil, fmt.Errorf("type %s has no JSON form", t)
}

func (b *schemaBuilder) ofStruct(t reflect.Type) (object, error) {
	if def, seen := b.defs[t]; seen {
		if def != nil {
			return def, nil
		}
		b.referenced[t] = true
		return object{{"$ref", "#/$defs/" + b.name(t)}}, nil
	}
	b.defs[t] = nil
	properties, required := object{}, []string{}
	if err := b.fields(t, &properties, &required); err != nil {
		return nil, err
	}
	b.defs[t] = object{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
	return b.defs[t], nil
}

func (b *schemaBuilder) name(t reflect.Type) string { return strings.Map(wordCharacter, t.String()) }

func (b *schemaBuilder) fields(t reflect.Type, properties *object, required *[]string) error {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-", !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			if err := b.fields(inner, properties, required); err != nil {
				return err
			}
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		schema, err := b.of(f.Type)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if schema, err = describe(schema, f); err != nil {
			return fmt.Errorf("field %s of %s: %w", f.Name, t, err)
		}
		optional := slices.ContainsFunc(strings.Split(options, ","), func(o string) bool { return o == "omitempty" || o == "omitzero" })
		if !optional {
			*required = append(*required, name)
			if f.Type.Kind() == reflect.Pointer {
				schema = object{{"anyOf", []object{schema, {{"type", "null"}}}}}
			}
		}
		*properties = append(*properties, member{name, schema})
	}
	return nil
}

// describe adds what the tags of a field say.
func describe(schema object, f reflect.StructField) (object, error) {
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
		case "required": // it is, unless encoding/json may omit it
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

func enumValue(schema object, value string) (any, error) {
	if len(schema) == 0 || schema[0].value == "string" {
		return value, nil
	}
	if !json.Valid([]byte(value)) {
		return nil, fmt.Errorf("tag jsonschema: enum value %q is not of the type of the field", value)
	}
	return json.RawMessage(value), nil
}
