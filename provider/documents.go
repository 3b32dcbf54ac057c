package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// Mode is what a [Loader] makes one schema.Document of.
type Mode int

// Modes of a [Loader].
const (
	// PerDocument makes one of a whole document, as Markdown.
	PerDocument Mode = iota
	// PerPage makes one of each page, slide or sheet that holds text, as Markdown. A format without
	// pages, as DOCX and HTML, gives one for the whole. Where docling's JSON is missing or cannot
	// be read, the pages are those of the service's Markdown, and have no numbers. Where a part of
	// the JSON cannot be read and text is missing, an error says so beside the pages.
	PerPage
	// PerChunk makes one of each of docling's chunks, for embedding. docling chunks only documents
	// that it converted whole: one with a bad page gives an error and no chunks, where the other
	// modes give an error and the text of the good pages.
	PerChunk
)

// String is the name of the mode: "PerPage".
func (m Mode) String() string {
	switch m {
	case PerDocument:
		return "PerDocument"
	case PerPage:
		return "PerPage"
	case PerChunk:
		return "PerChunk"
	}
	return "Mode(" + strconv.Itoa(int(m)) + ")"
}

// Keys of the metadata that a [Loader] sets, as far as docling knows them. Each value is a string
// or an int, because langchaingo's stores for Pinecone, Chroma and others refuse or change lists. A
// store that keeps metadata as JSON gives an int back as a float64.
const (
	MetadataSource     = "source"      // string: the path, the URL without its query, or the name of the reader
	MetadataFilename   = "filename"    // string: as docling knows it
	MetadataMediaType  = "media_type"  // string: "application/pdf"; docling gives a PPTX that of a template
	MetadataPage       = "page"        // int, counted from 1: the page, slide or sheet, of a chunk the first
	MetadataPages      = "pages"       // string: all pages of a chunk, such as "3-5,8"
	MetadataSlide      = "slide"       // int: the same as page, in a presentation only
	MetadataSheet      = "sheet"       // string: the name of the sheet, in a workbook only
	MetadataTotalPages = "total_pages" // int: pages, slides or sheets of the document
	// MetadataHeadings is a string: the headings that the text stands under, outermost first, as
	// "Part > Chapter". Of a page it is the headings above its first text, which stand on it or on
	// pages before it; of a slide or sheet, those on it alone.
	MetadataHeadings = "headings"
	MetadataCaptions = "captions" // string: of the tables and pictures in a chunk, one a line
	// MetadataBoxes is a string that [Boxes] decodes: where on the pages the text stands. A chunk
	// has a box for each item of it, or one for each page if it has more than 100 items. A page has
	// the one that holds all its items.
	MetadataBoxes = "boxes"
	// MetadataChunk is an int, counted from 0: of docling's chunks of a document, or of the pieces
	// that a splitter made of it.
	MetadataChunk        = "chunk"
	MetadataTokens       = "tokens"        // int: of a chunk, by the chunker's tokenizer
	MetadataContentHash  = "content_hash"  // string: SHA-256 of PageContent, in hex
	MetadataDocumentHash = "document_hash" // string: docling's hash of the document's bytes
)

// pageBreak is put between the pages of Markdown. No document holds it by itself.
const pageBreak = "<!-- babyapi-go page break -->"

// convertedDocuments makes one document of a conversion, or one of each page. An error comes
// together with the pages that could be made, or says that there is no text.
func (l *Loader) convertedDocuments(mode Mode, s babyclient.Source, c *babyclient.Converted) ([]schema.Document,
	error) {
	if c == nil {
		return nil, nil
	}
	doc := readDocument(c.JSON)
	common := doc.metadata(s, c.Filename)
	if mode == PerPage {
		out, err := l.pageDocuments(doc, common, c.Markdown)
		if len(out) == 0 && err == nil {
			err = doc.noText(s)
		}
		return out, err
	}
	if isBlank(c.Markdown) {
		return nil, doc.noText(s)
	}
	return []schema.Document{newDocument(c.Markdown, common)}, nil
}

// pageDocuments makes a document of each page. markdown is what the service made of the whole.
func (l *Loader) pageDocuments(doc *parsedDocument, common map[string]any, markdown string) ([]schema.Document,
	error) {
	pieces, err := doc.markdownPages(l.markdownOptions())
	pages := joinPages(pieces)
	if err != nil || len(pages) == 0 {
		var out []schema.Document
		for part := range strings.SplitSeq(markdown, pageBreak) {
			if !isBlank(part) {
				out = append(out, newDocument(strings.TrimSpace(part), maps.Clone(common)))
			}
		}
		return out, nil
	}
	var out []schema.Document
	facts := doc.pageFacts()
	for _, page := range pages {
		metadata := maps.Clone(common)
		if page.Page != 0 {
			doc.addPlace(metadata, page.Page)
			setKnown(metadata, MetadataHeadings, facts[page.Page].headings)
			addBoxes(metadata, facts[page.Page].boxes)
		}
		out = append(out, newDocument(page.Text, metadata))
	}
	// What of a document cannot be reached, or is of a newer schema, may be missing in its pages.
	if doc.err != nil && !docling.SameText(pieces, strings.ReplaceAll(markdown, pageBreak, "")) {
		return out, invalid("%s: some text may be missing in its pages, which PerDocument has: %v",
			common[MetadataSource], doc.err).WithCause(doc.err)
	}
	return out, nil
}

// markdownOptions are those with which the service writes Markdown.
func (l *Loader) markdownOptions() docling.MarkdownOptions {
	compact := l.convert.MDCompactTables
	return docling.MarkdownOptions{
		Images:        docling.ImageMode(l.convert.ImageExportMode),
		CompactTables: compact != nil && *compact,
	}
}

// chunkDocuments makes a document of each chunk. The error says that there is none.
func chunkDocuments(s babyclient.Source, r *babyclient.ChunkResponse) ([]schema.Document, error) {
	if r == nil {
		return nil, nil
	}
	docs, none := map[string]*parsedDocument{}, readDocument(nil)
	for _, d := range r.Documents {
		docs[d.Filename] = readDocument(d.JSON)
	}
	if len(r.Chunks) == 0 {
		if len(r.Documents) == 1 {
			return nil, docs[r.Documents[0].Filename].noText(s)
		}
		return nil, none.noText(s)
	}
	var out []schema.Document
	for _, c := range r.Chunks {
		doc := docs[c.Filename]
		if doc == nil && len(r.Documents) == 1 {
			doc = docs[r.Documents[0].Filename]
		}
		if doc == nil {
			doc = none
		}
		out = append(out, newDocument(c.Text, doc.chunkMetadata(s, &c)))
	}
	return out, nil
}

// newDocument gives the metadata to a text. What is no UTF-8 or holds a zero byte, which stores
// refuse, is taken out of the metadata: the name of a file can be like that.
func newDocument(text string, metadata map[string]any) schema.Document {
	for key, value := range metadata {
		if s, ok := value.(string); ok {
			metadata[key] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	sum := sha256.Sum256([]byte(text))
	metadata[MetadataContentHash] = hex.EncodeToString(sum[:])
	return schema.Document{PageContent: text, Metadata: metadata}
}

func sourceName(s babyclient.Source) string {
	if s.Path != "" {
		return s.Path
	}
	return s.String()
}
