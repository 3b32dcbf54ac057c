package provider

import (
	"io"
	"slices"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

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
	patterns []string      // of the folder; nil: the files that docling reads
	reader   *loaderReader // only of a source with a Reader
}

// A LoaderOption configures a [Loader].
type LoaderOption func(*loaderConfig)

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

// WithReader loads a document from r, whose format the extension of name says. If r is an io.Seeker
// it is rewound for each load to where it stands now. Another can be loaded once.
func WithReader(name string, r io.Reader) LoaderOption {
	return WithSources(babyclient.FromReader(name, r))
}

// WithSources loads documents from anywhere.
func WithSources(sources ...babyclient.Source) LoaderOption {
	return func(c *loaderConfig) {
		for _, s := range sources {
			source := loaderSource{Source: s}
			if s.Reader != nil {
				source.reader = newLoaderReader(s.Reader)
			}
			c.sources = append(c.sources, source)
		}
	}
}

// WithFolder loads the files below dir that match one of the patterns, in the order of their names.
// A pattern is as for path.Match, and "**" stands for any number of folders. A pattern without a
// slash is matched with the name of a file in any folder below dir, one with a slash with the path
// below dir:
//
//	*.pdf             all PDF files
//	reports/**/*.pdf  those below reports
//
// Upper and lower case are the same. Without patterns the files that docling reads are loaded.
// Hidden files and folders are left out. Links are followed, and a file with
// several names is loaded once.
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

// WithConvertOptions sets the options of the conversion, such as pages and OCR. Pictures are left
// out unless o says otherwise.
func WithConvertOptions(o babyclient.ConvertOptions) LoaderOption {
	return func(c *loaderConfig) { c.convert = o }
}

// WithBatchOptions sets how many documents are under way at once, how their jobs are waited for,
// and the function that is called with the progress.
func WithBatchOptions(o babyclient.BatchOptions) LoaderOption {
	return func(c *loaderConfig) { c.batch = o }
}
