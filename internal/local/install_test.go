package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fakeInstall is a cache and a Python that plays its part of an installation: it copies itself into
// a virtual environment, and "converts" a model. A file in state, or beside the Python, makes it
// misbehave.
type fakeInstall struct {
	t             *testing.T
	config        Config
	messages      *strings.Builder
	state, python string
}

func newFakeInstall(t *testing.T) *fakeInstall {
	t.Helper()
	f := &fakeInstall{t: t, messages: &strings.Builder{}, state: t.TempDir()}
	f.python = filepath.Join(t.TempDir(), "python3")
	answer, err := json.Marshal(interpreter{Executable: f.python, Version: "3.12.1", Major: 3, Minor: 12, Bits: 64,
		Implementation: "CPython", Venv: true})
	if err != nil {
		t.Fatal(err)
	}
	script(t, f.python, `
state='`+f.state+`'; here=$(dirname "$0")
case "$1" in *guard.py) shift; exec "$@";; esac
all="$*"
for last; do :; done
case "$*" in
*"-m venv"*)
  mkdir -p "$last/bin"; cp "$0" "$last/bin/python"
  if [ -e $state/interrupt-venv ]; then touch "$last/bin/nopip"; exit 130; fi
  rm -f "$last/bin/nopip"; exit 0;;
*"-m pip"*|*"-m uv"*)
  if [ -e $here/nopip ]; then echo 'No module named pip' >&2; exit 1; fi
  if [ -e $state/nonetwork ]; then echo 'dns error' >&2; exit 1; fi
  case "$all" in *--target*) all=${all#*--target }; mkdir -p "${all%% *}"; echo x > "${all%% *}/ocr.py";; esac
  exit 0;;
*convert_minilm.py*)
  mkdir -p "$last"; echo GGUF-model > "$last/all-minilm-l6-v2.gguf"; echo library > "$last/../library.so"; exit 0;;
esac
if [ -e $here/slow ]; then sleep 5; fi
if [ -e $here/gone ]; then echo gone >&2; exit 126; fi
case "$3" in
"") echo '`+string(answer)+`';;
find) if [ -e $here/nomodule ]; then echo 'No module named x' >&2; exit 1; fi;;
import)
  if [ -e "$5/stale" ]; then echo 'wrong Python' >&2; exit 1; fi
  if [ -e $here/nopip ]; then echo 'No module named pip' >&2; exit 1; fi
  case "$4" in *xllamacpp*) if [ -e $state/noimport ]; then echo 'import of xllamacpp' >&2; exit 1; fi;; esac;;
esac`)
	f.config = Config{CacheDir: t.TempDir(), Python: f.python, Addr: "127.0.0.1:0", Messages: f.messages}
	return f
}

func (f *fakeInstall) env(path ...string) string {
	return filepath.Join(append([]string{envDir(f.config.CacheDir)}, path...)...)
}

func (f *fakeInstall) write(path, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeInstall) remove(path string) {
	f.t.Helper()
	if err := os.Remove(path); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeInstall) setup() error {
	f.t.Helper()
	return Setup(f.t.Context(), f.config)
}

func (f *fakeInstall) mustSetup() {
	f.t.Helper()
	if err := f.setup(); err != nil {
		f.t.Fatal(err)
	}
}

