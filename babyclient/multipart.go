package babyclient

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode"
)

// formField is one option of a multipart form.
type formField struct{ name, value string }

// formFields turns options into the fields of a form, each name behind prefix: a list is the
// field repeated, an object is JSON, the rest plain text.
func formFields(prefix string, options map[string]json.RawMessage) []formField {
	var out []formField
	for _, name := range sortedKeys(options) {
		raw := bytes.TrimSpace(options[name])
		if isNull(raw) {
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			list = []json.RawMessage{raw}
		}
		for _, item := range list {
			var text string
			if json.Unmarshal(item, &text) != nil {
				text = string(item)
			}
			out = append(out, formField{prefix + name, text})
		}
	}
	return out
}

// multipartBody streams fields and files as multipart/form-data. It holds no file in memory. It
// knows its length if the length of every file is known: proxies want a Content-Length, which
// mime/multipart alone, writing as it goes, cannot tell.
func multipartBody(sources []Source, fields []formField) (*requestBody, error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	boundary := fmt.Sprintf("%x", random)
	f := &multipartForm{sources: sources}
	if err := f.write(boundary, fields); err != nil {
		return nil, err
	}
	b := &requestBody{contentType: "multipart/form-data; boundary=" + boundary, length: f.length(),
		addSecrets: func(c *collector) {
			for _, field := range fields {
				c.addText(field.name, field.value, isSecretName(field.name))
			}
		}}
	for _, s := range sources {
		b.opensOnce = b.opensOnce || s.Reader != nil
	}
	var opened atomic.Bool
	b.open = func() (io.ReadCloser, error) {
		if opened.Swap(true) && b.opensOnce {
			return nil, invalid(CodeInvalidDoclingFile, "the reader of the upload is spent: it can be sent only once")
		}
		return f.open()
	}
	return b, nil
}

// multipartForm is a form without the contents of its files.
type multipartForm struct {
	sources []Source
	heads   [][]byte // what stands before each file
	sizes   []int64  // of each file in bytes, -1 if it is not known
	tail    []byte   // what stands after the last file
}

// write lets mime/multipart write the form, and keeps what it writes around the files.
func (f *multipartForm) write(boundary string, fields []formField) error {
	var written bytes.Buffer
	w := multipart.NewWriter(&written)
	if err := w.SetBoundary(boundary); err != nil {
		return err
	}
	for _, field := range fields {
		if strings.ContainsFunc(field.name, unicode.IsControl) {
			return invalid(CodeInvalidOptions, "the name of option %s holds a control character", quote(field.name))
		}
		if err := w.WriteField(field.name, field.value); err != nil {
			return err
		}
	}
	for i, s := range f.sources {
		mediaType, size, err := s.inspect(i)
		if err != nil {
			return err
		}
		name := path.Base(filepath.ToSlash(s.filename()))
		if _, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="files"; filename="` + escapeFilename(name) + `"`},
			"Content-Type":        {mediaType},
		}); err != nil {
			return err
		}
		f.heads = append(f.heads, bytes.Clone(written.Bytes()))
		f.sizes = append(f.sizes, size)
		written.Reset()
	}
	if err := w.Close(); err != nil {
		return err
	}
	f.tail = written.Bytes()
	return nil
}

// escapeFilename escapes a file name as docling-serve's parser reads it (python-multipart): with a
// backslash. Browsers write %22 for a quote, which that parser would take for a part of the name.
// [Source.check] has refused line breaks.
func escapeFilename(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }

// length is that of the form with its files in bytes, -1 if it is not known.
func (f *multipartForm) length() int64 {
	sum := int64(len(f.tail))
	for i, head := range f.heads {
		if f.sizes[i] < 0 {
			return -1
		}
		sum += int64(len(head)) + f.sizes[i]
	}
	return sum
}

// open opens the files and joins them with what stands around them.
func (f *multipartForm) open() (io.ReadCloser, error) {
	u := &upload{}
	var parts []io.Reader
	for i, s := range f.sources {
		file, err := s.open(i)
		if err != nil {
			_ = u.Close() // the error of opening says more
			return nil, err
		}
		u.files = append(u.files, file)
		parts = append(parts, bytes.NewReader(f.heads[i]),
			&sourceReader{r: file, index: i, name: s.filename(), size: f.sizes[i]})
	}
	u.Reader = io.MultiReader(append(parts, bytes.NewReader(f.tail))...)
	return u, nil
}

// upload is a form with its files open.
type upload struct {
	io.Reader
	files []io.Closer
}

func (u *upload) Close() error {
	var errs []error
	for _, f := range u.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// sourceReader reads one source of an upload. It fails if the source gives other than the number of
// bytes that the Content-Length was made from, and names the source in every error.
type sourceReader struct {
	r     io.Reader
	index int
	name  string
	size  int64 // bytes, -1 if it is not known
	read  int64 // bytes so far
}

func (r *sourceReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.read += int64(n)
	isEnd := err == io.EOF
	if err != nil && !isEnd {
		return n, fileError(r.index, r.name, err)
	}
	if r.size >= 0 && (r.read > r.size || isEnd && r.read < r.size) {
		return n, invalid(CodeInvalidDoclingFile,
			"sources[%d]: %s was to have %d bytes, but %d were read: did it change meanwhile, or is Size wrong?",
			r.index, quote(r.name), r.size, r.read)
	}
	return n, err
}
