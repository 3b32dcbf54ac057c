package babyclient

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// unnamedFields are the fields of a JSON object that are not among the names, without those that
// say nothing: null, "", [] and {}.
func unnamedFields(object []byte, names []string) map[string]any {
	if !hasUnnamed(object, 1, func(_ [][]byte, name []byte) bool { return containsName(names, name) }) {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil {
		return nil
	}
	var out map[string]any
	for name, raw := range all {
		isNamed := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		var value any
		if isNamed || isEmptyJSON(raw) || unmarshalNumbers(raw, &value) != nil {
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out[name] = value
	}
	return out
}

// containsName is slices.Contains for a name that is no string yet. The names are few, and a string
// made of each name of an answer would be an allocation for each.
func containsName(names []string, name []byte) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n == string(name) })
}

// hasUnnamed tells whether a JSON text has a field at a depth, counted from 1, that isNamed does
// not know, with a value that says something. isNamed is given the names that lead there, with an
// empty name for each list.
func hasUnnamed(text []byte, depth int, isNamed func(path [][]byte, name []byte) bool) bool {
	var path [8][]byte // of the objects around
	level := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			level++
			if level >= 1 && level <= len(path) {
				path[level-1] = nil
			}
		case '}', ']':
			level--
		case '"':
			end := stringEnd(text, i)
			after := skipSpace(text, end)
			isName := after < len(text) && text[after] == ':'
			if isName && level >= 1 && level <= min(depth, len(path)) {
				name := text[i+1 : max(i+1, end-1)]
				if level == depth && !saysNothing(text[after+1:]) && !isNamed(path[:], name) {
					return true
				}
				path[level-1] = name //nolint:gosec // level is at most len(path)
			}
			i = end - 1
		}
	}
	return false
}

// saysNothing tells whether a value is null or empty.
func saysNothing(value []byte) bool {
	value = value[skipSpace(value, 0):]
	for _, empty := range [...]string{"null", `""`, "[]", "{}"} {
		if bytes.HasPrefix(value, []byte(empty)) {
			return true
		}
	}
	return false
}
