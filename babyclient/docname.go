package babyclient

import (
	"path"
	"path/filepath"
	"strings"
)

// base is the name under which docling-serve knows the document.
func (s Source) base() string {
	if s.Store != nil {
		return s.String()
	}
	if s.URL != "" {
		return path.Base(strings.TrimSuffix(s.String(), "/"))
	}
	name := path.Base(filepath.ToSlash(s.filename()))
	// docling-serve's form parser takes a Windows path for its last element, on any system.
	if len(name) > 2 && name[1:3] == `:\` || strings.HasPrefix(name, `\\`) {
		name = name[strings.LastIndexByte(name, '\\')+1:]
	}
	return name
}

// isArchive reports whether the source can hold several documents.
func (s Source) isArchive() bool { return strings.EqualFold(path.Ext(s.filename()), ".zip") }

// stem is the name under which docling-serve, on Linux, puts the document into a zip answer.
func (s Source) stem() string { return pythonStem(s.base()) }

// stems are all names under which docling-serve may put the document into a zip answer. It takes
// Python's word for them, which depends on the system and on the version of Python:
//
//   - "x\a.md" is x\a on Linux, and a on Windows;
//   - "a.pdf." is a.pdf. up to Python 3.13, and a.pdf since;
//   - ".pdf" is .pdf everywhere.
func (s Source) stems() []string {
	linux := s.base()
	windows := linux[strings.LastIndexByte(linux, '\\')+1:]
	if len(windows) > 1 && windows[1] == ':' { // a drive
		windows = windows[2:]
	}
	return []string{pythonStem(linux), newPythonStem(linux), pythonStem(windows), newPythonStem(windows)}
}

// pythonStem is PurePath.stem up to Python 3.13: a dot at the beginning or the end is no
// extension's.
func pythonStem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		return name[:i]
	}
	return name
}

// newPythonStem is PurePath.stem since Python 3.14: dots at the beginning are no extension's.
func newPythonStem(name string) string {
	dots := len(name) - len(strings.TrimLeft(name, "."))
	if i := strings.LastIndexByte(name[dots:], '.'); i >= 0 {
		return name[:dots+i]
	}
	return name
}
