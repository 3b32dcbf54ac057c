package provider

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// parsedDocument is docling's JSON, read for the metadata of its pages or chunks.
type parsedDocument struct {
	*docling.Document // nil where there is no JSON, or none that can be read
	places            map[int]docling.Place
	err               error // what is wrong with the document
}

func readDocument(raw json.RawMessage) *parsedDocument {
	d := &parsedDocument{places: map[int]docling.Place{}}
	if len(raw) == 0 {
		return d
	}
	if d.Document, d.err = docling.Parse(raw); d.Document == nil {
		return d
	}
	for _, p := range d.Places() {
		d.places[p.Number] = p
	}
	return d
}

// noText is the error for a source in which docling found no text. Only of a PDF and a picture, and
// of what is not known, it can be a scan.
func (d *parsedDocument) noText(s babyclient.Source) error {
	mediaType := ""
	if d.Document != nil && d.Origin != nil {
		mediaType = d.Origin.MediaType
	}
	hint := ""
	if mediaType == "" || mediaType == "application/pdf" || strings.HasPrefix(mediaType, "image/") {
		hint = ": a scan needs OCR (DoOCR in WithConvertOptions)"
	}
	return invalid("%s: docling found no text in it%s", sourceName(s), hint)
}

// metadata is what all pages or chunks of a source have.
func (d *parsedDocument) metadata(s babyclient.Source, filename string) map[string]any {
	metadata := map[string]any{MetadataSource: sourceName(s)}
	setKnown(metadata, MetadataFilename, filename)
	if d.Document != nil {
		setKnown(metadata, MetadataTotalPages, len(d.PageByNumber))
		addOrigin(metadata, d.Origin)
	}
	return metadata
}

func addOrigin(metadata map[string]any, o *docling.Origin) {
	if o == nil {
		return
	}
	setKnown(metadata, MetadataMediaType, o.MediaType)
	if hash := strings.Trim(string(o.BinaryHash), `"`); hash != "null" {
		setKnown(metadata, MetadataDocumentHash, hash)
	}
}

// chunkMetadata is the metadata of a chunk.
func (d *parsedDocument) chunkMetadata(s babyclient.Source, c *babyclient.Chunk) map[string]any {
	metadata := d.metadata(s, c.Filename)
	var wire struct {
		Origin *docling.Origin `json:"origin"`
	}
	if len(c.Metadata) > 0 && json.Unmarshal(c.Metadata, &wire) == nil {
		addOrigin(metadata, wire.Origin)
	}
	metadata[MetadataChunk] = c.Index
	setKnown(metadata, MetadataTokens, c.NumTokens)
	setKnown(metadata, MetadataHeadings, strings.Join(c.Headings, headingSeparator))
	setKnown(metadata, MetadataCaptions, strings.Join(c.Captions, "\n"))
	pages, boxes := c.Pages, []Box(nil)
	if d.Document != nil {
		items, _ := d.Resolve(c.DocItems) // what is not found only means fewer boxes
		for _, item := range items {
			for _, box := range d.boxes(item) { // the items of a list on a slide have the box of the list
				if !slices.Contains(boxes, box) {
					boxes = append(boxes, box)
				}
			}
			if len(c.Pages) == 0 {
				pages = append(pages, item.Pages()...)
			}
		}
	}
	pages = slices.Compact(slices.Sorted(slices.Values(pages)))
	firstPage, _ := slices.BinarySearch(pages, 1) // a lower number is no page
	if pages = pages[firstPage:]; len(pages) > 0 {
		d.addPlace(metadata, pages[0])
		metadata[MetadataPages] = pageRanges(pages)
	}
	if len(boxes) > maxBoxes {
		boxes = pageHulls(boxes)
	}
	addBoxes(metadata, boxes)
	return metadata
}

// addPlace adds the page, and the slide or sheet that it is.
func (d *parsedDocument) addPlace(metadata map[string]any, page int) {
	metadata[MetadataPage] = page
	switch place := d.places[page]; place.Kind {
	case docling.PlaceSlide:
		metadata[MetadataSlide] = page
	case docling.PlaceSheet:
		setKnown(metadata, MetadataSheet, place.Name)
	case docling.PlacePage:
	}
}

// pageRanges writes sorted page numbers as "3-5,8".
func pageRanges(pages []int) string {
	var out []string
	for i := 0; i < len(pages); {
		last := i
		for last+1 < len(pages) && pages[last+1] == pages[last]+1 {
			last++
		}
		text := strconv.Itoa(pages[i])
		if last > i {
			text += "-" + strconv.Itoa(pages[last])
		}
		out = append(out, text)
		i = last + 1
	}
	return strings.Join(out, ",")
}

// markdownPages are the texts of the document by page, none where there is no document.
func (d *parsedDocument) markdownPages(o docling.MarkdownOptions) ([]docling.PageText, error) {
	if d.Document == nil {
		return nil, nil
	}
	return d.MarkdownPages(o)
}

// joinPages leaves out blank pieces. A page to which the reading order comes back becomes one text,
// where it came first.
func joinPages(pieces []docling.PageText) []docling.PageText {
	var out []docling.PageText
	index := map[int]int{}
	for _, p := range pieces {
		p.Text = strings.TrimSpace(p.Text)
		i, known := index[p.Page]
		switch {
		case p.Text == "":
		case known:
			out[i].Text += "\n\n" + p.Text
		default:
			index[p.Page] = len(out)
			out = append(out, p)
		}
	}
	return out
}

// pageFacts is what the metadata of a page says of its items.
type pageFacts struct {
	headings string
	boxes    []Box // one, or none
	hasText  bool  // an item that is no heading was met: the headings are settled
}

const headingSeparator = " > "

// pageFacts goes through the document once, for the facts of all pages. A slide and a sheet begin
// without headings: those of the one before say nothing of them.
func (d *parsedDocument) pageFacts() map[int]pageFacts {
	outline := map[string]docling.Heading{}
	for _, h := range d.Outline() {
		outline[h.Item.Ref()] = h
	}
	facts := map[int]pageFacts{}
	var open []docling.Heading // those that an item stands under
	var headings string
	place := docling.Place{Kind: docling.PlacePage}
	for item := range d.Items(docling.ItemsOptions{}) {
		pages := item.Pages()
		if len(pages) > 0 && pages[0] != place.Number {
			if place = d.places[pages[0]]; place.Kind == docling.PlaceSlide || place.Kind == docling.PlaceSheet {
				open, headings = nil, ""
			}
		}
		heading, isHeading := outline[item.Ref()]
		if isHeading {
			open = slices.DeleteFunc(open, func(h docling.Heading) bool { return h.Level >= heading.Level })
			open = append(open, heading)
			texts := make([]string, 0, len(open))
			for _, h := range open {
				texts = append(texts, h.Text)
			}
			headings = strings.Join(texts, headingSeparator)
		}
		if len(pages) > 0 { // the text of an item is on its first page
			f := facts[pages[0]]
			if !f.hasText {
				f.headings, f.hasText = headings, !isHeading
			}
			facts[pages[0]] = f
		}
		for _, box := range d.boxes(item) {
			f := facts[box.Page]
			f.boxes = pageHulls(append(f.boxes, box))
			facts[box.Page] = f
		}
	}
	return facts
}
