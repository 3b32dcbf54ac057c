package docling

import (
	"iter"
	"slices"
)

// ItemsOptions say which items [Document.Items] visits.
type ItemsOptions struct {
	// Layers are the layers that it yields. None means [LayerBody] alone. Items below one that is
	// not yielded are visited all the same.
	Layers []Layer
	// Groups also yields groups: lists, slides, sheets, chapters, and the root.
	Groups bool
	// Pictures goes into pictures: to the texts that stand in them, not only to their captions.
	Pictures bool
	// NoCaptions leaves out captions and footnotes of other items, which [Item.Caption] and
	// [Item.Footnotes] have.
	NoCaptions bool
	// Page yields only the items of that page, slide or sheet. 0 means all. Groups have no page.
	Page int
	// Root is where it begins. The zero Item means the whole document.
	Root Item
}

// maxDepth bounds how deep items may nest. docling-core itself, which recurses, fails at fewer than
// 1,000 levels; a real document has some ten.
const maxDepth = 500

// Items visits the items in reading order, each with its depth: 1 for a child of the root. It uses
// no more of the stack for a deep document than for a flat one, and visits each item once.
// References that cannot be followed are passed over here: [Parse] and [Document.Check] report
// them.
//
// The tree of headers and footers of documents before schema 1.1.0 comes last, if [LayerFurniture]
// is asked for.
func (d *Document) Items(o ItemsOptions) iter.Seq2[Item, int] {
	return func(yield func(Item, int) bool) {
		skip := map[string]bool{}
		if o.NoCaptions {
			skip = d.captionRefs()
		}
		for value, depth := range d.walk(o.Root.Value, o.Pictures, nil) {
			if o.yields(value, skip) && !yield(Item{value, d}, depth) {
				return
			}
		}
	}
}

func (o *ItemsOptions) yields(value any, skip map[string]bool) bool {
	n := nodeOf(value)
	if _, isGroup := value.(*Group); isGroup {
		return o.Groups && o.wants(n.layer())
	}
	onPage := func(p Provenance) bool { return p.PageNo == o.Page }
	return o.wants(n.layer()) && !skip[n.SelfRef] &&
		(o.Page == 0 || slices.ContainsFunc(provenance(value), onPage))
}

func (o *ItemsOptions) wants(l Layer) bool {
	if len(o.Layers) == 0 {
		return l == LayerBody
	}
	return slices.Contains(o.Layers, l)
}

// captionRefs are the captions and footnotes of other items.
func (d *Document) captionRefs() map[string]bool {
	out := map[string]bool{}
	d.all(func(value any) {
		f := floatingOf(value)
		for _, refs := range [...][]Ref{f.Captions, f.Footnotes} {
			for _, ref := range refs {
				out[ref.Ref] = true
			}
		}
	})
	return out
}

// frame is an item whose children are being visited.
type frame struct {
	value    any
	children []Ref
	next     int
}

// walk visits an item and all below it, in order; the body and then the old tree of headers for
// nil. report, if not nil, is told of each reference that cannot be followed.
func (d *Document) walk(root any, pictures bool, report func(from any, ref string, what Fault)) iter.Seq2[any, int] {
	return func(yield func(any, int) bool) {
		visited := make([]bool, d.itemCount())
		each := func(value any, _, depth int) bool { return yield(value, depth) }
		if root != nil {
			d.walkTree(root, visited, pictures, report, each)
		} else if d.walkTree(&d.Body, visited, pictures, report, each) && d.Furniture != nil {
			d.walkTree(d.Furniture, visited, pictures, report, each)
		}
	}
}

// walkTree visits an item and all below it that is not visited yet. It returns false if yield did.
func (d *Document) walkTree(root any, visited []bool, pictures bool,
	report func(any, string, Fault), yield func(value any, id, depth int) bool,
) bool {
	if report == nil {
		report = func(any, string, Fault) {}
	}
	id := d.idOf(root)
	if id >= 0 {
		visited[id] = true
	}
	if !yield(root, id, 0) {
		return false
	}
	stack := []frame{{value: root, children: children(root, pictures)}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.children) {
			stack = stack[:len(stack)-1]
			continue
		}
		ref := top.children[top.next].Ref
		top.next++
		value, id, ok := d.find(ref)
		switch {
		case !ok:
			report(top.value, ref, FaultMissing)
			continue
		case visited[id]:
			report(top.value, ref, FaultTwice)
			continue
		case len(stack) > maxDepth:
			report(top.value, ref, FaultTooDeep)
			continue
		}
		visited[id] = true
		if !yield(value, id, len(stack)) {
			return false
		}
		stack = append(stack, frame{value: value, children: children(value, pictures)})
	}
	return true
}

// children are the references that a walk follows: of a picture only those to its captions, if the
// walk does not go into pictures.
func children(value any, pictures bool) []Ref {
	all := nodeOf(value).Children
	p, ok := value.(*Picture)
	if !ok || pictures || len(all) == 0 {
		return all
	}
	return captionsAmong(p, all, func(ref Ref) string { return ref.Ref })
}

// captionsAmong returns those of a picture's children that are its captions.
func captionsAmong[T any](p *Picture, children []T, refOf func(T) string) []T {
	captions := map[string]bool{}
	for _, ref := range p.Captions {
		captions[ref.Ref] = true
	}
	return slices.DeleteFunc(slices.Clone(children), func(child T) bool { return !captions[refOf(child)] })
}
