package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// engineFiles are the small Python programs that start the engines, and the locked requirements.
//
//go:embed engines/*.py engines/requirements*.txt
var engineFiles embed.FS

// CacheDir is where the engines, their logs and nothing else are kept when [Config] names no other
// place: BABYAPI_LOCAL_CACHE, or babyapi-local in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("BABYAPI_LOCAL_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for the engines: %w; set BABYAPI_LOCAL_CACHE", err)
	}
	return filepath.Join(dir, "babyapi-local"), nil
}

// contentKey names a folder after the embedded files it is made from, so that a newer version never
// uses what an older one built.
func contentKey(names ...string) string {
	sum := sha256.New()
	for _, name := range names {
		text, err := engineFiles.ReadFile("engines/" + name)
		if err != nil {
			panic(err) // a name that is not embedded: a mistake in this package
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// writePrograms puts the embedded files on the disk and returns their folder.
func writePrograms(cache string) (string, error) {
	entries, err := engineFiles.ReadDir("engines")
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	dir := filepath.Join(cache, "programs-"+contentKey(names...))
	if _, err := os.Lstat(dir); err == nil {
		return dir, checkPrograms(dir, names)
	}
	return dir, buildAside(dir, func(tmp string) error {
		for _, name := range names {
			text, err := engineFiles.ReadFile("engines/" + name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(tmp, name), text, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkPrograms fails if the folder holds anything but the embedded files as they are: Python takes
// a module from the folder of the program before its own.
func checkPrograms(dir string, names []string) error {
	if err := checkFolder(dir); err != nil {
		return err
	}
	for _, name := range names {
		want, err := engineFiles.ReadFile("engines/" + name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		st, err := os.Lstat(path)
		if err != nil || !st.Mode().IsRegular() || !isOurs(st) {
			return fmt.Errorf("%s is %w", path, errChanged)
		}
		if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, want) {
			return fmt.Errorf("%s is %w", path, errChanged)
		}
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range found {
		if !slices.Contains(names, entry.Name()) && entry.Name() != "__pycache__" {
			return fmt.Errorf("%s was added, so the programs are %w", filepath.Join(dir, entry.Name()), errChanged)
		}
	}
	return nil
}

// buildAside fills a folder under another name and then renames it, so that dir is there whole or
// not at all. A folder that was there goes on existing until the new one is whole; then no process
// may use it any more. The caller must hold the install lock.
func buildAside(dir string, fill func(tmp string) error) error {
	tmp, old := dir+".partial", dir+".old"
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	// A run that ended between the two renames has left a folder that nobody uses.
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		_ = os.Rename(old, dir)
		return err
	}
	return os.RemoveAll(old)
}

// lock takes the lock named path, and waits while another process holds it. If it has to wait, it
// calls onWait once; that may be nil. The returned function gives the lock back.
func lock(ctx context.Context, path string, shared bool, onWait func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for waited := false; ; waited = true {
		ok, err := tryLock(f, shared)
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if ok {
			return func() { _ = f.Close() }, nil
		}
		if !waited && onWait != nil {
			onWait()
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

var errLocked = errors.New("another process holds the lock")

// lockAtOnce takes the lock named path for this process alone, and fails with errLocked where lock
// would wait.
func lockAtOnce(ctx context.Context, path string) (unlock func(), err error) {
	noWait, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unlock, err = lock(noWait, path, false, func() { cancel(errLocked) })
	if err != nil && errors.Is(context.Cause(noWait), errLocked) {
		err = errLocked
	}
	return unlock, err
}

// sizeOf is the number of bytes and of installed Python packages under dir. Files that vanish
// meanwhile are not counted.
func sizeOf(dir string) (bytes int64, packages int) {
	seen := map[string]bool{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if d.IsDir() {
			if filepath.Ext(d.Name()) == ".dist-info" {
				seen[d.Name()] = true
			}
			return nil
		}
		if st, err := d.Info(); err == nil {
			bytes += st.Size()
		}
		return nil
	})
	return bytes, len(seen)
}
