package provider

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// jsonField is a field of a struct as encoding/json sees it.
type jsonField struct {
	reflect.StructField
	name    string
	tagged  bool // the name is that of the tag
	options []string
	depth   int // how many embedded structs it is in
}

func (f *jsonField) hasOption(name string) bool { return slices.Contains(f.options, name) }

// jsonFields are the fields that encoding/json writes of a struct, those of embedded structs among
// them. Of several with one name it takes the one in the fewest embedded structs. If there are two
// such, it takes the one whose tag names it, and if that does not decide, none of them.
func jsonFields(t reflect.Type) []jsonField {
	all := collectFields(t, 0, nil)
	var out []jsonField
	for _, f := range all {
		wins := true
		for _, other := range all {
			if other.name != f.name || slices.Equal(other.Index, f.Index) {
				continue
			}
			if other.depth < f.depth || other.depth == f.depth && (other.tagged || !f.tagged) {
				wins = false
			}
		}
		if wins {
			out = append(out, f)
		}
	}
	return out
}

// collectFields are the fields of a struct and of those that it embeds. Index is the path to each.
func collectFields(t reflect.Type, depth int, path []int) []jsonField {
	const maxDepth = 20 // a struct that embeds a pointer to itself
	var out []jsonField
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		f.Index = append(slices.Clip(path), f.Index...)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-", !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			if depth < maxDepth {
				out = append(out, collectFields(inner, depth+1, f.Index)...)
			}
		case f.IsExported():
			out = append(out, jsonField{f, cmp.Or(name, f.Name), name != "", strings.Split(options, ","), depth})
		}
	}
	return out
}
