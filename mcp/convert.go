package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Limits of the convert tool.
const (
	defaultMaxChars = 32_000  // about 8,000 tokens: what clients take without a warning
	maxMaxChars     = 200_000 // the maximum in the tag of MaxChars
	maxWaitSeconds  = 600     // the maximum in the tag of WaitSeconds
	maxMatches      = 50
	cancelTimeout   = 2 * time.Second
	// freshURL is how long a URL is not converted again: a page on the web can change.
	freshURL = 10 * time.Minute
)

type convertArguments struct {
	Source     string `json:"source,omitempty" jsonschema_description:"What to read: the path of a local file or an http(s) URL, e.g. report.pdf"`
	DocumentID string `json:"document_id,omitempty" jsonschema_description:"Instead of source: a document that an earlier call converted, e.g. d_7f3a. Reading on costs nothing"`
	JobID      string `json:"job_id,omitempty" jsonschema_description:"Instead of source: a conversion that was still running, e.g. j_7f3a. Waits for it again"`
	Format     string `json:"format,omitempty" jsonschema:"enum=md,enum=text,enum=html,enum=json,enum=doctags" jsonschema_description:"Output format. Default md, the only one with pages, outline and search by heading"`
	Pages      string `json:"pages,omitempty" jsonschema_description:"Only these pages, counted from 1, e.g. 1-5,8"`
	Outline    bool   `json:"outline,omitempty" jsonschema_description:"Return only the headings with offsets and pages. Best first look at a long document, e.g. true"`
	Search     string `json:"search,omitempty" jsonschema_description:"Return only the places where this text occurs, with offsets and pages, e.g. net revenue"`
	Offset     int    `json:"offset,omitempty" jsonschema:"minimum=0" jsonschema_description:"Start at this character, as an earlier answer gave it, e.g. 31876"`
	MaxChars   int    `json:"max_chars,omitempty" jsonschema:"minimum=500,maximum=200000" jsonschema_description:"The most characters to return, e.g. 8000. Default 32000"`
	OCR        string `json:"ocr,omitempty" jsonschema:"enum=auto,enum=force,enum=off" jsonschema_description:"Text recognition: auto (default), force (also over existing text, e.g. when that is garbled), off (faster)"`
	Wait       int    `json:"wait_seconds,omitempty" jsonschema:"minimum=1,maximum=600" jsonschema_description:"How long to wait before a running conversion is answered with a job_id, e.g. 30. Default 45"`
}

func addConvert(s *Server) {
	addTool(s, tool{
		name:  ToolConvert,
		title: "Convert a document",
		description: "Read a PDF, Word, PowerPoint, Excel, HTML, e-mail, image or scan: a local file or a URL, as Markdown with tables. " +
			"Give exactly one of source, document_id, job_id. " +
			"Returns the text and, as last line, [babyapi: ...] with the document_id. A long document is cut at max_chars: that line then holds the exact call that continues; " +
			"all parts joined are the whole document. For a long document start with outline or search and read from an offset. " +
			"A slow conversion returns a job_id instead; call again with it, nothing is lost. " +
			"Converting a source is billed; reading on by document_id is free.",
		idempotent: true,
		aliases: map[string]string{"path": "source", "file": "source", "filename": "source", "filepath": "source", "url": "source", "uri": "source", "document": "source", "input": "source",
			"id": "document_id", "docid": "document_id", "documentkey": "document_id", "job": "job_id", "taskid": "job_id", "task": "job_id",
			"toformat": "format", "outputformat": "format", "output": "format", "page": "pages", "pagerange": "pages", "range": "pages",
			"query": "search", "find": "search", "q": "search", "start": "offset", "from": "offset", "cursor": "offset", "toc": "outline", "headings": "outline",
			"limit": "max_chars", "maxsize": "max_chars", "maxlength": "max_chars", "doocr": "ocr", "timeout": "wait_seconds", "wait": "wait_seconds"},
	}, s.convert)
}

