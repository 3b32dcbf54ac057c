package docling

import (
	"strconv"
	"strings"
)

// Item is an item of a document's tree: a [*Group], [*Text], [*Table], [*Picture], [*KeyValues] or
// [*Field]. The zero Item is no item.
type Item struct {
	Value    any
	document *Document
}

// noder, docNoder and floater are the items that have these parts.
type (
	noder    interface{ node() *Node }
	docNoder interface{ docNode() *DocNode }
	floater  interface{ floating() *Floating }
)

func nodeOf(value any) *Node {
	if n, ok := value.(noder); ok {
		return n.node()
	}
	return &Node{}
}

func provenance(value any) []Provenance {
	if n, ok := value.(docNoder); ok {
		return n.docNode().Prov
	}
	return nil
}

func floatingOf(value any) *Floating {
	if f, ok := value.(floater); ok {
		return f.floating()
	}
	return &Floating{}
}

// find resolves a reference. id is unique to the item, and 0 ≤ id < [Document.itemCount].
func (d *Document) find(ref string) (value any, id int, ok bool) {
	switch ref {
	case "#/body":
		return &d.Body, 0, true
	case "#/furniture":
		return d.Furniture, 1, d.Furniture != nil
	}
	path, isRef := strings.CutPrefix(ref, "#/")
	list, number, hasIndex := strings.Cut(path, "/")
	i, err := strconv.ParseUint(number, 10, 31)
	if !isRef || !hasIndex || err != nil {
		return nil, 0, false
	}
	return d.at(list, int(i))
}

// itemList is a list of items of a document, by the name that references give it.
type itemList struct {
	name   string
	length func(*Document) int
	item   func(d *Document, i int) any
}

func listOf[T any](name string, items func(*Document) []T) itemList {
	return itemList{
		name:   name,
		length: func(d *Document) int { return len(items(d)) },
		item:   func(d *Document, i int) any { return &items(d)[i] },
	}
}

// itemLists are the lists of a document. The ids of their items follow each other in this order.
var itemLists = [...]itemList{
	listOf("texts", func(d *Document) []Text { return d.Texts }),
	listOf("groups", func(d *Document) []Group { return d.Groups }),
	listOf("tables", func(d *Document) []Table { return d.Tables }),
	listOf("pictures", func(d *Document) []Picture { return d.Pictures }),
	listOf("key_value_items", func(d *Document) []KeyValues { return d.KeyValueItems }),
	listOf("form_items", func(d *Document) []KeyValues { return d.FormItems }),
	listOf("field_regions", func(d *Document) []Field { return d.FieldRegions }),
	listOf("field_items", func(d *Document) []Field { return d.FieldItems }),
}

// firstListID is the id of the first item of the lists: the body has 0, and the old tree of headers
// and footers 1.
const firstListID = 2

// at is an item by its list.
func (d *Document) at(list string, i int) (value any, id int, ok bool) {
	id = firstListID
	for n := range itemLists {
		l := &itemLists[n]
		length := l.length(d)
		if l.name == list {
			if i >= length {
				return nil, 0, false
			}
			return l.item(d, i), id + i, true
		}
		id += length
	}
	return nil, 0, false
}

// all visits all items of the lists, whether the tree has them or not.
func (d *Document) all(visit func(value any)) {
	for _, l := range itemLists {
		for i := range l.length(d) {
			visit(l.item(d, i))
		}
	}
}

// idOf is the id of an item of the document, and -1 for one whose SelfRef does not lead back to it.
func (d *Document) idOf(value any) int {
	switch v := value.(type) {
	case *Group:
		if v == &d.Body {
			return 0
		}
		if v == d.Furniture {
			return 1
		}
	}
	if found, id, ok := d.find(nodeOf(value).SelfRef); ok && found == value {
		return id
	}
	return -1
}

func (d *Document) itemCount() int {
	count := firstListID
	for _, l := range itemLists {
		count += l.length(d)
	}
	return count
}

