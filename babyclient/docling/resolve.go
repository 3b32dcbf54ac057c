package docling

import "fmt"

// Resolve finds the items that references point to, such as the doc_items of a chunk, so that a
// citation has pages and boxes. References are as "#/texts/3"; "/texts/3" means the same. Items
// that are found are returned also if others are not, which the error names.
func (d *Document) Resolve(refs []string) ([]Item, error) {
	var out []Item
	var missing []string
	for _, ref := range refs {
		pointer := ref
		if len(pointer) > 0 && pointer[0] == '/' {
			pointer = "#" + pointer
		}
		if item, ok := d.Item(pointer); ok {
			out = append(out, item)
		} else {
			missing = append(missing, ref)
		}
	}
	if len(missing) > 0 {
		return out, fmt.Errorf("docling: the document has no items %.200q", missing)
	}
	return out, nil
}