// fails fails the test unless err holds each text.
func fails(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v, want one that says %q", what, err, text)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Ctrl-C while the virtual environment is made leaves one without pip, which no later run takes for
// a whole one.
func TestInterruptedInstallGoesOn(t *testing.T) {
	f := newFakeInstall(t)
	f.write(filepath.Join(f.state, "interrupt-venv"), "")
	fails(t, "the interrupted run", f.setup(), "making a virtual environment")
	if exists(f.env()+".partial/venv") || exists(f.env()) {
		t.Error("a virtual environment without pip has the name of a whole one")
	}
	f.remove(filepath.Join(f.state, "interrupt-venv"))
	// What a version left that gave the environment its name at once.
	if err := os.Rename(f.env()+".partial/venv.partial", f.env()+".partial/venv"); err != nil {
		t.Fatal(err)
	}
	f.mustSetup()
	if exists(f.env("venv/bin/nopip")) || exists(f.env("venv.partial")) || exists(f.env()+".partial") {
		t.Error("the next run has taken over what the interrupted one left")
	}
}

// An installation gets its name only when the engines' modules can be imported, and the doctor
// proves the same.
func TestInstallationIsProved(t *testing.T) {
	f := newFakeInstall(t)
	broken := filepath.Join(f.state, "noimport")
	f.write(broken, "")
	fails(t, "an installation whose modules fail", f.setup(), "does not work", "import of xllamacpp")
	if exists(f.env()) {
		t.Error("it is offered all the same")
	}
	f.remove(broken)
	f.mustSetup()
	f.write(broken, "")
	var out strings.Builder
	if err := Doctor(t.Context(), f.config, &out); !errors.Is(err, errUnwell) ||
		!strings.Contains(out.String(), "engines   WRONG  the installed Python of the engines does not work: ") {
		t.Errorf("the doctor: error %v, and says %s", err, out.String())
	}
}

// Nothing that was installed is deleted because a Python gave no answer, while a gateway runs on
// it, or before what replaces it works.
func TestInstalledIsKeptUntilReplaced(t *testing.T) {
	f := newFakeInstall(t)
	f.mustSetup()
	kept := f.env("venv/bin/kept")
	f.write(kept, "")
	isKept := func(when string) {
		t.Helper()
		if !exists(kept) {
			t.Fatalf("the installation was deleted %s", when)
		}
	}

	defer func(d time.Duration) { probeTimeout = d }(probeTimeout)
	probeTimeout = 500 * time.Millisecond
	f.write(f.env("venv/bin/slow"), "")
	fails(t, "a Python that gives no answer", f.setup(), "gave no answer in time", "start again")
	isKept("because its Python was slow")
	f.remove(f.env("venv/bin/slow"))
	probeTimeout = 20 * time.Second

	f.write(f.env("venv/bin/gone"), "")
	unlock, err := lock(t.Context(), filepath.Join(f.config.CacheDir, "use.lock"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "a Python that is gone, while a gateway runs", f.setup(), "a babyapi-local runs on it", "clean")
	isKept("while a gateway ran on it")
	unlock()

	f.write(filepath.Join(f.state, "nonetwork"), "")
	fails(t, "a Python that is gone, without network", f.setup(), "package index cannot be reached")
	isKept("though nothing could replace it")
	f.remove(filepath.Join(f.state, "nonetwork"))

	f.mustSetup()
	if exists(kept) || exists(f.env()+".old") || !exists(f.env("manifest")) {
		t.Error("what did not work was not replaced")
	}
	if !strings.Contains(f.messages.String(), "does not work (does not run: exit status 126: gone): installing") {
		t.Errorf("messages %q, want the reason", f.messages)
	}
	f.write(f.env("venv/bin/nomodule"), "") // as after the system's Python has become another one
	f.mustSetup()
	if exists(f.env("venv/bin/nomodule")) {
		t.Error("an installation whose modules are not found was not replaced")
	}
}

// OCR's packages are compiled for one Python. When the engines get another one, so does OCR, the
// next time it is asked for.
func TestOCRFollowsThePython(t *testing.T) {
	f := newFakeInstall(t)
	f.config.OCR = true
	f.mustSetup()
	stale := filepath.Join(ocrDir(f.config.CacheDir), "packages", "stale")
	f.write(stale, "")
	f.mustSetup()
	if !exists(stale) {
		t.Fatal("OCR was installed again, though nothing is wrong with it")
	}
	f.write(f.env("venv/bin/gone"), "")
	f.mustSetup()
	if exists(stale) || !exists(filepath.Join(ocrDir(f.config.CacheDir), "packages", "ocr.py")) {
		t.Error("OCR is still that of the Python that is gone")
	}
}

// While it is installed and in use, nobody can clean it.
func TestInstallReturnsWithTheLock(t *testing.T) {
	f := newFakeInstall(t)
	_, unlock, err := install(t.Context(), &f.config)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "cleaning in between", Clean(t.Context(), f.config, f.messages), "is in use")
	unlock()
	if err := Clean(t.Context(), f.config, f.messages); err != nil {
		t.Errorf("cleaning afterwards: %v", err)
	}
}

// A model or a program that was changed or cut off does not start, and the message says what to do.
func TestChangedInstallationDoesNotStart(t *testing.T) {
	model := func(f *fakeInstall) string { return f.env("models", "all-minilm-l6-v2.gguf") }
	programs := func(f *fakeInstall, name string) string {
		found, err := filepath.Glob(filepath.Join(f.config.CacheDir, "programs-*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("folders of programs %v, error %v; want one", found, err)
		}
		return filepath.Join(found[0], name)
	}
	tests := map[string]struct {
		change func(f *fakeInstall)
		want   string
	}{
		"a model cut off":   {func(f *fakeInstall) { f.write(model(f), "GGUF") }, "has 4 bytes instead of 11"},
		"a model changed":   {func(f *fakeInstall) { f.write(model(f), "GGUF-MODEL\n") }, "has another content"},
		"a model gone":      {func(f *fakeInstall) { f.remove(model(f)) }, "is gone"},
		"a library cut off": {func(f *fakeInstall) { f.write(f.env("library.so"), "") }, "has 0 bytes instead of 8"},
		"a list cut off":    {func(f *fakeInstall) { f.write(f.env("manifest"), "3\nx 1 y\n") }, "manifest is not as"},
		"a program changed": {func(f *fakeInstall) { f.write(programs(f, "llama.py"), "x") }, "llama.py is not as"},
		"a program added":   {func(f *fakeInstall) { f.write(programs(f, "json.py"), "x") }, "json.py was added"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeInstall(t)
			f.mustSetup()
			f.mustSetup() // unchanged it is taken
			tt.change(f)
			s, err := Start(t.Context(), f.config)
			if err == nil {
				_ = s.Close()
			}
			fails(t, name, err, tt.want, "run babyapi-local clean and start again")
		})
	}
	t.Run("a library changed in place", func(t *testing.T) {
		f := newFakeInstall(t)
		f.mustSetup()
		f.write(f.env("library.so"), "LIBRARY\n")
		var out strings.Builder
		if err := Doctor(t.Context(), f.config, &out); !errors.Is(err, errUnwell) ||
			!strings.Contains(out.String(), "library.so has another content") {
			t.Errorf("the doctor: error %v, and says %s", err, out.String())
		}
	})
}

// An installation of a version that wrote no manifest is taken as it is, and gets one.
func TestInstallationWithoutManifestGetsOne(t *testing.T) {
	f := newFakeInstall(t)
	f.mustSetup()
	f.remove(f.env("manifest"))
	f.write(f.env("venv/bin/kept"), "")
	f.mustSetup()
	if !exists(f.env("manifest")) || !exists(f.env("venv/bin/kept")) {
		t.Error("the installation has no manifest, or was made anew")
	}
}

// What another user has put into the cache, or could put there, is not run.
func TestProgramsOfOthersDoNotRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes of files: run this test on Linux or macOS")
	}
	dirs := map[string]func(f *fakeInstall) string{
		"the cache":      func(f *fakeInstall) string { return f.config.CacheDir },
		"the engines":    func(f *fakeInstall) string { return f.env() },
		"a file of them": func(f *fakeInstall) string { return f.env("library.so") },
	}
	for name, path := range dirs {
		t.Run(name, func(t *testing.T) {
			f := newFakeInstall(t)
			f.mustSetup()
			if name != "a file of them" { // nobody else gets into the folder that it is in
				if err := os.Chmod(path(f), 0o777); err != nil {
					t.Fatal(err)
				}
				fails(t, "others can write to "+name, f.setup(), "other users can write to", "chmod go-w")
				if err := os.Chmod(path(f), 0o700); err != nil {
					t.Fatal(err)
				}
				f.mustSetup()
			}
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file to another user")
			}
			if err := os.Lchown(path(f), 12345, -1); err != nil {
				t.Fatal(err)
			}
			fails(t, name+" of another user", f.setup(), "belongs to another user", "clean")
		})
	}
}
