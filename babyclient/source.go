package babyclient

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Source is a document to convert or to chunk: a URL, a file, a reader, or bytes; or the documents
// of a store. Exactly one of URL, Path, Reader, Data and Store is set; [FromURL], [FromFile],
// [FromReader], [FromBytes] and [FromStore] make it.
type Source struct {
	// URL is an http or https URL that the service fetches.
	URL string
	// Header are headers that the service sends to URL.
	Header map[string]string

	// Path is a file to upload. It is opened when it is sent.
	Path string
	// Reader is read once, to its end, when it is sent. It needs a Name.
	Reader io.Reader
	// Size is how many bytes Reader gives, 0 when unknown: then the upload has no
	// Content-Length, unless Reader tells its length (as *os.File, *bytes.Reader and others do).
	Size int64
	// Data is the document itself. It needs a Name.
	Data []byte
	// Store holds the documents. Only [Docling.StartConvert] takes it.
	Store Store

	// Name is the file name that the service sees; its extension tells the format. Empty:
	// the last element of Path.
	Name string
	// MediaType is the content type of an upload. Empty: by the extension, else sniffed.
	MediaType string
	// Inline sends Data or the file at Path inside the JSON body, in base64, instead of uploading
	// it. That takes more memory than the file has bytes. It is the way to send a file together
	// with URLs.
	Inline bool

	// Extra are further fields of the source by docling-serve's names. An upload has none.
	Extra map[string]any
}

// FromURL is a document that the service fetches.
func FromURL(url string) Source { return Source{URL: url} }

// FromStore are the documents of a store, which docling-serve reads itself.
func FromStore(s Store) Source { return Source{Store: s} }

// FromFile is a file to upload.
func FromFile(path string) Source { return Source{Path: path} }

// FromReader is a document to upload that is read from r, once.
func FromReader(name string, r io.Reader) Source { return Source{Name: name, Reader: r} }

// FromBytes is a document to upload by its bytes.
func FromBytes(name string, data []byte) Source { return Source{Name: name, Data: data} }

