package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
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
	return bytes.Contains(data, []byte(`"error"`)) || !bytes.Contains(data, []byte(`"choices"`))
}

// failureIn finds the failure that the JSON of an answer tells of, in one of these forms:
//
//	{"error":…}, {"error":…,"choices":[…]}, {"choices":[{"error":…}]}
//	{"object":"error","message":"…","code":…}, {"error":"CODE","message":"…"}
//	{"detail":"…"}, {"message":"…"}  // with nothing of an answer beside it
//
// isFailure says that data is known to be one, whatever its form.
func failureIn(data []byte, isFailure bool) (failureReport, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		text := cmp.Or(jsonString(data), excerpt(data))
		return failureReport{errorBody: errorBody{message: text}}, isFailure
	}
	var choices []json.RawMessage
	_ = json.Unmarshal(fields["choices"], &choices) // what is no list has no choices
	report := failureReport{hasContent: len(choices) > 0 || !isNull(fields["output"]) ||
		!isNull(fields["results"]) || !isNull(fields["data"])}
	failed := fields["error"]
	switch {
	case isFailure, jsonString(fields["object"]) == "error":
	case report.hasContent && isEmptyJSON(failed):
		if failed = failureOfChoices(choices); failed == nil {
			return failureReport{}, false
		}
		fields = map[string]json.RawMessage{"error": failed}
	case !isNull(failed):
	case !isErrorAlone(fields):
		return failureReport{}, false
	}
	report.errorBody = errorOf(fields)
	if report.message == "" && !isEmptyJSON(failed) {
		report.message = excerpt(failed) // in no form that is known, but in its own words
	}
	return report, true
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
			if !isEmptyJSON(failed) {
				return failed
			}
		}
	}
	return nil
}

// isErrorAlone reports whether an object without "error" is an error all the same: it has the words
// of one, and nothing of an answer.
func isErrorAlone(fields map[string]json.RawMessage) bool {
	for _, name := range [...]string{"choices", "usage", "id", "object"} {
		if !isNull(fields[name]) {
			return false
		}
	}
	return errorOf(fields).message != ""
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
