package mcp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio"
)

// roots are the folders whose files the tools may read.
type roots struct {
	maxFileSize int64 // of a document, in bytes
	logger      *slog.Logger

	mu   sync.Mutex
	list []*root
	// named says that the user named the roots. Others give way to those that the client has.
	named bool
	// whyNone is why there are no roots, for the refusal.
	whyNone string
}

// root is a folder whose files may be read.
type root struct {
	dir  string // as given, absolute
	real string // without symbolic links
	open *os.Root
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

// add allows a folder that the user named.
func (r *roots) add(dir string) error {
	opened, err := openRoot(dir)
	if err != nil {
		return err
	}
	r.list, r.named = append(r.list, opened), true
	return nil
}

// useWorkingFolder makes the working folder the root, unless that would give away the disk:
// desktop programs start their servers in / or in a system folder.
func (r *roots) useWorkingFolder() {
	dir, err := os.Getwd()
	if err != nil {
		r.whyNone = "it was started without a root, and its working folder is unknown"
		return
	}
	if tooWide(dir) {
		r.whyNone = "it was started without a root, in " + dir
		return
	}
	opened, err := openRoot(dir)
	if err != nil {
		r.whyNone = "it was started without a root, and its working folder cannot be read"
		return
	}
	r.list = []*root{opened}
}

// tooWide reports whether a folder is one that nobody means to share without saying so: the root
// of a disk, a home folder, what holds a home folder, or Windows itself. It is also true where that
// cannot be told, because nothing says where the home folder is.
func tooWide(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return true
	}
	homes := homeFolders()
	if len(homes) == 0 {
		return true
	}
	for _, home := range homes {
		for folder := home; ; folder = filepath.Dir(folder) {
			// Not by its path: a folder can be mounted, or linked, at another one.
			if wide, err := os.Stat(folder); err == nil && os.SameFile(info, wide) {
				return true
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || filepath.Dir(real) == real {
		return true
	}
	below := strings.ToLower(real[len(filepath.VolumeName(real)):]) + `\`
	return runtime.GOOS == "windows" && strings.HasPrefix(below, `\windows\`)
}

// homeFolders are the user's home folder by the environment and by the system's list of users. A
// service manager, or a desktop program, may start us without the first.
func homeFolders() (out []string) {
	byEnvironment, _ := os.UserHomeDir()
	bySystem := ""
	if u, err := user.Current(); err == nil {
		bySystem = u.HomeDir
	}
	for _, home := range []string{byEnvironment, bySystem} {
		if !filepath.IsAbs(home) {
			continue
		}
		out = append(out, home)
		if real, err := filepath.EvalSymlinks(home); err == nil && real != home {
			out = append(out, real)
		}
	}
	return out
}

// askClient replaces roots that the user did not name by those that the client of a call has.
func (r *roots) askClient(ctx context.Context) {
	if r.named {
		return
	}
	if err := stdio.UpdateRoots(ctx, r.useClientRoots); err != nil {
		r.logger.WarnContext(ctx, "the client did not tell its roots", "error", err)
	}
}

// useClientRoots leaves out what is no folder, or too wide; if nothing is left, the roots stay. A
// client that has no roots allows none.
func (r *roots) useClientRoots(uris []string) {
	if len(uris) == 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.closeAll()
		r.list, r.whyNone = nil, "the client has no folder open"
		return
	}
	var list []*root
	for _, uri := range uris {
		dir, ok := fileURLPath(uri)
		if !ok || tooWide(dir) {
			continue
		}
		if opened, err := openRoot(dir); err == nil {
			list = append(list, opened)
		}
	}
	if len(list) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeAll()
	r.list = list
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

func (r *roots) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeAll()
}

func (r *roots) closeAll() {
	for _, root := range r.list {
		_ = root.open.Close() // only read from
	}
}

// names are the folders, for a message.
func (r *roots) names() string {
	var dirs []string
	for _, root := range r.list {
		dirs = append(dirs, root.dir)
	}
	return strings.Join(dirs, ", ")
}

// describe tells the model which files it may name.
func (r *roots) describe() string {
	if len(r.list) == 0 {
		return "No local files can be read: " + r.whyNone + "."
	}
	if !r.named {
		return "Local files can be read under the roots that the client gives, else under: " + r.names() + "."
	}
	return "Local files can be read under: " + r.names() + "."
}

// outside is the one refusal for everything that is not under a root, so that no answer tells
// whether a file exists there.
func (r *roots) outside() error {
	if len(r.list) == 0 {
		return refuse("this MCP server may read no local files: %s. "+
			"Ask the user to start it with --root FOLDER, or give an http(s) URL.", r.whyNone)
	}
	return refuse("that file is not under the folders that this MCP server may read (%s). "+
		"Ask the user to start it with --root FOLDER to allow another.", r.names())
}

func expandHome(name string) string {
	if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, filepath.FromSlash(rest))
		}
	}
	return name
}
