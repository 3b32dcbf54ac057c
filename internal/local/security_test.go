package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// A page in a browser can make its own name point to 127.0.0.1; its name is then in Host.
func TestGatewayHosts(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	g := newGateway(t, u)
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8787": 200, "localhost": 200, "LOCALHOST:1": 200,
		"[::1]:8787": 200, "127.9.9.9": 200,
		"evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "evil.example:127": 403,
		"0.0.0.0": 403, "169.254.169.254": 403,
		"10.0.0.1:8787": 403, "localhost.": 403, "127.1": 403, "2130706433": 403,
	} {
		if resp, body := send(t, http.MethodGet, g.URL+"/v1/models", "", "Host", host); resp.StatusCode != want {
			t.Errorf("Host %s: %d %s, want %d", host, resp.StatusCode, body, want)
		}
	}
}

// The gateway sends nothing to anywhere but its engines: not the target of a proxy request, and not
// the URL of a document, which is docling's to fetch.
func TestGatewayIsNoProxy(t *testing.T) {
	victim := newUpstream(t, answer(http.StatusOK, `classified`))
	u := newUpstream(t, answer(http.StatusOK, `{"document":{"filename":"x"}}`))
	g := newGateway(t, u)
	gateway, target := strings.TrimPrefix(g.URL, "http://"), strings.TrimPrefix(victim.URL, "http://")
	for _, request := range []string{
		"GET http://" + target + "/secret HTTP/1.1\r\nHost: " + target + "\r\n\r\n",
		"CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n",
		"GET /docling/../../" + target + "/secret HTTP/1.1\r\nHost: " + gateway + "\r\n\r\n",
		"GET //" + target + "/secret HTTP/1.1\r\nHost: " + gateway + "\r\n\r\n",
		"GET /secret HTTP/1.1\r\nHost: " + gateway + "\r\nX-Forwarded-Host: " + target + "\r\n\r\n",
	} {
		c, err := net.Dial("tcp", gateway)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, request)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("no answer to %q: %v", request, err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = c.Close()
		if resp.StatusCode == http.StatusOK || strings.Contains(string(body), "classified") {
			t.Errorf("request %q: answer %d %s, want a refusal", request, resp.StatusCode, body)
		}
	}
	source := fmt.Sprintf(`{"sources":[{"kind":"http","url":%q}]}`, victim.URL+"/secret")
	if resp, body := send(t, http.MethodPost, g.URL+"/docling/v1/convert/source",
		source); resp.StatusCode != http.StatusOK {
		t.Errorf("conversion of a URL: answer %d %s, want 200", resp.StatusCode, body)
	}
	for len(u.bodies) > 1 {
		<-u.bodies
	}
	if got := <-u.bodies; got != source {
		t.Errorf("docling got %s, want the source as it was sent", got)
	}
	if n := len(victim.requests); n != 0 {
		t.Errorf("%d requests reached a server that is no engine", n)
	}
}

// Every package that is installed has a version and a hash.
func TestRequirementsAreHashed(t *testing.T) {
	names, err := filepath.Glob("engines/requirements*.txt")
	if err != nil || len(names) < 4 {
		t.Fatalf("lock files %v, error %v; want at least four", names, err)
	}
	pinned := regexp.MustCompile(`^[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+`)
	packages := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for entry := range strings.SplitSeq(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
			entry = strings.TrimSpace(entry)
			if entry == "" || entry[0] == '#' {
				continue
			}
			packages++
			if !pinned.MatchString(entry) || !regexp.MustCompile(`--hash=sha256:[0-9a-f]{64}\b`).MatchString(entry) {
				t.Errorf("%s: %.100s has no version or no hash", name, entry)
			}
		}
	}
	if packages < 50 {
		t.Errorf("only %d packages were found", packages)
	}
}

// Whoever installs, uv or pip, is told to check the hashes, to resolve nothing and to run nobody's
// setup.py.
func TestInstallChecksHashes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("plays Python with a shell script")
	}
	cache := t.TempDir()
	python, said := filepath.Join(cache, "python"), filepath.Join(cache, "said")
	// uv fails, so that pip is seen too
	script := "#!/bin/sh\necho \"$@\" >> " + said + "\ncase \"$*\" in *'-m uv'*) exit 1;; esac\n"
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(cache, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	i := &installer{cache: cache, messages: io.Discard, progress: &progress{}, log: log}
	if err := i.installPackages(t.Context(), &installation{programs: cache}, cache, python, nil, "-r",
		"requirements.txt"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	commands := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(commands) != 3 {
		t.Fatalf("commands that were run: %q, want three", commands)
	}
	for _, c := range commands {
		for _, option := range []string{"--require-hashes", "--no-deps", "--only-binary :all:"} {
			if !strings.Contains(c, option) {
				t.Errorf("%q has no %s", c, option)
			}
		}
	}
}

// Two first runs at once, of which the first is killed in the middle: the second waits, goes on,
// and what it leaves is whole.
func TestKilledWhileBuilding(t *testing.T) {
	dir := t.TempDir()
	builder := func() (*exec.Cmd, *bufio.Reader) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
		cmd.Env = append(os.Environ(), childMode+"=builder")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewReader(out)
	}
	expect := func(r *bufio.Reader, want string) {
		t.Helper()
		if line, err := r.ReadString('\n'); line != want+"\n" {
			t.Fatalf("said %q (%v), want %q", line, err, want)
		}
	}
	first, firstSays := builder()
	expect(firstSays, "half")
	second, secondSays := builder()
	expect(secondSays, "waiting")
	if _, err := os.Stat(filepath.Join(dir, "env")); err == nil {
		t.Error("what is half built can be seen")
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	expect(secondSays, "half")
	expect(secondSays, "whole")
	if err := second.Wait(); err != nil {
		t.Errorf("the second builder ended with %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "env", "second")); string(text) != "2" {
		t.Errorf("file of the second builder %q, error %v; want 2", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "env.partial")); err == nil {
		t.Error("a half-built folder is left")
	}
}

// playBuilder builds as the installer does; the first to come never gets beyond the half.
func playBuilder() {
	dir := os.Args[len(os.Args)-1]
	unlock, err := lock(context.Background(), filepath.Join(dir, "lock"), false, func() { fmt.Println("waiting") })
	if err != nil {
		panic(err)
	}
	defer unlock()
	_, cut := os.Stat(filepath.Join(dir, "env.partial"))
	err = buildAside(filepath.Join(dir, "env"), func(tmp string) error {
		if err := os.WriteFile(filepath.Join(tmp, "first"), []byte("1"), 0o600); err != nil {
			return err
		}
		fmt.Println("half")
		if cut != nil {
			select {} // until it is killed
		}
		return os.WriteFile(filepath.Join(tmp, "second"), []byte("2"), 0o600)
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("whole")
}
