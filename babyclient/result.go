package babyclient

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// exportedDocument is a document in an answer of docling-serve.
type exportedDocument struct {
	Filename string          `json:"filename"`
	Markdown *string         `json:"md_content"`
	JSON     json.RawMessage `json:"json_content"`
	HTML     *string         `json:"html_content"`
	Text     *string         `json:"text_content"`
	DocTags  *string         `json:"doctags_content"`
	DocLang  *string         `json:"doclang_content"`
}

// conversion is how a conversion went, as docling-serve tells it beside the document.
type conversion struct {
	Status     string          `json:"status"`
	Errors     []DoclingError  `json:"errors"`
	Timings    json.RawMessage `json:"timings"`
	Confidence json.RawMessage `json:"confidence"`
}

func (x *exportedDocument) converted(c conversion) *Converted {
	deref := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return &Converted{Filename: x.Filename, Markdown: deref(x.Markdown), HTML: deref(x.HTML), Text: deref(x.Text), DocTags: deref(x.DocTags),
		DocLang: deref(x.DocLang), JSON: notNull(x.JSON), Status: c.Status, Errors: c.Errors, Confidence: notNull(c.Confidence), Timings: notNull(c.Timings)}
}

func notNull(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// failure is nil for a document that was converted whole.
func (c *Converted) failure() error {
	if c.Status == "success" || c.Status == "" {
		return nil
	}
	return &DocumentError{Filename: c.Filename, Status: c.Status, Errors: c.Errors}
}

// documentsError is the error of the documents among those of an answer that failed.
func (r *response) documentsError(failures []error) error {
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	if len(failures) == 0 {
		return nil
	}
	cause := errors.Join(failures...)
	if len(failures) == 1 {
		cause = failures[0]
	}
	return r.finish(&Error{Code: CodeDoclingDocumentFailed, Message: strings.ReplaceAll(cause.Error(), "\n", "; "), Err: cause,
		StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header})
}

func (r *response) isZip() bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return media == "application/zip" || media == "application/x-zip-compressed"
}

// readConvert reads the result of a conversion: one document, a zip of several, or the
// counts of what went to a store. sources may be nil: then nothing tells what a zip lacks.
func readConvert(r *response, sources []Source) (*ConvertResponse, error) {
	raw, err := r.readAll()
	if err != nil {
		return nil, err
	}
	out := &ConvertResponse{Meta: r.Meta}
	if r.isZip() {
		members, err := unzip(raw, r.client.maxResponseSize)
		if err != nil {
			return nil, r.invalidResponse(nil, "the zip answer cannot be used: "+err.Error(), err)
		}
		out.addMembers(members)
		return out, r.documentsError(out.missing(sources))
	}
	var wire struct {
		Document       *exportedDocument `json:"document"`
		ProcessingTime float64           `json:"processing_time"`
		NumConverted   *int              `json:"num_converted"`
		conversion
		StoredResult
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, r.invalidResponse(raw, "cannot decode the answer as JSON: "+err.Error(), err)
	}
	out.Raw, out.ProcessingTime = raw, wire.ProcessingTime
	switch {
	case wire.Document != nil:
		doc := wire.Document.converted(wire.conversion)
		out.Documents = []*Converted{doc}
		return out, r.documentsError([]error{doc.failure()})
	case wire.NumConverted != nil:
		out.Stored = &wire.StoredResult
		out.Stored.NumConverted = *wire.NumConverted
		if n := out.Stored.NumFailed; n > 0 {
			return out, r.documentsError([]error{&DocumentError{Filename: fmt.Sprintf("%d of %d documents", n, max(n, out.Stored.NumConverted)), Status: "failure"}})
		}
		return out, nil
	}
	return nil, r.invalidResponse(raw, "the answer has no document", nil)
}

