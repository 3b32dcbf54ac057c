package docling

import (
	"fmt"
	"strings"
)

// Fault is what is wrong with a reference.
type Fault string

// Faults of references.
const (
	FaultMissing Fault = "points to nothing"
	FaultTwice   Fault = "points to an item that is referenced twice, or in a circle"
	FaultTooDeep Fault = "nests deeper than 500 items"
	FaultSelf    Fault = "is the self_ref of an item, and does not point to it"
	FaultCell    Fault = "is of a cell, and points to no child of its table, or to one that another cell has"
)

// BadRef is a reference that cannot be followed.
type BadRef struct {
	From  string // the item that has it
	Ref   string
	Fault Fault
}

// TreeError says which references of a document cannot be followed. What only they lead to is in
// no iteration and no text of the document; it still stands in its lists, and is encoded again.
type TreeError struct {
	Refs []BadRef // the first 100
	More int      // how many there are besides
}

// Error names the first ones.
func (e *TreeError) Error() string {
	var out strings.Builder
	fmt.Fprintf(&out, "docling: %d references cannot be followed:", len(e.Refs)+e.More)
	for i, r := range e.Refs {
		if i == 3 {
			out.WriteString(" …")
			break
		}
		fmt.Fprintf(&out, " %.50q of %.50q %s;", r.Ref, r.From, r.Fault)
	}
	return strings.TrimSuffix(out.String(), ";")
}

// maxBadRefs bounds the list of a [TreeError].
const maxBadRefs = 100

func (e *TreeError) add(from any, ref string, fault Fault) {
	if len(e.Refs) == maxBadRefs {
		e.More++
		return
	}
	e.Refs = append(e.Refs, BadRef{From: nodeOf(from).SelfRef, Ref: ref, Fault: fault})
}

// Check follows all references of the document, and returns a [*TreeError] if some cannot be
// followed. [Parse] has done so. A program that makes or changes a document calls it.
func (d *Document) Check() error {
	e := &TreeError{}
	for value := range d.walk(nil, true, e.add) {
		if d.idOf(value) < 0 {
			e.add(value, nodeOf(value).SelfRef, FaultSelf)
		}
		f := floatingOf(value)
		for _, refs := range [...][]Ref{f.Captions, f.Footnotes, f.References} {
			for _, ref := range refs {
				if _, _, ok := d.find(ref.Ref); !ok {
					e.add(value, ref.Ref, FaultMissing)
				}
			}
		}
		if t, ok := value.(*Table); ok {
			owners := t.cellOwners(d)
			for i := range t.Data.Cells {
				if c := &t.Data.Cells[i]; c.Ref != nil && owners[c.Ref.Ref] != i+1 {
					e.add(value, c.Ref.Ref, FaultCell)
				}
			}
		}
	}
	if len(e.Refs) == 0 {
		return nil
	}
	return e
}

// cellOwners has, for each child of the table, one more than the index of the first cell that
// holds it, 0 for none.
func (t *Table) cellOwners(d *Document) map[string]int {
	out := map[string]int{}
	for i := range t.Children {
		ref := t.Children[i].Ref
		if _, _, ok := d.find(ref); ok {
			out[ref] = 0
		}
	}
	for i := range t.Data.Cells {
		if ref := t.Data.Cells[i].Ref; ref != nil {
			if owner, isChild := out[ref.Ref]; isChild && owner == 0 {
				out[ref.Ref] = i + 1
			}
		}
	}
	return out
}
