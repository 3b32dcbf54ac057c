package babyclient

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ConvertRequest is a conversion: POST /docling/v1/convert/source for URLs and inline
// documents, POST /docling/v1/convert/file for uploads. Which of them follows from Sources.
type ConvertRequest struct {
	// Sources are the documents, at most [MaxDocumentsPerCall]: either all of them uploads, or
	// none. Several must differ in their names without the extension, by which the answer tells
	// them apart.
	Sources []Source
	// Options of the conversion.
	Options ConvertOptions
	// Target is where the result goes: [ZipTarget], [PutTarget], [PresignedURLTarget], a [Store],
	// or a map of docling-serve's own names, {"kind": …}. nil: into the answer. An upload can only
	// say the kind.
	Target any
	// Callbacks are told of the progress.
	Callbacks []Callback

	// Extra are further fields of the request by docling-serve's names.
	Extra map[string]any
}

// ConvertResponse is the result of a conversion.
type ConvertResponse struct {
	Meta
	// Documents are in the order of the answer: that of Sources, but for a zip answer, which is by
	// name.
	Documents []*Converted
	// ProcessingTime is what docling took, in seconds.
	ProcessingTime float64
	// Files are the members of a zip answer that belong to no document, such as images, by name.
	Files map[string][]byte
	// Stored is what docling says of a Target other than the answer; nil without one.
	Stored *StoredResult
	// Artifacts are the results in the store of [PresignedURLTarget], for each document. See
	// [Docling.Download].
	Artifacts []DocumentArtifacts
}

// StoredResult counts the documents that went to a store.
type StoredResult struct {
	NumConverted          int `json:"num_converted"`
	NumSucceeded          int `json:"num_succeeded"`
	NumPartiallySucceeded int `json:"num_partially_succeeded"`
	NumFailed             int `json:"num_failed"`
}

// Document is the first document, never nil.
func (r *ConvertResponse) Document() *Converted {
	if r == nil || len(r.Documents) == 0 {
		return &Converted{}
	}
	return r.Documents[0]
}

// Convert converts documents and waits for the result. A document that is not converted is an error
// ([ErrDocumentFailed]). If a document was converted only in part ([ErrPartialSuccess]), or some of
// several failed, the response comes together with the error. For documents that take minutes use
// [Docling.StartConvert], for many [Docling.ConvertAll].
func (d *Docling) Convert(ctx context.Context, req *ConvertRequest, opts ...CallOption) (*ConvertResponse, error) {
	return fetch(ctx, d.c, req, opts, func(raw []byte) (*ConvertResponse, error) {
		return readConvert(raw, req.Sources, d.c.maxResponseSize)
	})
}

func (r *ConvertRequest) call(c *Client) (*call, error) {
	k, err := r.baseCall(c)
	k.explain = explainLostResult
	if err == nil && k.path == batchPath {
		err = invalid(CodeInvalidRequest, "docling-serve reads a store only as a job: use StartConvert")
	}
	return k, err
}

// batchPath takes stores as sources. It answers with a job, without being asked to.
const batchPath = "/docling/v1/convert/source/batch"

const convertPath = "/docling/v1/convert/"

// baseCall makes what a plain call and a job have in common: the caller adds what the answer means,
// and a job its path.
func (r *ConvertRequest) baseCall(*Client) (*call, error) {
	if r == nil {
		return refusedPost(convertPath+"source", invalid(CodeInvalidDoclingBody, "the ConvertRequest is nil"))
	}
	// A zip answer tells documents apart by their names without the extension.
	upload, err := checkSources(r.Sources, Source.stem)
	if err == nil {
		err = firstError(r.checkFormats(), checkCallbacks(r.Callbacks))
	}
	if err != nil {
		return refusedPost(convertPath+"source", err)
	}
	options, err := r.Options.values()
	if err != nil {
		return refusedPost(convertPath+"source", err)
	}
	if upload {
		callbacks, err := callbackFields(r.Callbacks)
		if err != nil {
			return refusedPost(convertPath+"file", err)
		}
		extra, err := extraFields(r.Extra)
		if err != nil {
			return refusedPost(convertPath+"file", err)
		}
		fields := slices.Concat(formFields("", options), callbacks, extra)
		return newUpload(convertPath+"file", r.Sources, fields, r.Target)
	}
	path := convertPath + "source"
	if slices.ContainsFunc(r.Sources, func(s Source) bool { return s.Store != nil }) {
		path = batchPath
	}
	body := doclingBody{Options: options, Target: r.Target, Callbacks: r.Callbacks}
	return newPostOfSources(path, r.Sources, &body, r.Extra)
}

