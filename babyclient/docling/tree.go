package docling

import "slices"

// treeNode is an item in the tree that texts are written of. The tree has what docling-core makes
// of a document when it reads one: list items outside of a list stand in one, see
// [tree.wrapListItems].
type treeNode struct {
	value    any
	parent   *treeNode
	children []*treeNode
	index    int // among the parent's children
}

func (n *treeNode) text() *Text {
	t, _ := n.value.(*Text)
	return t
}

func (n *treeNode) isList() bool {
	g, ok := n.value.(*Group)
	return ok && g.isList()
}

func (n *treeNode) isInline() bool {
	g, ok := n.value.(*Group)
	return ok && g.Label == LabelInline
}

func (n *treeNode) isGroup() bool {
	_, ok := n.value.(*Group)
	return ok
}

func (n *treeNode) isListItem() bool {
	t := n.text()
	return t != nil && t.Label == LabelListItem
}

// page is the number that docling-core takes for the page: a number below 1 too, see [firstPage].
func (n *treeNode) page() int {
	if prov := provenance(n.value); len(prov) > 0 {
		return prov[0].PageNo
	}
	return 0
}

// tree is the items of a document by their references.
type tree struct {
	document *Document
	body     *treeNode
	nodes    []*treeNode // by id
	visited  []bool      // by id
}

func newTree(d *Document) *tree {
	t := &tree{document: d, nodes: make([]*treeNode, d.itemCount()), visited: make([]bool, d.itemCount())}
	t.body = t.grow(&d.Body)
	t.wrapListItems()
	return t
}

// grow adds an item and all below it.
func (t *tree) grow(root any) *treeNode {
	var path []*treeNode // from the root to the last node
	t.document.walkTree(root, t.visited, true, nil, func(value any, id, depth int) bool {
		n := &treeNode{value: value}
		if depth > 0 {
			n.parent = path[depth-1]
			n.index = len(n.parent.children)
			n.parent.children = append(n.parent.children, n)
		}
		path = append(path[:depth], n)
		if id >= 0 {
			t.nodes[id] = n
		}
		return true
	})
	return path[0]
}

// nodeAt is the node of a reference, nil for none. A caption need not be anybody's child.
func (t *tree) nodeAt(ref string) *treeNode {
	value, id, ok := t.document.find(ref)
	if !ok {
		return nil
	}
	if t.nodes[id] == nil && !t.visited[id] {
		t.nodes[id] = t.grow(value)
	}
	return t.nodes[id]
}

// nodeFor is the node of an item, nil for one whose SelfRef does not lead back to it.
func (t *tree) nodeFor(value any) *treeNode {
	if id := t.document.idOf(value); id >= 0 {
		return t.nodeAt(nodeOf(value).SelfRef)
	}
	return nil
}

// each visits a node and all below it in reading order, of a picture only the captions if pictures
// is false. visit tells whether to go on, and whether to pass over what is below the node.
func (n *treeNode) each(pictures bool, visit func(*treeNode) (next step)) {
	stack := []*treeNode{n}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch visit(top) {
		case stop:
			return
		case goDown:
			for _, below := range slices.Backward(top.below(pictures)) {
				stack = append(stack, below)
			}
		}
	}
}

// below are the children, of a picture only its captions if pictures is false.
func (n *treeNode) below(pictures bool) []*treeNode {
	p, isPicture := n.value.(*Picture)
	if !isPicture || pictures || len(n.children) == 0 {
		return n.children
	}
	return captionsAmong(p, n.children, func(c *treeNode) string { return nodeOf(c.value).SelfRef })
}

// step is what a walk does after a node.
type step int

const (
	goDown step = iota
	passOver
	stop
)

// wrapListItems puts list items that stand outside of a list into one, as docling-core does when it
// reads a document: those that follow each other below the root into the same.
func (t *tree) wrapListItems() {
	lists := map[*treeNode]*treeNode{} // by the items that go into them
	runs := t.strayListItems()
	for _, run := range runs {
		list := &treeNode{value: &Group{Node: Node{Label: LabelList}}, parent: run[0].parent, children: run}
		for _, n := range run {
			lists[n] = list
		}
	}
	parents := map[*treeNode]bool{}
	for n := range lists {
		parents[n.parent] = true
	}
	for parent := range parents {
		parent.replaceChildren(lists)
	}
	for _, run := range runs {
		for i, n := range run {
			n.parent, n.index = lists[n], i
		}
	}
}

// strayListItems are the list items that stand outside of a list, in runs that share one.
func (t *tree) strayListItems() [][]*treeNode {
	var runs [][]*treeNode
	var previous *treeNode
	t.body.each(true, func(n *treeNode) step {
		if n.isListItem() && (n.parent == nil || !n.parent.isList()) {
			if previous != nil && previous.isListItem() && previous.parent == t.body && len(runs) > 0 {
				runs[len(runs)-1] = append(runs[len(runs)-1], n)
			} else {
				runs = append(runs, []*treeNode{n})
			}
		}
		previous = n
		return goDown
	})
	return runs
}

// replaceChildren puts lists in the place of the first of the children that go into them.
func (n *treeNode) replaceChildren(lists map[*treeNode]*treeNode) {
	var children []*treeNode
	for _, c := range n.children {
		list := lists[c]
		if list != nil && list.children[0] != c {
			continue
		}
		if list != nil {
			c = list
		}
		c.index = len(children)
		children = append(children, c)
	}
	n.children = children
}
