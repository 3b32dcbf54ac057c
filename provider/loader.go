package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Mode is what a [Loader] makes one schema.Document of.
type Mode int

// Modes of a [Loader].
const (
	PerDocument Mode = iota // a whole document, as Markdown
	PerPage                 // a page of it, as Markdown; a format without pages gives one for the whole
	PerChunk                // a chunk of docling's, for embedding
)

// Keys of the metadata that a [Loader] sets, where docling tells it. All values encode as JSON.
const (
	MetadataSource       = "source"        // string: the path, the URL without its query, or the name of the reader
	MetadataFilename     = "filename"      // string: as docling knows it
	MetadataMediaType    = "media_type"    // string, such as "application/pdf"
	MetadataPage         = "page"          // int, counted from 1: the page, or the first of a chunk
	MetadataPages        = "pages"         // []int: all pages of a chunk
	MetadataTotalPages   = "total_pages"   // int
	MetadataHeadings     = "headings"      // []string: the headings that a chunk stands under, outermost first
	MetadataCaptions     = "captions"      // []string: of the tables and pictures in a chunk
	MetadataChunk        = "chunk"         // int, counted from 0
	MetadataTokens       = "tokens"        // int: of a chunk, by the chunker's tokenizer
	MetadataContentHash  = "content_hash"  // string: SHA-256 of PageContent, in hex
	MetadataDocumentHash = "document_hash" // string: docling's hash of the document's bytes
)

// Loader makes text of documents: PDF, Word, PowerPoint, Excel, HTML, images and what else docling reads. It
// is a documentloaders.Loader. Documents are converted as jobs, side by side, so that long ones do
// not run into a timeout.
type Loader struct {
	client *babyclient.Client
	loaderConfig

	noChunkJobs atomic.Bool // the service takes no chunkings as jobs
}

type loaderConfig struct {
	sources  []loaderSource
	mode     Mode
	chunker  string
	convert  babyclient.ConvertOptions
	chunking babyclient.ChunkOptions
	batch    babyclient.BatchOptions
}

// loaderSource is one source, or the files of a folder.
type loaderSource struct {
	babyclient.Source
	folder   string
	patterns []string
	spent    *atomic.Bool // of a Reader
}

// A LoaderOption configures a [Loader].
type LoaderOption func(*loaderConfig)

// NewLoader makes a loader of the documents that the options name.
func NewLoader(client *babyclient.Client, opts ...LoaderOption) (*Loader, error) {
	l := &Loader{client: client}
	for _, o := range opts {
		if o != nil {
			o(&l.loaderConfig)
		}
	}
	switch {
	case client == nil:
		return nil, invalid("the client is nil: make it with babyclient.New, or take that of an LLM")
	case len(l.sources) == 0:
		return nil, invalid("the loader has no documents: use WithFiles, WithFolder, WithReader, WithURLs or WithSources")
	case l.mode < PerDocument || l.mode > PerChunk:
		return nil, invalid("WithMode(%d): want PerDocument, PerPage or PerChunk", l.mode)
	case l.convert.ToFormats != nil:
		return nil, invalid("conflicting options: WithConvertOptions has ToFormats %v, and the loader asks for the formats that it needs", l.convert.ToFormats)
	case l.chunker != "" && l.chunker != babyclient.ChunkerHybrid && l.chunker != babyclient.ChunkerHierarchical:
		return nil, invalid("WithChunker(%q): want %q or %q", l.chunker, babyclient.ChunkerHybrid, babyclient.ChunkerHierarchical)
	case l.batch.Concurrency < 0:
		return nil, invalid("WithBatchOptions: Concurrency is %d: want 1 or more, or 0 for %d", l.batch.Concurrency, babyclient.DefaultBatchConcurrency)
	}
	for _, s := range l.sources {
		for _, p := range s.patterns {
			if _, err := path.Match(p, ""); err != nil {
				return nil, invalid("WithFolder(%q): pattern %q: %v", s.folder, p, err)
			}
		}
	}
	// Pictures inside of the text, in base64, are of no use to a model that reads text.
	if l.convert.ImageExportMode == "" {
		l.convert.ImageExportMode = "placeholder"
	}
	if l.convert.IncludeImages == nil {
		l.convert.IncludeImages = new(false)
	}
	return l, nil
}

// WithFiles loads files.
func WithFiles(paths ...string) LoaderOption {
	return func(c *loaderConfig) {
		for _, p := range paths {
			c.sources = append(c.sources, loaderSource{Source: babyclient.FromFile(p)})
		}
	}
}

// WithURLs loads documents that the service fetches.
func WithURLs(urls ...string) LoaderOption {
	return func(c *loaderConfig) {
		for _, u := range urls {
			c.sources = append(c.sources, loaderSource{Source: babyclient.FromURL(u)})
		}
	}
}

