package docling

// Picture is a picture, or a chart.
type Picture struct {
	DocNode
	Floating
	// Annotations is where older versions of docling kept what stands in Meta now.
	Annotations []Annotation `json:"annotations,omitzero"`
}

// Image is the bytes of a picture or a page, or where they are.
type Image struct {
	MediaType string `json:"mimetype"`
	DPI       int    `json:"dpi"`
	Size      Size   `json:"size"` // in pixels
	URI       string `json:"uri"`  // "data:image/png;base64,…", a URL, or a path
	Fields
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

// main is the prediction with the highest confidence, the first where none has one.
func (c *Classification) main() string {
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
