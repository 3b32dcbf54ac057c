//go:build unix

package docs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
)

// module is what a reader clones, installs and gets.
const module = "github.com/babyapi-org/babyapi-go"

// notRun are the commands of the pages that TestCommandsRun does not run, with the reason.
var notRun = map[string]string{
	"make test":                            "it is what runs this test",
	"make lint":                            "make test begins with it",
	"go test ./...":                        "the larger part of make test",
	"make bench":                           "ten minutes; the tests of interop/bench run it on a small scale",
	"go -C interop run ./bench -h":         "builds every client that is compared; the tests of interop/bench do",
	"make soak":                            "ten minutes; make test runs it for a few seconds, in internal/soak",
	"make fuzz":                            "a minute for each fuzz test, and weekly in CI",
	"make vuln":                            "asks a database on the network; CI does, for each change",
	"make release-dry-run":                 "builds GoReleaser, with hundreds of dependencies; the tests of packaging build and start what is ours in it",
	"apt-get install chromium":             "changes the machine; .ci/run does it",
	"vllm serve MODEL --port PORT":         "needs a GPU; the stack stands in for the vLLM behind babyapi-local",
	"go -C tools get -tool MODULE@VERSION": "changes a pin",
	"claude mcp add babyapi -e BABYAPI_API_KEY=YOUR_KEY -- babyapi-mcp --root /path/to/documents": "needs Claude Code; TestMCPConfigurationsRun starts the server that it names",
}

// runAs says how a command is run that leaves a place for the reader's own, or wants a folder of its own.
var runAs = map[string][]string{
	"babyapi-mcp --print-config CLIENT": prefixed("babyapi-mcp --print-config ", mcpconfig.Clients()...),
	// babyclient brings no other module.
	"go get " + module: {`(cd "$(mktemp -d)" && go mod init example.org/hello && go get ` + module +
		` && echo 'package main; import _ "` + module + `/babyclient"; func main() {}' >main.go && go build && test "$(go version -m hello | grep -c '	dep	')" = 1)`},
	// Not the engines of this machine.
	"go run ./cmd/babyapi-local clean": {`(export BABYAPI_LOCAL_CACHE="$(mktemp -d)" && mkdir "$BABYAPI_LOCAL_CACHE/env-0" && go run ./cmd/babyapi-local clean && test ! -e "$BABYAPI_LOCAL_CACHE/env-0")`},
	// vision and tools need larger models, see TestExamples in examples; web is a server, see interop/web.
	"go run ./examples/NAME": append(prefixed("go run ./examples/", "stream", "structured", "embeddings", "rerank", "rag", "batch -out \"$(mktemp -d)\"", "mcp-client"),
		"echo 'Say hello.' | go run ./examples/chat"),
	`go run ./examples/rag -q "QUESTION" FILE…`: {`go run ./examples/rag -q "Who pays for the hotel?" examples/rag/documents/travel-policy.docx`},
	"go test ./PACKAGE -update":                 {"go test ./internal/api -update && git diff --exit-code"},
}

// standIns are the servers of the pages that do not run here; the stack takes the place of each.
var standIns = regexp.MustCompile(`http://127\.0\.0\.1:(800[0-2]|500[12])\b`)

func prefixed(prefix string, words ...string) (out []string) {
	for _, w := range words {
		out = append(out, prefix+w)
	}
	return out
}

var inlineCommand = regexp.MustCompile("`((?:go|make|git|which|vllm|claude|apt-get|docker|npx|pip|curl|babyapi-local|babyapi-mcp) [^`]+)`")

// commands are those of a page in their order: each line of a sh block, and what is quoted in a sentence.
func commands(t *testing.T, page string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	quoted := func(prose string) {
		for _, m := range inlineCommand.FindAllStringSubmatch(prose, -1) {
			out = append(out, m[1])
		}
	}
	end := 0
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		quoted(text[end:m[0]])
		end = m[1]
		if text[m[2]:m[3]] != "sh" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(text[m[4]:m[5]], "\\\n", " ")) {
			line, _, _ = strings.Cut(line, " #") // a comment for the reader
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	quoted(text[end:])
	return out
}

// TestCommandsAreKnown: what the lists above name is on a page, so that they do not outlive it.
func TestCommandsAreKnown(t *testing.T) {
	all := map[string]bool{}
	for _, page := range pages(t) {
		for _, c := range commands(t, page) {
			all[c] = true
		}
	}
	if len(all) < 25 {
		t.Errorf("only %d commands were found", len(all))
	}
	for c, reason := range notRun {
		if !all[c] || reason == "" {
			t.Errorf("notRun: no page has the command %q, or it has no reason", c)
		}
	}
	for c := range runAs {
		if !all[c] {
			t.Errorf("runAs: no page has the command %q", c)
		}
	}
}

