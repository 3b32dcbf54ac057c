package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// A link that somebody else has put into the folder leads no text out of it.
func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{output("/a.pdf") + ".part", output("/b.pdf"), journalName} {
		if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
			t.Skip("links cannot be made here: ", err)
		}
	}
	folder, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close() //nolint:errcheck // nothing was written through it
	b := &batch{dir: dir, folder: folder, total: 2}
	if err := b.keep("/a.pdf", &babyclient.Converted{Markdown: "# A"}); err == nil {
		t.Error("a link was written through")
	}
	if err := b.keep("/b.pdf", &babyclient.Converted{Markdown: "# B"}); err != nil { // it replaces the link
		t.Error(err)
	}
	if _, err := b.readJournal(); err == nil {
		t.Error("a journal elsewhere was read")
	}
	text, err := os.ReadFile(victim)
	if err != nil || string(text) != "precious" {
		t.Errorf("the file outside holds %q now; %v", text, err)
	}
}

func TestNamesDoNotClash(t *testing.T) {
	if a, b := output("/a_b/c.md"), output("/a/b_c.md"); a == b {
		t.Errorf("two documents have the output %s", a)
	}
	if a, b := output("/a/c.md"), output("/b/c.md"); a == b {
		t.Errorf("two documents have the output %s", a)
	}
}
