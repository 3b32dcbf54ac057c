package provider

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// documentExtensions are those of the formats that docling reads.
var documentExtensions = []string{".pdf", ".docx", ".pptx", ".xlsx", ".html", ".htm", ".xhtml", ".md", ".markdown",
	".adoc", ".asciidoc", ".csv", ".txt", ".eml", ".vtt", ".tex", ".xml",
	".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}

// listFolder lists the files below dir as [WithFolder] says. No file is an error, and so is one
// that cannot be looked at: then the other files are returned with it.
func listFolder(dir string, patterns []string) ([]babyclient.Source, error) {
	l := folderList{patterns: patterns, visits: map[string]int{}, found: map[string]bool{}}
	l.list(dir, "", nil)
	switch {
	case len(l.failed) > 0:
		err := errors.Join(l.failed...)
		return l.files, invalid("cannot list the folder %q: %v", dir, err).WithCause(err)
	case len(l.files) == 0 && len(patterns) == 0:
		return nil, invalid("the folder %q holds no document that docling reads: "+
			"give patterns to load other files", dir)
	case len(l.files) == 0:
		return nil, invalid("the folder %q holds no file that matches %q", dir, patterns)
	}
	return l.files, nil
}

type folderList struct {
	patterns []string
	visits   map[string]int  // of folders, by their real paths: links can lead to one by many ways
	found    map[string]bool // files, by their real paths
	files    []babyclient.Source
	failed   []error
}

// maxFolderVisits is how often a folder is listed that several links lead to. Each way there has
// another name, which a pattern may want; folders that all link to each other have ways without
// number.
const maxFolderVisits = 20

// list adds the files in dir and below. below is the path from the folder of the list, with
// slashes, and around are the real paths of the folders on the way: a link to one of them leads in
// a circle.
func (l *folderList) list(dir, below string, around []string) {
	realDir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		l.failed = append(l.failed, err)
		return
	}
	if slices.Contains(around, realDir) {
		return
	}
	if l.visits[realDir]++; l.visits[realDir] > maxFolderVisits {
		if l.visits[realDir] == maxFolderVisits+1 {
			l.failed = append(l.failed, fmt.Errorf("more than %d links lead to %s", maxFolderVisits, realDir))
		}
		return
	}
	around = append(slices.Clip(around), realDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.failed = append(l.failed, err)
	}
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := os.Stat(name) // of what a link leads to: a mounted volume of Kubernetes is links
		isNamed := matchesFolder(path.Join(below, entry.Name()), l.patterns)
		switch {
		case err != nil && isNamed:
			l.failed = append(l.failed, err)
		case err != nil: // no document by its name
		case info.IsDir():
			l.list(name, path.Join(below, entry.Name()), around)
		case info.Mode().IsRegular() && isNamed:
			l.add(name)
		}
	}
}

// add adds a file, unless it was found by another name.
func (l *folderList) add(name string) {
	realName, err := filepath.EvalSymlinks(name)
	switch {
	case err != nil:
		l.failed = append(l.failed, err)
	case !l.found[realName]:
		l.found[realName] = true
		l.files = append(l.files, babyclient.FromFile(name))
	}
}

// matchesFolder tells whether a path below a folder is one of those that [WithFolder] loads.
func matchesFolder(below string, patterns []string) bool {
	if len(patterns) == 0 {
		return slices.Contains(documentExtensions, strings.ToLower(path.Ext(below)))
	}
	names := strings.Split(strings.ToLower(below), "/")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		parts := strings.Split(strings.ToLower(pattern), "/")
		if len(parts) == 1 && pattern != "**" {
			return matchNames(parts, names[len(names)-1:])
		}
		return matchNames(parts, names)
	})
}

// matchNames matches the names of a path with the parts of a pattern, of which "**" stands for any
// number of names.
func matchNames(parts, names []string) bool {
	switch {
	case len(parts) == 0:
		return len(names) == 0
	case parts[0] == "**":
		return matchNames(parts[1:], names) || len(names) > 0 && matchNames(parts, names[1:])
	case len(names) == 0:
		return false
	}
	ok, _ := path.Match(parts[0], names[0]) // NewLoader has checked the pattern
	return ok && matchNames(parts[1:], names[1:])
}

// checkPattern refuses a pattern that matches nothing.
func checkPattern(pattern string) error {
	if strings.TrimSpace(pattern) == "" {
		return errors.New(`it is empty: leave it out, or write "**" for all files`)
	}
	for part := range strings.SplitSeq(strings.ToLower(pattern), "/") {
		switch _, err := path.Match(part, ""); {
		case err != nil:
			return err
		case part == "", part == ".", part == "..":
			return fmt.Errorf("the part %q names no file or folder below it", part)
		}
	}
	return nil
}
