package docling

// Ref points to an item by its place in the document, as "#/texts/3".
type Ref struct {
	Ref string `json:"$ref"`
	Fields
}

// FineRef points to an item, or to some characters of it.
type FineRef struct {
	Ref   string  `json:"$ref"`
	Range *[2]int `json:"range,omitzero"` // from the first to the second, without it
	Fields
}

// Layer is a part of a document's content.
type Layer string

// Layers. An absent one is [LayerBody].
const (
	LayerBody       Layer = "body"       // the main content
	LayerFurniture  Layer = "furniture"  // headers and footers of pages, navigation
	LayerBackground Layer = "background" // watermarks
	LayerInvisible  Layer = "invisible"  // hidden text, hidden sheets
	LayerNotes      Layer = "notes"      // speaker notes, comments
)

// AllLayers are the layers there are.
var AllLayers = []Layer{LayerBody, LayerFurniture, LayerBackground, LayerInvisible, LayerNotes}

// Label says what an item is.
type Label string

// Labels of items.
const (
	LabelCaption            Label = "caption"
	LabelChart              Label = "chart"
	LabelCheckboxSelected   Label = "checkbox_selected"
	LabelCheckboxUnselected Label = "checkbox_unselected"
	LabelCode               Label = "code"
	LabelDocumentIndex      Label = "document_index"
	LabelEmptyValue         Label = "empty_value"
	LabelFieldHeading       Label = "field_heading"
	LabelFieldHint          Label = "field_hint"
	LabelFieldItem          Label = "field_item"
	LabelFieldKey           Label = "field_key"
	LabelFieldRegion        Label = "field_region"
	LabelFieldValue         Label = "field_value"
	LabelFootnote           Label = "footnote"
	LabelForm               Label = "form"
	LabelFormula            Label = "formula"
	LabelGradingScale       Label = "grading_scale"
	LabelHandwrittenText    Label = "handwritten_text"
	LabelKeyValueRegion     Label = "key_value_region"
	LabelListItem           Label = "list_item"
	LabelMarker             Label = "marker"
	LabelPageFooter         Label = "page_footer"
	LabelPageHeader         Label = "page_header"
	LabelParagraph          Label = "paragraph"
	LabelPicture            Label = "picture"
	LabelReference          Label = "reference"
	LabelSectionHeader      Label = "section_header"
	LabelTable              Label = "table"
	LabelText               Label = "text"
	LabelTitle              Label = "title"
)

// Labels of groups.
const (
	LabelUnspecified    Label = "unspecified"
	LabelChapter        Label = "chapter" // a slide of a presentation too
	LabelCommentSection Label = "comment_section"
	LabelFormArea       Label = "form_area"
	LabelInline         Label = "inline" // texts of one line, such as the runs of a paragraph
	LabelKeyValueArea   Label = "key_value_area"
	LabelList           Label = "list"
	LabelOrderedList    Label = "ordered_list"
	LabelPictureArea    Label = "picture_area"
	LabelSection        Label = "section"
	LabelSheet          Label = "sheet"
	LabelSlide          Label = "slide"
)

// Node is what every item of the tree has.
type Node struct {
	SelfRef  string `json:"self_ref"` // "#/texts/3"
	Parent   *Ref   `json:"parent,omitzero"`
	Children []Ref  `json:"children"`
	Layer    Layer  `json:"content_layer,omitzero"`
	Label    Label  `json:"label,omitzero"`
	Meta     *Meta  `json:"meta,omitzero"`
	Fields

	furniture bool // by its label, in a document of schema 1.0.0, which had no layers
}

func (n *Node) node() *Node { return n }

// layer is the layer, with docling-core's default.
func (n *Node) layer() Layer {
	switch {
	case n.furniture:
		return LayerFurniture
	case n.Layer == "":
		return LayerBody
	}
	return n.Layer
}

// Group holds other items, and has no content of its own.
type Group struct {
	Node
	Name string `json:"name,omitzero"` // of a sheet: its name; of a slide: "slide-0" for the first
}

func (g *Group) isList() bool {
	return g.Label == LabelList || g.Label == LabelOrderedList || g.Label == ""
}

// DocNode is what every item with content has.
type DocNode struct {
	Node
	Prov     []Provenance  `json:"prov"`
	Source   []TrackSource `json:"source,omitzero"`
	Comments []FineRef     `json:"comments,omitzero"` // items that comment on this one
}

func (n *DocNode) docNode() *DocNode { return n }

// Floating is what items with captions have.
type Floating struct {
	Captions   []Ref  `json:"captions,omitzero"`
	References []Ref  `json:"references,omitzero"`
	Footnotes  []Ref  `json:"footnotes,omitzero"`
	Image      *Image `json:"image,omitzero"`
}

func (f *Floating) floating() *Floating { return f }