// WithReader loads a document from r, whose format the extension of name tells. It can be loaded once.
func WithReader(name string, r io.Reader) LoaderOption {
	return WithSources(babyclient.FromReader(name, r))
}

// WithSources loads documents from anywhere.
func WithSources(sources ...babyclient.Source) LoaderOption {
	return func(c *loaderConfig) {
		for _, s := range sources {
			ls := loaderSource{Source: s}
			if s.Reader != nil {
				ls.spent = new(atomic.Bool)
			}
			c.sources = append(c.sources, ls)
		}
	}
}

// WithFolder loads the files below dir that match one of the patterns, in the order of their names.
// A pattern is as for path.Match; one without a slash is matched with the name of a file in any folder below
// dir, one with a slash with the path below dir. No patterns: the files that docling reads. Hidden
// files and folders are left out.
func WithFolder(dir string, patterns ...string) LoaderOption {
	return func(c *loaderConfig) {
		c.sources = append(c.sources, loaderSource{folder: dir, patterns: slices.Clone(patterns)})
	}
}

// WithMode sets what becomes one schema.Document. Default: [PerDocument].
func WithMode(m Mode) LoaderOption { return func(c *loaderConfig) { c.mode = m } }

// WithChunker sets the chunker of [PerChunk]: babyclient.ChunkerHybrid, which is the default, or
// babyclient.ChunkerHierarchical.
func WithChunker(chunker string) LoaderOption { return func(c *loaderConfig) { c.chunker = chunker } }

// WithChunkOptions sets the options of the chunker. This sizes the chunks for an embedding model:
//
//	babyclient.ChunkOptions{Tokenizer: "Qwen/Qwen3-Embedding-0.6B", MaxTokens: new(512)}
func WithChunkOptions(o babyclient.ChunkOptions) LoaderOption {
	return func(c *loaderConfig) { c.chunking = o }
}

// WithConvertOptions sets the options of the conversion, such as pages and OCR. Pictures are left out
// unless it says otherwise.
func WithConvertOptions(o babyclient.ConvertOptions) LoaderOption {
	return func(c *loaderConfig) { c.convert = o }
}

// WithBatchOptions sets how many documents are under way at once, how their jobs are waited for, and
// who is told of the progress.
func WithBatchOptions(o babyclient.BatchOptions) LoaderOption {
	return func(c *loaderConfig) { c.batch = o }
}

// Load loads all documents. One that fails does not lose the others: what succeeded is returned
// together with the error of all that failed.
func (l *Loader) Load(ctx context.Context) ([]schema.Document, error) {
	return collect(l.documents(ctx, l.mode))
}

// LoadAndSplit loads all documents and splits them with splitter. Without one (nil) docling cuts them
// into chunks, by their structure and not by their length alone. Documents that fail are as for
// [Loader.Load].
func (l *Loader) LoadAndSplit(ctx context.Context, splitter textsplitter.TextSplitter) ([]schema.Document, error) {
	if splitter == nil {
		return collect(l.documents(ctx, PerChunk))
	}
	docs, failed := l.Load(ctx)
	out := []schema.Document{}
	for _, d := range docs {
		split, err := textsplitter.SplitDocuments(splitter, []schema.Document{d})
		if err != nil {
			failed = errors.Join(failed, invalid("the splitter (%T) failed at %v: %v", splitter, d.Metadata[MetadataSource], err).WithCause(err))
			continue
		}
		out = append(out, split...)
	}
	return out, failed
}

// Documents yields the documents in the order of their sources, while later ones are still under
// way. A source that fails yields its error (after what could be made of it) and the others go on.
// Leaving the loop submits no more. A source without text is one that fails.
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
		sources, err := l.expand()
		if err != nil && !yield(schema.Document{}, err) {
			return
		}
		told := false // that the context ended; then every source fails for the same reason
		i := -1
		for result, err := range l.results(ctx, mode, sources) {
			i++
			if err == nil && len(result) == 0 {
				err = invalid("%s: docling found no text in it: a scan needs OCR (DoOCR in WithConvertOptions)", sourceName(sources[i]))
			}
			for _, d := range result {
				if !yield(d, nil) {
					return
				}
			}
			if err == nil {
				continue
			}
			if ctx.Err() != nil {
				if b, ok := errors.AsType[*babyclient.BatchError](err); told && (!ok || b.ID == "") {
					continue
				}
				told = true
			}
			if !yield(schema.Document{}, wrapError(err)) {
				return
			}
		}
	}
}

