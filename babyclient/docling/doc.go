// Package docling reads a DoclingDocument, the form in which docling and docling-serve give a
// converted file: docling-serve's json_content, [babyclient.Converted].JSON.
//
// A document is a tree of texts, tables, pictures and groups of them, with the page and the box
// that each was read from:
//
//	doc, err := docling.Parse(converted.JSON)
//	if err != nil {
//		return err
//	}
//	for _, heading := range doc.Outline() {
//		fmt.Println(heading.Page, strings.Repeat("  ", heading.Level-1), heading.Text)
//	}
//	for item := range doc.Items(docling.ItemsOptions{}) {
//		switch v := item.Value.(type) {
//		case *docling.Table:
//			err = v.CSV(os.Stdout)
//		case *docling.Picture:
//			fmt.Println(item.Caption(), v.Classification())
//		}
//	}
//
// The package needs the standard library alone, and knows nothing of HTTP.
//
// # What is kept
//
// Each type has the fields of docling-core's model by name, and the others, of a newer docling or
// of another program, in Extra. [Document.MarshalJSON] gives JSON equal to what [Parse] read: with
// the same names in the same order, and what was absent or null absent or null again. Only a text
// that is no UTF-8 has U+FFFD in its place.
//
// # Pages, slides and sheets
//
// docling counts pages of a PDF, slides of a presentation and sheets of a workbook alike, in each
// item's provenance. [Document.Places] says which of them it is, and the sheets' names. Documents
// made of DOCX, HTML, Markdown, mail and so on have none.
//
// # Markdown and text
//
// [Document.Markdown] and [Document.Text] write what docling-core 2.104 writes of the same
// document, byte for byte. These differences remain:
//
//   - A language, entities and code that a model found (in [Meta]), and objects and arrays in Extra
//     of a Meta, are left out, and so are annotations of a kind that [Annotation] has no fields
//     for. docling-core writes how Python prints its objects.
//   - With [ImageEmbedded], a picture whose bytes are not in the document is written as "not
//     available". docling-core cuts it out of the picture of its page, if there is one.
//   - docling-core normalizes URLs and paths that no docling has written, as "HTTP://a" to
//     "http://a/".
//   - A table with a carriage return in a cell has it kept; docling-core makes several lines of it,
//     which is no table any more. If the Python package wcwidth is installed beside docling, wide
//     characters, as of Chinese, count as two in the width of columns; here, as without it, as one.
//   - A document that docling-core would refuse has a text all the same, of what can be reached.
//   - A text of more than 256 MiB is an error, [ErrTooLarge].
//
// [babyclient.Converted]: https://pkg.go.dev/github.com/babyapi-org/babyapi-go/babyclient#Converted
package docling
