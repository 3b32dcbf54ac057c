package mcp

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func write(t *testing.T, elements ...string) string {
	t.Helper()
	name := filepath.Join(elements...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("some text"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func symlink(t *testing.T, target string, elements ...string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(elements...)); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestOpenFindsWhatIsUnderTheRoots(t *testing.T) {
	base := t.TempDir()
	root, second := filepath.Join(base, "share"), filepath.Join(base, "second")
	write(t, root, "a b.txt")
	write(t, root, "sub", "deep.txt")
	write(t, second, "other.txt")
	t.Setenv("HOME", root)
	symlink(t, "sub/deep.txt", root, "inside.txt")
	symlink(t, filepath.Join(root, "sub"), root, "absolute") // into the root, by an absolute path
	symlink(t, root, base, "way-in")
	f := &roots{}
	for _, dir := range []string{root, second} {
		if err := f.add(dir); err != nil {
			t.Fatal(err)
		}
	}
	defer f.close()
	names := []string{
		"a b.txt", "./sub/deep.txt", "sub/../a b.txt", "inside.txt", "absolute/deep.txt", "other.txt",
		`"a b.txt"`, "'sub/deep.txt'", " a b.txt ",
		filepath.Join(root, "a b.txt"), filepath.Join(second, "other.txt"), filepath.Join(root, "x", "..", "a b.txt"),
		filepath.Join(base, "way-in", "sub", "deep.txt"),
	}
	if runtime.GOOS != "windows" {
		names = append(names, "~/a b.txt")
	}
	for _, name := range names {
		opened, err := f.open(t.Context(), name)
		if err != nil {
			t.Errorf("%q is not opened: %v", name, err)
			continue
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A root that is itself a symbolic link, as /tmp is on macOS, works by both of its names.
func TestRootThatIsASymbolicLink(t *testing.T) {
	base := t.TempDir()
	real := filepath.Join(base, "real")
	write(t, real, "a.txt")
	symlink(t, real, base, "link")
	f := &roots{}
	if err := f.add(filepath.Join(base, "link")); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for _, name := range []string{"a.txt", filepath.Join(base, "link", "a.txt"), filepath.Join(real, "a.txt")} {
		opened, err := f.open(t.Context(), name)
		if err != nil {
			t.Errorf("%q is not opened: %v", name, err)
			continue
		}
		_ = opened.Close()
	}
}

// All that is outside is refused with one text, whether it exists or not.
func TestOpenRefusesWhatIsOutside(t *testing.T) {
	base := t.TempDir()
	root := filepath.Join(base, "share")
	write(t, root, "in.txt")
	write(t, base, "share-secret", "s.txt")
	write(t, base, "s.txt")
	symlink(t, filepath.Join(base, "s.txt"), root, "out.txt")
	symlink(t, "../s.txt", root, "relative-out.txt")
	symlink(t, base, root, "up")
	symlink(t, filepath.Join(base, "nothing"), root, "dangling-out.txt")
	f := &roots{}
	if err := f.add(root); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	want := f.outside().Error()
	names := []string{
		"../s.txt", "../nothing.txt", "sub/../../s.txt", filepath.Join(base, "s.txt"),
		filepath.Join(base, "nothing.txt"),
		filepath.Join(base, "share-secret", "s.txt"), filepath.Join(root, "..", "s.txt"), base, "/", "/etc/hosts", "..",
		"out.txt", "relative-out.txt", "up/s.txt", "up/nothing.txt", "up/share/../s.txt", "dangling-out.txt",
		"in.txt\x00.pdf", "/proc/self/environ", "/dev/zero", "~/../../etc/hosts",
	}
	for _, name := range names {
		opened, err := f.open(t.Context(), name)
		if err == nil {
			_ = opened.Close()
			t.Errorf("%q was opened", name)
			continue
		}
		if err.Error() != want {
			t.Errorf("%q: got %q, want the uniform refusal", name, err)
		}
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, root, "report.pdf")
	f := &roots{}
	if err := f.add(root); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	tests := map[string]string{
		"folder":       "is a folder",
		".":            "is a folder",
		"reprot.pdf":   `Did you mean "report.pdf"?`,
		"report.docx":  `Did you mean "report.pdf"?`,
		"nothing.like": "there is no file",
		"a%2e%2e/x":    "there is no file",
	}
	if runtime.GOOS != "windows" {
		tests[`C:\a b\x.pdf`] = "is a Windows path"
		tests[`\\host\share\x.pdf`] = "is a Windows path"
		listener, err := net.Listen("unix", filepath.Join(root, "socket"))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		tests["socket"] = "is not a regular file"
	}
	if os.Geteuid() != 0 && runtime.GOOS != "windows" {
		name := write(t, root, "secret.txt")
		if err := os.Chmod(name, 0); err != nil {
			t.Fatal(err)
		}
		tests["secret.txt"] = "permission denied"
	}
	for name, want := range tests {
		opened, err := f.open(t.Context(), name)
		if err == nil {
			_ = opened.Close()
			t.Errorf("%q was opened", name)
			continue
		}
		if !isRefusal(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
}

func TestOpenDocument(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a.txt")
	write(t, root, "noextension")
	write(t, root, "program.exe")
	write(t, root, "UPPER.PDF")
	if err := os.WriteFile(filepath.Join(root, "empty.pdf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(write(t, root, "big.pdf"), 1001); err != nil {
		t.Fatal(err)
	}
	f := &roots{maxFileSize: 1000}
	if err := f.add(root); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for _, name := range []string{"a.txt", "noextension", "UPPER.PDF"} {
		opened, err := f.openDocument(t.Context(), name)
		if err != nil {
			t.Errorf("%q is not opened: %v", name, err)
			continue
		}
		_ = opened.Close()
	}
	for name, want := range map[string]string{"program.exe": `Accepted: pdf, docx`, "empty.pdf": "is empty",
		"big.pdf": "BABYAPI_MCP_MAX_FILE"} {
		if _, err := f.openDocument(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestRootsThatCannotBe(t *testing.T) {
	svc := newService(t)
	s, root := newTestServer(t, svc)
	for _, dir := range []string{filepath.Join(root, "missing"), write(t, root, "file.txt")} {
		if _, err := NewServer(s.documents.client, WithRoots(dir)); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("root %s: got %v, want an error that names it", dir, err)
		}
	}
}

// Without a root the working folder is one, but never a folder that gives away the machine.
func TestTooWide(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	write(t, home, "documents", "a.txt")
	for dir, want := range map[string]bool{
		"/": true, home: true, filepath.Dir(home): true, filepath.Join(home, "missing"): true,
		filepath.Join(home, "documents"): false,
	} {
		if got := tooWide(dir); got != want {
			t.Errorf("tooWide(%s) = %v, want %v", dir, got, want)
		}
	}
	everything := filepath.Join(t.TempDir(), "everything")
	if err := os.Symlink("/", everything); err != nil {
		t.Skip("links cannot be made here: ", err)
	}
	if !tooWide(everything) {
		t.Error("the root of the disk by another name is not too wide")
	}
	// Where the environment does not say where the home folder is, the list of users does.
	users, err := user.Current()
	if err != nil || !filepath.IsAbs(users.HomeDir) {
		t.Skip("this user has no home folder: ", err)
	}
	for _, unset := range []string{"", "relative/home", "."} {
		t.Setenv("HOME", unset)
		t.Setenv("USERPROFILE", unset)
		if !tooWide(users.HomeDir) || !tooWide("/") || tooWide(filepath.Join(home, "documents")) {
			t.Errorf("HOME=%q: home %v, / %v, documents %v", unset, tooWide(users.HomeDir), tooWide("/"),
				tooWide(filepath.Join(home, "documents")))
		}
	}
	t.Setenv("HOME", home)
	t.Chdir(home)
	f := &roots{}
	f.useWorkingFolder()
	if len(f.list) != 0 || !strings.Contains(f.outside().Error(), "--root") {
		t.Errorf("the home folder became a root: %v, %v", f.list, f.outside())
	}
	t.Chdir(filepath.Join(home, "documents"))
	f.useWorkingFolder()
	defer f.close()
	if opened, err := f.open(t.Context(), "a.txt"); err != nil {
		t.Errorf("the working folder is no root: %v", err)
	} else {
		_ = opened.Close()
	}
}

// A client without an open folder allows none, also not the working folder.
func TestClientWithoutRoots(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write(t, home, "work", "a.txt")
	t.Chdir(filepath.Join(home, "work"))
	f := &roots{}
	f.useWorkingFolder()
	defer f.close()
	if len(f.list) != 1 {
		t.Fatalf("roots %v, want the working folder", f.list)
	}
	f.useClientRoots([]string{"file:///", "https://example.com"}) // nothing of use: the roots stay
	if len(f.list) != 1 {
		t.Errorf("roots %v, want the working folder still", f.list)
	}
	f.useClientRoots(nil)
	if len(f.list) != 0 || !strings.Contains(f.outside().Error(), "no folder open") {
		t.Errorf("roots %v, refusal %v; want none", f.list, f.outside())
	}
}

func TestFileURLPath(t *testing.T) {
	for uri, want := range map[string]string{
		"file:///home/me/a%20b":      "/home/me/a b",
		"file://localhost/x":         "/x",
		"file://host/share":          "",
		"http://x/y":                 "",
		"file:relative":              "",
		"file:///x/../../etc/passwd": "/x/../../etc/passwd", // openRoot cleans it
	} {
		if runtime.GOOS == "windows" {
			t.Skip("the paths are POSIX")
		}
		if got, ok := fileURLPath(uri); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", uri, got, ok, want)
		}
	}
}

func TestParseDataURI(t *testing.T) {
	name, data, err := parseDataURI("data:text/html;base64,PHA+aGk8L3A+")
	if err != nil || name != "data.html" || string(data) != "<p>hi</p>" {
		t.Errorf("HTML in base64: got %q, %q, %v", name, data, err)
	}
	name, data, err = parseDataURI("data:,hello%20there")
	if err != nil || name != "data.txt" || string(data) != "hello there" {
		t.Errorf("text without a type: got %q, %q, %v", name, data, err)
	}
	for _, uri := range []string{"data:text/html", "data:text/html;base64,###", "data:,",
		"data:application/x-msdownload,x", "data:," + strings.Repeat("a", maxDataURI)} {
		if _, _, err := parseDataURI(uri); !isRefusal(err) || len(err.Error()) > 300 {
			t.Errorf("%.40s: got %v, want a refusal", uri, err)
		}
	}
}
