package babyclient

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A DocumentStatus is how the conversion of a document went.
type DocumentStatus string

// Statuses of [Converted] and [DocumentError].
const (
	DocumentSuccess        DocumentStatus = "success"
	DocumentPartialSuccess DocumentStatus = "partial_success" // some pages are missing
	DocumentFailure        DocumentStatus = "failure"
	DocumentSkipped        DocumentStatus = "skipped" // docling does not take such a document
	DocumentMissing        DocumentStatus = "missing" // set by this client: a zip answer lacks it
)

// Converted is a document as docling converted it. The formats that were not asked for are empty.
type Converted struct {
	// Filename is the name that the upload was given; of another source, what docling calls it.
	Filename string
	Markdown string
	HTML     string
	Text     string
	DocTags  string
	DocLang  string
	// JSON is the DoclingDocument, the whole structure. Its numbers can exceed an int64
	// (origin.binary_hash).
	JSON json.RawMessage
	// Status is how the conversion went; empty in a zip answer, which does not tell.
	Status DocumentStatus
	// Errors are docling's own, and its warnings.
	Errors []DoclingError
	// Confidence are docling's scores, as it gives them.
	Confidence json.RawMessage
	// Timings of the stages, as docling gives them.
	Timings json.RawMessage

	// SourceIndex is the place in Sources of the source that the document is from, in a document of
	// [Docling.ConvertAll]: one source can hold several documents. It is 0 elsewhere.
	SourceIndex int
	// Files are the members of a zip answer that belong to no single document, such as images, by
	// name. [Docling.ConvertAll] gives them with the first document of a source. They are nil
	// elsewhere: see [ConvertResponse.Files].
	Files map[string][]byte
}

// DoclingError is what docling says about a failure in a document.
type DoclingError struct {
	ComponentType string `json:"component_type"`
	ModuleName    string `json:"module_name"`
	Message       string `json:"error_message"`
	// Category is "policy", "source_unavailable", "timeout", "backend_failure"…
	Category string `json:"category"`
	// Page is where it happened, counted from 1; 0 for the whole document.
	Page int `json:"page_no"`
}

// pages counts the pages of a document that came as JSON, 0 where it does not tell.
func (c *Converted) pages() int {
	var doc struct {
		Pages map[string]struct{} `json:"pages"`
	}
	if len(c.JSON) == 0 || json.Unmarshal(c.JSON, &doc) != nil {
		return 0
	}
	return len(doc.Pages)
}

// isKnownEmpty reports whether the structure of the document came along and holds no text.
func (c *Converted) isKnownEmpty() bool {
	if len(c.JSON) > 0 {
		var doc struct {
			Texts  []json.RawMessage `json:"texts"`
			Tables []json.RawMessage `json:"tables"`
		}
		return json.Unmarshal(c.JSON, &doc) == nil && len(doc.Texts) == 0 && len(doc.Tables) == 0
	}
	return false
}

// DocumentError says that a document was not converted, or only in part. It is the Err of
// an [Error], or joined with others in it. It matches [ErrDocumentFailed], and [ErrPartialSuccess]
// for a document converted in part.
type DocumentError struct {
	Filename string
	// Status is docling's, or [DocumentMissing].
	Status DocumentStatus
	Errors []DoclingError
}

// Error is docling's own words, safe to print on a terminal.
func (e *DocumentError) Error() string { return Printable(e.text()) }

func (e *DocumentError) text() string {
	const most = 3 // of docling's errors
	var said []string
	for _, d := range e.Errors {
		m := d.Message
		if d.Page > 0 {
			m = fmt.Sprintf("page %d: %s", d.Page, m)
		}
		said = append(said, m)
	}
	if n := len(said); n > most {
		said = append(said[:most], fmt.Sprintf("and %d more", n-most))
	}
	name := cmp.Or(e.Filename, "the document")
	switch {
	case e.Status == DocumentMissing:
		return name + " was not converted: it is not in the zip answer, which does not say why; convert it alone to see"
	case len(said) == 0:
		return fmt.Sprintf("%s: docling answered status %q and no reason", name, e.Status)
	}
	return fmt.Sprintf("%s: %s: %s", name, strings.ReplaceAll(string(e.Status), "_", " "), strings.Join(said, "; "))
}

// redacted is a copy with other texts.
func (e *DocumentError) redacted(redact func(string) string) error {
	clean := DocumentError{Filename: redact(e.Filename), Status: DocumentStatus(redact(string(e.Status))),
		Errors: slices.Clone(e.Errors)}
	redactErrors(clean.Errors, redact)
	return &clean
}

func redactErrors(said []DoclingError, redact func(string) string) {
	for i := range said {
		e := &said[i]
		for _, text := range []*string{&e.ComponentType, &e.ModuleName, &e.Message, &e.Category} {
			*text = redact(*text)
		}
	}
}

// Is matches [ErrDocumentFailed] and, for a part, [ErrPartialSuccess].
func (e *DocumentError) Is(target error) bool {
	return target == ErrDocumentFailed || target == ErrPartialSuccess && e.Status == DocumentPartialSuccess
}

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
	Status     DocumentStatus  `json:"status"`
	Errors     []DoclingError  `json:"errors"`
	Timings    json.RawMessage `json:"timings"`
	Confidence json.RawMessage `json:"confidence"`
}

func (x *exportedDocument) converted(c conversion) *Converted {
	return &Converted{
		Filename: x.Filename,
		Markdown: textOrEmpty(x.Markdown), HTML: textOrEmpty(x.HTML), Text: textOrEmpty(x.Text),
		DocTags: textOrEmpty(x.DocTags), DocLang: textOrEmpty(x.DocLang), JSON: notNull(x.JSON),
		Status: c.Status, Errors: c.Errors, Confidence: notNull(c.Confidence), Timings: notNull(c.Timings),
	}
}

func textOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func notNull(raw json.RawMessage) json.RawMessage {
	if isNull(raw) {
		return nil
	}
	return raw
}

// failure is nil for a document that was converted whole.
func (c *Converted) failure() error {
	if c.Status == DocumentSuccess || c.Status == "" {
		return nil
	}
	return &DocumentError{Filename: c.Filename, Status: c.Status, Errors: c.Errors}
}

// documentsError makes the error of an answer in which documents failed. failures has a nil for
// each document that succeeded.
func documentsError(failures []error) error {
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	switch len(failures) {
	case 0:
		return nil
	case 1:
		return &answerError{CodeDoclingDocumentFailed, failures[0]}
	}
	return &answerError{CodeDoclingDocumentFailed, errors.Join(failures...)}
}
