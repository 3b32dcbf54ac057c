//go:build unix

package mcp

import (
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
