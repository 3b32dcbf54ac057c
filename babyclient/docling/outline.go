package docling

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
)

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

// Pages are the pages, slides or sheets, by number. A format without pages, as DOCX and HTML, has
// none.
func (d *Document) Pages() []*Page {
	out := make([]*Page, 0, len(d.PageItems))
	for _, p := range d.PageItems {
		if p != nil {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *Page) int { return a.PageNo - b.PageNo })
	return out
}

// ErrNoBytes is the error of [Image.Bytes] for a picture whose bytes are elsewhere.
var ErrNoBytes = errors.New("docling: the document does not hold the bytes of the picture")

// Bytes decodes the picture, if it stands in the document as a data URI. Convert with pictures
// embedded to have that. For a picture that is a URL or a path, or that there is not (i may be
// nil), the error is [ErrNoBytes].
func (i *Image) Bytes() (data []byte, mediaType string, err error) {
	if i == nil {
		return nil, "", ErrNoBytes
	}
	header, content, found := strings.Cut(i.URI, ",")
	header, isData := strings.CutPrefix(header, "data:")
	if !isData || !found {
		return nil, "", ErrNoBytes
	}
	header, isBase64 := strings.CutSuffix(header, ";base64")
	if mediaType = header; mediaType == "" {
		mediaType = i.MediaType
	}
	if !isBase64 {
		text, err := url.PathUnescape(content)
		return []byte(text), mediaType, err
	}
	data, err = base64.StdEncoding.DecodeString(content)
	return data, mediaType, err
}

// Classification is what kind of picture it is, as "bar_chart", by the model that was surest, and
// "" if none was asked.
func (p *Picture) Classification() string {
	if p.Meta != nil && p.Meta.Classification != nil {
		return p.Meta.Classification.main()
	}
	for i := range p.Annotations {
		if a := &p.Annotations[i]; a.Kind == "classification" {
			return (&Classification{Predictions: a.PredictedClasses}).main()
		}
	}
	return ""
}

// Description is what a model says that the picture shows, and "" if none was asked.
func (p *Picture) Description() string {
	if p.Meta != nil && p.Meta.Description != nil {
		return p.Meta.Description.Text
	}
	for i := range p.Annotations {
		if a := &p.Annotations[i]; a.Kind == "description" {
			return a.Text
		}
	}
	return ""
}
