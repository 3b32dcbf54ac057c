package docling

// Picture is a picture, or a chart.
type Picture struct {
	DocNode
	Floating
	// Annotations is where older versions of docling kept what stands in Meta now.
	Annotations []Annotation `json:"annotations"`
}

// Image is the bytes of a picture or a page, or where they are.
type Image struct {
	MediaType string `json:"mimetype,always"`
	DPI       int    `json:"dpi,always"`
	Size      Size   `json:"size,always"` // in pixels
	URI       string `json:"uri,always"`  // "data:image/png;base64,…", a URL, or a path
	Fields
}

// Meta is what docling, or a model, says about an item.
type Meta struct {
	Summary        *Prediction     `json:"summary"`
	Language       *Prediction     `json:"language"`
	Entities       *Entities       `json:"entities"`
	Keywords       *Words          `json:"keywords"`
	Topics         *Words          `json:"topics"`
	Description    *Prediction     `json:"description"`
	Classification *Classification `json:"classification"`
	Molecule       *Prediction     `json:"molecule"`
	TabularChart   *TabularChart   `json:"tabular_chart"`
	Code           *Prediction     `json:"code"`
	Fields                         // Extra has the fields of other programs, as "my_corp__size"
}

// Prediction is a text, a class or a structure that a model found. The fields that are of another
// kind of prediction are zero.
type Prediction struct {
	Confidence *float64 `json:"confidence"` // from 0 to 1
	CreatedBy  string   `json:"created_by"` // the model
	Text       string   `json:"text"`       // of a summary, a description, or code
	ClassName  string   `json:"class_name"` // of a classification: "bar_chart"
	SMILES     string   `json:"smi"`        // of a molecule
	Code       string   `json:"code"`       // of a language: "en"
	Language   string   `json:"language"`   // of code: "Python"
	Fields
}

// Entities are names that were found in a text.
type Entities struct {
	Mentions []Mention `json:"mentions,always"`
	Fields
}

// Mention is one name that was found in a text.
type Mention struct {
	Confidence *float64 `json:"confidence"`
	CreatedBy  string   `json:"created_by"`
	Text       string   `json:"text,always"`
	Orig       string   `json:"orig"`
	Label      string   `json:"label"`
	CharSpan   *[2]int  `json:"charspan"`
	Fields
}

// Words are keywords or topics.
type Words struct {
	Values []string `json:"values,always"`
	Fields
}

// Classification is what kind of picture it is, by each class that the model thought of.
type Classification struct {
	Predictions []Prediction `json:"predictions,always"`
	Fields
}

// TabularChart is a chart, read as a table.
type TabularChart struct {
	Confidence *float64  `json:"confidence"`
	CreatedBy  string    `json:"created_by"`
	Title      string    `json:"title"`
	ChartData  TableData `json:"chart_data,always"`
	Fields
}

// Annotation is what older versions of docling say about a picture or a table. The fields that are
// of another kind are zero, or in Extra.
type Annotation struct {
	Kind             string       `json:"kind,always"` // "classification", "description", "molecule_data", "tabular_chart_data", …
	Provenance       string       `json:"provenance"`  // the model
	Text             string       `json:"text"`        // of a description
	PredictedClasses []Prediction `json:"predicted_classes"`
	Confidence       *float64     `json:"confidence"`
	SMILES           string       `json:"smi"`
	ClassName        string       `json:"class_name"`
	Title            string       `json:"title"`
	ChartData        *TableData   `json:"chart_data"`
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
