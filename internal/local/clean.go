package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Clean removes what was installed, logs included, and prints how much that was. It fails while a
// babyapi-local runs on it or installs it.
func Clean(ctx context.Context, c Config, out io.Writer) error {
	cache, err := c.cacheDir()
	if err != nil {
		return err
	}
	if _, err := os.Stat(cache); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(out, "nothing is installed in %s\n", cache)
		return nil
	}
	for _, name := range []string{"install.lock", "use.lock"} {
		unlock, err := lockAtOnce(ctx, filepath.Join(cache, name))
		if errors.Is(err, errLocked) {
			return fmt.Errorf("%s is in use by a babyapi-local that runs: stop it first", cache)
		}
		if err != nil {
			return err
		}
		defer unlock()
	}
	size, _ := sizeOf(cache)
	// Only what is ours is removed, because the folder may be one that the user chose. The locks
	// stay, because another process may be about to take them.
	var errs []error
	for _, pattern := range []string{"env-*", "programs-*", "logs"} {
		found, err := filepath.Glob(filepath.Join(cache, pattern))
		errs = append(errs, err)
		for _, path := range found {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing the engines: %w", err)
	}
	fmt.Fprintf(out, "removed %d MB from %s\n", size/1e6, cache)
	return nil
}
