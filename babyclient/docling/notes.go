package docling

// Note is what an author says beside the content: a speaker's note, or a comment.
type Note struct {
	Item Item // the text of the note
	Text string
	Page int // the page, slide or sheet it belongs to, 0 where that is not known
	// Targets are the items that it comments on. Range, if not nil, is the part of the text.
	Targets []Target
	Comment bool // it is a comment, else a note
}

// Target is what a comment is about.
type Target struct {
	Item  Item
	Range *[2]int // characters of the item's text, the second excluded; nil for all of it
}

// Notes are the speaker's notes and the comments, in reading order.
func (d *Document) Notes() []Note {
	targets, sheets := d.commentTargets(), d.sheets()
	var out []Note
	section, sectionDepth := Item{}, 0 // of comments, the last that was met
	for item, depth := range d.Items(ItemsOptions{Layers: AllLayers, Groups: true, Pictures: true}) {
		if section.Value != nil && depth <= sectionDepth {
			section = Item{}
		}
		if item.Label() == LabelCommentSection {
			section, sectionDepth = item, depth
		}
		text, ok := item.Value.(*Text)
		about := targets[item.Ref()]
		if !ok || item.Layer() != LayerNotes && len(about) == 0 {
			continue
		}
		if section.Value != nil && len(about) == 0 { // a comment can point to the section as a whole
			about = targets[section.Ref()]
		}
		note := Note{Item: item, Text: text.Text, Targets: about, Comment: section.Value != nil || len(about) > 0}
		note.Page = item.placeNumber()
		for _, t := range about {
			if note.Page == 0 {
				note.Page = t.Item.placeNumber()
			}
		}
		if group, ok := section.Value.(*Group); ok && note.Page == 0 {
			note.Page, _ = numberInName(group, sheets)
		}
		out = append(out, note)
	}
	return out
}

// commentTargets are the items that are commented on, by the reference of the comment.
func (d *Document) commentTargets() map[string][]Target {
	targets := map[string][]Target{}
	d.all(func(value any) {
		if n, ok := value.(docNoder); ok {
			for _, c := range n.docNode().Comments {
				targets[c.Ref] = append(targets[c.Ref], Target{Item{value, d}, c.Range})
			}
		}
	})
	return targets
}
