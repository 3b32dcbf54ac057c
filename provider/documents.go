package provider

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// doclingDocument is what is read of a document in docling's JSON.
type doclingDocument struct {
	Origin   origin                     `json:"origin"`
	Pages    map[string]json.RawMessage `json:"pages"`
	Body     doclingNode                `json:"body"`
	Groups   []doclingNode              `json:"groups"`
	Texts    []doclingNode              `json:"texts"`
	Tables   []doclingNode              `json:"tables"`
	Pictures []doclingNode              `json:"pictures"`
}

type origin struct {
	MediaType string      `json:"mimetype"`
	Hash      json.Number `json:"binary_hash"` // exceeds an int64
}

type doclingNode struct {
	Ref      string `json:"self_ref"`
	Layer    string `json:"content_layer"`
	Children []struct {
		Ref string `json:"$ref"`
	} `json:"children"`
	Prov []struct {
		Page int `json:"page_no"`
	} `json:"prov"`
}

// readDocument reads docling's JSON. The zero document, where there is none or it cannot be read, only
// means less metadata.
func readDocument(raw json.RawMessage) (doc doclingDocument) {
	if len(raw) > 0 && json.Unmarshal(raw, &doc) != nil {
		return doclingDocument{}
	}
	return doc
}

// metadata is what all documents of a source have.
func (d *doclingDocument) metadata(s babyclient.Source, filename string) map[string]any {
	m := map[string]any{MetadataSource: sourceName(s)}
	set(m, MetadataFilename, filename)
	set(m, MetadataTotalPages, len(d.Pages))
	d.Origin.addTo(m)
	return m
}

func (o origin) addTo(m map[string]any) {
	set(m, MetadataMediaType, o.MediaType)
	set(m, MetadataDocumentHash, o.Hash.String())
}

// set sets what is known.
func set[T comparable](m map[string]any, key string, value T) {
	if value != *new(T) {
		m[key] = value
	}
}

// pageOrder is the pages in the order in which Markdown has a page break before them: that of the
// items, without pages that hold nothing.
func (d *doclingDocument) pageOrder() []int {
	nodes := map[string]*doclingNode{}
	for _, list := range [][]doclingNode{d.Groups, d.Texts, d.Tables, d.Pictures} {
		for i := range list {
			nodes[list[i].Ref] = &list[i]
		}
	}
	var order []int
	var walk func(*doclingNode)
	walk = func(n *doclingNode) {
		if n.Layer == "furniture" { // running heads and page numbers are not in the Markdown
			return
		}
		if len(n.Prov) > 0 {
			if p := n.Prov[0].Page; len(order) == 0 || p > order[len(order)-1] {
				order = append(order, p)
			}
		}
		for _, child := range n.Children {
			if c := nodes[child.Ref]; c != nil {
				delete(nodes, child.Ref) // each once, whatever the tree says
				walk(c)
			}
		}
	}
	walk(&d.Body)
	return order
}

// convertedDocuments makes a document of a conversion, or one of each page.
func convertedDocuments(mode Mode, s babyclient.Source, c *babyclient.Converted) []schema.Document {
	if c == nil || strings.TrimSpace(c.Markdown) == "" {
		return nil
	}
	doc := readDocument(c.JSON)
	base := doc.metadata(s, c.Filename)
	if mode == PerDocument {
		return []schema.Document{document(c.Markdown, base)}
	}
	parts := strings.Split(c.Markdown, pageBreak)
	pages := doc.pageOrder()
	var out []schema.Document
	for i, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		m := maps.Clone(base)
		if len(pages) == len(parts) { // else which page it is cannot be told, and a wrong number is worse than none
			m[MetadataPage] = pages[i]
		}
		out = append(out, document(part, m))
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
		doc = readDocument(r.Documents[0].JSON)
	}
	var out []schema.Document
	for _, c := range r.Chunks {
		m := doc.metadata(s, c.Filename)
		var about struct {
			Origin origin `json:"origin"`
		}
		if len(c.Metadata) > 0 && json.Unmarshal(c.Metadata, &about) == nil {
			about.Origin.addTo(m)
		}
		m[MetadataChunk] = c.Index
		set(m, MetadataTokens, c.NumTokens)
		if len(c.Headings) > 0 {
			m[MetadataHeadings] = c.Headings
		}
		if len(c.Captions) > 0 {
			m[MetadataCaptions] = c.Captions
		}
		if len(c.Pages) > 0 {
			m[MetadataPage], m[MetadataPages] = c.Pages[0], c.Pages
		}
		out = append(out, document(c.Text, m))
	}
	return out
}

func document(text string, m map[string]any) schema.Document {
	m[MetadataContentHash] = contentHash(text)
	return schema.Document{PageContent: text, Metadata: m}
}