// TestCommandsRun follows every page as its reader does: line by line in a shell, in a clean clone of the working tree.
// Stand-ins are only for what is outside of this machine: the repository, the module proxy, and the servers in standIns.
func TestCommandsRun(t *testing.T) {
	needEngines(t)
	dir := t.TempDir()
	env, get := outside(t, dir)
	stack := startStack(t)
	ran := map[string]bool{}
	clone := "" // of the README, where the readers of the other pages are
	all := pages(t)
	readme := filepath.Join(root, "README.md")
	all = append([]string{readme}, slices.DeleteFunc(all, func(p string) bool { return p == readme })...)
	for _, page := range all {
		t.Run(strings.TrimPrefix(page, root+"/"), func(t *testing.T) {
			s := &session{env: env, get: get, dir: clone, state: filepath.Join(t.TempDir(), "state"), stack: stack}
			defer s.stop(t)
			for _, c := range commands(t, page) {
				_, elsewhere := notRun[c]
				// What is said twice is run once, but for what sets the scene.
				if elsewhere || ran[c] && !strings.HasPrefix(c, "git clone") && !strings.HasPrefix(c, "export ") {
					continue
				}
				ran[c] = true
				if strings.HasPrefix(c, "git clone") {
					var err error
					if s.dir, err = os.MkdirTemp(dir, "reader"); err != nil { //nolint:usetesting // it outlives this page
						t.Fatal(err)
					}
				}
				lines, ok := runAs[c]
				if !ok {
					lines = []string{c}
				}
				for _, line := range lines {
					out := s.run(t, line)
					switch {
					case strings.HasSuffix(c, "make demo") && !t.Failed():
						compareDemo(t, out)
					case strings.HasPrefix(c, "go test") && strings.Contains(out, "no tests to run"):
						t.Errorf("%s: %s", c, out)
					}
				}
				if t.Failed() {
					return // what follows builds on it
				}
				if clone == "" {
					clone = filepath.Join(s.dir, filepath.Base(module))
					copyTools(t, clone)
				}
			}
		})
	}
}

