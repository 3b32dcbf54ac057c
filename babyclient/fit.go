package babyclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Servers write fields in types that are not OpenAI's: a "created" with a fraction, a token count
// as text, an id that is a number. An answer that was paid for is not lost for that. What does not
// fit its field is left zero, and is in Raw.

// contentFields are the fields that an answer is asked for, by their path without indexes. An
// answer is an error if one of them does not fit. What is empty is no content.
var contentFields = setOf(
	"", // the whole answer

	// Chat and completions. A delta is read as a message is.
	"choices", "choices.index", "choices.text", "choices.delta", "choices.message",
	"choices.message.content", "choices.message.tool_calls", "choices.message.tool_calls.function",

	"data", "data.embedding", "data.index", "data.id", // embeddings and models
	"results", "results.index", "results.relevance_score",
	"output",

	// What docling-serve answers. Without its status a document that failed would be taken for one
	// that is empty.
	"docling-serve", "status", "task_status",
	"document", "document.md_content", "document.html_content", "document.text_content",
	"document.doctags_content", "document.doclang_content",
	"chunks", "chunks.text",
	"documents", "documents.status", "documents.content", "documents.document", "documents.artifacts",
	"documents.artifacts.uri",
	"num_converted", "num_succeeded", "num_partially_succeeded", "num_failed",
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// unmarshalFitting is json.Unmarshal for an answer in which some values do not fit. It returns an
// error only if raw is no JSON, or if content does not fit. path is where raw stands in the answer.
//
// encoding/json alone decodes an answer in which all fits, so the usual answer costs nothing.
func unmarshalFitting(raw []byte, into any, path string) error {
	err := json.Unmarshal(raw, into)
	if err == nil || isSyntaxError(err) {
		return err
	}
	var f fitter
	f.fit(raw, reflect.ValueOf(into).Elem(), path, 0)
	return f.lost
}

// fitter decodes a value in pieces, so that a piece that does not fit costs no other.
//
// An example: {"created":1.5,"usage":{"prompt_tokens":"3","total_tokens":5}}. The whole does not
// fit, so each field is decoded on its own. "created" does not fit an int64 and stays 0. "usage"
// does not fit either, so its fields are decoded on their own: "prompt_tokens" stays 0,
// "total_tokens" becomes 5.
type fitter struct {
	lost error // the first content that does not fit
}

// fit reports whether something of raw fits v.
func (f *fitter) fit(raw []byte, v reflect.Value, path string, depth int) bool {
	// A type may contain itself. Each level decodes what is in it once more, so that an answer of
	// thousands of levels would cost hours.
	const deepest = 16
	err := json.Unmarshal(raw, v.Addr().Interface())
	if err == nil {
		return true
	}
	v.SetZero()
	_, decodesItself := reflect.TypeAssert[json.Unmarshaler](v.Addr())
	if !decodesItself && depth < deepest && f.fitParts(raw, v, path, depth+1) {
		return true
	}
	switch {
	case strings.HasSuffix(path, "index") && fitIndex(raw, v):
		return true
	case strings.HasSuffix(path, "relevance_score") && fitNumber(raw, v):
		return true
	case strings.HasSuffix(path, "tool_calls.id") && v.Kind() == reflect.String && jsonScalar(raw) != "":
		v.SetString(jsonScalar(raw)) // a number, which the result of the call must name again
		return true
	}
	if f.lost == nil && contentFields[path] && !isEmptyJSON(raw) {
		f.lost = err
	}
	return false
}

// fitParts decodes the parts of raw one by one. It reports false if raw has none.
func (f *fitter) fitParts(raw []byte, v reflect.Value, path string, depth int) bool {
	switch v.Kind() {
	case reflect.Pointer:
		value := reflect.New(v.Type().Elem())
		if !f.fit(raw, value.Elem(), path, depth) {
			return false
		}
		v.Set(value)
	case reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return false
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			f.fit(item, v.Index(i), path, depth)
		}
	case reflect.Map:
		var values map[string]json.RawMessage
		if v.Type().Key().Kind() != reflect.String || json.Unmarshal(raw, &values) != nil {
			return false
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, name := range sortedKeys(values) {
			value := reflect.New(v.Type().Elem()).Elem()
			if f.fit(values[name], value, within(path, name), depth) {
				v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), value)
			}
		}
	case reflect.Struct:
		var values map[string]json.RawMessage
		if json.Unmarshal(raw, &values) != nil {
			return false
		}
		f.fitFields(values, v, path, depth)
	default:
		return false
	}
	return true
}