// results yields the documents that each source gives.
func (l *Loader) results(ctx context.Context, mode Mode, sources []babyclient.Source) iter.Seq2[[]schema.Document, error] {
	return func(yield func([]schema.Document, error) bool) {
		if len(sources) == 0 {
			return
		}
		if mode != PerChunk {
			i := 0
			for c, err := range l.client.Docling.ConvertAll(ctx, l.convertRequest(mode, sources)) {
				if !yield(convertedDocuments(mode, sources[i], c), err) {
					return
				}
				i++
			}
			return
		}
		if l.noChunkJobs.Load() {
			for _, s := range sources {
				if !yield(l.chunk(ctx, s)) {
					return
				}
			}
			return
		}
		i := 0
		for c, err := range l.client.Docling.ChunkAll(ctx, &babyclient.ChunkAllRequest{Sources: sources, Chunker: l.chunker, Convert: l.convert,
			Options: l.chunking, IncludeConvertedDoc: new(true), BatchOptions: l.batch}) {
			docs := chunkDocuments(sources[i], c)
			if refusesJob(err) && sources[i].Reader == nil {
				// Nothing ran, so asking for the plain call bills nothing twice.
				l.noChunkJobs.Store(true)
				docs, err = l.chunk(ctx, sources[i])
			}
			if !yield(docs, err) {
				return
			}
			i++
		}
	}
}

// refusesJob tells whether the service has no endpoint for chunkings as jobs.
func refusesJob(err error) bool {
	b, ok := errors.AsType[*babyclient.BatchError](err)
	if !ok || b.ID != "" {
		return false
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	return ok && e.StatusCode == http.StatusNotFound && strings.HasSuffix(e.Op, "/async")
}

func (l *Loader) chunk(ctx context.Context, s babyclient.Source) ([]schema.Document, error) {
	resp, err := l.client.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: []babyclient.Source{s}, Chunker: l.chunker, Convert: l.convert,
		Options: l.chunking, IncludeConvertedDoc: new(true)})
	if err != nil {
		err = fmt.Errorf("%s: %w", sourceName(s), err)
	}
	return chunkDocuments(s, resp), err
}

// pageBreak stands between the pages of Markdown. It is none that a document holds by itself.
const pageBreak = "<!-- babyapi-go page break -->"

func (l *Loader) convertRequest(mode Mode, sources []babyclient.Source) *babyclient.ConvertAllRequest {
	o := l.convert
	o.ToFormats = []string{babyclient.FormatMarkdown, babyclient.FormatJSON} // only the JSON tells pages and media type
	if mode == PerPage {
		o.MDPageBreakPlaceholder = pageBreak
	}
	return &babyclient.ConvertAllRequest{Sources: sources, Options: o, BatchOptions: l.batch}
}

// expand lists the files of the folders. What cannot be listed, and a reader that is spent, is in the
// error; the rest is loaded.
func (l *Loader) expand() ([]babyclient.Source, error) {
	var out []babyclient.Source
	var failed []error
	for _, s := range l.sources {
		switch {
		case s.folder != "":
			files, err := listFolder(s.folder, s.patterns)
			if err != nil {
				failed = append(failed, err)
			}
			out = append(out, files...)
		case s.spent != nil && s.spent.Swap(true):
			failed = append(failed, invalid("%s: the reader is spent, it was loaded before: give the bytes (babyclient.FromBytes) or a file to load it again", sourceName(s.Source)))
		default:
			out = append(out, s.Source)
		}
	}
	return out, errors.Join(failed...)
}

// documentExtensions are those of the formats that docling reads.
var documentExtensions = []string{".pdf", ".docx", ".pptx", ".xlsx", ".html", ".htm", ".xhtml", ".md", ".markdown", ".adoc", ".asciidoc",
	".csv", ".txt", ".eml", ".vtt", ".tex", ".xml", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}

func listFolder(dir string, patterns []string) ([]babyclient.Source, error) {
	var out []babyclient.Source
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != dir && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if matches(filepath.ToSlash(below), patterns) {
			out = append(out, babyclient.FromFile(name))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, invalid("cannot list the folder %q: %v", dir, err).WithCause(err)
	case len(out) == 0 && patterns == nil:
		return nil, invalid("the folder %q holds no document that docling reads: give patterns to load other files", dir)
	case len(out) == 0:
		return nil, invalid("the folder %q holds no file that matches %q", dir, patterns)
	}
	return out, nil
}

func matches(below string, patterns []string) bool {
	if patterns == nil {
		return slices.Contains(documentExtensions, strings.ToLower(path.Ext(below)))
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		name := below
		if !strings.Contains(p, "/") {
			name = path.Base(below)
		}
		ok, _ := path.Match(p, name) // NewLoader has checked the pattern
		return ok
	})
}

func sourceName(s babyclient.Source) string {
	if s.Path != "" {
		return s.Path
	}
	return s.String()
}

func contentHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
