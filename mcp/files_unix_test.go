//go:build unix

package mcp

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Opening a FIFO would wait for somebody to write to it.
func TestOpenDoesNotWaitForAFIFO(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.pdf"), 0o600); err != nil {
		t.Skipf("no FIFOs here: %v", err)
	}
	f := &roots{}
	if err := f.add(root); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	_, err := f.open(t.Context(), "pipe.pdf")
	if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// A file that cannot be opened because too many are open is not said to be elsewhere.
func TestTooManyOpenFiles(t *testing.T) {
	if !isTransient(&fs.PathError{Op: "openat", Path: "a", Err: syscall.EMFILE}) ||
		isTransient(&fs.PathError{Op: "openat", Path: "a", Err: syscall.ELOOP}) {
		t.Error("only a lack of the system's means is transient")
	}
	s, root := newTestServer(t, newService(t))
	write(t, root, "a.txt")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	var held []*os.File
	defer func() {
		for _, f := range held {
			_ = f.Close()
		}
	}()
	low := limit
	low.Cur = 40
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Skip("the limit cannot be lowered: ", err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) //nolint:errcheck // it was so before
	for {
		f, err := os.Open(root)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	_, err := s.documents.roots.open(t.Context(), "a.txt")
	for _, f := range held {
		_ = f.Close()
	}
	held = nil
	if err == nil || !strings.Contains(err.Error(), "too many open files") {
		t.Errorf("got %v, want the true reason", err)
	}
}