// readChunks reads the result of a chunking.
func readChunks(r *response, sources []Source) (*ChunkResponse, error) {
	raw, err := r.readAll()
	if err != nil {
		return nil, err
	}
	if r.isZip() {
		members, err := unzip(raw, r.client.maxResponseSize)
		if err != nil {
			return nil, r.invalidResponse(nil, "the zip answer cannot be used: "+err.Error(), err)
		}
		raw = nil
		for _, m := range members {
			if path.Ext(m.name) == ".json" {
				raw = m.data
			}
		}
		if raw == nil {
			return nil, r.invalidResponse(nil, "the zip answer holds no chunks", nil)
		}
	}
	var wire struct {
		Chunks    []Chunk `json:"chunks"`
		Documents []struct {
			Content  exportedDocument `json:"content"`
			Document exportedDocument `json:"document"` // an older name of content
			conversion
		} `json:"documents"`
		ProcessingTime float64 `json:"processing_time"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, r.invalidResponse(raw, "cannot decode the answer as JSON: "+err.Error(), err)
	}
	if wire.Chunks == nil && wire.Documents == nil {
		return nil, r.invalidResponse(raw, "the answer has neither chunks nor documents", nil)
	}
	out := &ChunkResponse{Meta: r.Meta, Chunks: wire.Chunks, ProcessingTime: wire.ProcessingTime}
	out.Raw = raw
	var failures []error
	for i := range out.Chunks {
		out.Chunks[i].Metadata = notNull(out.Chunks[i].Metadata)
	}
	for _, d := range wire.Documents {
		content := &d.Content
		if content.Filename == "" {
			content = &d.Document
		}
		doc := content.converted(d.conversion)
		out.Documents = append(out.Documents, doc)
		failures = append(failures, doc.failure())
	}
	if err := r.documentsError(failures); err != nil {
		return out, err
	}
	for _, doc := range out.Documents {
		if !doc.hasChunks(out.Chunks) && !doc.knownEmpty() {
			return out, r.noChunks(doc.Filename)
		}
	}
	if len(out.Chunks) == 0 && len(out.Documents) == 0 {
		name := "the document"
		if len(sources) == 1 {
			name = sources[0].String()
		}
		return out, r.noChunks(name)
	}
	return out, nil
}

func (r *response) noChunks(name string) error {
	return r.finish(&Error{Code: CodeNoChunks, StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header,
		Message: fmt.Sprintf("docling returned no chunks for %s and no reason: its tokenizer cannot be loaded on the server, "+
			"or is a folder there and MaxTokens is not set; or the document holds no text", name)})
}

func (c *Converted) hasChunks(chunks []Chunk) bool {
	return slices.ContainsFunc(chunks, func(ch Chunk) bool { return ch.Filename == c.Filename })
}

// knownEmpty reports whether the contents came along and hold no text.
func (c *Converted) knownEmpty() bool {
	if len(c.JSON) > 0 {
		var doc struct {
			Texts  []json.RawMessage `json:"texts"`
			Tables []json.RawMessage `json:"tables"`
		}
		return json.Unmarshal(c.JSON, &doc) == nil && len(doc.Texts) == 0 && len(doc.Tables) == 0
	}
	return false
}

// Limits of a zip answer. Its bytes together are limited by [WithMaxResponseSize].
const maxZipMembers = 10_000

type zipMember struct {
	name string
	data []byte
}

// unzip unpacks an answer of at most limit bytes. It refuses what no honest answer holds:
// names that lead out of a folder, double names, and more members or bytes than the limits.
func unzip(raw []byte, limit int64) ([]zipMember, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxZipMembers {
		return nil, fmt.Errorf("it has %d members, more than %d", len(z.File), maxZipMembers)
	}
	seen := map[string]bool{}
	var out []zipMember
	for _, f := range z.File {
		name := f.Name
		if strings.HasSuffix(name, "/") {
			continue
		}
		if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\:\x00") {
			return nil, fmt.Errorf("it has a member with the unsafe name %s", quote(name))
		}
		if seen[name] {
			return nil, fmt.Errorf("it has two members named %s", quote(name))
		}
		seen[name] = true
		if f.UncompressedSize64 > uint64(limit) { //nolint:gosec // limit is positive
			return nil, fmt.Errorf("member %s is longer than %d bytes: raise WithMaxResponseSize if it is meant to be", quote(name), limit)
		}
		rc, err := f.Open()
		if err != nil {
			return nil, err
		}
		// Not what the header says but what comes counts.
		data, err := io.ReadAll(&limitedReader{r: rc, limit: limit})
		_ = rc.Close() // only read from
		if errors.Is(err, errTooLarge) {
			return nil, fmt.Errorf("its members are longer than the limit of WithMaxResponseSize: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", quote(name), err)
		}
		limit -= int64(len(data))
		out = append(out, zipMember{name, data})
	}
	return out, nil
}

// addMembers sorts the members of a zip into documents: those with one stem belong together.
func (r *ConvertResponse) addMembers(members []zipMember) {
	byStem := map[string]*Converted{}
	for _, m := range members {
		ext := path.Ext(m.name)
		stem := strings.TrimSuffix(m.name, ext)
		if ext == ".txt" && path.Ext(stem) == ".doctags" {
			ext, stem = ".doctags", strings.TrimSuffix(stem, ".doctags")
		}
		doc := byStem[stem]
		if doc == nil {
			doc = &Converted{Filename: stem}
		}
		switch text := string(m.data); {
		case strings.Contains(m.name, "/"):
			ext = ""
		case ext == ".md":
			doc.Markdown = text
		case ext == ".html":
			doc.HTML = text
		case ext == ".txt":
			doc.Text = text
		case ext == ".json":
			doc.JSON = m.data
		case ext == ".doctags":
			doc.DocTags = text
		case ext == ".doclang":
			doc.DocLang = text
		default:
			ext = ""
		}
		if ext == "" {
			if r.Files == nil {
				r.Files = map[string][]byte{}
			}
			r.Files[m.name] = m.data
			continue
		}
		if byStem[stem] == nil {
			byStem[stem] = doc
			r.Documents = append(r.Documents, doc)
		}
	}
}

// missing is an error for each upload that a zip answer lacks, which is all that docling-serve
// lets us know of its failure. What a URL is called, only the server knows, and an archive
// holds what it holds: for those only the number can be checked.
func (r *ConvertResponse) missing(sources []Source) []error {
	var failures []error
	unnamed := 0
	for _, s := range sources {
		if s.URL != "" || path.Ext(s.filename()) == ".zip" {
			unnamed++
			continue
		}
		i := slices.IndexFunc(r.Documents, func(d *Converted) bool { return d.Filename == s.stem() })
		if i < 0 {
			failures = append(failures, &DocumentError{Filename: s.filename(), Status: "missing"})
			continue
		}
		r.Documents[i].Filename = s.filename()
	}
	if n := len(sources) - len(r.Documents); unnamed > 0 && n > len(failures) {
		failures = append(failures, &DocumentError{Filename: fmt.Sprintf("%d of %d documents", n-len(failures), len(sources)), Status: "missing"})
	}
	return failures
}

const taskResultNotFound = "Task result not found"

// explainSync says what docling-serve means by some answers to a request that waits.
func explainSync(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	switch {
	case e.StatusCode == http.StatusNotFound && strings.Contains(e.Message, taskResultNotFound):
		e.Code = CodeDoclingTaskFailed
		e.Message = "docling-serve failed at the request as a whole and dropped the reason, which only its log holds. " +
			"Known causes: OCR settings that its engine cannot take, a pipeline that it does not have, bad base64, a target that cannot be reached, AbortOnError with a bad document"
	case e.StatusCode == http.StatusGatewayTimeout:
		e.Message += " (docling-serve goes on converting, and its result cannot be fetched: use StartConvert or StartChunk for documents that take long)"
	}
	return err
}
