package mcp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// files is which files the tools may read: those under the roots.
type files struct {
	maxSize int64

	mu    sync.Mutex
	roots []*root
	// fixed roots were given by the user; those that were not give way to what the client tells.
	fixed bool
	// why there are no roots, for the refusal.
	why string
}

// root is a folder whose files may be read.
type root struct {
	dir  string // as given, absolute
	real string // without symbolic links
	open *os.Root
}

// outside is the one refusal for all that is not under a root, so that no answer tells
// whether a file exists there.
func (f *files) outside() error {
	if len(f.roots) == 0 {
		return refuse("this MCP server may read no local files: %s. Ask the user to start it with --root FOLDER, or give an http(s) URL.", f.why)
	}
	return refuse("that file is not under the folders that this MCP server may read (%s). Ask the user to start it with --root FOLDER to allow another.", f.list())
}

func (f *files) list() string {
	var dirs []string
	for _, r := range f.roots {
		dirs = append(dirs, r.dir)
	}
	return strings.Join(dirs, ", ")
}

// describe tells the model which files it may name.
func (f *files) describe() string {
	if len(f.roots) == 0 {
		return "No local files can be read: " + f.why + "."
	}
	if !f.fixed {
		return "Local files can be read under the roots that the client gives, else under: " + f.list() + "."
	}
	return "Local files can be read under: " + f.list() + "."
}

// addRoot allows a folder that the user named.
func (f *files) addRoot(dir string) error {
	r, err := openRoot(dir)
	if err != nil {
		return err
	}
	f.roots, f.fixed = append(f.roots, r), true
	return nil
}

