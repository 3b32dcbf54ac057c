package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/provider"
)

// output is what a person sees: the results, messages beside them, and on a
// terminal also a line of progress that is written over and over.
type output struct {
	results  io.Writer
	messages io.Writer
	terminal io.Writer // nil if messages is no terminal
	steps    []*step
}

func newOutput(stdout, stderr *os.File) *output {
	o := &output{results: plainWriter{stdout}, messages: plainWriter{stderr}}
	if st, err := stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		o.terminal = stderr
	}
	return o
}

// progress shows what is being done; an empty text takes the line away.
func (o *output) progress(format string, args ...any) {
	if o.terminal != nil {
		fmt.Fprint(o.terminal, "\r\033[K", babyclient.Printable(fmt.Sprintf(format, args...)))
	}
}

// plainWriter writes text without control characters, because documents, models and
// file names could steer the terminal with them.
type plainWriter struct{ w io.Writer }

func (p plainWriter) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, babyclient.Printable(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// step is a line of the table at the end.
type step struct {
	name  string
	count int
	unit  string
	took  time.Duration
}

// add puts a piece of work into the table, which began at start and was done on count
// things. Pieces of one name are added up in one line.
func (o *output) add(name string, count int, unit string, start time.Time) {
	o.progress("")
	for _, s := range o.steps {
		if s.name == name {
			s.count += count
			s.took += time.Since(start)
			return
		}
	}
	o.steps = append(o.steps, &step{name, count, unit, time.Since(start)})
}

// table prints the steps in the order of their first piece.
func (o *output) table() {
	const row = "%-18s %6v %-12s %8s\n"
	fmt.Fprintf(o.results, row, "step", "count", "", "seconds")
	var total time.Duration
	for _, s := range o.steps {
		fmt.Fprintf(o.results, row, s.name, s.count, s.unit, seconds(s.took))
		total += s.took
	}
	fmt.Fprintf(o.results, row, "total", "", "", seconds(total))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

// shorten cuts a text of one line to n runes.
func shorten(text string, n int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= n {
		return string(runes)
	}
	return strings.TrimRight(string(runes[:n-1]), " ") + "…"
}

// source says where a passage stands: file, page where there are pages, heading.
func source(p schema.Document) string {
	file, _ := p.Metadata[provider.MetadataSource].(string)
	text := filepath.Base(file)
	if page, ok := p.Metadata[provider.MetadataPage].(int); ok {
		text += fmt.Sprintf(", page %d", page)
	}
	if h := heading(p); h != "" {
		text += ", " + h
	}
	return text
}

// heading is the innermost heading of a passage.
func heading(p schema.Document) string {
	headings, _ := p.Metadata[provider.MetadataHeadings].(string)
	if i := strings.LastIndex(headings, " > "); i >= 0 {
		return headings[i+len(" > "):]
	}
	return headings
}

// body is a passage without the headings that docling puts before it.
func body(p schema.Document) string {
	text := p.PageContent
	headings, _ := p.Metadata[provider.MetadataHeadings].(string)
	for h := range strings.SplitSeq(headings, " > ") {
		text = strings.TrimPrefix(strings.TrimPrefix(text, h), "\n")
	}
	return text
}

// explain is an error in one line: what failed, and what to do.
func explain(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	var lines []string
	for _, e := range parts(err) {
		// Two documents can fail for one reason.
		if line := explainOne(e); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// parts are the errors that were joined.
func parts(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error }) // deeper ones are causes, not parts
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}

func explainOne(err error) string {
	if d, ok := errors.AsType[*babyclient.DocumentError](err); ok {
		return d.Error() + ": give a file that is whole, and a PDF, DOCX, PPTX, XLSX, HTML, Markdown or CSV " +
			"as its name says"
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	switch {
	case !ok:
		return strings.ReplaceAll(err.Error(), "\n", " ")
	case errors.Is(e, babyclient.ErrUnauthorized):
		return fmt.Sprintf("%d %s: set BABYAPI_BASE_URL to the service and BABYAPI_API_KEY to a key of it",
			e.StatusCode, e.Message)
	case errors.Is(e, babyclient.ErrNotFound) && strings.Contains(e.Message, "model"):
		return e.Message + " Name another with -chat-model, -embed-model or -rerank-model."
	case e.StatusCode == 0:
		return e.Message
	}
	return e.Error()
}
