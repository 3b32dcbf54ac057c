package mcp

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// plan is what a call of convert asks for: what to read, and which view of it. It is made by
// planConversion and never changed.
type plan struct {
	source string        // a path, a URL or a data URI to convert; "" if id is given
	id     string        // of a document or a job that the library keeps
	format string        // of the document; "" takes whichever the document with that id has
	pages  pageRanges    // that the service converts; none for all
	ocr    string        // auto, force or off; "" for auto
	wait   time.Duration // for a conversion under way; 0 for the server's default
	view   view
}

// planConversion reads the arguments of a call. It refuses those that contradict each other before
// a file is opened or a conversion is billed.
func planConversion(a convertArguments) (plan, error) {
	pages, err := parsePages(a.Pages)
	if err != nil {
		return plan{}, err
	}
	if a.Outline && a.Search != "" {
		return plan{}, refuse("outline and search are two calls: give one of them.")
	}
	if a.Search != "" && strings.TrimSpace(a.Search) == "" {
		return plan{}, refuse("search is blank. Give the text to find.")
	}
	if n := utf8.RuneCountInString(a.Search); n > maxSearchChars {
		return plan{}, refuse("search has %s characters, at most %s. Give a few words of the text to find; "+
			"rerank finds passages by meaning.", number(n), number(maxSearchChars))
	}
	source, documentID, jobID := unquote(a.Source), unquote(a.DocumentID), unquote(a.JobID)
	given := 0
	for _, input := range []string{source, documentID, jobID} {
		if input != "" {
			given++
		}
	}
	if given != 1 {
		return plan{}, refuse("give exactly one of source (a path or URL), document_id and job_id, "+
			"not %d of them.", given)
	}
	wait := time.Duration(a.Wait) * time.Second
	shown := view{pages: pages, offset: a.Offset, maxChars: a.MaxChars, outline: a.Outline, search: a.Search}
	if source == "" {
		return plan{id: cmp.Or(documentID, jobID), format: a.Format, wait: wait, view: shown}, nil
	}
	format := cmp.Or(a.Format, babyclient.FormatMarkdown)
	if format != babyclient.FormatMarkdown {
		if a.Outline {
			return plan{}, refuse("an outline needs format md: leave format out.")
		}
		if len(pages) > 1 {
			return plan{}, refuse("several ranges of pages need format md. "+
				"Give one range, such as %q, or leave format out.", pages[0])
		}
		// Only Markdown says where pages begin. Of another format all that was converted is shown.
		shown.pages = nil
	}
	return plan{source: source, format: format, pages: pages, ocr: a.OCR, wait: wait, view: shown}, nil
}

// options ask the service for the format, and for the DoclingDocument, which alone says on which
// page things are.
func (p plan) options() babyclient.ConvertOptions {
	o := babyclient.ConvertOptions{ToFormats: []string{p.format}, ImageExportMode: "placeholder"}
	if p.format != babyclient.FormatJSON {
		o.ToFormats = append(o.ToFormats, babyclient.FormatJSON)
	}
	if p.format == babyclient.FormatMarkdown {
		o.MDPageBreakPlaceholder = pageBreak
	}
	if len(p.pages) > 0 {
		enclosing := p.pages.enclosing()
		o.Pages = &babyclient.PageRange{First: enclosing.first, Last: enclosing.last}
	}
	switch p.ocr {
	case "force":
		o.DoOCR, o.ForceOCR = new(true), new(true)
	case "off":
		o.DoOCR = new(false)
	}
	return o
}

// check refuses a document that is not what the plan asks for.
func (p plan) check(d *document) error {
	if p.format != "" && p.format != d.format {
		return refuse("%s is kept as %s. Call convert with source and format %q to get that: it is a new conversion.",
			d.id, d.format, p.format)
	}
	if len(p.pages) > 0 && p.format != babyclient.FormatMarkdown && d.lastPage == 0 {
		return d.refusePages()
	}
	return nil
}
