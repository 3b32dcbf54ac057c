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
	"strings"
	"time"
)

// The room in bytes that an installation needs, measured on Linux with Python 3.11 and 3.13; 350 MB
// are downloaded for it.
const (
	installBytes    = 1_200_000_000
	installOCRBytes = 300_000_000
)

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
	if err := i.build(ctx, in, in.env, installBytes, i.buildEnv); err != nil {
		return nil, fmt.Errorf("installing the engines: %w", err)
	}
	if !i.ocr {
		return in, nil
	}
	in.ocr = ocrDir(i.cache)
	if err := i.build(ctx, in, in.ocr, installOCRBytes, i.buildOCR); err != nil {
		return nil, fmt.Errorf("installing OCR: %w", err)
	}
	return in, nil
}

// checkBuilt drops an environment whose Python is gone, as after an upgrade of the system. If the
// user named another Python than the environment was built with, it says which one is used.
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
		fmt.Fprintf(i.messages, "the engines were installed with Python %s, which is used, not %s; "+
			"to change it run babyapi-local clean first\n", built.Version, named.Version)
	}
	return nil
}

// build fills a folder that takes that many bytes, unless it is there already.
func (i *installer) build(ctx context.Context, in *installation, dir string, size int64,
	fill func(ctx context.Context, in *installation, tmp string) error,
) (err error) {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := checkRoom(i.cache, dir+".partial", size); err != nil {
		return err
	}
	if i.log, err = os.Create(filepath.Join(i.cache, "logs", "install.log")); err != nil {
		return err
	}
	defer func() { _ = i.log.Close() }()
	return buildAside(dir, func(tmp string) error {
		if err := fill(ctx, in, tmp); err != nil {
			return err
		}
		return errors.Join(os.RemoveAll(filepath.Join(tmp, "downloads")), os.RemoveAll(filepath.Join(tmp, "tmp")))
	})
}

// checkRoom fails if the disk of the cache has less room than is needed beyond what an interrupted
// run left in dir.
func checkRoom(cache, dir string, need int64) error {
	free, err := freeBytes(cache)
	if err != nil {
		return fmt.Errorf("finding the free room on the disk: %w", err)
	}
	there, _ := sizeOf(dir)
	if need = max(need-there, 0); free < uint64(need) {
		return fmt.Errorf("the disk of %s has %d MB free, and installing the engines needs about %d MB more; "+
			"make room, or set BABYAPI_LOCAL_CACHE to a folder on another disk", cache, free/1e6, need/1e6)
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
		args := []string{base.Executable, "-m", "venv", "--clear", venv}
		if err := i.command(ctx, in, tmp, base.Executable, args...); err != nil {
			return fmt.Errorf("making a virtual environment with %s: %w", base.Executable, err)
		}
	}
	if err := i.installPackages(ctx, in, tmp, python, nil,
		"-r", in.program("requirements.txt"), "-r", in.program("requirements-nodeps.txt")); err != nil {
		return err
	}
	i.progress.set("converting the embedding model")
	args := []string{python, in.program("convert_minilm.py"), filepath.Join(tmp, "models")}
	if err := i.command(ctx, in, tmp, python, args...); err != nil {
		return fmt.Errorf("converting the embedding model: %w", err)
	}
	return nil
}

func (i *installer) buildOCR(ctx context.Context, in *installation, tmp string) error {
	return i.installPackages(ctx, in, tmp, in.python(), []string{"--target", filepath.Join(tmp, "packages")},
		"-r", in.program("requirements-ocr.txt"))
}

// installPackages installs locked packages, with uv, which takes seconds, and if that fails with
// pip, which takes minutes. The lock files are complete, so nothing is resolved: --no-deps keeps
// torch, ray and CUDA out.
func (i *installer) installPackages(
	ctx context.Context, in *installation, tmp, python string, options []string, files ...string,
) error {
	stop := i.watch(ctx, tmp, files)
	defer stop()
	pip := []string{python, "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"}
	err := i.command(ctx, in, tmp, python, append(pip, "-r", in.program("requirements-uv.txt"))...)
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
	// A machine can have its mirror configured for pip alone.
	fmt.Fprintf(i.messages, "uv could not install the engines, trying pip, which takes some minutes (see %s)\n",
		i.log.Name())
	return explain(i.command(ctx, in, tmp, python, append(append(pip, options...), files...)...))
}

// watch shows the progress of an installation, by what lies on the disk, which works for uv and for
// pip.
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
			// uv links files from its downloads into the environment; both would be counted twice.
			downloads := filepath.Join(tmp, "downloads", "uv")
			if _, err := os.Stat(downloads); err != nil {
				downloads = tmp
			}
			newSize, newPackages := sizeOf(downloads)
			size, packages = max(size, newSize), max(packages, newPackages)
			i.progress.set("installing the engines: %d of about %d packages, %d MB",
				min(packages, total), total, size/1e6)
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

// command runs one step under guard.py, which ends the step if this process dies, so that nothing
// goes on writing into a folder that the next run works on.
func (i *installer) command(ctx context.Context, in *installation, tmp, python string, args ...string) error {
	scratch := filepath.Join(tmp, "tmp")
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return err
	}
	fmt.Fprintf(i.log, "\n$ %s\n", strings.Join(args, " "))
	guarded := append([]string{in.program("guard.py")}, args...)
	cmd := exec.CommandContext(ctx, python, guarded...) //nolint:gosec // our own commands
	ownGroup(cmd)
	cmd.Dir = tmp
	cmd.Env = childEnvironment(installerGets,
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
		name := filepath.Base(args[0]) + " " + strings.Join(args[1:min(4, len(args))], " ")
		return &stepError{command: name, err: err, output: out.String(), log: i.log.Name()}
	}
	return nil
}
