package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxErrorBody is how many bytes of a failed request's answer are read.
	maxErrorBody = 1 << 20
	// maxErrorMessage is how many bytes of the service's words an error repeats. All of them are in
	// Details.
	maxErrorMessage = 2000
	// maxErrorDepth is how many errors within each other are looked into.
	maxErrorDepth = 4
)

// errorBody is what the body of a failed request says, in any of the shapes that the service, its
// engines and proxies use:
//
//	{"error":{"message":"…","type":"…","code":"…"}}, {"error":{"error":{…}}}
//	{"error":"the message","code":"…","type":"…"}
//	{"error":"THE_CODE","message":"…"}
//	{"message":"…","code":"…","type":"…"}, {"msg":"…"}
//	{"detail":"…"}, {"detail":[…]}, {"errors":[…]}, {"errors":{"field":[…]}}
//	[{"error":{…}}], "the message", the message, <html>…<title>the message</title>
type errorBody struct {
	message, code, typ string // empty if the body does not tell them
}

// readErrorBody reads the body of an answer that is no 2xx.
func readErrorBody(body []byte) errorBody {
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	e := errorIn(body, maxErrorDepth)
	if e.message == "" && !json.Valid(body) {
		e.message = messageOfText(string(body))
	}
	if len(e.message) > maxErrorMessage {
		cut := e.message[:maxErrorMessage]
		for !utf8.ValidString(cut) && len(cut) > maxErrorMessage-utf8.UTFMax {
			cut = cut[:len(cut)-1]
		}
		e.message = cut + "…"
	}
	return e
}

// wordFields are where servers put their words that have neither "error" nor "message".
var wordFields = []string{"errors", "error_description", "error_message", "description", "title", "reason"}

// errorIn reads an error in any JSON. It is the zero errorBody for what is no JSON.
func errorIn(raw json.RawMessage, depth int) errorBody {
	if len(raw) == 0 || depth == 0 {
		return errorBody{}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil && fields != nil {
		e := errorOfFields(fields, depth-1)
		for _, name := range wordFields {
			e.message = cmp.Or(e.message, errorIn(fields[name], depth-1).message)
		}
		if e.message == "" && len(fields) > 0 {
			e.message = messageOfLists(fields)
		}
		return e
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return joinErrors(list, depth)
	}
	text := strings.TrimSpace(jsonString(raw))
	if inner := errorIn(json.RawMessage(text), depth-1); inner.message != "" {
		return inner // JSON in a JSON text, as of a proxy that passes an error on
	}
	return errorBody{message: text}
}

// joinErrors is the errors of a list in one: all of the messages, and the first code and type.
func joinErrors(list []json.RawMessage, depth int) (e errorBody) {
	var messages []string
	for _, item := range list {
		one := errorIn(item, depth-1)
		if one.message != "" && !slices.Contains(messages, one.message) {
			messages = append(messages, one.message)
		}
		e.code, e.typ = cmp.Or(e.code, one.code), cmp.Or(e.typ, one.typ)
	}
	e.message = strings.Join(messages, "; ")
	return e
}

// messageOfLists is the messages of an object that has lists of them alone, by the fields that they
// are about: {"model":["is required"]}.
func messageOfLists(fields map[string]json.RawMessage) string {
	var messages []string
	for _, name := range sortedKeys(fields) {
		var list []string
		if json.Unmarshal(fields[name], &list) != nil || len(list) == 0 {
			return ""
		}
		messages = append(messages, name+": "+strings.Join(list, ", "))
	}
	return strings.Join(messages, "; ")
}

var (
	htmlStart = regexp.MustCompile(`(?i)^\s*(?:<!--.*?-->\s*)*` +
		`<(?:!doctype html|html|head|body|title|h\d|p|pre|center|div)\b`)
	htmlTitle = regexp.MustCompile(`(?is)<(?:title|h1)\b[^>]*>(.*?)</`)
	htmlTag   = regexp.MustCompile(`<[^>]*>`)
)

// messageOfText is the message in a body that is no JSON: of a page of HTML its title.
func messageOfText(text string) string {
	if !htmlStart.MatchString(text) {
		text = strings.TrimSpace(text)
		if !isMostlyText(text) {
			return ""
		}
		return validUTF8([]byte(text))
	}
	for _, found := range htmlTitle.FindAllStringSubmatch(text, -1) {
		title := html.UnescapeString(htmlTag.ReplaceAllString(found[1], " "))
		if title = strings.Join(strings.Fields(title), " "); title != "" {
			return title
		}
	}
	return ""
}

// isMostlyText tells a text, perhaps with some bytes of another encoding, from binary data.
func isMostlyText(s string) bool {
	odd := 0
	for _, r := range s {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\x1b' {
			odd++
		}
	}
	return odd*10 <= utf8.RuneCountInString(s)
}

// errorOf reads the fields of a JSON object.
func errorOf(fields map[string]json.RawMessage) errorBody {
	return errorOfFields(fields, maxErrorDepth)
}

func errorOfFields(fields map[string]json.RawMessage, depth int) errorBody {
	e := errorBody{
		message: cmp.Or(jsonString(fields["message"]), jsonString(fields["msg"])),
		code:    jsonScalar(fields["code"]),
		typ:     jsonString(fields["type"]),
	}
	var inner map[string]json.RawMessage
	switch word := jsonString(fields["error"]); {
	case depth > 0 && json.Unmarshal(fields["error"], &inner) == nil && inner != nil:
		innermost := errorOfFields(inner, depth-1)
		e.message = cmp.Or(innermost.message, e.message)
		e.code = cmp.Or(innermost.code, e.code)
		e.typ = cmp.Or(innermost.typ, e.typ)
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
