package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
)

// ChunkRequest asks for a document in chunks: POST /docling/v1/chunk/hybrid/… or
// /docling/v1/chunk/hierarchical/….
type ChunkRequest struct {
	// Sources are the documents, at most [MaxDocumentsPerCall]: either all of them uploads, or
	// none.
	Sources []Source
	// Chunker is [ChunkerHybrid] (and empty means that) or [ChunkerHierarchical].
	Chunker string
	// Convert are the options of the conversion that comes first. An upload has no ToFormats.
	Convert ConvertOptions
	// Options of the chunking.
	Options ChunkOptions
	// IncludeConvertedDoc asks for the converted documents too.
	IncludeConvertedDoc *bool
	// Target is [ZipTarget], which the response is read from all the same, or, of a job,
	// [PutTarget]. nil: into the answer. docling-serve sends chunks to no store.
	Target any
	// Callbacks are told of the progress. Chunking an upload has none: send the file with
	// [Source.Inline].
	Callbacks []Callback

	// Extra are further fields of the request by docling-serve's names.
	Extra map[string]any
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

// MarshalJSON encodes the options under docling-serve's names, with Extra.
func (o ChunkOptions) MarshalJSON() ([]byte, error) { return encodeBody(chunkOptionFields(o), o.Extra) }

// UnmarshalJSON keeps options that have no name here in Extra.
func (o *ChunkOptions) UnmarshalJSON(data []byte) error {
	return decodeWithExtra(data, (*chunkOptionFields)(o), &o.Extra)
}

// chunkOptionFields are the fields of ChunkOptions without its methods.
type chunkOptionFields ChunkOptions

// ChunkResponse is the result of a chunking.
type ChunkResponse struct {
	Meta
	Chunks []Chunk
	// Documents say how each conversion went; their contents are empty without IncludeConvertedDoc.
	Documents []*Converted
	// ProcessingTime is what docling took, in seconds.
	ProcessingTime float64
	// Stored is what docling says of a [PutTarget], which has got the chunks; nil without one.
	Stored *StoredResult
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
	// Pages are the page numbers that the chunk is from, counted from 1; none for formats without
	// pages.
	Pages []int `json:"page_numbers,omitempty"`
	// Metadata is as docling gives it: origin, media type…
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Chunk converts documents and cuts them into chunks for embedding. A document that is not
// converted is an error as for [Docling.Convert]; one that gives no chunks is [ErrNoChunks]. The
// response comes together with such an error.
func (d *Docling) Chunk(ctx context.Context, req *ChunkRequest, opts ...CallOption) (*ChunkResponse, error) {
	return fetch(ctx, d.c, req, opts, func(raw []byte) (*ChunkResponse, error) {
		return readChunks(raw, req.Sources, d.c.maxResponseSize)
	})
}

func (r *ChunkRequest) call(c *Client) (*call, error) {
	k, err := r.baseCall(c)
	k.explain = explainLostResult
	if err == nil && kindOf(r.Target) == "put" {
		err = invalid(CodeInvalidRequest, "docling-serve sends chunks to a URL only as a job: use StartChunk")
	}
	return k, err
}

// baseCall makes what a plain call and a job have in common: the caller adds what the answer means,
// and a job its path.
func (r *ChunkRequest) baseCall(*Client) (*call, error) {
	root := "/docling/v1/chunk/" + ChunkerHybrid
	if r == nil {
		return refusedPost(root+"/source", invalid(CodeInvalidDoclingBody, "the ChunkRequest is nil"))
	}
	if r.Chunker == ChunkerHierarchical {
		root = "/docling/v1/chunk/" + ChunkerHierarchical
	}
	// The answer tells documents apart by their whole names.
	upload, err := checkSources(r.Sources, Source.base)
	if err == nil {
		err = r.checkOptions(upload)
	}
	if err != nil {
		return refusedPost(root+"/source", err)
	}
	convert, err := r.Convert.values()
	if err != nil {
		return refusedPost(root+"/source", err)
	}
	chunking, err := optionValues(r.Options)
	if err != nil {
		return refusedPost(root+"/source", err)
	}
	if upload {
		fields := slices.Concat(formFields("convert_", convert), formFields("chunking_", chunking))
		if r.IncludeConvertedDoc != nil {
			fields = append(fields, formField{"include_converted_doc", strconv.FormatBool(*r.IncludeConvertedDoc)})
		}
		extra, err := extraFields(r.Extra)
		if err != nil {
			return refusedPost(root+"/file", err)
		}
		return newUpload(root+"/file", r.Sources, append(fields, extra...), r.Target)
	}
	body := doclingBody{ConvertOptions: convert, ChunkingOptions: chunking,
		IncludeConvertedDoc: r.IncludeConvertedDoc, Target: r.Target, Callbacks: r.Callbacks}
	return newPostOfSources(root+"/source", r.Sources, &body, r.Extra)
}

func (r *ChunkRequest) checkOptions(upload bool) error {
	o := &r.Options
	_, hasFormats := r.Convert.Extra["to_formats"]
	hasFormats = hasFormats || r.Convert.ToFormats != nil
	switch {
	case r.Chunker != "" && r.Chunker != ChunkerHybrid && r.Chunker != ChunkerHierarchical:
		return invalid(CodeInvalidRequest, "chunker %q: want %q or %q", r.Chunker, ChunkerHybrid, ChunkerHierarchical)
	case r.Chunker == ChunkerHierarchical && (o.MaxTokens != nil || o.Tokenizer != "" || o.MergePeers != nil):
		return invalid(CodeInvalidRequest,
			"the hierarchical chunker counts no tokens: MaxTokens, Tokenizer and MergePeers are for %q", ChunkerHybrid)
	case o.MaxTokens != nil && *o.MaxTokens <= 0:
		return invalid(CodeInvalidRequest, "max_tokens is %d: want 1 or more", *o.MaxTokens)
	case slices.ContainsFunc(r.Sources, func(s Source) bool { return s.Store != nil }):
		return invalid(CodeInvalidDoclingBody, "docling-serve chunks no documents of a store: convert them")
	case slices.Contains([]string{"s3", "azure_blob", "google_cloud_storage", "google_drive", "presigned_url"},
		kindOf(r.Target)):
		return invalid(CodeInvalidRequest, "target of kind %q: docling-serve stores no chunks, "+
			"it would answer with them: use PutTarget, or store them yourself", kindOf(r.Target))
	case upload && len(r.Callbacks) > 0:
		return invalid(CodeInvalidRequest,
			"callbacks: chunking an upload has none, docling-serve would ignore them in silence: "+
				"set Inline on the files")
	case upload && hasFormats:
		return invalid(CodeInvalidRequest,
			"to_formats: chunking an upload has no such option, docling-serve would ignore it in silence")
	}
	return checkCallbacks(r.Callbacks)
}

// readChunks reads the result of a chunking. sources are nil if they are not known. limit is how
// many bytes the members of a zip may have.
func readChunks(raw []byte, sources []Source, limit int64) (*ChunkResponse, error) {
	out := new(ChunkResponse)
	if isZip(raw) {
		var err error
		if raw, err = chunksInZip(raw, limit); err != nil {
			return nil, err
		}
		out.Raw = raw
	}
	var wire struct {
		Chunks    []Chunk `json:"chunks"`
		Documents []struct {
			Content  exportedDocument `json:"content"`
			Document exportedDocument `json:"document"` // an older name of content
			conversion
		} `json:"documents"`
		ProcessingTime float64 `json:"processing_time"`
		storedAnswer
	}
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	if out.Stored = wire.stored(); out.Stored != nil {
		out.ProcessingTime = wire.ProcessingTime
		return out, documentsError([]error{out.Stored.failure()})
	}
	if wire.Chunks == nil && wire.Documents == nil {
		return nil, errNoField("chunks and no documents")
	}
	out.Chunks, out.ProcessingTime = wire.Chunks, wire.ProcessingTime
	for i := range out.Chunks {
		out.Chunks[i].Metadata = notNull(out.Chunks[i].Metadata)
	}
	var failures []error
	for _, d := range wire.Documents {
		content := &d.Content
		if content.Filename == "" {
			content = &d.Document
		}
		doc := content.converted(d.conversion)
		out.Documents = append(out.Documents, doc)
		failures = append(failures, doc.failure())
	}
	if err := documentsError(failures); err != nil {
		return out, err
	}
	return out, out.checkChunks(sources)
}

func (r *ChunkResponse) redactWords(redact func(string) string) {
	for _, doc := range r.Documents {
		redactErrors(doc.Errors, redact)
	}
}

// chunksInZip is the JSON in a zip answer.
func chunksInZip(raw []byte, limit int64) ([]byte, error) {
	members, err := unzip(raw, limit)
	if err != nil {
		return nil, fmt.Errorf("the zip answer cannot be used: %w", err)
	}
	for _, m := range members {
		if !isPortableName(m.name) {
			return nil, fmt.Errorf("the zip answer cannot be used: %w", unsafeNameError(m.name))
		}
		if path.Ext(m.name) == ".json" {
			return m.data, nil
		}
	}
	return nil, errors.New("the zip answer holds no chunks")
}

// checkChunks makes sure that there are chunks of each document that holds text.
func (r *ChunkResponse) checkChunks(sources []Source) error {
	for _, doc := range r.Documents {
		isOfDoc := func(c Chunk) bool { return c.Filename == doc.Filename }
		if !slices.ContainsFunc(r.Chunks, isOfDoc) && !doc.isKnownEmpty() {
			return errNoChunks(doc.Filename)
		}
	}
	switch {
	case len(r.Chunks) > 0 || len(r.Documents) > 0:
		return nil
	case len(sources) == 1:
		return errNoChunks(sources[0].String())
	}
	return errNoChunks("the document")
}

func errNoChunks(document string) error {
	return &answerError{CodeNoChunks, fmt.Errorf("docling returned no chunks for %s and no reason: "+
		"its tokenizer cannot be loaded on the server, or is a folder there and MaxTokens is not set; "+
		"or the document holds no text", document)}
}