func (s *Server) convert(ctx context.Context, r *request, a convertArguments) (*mcpgo.CallToolResult, error) {
	pages, err := parsePages(a.Pages)
	if err != nil {
		return nil, err
	}
	if a.Outline && a.Search != "" {
		return nil, refuse("outline and search are two calls: give one of them.")
	}
	c, err := s.conversion(ctx, &a, pages)
	if err != nil {
		return nil, err
	}
	wait := s.wait
	if a.Wait > 0 {
		wait = time.Duration(a.Wait) * time.Second
	}
	doc, ready, err := s.await(ctx, r, c, wait)
	if err != nil {
		return nil, err
	}
	if !ready {
		return textResult(fmt.Sprintf("Still converting %s (%s, %s, job j_%s). Call convert %s to keep waiting; nothing is lost.",
			c.name, seconds(time.Since(c.start)), s.library.stageOf(c), c.id, callJSON("job_id", "j_"+c.id))), nil
	}
	if a.Format != "" && a.Format != doc.format {
		return nil, refuse("%s is kept as %s. Call convert with source and format %q to get that: it is a new conversion.", doc.id, doc.format, a.Format)
	}
	offset, ok := doc.byteOffset(a.Offset)
	if !ok {
		return nil, refuse("offset %d is past the end: %s has %d characters.", a.Offset, doc.id, doc.chars())
	}
	if a.Source != "" && doc.format != babyclient.FormatMarkdown && doc.lastPage > 0 {
		pages = nil // the service has converted these alone
	}
	v := &view{doc: doc, pages: pages, offset: offset, budget: defaultMaxChars}
	if a.MaxChars > 0 {
		v.budget = a.MaxChars
	}
	var text string
	switch {
	case a.Outline:
		text, err = v.outline()
	case a.Search != "":
		text, err = v.search(a.Search)
	default:
		text, err = v.part(a.MaxChars)
	}
	if err != nil {
		return nil, err
	}
	return textResult(text), nil
}

// conversion is the one that the arguments name, started if need be.
func (s *Server) conversion(ctx context.Context, a *convertArguments, pages pageRanges) (*conversion, error) {
	given := 0
	for _, v := range []*string{&a.Source, &a.DocumentID, &a.JobID} {
		if *v = unquote(*v); *v != "" {
			given++
		}
	}
	if given != 1 {
		return nil, refuse("give exactly one of source (a path or URL), document_id and job_id, not %d of them.", given)
	}
	if a.Source == "" {
		id := a.DocumentID + a.JobID
		if c := s.library.find(id); c != nil {
			return c, nil
		}
		return nil, refuse("%q is not kept any more: this server keeps the last %d documents, and none across a restart. Call convert with source again.", clip(id), maxDocuments)
	}
	src, err := s.openSource(ctx, a.Source)
	if err != nil {
		return nil, err
	}
	if a.Format == "" {
		a.Format = babyclient.FormatMarkdown
	}
	if a.Format != babyclient.FormatMarkdown && len(pages) > 1 {
		src.close()
		return nil, refuse("several ranges of pages need format md. Give one range, such as %q, or leave format out.", pages[0])
	}
	req := convertRequest(a.Format, a.OCR, pages)
	key := fmt.Sprintf("%s\x00%s", src.key, mustJSON(req.Options))
	c, started, err := s.library.start(key, src.name, src.fresh, s.timeout, func(ctx context.Context, report func(func() string)) (*document, error) {
		defer src.close()
		return s.runConversion(ctx, src, a.Format, req, report)
	})
	if !started {
		src.close()
	}
	return c, err
}

// convertRequest asks for a format, and for the DoclingDocument, which alone tells on which
// page things are.
func convertRequest(format, ocr string, pages pageRanges) *babyclient.ConvertRequest {
	o := babyclient.ConvertOptions{ToFormats: []string{format}, ImageExportMode: "placeholder"}
	if format != babyclient.FormatJSON {
		o.ToFormats = append(o.ToFormats, babyclient.FormatJSON)
	}
	if format == babyclient.FormatMarkdown {
		o.MDPageBreakPlaceholder = pageBreak
	}
	if len(pages) > 0 {
		hull := pages.hull()
		o.Pages = &babyclient.PageRange{First: hull.first, Last: hull.last}
	}
	switch ocr {
	case "force":
		o.DoOCR, o.ForceOCR = new(true), new(true)
	case "off":
		o.DoOCR = new(false)
	}
	return &babyclient.ConvertRequest{Options: o}
}

