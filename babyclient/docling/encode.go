package docling

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// fieldEncoder is a type that writes a field of its own that has no Go field.
type fieldEncoder interface {
	// encodeField tells whether it wrote the value.
	encodeField(e *encoder, name string) bool
}

// encoder writes one document.
type encoder struct {
	out    []byte
	shapes map[*shape][]*shape // the lists of those that were written
}

func marshal(v any) []byte {
	e := &encoder{shapes: map[*shape][]*shape{}}
	e.encode(reflect.ValueOf(v).Elem())
	return e.out
}

func (e *encoder) encode(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			e.out = append(e.out, "null"...)
			return
		}
		e.encode(v.Elem())
	case reflect.Struct:
		e.encodeStruct(v)
	case reflect.Slice:
		if raw, ok := reflect.TypeAssert[json.RawMessage](v); ok {
			e.encodeRaw(raw)
			return
		}
		e.encodeList(v)
	case reflect.Array:
		e.encodeList(v)
	case reflect.Map:
		e.encodeMap(v)
	case reflect.String:
		e.out = appendString(e.out, v.String())
	case reflect.Bool:
		e.out = strconv.AppendBool(e.out, v.Bool())
	case reflect.Int:
		e.out = strconv.AppendInt(e.out, v.Int(), 10)
	case reflect.Float64:
		e.out = appendFloat(e.out, v.Float())
	default:
		panic("docling: no encoder for " + v.Type().String())
	}
}

func (e *encoder) encodeRaw(raw json.RawMessage) {
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	e.out = append(e.out, raw...)
}

func (e *encoder) encodeList(v reflect.Value) {
	e.out = append(e.out, '[')
	for i := range v.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.encode(v.Index(i))
	}
	e.out = append(e.out, ']')
}

func (e *encoder) encodeMap(v reflect.Value) {
	numbers := v.MapKeys()
	slices.SortFunc(numbers, func(a, b reflect.Value) int { return cmp.Compare(a.Int(), b.Int()) })
	e.out = append(e.out, '{')
	for i, number := range numbers {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = appendString(e.out, strconv.FormatInt(number.Int(), 10))
		e.out = append(e.out, ':')
		e.encode(v.MapIndex(number))
	}
	e.out = append(e.out, '}')
}

// encodeStruct writes the fields that were in the JSON, in their order, and then what a program
// has added. A field that was null, and was not set since, is null again.
func (e *encoder) encodeStruct(v reflect.Value) {
	p := planOf(v.Type())
	kept := p.kept(v)
	e.out = append(e.out, '{')
	var written uint64 // as seen in decodeStruct
	var extra map[string]bool
	for _, s := range e.list(kept.shape) {
		if s.field < 0 {
			if extra == nil {
				extra = map[string]bool{}
			}
			extra[s.name] = true
			e.encodeExtra(v, kept, s.name)
			continue
		}
		written |= 1 << s.field
		e.name(s.name)
		if field := v.FieldByIndex(p.fields[s.field].index); s.null && field.IsZero() {
			e.out = append(e.out, "null"...)
		} else {
			e.encode(field)
		}
	}
	for i, f := range p.fields {
		field := v.FieldByIndex(f.index)
		if written&(1<<i) == 0 && (!isEmpty(field) || f.always && kept.shape == nil) {
			e.name(f.name)
			e.encode(field)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kept.Extra)) {
		if _, known := p.byName[name]; !known && !extra[name] {
			e.name(name)
			e.encodeRaw(kept.Extra[name])
		}
	}
	e.out = append(e.out, '}')
}

func (e *encoder) list(s *shape) []*shape {
	list, ok := e.shapes[s]
	if !ok {
		list = s.list()
		e.shapes[s] = list
	}
	return list
}

func (e *encoder) encodeExtra(v reflect.Value, kept *Fields, name string) {
	if raw, ok := kept.Extra[name]; ok {
		e.name(name)
		e.encodeRaw(raw)
		return
	}
	if special, ok := reflect.TypeAssert[fieldEncoder](v.Addr()); ok {
		special.encodeField(e, name)
	}
}

// name writes the name of a field, after a comma where one is needed.
func (e *encoder) name(name string) {
	if e.out[len(e.out)-1] != '{' {
		e.out = append(e.out, ',')
	}
	e.out = append(appendString(e.out, name), ':')
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}
