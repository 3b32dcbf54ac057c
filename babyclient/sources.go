package babyclient

import (
	"encoding/json"
	"net/http"
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
		if uploaded && len(s.Extra) > 0 {
			return false, invalid(CodeInvalidDoclingFile, "sources[%d] (%s): a form has no place for the Extra "+
				"of a file: set Inline", i, s)
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

// doclingBody is the JSON body of a conversion, which has Options, or of a chunking, which has the
// other two.
type doclingBody struct {
	Sources             []any                      `json:"sources"`
	Options             map[string]json.RawMessage `json:"options,omitempty"`
	ConvertOptions      map[string]json.RawMessage `json:"convert_options,omitempty"`
	ChunkingOptions     map[string]json.RawMessage `json:"chunking_options,omitempty"`
	IncludeConvertedDoc *bool                      `json:"include_converted_doc,omitempty"`
	Target              any                        `json:"target,omitempty"`
	Callbacks           []Callback                 `json:"callbacks,omitempty"`
}

// newPostOfSources describes a call with its documents by URL, by store, or inline, in a JSON body.
func newPostOfSources(path string, sources []Source, body *doclingBody, extra map[string]any) (*call, error) {
	for i, s := range sources {
		wire, err := s.wire(i)
		if err != nil {
			return refusedPost(path, err)
		}
		body.Sources = append(body.Sources, wire)
	}
	k, err := newPost(path, body, extra)
	k.isDocument = true
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
func callbackFields(callbacks []Callback) ([]formField, error) {
	var out []formField
	for i, c := range callbacks {
		raw, err := marshal(c)
		if err != nil {
			return nil, invalidBecause(err, CodeInvalidRequestBody, "cannot encode callbacks[%d]", i)
		}
		out = append(out, formField{"callbacks", string(raw)})
	}
	return out, nil
}

// extraFields are the further fields of a request as those of a form.
func extraFields(extra map[string]any) ([]formField, error) {
	raw, err := encodeBody(struct{}{}, extra)
	if err != nil {
		return nil, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, err
	}
	return formFields("", values), nil
}