// String names the source in messages: its file name, safe to print on a terminal, or its URL
// without user and query.
func (s Source) String() string {
	if s.Store != nil {
		return "a store of kind " + kindOf(s.Store)
	}
	if s.URL == "" {
		return Printable(s.filename())
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return "a URL that cannot be parsed"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (s Source) filename() string {
	if s.Name != "" {
		return s.Name
	}
	return filepath.Base(s.Path)
}

// check refuses a source that cannot be sent.
func (s Source) check(i int) error {
	bad := func(format string, args ...any) error {
		return invalid(CodeInvalidDoclingFile, "sources[%d]: %s", i, fmt.Sprintf(format, args...))
	}
	set := 0
	for _, isSet := range []bool{s.URL != "", s.Path != "", s.Reader != nil, s.Data != nil, s.Store != nil} {
		if isSet {
			set++
		}
	}
	switch {
	case set == 0:
		return bad("is empty: set URL, Path, Reader, Data or Store")
	case set > 1:
		return bad("more than one of URL, Path, Reader, Data and Store is set")
	case s.Store != nil:
		return nil
	case s.URL != "":
		if !isHTTPURL(s.URL) {
			return bad("%s is no http or https URL: for a local file use FromFile", quote(s.String()))
		}
		return nil
	case s.Path == "" && s.Name == "":
		return bad("has no Name: the extension of a name tells the format")
	case strings.ContainsFunc(s.filename(), unicode.IsControl):
		return bad("the name %s holds a control character, which no form can carry: set Name", quote(s.filename()))
	case s.Inline && s.Reader != nil:
		return bad("a Reader cannot be sent inline: use Data")
	case s.Data != nil && len(s.Data) == 0:
		return bad("%s is empty", quote(s.filename()))
	}
	if s.Path == "" {
		return nil
	}
	info, err := os.Stat(s.Path)
	switch {
	case err != nil:
		return fileError(i, s.Path, err)
	case info.IsDir():
		return bad("%s is a directory: give its files", quote(s.Path))
	case !info.Mode().IsRegular():
		return bad("%s is no regular file", quote(s.Path))
	case info.Size() == 0:
		return bad("%s is empty", quote(s.Path))
	}
	return nil
}

// fileError names the file of a source that cannot be read.
func fileError(i int, name string, err error) error {
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok { // it would name the file once more
		cause = p.Err
	}
	return invalidBecause(cause, CodeInvalidDoclingFile, "sources[%d]: cannot read %s", i, quote(name))
}

// wire is the source inside a JSON body.
func (s Source) wire(i int) (any, error) {
	fields, err := s.wireFields(i)
	if err != nil || len(s.Extra) == 0 {
		return fields, err
	}
	b, err := encodeBody(fields, s.Extra)
	return json.RawMessage(b), err
}

func (s Source) wireFields(i int) (any, error) {
	if s.Store != nil {
		return s.Store, nil
	}
	if s.URL != "" {
		w := map[string]any{"kind": "http", "url": s.URL}
		if len(s.Header) > 0 {
			w["headers"] = s.Header
		}
		return w, nil
	}
	data := s.Data
	if s.Path != "" {
		var err error
		if data, err = os.ReadFile(s.Path); err != nil {
			return nil, fileError(i, s.Path, err)
		}
	}
	encoded := base64.StdEncoding.EncodeToString(data)
	return map[string]any{"kind": "file", "base64_string": encoded, "filename": s.filename()}, nil
}

// inspect tells the media type, and the size in bytes or -1 if it is not known, of what will be
// uploaded. It reads nothing from a Reader.
func (s Source) inspect(i int) (mediaType string, size int64, _ error) {
	mediaType = s.MediaType
	if mediaType == "" {
		mediaType = mediaTypeByExtension(s.filename())
	}
	if mediaType != "" && !validHeaderValue(mediaType) {
		return "", 0, invalid(CodeInvalidDoclingFile, "sources[%d]: media type %q is not valid", i, mediaType)
	}
	switch {
	case s.Data != nil:
		return cmp.Or(mediaType, sniff(s.Data)), int64(len(s.Data)), nil
	case s.Reader != nil:
		size := readerSize(s)
		if size == 0 {
			return "", 0, invalid(CodeInvalidDoclingFile,
				"sources[%d]: the reader of %s has no bytes left: was it read before?", i, quote(s.filename()))
		}
		return cmp.Or(mediaType, "application/octet-stream"), size, nil
	}
	return s.inspectFile(i, mediaType)
}

func (s Source) inspectFile(i int, mediaType string) (_ string, size int64, _ error) {
	f, err := os.Open(s.Path)
	if err != nil {
		return "", 0, fileError(i, s.Path, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return "", 0, fileError(i, s.Path, err)
	}
	if mediaType == "" {
		start := make([]byte, 512)
		n, err := io.ReadFull(f, start)
		if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
			return "", 0, fileError(i, s.Path, err)
		}
		mediaType = sniff(start[:n])
	}
	return mediaType, info.Size(), nil
}

// readerSize is how many bytes the Reader gives, -1 if that is not known.
func readerSize(s Source) int64 {
	if s.Size > 0 {
		return s.Size
	}
	switch r := s.Reader.(type) {
	case interface{ Len() int }: // bytes.Reader, bytes.Buffer, strings.Reader
		return int64(r.Len())
	case *os.File:
		info, err := r.Stat()
		position, seekErr := r.Seek(0, io.SeekCurrent)
		if err == nil && seekErr == nil && info.Mode().IsRegular() {
			return max(0, info.Size()-position)
		}
	}
	return -1
}

// open opens the source for one upload. A Reader is the caller's to close.
func (s Source) open(i int) (io.ReadCloser, error) {
	switch {
	case s.Data != nil:
		return io.NopCloser(bytes.NewReader(s.Data)), nil
	case s.Reader != nil:
		return io.NopCloser(s.Reader), nil
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fileError(i, s.Path, err)
	}
	return f, nil
}
