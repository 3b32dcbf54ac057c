package mcp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// openFile is an open regular file under a root.
type openFile struct {
	*os.File
	name string // its last element
	path string // absolute
	info fs.FileInfo
}

var windowsPath = regexp.MustCompile(`^([A-Za-z]:[\\/]|\\\\)`)

// open opens a regular file under a root for the call of ctx. A relative path is looked for in each
// root.
func (r *roots) open(ctx context.Context, name string) (*openFile, error) {
	r.askClient(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	name = expandHome(unquote(name))
	if len(r.list) == 0 || strings.ContainsRune(name, 0) {
		return nil, r.outside()
	}
	if runtime.GOOS != "windows" && windowsPath.MatchString(name) {
		return nil, refuse("%q is a Windows path, but this MCP server runs on %s. Its folders are: %s.",
			clip(name), runtime.GOOS, r.names())
	}
	missing := false
	for _, root := range r.list {
		opened, err := root.openNamed(name)
		switch {
		case err == nil:
			return opened, nil
		case errors.Is(err, fs.ErrNotExist):
			missing = true
		case isRefusal(err):
			return nil, err
		case errors.Is(err, fs.ErrPermission):
			return nil, refuse("%q cannot be read: permission denied. Tell the user.", clip(name))
		case isTransient(err):
			return nil, refuse("%q cannot be opened now: %v. Try again in a moment.", clip(name), transientCause(err))
		}
		// Any other error counts as: not under this root.
	}
	if missing {
		return nil, refuse("there is no file %q under %s.%s", clip(name), r.names(), r.similar(name))
	}
	return nil, r.outside()
}

var errOutside = errors.New("not under the root")

// isTransient tells whether a file was not opened for a reason that has nothing to do with it.
func isTransient(err error) bool { return transientCause(err) != nil }

func transientCause(err error) error {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO} {
		if errors.Is(err, cause) {
			return cause
		}
	}
	return nil
}

// openNamed opens a file by the name that a call gave it.
func (r *root) openNamed(name string) (*openFile, error) {
	if rel, ok := r.relative(name); ok {
		opened, err := r.openRegular(rel)
		if err == nil {
			return opened, nil
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isRefusal(err) || isTransient(err) {
			return nil, err
		}
		// os.Root refuses a link out of the root, but also one that is absolute and leads into it.
	}
	if rel, ok := r.resolve(name); ok {
		return r.openRegular(rel)
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

// openRegular opens rel if it is a regular file. It is looked at first and opened without
// blocking, so that a FIFO cannot hold the server up.
func (r *root) openRegular(rel string) (*openFile, error) {
	info, err := r.open.Stat(rel)
	if err != nil {
		return nil, err
	}
	if err := checkRegular(rel, info); err != nil {
		return nil, err
	}
	opened, err := r.open.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = opened.Stat(); err == nil {
		err = checkRegular(rel, info)
	}
	if err != nil {
		_ = opened.Close() // only read from
		return nil, err
	}
	return &openFile{File: opened, name: filepath.Base(rel), path: filepath.Join(r.real, rel), info: info}, nil
}

func checkRegular(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return refuse("%q is a folder. Give one file.", clip(name))
	case !info.Mode().IsRegular():
		return refuse("%q is not a regular file. Give a document.", clip(name))
	}
	return nil
}

// similar names files in the roots that the model may have meant.
func (r *roots) similar(name string) string {
	withoutExtension := func(s string) string { return strings.TrimSuffix(s, path.Ext(s)) }
	base := strings.ToLower(filepath.Base(name))
	var near []string
	for _, root := range r.list {
		folder, err := root.open.Open(".")
		if err != nil {
			continue
		}
		entries, _ := folder.ReadDir(1000) // enough to be of help
		_ = folder.Close()                 // only read from
		for _, e := range entries {
			lower := strings.ToLower(e.Name())
			meant := distance(lower, base) <= 3 || withoutExtension(lower) == withoutExtension(base)
			if e.Type().IsRegular() && meant {
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