func (f *fitter) fitFields(values map[string]json.RawMessage, v reflect.Value, path string, depth int) {
	for _, field := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" || !field.IsExported() || name == "-" {
			continue // an embedded struct, whose fields come too, or a field that is not decoded
		}
		if name == "" {
			name = field.Name
		}
		if value, ok := valueOf(values, name); ok {
			f.fit(value, v.FieldByIndex(field.Index), within(path, strings.ToLower(name)), depth)
		}
	}
}

// valueOf finds a field as encoding/json does: a name in another case is the name too.
func valueOf(values map[string]json.RawMessage, name string) (json.RawMessage, bool) {
	if value, ok := values[name]; ok {
		return value, true
	}
	for _, key := range sortedKeys(values) {
		if strings.EqualFold(key, name) {
			return values[key], true
		}
	}
	return nil, false
}

func within(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fitIndex takes an index that is written as text or with a fraction of zero, such as "1" or 1.0.
// To leave it zero would mix the pieces of two choices, or name the wrong document.
func fitIndex(raw []byte, v reflect.Value) bool {
	index, ok := indexOf(raw)
	if v.Kind() != reflect.Int || !ok {
		return false
	}
	v.SetInt(int64(index))
	return true
}

// indexOf reads an index in such a form.
func indexOf(raw []byte) (index int, ok bool) {
	number, err := strconv.ParseFloat(jsonScalar(raw), 64)
	if err != nil || number != math.Trunc(number) || math.Abs(number) > 1<<31 {
		return 0, false
	}
	return int(number), true
}

// fitNumber takes a number that is written as text, such as "0.5".
func fitNumber(raw []byte, v reflect.Value) bool {
	number, err := strconv.ParseFloat(jsonString(raw), 64)
	if v.Kind() != reflect.Float64 || err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return false
	}
	v.SetFloat(number)
	return true
}

// isSyntaxError reports whether an answer could not be decoded because it is no JSON.
func isSyntaxError(err error) bool {
	_, isSyntax := errors.AsType[*json.SyntaxError](err)
	return isSyntax
}

// mendJSON makes JSON of an answer that is almost JSON: null for the numbers NaN and Infinity, as
// Python writes them, and only the first value if something follows it, which is tail. It returns
// raw itself if that cannot be mended so.
func mendJSON(raw []byte) (mended, tail []byte) {
	withNulls := withoutNaN(raw)
	decoder := json.NewDecoder(bytes.NewReader(withNulls))
	var first json.RawMessage
	if decoder.Decode(&first) != nil || first[0] != '{' {
		return raw, nil
	}
	return first, bytes.TrimSpace(withNulls[decoder.InputOffset():])
}

// withoutNaN has null in place of NaN and Infinity outside of texts.
func withoutNaN(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] == '"' {
			end := stringEnd(raw, i)
			out, i = append(out, raw[i:end]...), end
			continue
		}
		length := 0
		for _, name := range [...]string{"NaN", "-Infinity", "Infinity"} {
			if bytes.HasPrefix(raw[i:], []byte(name)) {
				length = len(name)
			}
		}
		if length > 0 {
			out, i = append(out, "null"...), i+length
			continue
		}
		out, i = append(out, raw[i]), i+1
	}
	return out
}
