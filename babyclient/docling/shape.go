package docling

// shape is the list of the names of an object, in the order of the text. Objects with the same
// names share it: a table of 300,000 cells has one or two shapes, so that knowing for each cell
// which of its fields were absent, or null, costs one pointer.
//
// A shape is a node of a tree, and its list is the path to it from the root. Example: the objects
// {"l":1,"t":2} and {"l":1,"r":null} make root → l → t and root → l → r (null).
type shape struct {
	previous *shape
	name     string
	field    int // index in the plan of the type, -1 for a field without a name there
	null     bool

	latest   *shape // the child that was found last, nearly always the one that is looked for next
	children map[shapeKey]*shape
}

// shapeKey is what tells the children of a shape apart.
type shapeKey struct {
	name string
	null bool
}

// child is the shape of an object that has one more field. name is not kept.
func (s *shape) child(name []byte, null bool, fields map[string]int) *shape {
	if c := s.latest; c != nil && c.null == null && c.name == string(name) {
		return c
	}
	if c := s.children[shapeKey{string(name), null}]; c != nil {
		s.latest = c
		return c
	}
	field, known := fields[string(name)]
	if !known {
		field = -1
	}
	c := &shape{previous: s, name: string(name), field: field, null: null}
	if s.latest != nil { // a map only for the second child: most shapes have one
		if s.children == nil {
			s.children = map[shapeKey]*shape{{s.latest.name, s.latest.null}: s.latest}
		}
		s.children[shapeKey{c.name, c.null}] = c
	}
	s.latest = c
	return c
}

// list are the nodes from the first name to the last.
func (s *shape) list() []*shape {
	n := 0
	for node := s; node != nil && node.previous != nil; node = node.previous {
		n++
	}
	out := make([]*shape, n)
	for node := s; n > 0; node = node.previous {
		n--
		out[n] = node
	}
	return out
}

// has tells whether the object had the field in JSON.
func (f *Fields) has(name string) bool {
	for s := f.shape; s != nil; s = s.previous {
		if s.previous != nil && s.name == name {
			return true
		}
	}
	return false
}