// checkFormats refuses formats that docling-serve puts only into a zip or a store, unless the
// result goes there. docling-serve itself would answer with success, and nothing in it.
func (r *ConvertRequest) checkFormats() error {
	isInBody := r.Target == nil || kindOf(r.Target) == "inbody"
	if !isInBody || len(r.Sources) > 1 || r.Sources[0].isArchive() {
		return nil
	}
	for _, format := range r.Options.ToFormats {
		switch format {
		case "yaml", "html_split_page", "vtt", "dclx", "chunks", "latex":
			return invalid(CodeInvalidRequest, "to_formats: docling-serve gives %q only in a zip: "+
				"set Target to ZipTarget()", format)
		}
	}
	return nil
}

// readConvert reads the result of a conversion: one document, a zip of several, or the counts of
// what went to a store. sources are nil if they are not known: then nothing tells what a zip lacks.
// limit is how many bytes the documents may have.
func readConvert(raw []byte, sources []Source, limit int64) (*ConvertResponse, error) {
	if isZip(raw) {
		return readConvertZip(raw, sources, limit)
	}
	var wire struct {
		Document       *exportedDocument `json:"document"`
		ProcessingTime float64           `json:"processing_time"`
		conversion
		storedAnswer
		Documents []DocumentArtifacts `json:"documents"`
	}
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	out := &ConvertResponse{ProcessingTime: wire.ProcessingTime}
	switch {
	case wire.Document != nil:
		doc := wire.Document.converted(wire.conversion)
		if len(sources) == 1 && sources[0].isNamed() && doc.Filename == sources[0].base() {
			doc.Filename = sources[0].filename()
		}
		out.Documents = []*Converted{doc}
		return out, documentsError([]error{doc.failure()})
	case wire.NumConverted != nil:
		out.Stored = wire.stored()
		if out.Artifacts = wire.Documents; len(out.Artifacts) == 0 {
			return out, documentsError([]error{out.Stored.failure()})
		}
		var failures []error
		for i := range out.Artifacts {
			failures = append(failures, out.Artifacts[i].failure())
		}
		return out, documentsError(failures)
	}
	return nil, errNoField("document")
}

func (r *ConvertResponse) redactWords(redact func(string) string) {
	for _, doc := range r.Documents {
		redactErrors(doc.Errors, redact)
	}
	for i := range r.Artifacts {
		redactErrors(r.Artifacts[i].Errors, redact)
	}
}

// storedAnswer is the part of an answer that tells what went to a store. Another answer has no
// NumConverted.
type storedAnswer struct {
	NumConverted *int `json:"num_converted"`
	StoredResult
}

// stored is nil for another answer.
func (a *storedAnswer) stored() *StoredResult {
	if a.NumConverted == nil {
		return nil
	}
	a.StoredResult.NumConverted = *a.NumConverted
	return &a.StoredResult
}

// failure is nil if every document was stored.
func (s *StoredResult) failure() error {
	if s.NumFailed <= 0 {
		return nil
	}
	of := max(s.NumFailed, s.NumConverted)
	return &DocumentError{Filename: fmt.Sprintf("%d of %d documents", s.NumFailed, of), Status: DocumentFailure}
}

func readConvertZip(raw []byte, sources []Source, limit int64) (*ConvertResponse, error) {
	members, err := unzip(raw, limit)
	if err != nil {
		return nil, fmt.Errorf("the zip answer cannot be used: %w", err)
	}
	out := new(ConvertResponse)
	if err := out.addMembers(members, sources); err != nil {
		return nil, fmt.Errorf("the zip answer cannot be used: %w", err)
	}
	if len(members) == 0 {
		return nil, errNoField("document")
	}
	out.nameDocuments(sources)
	return out, documentsError(out.missing(sources))
}

