package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// errUnwell is what Doctor returns when something was found that needs doing.
var errUnwell = errors.New("something needs doing, see above")

// Doctor checks what the stack needs and prints a line for each thing, with what to do about what
// is wrong: the cache folder and its disk, Python, what is installed, the port, and the engines,
// which it starts and asks once.
func Doctor(ctx context.Context, c Config, out io.Writer) error {
	well := true
	report := func(name, note string, err error) {
		if err != nil {
			well = false
			fmt.Fprintf(out, "%-9s WRONG  %v\n", name, err)
			return
		}
		fmt.Fprintf(out, "%-9s ok     %s\n", name, note)
	}
	cache, err := c.cacheDir()
	if err != nil {
		report("cache", "", err)
		return errUnwell
	}
	st, err := os.Stat(envDir(cache))
	installed := err == nil && st.IsDir()

	note, err := checkCache(cache, installed)
	report("cache", note, err)
	note, err = checkPython(ctx, c, cache, installed)
	report("Python", note, err)
	if installed && err == nil {
		err = checkInstalled(ctx, cache, c.OCR)
	} else {
		err = nil // said above
	}
	report("engines", describeInstalled(cache, installed), err)
	note, err = checkPort(ctx, c.addr())
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
	err := os.MkdirAll(cache, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(cache, "doctor-*"); err == nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return "", fmt.Errorf("%w; set BABYAPI_LOCAL_CACHE to a folder that can be written", err)
	}
	free, err := freeBytes(cache)
	if err != nil {
		return "", err
	}
	if !installed {
		if err := checkRoom(cache, envDir(cache)+".partial", installBytes); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, %d MB free", cache, free/1e6), nil
}

func checkPython(ctx context.Context, c Config, cache string, installed bool) (string, error) {
	if !installed {
		py, err := findPython(ctx, c.Python)
		if err != nil {
			return "", err
		}
		return py.Version + " at " + py.Executable, nil
	}
	py, err := probePython(ctx, []string{venvPython(filepath.Join(envDir(cache), "venv"))})
	if errors.Is(err, errSlow) {
		return "", fmt.Errorf("that of the installed engines %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("that of the installed engines %w; babyapi-local installs them again when it starts", err)
	}
	return py.Version + ", that of the installed engines", nil
}

// checkInstalled proves what an installer proves before it gives an installation its name, and
// reads every file of it, which takes some seconds. An installation of a version without manifests
// has nothing to compare with; it gets its manifest at the next start.
func checkInstalled(ctx context.Context, cache string, ocr bool) error {
	in := &installation{env: envDir(cache), ocr: ocrDir(cache)}
	i := &installer{cache: cache}
	parts := []part{i.engines(in)}
	if ocr {
		if _, err := os.Lstat(in.ocr); err == nil {
			parts = append(parts, i.ocrPart(in))
		}
	}
	for _, p := range parts {
		if err := errors.Join(checkFolder(cache), checkFolder(p.dir)); err != nil {
			return err
		}
		if err := checkManifest(ctx, p.dir, true); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := p.prove(ctx, in.python(), true); err != nil {
			return fmt.Errorf("the installed Python of %s does not work: %w; "+
				"babyapi-local installs it again, or after babyapi-local clean", p.what, err)
		}
	}
	return nil
}

func describeInstalled(cache string, installed bool) string {
	if !installed {
		return "not installed yet: babyapi-local setup does it"
	}
	size, packages := sizeOf(envDir(cache))
	all, _ := sizeOf(cache)
	return fmt.Sprintf("installed: %d packages, %d MB; with logs, OCR and what older versions left, %d MB",
		packages, size/1e6, all/1e6)
}

func checkPort(ctx context.Context, addr string) (string, error) {
	listener, err := listen(ctx, addr)
	if err == nil {
		_ = listener.Close()
		return "free: " + listener.Addr().String(), nil
	}
	if isOurGateway(ctx, addr) {
		return "in use by a babyapi-local that answers", nil
	}
	return "", err
}

// isOurGateway reports whether a babyapi-local answers at the address.
func isOurGateway(ctx context.Context, addr string) bool {
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
