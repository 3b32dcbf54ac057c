// Command batch converts documents to Markdown, side by side, with a progress
// bar. Ctrl-C stops it; the same command again goes on where it was, and collects
// the conversions that were under way instead of starting, and paying, them anew.
//
//	go run ./examples/batch -out converted report.pdf slides.pptx …
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func main() {
	out := flag.String("out", "converted", "`folder` for the Markdown")
	flag.Parse()
	files := flag.Args()
	if len(files) == 0 {
		files = []string{"examples/rag/documents/t90-service-manual.pdf", "examples/rag/documents/travel-policy.docx"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &batch{dir: *out, total: len(files)}
	err := b.run(ctx, files)
	fmt.Printf("%d of %d documents are in %s\n", b.done, b.total, b.dir)
	if ctx.Err() != nil {
		err = errors.New("interrupted; the same command again goes on from here")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "batch:", err)
		os.Exit(1)
	}
}

type batch struct {
	dir         string
	folder      *os.Root // of dir: no link in it leads elsewhere
	client      *babyclient.Client
	done, total int
}

// job is a line of the journal: a conversion that the service was given.
type job struct{ File, ID, Node string }

func (b *batch) run(ctx context.Context, files []string) (err error) {
	if b.client, err = babyclient.New(); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	if b.folder, err = os.OpenRoot(b.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.folder.Close()) }()
	known, err := b.readJournal()
	if err != nil {
		return err
	}
	journal, err := b.folder.OpenFile(journalName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	defer b.bar("")

	var failed []error
	var todo []babyclient.Source
	for _, file := range files {
		if file, err = filepath.Abs(file); err != nil {
			return err
		}
		if _, err := b.folder.Stat(output(file)); err == nil {
			b.done++
			continue
		}
		b.bar(filepath.Base(file))
		if j, ok := known[file]; ok {
			resp, err := b.client.Docling.ConvertJob(j.ID, j.Node).Wait(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				failed = append(failed, b.keep(file, resp.Document()))
				continue
			}
			if !isOver(err) {
				return err
			}
		}
		todo = append(todo, babyclient.FromFile(file))
	}

	var unnoted error
	i := 0
	for doc, err := range b.client.Docling.ConvertAll(ctx, &babyclient.ConvertAllRequest{
		Sources: todo,
		BatchOptions: babyclient.BatchOptions{OnSubmit: func(j babyclient.BatchJob) {
			line, _ := json.Marshal(job{todo[j.Index].Path, j.ID, j.Node}) // strings always encode
			if _, err := journal.Write(append(line, '\n')); err != nil {
				unnoted = fmt.Errorf("noting the jobs: %w", err)
			}
		}},
	}) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = b.keep(todo[i].Path, doc)
		}
		failed = append(failed, err)
		b.bar(filepath.Base(todo[i].Path))
		i++
	}
	return errors.Join(append(failed, unnoted)...)
}

// isOver reports whether a job will never have a result: the service has lost it, or it failed. The
// file may have been mended since then, so it is converted anew.
func isOver(err error) bool {
	return errors.Is(err, babyclient.ErrTaskLost) || errors.Is(err, babyclient.ErrTaskFailed) ||
		errors.Is(err, babyclient.ErrDocumentFailed)
}

// keep writes a converted document. The file is there whole or not at all.
func (b *batch) keep(file string, doc *babyclient.Converted) error {
	part := output(file) + ".part"
	if err := b.folder.WriteFile(part, []byte(doc.Markdown), 0o600); err != nil {
		return err
	}
	if err := b.folder.Rename(part, output(file)); err != nil {
		return err
	}
	b.done++
	return nil
}

// output is the name of a file's Markdown. It has a hash of the whole path, so that two files of
// one name, in different folders, do not overwrite each other.
func output(file string) string {
	hash := sha256.Sum256([]byte(file))
	return fmt.Sprintf("%s-%x.md", filepath.Base(file), hash[:6])
}

const journalName = ".jobs"

func (b *batch) readJournal() (map[string]job, error) {
	known := map[string]job{}
	text, err := b.folder.ReadFile(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	for line := range strings.Lines(string(text)) {
		var j job
		if json.Unmarshal([]byte(line), &j) == nil { // the last line can be half written
			known[j.File] = j
		}
	}
	return known, err
}

// bar shows how many documents are done, on a terminal only; an empty name removes it.
func (b *batch) bar(name string) {
	if st, err := os.Stderr.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	if name != "" {
		const width = 30
		full := width * b.done / b.total
		fmt.Fprintf(os.Stderr, "[%s%s] %d of %d  %s",
			strings.Repeat("#", full), strings.Repeat(".", width-full), b.done, b.total, name)
	}
}
