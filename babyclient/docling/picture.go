package docling

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

// Picture is a picture, or a chart.
type Picture struct {
	DocNode
	Floating
	// Annotations is where older versions of docling kept what stands in Meta now.
	Annotations []Annotation `json:"annotations,omitzero"`
}

// Classification is what kind of picture it is, as "bar_chart", by the model that was surest, and
// "" if none was asked.
func (p *Picture) Classification() string {
	if m := effectiveMeta(p); m != nil && m.Classification != nil {
		return m.Classification.mostLikely()
	}
	return ""
}

// Description is what a model says that the picture shows, and "" if none was asked.
func (p *Picture) Description() string {
	if m := effectiveMeta(p); m != nil && m.Description != nil {
		return m.Description.Text
	}
	return ""
}

// Image is the bytes of a picture or a page, or where they are.
type Image struct {
	MediaType string `json:"mimetype"`
	DPI       int    `json:"dpi"`
	Size      Size   `json:"size"` // in pixels
	URI       string `json:"uri"`  // "data:image/png;base64,…", a URL, or a path
	Fields
}

// ErrNoBytes is the error of [Image.Bytes] for a picture whose bytes are elsewhere.
var ErrNoBytes = errors.New("docling: the document does not hold the bytes of the picture")

// Bytes decodes the picture, if it stands in the document as a data URI. Convert with pictures
// embedded to have that. For a picture that is a URL or a path, or that there is not (i may be
// nil), the error is [ErrNoBytes].
func (i *Image) Bytes() (data []byte, mediaType string, err error) {
	if i == nil {
		return nil, "", ErrNoBytes
	}
	header, content, found := strings.Cut(i.URI, ",")
	header, isData := strings.CutPrefix(header, "data:")
	if !isData || !found {
		return nil, "", ErrNoBytes
	}
	header, isBase64 := strings.CutSuffix(header, ";base64")
	if mediaType = header; mediaType == "" {
		mediaType = i.MediaType
	}
	if !isBase64 {
		text, err := url.PathUnescape(content)
		return []byte(text), mediaType, err
	}
	data, err = base64.StdEncoding.DecodeString(content)
	return data, mediaType, err
}

// Meta is what docling, or a model, says about an item.
type Meta struct {
	Summary        *Prediction     `json:"summary,omitzero"`
	Language       *Prediction     `json:"language,omitzero"`
	Entities       *Entities       `json:"entities,omitzero"`
	Keywords       *Words          `json:"keywords,omitzero"`
	Topics         *Words          `json:"topics,omitzero"`
	Description    *Prediction     `json:"description,omitzero"`
	Classification *Classification `json:"classification,omitzero"`
	Molecule       *Prediction     `json:"molecule,omitzero"`
	TabularChart   *TabularChart   `json:"tabular_chart,omitzero"`
	Code           *Prediction     `json:"code,omitzero"`
	Fields                         // Extra has the fields of other programs, as "my_corp__size"
}

// Prediction is a text, a class or a structure that a model found. The fields that are of another
// kind of prediction are zero.
type Prediction struct {
	Confidence *float64 `json:"confidence,omitzero"` // from 0 to 1
	CreatedBy  string   `json:"created_by,omitzero"` // the model
	Text       string   `json:"text,omitzero"`       // of a summary, a description, or code
	ClassName  string   `json:"class_name,omitzero"` // of a classification: "bar_chart"
	SMILES     string   `json:"smi,omitzero"`        // of a molecule
	Code       string   `json:"code,omitzero"`       // of a language: "en"
	Language   string   `json:"language,omitzero"`   // of code: "Python"
	Fields
}

// Entities are names that were found in a text.
type Entities struct {
	Mentions []Mention `json:"mentions"`
	Fields
}

// Mention is one name that was found in a text.
type Mention struct {
	Confidence *float64 `json:"confidence,omitzero"`
	CreatedBy  string   `json:"created_by,omitzero"`
	Text       string   `json:"text"`
	Orig       string   `json:"orig,omitzero"`
	Label      string   `json:"label,omitzero"`
	CharSpan   *[2]int  `json:"charspan,omitzero"`
	Fields
}

// Words are keywords or topics.
type Words struct {
	Values []string `json:"values"`
	Fields
}

// Classification is what kind of picture it is, by each class that the model thought of.
type Classification struct {
	Predictions []Prediction `json:"predictions"`
	Fields
}

// TabularChart is a chart, read as a table.
type TabularChart struct {
	Confidence *float64  `json:"confidence,omitzero"`
	CreatedBy  string    `json:"created_by,omitzero"`
	Title      string    `json:"title,omitzero"`
	ChartData  TableData `json:"chart_data"`
	Fields
}

// Annotation is what older versions of docling say about a picture or a table. The fields that are
// of another kind are zero, or in Extra.
type Annotation struct {
	// Kind is "classification", "description", "molecule_data", "tabular_chart_data", or another.
	Kind             string       `json:"kind"`
	Provenance       string       `json:"provenance,omitzero"` // the model
	Text             string       `json:"text,omitzero"`       // of a description
	PredictedClasses []Prediction `json:"predicted_classes,omitzero"`
	Confidence       *float64     `json:"confidence,omitzero"`
	SMILES           string       `json:"smi,omitzero"`
	ClassName        string       `json:"class_name,omitzero"`
	Title            string       `json:"title,omitzero"`
	ChartData        *TableData   `json:"chart_data,omitzero"`
	Fields
}

// mostLikely is the prediction with the highest confidence, the first where none has one.
func (c *Classification) mostLikely() string {
	best := -1
	for i, p := range c.Predictions {
		if p.Confidence != nil && (best < 0 || *p.Confidence > *c.Predictions[best].Confidence) {
			best = i
		}
	}
	if len(c.Predictions) == 0 {
		return ""
	}
	return c.Predictions[max(best, 0)].ClassName
}

// effectiveMeta is the meta of an item, with the annotations of older versions moved to it, as
// docling-core does when it reads a document.
func effectiveMeta(value any) *Meta {
	meta := nodeOf(value).Meta
	var annotations []Annotation
	isPicture := false
	switch v := value.(type) {
	case *Picture:
		annotations, isPicture = v.Annotations, true
	case *Table:
		annotations = v.Annotations
	}
	if len(annotations) == 0 {
		return meta
	}
	m := Meta{}
	if meta != nil {
		m = *meta
	}
	for i := range annotations {
		a := &annotations[i]
		switch {
		case a.Kind == "description":
			if m.Description == nil {
				m.Description = &Prediction{Text: a.Text}
			}
		case !isPicture: // the annotations of a table may only be descriptions
		case a.Kind == "classification" && m.Classification == nil:
			m.Classification = &Classification{Predictions: a.PredictedClasses}
		case a.Kind == "molecule_data" && m.Molecule == nil:
			m.Molecule = &Prediction{SMILES: a.SMILES}
		case a.Kind == "tabular_chart_data" && m.TabularChart == nil && a.ChartData != nil:
			m.TabularChart = &TabularChart{Title: a.Title, ChartData: *a.ChartData}
		}
	}
	return &m
}
