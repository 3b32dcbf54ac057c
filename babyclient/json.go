package babyclient

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
)

// marshalBody encodes a request body and merges extra into it last, so that any field of the
// engine behind the service can be sent, and a typed one replaced.
func marshalBody(v any, extra map[string]any) ([]byte, error) {
	b, err := marshal(v)
	if err != nil {
		return nil, &Error{Code: CodeInvalidRequestBody, Message: "cannot encode the request body: " + err.Error(), Err: err}
	}
	if len(extra) == 0 {
		return b, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return nil, &Error{Code: CodeInvalidRequestBody, Message: "the request body is not a JSON object, so Extra cannot be added", Err: err}
	}
	for name, value := range extra {
		raw, err := marshal(value)
		if err != nil {
			return nil, &Error{Code: CodeInvalidRequestBody, Message: "cannot encode Extra[" + name + "]: " + err.Error(), Err: err}
		}
		fields[name] = raw
	}
	return marshal(fields)
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

// Checks of request fields. Each names the field and its value, and is nil when it holds.

func checkFinite(name string, v *float64) error {
	if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
		return invalid(CodeInvalidRequest, "%s is %v: want a finite number", name, *v)
	}
	return nil
}

func checkCount(name string, v *int) error {
	if v != nil && *v < 0 {
		return invalid(CodeInvalidRequest, "%s is %d: want 0 or more", name, *v)
	}
	return nil
}

func checkNotBlank(code, name, v string) error {
	if strings.TrimSpace(v) == "" {
		return invalid(code, "%s is empty", name)
	}
	return nil
}

// firstError is the first error that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
