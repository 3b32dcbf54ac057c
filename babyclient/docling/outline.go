package docling

import "strings"

// Heading is an entry of a document's outline.
type Heading struct {
	Item  Item
	Level int // as Markdown counts: 1 for a title, 2 for the outermost section header
	Text  string
	Page  int // the page, slide or sheet it is on, 0 where the format has none
}

// Outline are the titles and section headers of the body, in reading order. A heading made of
// several runs, some bold or linked, has their texts joined by blanks.
func (d *Document) Outline() []Heading {
	var out []Heading
	for item := range d.Items(ItemsOptions{}) {
		level := item.Level()
		if level == 0 || item.Label() == LabelFieldHeading {
			continue
		}
		h := Heading{Item: item, Level: level, Text: item.Text(), Page: firstPage(item.Value)}
		if h.Text == "" {
			h.Text = d.textBelow(item)
		}
		out = append(out, h)
	}
	return out
}

// textBelow joins the texts of the runs that an item without a text of its own is made of.
func (d *Document) textBelow(item Item) string {
	var out []string
	for _, ref := range nodeOf(item.Value).Children {
		group, ok := d.Item(ref.Ref)
		if !ok || group.Label() != LabelInline {
			continue
		}
		for run := range d.Items(ItemsOptions{Root: group}) {
			if text := run.Text(); text != "" {
				out = append(out, text)
			}
		}
	}
	return strings.Join(out, " ")
}
