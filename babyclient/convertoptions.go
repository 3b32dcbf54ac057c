package babyclient

import "encoding/json"

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

// A Pipeline is one of docling's chains of models.
type Pipeline string

// Pipelines of [ConvertOptions.Pipeline].
const (
	PipelineStandard Pipeline = "standard" // layout, tables and OCR, each by its own model
	PipelineNative   Pipeline = "native"   // the text of a PDF, without models
	PipelineLegacy   Pipeline = "legacy"   // an older standard
	PipelineVLM      Pipeline = "vlm"      // one model that sees the pages
	PipelineASR      Pipeline = "asr"      // speech recognition, for audio and video
)

// A TableMode is how carefully docling reads tables.
type TableMode string

// Modes of [ConvertOptions.TableMode].
const (
	TableFast     TableMode = "fast"
	TableAccurate TableMode = "accurate"
)

// An ImageExportMode is what stands for an image in the output.
type ImageExportMode string

// Modes of [ConvertOptions.ImageExportMode].
const (
	ImagePlaceholder ImageExportMode = "placeholder" // a mark that there was one
	ImageEmbedded    ImageExportMode = "embedded"    // the image itself, in base64
	ImageReferenced  ImageExportMode = "referenced"  // the name of a file beside the text
)

// ConvertOptions are the options of a conversion. What is not set is not sent, so that the
// server's default holds. Options without a name here go into Extra, under docling-serve's names.
type ConvertOptions struct {
	// FromFormats are the input formats to accept ("pdf", "docx", "html"…).
	FromFormats []string `json:"from_formats,omitempty"`
	// ToFormats are the formats to return: the Format constants. The server's default is Markdown.
	// A format that docling-serve puts only into a zip or a store ("yaml", "latex"…) is refused
	// without such a Target.
	ToFormats []string `json:"to_formats,omitempty"`
	// Pages is the range of pages to convert.
	Pages *PageRange `json:"page_range,omitzero"`

	// DoOCR recognises text in images of text. ForceOCR does so even where the document has text.
	DoOCR    *bool `json:"do_ocr,omitzero"`
	ForceOCR *bool `json:"force_ocr,omitzero"`
	// OCRPreset names the engine ("auto", "rapidocr", "tesseract"…), OCRLang its languages.
	OCRPreset string   `json:"ocr_preset,omitempty"`
	OCRLang   []string `json:"ocr_lang,omitempty"`

	// Pipeline is the chain of models that reads the document.
	Pipeline Pipeline `json:"pipeline,omitempty"`
	// PDFBackend is "docling_parse", "pypdfium2"…
	PDFBackend string `json:"pdf_backend,omitempty"`

	// DoTableStructure finds the cells of tables. TableMode trades speed for accuracy in it.
	DoTableStructure  *bool     `json:"do_table_structure,omitzero"`
	TableMode         TableMode `json:"table_mode,omitempty"`
	TableCellMatching *bool     `json:"table_cell_matching,omitzero"`

	// ImageExportMode is what stands for the images of the document.
	ImageExportMode   ImageExportMode `json:"image_export_mode,omitempty"`
	IncludeImages     *bool           `json:"include_images,omitzero"`
	IncludePageImages *bool           `json:"include_page_images,omitzero"`
	ImagesScale       *float64        `json:"images_scale,omitzero"`

	// MDPageBreakPlaceholder is put between the pages of Markdown.
	MDPageBreakPlaceholder string `json:"md_page_break_placeholder,omitempty"`
	MDCompactTables        *bool  `json:"md_compact_tables,omitzero"`

	DoPDFHeadingHierarchy   *bool `json:"do_pdf_heading_hierarchy,omitzero"`
	DoCodeEnrichment        *bool `json:"do_code_enrichment,omitzero"`
	DoFormulaEnrichment     *bool `json:"do_formula_enrichment,omitzero"`
	DoPictureClassification *bool `json:"do_picture_classification,omitzero"`
	DoPictureDescription    *bool `json:"do_picture_description,omitzero"`
	DoChartExtraction       *bool `json:"do_chart_extraction,omitzero"`

	// The presets choose the models of a stage: [Docling.Capabilities] lists what a service has.
	LayoutPreset                string `json:"layout_preset,omitempty"`
	TableStructurePreset        string `json:"table_structure_preset,omitempty"`
	VLMPipelinePreset           string `json:"vlm_pipeline_preset,omitempty"`
	CodeFormulaPreset           string `json:"code_formula_preset,omitempty"`
	PictureClassificationPreset string `json:"picture_classification_preset,omitempty"`
	PictureDescriptionPreset    string `json:"picture_description_preset,omitempty"`
	ChartExtractionPreset       string `json:"chart_extraction_preset,omitempty"`

	// DocumentTimeout limits the work on one document, in seconds: what is converted by then
	// comes as a partial success.
	DocumentTimeout *float64 `json:"document_timeout,omitzero"`
	// AbortOnError makes the first bad document fail the whole request.
	AbortOnError *bool `json:"abort_on_error,omitzero"`

	// Extra are further options by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the options under docling-serve's names, with Extra.
func (o ConvertOptions) MarshalJSON() ([]byte, error) {
	return encodeBody(convertOptionFields(o), o.Extra)
}

// UnmarshalJSON keeps options that have no name here in Extra.
func (o *ConvertOptions) UnmarshalJSON(data []byte) error {
	return decodeWithExtra(data, (*convertOptionFields)(o), &o.Extra)
}

// convertOptionFields are the fields of ConvertOptions without its methods.
type convertOptionFields ConvertOptions

// values checks the options and returns them by their names on the wire.
func (o *ConvertOptions) values() (map[string]json.RawMessage, error) {
	err := firstError(
		o.Pages.check(),
		checkFinite("images_scale", o.ImagesScale),
		checkFinite("document_timeout", o.DocumentTimeout),
	)
	if err != nil {
		return nil, err
	}
	return optionValues(*o)
}

// optionValues are the fields of options by their names on the wire.
func optionValues(options json.Marshaler) (map[string]json.RawMessage, error) {
	b, err := options.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var values map[string]json.RawMessage
	return values, json.Unmarshal(b, &values)
}
