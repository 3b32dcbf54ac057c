package local

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	bin := t.TempDir()
	fakePython(t, filepath.Join(bin, "python3"), func(*interpreter) {})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	ours := newGateway(t, newUpstream(t, answer(http.StatusOK, `{}`)))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path, addr, cache string
		well              bool
		want              string
	}{
		"all is well": {bin, "127.0.0.1:0", t.TempDir(), true,
			`(?s)^cache     ok     .* MB free\nPython    ok     3.12.1 at .*\n` +
				`engines   ok     not installed yet: babyapi-local setup does it\nport      ok     free`},
		"no Python": {t.TempDir(), "127.0.0.1:0", t.TempDir(), false,
			`Python    WRONG  no fit Python found; .*`},
		"the port is taken": {bin, taken.Addr().String(), t.TempDir(), false,
			`port      WRONG  127.0.0.1:\d+ is in use`},
		"the port is ours": {bin, strings.TrimPrefix(ours.URL, "http://"), t.TempDir(), true,
			`port      ok     in use by a babyapi-local that answers`},
		"a cache that is none": {bin, "127.0.0.1:0", filepath.Join(file, "x"), false,
			`cache     WRONG  .*set BABYAPI_LOCAL_CACHE`},
		"a Python that is gone": {bin, "127.0.0.1:0", withBrokenEnv(t), false,
			`Python    WRONG  that of the installed engines does not run: .*; babyapi-local installs them again`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			if name == "the port is taken" {
				go func() { // what takes it is no gateway: it hangs up
					if c, err := taken.Accept(); err == nil {
						_ = c.Close()
					}
				}()
			}
			var out strings.Builder
			err := Doctor(t.Context(), Config{Addr: tt.addr, CacheDir: tt.cache}, &out)
			if (err == nil) != tt.well || (err != nil && !errors.Is(err, errUnwell)) {
				t.Errorf("error %v, want errUnwell: %v", err, !tt.well)
			}
			if !regexp.MustCompile(tt.want).MatchString(out.String()) {
				t.Errorf("got %s\nwant %s", out.String(), tt.want)
			}
		})
	}
}

// withBrokenEnv is a cache whose environment lost its Python.
func withBrokenEnv(t *testing.T) string {
	t.Helper()
	cache := t.TempDir()
	script(t, venvPython(filepath.Join(envDir(cache), "venv")), "exit 126")
	return cache
}

func TestCleanRemovesOnlyItsOwn(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"env-1/venv/x", "programs-1/x", "logs/8787/chat.log", "theirs/x"} {
		path := filepath.Join(cache, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, 1_000_000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{CacheDir: cache}
	var out strings.Builder

	unlock, err := lock(t.Context(), filepath.Join(cache, "use.lock"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Clean(t.Context(), c, &out); err == nil ||
		!strings.Contains(err.Error(), "is in use by a babyapi-local that runs: stop it first") {
		t.Errorf("while it is used: %v", err)
	}
	unlock()
	if err := Clean(t.Context(), c, &out); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "[^iu]*")) // not the locks
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "theirs" {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := Clean(t.Context(), Config{CacheDir: filepath.Join(cache, "none")}, &out); err != nil {
		t.Errorf("cleaning a cache that is not there: %v", err)
	}
	if want := "removed 4 MB from " + cache + "\nnothing is installed in " + filepath.Join(cache, "none") +
		"\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
