package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
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
	maxErrorDepth = 10
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
		const enough = 64 << 10 // bytes; the words stand at the beginning
		e.message = messageOfText(string(body[:min(len(body), enough)]))
	}
	e.message = cutMessage(e.message)
	return e
}

// cutMessage cuts a message that is too long to be read, at the end of a character.
func cutMessage(message string) string {
	if len(message) <= maxErrorMessage {
		return message
	}
	cut := message[:maxErrorMessage]
	for !utf8.ValidString(cut) && len(cut) > maxErrorMessage-utf8.UTFMax {
		cut = cut[:len(cut)-1]
	}
	return cut + "…"
}

// wordFields are where servers put their words that have neither "error" nor "message", in lower
// case.
var wordFields = []string{"errors", "error_description", "error_message", "errormessage", "error_msg", "errmsg",
	"fault", "faultstring", "base_resp", "status_msg", "description", "title", "reason"}

// errorIn reads an error in any JSON. It is the zero errorBody for what is no JSON.
func errorIn(raw json.RawMessage, depth int) errorBody {
	if len(raw) == 0 || depth == 0 {
		return errorBody{}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil && fields != nil {
		fields = inLowerCase(fields)
		e := errorOfFields(fields, depth-1)
		for _, name := range wordFields {
			if e.message != "" && !strings.HasPrefix(e.message, "{") { // an object is no words
				break
			}
			inner := errorIn(fields[name], depth-1)
			e.message = cmp.Or(inner.message, e.message)
			e.code, e.typ = cmp.Or(e.code, inner.code), cmp.Or(e.typ, inner.typ)
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

// inLowerCase is an object with the names of its fields in lower case. Of two such fields, the one
// that was written so counts.
func inLowerCase(fields map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(fields))
	for name, raw := range fields {
		if lower := strings.ToLower(name); lower == name || fields[lower] == nil {
			out[lower] = raw
		}
	}
	return out
}

// joinErrors is the errors of a list in one: their messages, as far as they will be shown, and the
// first code and type.
func joinErrors(list []json.RawMessage, depth int) (e errorBody) {
	var messages []string
	seen := map[string]bool{}
	for length := 0; len(list) > 0 && length <= maxErrorMessage; list = list[1:] {
		one := errorIn(list[0], depth-1)
		if one.message != "" && !seen[one.message] {
			seen[one.message] = true
			messages = append(messages, one.message)
			length += len(one.message)
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

// htmlTags are what a page of HTML begins with, in lower case.
var htmlTags = []string{"!doctype html", "html", "head", "body", "title", "meta", "h1", "h2", "h3", "p", "pre",
	"center", "div"}

// messageOfText is the message in a body that is no JSON: of a page of HTML its title, of the XML
// of a store its message.
func messageOfText(text string) string {
	text = strings.TrimSpace(text)
	lower := lowerASCII(text)
	isXML := strings.HasPrefix(lower, "<?xml") || strings.HasPrefix(lower, "<error")
	if message, ok := element(text, lower, "message"); ok && isXML {
		return withoutEntities(strings.TrimSpace(message))
	}
	if !isHTML(lower) {
		if !isMostlyText(text) {
			return ""
		}
		return validUTF8([]byte(text))
	}
	for _, name := range [...]string{"title", "h1", "h2"} {
		title, _ := element(text, lower, name)
		if title = strings.Join(strings.Fields(withoutEntities(withoutTags(title))), " "); title != "" {
			return title
		}
	}
	return ""
}

// isHTML tells whether a text, in lower case, begins as a page of HTML does, perhaps after a line
// of XML and comments.
func isHTML(lower string) bool {
	for {
		lower = strings.TrimLeft(lower, " \t\r\n")
		end := ""
		switch {
		case strings.HasPrefix(lower, "<?xml"):
			end = "?>"
		case strings.HasPrefix(lower, "<!--"):
			end = "-->"
		}
		if end == "" {
			break
		}
		_, after, found := strings.Cut(lower, end)
		if !found {
			return false
		}
		lower = after
	}
	tag, isTag := strings.CutPrefix(lower, "<")
	return isTag && slices.ContainsFunc(htmlTags, func(name string) bool {
		after, ok := strings.CutPrefix(tag, name)
		return ok && (after == "" || strings.IndexByte(" \t\r\n>/", after[0]) >= 0)
	})
}

// element is what stands in the first element of a name that is not empty. lower is the text in
// lower case.
func element(text, lower, name string) (content string, ok bool) {
	for start := 0; ; {
		i := strings.Index(lower[start:], "<"+name)
		if i < 0 {
			return "", false
		}
		start += i + 1 + len(name)
		open := strings.IndexByte(lower[start:], '>')
		if open < 0 {
			return "", false
		}
		isName := strings.IndexByte(" \t\r\n>", lower[start]) >= 0
		start += open + 1
		end := strings.Index(lower[start:], "</"+name)
		if isName && end > 0 && strings.TrimSpace(text[start:start+end]) != "" {
			return text[start : start+end], true
		}
	}
}

// withoutTags has a blank in place of each tag.
func withoutTags(text string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "<")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteByte(' ')
		if _, text, found = strings.Cut(after, ">"); !found {
			return out.String()
		}
	}
}

// lowerASCII has the letters of ASCII in lower case, and all other bytes where they are.
func lowerASCII(text string) string {
	out := []byte(text)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
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
	return errorOfFields(inLowerCase(fields), maxErrorDepth)
}

func errorOfFields(fields map[string]json.RawMessage, depth int) errorBody {
	e := errorBody{
		message: cmp.Or(errorIn(fields["message"], depth).message, jsonString(fields["msg"])),
		code:    cmp.Or(jsonScalar(fields["code"]), jsonScalar(fields["error_code"])),
		typ:     jsonString(fields["type"]),
	}
	failed := fields["error"]
	switch word := jsonString(failed); {
	case word != "" && e.message != "":
		e.code = cmp.Or(e.code, word)
	case !isEmptyJSON(failed):
		inner := errorIn(failed, depth)
		e.message = cmp.Or(inner.message, e.message)
		e.code = cmp.Or(inner.code, e.code)
		e.typ = cmp.Or(inner.typ, e.typ)
	}
	if detail := fields["detail"]; e.message == "" && !isNull(detail) {
		var object struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(detail, &object) // a detail of another form is shown as it is
		e.message = cmp.Or(jsonString(detail), strings.TrimSpace(object.Message), string(detail))
	}
	return e
}

// isNull reports whether a JSON value is null or absent.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// isEmptyJSON reports whether a JSON value says nothing: null, "", false, 0, [] or {}.
func isEmptyJSON(raw []byte) bool {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return len(raw) == 0
	}
	switch value := value.(type) {
	case string:
		return strings.TrimSpace(value) == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return value == nil || value == false || value == 0.0
}

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