// source is a document that can be sent.
type source struct {
	name  string
	key   string // what it is, to know it again
	fresh time.Duration
	wire  babyclient.Source
	read  *countingReader // of a file, nil for a URL
	size  int64
	close func()
}

// countingReader counts what was uploaded.
type countingReader struct {
	io.Reader
	n atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// scheme is that of a URL. A colon alone makes none: it can be part of a file's name.
var scheme = regexp.MustCompile(`(?i)^(?:(data|file):|([a-z][a-z0-9+.-]+)://)`)

// schemeOf is the scheme of a URL in lower case, "" for a path.
func schemeOf(name string) string {
	if m := scheme.FindStringSubmatch(name); m != nil {
		return strings.ToLower(m[1] + m[2])
	}
	return ""
}

// openSource opens a path, a URL or a data URI. A URL is not fetched here but by the service,
// so that this machine's network is out of reach.
func (s *Server) openSource(ctx context.Context, name string) (*source, error) {
	switch kind := schemeOf(name); kind {
	case "":
		return s.openFileSource(ctx, name)
	case "http", "https":
		u, err := url.Parse(name)
		if err != nil || u.Host == "" {
			return nil, refuse("the URL %q cannot be parsed. Give one such as https://example.com/report.pdf.", clip(name))
		}
		wire := babyclient.FromURL(name)
		return &source{name: wire.String(), key: name, fresh: freshURL, wire: wire, close: func() {}}, nil
	case "data":
		file, data, err := parseDataURI(name)
		if err != nil {
			return nil, err
		}
		return &source{name: file, key: name, wire: babyclient.FromBytes(file, data), close: func() {}}, nil
	case "file":
		return nil, refuse(`a file: URL is not taken. Give the path itself, such as report.pdf.`)
	default:
		return nil, refuse("%q is not taken. Give the path of a file or an http(s) URL.", clip(kind+":"))
	}
}

func (s *Server) openFileSource(ctx context.Context, name string) (*source, error) {
	s.askRoots(ctx)
	f, err := s.files.openDocument(name)
	if err != nil {
		return nil, err
	}
	read := &countingReader{Reader: f}
	return &source{
		name: f.name,
		key:  fmt.Sprintf("%s\x00%d\x00%d", f.path, f.info.Size(), f.info.ModTime().UnixNano()),
		wire: babyclient.Source{Reader: read, Size: f.info.Size(), Name: f.name},
		read: read,
		size: f.info.Size(),
		close: func() {
			_ = f.Close() // only read from
		},
	}, nil
}

// runConversion converts as a job of the service: unlike a plain call it has no limit of two
// minutes, tells its place in the queue, and can be given up.
func (s *Server) runConversion(ctx context.Context, src *source, format string, req *babyclient.ConvertRequest, report func(func() string)) (*document, error) {
	stage := func(text string) { report(func() string { return text }) }
	req.Sources = []babyclient.Source{src.wire}
	if src.read != nil {
		report(func() string { return fmt.Sprintf("uploading, %s of %s", size(src.read.n.Load()), size(src.size)) })
	}
	job, err := s.client.Docling.StartConvert(ctx, req, babyclient.WithTimeout(s.timeout))
	var resp *babyclient.ConvertResponse
	if err == nil {
		stage("queued")
		resp, err = job.Wait(ctx, babyclient.WithPollInterval(time.Second), babyclient.OnPoll(func(st *babyclient.JobStatus) {
			switch {
			case st.Position > 1:
				stage(fmt.Sprintf("queued, %d ahead", st.Position-1))
			case st.State != "pending":
				stage("converting")
			}
		}))
	}
	if err != nil && ctx.Err() != nil {
		if job != nil {
			// The context has ended, but the service must still be told.
			tell, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
			defer cancel()
			if _, cancelErr := job.Cancel(tell, babyclient.WithMaxRetries(0)); cancelErr != nil {
				s.logger.WarnContext(ctx, "a conversion could not be cancelled", "error", cancelErr)
			}
		}
		if errors.Is(context.Cause(ctx), errConversionTimeout) {
			return nil, refuse("the conversion of %s took longer than %s and was given up. Try fewer pages, or ask the user to raise BABYAPI_MCP_TIMEOUT.", src.name, s.timeout)
		}
		return nil, refuse("the conversion of %s was cancelled.", src.name)
	}
	if err != nil && !errors.Is(err, babyclient.ErrPartialSuccess) {
		return nil, err
	}
	return newDocument(src.name, format, req.Options.Pages != nil, resp.Document()), nil
}

// await waits for a conversion and tells the client how it goes.
func (s *Server) await(ctx context.Context, r *request, c *conversion, d time.Duration) (doc *document, ready bool, err error) {
	r.progress.say(func(time.Duration) string {
		return fmt.Sprintf("%s, %s", s.library.stageOf(c), seconds(time.Since(c.start)))
	})
	return s.library.wait(ctx, c, d)
}

// part is the next part of the text, with the call that continues as its last line.
func (v *view) part(maxChars int) (string, error) {
	pieces, next, err := v.read()
	if err != nil {
		return "", err
	}
	d := v.doc
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(d.text[p.from:p.to])
	}
	var note strings.Builder
	fmt.Fprintf(&note, "\n\n[babyapi: %s", d.name)
	switch {
	case len(strings.TrimSpace(d.text)) == 0:
		note.WriteString(`, converted, but no text was found in it. If it is a scan, call again with ocr "force"`)
	case len(pieces) == 0:
		note.WriteString(", nothing after this offset")
	case v.offset == 0 && next < 0 && len(v.pages) == 0 && !d.ranged:
		fmt.Fprintf(&note, ", the whole document, %s characters", number(d.chars()))
		if d.lastPage > 0 {
			fmt.Fprintf(&note, ", %d pages", d.lastPage)
		}
	default:
		first, last := pieces[0].from, pieces[len(pieces)-1].to
		fmt.Fprintf(&note, ", characters %s-%s of %s", number(d.charOffset(first)), number(d.charOffset(last)), number(d.chars()))
		if p := d.pageAt(first); p > 0 {
			fmt.Fprintf(&note, " (pages %s", pageRange{p, d.pageAt(last - 1)})
			if !d.ranged {
				fmt.Fprintf(&note, " of %d", d.lastPage)
			}
			note.WriteString(")")
		}
	}
	if next >= 0 {
		call := []any{"document_id", d.id, "offset", d.charOffset(next)}
		if len(v.pages) > 0 {
			call = append(call, "pages", v.pages.String())
		}
		if maxChars > 0 {
			call = append(call, "max_chars", maxChars)
		}
		fmt.Fprintf(&note, ". Continue: convert %s", callJSON(call...))
		if len(d.headings()) > 0 {
			fmt.Fprintf(&note, ". Headings: convert %s", callJSON("document_id", d.id, "outline", true))
		}
	} else {
		fmt.Fprintf(&note, ". document_id %s", d.id)
	}
	if len(d.warnings) > 0 {
		fmt.Fprintf(&note, ". Not converted whole: %s", clip(strings.Join(d.warnings, "; ")))
	}
	note.WriteString("]")
	return b.String() + note.String(), nil
}