// addMembers sorts the members of a zip into documents. Members with the same stem belong to the
// same document, each in another format.
//
// A program may write what it gets into a folder, so names must be safe on any system. But a
// document may have the name of its upload, whatever that is.
func (r *ConvertResponse) addMembers(members []zipMember, sources []Source) error {
	isStem := func(stem string) bool {
		return slices.ContainsFunc(sources, func(s Source) bool {
			return s.isNamed() && slices.Contains(s.stems(), stem)
		})
	}
	byStem := map[string]*Converted{}
	for _, m := range members {
		stem, set := formatOf(m, isStem)
		isOfUpload := set != nil && (sources == nil || isStem(stem))
		if !isPortableName(m.name) && !isOfUpload {
			return unsafeNameError(m.name)
		}
		if set == nil {
			if r.Files == nil {
				r.Files = map[string][]byte{}
			}
			r.Files[m.name] = m.data
			continue
		}
		doc := byStem[stem]
		if doc == nil {
			doc = &Converted{Filename: stem}
			byStem[stem] = doc
			r.Documents = append(r.Documents, doc)
		}
		set(doc, m.data)
	}
	return nil
}

// formatOf returns the stem of the document that a zip member is of, and a function that stores the
// member in the field of its format. set is nil for a member that belongs to no document. isStem
// reports whether an upload has that stem.
//
// "a.doctags.txt" holds the DocTags of "a.pdf", or the text of "a.doctags.pdf": the stems tell, and
// for both of them the content.
func formatOf(m zipMember, isStem func(string) bool) (stem string, set func(*Converted, []byte)) {
	if strings.Contains(m.name, "/") { // a folder holds the images of all documents
		return "", nil
	}
	if stem, ok := strings.CutSuffix(m.name, ".doctags.txt"); ok &&
		(!isStem(stem+".doctags") || isStem(stem) && bytes.HasPrefix(m.data, []byte("<doctag>"))) {
		return stem, func(c *Converted, data []byte) { c.DocTags = string(data) }
	}
	ext := path.Ext(m.name)
	stem = strings.TrimSuffix(m.name, ext)
	switch ext {
	case ".md":
		return stem, func(c *Converted, data []byte) { c.Markdown = string(data) }
	case ".html":
		return stem, func(c *Converted, data []byte) { c.HTML = string(data) }
	case ".txt":
		return stem, func(c *Converted, data []byte) { c.Text = string(data) }
	case ".json":
		return stem, func(c *Converted, data []byte) { c.JSON = data }
	case ".doctags":
		return stem, func(c *Converted, data []byte) { c.DocTags = string(data) }
	case ".doclang":
		return stem, func(c *Converted, data []byte) { c.DocLang = string(data) }
	}
	return "", nil
}

// nameDocuments gives each document that came of an upload the name of the upload: a zip answer has
// only stems.
func (r *ConvertResponse) nameDocuments(sources []Source) {
	for _, s := range sources {
		if doc := r.documentNamed(s.stems()...); doc != nil && s.isNamed() {
			doc.Filename = s.filename()
		}
	}
}

func (r *ConvertResponse) documentNamed(names ...string) *Converted {
	for _, doc := range r.Documents {
		if slices.Contains(names, doc.Filename) {
			return doc
		}
	}
	return nil
}

// isNamed reports whether the source is one document whose name in a zip answer is known. Only the
// server knows what it calls a document from a URL, and an archive holds what it holds.
func (s Source) isNamed() bool { return s.URL == "" && s.Store == nil && !s.isArchive() }

// missing returns an error for each upload that a zip answer lacks, which is all that docling-serve
// lets us know of its failure. Of other sources only the number can be checked.
func (r *ConvertResponse) missing(sources []Source) []error {
	var failures []error
	unnamed := 0
	for _, s := range sources {
		switch {
		case !s.isNamed():
			unnamed++
		case r.documentNamed(s.filename()) == nil:
			failures = append(failures, &DocumentError{Filename: s.filename(), Status: DocumentMissing})
		}
	}
	if lacking := len(sources) - len(r.Documents) - len(failures); unnamed > 0 && lacking > 0 {
		name := fmt.Sprintf("%d of %d documents", lacking, len(sources))
		failures = append(failures, &DocumentError{Filename: name, Status: DocumentMissing})
	}
	return failures
}
