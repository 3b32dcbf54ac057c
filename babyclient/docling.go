package babyclient

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Docling converts documents to text and cuts them into chunks, on docling-serve behind the
// service. It is the Docling field of a [Client].
type Docling struct{ c *Client }

// nodeHeader names the node that owns a task: every request about the task must carry it.
const nodeHeader = "X-Babyapi-Docling-Id"

// MaxDocumentsPerCall is how many documents docling-serve takes in one request, unless its
// operator allows more. [Docling.ConvertAll] has no such limit.
const MaxDocumentsPerCall = 3

// Output formats of [ConvertOptions.ToFormats] that an answer carries. The service knows more,
// which it puts only into a zip or a store.
const (
	FormatMarkdown = "md"
	FormatJSON     = "json" // a DoclingDocument
	FormatHTML     = "html"
	FormatText     = "text"
	FormatDocTags  = "doctags"
	FormatDocLang  = "doclang"
)

// ConvertOptions are the options of a conversion. What is not set is not sent, so that the
// server's default holds. Options without a name here go into Extra, under docling-serve's names.
type ConvertOptions struct {
	// FromFormats are the input formats to accept ("pdf", "docx", "html"…).
	FromFormats []string `json:"from_formats,omitempty"`
	// ToFormats are the formats to return: the Format constants. The server's default is Markdown. One that docling-serve
	// puts only into a zip or a store ("yaml", "latex"…) is refused without such a Target.
	ToFormats []string `json:"to_formats,omitempty"`
	// Pages is the range of pages to convert.
	Pages *PageRange `json:"page_range,omitzero"`

	// DoOCR recognises text in images of text. ForceOCR does so even where the document has text.
	DoOCR    *bool `json:"do_ocr,omitzero"`
	ForceOCR *bool `json:"force_ocr,omitzero"`
	// OCRPreset names the engine ("auto", "rapidocr", "tesseract"…), OCRLang its languages.
	OCRPreset string   `json:"ocr_preset,omitempty"`
	OCRLang   []string `json:"ocr_lang,omitempty"`

	// Pipeline is "standard", "vlm"…; PDFBackend is "docling_parse", "pypdfium2"…
	Pipeline   string `json:"pipeline,omitempty"`
	PDFBackend string `json:"pdf_backend,omitempty"`

	// DoTableStructure finds the cells of tables; TableMode is "fast" or "accurate".
	DoTableStructure  *bool  `json:"do_table_structure,omitzero"`
	TableMode         string `json:"table_mode,omitempty"`
	TableCellMatching *bool  `json:"table_cell_matching,omitzero"`

	// ImageExportMode is "placeholder", "embedded" or "referenced".
	ImageExportMode   string   `json:"image_export_mode,omitempty"`
	IncludeImages     *bool    `json:"include_images,omitzero"`
	IncludePageImages *bool    `json:"include_page_images,omitzero"`
	ImagesScale       *float64 `json:"images_scale,omitzero"`

	// MDPageBreakPlaceholder is put between the pages of Markdown.
	MDPageBreakPlaceholder string `json:"md_page_break_placeholder,omitempty"`
	MDCompactTables        *bool  `json:"md_compact_tables,omitzero"`

	DoPDFHeadingHierarchy   *bool `json:"do_pdf_heading_hierarchy,omitzero"`
	DoCodeEnrichment        *bool `json:"do_code_enrichment,omitzero"`
	DoFormulaEnrichment     *bool `json:"do_formula_enrichment,omitzero"`
	DoPictureClassification *bool `json:"do_picture_classification,omitzero"`
	DoPictureDescription    *bool `json:"do_picture_description,omitzero"`
	DoChartExtraction       *bool `json:"do_chart_extraction,omitzero"`

	// DocumentTimeout limits the work on one document, in seconds: what is converted by then
	// comes as a partial success.
	DocumentTimeout *float64 `json:"document_timeout,omitzero"`
	// AbortOnError makes the first bad document fail the whole request.
	AbortOnError *bool `json:"abort_on_error,omitzero"`

	// Extra are further options by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// PageRange is a range of pages, counted from 1, both ends included.
type PageRange struct {
	First int
	// Last is the last page; 0 means the document's.
	Last int
}

// MarshalJSON is the two numbers that docling-serve takes.
func (r PageRange) MarshalJSON() ([]byte, error) {
	last := int64(r.Last)
	if last == 0 {
		last = 1<<63 - 1 // docling-serve's own default
	}
	return []byte("[" + strconv.Itoa(r.First) + "," + strconv.FormatInt(last, 10) + "]"), nil
}

// values are the options by their wire names.
func (o *ConvertOptions) values() (map[string]json.RawMessage, error) {
	if p := o.Pages; p != nil && (p.First < 1 || p.Last < 0 || p.Last != 0 && p.Last < p.First) {
		return nil, invalid(CodeInvalidRequest, "pages %d to %d: want a first page of 1 or more and a last one not before it", p.First, p.Last)
	}
	if err := firstError(checkFinite("images_scale", o.ImagesScale), checkFinite("document_timeout", o.DocumentTimeout)); err != nil {
		return nil, err
	}
	return fieldsOf(o, o.Extra)
}

// fieldsOf are the JSON fields of v with extra on top.
func fieldsOf(v any, extra map[string]any) (map[string]json.RawMessage, error) {
	b, err := marshalBody(v, extra)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	return fields, json.Unmarshal(b, &fields)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// ConvertRequest is a conversion: POST /docling/v1/convert/source for URLs and inline
// documents, POST /docling/v1/convert/file for uploads. Which of them follows from Sources.
type ConvertRequest struct {
	// Sources are the documents, at most [MaxDocumentsPerCall]: either all of them uploads, or none. Several must differ
	// in their names without the extension, by which the answer tells them apart.
	Sources []Source
	// Options of the conversion.
	Options ConvertOptions
	// Target is where the result goes, such as {"kind": "zip"} or a store of docling-serve's.
	// nil: into the answer. An upload can only say the kind.
	Target map[string]any
}

// ChunkRequest asks for a document in chunks: POST /docling/v1/chunk/hybrid/… or
// /docling/v1/chunk/hierarchical/….
type ChunkRequest struct {
	// Sources are the documents, at most [MaxDocumentsPerCall]: either all of them uploads, or none.
	Sources []Source
	// Chunker is [ChunkerHybrid] (and empty means that) or [ChunkerHierarchical].
	Chunker string
	// Convert are the options of the conversion that comes first. An upload has no ToFormats.
	Convert ConvertOptions
	// Options of the chunking.
	Options ChunkOptions
	// IncludeConvertedDoc asks for the converted documents too.
	IncludeConvertedDoc *bool
	// Target is as for a [ConvertRequest].
	Target map[string]any
}

// The chunkers of docling.
const (
	ChunkerHybrid       = "hybrid"       // by the structure of the document and the tokens of an embedding model
	ChunkerHierarchical = "hierarchical" // by the structure alone
)

// ChunkOptions are the options of a chunker. What is not set is not sent.
type ChunkOptions struct {
	// MaxTokens is the most tokens of a chunk (hybrid). Not set: what the tokenizer says. It
	// must be set for a Tokenizer that is a folder on the server.
	MaxTokens *int `json:"max_tokens,omitzero"`
	// Tokenizer is the model whose tokens are counted (hybrid). The server's default is
	// sentence-transformers/all-MiniLM-L6-v2.
	Tokenizer string `json:"tokenizer,omitempty"`
	// MergePeers merges small neighbours under one heading (hybrid).
	MergePeers *bool `json:"merge_peers,omitzero"`
	// UseMarkdownTables keeps tables as Markdown instead of "row, column = value".
	UseMarkdownTables *bool `json:"use_markdown_tables,omitzero"`
	UseMarkdownImages *bool `json:"use_markdown_images,omitzero"`
	// ImagePlaceholder stands for an image.
	ImagePlaceholder string `json:"image_placeholder,omitempty"`
	// IncludeRawText asks for the text without headings as well.
	IncludeRawText *bool `json:"include_raw_text,omitzero"`

	// Extra are further options by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// Converted is a document as docling converted it. The formats that were not asked for are empty.
type Converted struct {
	// Filename is the document's, as docling knows it.
	Filename string
	Markdown string
	HTML     string
	Text     string
	DocTags  string
	DocLang  string
	// JSON is the DoclingDocument, the whole structure. Its numbers can exceed an int64 (origin.binary_hash).
	JSON json.RawMessage
	// Status is "success", "partial_success", "failure" or "skipped"; empty in a zip answer, which does not tell.
	Status string
	// Errors are docling's own, and its warnings.
	Errors []DoclingError
	// Confidence are docling's scores, as it gives them.
	Confidence json.RawMessage
	// Timings of the stages, as docling gives them.
	Timings json.RawMessage
}

// DoclingError is what docling says about a failure in a document.
type DoclingError struct {
	ComponentType string `json:"component_type"`
	ModuleName    string `json:"module_name"`
	Message       string `json:"error_message"`
	// Category is "policy", "source_unavailable", "timeout", "backend_failure"…
	Category string `json:"category"`
	// Page is where it happened, 0 for the whole document.
	Page int `json:"page_no"`
}

// ConvertResponse is the result of a conversion.
type ConvertResponse struct {
	Meta
	// Documents are in the order of the answer: that of Sources, but for a zip answer, which is by name.
	Documents []*Converted
	// ProcessingTime is what docling took, in seconds.
	ProcessingTime float64
	// Files are the members of a zip answer that belong to no document, such as images, by name.
	Files map[string][]byte
	// Stored is what docling says of a Target other than the answer; nil without one.
	Stored *StoredResult
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

// ChunkResponse is the result of a chunking.
type ChunkResponse struct {
	Meta
	Chunks []Chunk
	// Documents say how each conversion went; their contents are empty without IncludeConvertedDoc.
	Documents []*Converted
	// ProcessingTime is what docling took, in seconds.
	ProcessingTime float64
}

// Chunk is a piece of a document.
type Chunk struct {
	Filename string `json:"filename"`
	// Index counts the chunks of the document from 0.
	Index int `json:"chunk_index"`
	// Text is what to embed: the piece under its headings.
	Text string `json:"text"`
	// RawText is the piece alone, with IncludeRawText.
	RawText string `json:"raw_text,omitempty"`
	// NumTokens of Text, 0 where the chunker counts none.
	NumTokens int      `json:"num_tokens,omitempty"`
	Headings  []string `json:"headings,omitempty"`
	Captions  []string `json:"captions,omitempty"`
	// DocItems are references into the DoclingDocument.
	DocItems []string `json:"doc_items,omitempty"`
	// Pages are the page numbers that the chunk is from, counted from 1; none for formats without pages.
	Pages []int `json:"page_numbers,omitempty"`
	// Metadata is as docling gives it: origin, media type…
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// DocumentError says that a document was not converted, or only in part. It is in the Err of
// an [Error], which matches [ErrDocumentFailed], and [ErrPartialSuccess] for a part.
type DocumentError struct {
	Filename string
	// Status is docling's; "missing" for a document that is not in a zip answer.
	Status string
	Errors []DoclingError
}

// Error is docling's own words, safe to print on a terminal.
func (e *DocumentError) Error() string { return printable(e.text()) }

func (e *DocumentError) text() string {
	var said []string
	for _, d := range e.Errors {
		m := d.Message
		if d.Page > 0 {
			m = fmt.Sprintf("page %d: %s", d.Page, m)
		}
		said = append(said, m)
	}
	const most = 3
	if n := len(said); n > most {
		said = append(said[:most], fmt.Sprintf("and %d more", n-most))
	}
	name := first(e.Filename, "the document")
	switch {
	case e.Status == "missing":
		return name + " was not converted: it is not in the zip answer, which does not say why; convert it alone to see"
	case len(said) == 0:
		return fmt.Sprintf("%s: docling answered status %q and no reason", name, e.Status)
	}
	return fmt.Sprintf("%s: %s: %s", name, strings.ReplaceAll(e.Status, "_", " "), strings.Join(said, "; "))
}

// Is matches [ErrDocumentFailed] and, for a part, [ErrPartialSuccess].
func (e *DocumentError) Is(target error) bool {
	return target == ErrDocumentFailed || target == ErrPartialSuccess && e.Status == "partial_success"
}

// Health, Ready and Version ask docling-serve itself.

// DoclingHealth is what docling-serve says of itself.
type DoclingHealth struct {
	Meta
	// Status is "ok".
	Status string `json:"status"`
}

func (h *DoclingHealth) lacks() string {
	if h.Status == "" {
		return "status"
	}
	return ""
}

// Health tells whether docling-serve runs: GET /docling/health.
func (d *Docling) Health(ctx context.Context, opts ...CallOption) (*DoclingHealth, error) {
	return doJSON[DoclingHealth](ctx, d.c, &call{method: http.MethodGet, path: "/docling/health"}, opts, (*DoclingHealth).lacks)
}

// Ready tells whether docling-serve takes documents: GET /docling/ready. While it does not, the error is [ErrUnavailable].
func (d *Docling) Ready(ctx context.Context, opts ...CallOption) (*DoclingHealth, error) {
	return doJSON[DoclingHealth](ctx, d.c, &call{method: http.MethodGet, path: "/docling/ready"}, opts, (*DoclingHealth).lacks)
}

// DoclingVersion names the versions of docling-serve and its parts.
type DoclingVersion struct {
	Meta
	Versions map[string]string
}

// UnmarshalJSON takes the flat object of names and versions.
func (v *DoclingVersion) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &v.Versions)
}

func (v *DoclingVersion) lacks() string {
	if len(v.Versions) == 0 {
		return "versions"
	}
	return ""
}

// Version tells what docling-serve runs: GET /docling/version.
func (d *Docling) Version(ctx context.Context, opts ...CallOption) (*DoclingVersion, error) {
	return doJSON[DoclingVersion](ctx, d.c, &call{method: http.MethodGet, path: "/docling/version"}, opts, (*DoclingVersion).lacks)
}

// Convert converts documents and waits for the result. A document that is not converted is
// an error ([ErrDocumentFailed]); for one converted in part ([ErrPartialSuccess]), or where some of several
// failed, the response comes together with the error. For documents that take minutes use
// [Docling.StartConvert], for many [Docling.ConvertAll].
func (d *Docling) Convert(ctx context.Context, req *ConvertRequest, opts ...CallOption) (*ConvertResponse, error) {
	k, err := req.call("")
	if err != nil {
		return nil, d.c.wrap(k, err)
	}
	resp, err := d.c.send(ctx, k, opts)
	if err != nil {
		return nil, explainSync(err)
	}
	return readConvert(resp, req.Sources)
}

// Chunk converts documents and cuts them into chunks for embedding. A document that is not
// converted is an error as for [Docling.Convert]; one that gives no chunks is [ErrNoChunks]. The
// response comes together with such an error.
func (d *Docling) Chunk(ctx context.Context, req *ChunkRequest, opts ...CallOption) (*ChunkResponse, error) {
	k, err := req.call("")
	if err != nil {
		return nil, d.c.wrap(k, err)
	}
	resp, err := d.c.send(ctx, k, opts)
	if err != nil {
		return nil, explainSync(err)
	}
	return readChunks(resp, req.Sources)
}

// call builds the request; suffix is "/async" for a job.
func (r *ConvertRequest) call(suffix string) (*call, error) {
	k := &call{method: http.MethodPost, path: "/docling/v1/convert/source" + suffix, slow: true}
	if r == nil {
		return k, invalid(CodeInvalidDoclingBody, "the ConvertRequest is nil")
	}
	upload, err := checkSources(r.Sources, Source.stem)
	if err != nil {
		return k, err
	}
	if err := r.checkFormats(); err != nil {
		return k, err
	}
	options, err := r.Options.values()
	if err != nil {
		return k, err
	}
	if !upload {
		return k, jsonSources(k, r.Sources, map[string]any{"options": options}, r.Target)
	}
	k.path = "/docling/v1/convert/file" + suffix
	fields, err := formFields("", options)
	if err != nil {
		return k, err
	}
	return k, k.upload(r.Sources, fields, r.Target)
}

func (r *ChunkRequest) call(suffix string) (*call, error) {
	k := &call{method: http.MethodPost, path: "/docling/v1/chunk/hybrid/source" + suffix, slow: true}
	if r == nil {
		return k, invalid(CodeInvalidDoclingBody, "the ChunkRequest is nil")
	}
	chunker := first(r.Chunker, ChunkerHybrid)
	if chunker != ChunkerHybrid && chunker != ChunkerHierarchical {
		return k, invalid(CodeInvalidRequest, "chunker %q: want %q or %q", r.Chunker, ChunkerHybrid, ChunkerHierarchical)
	}
	k.path = "/docling/v1/chunk/" + chunker + "/source" + suffix
	upload, err := checkSources(r.Sources, Source.base) // its answer tells documents by their whole name
	if err != nil {
		return k, err
	}
	if o := r.Options; chunker == ChunkerHierarchical && (o.MaxTokens != nil || o.Tokenizer != "" || o.MergePeers != nil) {
		return k, invalid(CodeInvalidRequest, "the hierarchical chunker counts no tokens: MaxTokens, Tokenizer and MergePeers are for %q", ChunkerHybrid)
	}
	if n := r.Options.MaxTokens; n != nil && *n <= 0 {
		return k, invalid(CodeInvalidRequest, "max_tokens is %d: want 1 or more", *n)
	}
	convert, err := r.Convert.values()
	if err != nil {
		return k, err
	}
	chunking, err := fieldsOf(r.Options, r.Options.Extra)
	if err != nil {
		return k, err
	}
	if !upload {
		more := map[string]any{}
		if len(convert) > 0 {
			more["convert_options"] = convert
		}
		if len(chunking) > 0 {
			more["chunking_options"] = chunking
		}
		if r.IncludeConvertedDoc != nil {
			more["include_converted_doc"] = *r.IncludeConvertedDoc
		}
		return k, jsonSources(k, r.Sources, more, r.Target)
	}
	k.path = "/docling/v1/chunk/" + chunker + "/file" + suffix
	if _, ok := convert["to_formats"]; ok {
		return k, invalid(CodeInvalidRequest, "to_formats: chunking an upload has no such option, docling-serve would ignore it in silence")
	}
	fields, err := formFields("convert_", convert)
	if err != nil {
		return k, err
	}
	more, err := formFields("chunking_", chunking)
	if err != nil {
		return k, err
	}
	fields = append(fields, more...)
	if r.IncludeConvertedDoc != nil {
		fields = append(fields, field{"include_converted_doc", strconv.FormatBool(*r.IncludeConvertedDoc)})
	}
	return k, k.upload(r.Sources, fields, r.Target)
}

// checkFormats refuses formats that docling-serve would answer with success and nothing: those that it puts only
// into a zip or a store, where neither was asked for.
func (r *ConvertRequest) checkFormats() error {
	if r.Target != nil && r.Target["kind"] != "inbody" || len(r.Sources) > 1 || strings.EqualFold(path.Ext(r.Sources[0].filename()), ".zip") {
		return nil
	}
	for _, f := range r.Options.ToFormats {
		switch f {
		case "yaml", "html_split_page", "vtt", "dclx", "chunks", "latex":
			return invalid(CodeInvalidRequest, "to_formats: docling-serve gives %q only in a zip: set Target to map[string]any{\"kind\": \"zip\"}", f)
		}
	}
	return nil
}

// checkSources checks each source and tells whether they are uploads. name is what tells the documents apart in the
// answer.
func checkSources(sources []Source, name func(Source) string) (upload bool, _ error) {
	if len(sources) == 0 {
		return false, invalid(CodeInvalidDoclingBody, "no sources: give at least one document")
	}
	taken := map[string]string{}
	for i, s := range sources {
		if err := s.check(i); err != nil {
			return false, err
		}
		uploaded := s.URL == "" && !s.Inline
		if i > 0 && uploaded != upload {
			return false, invalid(CodeInvalidDoclingBody, "sources[%d] (%s): uploads and URLs cannot go in one request: set Inline on the files, or use ConvertAll", i, s)
		}
		upload = uploaded
		if other, clash := taken[name(s)]; clash {
			return false, invalid(CodeInvalidDoclingBody, "%s and %s would both be %q in the answer: rename one (Source.Name), or use ConvertAll or ChunkAll", other, s, name(s))
		}
		taken[name(s)] = s.String()
	}
	if len(sources) > MaxDocumentsPerCall {
		var names []string
		for _, s := range sources {
			names = append(names, s.String())
		}
		return false, invalid(CodeInvalidDoclingBody, "%d documents (%s), but the service takes %d in one request: use ConvertAll or ChunkAll",
			len(sources), strings.Join(names, ", "), MaxDocumentsPerCall)
	}
	return upload, nil
}

func jsonSources(k *call, sources []Source, more, target map[string]any) error {
	list := make([]any, len(sources))
	for i, s := range sources {
		w, err := s.wire(i)
		if err != nil {
			return err
		}
		list[i] = w
	}
	body := map[string]any{"sources": list}
	for name, v := range more {
		if m, ok := v.(map[string]json.RawMessage); !ok || len(m) > 0 {
			body[name] = v
		}
	}
	if target != nil {
		body["target"] = target
	}
	b, err := marshalBody(body, nil)
	if err != nil {
		return err
	}
	k.body = jsonBody(b)
	return nil
}

func (k *call) upload(sources []Source, fields []field, target map[string]any) error {
	k.noRetry = true
	if target != nil {
		kind, ok := target["kind"].(string)
		if !ok || len(target) > 1 {
			return invalid(CodeInvalidRequest, "target %v: an upload can only say the kind, docling-serve would ignore the rest in silence; send the files inline to say more", target)
		}
		fields = append(fields, field{"target_type", kind})
	}
	b, err := multipartBody(sources, fields)
	if err != nil {
		return err
	}
	k.body = b
	return nil
}
