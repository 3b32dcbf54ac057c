package babyclient

import (
	"cmp"
	"encoding/json"
	"strings"
)

// maxErrorBody is how many bytes of a failed request's answer are read.
const maxErrorBody = 1 << 20

// errorBody is what the body of a failed request says, in any of the shapes that the service and
// its engines use:
//
//	{"error":{"message":"…","type":"…","code":"…"}}
//	{"error":"the message","code":"…","type":"…"}
//	{"error":"THE_CODE","message":"…"}
//	{"message":"…","code":"…","type":"…"}
//	{"detail":"…"}, {"detail":[…]}
type errorBody struct {
	message, code, typ string // empty if the body does not tell them
}

// readErrorBody returns the zero errorBody for what is no JSON object.
func readErrorBody(body []byte) errorBody {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return errorBody{}
	}
	return errorOf(fields)
}

// errorOf reads the fields of a JSON object.
func errorOf(fields map[string]json.RawMessage) errorBody {
	e := errorBody{
		message: jsonString(fields["message"]),
		code:    jsonScalar(fields["code"]),
		typ:     jsonString(fields["type"]),
	}
	var inner map[string]json.RawMessage
	switch word := jsonString(fields["error"]); {
	case json.Unmarshal(fields["error"], &inner) == nil && inner != nil:
		e.message = cmp.Or(jsonString(inner["message"]), e.message)
		e.code = cmp.Or(jsonScalar(inner["code"]), e.code)
		e.typ = cmp.Or(jsonString(inner["type"]), e.typ)
	case word != "" && e.message != "":
		e.code = cmp.Or(e.code, word)
	case word != "":
		e.message = word
	}
	if detail := fields["detail"]; e.message == "" && !isNull(detail) {
		e.message = cmp.Or(jsonString(detail), string(detail))
	}
	return e
}

// isNull reports whether a JSON value is null or absent.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// jsonString is a JSON string that is not blank, else "".
func jsonString(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || strings.TrimSpace(s) == "" {
		return ""
	}
	return s
}

// jsonScalar is a JSON string or number as text: vLLM's code is a number.
func jsonScalar(raw json.RawMessage) string {
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return jsonString(raw)
}
