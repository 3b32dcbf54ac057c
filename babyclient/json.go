package babyclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// encodeBody encodes a request body and merges extra into it last, so that any field of the engine
// behind the service can be sent, and a typed one replaced.
func encodeBody(v any, extra map[string]any) ([]byte, error) {
	b, err := marshal(v)
	if err != nil {
		return nil, invalidBecause(err, CodeInvalidRequestBody, "cannot encode the request body")
	}
	if len(extra) == 0 {
		return b, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, invalidBecause(err, CodeInvalidRequestBody,
			"the request body is not a JSON object, so Extra cannot be added")
	}
	for name, value := range extra {
		raw, err := marshal(value)
		if err != nil {
			return nil, invalidBecause(err, CodeInvalidRequestBody, "cannot encode Extra[%s]", name)
		}
		fields[name] = raw
	}
	return marshal(fields)
}

// decodeWithExtra is the opposite of [encodeBody]: it decodes an object into the struct that fields
// points to, and what the struct has no field for into extra. Numbers of no type of their own are a
// [json.Number], so that none loses digits.
func decodeWithExtra(data []byte, fields any, extra *map[string]any) error {
	if err := unmarshalNumbers(data, fields); err != nil {
		return err
	}
	var all map[string]any
	if err := unmarshalNumbers(data, &all); err != nil {
		return err
	}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(fields).Elem()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue // an embedded struct, whose fields come too, or a field that is not encoded
		}
		maps.DeleteFunc(all, func(key string, _ any) bool { return strings.EqualFold(key, name) })
	}
	*extra = nil
	if len(all) > 0 {
		*extra = all
	}
	return nil
}

// unmarshalNumbers is json.Unmarshal, but that a number for an interface is a json.Number.
func unmarshalNumbers(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// decode decodes the JSON of an answer, as far as it fits. It returns an error if content does not
// fit ([contentFields]).
func decode(raw []byte, into any) error { return notDecoded(unmarshalFitting(raw, into, "")) }

// decodeStrictly decodes the JSON of an answer into a type of the caller's, as encoding/json does.
func decodeStrictly(raw []byte, into any) error { return notDecoded(json.Unmarshal(raw, into)) }

func notDecoded(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot decode the answer as JSON: %w", err)
}

// marshal is json.Marshal without the escapes that only HTML needs: they cost bytes in every
// prompt that holds markup.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// wantsStream reports whether a JSON body asks for a stream, as the official SDKs read it.
func wantsStream(body []byte) bool {
	if !bytes.Contains(body, []byte(`"stream"`)) {
		return false
	}
	var probe struct {
		Stream any `json:"stream"`
	}
	if json.Unmarshal(body, &probe) != nil {
		return false
	}
	switch v := probe.Stream.(type) {
	case bool:
		return v
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "1", "true", "yes", "on":
			return true
		}
	}
	return false
}