// outside is the environment of a reader in which the world outside is this working tree: git clones it, and the module
// proxy has it as the newest version, for commands that have what get holds too.
func outside(t *testing.T, dir string) (env, get []string) {
	t.Helper()
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") {
			continue // of the make that runs this test
		}
		if !strings.HasPrefix(v, "BABY") && !strings.HasPrefix(v, "GIT_") || strings.HasPrefix(v, "BABYAPI_LOCAL_CACHE=") || strings.HasPrefix(v, "BABYAPI_LOCAL_PYTHON=") {
			env = append(env, v)
		}
	}
	origin := filepath.Join(dir, "origin.git")
	tree, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		args = append([]string{"--git-dir", origin, "--work-tree", tree, "-c", "user.name=reader", "-c", "user.email=reader@example.org"}, args...)
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Env = tree, env
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, err.(*exec.ExitError).Stderr) //nolint:errorlint // Output says so
		}
		return string(out)
	}
	git("init", "--quiet", "--initial-branch=main")
	git("add", "--all")
	git("commit", "--quiet", "--message=the working tree")

	version := "v" + babyclient.Version
	proxy := filepath.Join(dir, "proxy", filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(proxy, 0o700); err != nil {
		t.Fatal(err)
	}
	// A module does not contain those in folders of it.
	archive := []string{"archive", "--format=zip", "--prefix=" + module + "@" + version + "/", "--output=" + filepath.Join(proxy, version+".zip"), "HEAD", "--", "."}
	for nested := range strings.FieldsSeq(git("ls-files", "*/go.mod")) {
		archive = append(archive, ":!"+filepath.Dir(nested))
	}
	git(archive...)
	for name, text := range map[string]string{version + ".info": `{"Version":"` + version + `"}`, version + ".mod": git("show", "HEAD:go.mod"), "list": version + "\n"} {
		if err := os.WriteFile(filepath.Join(proxy, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var goEnv struct{ GOMODCACHE, GOPROXY, GOFLAGS string }
	out, err := exec.CommandContext(t.Context(), "go", "env", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &goEnv); err != nil {
		t.Fatal(err)
	}
	get = []string{
		"GOPROXY=file://" + filepath.Join(dir, "proxy") + ",file://" + filepath.Join(goEnv.GOMODCACHE, "cache", "download") + "," + goEnv.GOPROXY,
		"GOSUMDB=off", // a proxy of files has none
		"GOMODCACHE=" + filepath.Join(dir, "cache"),                                             // the version is not the real one, and stays out of the user's cache
		"GOFLAGS=" + strings.TrimSpace(goEnv.GOFLAGS+" -modcacherw -trimpath"), "CGO_ENABLED=0", // what is compiled already for packaging is not compiled again
	}
	return append(env, "TMPDIR="+dir, "GOBIN="+filepath.Join(dir, "bin"), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+origin+".insteadOf", "GIT_CONFIG_VALUE_0=https://"+module), get
}

// session is a reader's shell.
type session struct {
	env, get   []string
	dir, state string // the state is a script that brings back the folder, and what the pages export
	stack      string
	base       string // of the server that runs
	moved      bool   // since its usual port was not free
	server     *exec.Cmd
}

// aServer is a babyapi-local that serves, and not one of its other commands.
var aServer = regexp.MustCompile(`babyapi-local(?: --.*)?$`)

func (s *session) command(t *testing.T, line string) *exec.Cmd {
	line = standIns.ReplaceAllStringFunc(line, func(url string) string {
		if strings.Contains(url, ":50") {
			return s.stack + "/docling"
		}
		return s.stack
	})
	if s.moved {
		line = strings.ReplaceAll(line, "http://127.0.0.1:8787", s.base)
	}
	script := fmt.Sprintf("if [ -e %[1]q ]; then . %[1]q; fi\nset -e\n%s\n{ echo \"cd '$PWD'\"; export -p | grep ' BABY' || true; } >%[1]q\n", s.state, line)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = s.dir, s.env
	if strings.Contains(line, "@latest") || strings.Contains(line, "go get ") {
		cmd.Env = slices.Concat(s.env, s.get)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a signal reaches what go run starts
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// run runs a line, or starts it and waits until it serves, and returns what it printed.
func (s *session) run(t *testing.T, line string) string {
	t.Helper()
	if aServer.MatchString(line) {
		s.serve(t, line)
		return ""
	}
	cmd := s.command(t, line)
	start := time.Now()
	defer func() { t.Logf("%5.1f s  %s", time.Since(start).Seconds(), line) }()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s%s", line, err, &stdout, &stderr)
	}
	if want, ok := strings.CutPrefix(line, "export BABYAPI_BASE_URL="); ok && want != s.base && !s.moved {
		t.Errorf("the page says %s, babyapi-local %s", want, s.base)
	}
	return stdout.String()
}

// serve starts babyapi-local, which runs on until the end of the page or the next one.
func (s *session) serve(t *testing.T, line string) {
	t.Helper()
	s.stop(t)
	start := time.Now()
	defer func() { t.Logf("%5.1f s  %s", time.Since(start).Seconds(), line) }()
	cmd := s.command(t, line)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.server = cmd
	printed := bufio.NewReader(out)
	first, _ := printed.ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(first), "export BABYAPI_BASE_URL=")
	if !ok {
		s.server = nil
		_ = cmd.Wait()
		if strings.Contains(stderr.String(), "in use") && !strings.Contains(line, "--addr") {
			s.moved = true // something else runs on this machine
			s.serve(t, line+" --addr 127.0.0.1:0")
			return
		}
		t.Errorf("%s: it printed %q\n%s", line, first, &stderr)
		return
	}
	go func() { _, _ = io.Copy(io.Discard, printed) }()
	s.base = base
	client, err := babyclient.New(babyclient.WithBaseURL(base), babyclient.WithAPIKey("local"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if models, err := client.Models(t.Context()); err != nil || len(models.Data) == 0 {
		t.Errorf("%s: the models: %v", line, err)
	}
	if _, err := client.Docling.Version(t.Context()); err != nil {
		t.Errorf("%s: docling: %v", line, err)
	}
}

// stop is Ctrl-C.
func (s *session) stop(t *testing.T) {
	t.Helper()
	if s.server == nil {
		return
	}
	_ = syscall.Kill(-s.server.Process.Pid, syscall.SIGINT)
	_ = s.server.Wait() // go run is interrupted too, and ends with 1
	s.server = nil
}

// copyTools spares the clone the minutes of building the linters again, where make has built them for the working tree.
func copyTools(t *testing.T, clone string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, "bin")); err == nil {
		if err := os.CopyFS(filepath.Join(clone, "bin"), os.DirFS(filepath.Join(root, "bin"))); err != nil {
			t.Fatal(err)
		}
	}
}

var number = regexp.MustCompile(`\d+`)

// compareDemo holds the README's picture and its first lines to what the demo prints, all but the numbers, which are of a machine, and what the model says.
func compareDemo(t *testing.T, got string) {
	t.Helper()
	picture, err := os.ReadFile(filepath.Join(root, "docs", "pictures", "demo.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var drawn []string
	for _, m := range regexp.MustCompile(`<text [^>]*>(.*)</text>`).FindAllStringSubmatch(string(picture), -1) {
		drawn = append(drawn, html.UnescapeString(m[1]))
	}
	same := func(lines []string) (out []string) {
		for _, line := range lines {
			line = strings.Join(strings.Fields(number.ReplaceAllString(line, "0")), " ")
			if strings.HasPrefix(line, "Answer: ") {
				line = "Answer: "
			}
			out = append(out, line)
		}
		return out
	}
	printed := same(strings.Split(strings.TrimSpace(got), "\n"))
	if want := same(drawn[1:]); !slices.Equal(printed, want) { // after the command
		t.Errorf("the demo printed\n%s\nand its picture says\n%s", strings.Join(printed, "\n"), strings.Join(want, "\n"))
	}
	begins := blocks(t, "text")[0]
	if want := same(strings.Split(strings.TrimSpace(begins.text), "\n")); !strings.Contains(strings.Join(printed, "\n"), strings.Join(want, "\n")) {
		t.Errorf("the demo printed\n%s\nand %s:%d says\n%s", got, begins.page, begins.line, begins.text)
	}
}
