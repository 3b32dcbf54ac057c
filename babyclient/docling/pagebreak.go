package docling

import (
	"fmt"
	"regexp"
)

// pageBreak stands in a text between two items of different pages.
type pageBreak struct{ number, previous, next int }

// mark is what docling-core writes in its place, and replaces at the end.
func (b *pageBreak) mark() string {
	return fmt.Sprintf("#_#_DOCLING_DOC_PAGE_BREAK_%d_%d_#_#", b.previous, b.next)
}

var breakMark = regexp.MustCompile(`#_#_DOCLING_DOC_PAGE_BREAK_(\d+)_(\d+)_#_#`)

// visit walks a node and all below it, and calls onItem with the items of the layers that are
// written. If page breaks are asked for, it calls onBreak before the first item of a later page
// than those before it: docling-core's _iterate_items.
//
// A list that begins on a new page has the break before the list. The first item of it then makes
// a break of the same number, which [writer.parts] drops.
func (w *writer) visit(root *treeNode, onBreak func(pageBreak), onItem func(*treeNode) step) {
	page, number := 0, 0
	met := map[*treeNode]bool{} // lists and lines
	root.each(w.options.PictureText, func(n *treeNode) step {
		if w.count() == stop {
			return stop
		}
		if w.layers[nodeOf(n.value).layer()] {
			if w.options.PageBreak != "" {
				here := n.page()
				if (n.isList() || n.isInline()) && !met[n] {
					here = w.firstPageBelow(n, met, (*treeNode).page)
				}
				if page != 0 && here > page {
					onBreak(pageBreak{number, page, here})
				}
				if !n.isGroup() && here != 0 && (page == 0 || here > page) {
					if page != 0 {
						number++
					}
					page = here
				}
			}
			return onItem(n)
		}
		return goDown
	})
}

// firstPageBelow is the page of the first item in a list or line that has one. The lists and lines
// on the way there count as met. pageOf is the page of a node, 0 for none.
func (w *writer) firstPageBelow(root *treeNode, met map[*treeNode]bool, pageOf func(*treeNode) int) int {
	page := 0
	root.each(w.options.PictureText, func(n *treeNode) step {
		if w.count() == stop {
			return stop
		}
		if !w.layers[nodeOf(n.value).layer()] {
			return goDown
		}
		if n.isList() || n.isInline() {
			met[n] = true
		} else if page = pageOf(n); page != 0 && !n.isGroup() {
			return stop
		}
		return goDown
	})
	return page
}
