package provider

import (
	"encoding/json"
	"math"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient/docling"
)

// Box is a rectangle on a page, as left, top, right and bottom. The coordinates count from the top
// left corner of the page, in the units of the document: points of a PDF (1/72 inch), EMU of a
// slide (1/914400 inch), columns and rows of a sheet.
type Box struct {
	Page int     `json:"page"` // counted from 1; the slide or sheet too
	L    float64 `json:"l"`
	T    float64 `json:"t"`
	R    float64 `json:"r"`
	B    float64 `json:"b"`
}

// Boxes decodes [MetadataBoxes]: where the text of a document that a [Loader] made stands. It
// returns none where docling knew no places, as in DOCX and HTML, and for the pieces that a
// splitter made, and an error if the value is no list of boxes.
func Boxes(d schema.Document) ([]Box, error) {
	value, ok := d.Metadata[MetadataBoxes]
	if !ok {
		return nil, nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, invalid("metadata %q is of type %T: want a string", MetadataBoxes, value)
	}
	var boxes []Box
	if err := json.Unmarshal([]byte(text), &boxes); err != nil {
		return nil, invalid("metadata %q is no list of boxes: %v", MetadataBoxes, err).WithCause(err)
	}
	return boxes, nil
}

// maxBoxes keeps the metadata small: Pinecone takes 40 KB for a vector, and a box has about 60
// bytes.
const maxBoxes = 100

func addBoxes(metadata map[string]any, boxes []Box) {
	if len(boxes) == 0 {
		return
	}
	if text, err := json.Marshal(boxes); err == nil { // an infinite number is no place
		metadata[MetadataBoxes] = string(text)
	}
}

// boxes are the places of an item, to a hundredth. What is no place is left out: an empty box, one
// that counts from the bottom of a page whose height is not known, and one on a page below 1.
func (d *parsedDocument) boxes(item docling.Item) []Box {
	var out []Box
	for _, p := range item.Provenance() {
		height := 0.0
		if page := d.PageByNumber[p.PageNo]; page != nil {
			height = page.Size.Height
		}
		if p.PageNo < 1 || p.BBox.Origin == docling.CoordBottomLeft && height == 0 {
			continue
		}
		if b := p.BBox.ToTopLeft(height); b.L != b.R || b.T != b.B {
			out = append(out, Box{p.PageNo, hundredths(b.L), hundredths(b.T), hundredths(b.R), hundredths(b.B)})
		}
	}
	return out
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

// pageHulls is one box for each page, which holds all boxes there.
func pageHulls(boxes []Box) []Box {
	var out []Box
	index := map[int]int{}
	for _, b := range boxes {
		i, known := index[b.Page]
		if !known {
			index[b.Page] = len(out)
			out = append(out, b)
			continue
		}
		hull := &out[i]
		hull.L, hull.T = min(hull.L, b.L), min(hull.T, b.T)
		hull.R, hull.B = max(hull.R, b.R), max(hull.B, b.B)
	}
	return out
}