// Item is the item that a reference as "#/texts/3" points to. ok is false if there is none.
func (d *Document) Item(ref string) (item Item, ok bool) {
	value, _, ok := d.find(ref)
	if !ok {
		return Item{}, false
	}
	return Item{value, d}, true
}

// Ref is the reference to the item: "#/texts/3".
func (i Item) Ref() string { return nodeOf(i.Value).SelfRef }

// Label says what the item is.
func (i Item) Label() Label { return nodeOf(i.Value).Label }

// Layer is the part of the content that the item belongs to.
func (i Item) Layer() Layer { return nodeOf(i.Value).layer() }

// Parent is the item that has this one as a child. ok is false for the root.
func (i Item) Parent() (parent Item, ok bool) {
	ref := nodeOf(i.Value).Parent
	if ref == nil || i.document == nil {
		return Item{}, false
	}
	return i.document.Item(ref.Ref)
}

// Text is the text of the item itself: of a text its text, of a group its name, of a picture or a
// table its caption. The content of a table is [Table.Rows], and [Item.PlainText].
func (i Item) Text() string {
	switch v := i.Value.(type) {
	case *Text:
		return v.Text
	case *Group:
		return v.Name
	}
	return i.Caption()
}

// Level is the level of a heading as Markdown counts it: 1 for a title, 2 for a section header of
// level 1. It is 0 for what is no heading.
func (i Item) Level() int {
	t, ok := i.Value.(*Text)
	if !ok {
		return 0
	}
	switch t.Label {
	case LabelTitle:
		return 1
	case LabelSectionHeader, LabelFieldHeading:
		return t.level() + 1
	}
	return 0
}

// Provenance is where the item was read from, the page and the box of each part of it. It is empty
// where the format has no pages, as DOCX and HTML.
func (i Item) Provenance() []Provenance { return provenance(i.Value) }

// Pages are the numbers of the pages, slides or sheets that the item is on, each once, in its
// order. A number below 1, which docling-core accepts, is no page.
func (i Item) Pages() []int {
	var out []int
	seen := map[int]bool{} // of a long list each number is looked up, not searched for
	for _, p := range provenance(i.Value) {
		if p.PageNo > 0 && !seen[p.PageNo] {
			out, seen[p.PageNo] = append(out, p.PageNo), true
		}
	}
	return out
}

// firstPage is the first page that an item is on, 0 for none: the first of [Item.Pages].
func firstPage(value any) int {
	for _, p := range provenance(value) {
		if p.PageNo > 0 {
			return p.PageNo
		}
	}
	return 0
}

// Hyperlink is where a text links to, "" for none.
func (i Item) Hyperlink() string {
	if t, ok := i.Value.(*Text); ok {
		return t.Hyperlink
	}
	return ""
}

// CodeLanguage is the language of code, as "Python", and "" for what is no code or not known.
func (i Item) CodeLanguage() string {
	if t, ok := i.Value.(*Text); ok && t.CodeLanguage != "unknown" {
		return t.CodeLanguage
	}
	return ""
}

// Checkbox tells whether the item is a checkbox, and whether it is ticked.
func (i Item) Checkbox() (checked, ok bool) {
	switch i.Label() {
	case LabelCheckboxSelected:
		return true, true
	case LabelCheckboxUnselected:
		return false, true
	}
	return false, false
}

// Caption is the text of the captions of a picture, a table, code or a form, joined by blanks.
func (i Item) Caption() string { return i.joined(floatingOf(i.Value).Captions) }

// Footnotes is the text of the footnotes of a picture or a table, joined by blanks.
func (i Item) Footnotes() string { return i.joined(floatingOf(i.Value).Footnotes) }

func (i Item) joined(refs []Ref) string {
	var out []string
	for _, ref := range refs {
		if i.document == nil {
			break
		}
		if value, _, ok := i.document.find(ref.Ref); ok {
			if t, ok := value.(*Text); ok && t.Text != "" {
				out = append(out, t.Text)
			}
		}
	}
	return strings.Join(out, " ")
}
