package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// errUnwell is what Doctor returns when something was found that needs doing.
var errUnwell = errors.New("something needs doing, see above")

// Doctor checks what the stack needs and prints a line for each, with what to
// do about what is wrong: the cache folder and its disk, Python, what is
// installed, the port, and the engines, which it starts and asks once.
func Doctor(ctx context.Context, c Config, out io.Writer) error {
	well := true
	report := func(name, ok string, err error) {
		if err != nil {
			well = false
			fmt.Fprintf(out, "%-9s WRONG  %v\n", name, err)
			return
		}
		fmt.Fprintf(out, "%-9s ok     %s\n", name, ok)
	}
	cache, err := c.cacheDir()
	if err != nil {
		report("cache", "", err)
		return errUnwell
	}
	installed := false
	if st, err := os.Stat(envDir(cache)); err == nil && st.IsDir() {
		installed = true
	}

	note, err := checkCache(cache, installed)
	report("cache", note, err)
	if installed {
		py, err := probePython(ctx, []string{venvPython(filepath.Join(envDir(cache), "venv"))})
		if err != nil {
			err = fmt.Errorf("that of the installed engines %w; babyapi-local installs them again when it starts", err)
		} else {
			note = py.Version + ", that of the installed engines"
		}
		report("Python", note, err)
		size, packages := sizeOf(envDir(cache))
		all, _ := sizeOf(cache)
		report("engines", fmt.Sprintf("installed: %d packages, %d MB; with logs, OCR and what older versions left, %d MB", packages, size/1e6, all/1e6), nil)
	} else {
		py, err := findPython(ctx, c.Python)
		if err == nil {
			note = py.Version + " at " + py.Executable
		}
		report("Python", note, err)
		report("engines", "not installed yet: babyapi-local setup does it", nil)
	}

	listener, err := listen(ctx, c.Addr)
	switch {
	case err == nil:
		note = "free: " + listener.Addr().String()
		_ = listener.Close()
	case running(ctx, c.Addr):
		note, err = "in use by a babyapi-local that answers", nil
	}
	report("port", note, err)

	if installed && well {
		c.Addr = "127.0.0.1:0"
		started := time.Now()
		stack, err := Start(ctx, c)
		if err == nil {
			err = stack.Close()
		}
		report("start", fmt.Sprintf("all engines were up after %.1f s", time.Since(started).Seconds()), err)
	}
	if !well {
		return errUnwell
	}
	return nil
}

func checkCache(cache string, installed bool) (string, error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", fmt.Errorf("%w; set BABYAPI_LOCAL_CACHE to a folder that can be written", err)
	}
	f, err := os.CreateTemp(cache, "doctor-*")
	if err != nil {
		return "", fmt.Errorf("%w; set BABYAPI_LOCAL_CACHE to a folder that can be written", err)
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	free, err := freeBytes(cache)
	if err != nil {
		return "", err
	}
	if !installed {
		if err := (&installer{cache: cache}).checkRoom(envDir(cache)+".partial", installBytes); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, %d MB free", cache, free/1e6), nil
}

// running reports whether a gateway of ours answers at the address.
func running(ctx context.Context, addr string) bool {
	if addr == "" {
		addr = DefaultAddr
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		return false
	}
	resp, err := ownTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK && resp.Header.Get(requestIDHeader) != ""
}
