package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Mode is what a [Loader] makes one schema.Document of.
type Mode int

// Modes of a [Loader].
const (
	PerDocument Mode = iota // a whole document, as Markdown
	PerPage                 // a page of it, as Markdown; a format without pages gives one for the whole
	PerChunk                // a chunk of docling's, for embedding
)

// Keys of the metadata that a [Loader] sets, as far as docling knows them. All values encode as
// JSON.
const (
	MetadataSource       = "source"        // string: the path, the URL without its query, or the name of the reader
	MetadataFilename     = "filename"      // string: as docling knows it
	MetadataMediaType    = "media_type"    // string, such as "application/pdf"
	MetadataPage         = "page"          // int, counted from 1: the page, or the first of a chunk
	MetadataPages        = "pages"         // []int: all pages of a chunk
	MetadataTotalPages   = "total_pages"   // int
	MetadataHeadings     = "headings"      // []string: the headings that a chunk stands under, outermost first
	MetadataCaptions     = "captions"      // []string: of the tables and pictures in a chunk
	MetadataChunk        = "chunk"         // int, counted from 0
	MetadataTokens       = "tokens"        // int: of a chunk, by the chunker's tokenizer
	MetadataContentHash  = "content_hash"  // string: SHA-256 of PageContent, in hex
	MetadataDocumentHash = "document_hash" // string: docling's hash of the document's bytes
)

// pageBreak is put between the pages of Markdown. No document holds it by itself.
const pageBreak = "<!-- babyapi-go page break -->"

// convertedDocuments makes one document of a conversion, or one of each page.
func convertedDocuments(mode Mode, s babyclient.Source, c *babyclient.Converted) []schema.Document {
	if c == nil || strings.TrimSpace(c.Markdown) == "" {
		return nil
	}
	doc := readDoclingDocument(c.JSON)
	common := documentMetadata(&doc, s, c.Filename)
	if mode == PerDocument {
		return []schema.Document{newDocument(c.Markdown, common)}
	}
	parts := strings.Split(c.Markdown, pageBreak)
	pages := doc.pageOrder()
	var out []schema.Document
	for i, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		metadata := maps.Clone(common)
		if len(pages) == len(parts) { // else the numbers may not fit the parts, and a wrong number is worse than none
			metadata[MetadataPage] = pages[i]
		}
		out = append(out, newDocument(part, metadata))
	}
	return out
}

// chunkDocuments makes a document of each chunk.
func chunkDocuments(s babyclient.Source, r *babyclient.ChunkResponse) []schema.Document {
	if r == nil {
		return nil
	}
	var doc doclingDocument
	if len(r.Documents) > 0 {
		doc = readDoclingDocument(r.Documents[0].JSON)
	}
	var out []schema.Document
	for _, c := range r.Chunks {
		metadata := documentMetadata(&doc, s, c.Filename)
		var chunk struct {
			Origin doclingOrigin `json:"origin"`
		}
		if len(c.Metadata) > 0 && json.Unmarshal(c.Metadata, &chunk) == nil {
			addOrigin(metadata, chunk.Origin)
		}
		metadata[MetadataChunk] = c.Index
		setKnown(metadata, MetadataTokens, c.NumTokens)
		if len(c.Headings) > 0 {
			metadata[MetadataHeadings] = c.Headings
		}
		if len(c.Captions) > 0 {
			metadata[MetadataCaptions] = c.Captions
		}
		if len(c.Pages) > 0 {
			metadata[MetadataPage], metadata[MetadataPages] = c.Pages[0], c.Pages
		}
		out = append(out, newDocument(c.Text, metadata))
	}
	return out
}

// documentMetadata is the metadata that all pages or chunks of a source have.
func documentMetadata(d *doclingDocument, s babyclient.Source, filename string) map[string]any {
	metadata := map[string]any{MetadataSource: sourceName(s)}
	setKnown(metadata, MetadataFilename, filename)
	setKnown(metadata, MetadataTotalPages, len(d.Pages))
	addOrigin(metadata, d.Origin)
	return metadata
}

func addOrigin(metadata map[string]any, o doclingOrigin) {
	setKnown(metadata, MetadataMediaType, o.MediaType)
	setKnown(metadata, MetadataDocumentHash, o.Hash.String())
}

func newDocument(text string, metadata map[string]any) schema.Document {
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
