package mcp

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// decodeArguments reads the arguments of a call as models write them, and refuses what it
// cannot read with words that let the model do better. It is lenient where the meaning is
// plain: "5" is 5, "true" is true, one text is a list of one, an object may be JSON in a
// string, null is absent.
func decodeArguments(aliases map[string]string, schema *jsonschema.Schema, raw json.RawMessage, into any) error {
	given, err := argumentObject(raw)
	if err != nil {
		return err
	}
	out := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p, ok := schema.Properties.Get(name)
		if !ok {
			return unknownArgument(aliases, schema, name)
		}
		if isNull(given[name]) {
			continue
		}
		v, err := coerce(p, given[name])
		if err != nil {
			return fmt.Errorf("%q %w. %s: %s", name, err, name, p.Description)
		}
		out[name] = v
	}
	for _, name := range schema.Required {
		if _, ok := out[name]; !ok {
			p, _ := schema.Properties.Get(name)
			return fmt.Errorf("%q is missing. %s: %s", name, name, p.Description)
		}
	}
	return json.Unmarshal(mustJSON(out), into)
}

func argumentObject(raw json.RawMessage) (map[string]json.RawMessage, error) {
	if len(raw) == 0 || isNull(raw) {
		return nil, nil
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(objectText(raw), &out); err != nil {
		return nil, fmt.Errorf("the arguments must be a JSON object, got %s", clip(string(raw)))
	}
	return out, nil
}

// objectText is raw, or the JSON object that stands in the string raw.
func objectText(raw json.RawMessage) json.RawMessage {
	var s string
	if json.Unmarshal(raw, &s) == nil && strings.HasPrefix(strings.TrimSpace(s), "{") {
		return json.RawMessage(s)
	}
	return raw
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// coerce turns a value into the type that the schema of its property wants.
func coerce(p *jsonschema.Schema, raw json.RawMessage) (json.RawMessage, error) {
	var s string
	isString := json.Unmarshal(raw, &s) == nil
	wrong := func(want string) error { return fmt.Errorf("must be %s, got %s", want, clip(string(raw))) }
	switch p.Type {
	case "string":
		if !isString {
			return nil, wrong("a string")
		}
		if len(p.Enum) == 0 {
			return raw, nil
		}
		for _, e := range p.Enum {
			if name, ok := e.(string); ok && strings.EqualFold(name, strings.TrimSpace(s)) {
				return mustJSON(name), nil
			}
		}
		return nil, wrong("one of " + strings.Trim(string(mustJSON(p.Enum)), "[]"))
	case "boolean":
		word := string(raw)
		if isString {
			word = strings.ToLower(strings.TrimSpace(s))
		}
		if word != "true" && word != "false" {
			return nil, wrong("true or false")
		}
		return json.RawMessage(word), nil
	case "integer", "number":
		text := string(raw)
		if isString {
			text = strings.TrimSpace(s)
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, wrong("a number")
		}
		if p.Type == "integer" && (f != math.Trunc(f) || math.Abs(f) > 1<<53) {
			return nil, wrong("a whole number")
		}
		if least, err := p.Minimum.Float64(); err == nil && f < least {
			return nil, fmt.Errorf("must be at least %s, got %s", p.Minimum, text)
		}
		if most, err := p.Maximum.Float64(); err == nil && f > most {
			return nil, fmt.Errorf("must be at most %s, got %s", p.Maximum, text)
		}
		if p.Type == "integer" {
			return strconv.AppendInt(nil, int64(f), 10), nil
		}
		return mustJSON(f), nil
	case "array":
		var list []json.RawMessage
		switch {
		case json.Unmarshal(raw, &list) == nil:
		case isString && json.Unmarshal([]byte(s), &list) == nil && strings.HasPrefix(strings.TrimSpace(s), "["):
		default:
			list = []json.RawMessage{raw}
		}
		for i, e := range list {
			v, err := coerce(p.Items, e)
			if err != nil {
				return nil, fmt.Errorf("must be a list, whose item %d %w", i, err)
			}
			list[i] = v
		}
		return mustJSON(list), nil
	case "object":
		raw = objectText(raw)
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return nil, wrong("a JSON object")
		}
		return raw, nil
	}
	panic("mcp: the schema has a property of type " + strconv.Quote(p.Type))
}

func unknownArgument(aliases map[string]string, schema *jsonschema.Schema, name string) error {
	var accepted []string
	for p := range schema.Properties.KeysFromOldest() {
		accepted = append(accepted, p)
	}
	hint := ""
	if meant := suggest(name, accepted, aliases); meant != "" {
		hint = fmt.Sprintf(" Did you mean %q?", meant)
	}
	return fmt.Errorf("unknown argument %s. Accepted: %s.%s",
		clip(strconv.Quote(name)), strings.Join(accepted, ", "), hint)
}

// suggest is the accepted name that a model meant by another, "" if none comes to mind.
func suggest(name string, accepted []string, aliases map[string]string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for meant, wrong := range aliases {
		if slices.Contains(strings.Fields(wrong), plain(name)) {
			return meant
		}
	}
	best, least := "", 3
	for _, a := range accepted {
		if d := distance(plain(name), plain(a)); d < least {
			best, least = a, d
		}
	}
	return best
}

// unquote strips the quotes that models put around a path or an id.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, q := range []string{`"`, `'`, "`"} {
		if len(s) >= 2 && strings.HasPrefix(s, q) && strings.HasSuffix(s, q) {
			return strings.TrimSpace(s[1 : len(s)-1])
		}
	}
	return s
}
