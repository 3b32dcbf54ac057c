package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Loader makes text of documents: PDF, Word, PowerPoint, Excel, HTML, images and whatever else
// docling reads. It is a documentloaders.Loader. Documents are converted as jobs, side by side, so
// that long ones do not run into a timeout.
type Loader struct {
	client *babyclient.Client
	loaderConfig

	noChunkJobs atomic.Bool // the service has answered that it has no endpoint for chunking as a job
}

// NewLoader makes a loader of the documents that the options name.
func NewLoader(client *babyclient.Client, opts ...LoaderOption) (*Loader, error) {
	l := &Loader{client: client, loaderConfig: configure(loaderConfig{}, opts)}
	convertErr := nameOptions(&l.convert)
	switch {
	case client == nil:
		return nil, errNilClient()
	case len(l.sources) == 0:
		return nil, invalid("the loader has no documents: " +
			"use WithFiles, WithFolder, WithReader, WithURLs or WithSources")
	case l.mode < PerDocument || l.mode > PerChunk:
		return nil, invalid("WithMode(%d): want PerDocument, PerPage or PerChunk", l.mode)
	case convertErr != nil:
		return nil, invalid("WithConvertOptions: %v", convertErr).WithCause(convertErr)
	case l.convert.ToFormats != nil:
		return nil, invalid("conflicting options: WithConvertOptions has ToFormats %v, "+
			"and the loader asks for the formats that it needs", l.convert.ToFormats)
	case l.chunker != "" && l.chunker != babyclient.ChunkerHybrid && l.chunker != babyclient.ChunkerHierarchical:
		return nil, invalid("WithChunker(%q): want %q or %q",
			l.chunker, babyclient.ChunkerHybrid, babyclient.ChunkerHierarchical)
	case l.batch.Concurrency < 0:
		return nil, invalid("WithBatchOptions: Concurrency is %d: want 1 or more, or 0 for %d",
			l.batch.Concurrency, babyclient.DefaultBatchConcurrency)
	}
	for _, s := range l.sources {
		for _, p := range s.patterns {
			if err := checkPattern(p); err != nil {
				return nil, invalid("WithFolder(%q): pattern %q: %v", s.folder, p, err).WithCause(err)
			}
		}
	}
	// Pictures in the text, in base64, are of no use to a model that reads text.
	if l.convert.ImageExportMode == "" {
		l.convert.ImageExportMode = "placeholder"
	}
	if l.convert.IncludeImages == nil {
		l.convert.IncludeImages = new(false)
	}
	return l, nil
}

// nameOptions puts options of Extra that have a field into the field, where the loader sees them.
func nameOptions(o *babyclient.ConvertOptions) error {
	if len(o.Extra) == 0 {
		return nil
	}
	raw, err := json.Marshal(*o)
	if err != nil {
		return err
	}
	*o = babyclient.ConvertOptions{}
	return json.Unmarshal(raw, o)
}

// Load loads all documents. If some fail, the documents of the others are returned together with
// the error of all that failed.
func (l *Loader) Load(ctx context.Context) ([]schema.Document, error) {
	return collect(l.documents(ctx, l.mode))
}

// LoadAndSplit loads all documents and splits them with splitter. Without a splitter (nil) docling
// cuts them into chunks, by their structure and not by their length alone. If some documents fail,
// the others are returned with the error, as for [Loader.Load].
//
// A table keeps its column names: rows without the header of their table get it, and a piece that
// begins inside a row gets the start of the row. Such a piece may be longer than the splitter's
// size by this header and row start, whose cells are cut at 100 characters. Rows that the splitter
// has rewritten, so that they are not found in the text, stay as they are.
//
// Pieces are numbered in [MetadataChunk] by document, and have a [MetadataContentHash] of their
// own. What was true of the whole text alone, as tokens and boxes, is left out; pages and headings
// stay. A splitter that makes nothing of a text is an error. One that leaves out a part is not
// noticed: langchaingo's Markdown splitter does so with code, unless it has WithCodeBlocks(true).
func (l *Loader) LoadAndSplit(ctx context.Context, splitter textsplitter.TextSplitter) ([]schema.Document, error) {
	if splitter == nil {
		return collect(l.documents(ctx, PerChunk))
	}
	docs, failed := l.Load(ctx)
	out := []schema.Document{}
	counts := map[[2]any]int{} // pieces by source and file name
	for _, d := range docs {
		pieces, err := splitText(splitter, d.PageContent)
		if err != nil {
			failed = errors.Join(failed,
				invalid("the splitter (%T) failed at %v: %v", splitter, d.Metadata[MetadataSource], err).WithCause(err))
			continue
		}
		name := [2]any{d.Metadata[MetadataSource], d.Metadata[MetadataFilename]}
		for _, piece := range pieces {
			out = append(out, pieceOf(d, piece, counts[name]))
			counts[name]++
		}
	}
	return out, failed
}

// Documents yields the documents in the order of their sources, while later ones are still under
// way. A source that fails yields its error, after what could be made of it, and the others go on.
// A source without text fails. Leaving the loop submits no more.
func (l *Loader) Documents(ctx context.Context) iter.Seq2[schema.Document, error] {
	return l.documents(ctx, l.mode)
}

func collect(docs iter.Seq2[schema.Document, error]) ([]schema.Document, error) {
	out := []schema.Document{}
	var failed []error
	for d, err := range docs {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		out = append(out, d)
	}
	if len(failed) == 1 {
		return out, failed[0]
	}
	return out, errors.Join(failed...)
}

