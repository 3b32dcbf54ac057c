package babyclient

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode"
)

// Source is a document to convert or to chunk: a URL, a file, a reader, or bytes. Exactly
// one of URL, Path, Reader and Data is set; [FromURL], [FromFile], [FromReader] and
// [FromBytes] make it.
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

	// Name is the file name that the service sees; its extension tells the format. Empty:
	// the last element of Path.
	Name string
	// MediaType is the content type of an upload. Empty: by the extension, else sniffed.
	MediaType string
	// Inline sends Data or the file at Path inside the JSON body, in base64, instead of uploading it. It
	// takes memory of more than its size, and is the way to send it together with URLs.
	Inline bool
}

// FromURL is a document that the service fetches.
func FromURL(url string) Source { return Source{URL: url} }

// FromFile is a file to upload.
func FromFile(path string) Source { return Source{Path: path} }

// FromReader is a document to upload that is read from r, once.
func FromReader(name string, r io.Reader) Source { return Source{Name: name, Reader: r} }

// FromBytes is a document to upload by its bytes.
func FromBytes(name string, data []byte) Source { return Source{Name: name, Data: data} }

// String names the source in messages: its file name, safe to print on a terminal, or its URL without user and query.
func (s Source) String() string {
	if s.URL == "" {
		return printable(s.filename())
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

// base is the name under which docling-serve knows the document.
func (s Source) base() string {
	if s.URL != "" {
		return path.Base(strings.TrimSuffix(s.String(), "/"))
	}
	return path.Base(filepath.ToSlash(s.filename()))
}

// stem is the name under which docling-serve puts the document into a zip answer.
func (s Source) stem() string { return strings.TrimSuffix(s.base(), path.Ext(s.base())) }

// check refuses a source that cannot be sent.
func (s Source) check(i int) error {
	bad := func(format string, args ...any) error {
		return invalid(CodeInvalidDoclingFile, "sources[%d]: %s", i, fmt.Sprintf(format, args...))
	}
	set := 0
	for _, is := range []bool{s.URL != "", s.Path != "", s.Reader != nil, s.Data != nil} {
		if is {
			set++
		}
	}
	switch {
	case set == 0:
		return bad("is empty: set URL, Path, Reader or Data")
	case set > 1:
		return bad("more than one of URL, Path, Reader and Data is set")
	case s.URL != "":
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
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
	if s.Path != "" {
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
	}
	return nil
}

func fileError(i int, name string, err error) error {
	cause := err
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // os.Open and os.Stat return it bare; its path is named already
		cause = p.Err
	}
	return &Error{Code: CodeInvalidDoclingFile, Message: fmt.Sprintf("sources[%d]: cannot read %s: %v", i, quote(name), cause), Err: err}
}

// wire is the source inside a JSON body.
func (s Source) wire(i int) (map[string]any, error) {
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
	return map[string]any{"kind": "file", "base64_string": base64.StdEncoding.EncodeToString(data), "filename": s.filename()}, nil
}

// field is one option of a multipart form.
type field struct{ name, value string }

// multipartBody streams files and fields as multipart/form-data. Its length is known when that
// of every file is, and no file is ever held in memory.
func multipartBody(sources []Source, fields []field) (*body, error) {
	var boundary [16]byte
	_, _ = rand.Read(boundary[:]) // never fails
	b := &body{contentType: fmt.Sprintf("multipart/form-data; boundary=%x", boundary)}
	// What stands before each file and after the last, written once by the standard library.
	var frame bytes.Buffer
	m := multipart.NewWriter(&frame)
	if err := m.SetBoundary(fmt.Sprintf("%x", boundary)); err != nil {
		return nil, err
	}
	for _, f := range fields {
		if strings.ContainsFunc(f.name, unicode.IsControl) {
			return nil, invalid(CodeInvalidOptions, "the name of option %s holds a control character", quote(f.name))
		}
		if err := m.WriteField(f.name, f.value); err != nil {
			return nil, err
		}
	}
	var frames [][]byte
	var sizes []int64
	cut := 0
	for i, s := range sources {
		sniffed, size, err := s.inspect(i)
		if err != nil {
			return nil, err
		}
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="files"; filename="`+escapeQuotes(path.Base(filepath.ToSlash(s.filename())))+`"`)
		h.Set("Content-Type", sniffed)
		if _, err := m.CreatePart(h); err != nil {
			return nil, err
		}
		frames = append(frames, bytes.Clone(frame.Bytes()[cut:]))
		sizes = append(sizes, size)
		cut = frame.Len()
		if size < 0 || b.length < 0 {
			b.length = -1
		} else {
			b.length += size
		}
		b.once = b.once || s.Reader != nil
	}
	if err := m.Close(); err != nil {
		return nil, err
	}
	tail := bytes.Clone(frame.Bytes()[cut:])
	if b.length >= 0 {
		b.length += int64(frame.Len())
	}
	var opened atomic.Bool
	b.open = func() (io.ReadCloser, error) {
		if opened.Swap(true) && b.once {
			return nil, invalid(CodeInvalidDoclingFile, "the reader of the upload is spent: it can be sent only once")
		}
		u := &upload{}
		var parts []io.Reader
		for i, s := range sources {
			r, err := s.open(i, u)
			if err != nil {
				_ = u.Close() // the error of opening says more
				return nil, err
			}
			parts = append(parts, bytes.NewReader(frames[i]), &sourceReader{r: r, index: i, name: s.filename(), size: sizes[i]})
		}
		u.Reader = io.MultiReader(append(parts, bytes.NewReader(tail))...)
		return u, nil
	}
	return b, nil
}

// escapeQuotes escapes a file name as browsers do (HTML standard, multipart/form-data).
func escapeQuotes(s string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}

// upload is a multipart body that closes the files it opened.
type upload struct {
	io.Reader
	files []*os.File
}

func (u *upload) Close() error {
	var first error
	for _, f := range u.files {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// sourceReader makes an error that names the source of a reader that fails, or that does not give the bytes
// that the Content-Length was made from.
type sourceReader struct {
	r         io.Reader
	index     int
	name      string
	size, got int64 // size is -1 when unknown
}

func (r *sourceReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.got += int64(n)
	switch {
	case err != nil && err != io.EOF:
		return n, fileError(r.index, r.name, err)
	case r.size >= 0 && (r.got > r.size || err == io.EOF && r.got < r.size):
		return n, invalid(CodeInvalidDoclingFile, "sources[%d]: %s was to have %d bytes, but %d were read: did it change meanwhile, or is Size wrong?",
			r.index, quote(r.name), r.size, r.got)
	}
	return n, err
}

// inspect tells the media type and the size in bytes of what will be uploaded, -1 for an
// unknown size. It reads nothing from a Reader.
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
		return first(mediaType, sniff(s.Data)), int64(len(s.Data)), nil
	case s.Reader != nil:
		size := readerSize(s)
		if size == 0 {
			return "", 0, invalid(CodeInvalidDoclingFile, "sources[%d]: the reader of %s has no bytes left: was it read before?", i, quote(s.filename()))
		}
		return first(mediaType, "application/octet-stream"), size, nil
	}
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

func readerSize(s Source) int64 {
	if s.Size > 0 {
		return s.Size
	}
	switch r := s.Reader.(type) {
	case interface{ Len() int }: // bytes.Reader, bytes.Buffer, strings.Reader
		return int64(r.Len())
	case *os.File:
		info, err := r.Stat()
		at, seekErr := r.Seek(0, io.SeekCurrent)
		if err == nil && seekErr == nil && info.Mode().IsRegular() {
			return max(0, info.Size()-at)
		}
	}
	return -1
}

// open opens the source for one upload; u closes what it opened.
func (s Source) open(i int, u *upload) (io.Reader, error) {
	switch {
	case s.Data != nil:
		return bytes.NewReader(s.Data), nil
	case s.Reader != nil:
		return s.Reader, nil
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fileError(i, s.Path, err)
	}
	u.files = append(u.files, f)
	return f, nil
}

// documentTypes are the types that docling reads and that a system's own table may lack.
var documentTypes = map[string]string{
	".md": "text/markdown", ".markdown": "text/markdown", ".adoc": "text/asciidoc", ".csv": "text/csv", ".txt": "text/plain",
	".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml", ".pdf": "application/pdf", ".json": "application/json",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".odt":  "application/vnd.oasis.opendocument.text", ".eml": "message/rfc822", ".epub": "application/epub+zip", ".xml": "application/xml",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp", ".webp": "image/webp",
	".vtt": "text/vtt", ".tex": "text/x-tex", ".zip": "application/zip",
}

func mediaTypeByExtension(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t := documentTypes[ext]; t != "" {
		return t
	}
	t, _, _ := strings.Cut(mime.TypeByExtension(ext), ";")
	return t
}

func sniff(start []byte) string {
	t, _, _ := strings.Cut(http.DetectContentType(start), ";")
	return t
}

// formFields turns options into the fields of a form, each name behind prefix: a list is the
// field repeated, an object is JSON, the rest plain text.
func formFields(prefix string, options map[string]json.RawMessage) ([]field, error) {
	var out []field
	for _, name := range sortedKeys(options) {
		raw := bytes.TrimSpace(options[name])
		var list []json.RawMessage
		switch {
		case len(raw) == 0 || string(raw) == "null":
			continue
		case raw[0] == '[':
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, err
			}
		default:
			list = []json.RawMessage{raw}
		}
		for _, v := range list {
			value := string(v)
			if v[0] == '"' {
				if err := json.Unmarshal(v, &value); err != nil {
					return nil, err
				}
			}
			out = append(out, field{prefix + name, value})
		}
	}
	return out, nil
}
