package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// A server can tell of a failure in the midst of an answer, when the status 200 has long been sent.
// This file finds what it says there, in a plain answer and in an event of a stream.

// failureReport is a failure that an answer, or a piece of it, tells of.
type failureReport struct {
	errorBody
	// hasContent tells whether there is a part of the answer beside the report.
	hasContent bool
}

// mayReport spares most answers a second decoding: it reports whether data can hold a report. An
// event without choices may be one in any form. Within a JSON string the quotes would have
// backslashes before them.
func mayReport(data []byte) bool {
	return bytes.Contains(data, []byte(`"error"`)) || !hasChoices(data)
}

// hasChoices reports whether an answer seems to have a choice, without decoding it.
func hasChoices(data []byte) bool {
	_, after, _ := bytes.Cut(data, []byte(`"choices"`))
	for _, mark := range [...]byte{':', '[', '{'} {
		i := skipSpace(after, 0)
		if i >= len(after) || after[i] != mark {
			return false
		}
		after = after[i+1:]
	}
	return true
}

// failureIn finds the failure that the JSON of an answer tells of, in one of these forms:
//
//	{"error":…}, {"error":…,"choices":[…]}, {"choices":[{"error":…}]}
//	{"object":"error","message":"…","code":…}, {"error":"CODE","message":"…"}
//	{"detail":"…"}, {"message":"…"}  // with nothing of an answer beside it
//	{"errors":[…]}, {"error_msg":"…"}, {"base_resp":{"status_code":…,"status_msg":"…"}}, [{"error":…}]
//
// Without choices the names may be in any case.
//
// isFailure says that data is known to be one, whatever its form.
func failureIn(data []byte, isFailure bool) (failureReport, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		if said, ok := failureInList(data); ok {
			return failureReport{errorBody: said}, true
		}
		text := cmp.Or(jsonString(data), excerpt(data))
		return failureReport{errorBody: errorBody{message: text}}, isFailure
	}
	var choices []json.RawMessage
	_ = json.Unmarshal(fields["choices"], &choices) // what is no list has no choices
	report := failureReport{hasContent: len(choices) > 0 || !isNull(fields["output"]) ||
		!isNull(fields["results"]) || !isNull(fields["data"])}
	if !report.hasContent {
		fields = withLowerNames(fields)
	}
	failed := fields["error"]
	switch {
	case isFailure, jsonString(fields["object"]) == "error":
	case report.hasContent && isNoFailure(failed):
		if failed = failureOfChoices(choices); failed == nil {
			return failureReport{}, false
		}
		fields = map[string]json.RawMessage{"error": failed}
	case !isNoFailure(failed):
	case !isNull(failed) && !isOfAnswer(fields):
	default:
		said, ok := errorAlone(fields)
		return failureReport{errorBody: said}, ok
	}
	report.errorBody = errorOf(fields)
	if report.message == "" && !isEmptyJSON(failed) {
		report.message = excerpt(failed) // in no form that is known, but in its own words
	}
	return report, true
}

// isNoFailure reports whether the value of "error" says that there was none: it is empty, an object
// of empty values alone, as proxies in Go write it, or one of success.
func isNoFailure(raw json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return isEmptyJSON(raw) || saysNoFailure(jsonString(raw))
	}
	for name, value := range fields {
		switch code := jsonScalar(value); {
		case isEmptyJSON(value), saysNoFailure(code):
		case strings.EqualFold(name, "code") && (code == "0" || code == "200"):
		default:
			return false
		}
	}
	return true
}

// saysNoFailure reports whether the words of a server say that nothing failed.
func saysNoFailure(words string) bool {
	switch strings.ToLower(strings.TrimSpace(words)) {
	case "ok", "success", "succeeded", "no error", "null", "none", "nil", "undefined":
		return true
	}
	return false
}

// failureInList is the failure of a list of errors, as Gemini's own endpoint writes it.
func failureInList(data []byte) (said errorBody, ok bool) {
	var list []map[string]json.RawMessage
	if json.Unmarshal(data, &list) != nil || len(list) == 0 || isNoFailure(list[0]["error"]) {
		return errorBody{}, false
	}
	return readErrorBody(data), true
}

// withLowerNames are the fields with their names in lower case, and those of an error in them.
func withLowerNames(fields map[string]json.RawMessage) map[string]json.RawMessage {
	lower := make(map[string]json.RawMessage, len(fields))
	for _, name := range sortedKeys(fields) {
		value := fields[name]
		if strings.EqualFold(name, "error") {
			var inner map[string]json.RawMessage
			if json.Unmarshal(value, &inner) == nil && inner != nil {
				value, _ = json.Marshal(withLowerNames(inner)) // it was JSON before, so it encodes
			}
		}
		lower[strings.ToLower(name)] = value // a name in lower case comes last, and wins
	}
	return lower
}