func (l *Loader) documents(ctx context.Context, mode Mode) iter.Seq2[schema.Document, error] {
	return func(yield func(schema.Document, error) bool) {
		sources, release, err := l.openSources(mode == PerChunk && !l.noChunkJobs.Load())
		defer release()
		if err != nil && !yield(schema.Document{}, err) {
			return
		}
		contextErrorYielded := false
		l.load(ctx, mode, sources, func(s babyclient.Source, docs []schema.Document, err error) bool {
			for _, d := range docs {
				if !yield(d, nil) {
					return false
				}
			}
			if err == nil && len(docs) > 0 {
				return true
			}
			if err == nil { // no answer at all
				err = readDocument(nil).noText(s)
			}
			ended := ctx.Err() != nil
			if ended && contextErrorYielded && !namesJob(err) {
				return true // when a context ends every source that is left fails with the same error
			}
			contextErrorYielded = contextErrorYielded || ended
			return yield(schema.Document{}, wrapError(err))
		})
	}
}

// namesJob reports whether an error has the ID of a job that was submitted, with which it can be
// collected.
func namesJob(err error) bool {
	b, ok := errors.AsType[*babyclient.BatchError](err)
	return ok && b.ID != ""
}

// openSources lists the files of the folders, and takes the readers until release is called. The
// error says what cannot be listed, and which readers were read before; the other sources are
// returned with it. keep says that a source may have to be sent twice.
func (l *Loader) openSources(keep bool) (out []babyclient.Source, release func(), err error) {
	var failed []error
	var readers []*loaderReader
	for _, s := range l.sources {
		switch {
		case s.folder != "":
			files, err := listFolder(s.folder, s.patterns)
			if err != nil {
				failed = append(failed, err)
			}
			out = append(out, files...)
		case s.reader != nil:
			source, err := s.reader.claim(s.Source, keep)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			out, readers = append(out, source), append(readers, s.reader)
		default:
			out = append(out, s.Source)
		}
	}
	release = func() {
		for _, r := range readers {
			r.release()
		}
	}
	return out, release, errors.Join(failed...)
}

// deliver takes what a source gave, and reports whether to go on.
type deliver func(s babyclient.Source, docs []schema.Document, err error) bool

// load delivers the documents of each source, in their order.
func (l *Loader) load(ctx context.Context, mode Mode, sources []babyclient.Source, deliver deliver) {
	switch {
	case len(sources) == 0:
	case mode != PerChunk:
		l.convertAll(ctx, mode, sources, deliver)
	case l.noChunkJobs.Load():
		for _, s := range sources {
			if docs, err := l.chunkPlainly(ctx, s); !deliver(s, docs, err) {
				return
			}
		}
	default:
		l.chunkAll(ctx, sources, deliver)
	}
}

func (l *Loader) convertAll(ctx context.Context, mode Mode, sources []babyclient.Source, deliver deliver) {
	options := l.convert
	// The JSON is for the metadata: the Markdown says neither pages nor media type.
	options.ToFormats = []string{babyclient.FormatMarkdown, babyclient.FormatJSON}
	if mode == PerPage {
		options.MDPageBreakPlaceholder = pageBreak
	}
	req := &babyclient.ConvertAllRequest{Sources: sources, Options: options, BatchOptions: l.batch}
	i := 0 // the source that a result is from: one source can give several
	for c, err := range l.client.Docling.ConvertAll(ctx, req) {
		if failed, ok := errors.AsType[*babyclient.BatchError](err); ok {
			i = failed.Index
		} else if c != nil {
			i = c.SourceIndex
		}
		docs, docsErr := l.convertedDocuments(mode, sources[i], c)
		if docsErr != nil && (len(docs) > 0 || err == nil) {
			err = errors.Join(wrapError(err), docsErr)
		}
		if !deliver(sources[i], docs, err) {
			return
		}
	}
}

func (l *Loader) chunkAll(ctx context.Context, sources []babyclient.Source, deliver deliver) {
	req := &babyclient.ChunkAllRequest{Sources: sources, Chunker: l.chunker, Convert: l.convert, Options: l.chunking,
		IncludeConvertedDoc: new(true), BatchOptions: l.batch}
	i := 0 // the source that a result is from: each gives one
	for c, err := range l.client.Docling.ChunkAll(ctx, req) {
		docs, docsErr := chunkDocuments(sources[i], c)
		if err == nil {
			err = docsErr
		}
		if isMissingJobEndpoint(err) {
			// Nothing has run, so the plain call bills nothing twice.
			l.noChunkJobs.Store(true)
			var source babyclient.Source
			if source, err = sendAgain(sources[i]); err == nil {
				docs, err = l.chunkPlainly(ctx, source)
			}
		}
		if !deliver(sources[i], docs, err) {
			return
		}
		i++
	}
}

// isMissingJobEndpoint reports whether a job was not taken because the service has no endpoint for
// it.
func isMissingJobEndpoint(err error) bool {
	b, ok := errors.AsType[*babyclient.BatchError](err)
	if !ok || b.ID != "" {
		return false
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	return ok && e.StatusCode == http.StatusNotFound && strings.HasSuffix(e.Op, "/async")
}

// chunkPlainly chunks a source in one call, not as a job.
func (l *Loader) chunkPlainly(ctx context.Context, s babyclient.Source) ([]schema.Document, error) {
	resp, err := l.client.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: []babyclient.Source{s},
		Chunker: l.chunker, Convert: l.convert, Options: l.chunking, IncludeConvertedDoc: new(true)})
	docs, docsErr := chunkDocuments(s, resp)
	if err != nil {
		return docs, fmt.Errorf("%s: %w", sourceName(s), err)
	}
	return docs, docsErr
}
