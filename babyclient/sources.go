package babyclient

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
)

// MaxDocumentsPerCall is how many documents docling-serve takes in one request, unless its
// operator allows more. [Docling.ConvertAll] has no such limit.
const MaxDocumentsPerCall = 3

// checkSources checks each source, and tells whether they are uploads. name is the name that tells
// the documents apart in the answer.
func checkSources(sources []Source, name func(Source) string) (upload bool, _ error) {
	if len(sources) == 0 {
		return false, invalid(CodeInvalidDoclingBody, "no sources: give at least one document")
	}
	taken := map[string]string{}
	for i, s := range sources {
		if err := s.check(i); err != nil {
			return false, err
		}
		uploaded := s.URL == "" && s.Store == nil && !s.Inline
		if i > 0 && uploaded != upload {
			return false, invalid(CodeInvalidDoclingBody, "sources[%d] (%s): uploads and URLs cannot go in "+
				"one request: set Inline on the files, or use ConvertAll", i, s)
		}
		upload = uploaded
		if other, clash := taken[name(s)]; clash {
			return false, invalid(CodeInvalidDoclingBody, "%s and %s would both be %q in the answer: "+
				"rename one (Source.Name), or use ConvertAll or ChunkAll", other, s, name(s))
		}
		taken[name(s)] = s.String()
	}
	if len(sources) > MaxDocumentsPerCall {
		var names []string
		for _, s := range sources {
			names = append(names, s.String())
		}
		return false, invalid(CodeInvalidDoclingBody,
			"%d documents (%s), but the service takes %d in one request: use ConvertAll or ChunkAll",
			len(sources), strings.Join(names, ", "), MaxDocumentsPerCall)
	}
	return upload, nil
}

// newPostOfSources describes a call with its documents by URL, by store, or inline, in a JSON body.
// It leaves out values that hold nothing.
func newPostOfSources(path string, sources []Source, values map[string]any, target any,
	extra map[string]any) (*call, error) {
	list := make([]any, len(sources))
	var secrets []string
	for i, s := range sources {
		wire, err := s.wire(i)
		if err != nil {
			return refusedPost(path, err)
		}
		list[i] = wire
		if s.Store != nil {
			secrets = append(secrets, s.Store.secrets()...)
		}
	}
	body := map[string]any{"sources": list}
	for name, value := range values {
		if v := reflect.ValueOf(value); v.Kind() == reflect.Bool || v.Len() > 0 {
			body[name] = value
		}
	}
	if target != nil {
		body["target"] = target
	}
	if store, ok := target.(Store); ok {
		secrets = append(secrets, store.secrets()...)
	}
	k, err := newPost(path, body, extra)
	k.isDocument, k.secrets = true, secrets
	return k, err
}

// newUpload describes a call with its documents as the files of a form, and the options as its
// fields.
func newUpload(path string, sources []Source, fields []formField, target any) (*call, error) {
	if target != nil {
		kind := kindOf(target)
		raw, err := marshal(target)
		if err != nil || kind == "" || strings.Count(string(raw), ":") > 1 {
			return refusedPost(path, invalid(CodeInvalidRequest, "target of kind %q: an upload can only say the kind, "+
				"docling-serve would ignore the rest in silence; send the files inline to say more", kind))
		}
		fields = append(fields, formField{"target_type", kind})
	}
	b, err := multipartBody(sources, fields)
	return &call{method: http.MethodPost, path: path, body: b, isDocument: true, isUpload: true}, err
}

// callbackFields are callbacks as the fields of a form, each as JSON.
func callbackFields(callbacks []Callback) []formField {
	var out []formField
	for _, c := range callbacks {
		if raw, err := marshal(c); err == nil {
			out = append(out, formField{"callbacks", string(raw)})
		}
	}
	return out
}

// extraFields are the further fields of a request as those of a form.
func extraFields(extra map[string]any) []formField {
	values := map[string]json.RawMessage{}
	for name, value := range extra {
		if raw, err := marshal(value); err == nil {
			values[name] = raw
		}
	}
	return formFields("", values)
}
