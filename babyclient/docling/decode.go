package docling

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// plan says how a struct type stands in JSON.
type plan struct {
	fields []planField
	byName map[string]int
	keep   []int // where the type's Fields are
}

type planField struct {
	name   string
	index  []int // for reflect.Value.FieldByIndex
	always bool  // written also if zero, for an object that a program made
}

var plans sync.Map // reflect.Type → *plan

// planOf reads the tags of a struct type: `json:"name"`, or `json:"name,omitzero"`. Embedded
// structs count as if their fields stood in the outer one.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{byName: map[string]int{}}
	for _, f := range reflect.VisibleFields(t) {
		if f.Type == reflect.TypeFor[Fields]() {
			p.keep = f.Index
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		p.byName[name] = len(p.fields)
		p.fields = append(p.fields, planField{name: name, index: f.Index, always: option != "omitzero"})
	}
	plans.Store(t, p)
	return p
}

func (p *plan) kept(v reflect.Value) *Fields {
	return v.FieldByIndex(p.keep).Addr().Interface().(*Fields)
}

// fieldDecoder is a type that reads a field of its own that has no Go field.
type fieldDecoder interface {
	// decodeField is given the value as it is written. It returns whether the field is its own, and
	// fails if it has read the field before.
	decodeField(d *decoder, name string, value []byte) (isOwn bool, err error)
}

// decodedHook is a type that looks at itself once it is decoded.
type decodedHook interface {
	// decoded is called after the last field.
	decoded(d *decoder) error
}

// decoder decodes one document. It is not safe for concurrent use, the document is.
type decoder struct {
	scanner
	roots    map[*plan]*shape
	interned map[string]string
	limits   tableLimits
	memory   int      // of what was decoded, in bytes
	cells    [][]byte // the cells of the table in hand, as they are written
	path     []string // of the value in hand, for errors
}

func newDecoder(data []byte) *decoder {
	return &decoder{
		scanner:  scanner{data: data},
		roots:    map[*plan]*shape{},
		interned: map[string]string{},
	}
}

// maxInterned bounds the words that are kept once for the whole document. Labels, layers and
// origins of coordinates are a few dozen; a hostile document could make each one different.
const maxInterned = 1000

// word decodes a string that many objects have.
func (d *decoder) word(literal []byte) string {
	inner := literal[1 : len(literal)-1]
	if word, ok := d.interned[string(inner)]; ok {
		return word
	}
	word := unquote(literal)
	if len(d.interned) < maxInterned && word == string(inner) {
		d.interned[word] = word
	}
	return word
}

// takes counts memory.
func (d *decoder) takes(bytes int) error {
	if d.memory += bytes; d.memory > maxMemory(len(d.data)) {
		return errTooManyObjects
	}
	return nil
}

func (d *decoder) fail(want string, found []byte) error {
	if len(found) > 40 {
		found = append(bytes.Clone(found[:40]), "…"...)
	}
	return fmt.Errorf("docling: %s: want %s, found %s", strings.Join(d.path, ""), want, found)
}

func (d *decoder) failTwice(name string) error {
	object := cmp.Or(strings.Join(d.path, ""), "the document")
	return fmt.Errorf("docling: %s: an object may have no name twice, and this has %.40q", object, name)
}

// decode reads the next value into v, which must be settable. null leaves v as it is.
func (d *decoder) decode(v reflect.Value) error {
	first := d.next()
	if first == 'n' {
		d.value()
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.decode(v.Elem())
	case reflect.Struct:
		if first != '{' {
			return d.fail("an object", d.value())
		}
		return d.decodeStruct(v)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes(bytes.Clone(d.value()))
			return nil
		}
		if first != '[' {
			return d.fail("an array", d.value())
		}
		return d.decodeSlice(v)
	case reflect.Array:
		return d.decodeArray(v, first)
	case reflect.Map:
		if first != '{' {
			return d.fail("an object", d.value())
		}
		return d.decodeMap(v)
	default:
		return d.decodeScalar(v, d.value())
	}
}

func (d *decoder) decodeScalar(v reflect.Value, literal []byte) error {
	switch v.Kind() {
	case reflect.String:
		if literal[0] != '"' {
			return d.fail("a string", literal)
		}
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(unquote(literal))
		} else {
			v.SetString(d.word(literal))
		}
	case reflect.Bool:
		if literal[0] != 't' && literal[0] != 'f' {
			return d.fail("true or false", literal)
		}
		v.SetBool(literal[0] == 't')
	case reflect.Int:
		n, err := strconv.Atoi(string(literal))
		if err != nil { // 3.0 is an integer in Python's eyes
			f, floatErr := strconv.ParseFloat(string(literal), 64)
			if n = int(f); floatErr != nil || float64(n) != f || max(f, -f) > 1<<53 {
				return d.fail("an integer", literal)
			}
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		f, err := strconv.ParseFloat(string(literal), 64)
		if err != nil {
			return d.fail("a number", literal)
		}
		v.SetFloat(f)
	default:
		panic("docling: no decoder for " + v.Type().String())
	}
	return nil
}

