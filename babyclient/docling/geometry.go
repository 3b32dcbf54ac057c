package docling

// CoordOrigin is the corner of a page that coordinates count from.
type CoordOrigin string

// Origins of coordinates. An absent one is [CoordTopLeft].
const (
	CoordTopLeft    CoordOrigin = "TOPLEFT"    // t is smaller than b
	CoordBottomLeft CoordOrigin = "BOTTOMLEFT" // t is larger than b, as in PDF
)

// BoundingBox is a rectangle on a page, in the units of [Page.Size]: points of a PDF, EMU of a
// slide, rows and columns of a sheet.
type BoundingBox struct {
	L      float64     `json:"l"`
	T      float64     `json:"t"`
	R      float64     `json:"r"`
	B      float64     `json:"b"`
	Origin CoordOrigin `json:"coord_origin,omitzero"`
	Fields
}

// ToTopLeft is the box with coordinates that count from the top left corner of a page of that
// height.
func (b BoundingBox) ToTopLeft(pageHeight float64) BoundingBox {
	if b.Origin == CoordBottomLeft {
		b.T, b.B, b.Origin = pageHeight-b.T, pageHeight-b.B, CoordTopLeft
	}
	return b
}

// Size is that of a page or a picture.
type Size struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Fields
}

// Provenance is where on a page, a slide or a sheet an item, or a part of it, was read from.
type Provenance struct {
	PageNo   int         `json:"page_no"` // counted from 1; the number of a slide or sheet too
	BBox     BoundingBox `json:"bbox"`
	CharSpan [2]int      `json:"charspan"` // the characters of the item's text that are there
	Fields
}

// TrackSource is a cue of a sound or video track that an item was read from.
type TrackSource struct {
	Kind       string  `json:"kind"`       // "track"
	StartTime  float64 `json:"start_time"` // seconds
	EndTime    float64 `json:"end_time"`   // seconds
	Identifier string  `json:"identifier,omitzero"`
	Voice      string  `json:"voice,omitzero"` // the speaker
	Fields
}