// excerpt is the beginning of a text for an error message.
func excerpt(text []byte) string {
	const most = 1000 // bytes
	text = bytes.TrimSpace(text)
	return validUTF8(text[:min(len(text), most)])
}

// failureOfChoices is the failure that one of the choices tells of, nil if none does.
func failureOfChoices(choices []json.RawMessage) json.RawMessage {
	for _, raw := range choices {
		var choice struct {
			Error          json.RawMessage `json:"error"`
			Message, Delta struct {
				Error json.RawMessage `json:"error"`
			}
		}
		_ = unmarshalFitting(raw, &choice, "")
		for _, failed := range [...]json.RawMessage{choice.Error, choice.Message.Error, choice.Delta.Error} {
			if !isNoFailure(failed) {
				return failed
			}
		}
	}
	return nil
}

// isOfAnswer reports whether an object has a field of an answer.
func isOfAnswer(fields map[string]json.RawMessage) bool {
	for _, name := range [...]string{"choices", "usage", "id", "object"} {
		if !isEmptyJSON(fields[name]) {
			return true
		}
	}
	return false
}

// errorAlone is the error of an object without choices and "error" that has the words of one all
// the same. Where a message could be a note of the server's, because there is something of an
// answer too, it must have a code beside it.
func errorAlone(fields map[string]json.RawMessage) (said errorBody, ok bool) {
	var minimax struct {
		Code    int    `json:"status_code"`
		Message string `json:"status_msg"`
	}
	_ = json.Unmarshal(fields["base_resp"], &minimax)
	if minimax.Code != 0 {
		return errorBody{message: minimax.Message, code: strconv.Itoa(minimax.Code)}, true
	}
	if !isEmptyJSON(fields["object"]) {
		return errorBody{}, false
	}
	said = errorOf(fields)
	said.code = cmp.Or(said.code, jsonScalar(fields["error_code"]))
	for _, name := range [...]string{"errors", "error_msg", "error_message", "error_description"} {
		said.message = cmp.Or(said.message, errorIn(fields[name], maxErrorDepth).message)
	}
	isNote := isOfAnswer(fields) && isEmptyJSON(fields["detail"]) && isEmptyJSON(fields["errors"]) &&
		(said.code == "" || said.code == "0" || said.code == "200")
	return said, said.message != "" && !isNote && !saysNoFailure(said.message)
}

// isFailedReason reports whether a finish reason says that the answer was broken off by a failure:
// vLLM's and SGLang's "abort", OpenRouter's and Mistral's "error", Cohere's "ERROR" and "TIMEOUT",
// Zhipu's "network_error", DeepSeek's "insufficient_system_resource".
func isFailedReason(reason string) bool {
	switch strings.ToLower(reason) {
	case "abort", "aborted", "error", "failed", "cancelled", "canceled", "timeout",
		"network_error", "insufficient_system_resource":
		return true
	}
	return false
}

// brokenOff is what an answer says by such a finish reason alone.
func brokenOff(reason string) errorBody {
	return errorBody{message: "the service broke the answer off: its finish reason is " + quote(reason)}
}

// generationError is what the read function of an endpoint returns together with an answer that
// tells of a failure.
type generationError struct{ errorBody }

func (e *generationError) Error() string { return e.message }

// checkGeneration returns a *generationError if a plain answer tells of a failure, beside its
// content or by a finish reason.
func checkGeneration(raw []byte, reasons ...string) error {
	if bytes.Contains(raw, []byte(`"error"`)) {
		if report, ok := failureIn(raw, false); ok {
			return &generationError{report.errorBody}
		}
	}
	for _, reason := range reasons {
		if isFailedReason(reason) {
			return &generationError{brokenOff(reason)}
		}
	}
	return nil
}

// checkTail returns an error if something follows a plain answer that is not [DONE].
func checkTail(tail []byte) error {
	if len(tail) == 0 || isDone(tail) {
		return nil
	}
	report, ok := failureIn(tail, false)
	if !ok {
		report.message = "the answer is followed by what is none: " + quote(string(tail))
	}
	return &generationError{report.errorBody}
}

// failureInEvents reports whether the body of a plain answer is a stream of events, as of a server
// that answers every call with one, and what the first event says that tells of a failure.
func failureInEvents(raw []byte, h http.Header) (said errorBody, areEvents bool) {
	body := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte(byteOrderMark)), " \t\r\n")
	switch {
	case bytes.HasPrefix(body, []byte("data:")), bytes.HasPrefix(body, []byte("event:")):
	case mediaTypeOf(h) != "text/event-stream", len(body) == 0, body[0] == '{', body[0] == '[':
		return errorBody{}, false
	}
	events := sseReader{lines: lineReader{r: bytes.NewReader(body)}}
	for {
		e, err := events.next()
		if err != nil {
			return errorBody{}, true
		}
		if report, ok := failureIn(e.data, e.isFailure); ok {
			return report.errorBody, true
		}
	}
}
