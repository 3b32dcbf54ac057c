package mcp

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// reuseURLFor is how long a URL is not converted again. A page on the web can change, and we would
// not notice; but each conversion is billed.
const reuseURLFor = 10 * time.Minute

// source is a document that can be sent.
type source struct {
	name string
	// identity is the same for the same content, as far as we can see: it has a file's size and
	// time of change in it.
	identity string
	reuseFor time.Duration // as in conversion
	wire     babyclient.Source
	uploaded func() string // how much of a file was sent, nil for what is not a file
	close    func()
}

var schemePattern = regexp.MustCompile(`(?i)^(?:(data|file):|([a-z][a-z0-9+.-]+)://)`)

// schemeOf is the scheme of a URL in lower case, "" for a path. Other than for data and file, a
// colon alone makes no scheme: it can be part of a file's name.
func schemeOf(name string) string {
	if m := schemePattern.FindStringSubmatch(name); m != nil {
		return strings.ToLower(m[1] + m[2])
	}
	return ""
}

// openSource opens a path, a URL or a data URI for the call of ctx. A URL is not fetched here but
// by the service, so that this machine's network is out of reach.
func (r *roots) openSource(ctx context.Context, name string) (*source, error) {
	switch scheme := schemeOf(name); scheme {
	case "":
		return r.openFileSource(ctx, name)
	case "http", "https":
		if u, err := url.Parse(name); err != nil || u.Host == "" {
			return nil, refuse("the URL %q cannot be parsed. "+
				"Give one such as https://example.com/report.pdf.", clip(name))
		}
		wire := babyclient.FromURL(name)
		return &source{name: wire.String(), identity: name, reuseFor: reuseURLFor, wire: wire, close: func() {}}, nil
	case "data":
		file, data, err := parseDataURI(name)
		if err != nil {
			return nil, err
		}
		return &source{name: file, identity: name, wire: babyclient.FromBytes(file, data), close: func() {}}, nil
	case "file":
		return nil, refuse(`a file: URL is not taken. Give the path itself, such as report.pdf.`)
	default:
		return nil, refuse("%q is not taken. Give the path of a file or an http(s) URL.", clip(scheme+":"))
	}
}

func (r *roots) openFileSource(ctx context.Context, name string) (*source, error) {
	f, err := r.openDocument(ctx, name)
	if err != nil {
		return nil, err
	}
	bytes := f.info.Size()
	read := &countingReader{Reader: f}
	return &source{
		name:     f.name,
		identity: fmt.Sprintf("%s\x00%d\x00%d", f.path, bytes, f.info.ModTime().UnixNano()),
		wire:     babyclient.Source{Reader: read, Size: bytes, Name: f.name},
		uploaded: func() string { return size(read.n.Load()) + " of " + size(bytes) },
		close: func() {
			_ = f.Close() // only read from
		},
	}, nil
}

// countingReader counts what was read.
type countingReader struct {
	io.Reader
	n atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// documentTypes are the extensions of what can be converted.
var documentTypes = strings.Fields("pdf docx doc rtf pptx ppt xlsx xls csv html htm xhtml mhtml md markdown " +
	"adoc asciidoc txt text tex latex odt ods odp epub eml vtt xml json png jpg jpeg tif tiff bmp webp gif")

// openDocument opens a file to convert.
func (r *roots) openDocument(ctx context.Context, name string) (*openFile, error) {
	opened, err := r.open(ctx, name)
	if err != nil {
		return nil, err
	}
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(opened.name), "."))
	switch bytes := opened.info.Size(); {
	case bytes == 0:
		err = refuse("%q is empty. Give another file.", clip(opened.name))
	case bytes > r.maxFileSize:
		err = refuse("%q has %s, and the limit is %s. Ask the user to split it, or to raise BABYAPI_MCP_MAX_FILE.",
			clip(opened.name), size(bytes), size(r.maxFileSize))
	case ext != "" && !slices.Contains(documentTypes, ext):
		err = refuse("%q has the type %q, which cannot be converted. Accepted: %s.",
			clip(opened.name), ext, strings.Join(documentTypes, ", "))
	}
	if err != nil {
		_ = opened.Close() // only read from
		return nil, err
	}
	return opened, nil
}

// maxDataURI is the length of the longest data URI that is taken, in bytes.
const maxDataURI = 1 << 20

// dataURITypes are the extensions for the media types that a data URI may have.
var dataURITypes = map[string]string{
	"": "txt", "text/plain": "txt", "text/markdown": "md", "text/html": "html", "text/csv": "csv",
	"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg",
}

// parseDataURI is the document inside a data URI, and a name for it.
func parseDataURI(uri string) (name string, data []byte, _ error) {
	if len(uri) > maxDataURI {
		return "", nil, refuse("the data: URI has %s, and the limit is %s. Save it as a file and give its path.",
			size(int64(len(uri))), size(maxDataURI))
	}
	head, body, ok := strings.Cut(uri[len("data:"):], ",")
	if !ok {
		return "", nil, refuse("the data: URI has no comma. Give a path or an http(s) URL instead.")
	}
	media, isBase64 := strings.CutSuffix(head, ";base64")
	var err error
	if isBase64 {
		data, err = io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
	} else {
		body, err = url.PathUnescape(body)
		data = []byte(body)
	}
	if err != nil {
		return "", nil, refuse("the data: URI cannot be decoded (%v). Give a path or an http(s) URL instead.", err)
	}
	if len(data) == 0 {
		return "", nil, refuse("the data: URI is empty.")
	}
	media, _, _ = strings.Cut(media, ";")
	ext := dataURITypes[media]
	if ext == "" {
		return "", nil, refuse("the data: URI has the type %q, which is not taken this way. "+
			"Save it as a file and give its path.", clip(media))
	}
	return "data." + ext, data, nil
}