func openRoot(dir string) (*root, error) {
	abs, err := filepath.Abs(expandHome(strings.TrimSpace(dir)))
	if err != nil {
		return nil, fmt.Errorf("root %q: %w", dir, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("root %q: %w", dir, err)
	}
	open, err := os.OpenRoot(real)
	if err != nil {
		return nil, fmt.Errorf("root %q: %w", dir, err)
	}
	return &root{dir: abs, real: real, open: open}, nil
}

// useWorkingFolder makes the working folder the root, unless that would give away the disk:
// desktop programs start their servers in / or in a system folder.
func (f *files) useWorkingFolder() {
	dir, err := os.Getwd()
	if err != nil {
		f.why = "it was started without a root, and its working folder is unknown"
		return
	}
	if tooWide(dir) {
		f.why = fmt.Sprintf("it was started without a root, in %s", dir)
		return
	}
	r, err := openRoot(dir)
	if err != nil {
		f.why = "it was started without a root, and its working folder cannot be read"
		return
	}
	f.roots = []*root{r}
}

// tooWide reports whether a folder is one that nobody means to share by not saying so.
func tooWide(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return true
	}
	home, _ := os.UserHomeDir()
	if r, err := filepath.EvalSymlinks(home); err == nil {
		home = r
	}
	parent := filepath.Dir(real)
	// The root of a disk, the home folder and what holds it.
	if parent == real || real == home || strings.HasPrefix(home, real+string(filepath.Separator)) {
		return true
	}
	return runtime.GOOS == "windows" && strings.EqualFold(real[len(filepath.VolumeName(real)):], `\Windows`) ||
		runtime.GOOS == "windows" && strings.HasPrefix(strings.ToLower(real[len(filepath.VolumeName(real)):]), `\windows\`)
}

// useClientRoots replaces roots that the user did not name by those of the client.
func (f *files) useClientRoots(uris []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fixed {
		return
	}
	var roots []*root
	for _, uri := range uris {
		dir, ok := fileURLPath(uri)
		if !ok || tooWide(dir) {
			continue
		}
		if r, err := openRoot(dir); err == nil {
			roots = append(roots, r)
		}
	}
	if len(roots) == 0 {
		return
	}
	f.closeRoots()
	f.roots = roots
}

// fileURLPath is the path of a file URL, as clients give their roots.
func fileURLPath(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" {
		return "", false
	}
	p := u.Path
	if runtime.GOOS == "windows" {
		p = strings.TrimPrefix(p, "/") // file:///C:/a
	}
	p = filepath.FromSlash(p)
	return p, filepath.IsAbs(p)
}

func (f *files) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeRoots()
}

func (f *files) closeRoots() {
	for _, r := range f.roots {
		_ = r.open.Close() // only read from
	}
}

// file is an open regular file under a root.
type file struct {
	*os.File
	name string // its last element
	path string // absolute
	info fs.FileInfo
}

var windowsPath = regexp.MustCompile(`^([A-Za-z]:[\\/]|\\\\)`)

// open opens a regular file under a root. A relative path is looked for in each root.
func (f *files) open(name string) (*file, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = expandHome(unquote(name))
	if len(f.roots) == 0 || strings.ContainsRune(name, 0) {
		return nil, f.outside()
	}
	if runtime.GOOS != "windows" && windowsPath.MatchString(name) {
		return nil, refuse("%q is a Windows path, but this MCP server runs on %s. Its folders are: %s.", clip(name), runtime.GOOS, f.list())
	}
	missing := false
	for _, r := range f.roots {
		opened, err := r.find(name)
		switch {
		case err == nil:
			return opened, nil
		case errors.Is(err, fs.ErrNotExist):
			missing = true
		case isRefusal(err):
			return nil, err
		case errors.Is(err, fs.ErrPermission):
			return nil, refuse("%q cannot be read: permission denied. Tell the user.", clip(name))
		}
	}
	if missing {
		return nil, refuse("there is no file %q under %s.%s", clip(name), f.list(), f.similar(name))
	}
	return nil, f.outside()
}

var errOutside = errors.New("not under the root")

// find opens name if it is a regular file under the root.
func (r *root) find(name string) (*file, error) {
	if rel, ok := r.relative(name); ok {
		opened, err := r.openFile(rel)
		if err == nil {
			return opened, nil
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isRefusal(err) {
			return nil, err
		}
		// os.Root refuses a link out of the root, but also one that is absolute and leads into it.
	}
	if rel, ok := r.resolve(name); ok {
		return r.openFile(rel)
	}
	return nil, errOutside
}

// relative is name as a path below the root, judged by the name alone: os.Root refuses a
// symbolic link that leads out of it.
func (r *root) relative(name string) (string, bool) {
	if !filepath.IsAbs(name) {
		return name, filepath.IsLocal(name)
	}
	for _, base := range []string{r.dir, r.real} {
		if rel, err := filepath.Rel(base, name); err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// resolve is name below the root with its symbolic links followed, as /tmp is one on macOS.
func (r *root) resolve(name string) (string, bool) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.real, name)
	}
	// On another Windows volume nothing is looked up: that could be a host on the network.
	if filepath.VolumeName(name) != filepath.VolumeName(r.real) {
		return "", false
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", false
	}
	rel, err := filepath.Rel(r.real, real)
	return rel, err == nil && filepath.IsLocal(rel)
}

// openFile opens rel if it is a regular file. It is looked at first and opened without
// blocking, so that a FIFO cannot hold the server up.
func (r *root) openFile(rel string) (*file, error) {
	info, err := r.open.Stat(rel)
	if err != nil {
		return nil, err
	}
	if err := regular(rel, info); err != nil {
		return nil, err
	}
	opened, err := r.open.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = opened.Stat(); err == nil {
		err = regular(rel, info)
	}
	if err != nil {
		_ = opened.Close() // only read from
		return nil, err
	}
	return &file{File: opened, name: filepath.Base(rel), path: filepath.Join(r.real, rel), info: info}, nil
}

func regular(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return refuse("%q is a folder. Give one file.", clip(name))
	case !info.Mode().IsRegular():
		return refuse("%q is not a regular file. Give a document.", clip(name))
	}
	return nil
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[refusal](err)
	return ok
}

// similar names files in the roots that the model may have meant.
func (f *files) similar(name string) string {
	base := strings.ToLower(filepath.Base(name))
	var near []string
	for _, r := range f.roots {
		folder, err := r.open.Open(".")
		if err != nil {
			continue
		}
		entries, _ := folder.ReadDir(1000) // enough to be of help
		_ = folder.Close()                 // only read from
		for _, e := range entries {
			lower := strings.ToLower(e.Name())
			if e.Type().IsRegular() && (distance(lower, base) <= 3 || strings.TrimSuffix(lower, path.Ext(lower)) == strings.TrimSuffix(base, path.Ext(base))) {
				near = append(near, fmt.Sprintf("%q", e.Name()))
			}
		}
	}
	if len(near) == 0 {
		return ""
	}
	slices.Sort(near)
	return " Did you mean " + strings.Join(near[:min(3, len(near))], ", ") + "?"
}

// documentTypes are the extensions of what can be converted.
var documentTypes = strings.Fields("pdf docx doc rtf pptx ppt xlsx xls csv html htm xhtml mhtml md markdown adoc asciidoc txt text tex latex " +
	"odt ods odp epub eml vtt xml json png jpg jpeg tif tiff bmp webp gif")

// openDocument opens a file to convert.
func (f *files) openDocument(name string) (*file, error) {
	opened, err := f.open(name)
	if err != nil {
		return nil, err
	}
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(opened.name), "."))
	switch {
	case opened.info.Size() == 0:
		err = refuse("%q is empty. Give another file.", clip(opened.name))
	case opened.info.Size() > f.maxSize:
		err = refuse("%q has %s, and the limit is %s. Ask the user to split it, or to raise BABYAPI_MCP_MAX_FILE.", clip(opened.name), size(opened.info.Size()), size(f.maxSize))
	case ext != "" && !slices.Contains(documentTypes, ext):
		err = refuse("%q has the type %q, which cannot be converted. Accepted: %s.", clip(opened.name), ext, strings.Join(documentTypes, ", "))
	}
	if err != nil {
		_ = opened.Close() // only read from
		return nil, err
	}
	return opened, nil
}

const maxDataURI = 1 << 20

// parseDataURI is the document inside a data URI, and a name for it.
func parseDataURI(uri string) (name string, data []byte, _ error) {
	if len(uri) > maxDataURI {
		return "", nil, refuse("the data: URI has %s, and the limit is %s. Save it as a file and give its path.", size(int64(len(uri))), size(maxDataURI))
	}
	head, body, ok := strings.Cut(uri[len("data:"):], ",")
	if !ok {
		return "", nil, refuse("the data: URI has no comma. Give a path or an http(s) URL instead.")
	}
	media, base := strings.CutSuffix(head, ";base64")
	var err error
	if base {
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
	ext := map[string]string{"": "txt", "text/plain": "txt", "text/markdown": "md", "text/html": "html", "text/csv": "csv", "application/pdf": "pdf",
		"image/png": "png", "image/jpeg": "jpg"}[media]
	if ext == "" {
		return "", nil, refuse("the data: URI has the type %q, which is not taken this way. Save it as a file and give its path.", clip(media))
	}
	return "data." + ext, data, nil
}

// unquote strips what models put around a path.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	for _, q := range []string{`"`, `'`, "`"} {
		if len(s) >= 2 && strings.HasPrefix(s, q) && strings.HasSuffix(s, q) {
			return strings.TrimSpace(s[1 : len(s)-1])
		}
	}
	return s
}

func expandHome(name string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, filepath.FromSlash(rest))
		}
	}
	return name
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}
