package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// The modules that a part of the installation is proved with: of the packages that the engines load
// first, compiled ones among them, and pip, which installs OCR later. docling's converter is not
// among them, because it needs torch until serve_light.py has put something in its place.
var (
	engineModules = []string{"pip._internal.cli.main", "xllamacpp", "uvicorn", "fastapi", "numpy", "docling_serve",
		"docling_core.types.doc", "docling_parse.pdf_parser"}
	ocrModules = []string{"rapidocr", "onnxruntime"}
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

// part is a folder of the installation.
type part struct {
	what    string // for messages
	dir     string
	size    int64    // the room that it needs, in bytes
	modules []string // which Python finds in it
	paths   []string // where, beside the virtual environment
	fill    func(ctx context.Context, in *installation, tmp string) error
}

func (i *installer) engines(in *installation) part {
	return part{what: "the engines", dir: in.env, size: installBytes, modules: engineModules, fill: i.buildEnv}
}

func (i *installer) ocrPart(in *installation) part {
	return part{what: "OCR", dir: in.ocr, size: installOCRBytes, modules: ocrModules,
		paths: []string{filepath.Join(in.ocr, "packages")}, fill: i.buildOCR}
}

// run installs what is missing. It returns with the shared lock on what is installed, which keeps
// others from removing or replacing it until the caller gives it back with unlock.
func (i *installer) run(ctx context.Context) (in *installation, unlock func(), err error) {
	for _, dir := range []string{i.cache, filepath.Join(i.cache, "logs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, fmt.Errorf("making the cache folder: %w", err)
		}
		if err := checkFolder(dir); err != nil {
			return nil, nil, err
		}
	}
	installed, err := lock(ctx, filepath.Join(i.cache, "install.lock"), false, func() {
		fmt.Fprintln(i.messages, "waiting for another babyapi-local that is installing the engines")
	})
	if err != nil {
		return nil, nil, err
	}
	defer installed()

	in = &installation{cache: i.cache, env: envDir(i.cache)}
	if in.programs, err = writePrograms(i.cache); err != nil {
		return nil, nil, fmt.Errorf("the engines' programs: %w", err)
	}
	defer i.progress.clear()
	if err := i.provide(ctx, in, i.engines(in)); err != nil {
		return nil, nil, fmt.Errorf("installing the engines: %w", err)
	}
	if err := i.comparePython(ctx, in); err != nil {
		return nil, nil, err
	}
	if i.ocr {
		in.ocr = ocrDir(i.cache)
		if err := i.provide(ctx, in, i.ocrPart(in)); err != nil {
			return nil, nil, fmt.Errorf("installing OCR: %w", err)
		}
	}
	unlock, err = lock(ctx, filepath.Join(i.cache, "use.lock"), true, nil)
	return in, unlock, err
}

// provide makes sure that a part is there and works. One that does not work, as after an upgrade of
// the system's Python, is built anew; the old one stays until the new one works, and while a
// gateway runs on it.
func (i *installer) provide(ctx context.Context, in *installation, p part) error {
	if _, err := os.Lstat(p.dir); err != nil {
		return i.build(ctx, in, p)
	}
	problem, err := i.check(ctx, in, p)
	if err != nil || problem == nil {
		return err
	}
	unlock, err := lockAtOnce(ctx, filepath.Join(i.cache, "use.lock"))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("the installed Python does not work (%w), and a babyapi-local runs on it: "+
			"stop that, or run babyapi-local clean after it has ended, and start again", problem)
	}
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Fprintf(i.messages, "the installed Python of %s does not work (%v): installing %s again\n",
		p.what, problem, p.what)
	if err := i.build(ctx, in, p); err != nil || p.dir != in.env {
		return err
	}
	// OCR's compiled packages were for the Python that is gone. Without its manifest OCR is proved
	// again, when it is next asked for.
	err = os.Remove(filepath.Join(ocrDir(i.cache), manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// check returns as problem what a new installation would mend, and as err what it is not to mend: a
// busy machine, programs that somebody has changed, or those of another user.
func (i *installer) check(ctx context.Context, in *installation, p part) (problem, err error) {
	if err := checkFolder(p.dir); err != nil {
		return nil, err
	}
	err = checkManifest(ctx, p.dir, false)
	// Versions before the manifest have left none. What they installed is proved as a new one is.
	isOld := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isOld {
		return nil, err
	}
	problem = p.prove(ctx, in.python(), isOld)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.Is(problem, errSlow) {
		return nil, fmt.Errorf("the installed Python of %s %w: start again", p.what, problem)
	}
	if problem == nil && isOld {
		return nil, writeManifest(ctx, p.dir)
	}
	return problem, nil
}

// prove fails if the Python does not run, or does not find the modules of the part, or with full
// does not import them.
func (p part) prove(ctx context.Context, python string, full bool) error {
	if _, err := probePython(ctx, []string{python}); err != nil {
		return err
	}
	return provePython(ctx, python, full, p.modules, p.paths...)
}

// comparePython says which Python is used, if the user named another one than the environment was
// built with.
func (i *installer) comparePython(ctx context.Context, in *installation) error {
	if i.python == "" {
		return nil
	}
	built, err := probePython(ctx, []string{in.python()})
	if err != nil {
		return err
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

// build fills the folder of a part aside, proves that it works, and only then gives it its name.
func (i *installer) build(ctx context.Context, in *installation, p part) (err error) {
	if err := checkRoom(i.cache, p.dir+".partial", p.size); err != nil {
		return err
	}
	if i.log, err = os.Create(filepath.Join(i.cache, "logs", "install.log")); err != nil {
		return err
	}
	defer func() { _ = i.log.Close() }()
	return buildAside(p.dir, func(tmp string) error {
		if err := checkFolder(tmp); err != nil {
			return err
		}
		if err := p.fill(ctx, in, tmp); err != nil {
			return err
		}
		i.progress.set("checking what was installed")
		err := errors.Join(os.RemoveAll(filepath.Join(tmp, "downloads")), os.RemoveAll(filepath.Join(tmp, "tmp")))
		if err != nil {
			return err
		}
		python, paths := in.python(), []string{filepath.Join(tmp, "packages")}
		if p.dir == in.env {
			python, paths = venvPython(filepath.Join(tmp, "venv")), nil
		}
		if err := provePython(ctx, python, true, p.modules, paths...); err != nil {
			return fmt.Errorf("what was installed does not work: %w; run babyapi-local clean and start again", err)
		}
		return writeManifest(ctx, tmp)
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
	python, err := i.makeVenv(ctx, in, tmp)
	if err != nil {
		return err
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

// makeVenv makes the virtual environment in tmp, unless an interrupted run has left a whole one,
// and returns its Python. It gets its name when pip is in it: without, no later run could go on.
func (i *installer) makeVenv(ctx context.Context, in *installation, tmp string) (string, error) {
	venv, aside := filepath.Join(tmp, "venv"), filepath.Join(tmp, "venv.partial")
	python := venvPython(venv)
	pip := part{modules: []string{"pip._internal.cli.main", "pip._internal.commands.install"}}
	err := pip.prove(ctx, python, true)
	if err == nil || ctx.Err() != nil || errors.Is(err, errSlow) {
		return python, err
	}
	base, err := findPython(ctx, i.python)
	if err != nil {
		return "", err
	}
	i.progress.set("making a virtual environment with Python %s", base.Version)
	args := []string{base.Executable, "-m", "venv", "--clear", aside}
	if err := i.command(ctx, in, tmp, base.Executable, args...); err != nil {
		return "", fmt.Errorf("making a virtual environment with %s: %w", base.Executable, err)
	}
	if err := pip.prove(ctx, venvPython(aside), true); err != nil {
		return "", fmt.Errorf("the virtual environment made with %s does not work: %w", base.Executable, err)
	}
	return python, errors.Join(os.RemoveAll(venv), os.Rename(aside, venv))
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
