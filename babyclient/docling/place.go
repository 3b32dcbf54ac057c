package docling

import (
	"slices"
	"strconv"
	"strings"
)

// PlaceKind says what the parts of a document are called.
type PlaceKind string

// Kinds of places.
const (
	PlacePage  PlaceKind = "page"
	PlaceSlide PlaceKind = "slide"
	PlaceSheet PlaceKind = "sheet"
)

// Place is a page, a slide or a sheet.
type Place struct {
	Kind   PlaceKind
	Number int    // counted from 1; the number that [MarkdownOptions.Page] takes
	Name   string // of a sheet
	Hidden bool   // a sheet that its workbook hides
}

// Places are the pages of a PDF, the slides of a presentation or the sheets of a workbook, in
// order, empty ones too. A format without pages, as DOCX, HTML and mail, has none.
func (d *Document) Places() []Place {
	kind, sheets := d.placeKind()
	var out []Place
	for _, p := range d.Pages() {
		out = append(out, newPlace(kind, sheets, p.PageNo))
	}
	return out
}

func newPlace(kind PlaceKind, sheets map[int]*Group, number int) Place {
	place := Place{Kind: kind, Number: number}
	if group, ok := sheets[number]; ok {
		place.Name, place.Hidden = group.Name, group.layer() == LayerInvisible
	}
	return place
}

func (d *Document) placeKind() (kind PlaceKind, sheets map[int]*Group) {
	sheets = d.sheets()
	switch {
	case len(sheets) > 0:
		return PlaceSheet, sheets
	case d.hasSlides():
		return PlaceSlide, nil
	}
	return PlacePage, nil
}

// Place is the page, slide or sheet that an item is on, the first if there are several. ok is false
// where the format has none, and for items that docling gave no place, such as a comment.
//
// A group has the place of its first item. A slide or a sheet has its own, also if it is empty.
//
// Each call looks at all groups of the document. For the places of many items, look their
// [Item.Pages] up in [Document.Places], which is made once.
func (i Item) Place() (place Place, ok bool) {
	number := i.placeNumber()
	if number == 0 {
		return Place{}, false
	}
	kind, sheets := i.document.placeKind()
	return newPlace(kind, sheets, number), true
}

func (i Item) placeNumber() int {
	if i.document == nil {
		return 0
	}
	if page := firstPage(i.Value); page != 0 {
		return page
	}
	if group, ok := i.Value.(*Group); ok {
		sheets := i.document.sheets()
		for number, sheet := range sheets {
			if sheet == group {
				return number
			}
		}
		if number, ok := numberInName(group, sheets); ok {
			return number
		}
		if group == &i.document.Body {
			return 0
		}
	}
	if len(i.document.PageByNumber) == 0 || len(nodeOf(i.Value).Children) == 0 {
		return 0
	}
	for item := range i.document.Items(ItemsOptions{Root: i, Layers: AllLayers, Pictures: true}) {
		if page := firstPage(item.Value); page != 0 {
			return page
		}
	}
	return 0
}

// numberInName is the number of the slide or sheet that the name of a group says: of a slide, which
// counts from 0, and of the comments on a slide, which counts from 1, or on a cell of a sheet:
// "slide-0", "comment-slide1-7", "comment-Sales-A2". A sheet can be called "slide1" too.
func numberInName(g *Group, sheets map[int]*Group) (int, bool) {
	if text, ok := strings.CutPrefix(g.Name, "comment-"); ok && len(sheets) > 0 && g.Label == LabelCommentSection {
		cell := strings.LastIndexByte(text, '-')
		for number, sheet := range sheets {
			if cell >= 0 && sheet.Name == text[:cell] {
				return number, true
			}
		}
		return 0, false
	}
	if text, ok := strings.CutPrefix(g.Name, "slide-"); ok && g.Label == LabelChapter {
		n, err := strconv.Atoi(text)
		return n + 1, err == nil && n >= 0
	}
	if text, ok := strings.CutPrefix(g.Name, "comment-slide"); ok && g.Label == LabelCommentSection {
		text, _, _ = strings.Cut(text, "-")
		n, err := strconv.Atoi(text)
		return n, err == nil && n > 0
	}
	return 0, false
}

// hasSlides tells whether the document is a presentation: by the type of the file, or by its
// groups, which docling names "slide-0" and so on.
func (d *Document) hasSlides() bool {
	if d.Origin != nil && strings.Contains(d.Origin.MediaType, "presentation") {
		return true
	}
	return slices.ContainsFunc(d.Groups, func(g Group) bool {
		return g.Label == LabelSlide || g.Label == LabelChapter && strings.HasPrefix(g.Name, "slide-")
	})
}

// sheets are the groups that are sheets of a workbook, by the number of their page. docling makes a
// page for each sheet, in the same order; if it did not, a sheet has the page of its items.
func (d *Document) sheets() map[int]*Group {
	var groups []*Group
	for i := range d.Groups {
		if d.Groups[i].Label == LabelSheet {
			groups = append(groups, &d.Groups[i])
		}
	}
	if len(groups) == 0 {
		return nil
	}
	out := map[int]*Group{}
	if pages := d.Pages(); len(pages) == len(groups) {
		for i, p := range pages {
			out[p.PageNo] = groups[i]
		}
		return out
	}
	for _, g := range groups {
		for item := range d.Items(ItemsOptions{Root: Item{g, d}, Layers: AllLayers, Pictures: true}) {
			if page := firstPage(item.Value); page != 0 {
				out[page] = g
				break
			}
		}
	}
	return out
}