func (d *decoder) decodeStruct(v reflect.Value) error {
	if err := d.takes(int(v.Type().Size())); err != nil {
		return err
	}
	p := planOf(v.Type())
	at := d.roots[p]
	if at == nil {
		at = &shape{}
		d.roots[p] = at
	}
	special, _ := reflect.TypeAssert[fieldDecoder](v.Addr())
	var seen uint64 // bit i for p.fields[i]; no type has 64 fields
	kept := p.kept(v)
	for d.pos++; d.next() != '}'; {
		name := d.value()
		if name = name[1 : len(name)-1]; bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(unquote(append(append([]byte{'"'}, name...), '"')))
		}
		at = at.child(name, d.next() == 'n', p.byName)
		if at.field < 0 {
			if err := d.keepExtra(kept, at.name, special); err != nil {
				return err
			}
			continue
		}
		if seen&(1<<at.field) != 0 {
			return d.failTwice(at.name)
		}
		seen |= 1 << at.field
		d.path = append(d.path, ".", at.name)
		if err := d.decode(v.FieldByIndex(p.fields[at.field].index)); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-2]
	}
	d.pos++
	kept.shape = at
	if hook, ok := reflect.TypeAssert[decodedHook](v.Addr()); ok {
		return hook.decoded(d)
	}
	return nil
}

func (d *decoder) keepExtra(kept *Fields, name string, special fieldDecoder) error {
	if _, twice := kept.Extra[name]; twice {
		return d.failTwice(name)
	}
	value := d.value()
	if special != nil {
		if isOwn, err := special.decodeField(d, name, value); isOwn || err != nil {
			return err
		}
	}
	if err := d.takes(extraFieldMemory); err != nil {
		return err
	}
	if kept.Extra == nil {
		kept.Extra = map[string]json.RawMessage{}
	}
	kept.Extra[name] = bytes.Clone(value)
	return nil
}

func (d *decoder) decodeSlice(v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	n, isCells := 0, v.Type() == reflect.TypeFor[[]Cell]()
	for d.pos++; d.next() != ']'; n++ {
		if n == v.Cap() {
			v.Grow(max(1, n/2))
		}
		v.SetLen(n + 1)
		if d.next() == 'n' {
			return d.fail("no null in an array", []byte("null"))
		}
		d.path = append(d.path, "[", strconv.Itoa(n), "]")
		start := d.pos
		if err := d.decode(v.Index(n)); err != nil {
			return err
		}
		if isCells {
			d.cells = append(d.cells, d.data[start:d.pos])
		}
		d.path = d.path[:len(d.path)-3]
	}
	d.pos++
	return nil
}

func (d *decoder) decodeArray(v reflect.Value, first byte) error {
	start := d.pos
	if first == '[' {
		n := 0
		for d.pos++; d.next() != ']' && n < v.Len(); n++ {
			if d.next() == 'n' {
				return d.fail("a number", []byte("null"))
			}
			if err := d.decode(v.Index(n)); err != nil {
				return err
			}
		}
		if n == v.Len() && d.next() == ']' {
			d.pos++
			return nil
		}
	}
	d.pos = start
	return d.fail(fmt.Sprintf("an array of %d", v.Len()), d.value())
}

// decodeMap reads an object whose names are numbers.
func (d *decoder) decodeMap(v reflect.Value) error {
	v.Set(reflect.MakeMap(v.Type()))
	for d.pos++; d.next() != '}'; {
		literal := d.value()
		number := unquote(literal)
		n, err := strconv.Atoi(number)
		if err != nil || strconv.Itoa(n) != number {
			return d.fail("an integer as a name", literal)
		}
		if d.next() == 'n' {
			return d.fail("an object", []byte("null"))
		}
		if err := d.takes(mapEntryMemory); err != nil {
			return err
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.path = append(d.path, "[", number, "]")
		if err := d.decode(element); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-3]
		if v.MapIndex(reflect.ValueOf(n)).IsValid() {
			return d.failTwice(number)
		}
		v.SetMapIndex(reflect.ValueOf(n), element)
	}
	d.pos++
	return nil
}
