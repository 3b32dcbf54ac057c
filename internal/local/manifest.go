package local

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// manifestName is the file in a folder of the installation that lists its files: a line for each,
// with the SHA-256 digest, the size in bytes and the path, after a first line with their number.
const manifestName = "manifest"

// manifestEntry is one file of an installation; its path has slashes and is relative to the folder.
type manifestEntry struct {
	path   string
	size   int64
	digest string
}

// errChanged says what to do about an installation that is not what was installed.
var errChanged = errors.New("not as it was installed; run babyapi-local clean and start again")

// listFiles lists the files of a folder without their digests. Compiled Python and locks are left
// out, because they change when the engines run.
func listFiles(dir string) ([]manifestEntry, error) {
	var entries []manifestEntry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "__pycache__" {
			return fs.SkipDir
		}
		extension := filepath.Ext(d.Name())
		if !d.Type().IsRegular() || extension == ".pyc" || extension == ".lock" ||
			path == filepath.Join(dir, manifestName) {
			return nil
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		entries = append(entries, manifestEntry{path: filepath.ToSlash(relative), size: st.Size()})
		return err
	})
	return entries, err
}

// writeManifest lists the files of a folder as they are now.
func writeManifest(ctx context.Context, dir string) error {
	entries, err := listFiles(dir)
	if err != nil {
		return err
	}
	err = forEach(ctx, entries, func(e *manifestEntry) (err error) {
		e.digest, err = digestOf(filepath.Join(dir, filepath.FromSlash(e.path)))
		return err
	})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d\n", len(entries))
	for _, e := range entries {
		fmt.Fprintf(&text, "%s %d %s\n", e.digest, e.size, e.path)
	}
	path := filepath.Join(dir, manifestName)
	if err := os.WriteFile(path+".lock", text.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".lock", path)
}

// readManifest reads the list of a folder; the error is fs.ErrNotExist if the folder has none.
func readManifest(dir string) ([]manifestEntry, error) {
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	want := 0
	if lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "%d", &want)
	}
	var entries []manifestEntry
	for lines.Scan() {
		var e manifestEntry
		fields := strings.SplitN(lines.Text(), " ", 3)
		if len(fields) != 3 {
			break
		}
		if _, err := fmt.Sscanf(fields[1], "%d", &e.size); err != nil {
			break
		}
		e.digest, e.path = fields[0], fields[2]
		entries = append(entries, e)
	}
	if want == 0 || len(entries) != want {
		return nil, fmt.Errorf("%s is %w", path, errChanged)
	}
	return entries, nil
}

// checkManifest fails if a file of a folder belongs to another user, or has not the size that the
// manifest lists, or not the digest. Reading a whole installation takes seconds, so without full
// only the digests of the models are checked. The error is fs.ErrNotExist if there is no manifest.
func checkManifest(ctx context.Context, dir string, full bool) error {
	entries, err := readManifest(dir)
	if err != nil {
		return err
	}
	return forEach(ctx, entries, func(e *manifestEntry) error {
		path := filepath.Join(dir, filepath.FromSlash(e.path))
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is gone, so the installation is %w", path, errChanged)
		}
		if err != nil {
			return err
		}
		if !isOurs(st) {
			return notOurs(path)
		}
		if !st.Mode().IsRegular() || st.Size() != e.size {
			return fmt.Errorf("%s has %d bytes instead of %d, so the installation is %w",
				path, st.Size(), e.size, errChanged)
		}
		isModel := strings.HasPrefix(e.path, "models/") || strings.HasSuffix(e.path, ".gguf")
		if !full && !isModel {
			return nil
		}
		digest, err := digestOf(path)
		if err == nil && digest != e.digest {
			err = fmt.Errorf("%s has another content, so the installation is %w", path, errChanged)
		}
		return err
	})
}

// forEach calls do for each entry, on all processors, and returns the first error.
func forEach(ctx context.Context, entries []manifestEntry, do func(e *manifestEntry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan *manifestEntry)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for e := range work {
				if ctx.Err() != nil {
					continue
				}
				if err := do(e); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range entries {
		work <- &entries[i]
	}
	close(work)
	workers.Wait()
	return context.Cause(ctx)
}

func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// checkFolder fails if another user could have put programs into a folder of the cache, or could do
// so: the engines run what lies there.
func checkFolder(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	switch {
	case !isOurs(st):
		return notOurs(dir)
	case othersWrite(st):
		return fmt.Errorf("other users can write to %s, and could put programs there: run chmod go-w on it, "+
			"or set BABYAPI_LOCAL_CACHE to a folder of your own", dir)
	}
	return nil
}

func notOurs(path string) error {
	return fmt.Errorf("%s belongs to another user, whose programs are not run: set BABYAPI_LOCAL_CACHE to a folder "+
		"of your own, or if it was yours run babyapi-local clean as that user and start again", path)
}
