package docling

import "errors"

// ImageMode says what stands for a picture in Markdown.
type ImageMode string

// Modes of pictures. An empty one is [ImagePlaceholder].
const (
	ImagePlaceholder ImageMode = "placeholder" // [MarkdownOptions.ImagePlaceholder]
	ImageEmbedded    ImageMode = "embedded"    // the data URI, if the document has it
	ImageReferenced  ImageMode = "referenced"  // the URL or path, if it is one
)

// MarkdownOptions are the parameters of docling-core's export_to_markdown. Its zero value is their
// defaults.
type MarkdownOptions struct {
	// Layers are the layers that are written. None means [LayerBody] alone.
	Layers []Layer
	// Page writes only that page, slide or sheet. 0 means all.
	Page int
	// PageBreak is written between pages. "" means nothing. docling-core writes it where the walk
	// through the items meets the next page, which in a presentation is after the next slide, not
	// before it. [Document.MarkdownPages] cuts where the page begins.
	PageBreak string
	// CompactTables leaves out the blanks that align the columns of tables, which can be most of
	// the characters.
	CompactTables bool
	// Images says what stands for a picture.
	Images ImageMode
	// ImagePlaceholder is what stands for a picture without bytes. "" means "<!-- image -->".
	ImagePlaceholder string
	// PictureText also writes the texts inside of pictures. A scan is often one picture that holds
	// all of the text.
	PictureText bool
}

// TextOptions are the parameters of docling-core's export_to_text, as those of [MarkdownOptions].
type TextOptions struct {
	Layers      []Layer
	Page        int
	PageBreak   string
	PictureText bool
}

// ErrTooLarge is the error for a document that would make a text of more than 256 MiB, or whose
// captions and cells refer to each other so that the same items would be written again and again. A
// table that a program made, and that [Parse] would refuse for its size, has it too.
var ErrTooLarge = errors.New("docling: the text of the document would be too large")

// Markdown writes the document as docling-core's export_to_markdown does, to the byte. See the
// package's documentation for the few differences.
func (d *Document) Markdown(o MarkdownOptions) (string, error) {
	return newWriter(d, o, false).whole()
}

// Text writes the document as docling-core's export_to_text does: without marks of headings, bold
// or links, but with those of lists and tables.
func (d *Document) Text(o TextOptions) (string, error) {
	return newWriter(d, o.markdown(), true).whole()
}

// Markdown writes the item, with what belongs to it: of a list or another group all items in it, of
// a table or a picture the caption. Of a heading it is the heading alone, also if docling has put
// the section below it.
func (i Item) Markdown(o MarkdownOptions) (string, error) { return i.write(o, false) }

// PlainText writes the item like [Item.Markdown], without Markdown's marks.
func (i Item) PlainText(o TextOptions) (string, error) { return i.write(o.markdown(), true) }

// Markdown writes the table alone, without its caption. compact leaves out the blanks that align
// the columns.
func (t *Table) Markdown(compact bool) (string, error) {
	d := t.document
	if d == nil {
		d = &Document{}
	}
	w := newWriter(d, MarkdownOptions{CompactTables: compact}, false)
	text := w.table(&treeNode{value: t}, scope{written: newWrittenItems()})
	return text, w.err
}

func (o TextOptions) markdown() MarkdownOptions {
	return MarkdownOptions{Layers: o.Layers, Page: o.Page, PageBreak: o.PageBreak, PictureText: o.PictureText}
}

func (i Item) write(o MarkdownOptions, plain bool) (string, error) {
	if i.document == nil {
		return "", nil
	}
	w := newWriter(i.document, o, plain)
	n := w.nodeFor(i.Value)
	if n == nil {
		return "", nil
	}
	if n == w.body {
		return w.whole()
	}
	text := w.item(n, scope{written: newWrittenItems()}).text
	return text, w.err
}