// outline is the headings, each with the offset to read it from.
func (v *view) outline() (string, error) {
	d := v.doc
	if d.format != babyclient.FormatMarkdown {
		return "", refuse("an outline needs format md, and %s is kept as %s.", d.id, d.format)
	}
	spans, err := v.doc.spans(v.pages)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	left, more := v.budget, -1
	count := 0
	for _, h := range d.headings() {
		if h.offset < v.offset || !within(spans, h.offset) {
			continue
		}
		line := fmt.Sprintf("%s%s %s\n", d.place(h.offset), strings.Repeat("#", h.level), h.title)
		if left -= len(line); left < 0 && count > 0 {
			more = h.offset
			break
		}
		count++
		b.WriteString(line)
	}
	if count == 0 {
		return fmt.Sprintf("[babyapi: %s has no headings here; it has %s characters. Read it with convert %s]", d.name, number(d.chars()), callJSON("document_id", d.id)), nil
	}
	if more >= 0 {
		fmt.Fprintf(&b, "\n[babyapi: more headings: convert %s]", callJSON("document_id", d.id, "outline", true, "offset", d.charOffset(more)))
		return b.String(), nil
	}
	fmt.Fprintf(&b, "\n[babyapi: %d headings of %s, %s characters. Read on from one: convert {\"document_id\":%q,\"offset\":OFFSET}]", count, d.name, number(d.chars()), d.id)
	return b.String(), nil
}

