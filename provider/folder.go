package provider

import (
	"io/fs"
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

// listFolder lists the files below dir as [WithFolder] says. No file is an error.
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
		if err == nil && matches(filepath.ToSlash(below), patterns) {
			out = append(out, babyclient.FromFile(name))
		}
		return err
	})
	switch {
	case err != nil:
		return nil, invalid("cannot list the folder %q: %v", dir, err).WithCause(err)
	case len(out) == 0 && patterns == nil:
		return nil, invalid("the folder %q holds no document that docling reads: "+
			"give patterns to load other files", dir)
	case len(out) == 0:
		return nil, invalid("the folder %q holds no file that matches %q", dir, patterns)
	}
	return out, nil
}

func matches(below string, patterns []string) bool {
	if patterns == nil {
		return slices.Contains(documentExtensions, strings.ToLower(path.Ext(below)))
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		name := below
		if !strings.Contains(pattern, "/") {
			name = path.Base(below)
		}
		ok, _ := path.Match(pattern, name) // NewLoader has checked the pattern
		return ok
	})
}