// search finds text, case and white space aside.
func (v *view) search(text string) (string, error) {
	d := v.doc
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", refuse("search is blank. Give the text to find.")
	}
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	pattern := regexp.MustCompile(`(?i)` + strings.Join(words, `\s+`))
	spans, err := d.spans(v.pages)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	total, shown := 0, 0
	more := -1
	for _, m := range pattern.FindAllStringIndex(d.text[v.offset:], -1) {
		at := v.offset + m[0]
		if !within(spans, at) {
			continue
		}
		total++
		line := d.place(at) + excerpt(d.text, at, v.offset+m[1]) + "\n"
		if shown == maxMatches || b.Len()+len(line) > v.budget && shown > 0 {
			if more < 0 {
				more = at
			}
			continue
		}
		shown++
		b.WriteString(line)
	}
	if total == 0 {
		return fmt.Sprintf("[babyapi: %q does not occur in %s from offset %s on. Try fewer or other words, or outline; rerank %s finds passages by meaning]",
			clip(text), d.name, number(d.charOffset(v.offset)), callJSON("document_id", d.id, "query", text)), nil
	}
	fmt.Fprintf(&b, "\n[babyapi: %d of %d matches in %s. Read on from one: convert {\"document_id\":%q,\"offset\":OFFSET}", shown, total, d.name, d.id)
	if more >= 0 {
		fmt.Fprintf(&b, ". More matches: convert %s", callJSON("document_id", d.id, "search", text, "offset", d.charOffset(more)))
	}
	b.WriteString("]")
	return b.String(), nil
}

// place tells where something is, for a list.
func (d *document) place(offset int) string {
	if p := d.pageAt(offset); p > 0 {
		return fmt.Sprintf("offset %d, page %d: ", d.charOffset(offset), p)
	}
	return fmt.Sprintf("offset %d: ", d.charOffset(offset))
}

func within(spans []span, offset int) bool {
	for _, s := range spans {
		if offset >= s.from && offset < s.to {
			return true
		}
	}
	return false
}

// excerpt is the text around a match, on one line.
func excerpt(text string, from, to int) string {
	const around = 80
	left := max(0, from-around)
	for left > 0 && left < from && !isBoundary(text, left) {
		left++
	}
	right := min(len(text), to+around)
	for right < len(text) && !isBoundary(text, right) {
		right++
	}
	out := strings.Join(strings.Fields(text[left:right]), " ")
	if left > 0 {
		out = "…" + out
	}
	if right < len(text) {
		out += "…"
	}
	return out
}

// isBoundary reports whether a character begins at i.
func isBoundary(text string, i int) bool { return text[i]&0xC0 != 0x80 }

// callJSON writes the arguments of a call, in the order given.
func callJSON(pairs ...any) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, v := range pairs {
		switch {
		case i == 0:
		case i%2 == 0:
			b.WriteByte(',')
		default:
			b.WriteByte(':')
		}
		var value strings.Builder
		e := json.NewEncoder(&value)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // strings, numbers and booleans only
		b.WriteString(strings.TrimSuffix(value.String(), "\n"))
	}
	b.WriteByte('}')
	return b.String()
}
