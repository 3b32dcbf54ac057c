//go:build unix

package docs_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
)

// notRun are the commands of the README that TestReadmeCommandsRun does not run, with the reason.
var notRun = map[string]string{
	"make test":     "it is what runs this test",
	"go test ./...": "the larger part of make test",
}

// runAs says how a command of the README is run that has a place for the reader's own, or whose
// effect needs a look. Each is a line of sh.
var runAs = map[string][]string{
	"make demo":                         {`make demo >"$OUT/demo"`},
	"babyapi-mcp --print-config CLIENT": prefixed("babyapi-mcp --print-config ", mcpconfig.Clients()...),
	// babyclient brings no other module.
	"go get " + module: {
		`mkdir "$OUT/hello"`,
		`cd "$OUT/hello"`,
		`go mod init example.org/hello`,
		`from_proxy go get ` + module,
		`echo 'package main; import _ "` + module + `/babyclient"; func main() {}' >main.go`,
		`from_proxy go build`,
		`test "$(go version -m hello | grep -c '	dep	')" = 1`,
		`cd -`,
	},
	// It serves until the end of the script.
	"go run ./cmd/babyapi-local": {
		`go run ./cmd/babyapi-local $ADDR >"$OUT/local" & SERVER=$!`,
		`until grep -q BABYAPI_API_KEY "$OUT/local"; do kill -0 $SERVER; sleep 0.1; done`,
	},
	// It printed this line. What it says is used, for the port may not have been free.
	"export BABYAPI_BASE_URL=http://127.0.0.1:8787": {
		`test -n "$ADDR" || grep -x 'export BABYAPI_BASE_URL=http://127.0.0.1:8787' "$OUT/local"`,
		`eval "$(grep BABYAPI_BASE_URL "$OUT/local")"`,
	},
	"export BABYAPI_API_KEY=local": {
		`grep -x 'export BABYAPI_API_KEY=local' "$OUT/local"`,
		`export BABYAPI_API_KEY=local`,
	},
	// vision and tools need larger models, and TestExamples in examples runs them; web is a server,
	// which interop/web runs; make demo is rag.
	"go run ./examples/NAME": append(prefixed("go run ./examples/",
		"stream", "structured", "embeddings", "rerank", `batch -out "$OUT/batch"`, "mcp-client"),
		"echo 'Say hello.' | go run ./examples/chat"),
	`go run ./examples/rag -q "QUESTION" FILE…`: {
		`go run ./examples/rag -q "Who pays for the hotel?" examples/rag/documents/travel-policy.docx`,
	},
}

func prefixed(prefix string, words ...string) (out []string) {
	for _, w := range words {
		out = append(out, prefix+w)
	}
	return out
}

// TestReadmeCommandsRun follows the README as its reader does, from a clean clone of the working
// tree on. All commands are one script of sh, so that a folder and a variable last as in a
// terminal. Stand-ins are only for what is outside of this machine: the repository and the module
// proxy.
func TestReadmeCommandsRun(t *testing.T) {
	needEngines(t)
	out := t.TempDir()
	script := readmeScript(t)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = out, readerEnvironment(t, out)
	log, err := os.Create(filepath.Join(out, "log")) // not a pipe, which the server would keep open
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // it is read below by its name
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a signal reaches what go run starts
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the server, if it came so far
	if err != nil {
		t.Fatalf("a command of the README failed, the last one below: %v\n%s", err, read(t, log.Name()))
	}
	t.Logf("%s", read(t, log.Name()))
	compareDemo(t, read(t, filepath.Join(out, "demo")))
}

// readmeScript has each command of the README once, and says when each begins.
func readmeScript(t *testing.T) string {
	t.Helper()
	all := commands(t, filepath.Join(root, "README.md"))
	for _, command := range slices.Concat(slices.Collect(maps.Keys(notRun)), slices.Collect(maps.Keys(runAs))) {
		if !slices.Contains(all, command) {
			t.Errorf("the README does not have the command %q any more: take it from notRun or runAs", command)
		}
	}
	// The version in the proxy is not the real one, and stays out of the user's cache.
	script := `set -e
from_proxy() {
	GOPROXY=$PROXY GOSUMDB=off GOMODCACHE="$OUT/cache" GOFLAGS="-modcacherw -trimpath" "$@"
}
`
	seen := map[string]bool{}
	for _, command := range all {
		if seen[command] || notRun[command] != "" {
			continue
		}
		seen[command] = true
		lines, ok := runAs[command]
		if !ok {
			lines = []string{command}
		}
		if strings.Contains(command, "@latest") {
			lines = []string{"from_proxy " + command}
		}
		for _, line := range lines {
			script += fmt.Sprintf("echo \"$(date +%%T) \"%s\n%s\n", shellQuote(line), line)
		}
	}
	return script
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// readerEnvironment is the environment of a reader to whom the world outside is this working tree:
// git clones it, and the module proxy has it as the newest version.
func readerEnvironment(t *testing.T, out string) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		if strings.HasPrefix(v, "BABYAPI_LOCAL_") {
			return false // where the engines are
		}
		// What belongs to the make that runs this test, or to the user's own git and service.
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") ||
			strings.HasPrefix(v, "BABY") || strings.HasPrefix(v, "GIT_")
	})
	tree, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	origin := filepath.Join(out, "origin.git")
	git := func(args ...string) string {
		repository := []string{"--git-dir", origin, "--work-tree", tree}
		author := []string{"-c", "user.name=reader", "-c", "user.email=reader@example.org"}
		cmd := exec.CommandContext(t.Context(), "git", slices.Concat(repository, author, args)...)
		cmd.Dir, cmd.Env = tree, env
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, text)
		}
		return string(text)
	}
	git("init", "--quiet", "--initial-branch=main")
	git("add", "--all")
	git("commit", "--quiet", "--message=the working tree")

	version := "v" + babyclient.Version
	proxy := filepath.Join(out, "proxy", filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(proxy, 0o700); err != nil {
		t.Fatal(err)
	}
	archive := []string{"archive", "--format=zip", "--prefix=" + module + "@" + version + "/",
		"--output=" + filepath.Join(proxy, version+".zip"), "HEAD", "--", "."}
	for nested := range strings.FieldsSeq(git("ls-files", "*/go.mod")) {
		archive = append(archive, ":!"+filepath.Dir(nested)) // a module has none of the modules below it
	}
	git(archive...)
	for name, text := range map[string]string{
		version + ".info": `{"Version":"` + version + `"}`,
		version + ".mod":  git("show", "HEAD:go.mod"),
		"list":            version + "\n",
	} {
		if err := os.WriteFile(filepath.Join(proxy, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var goEnv struct{ GOMODCACHE, GOPROXY string }
	if err := json.Unmarshal([]byte(run(t, "go", "env", "-json")), &goEnv); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(goEnv.GOMODCACHE, "cache", "download")
	address := "" // as the README has it
	if listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:8787"); err == nil {
		_ = listener.Close()
	} else {
		address = "--addr=127.0.0.1:0" // something else on this machine has the port
	}
	bin := filepath.Join(out, "bin")
	return append(env,
		"OUT="+out, "ADDR="+address,
		"TMPDIR="+out, "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+origin+".insteadOf", "GIT_CONFIG_VALUE_0=https://"+module,
		"PROXY=file://"+filepath.Join(out, "proxy")+",file://"+modules+","+goEnv.GOPROXY)
}

var number = regexp.MustCompile(`\d+`)

// compareDemo compares what the demo printed with the README's picture of it, and with the lines
// that the README shows. The numbers may differ, which are of a machine, and so may what the model
// says.
func compareDemo(t *testing.T, got string) {
	t.Helper()
	picture := read(t, filepath.Join(root, "docs", "pictures", "demo.svg"))
	var drawn []string
	for _, m := range regexp.MustCompile(`<text [^>]*>(.*)</text>`).FindAllStringSubmatch(picture, -1) {
		drawn = append(drawn, html.UnescapeString(m[1]))
	}
	withoutNumbers := func(lines []string) string {
		var out strings.Builder
		for _, line := range lines {
			line = strings.Join(strings.Fields(number.ReplaceAllString(line, "0")), " ")
			if strings.HasPrefix(line, "Answer: ") {
				line = "Answer: "
			}
			out.WriteString(line + "\n")
		}
		return out.String()
	}
	printed := withoutNumbers(strings.Split(strings.TrimSpace(got), "\n"))
	if want := withoutNumbers(drawn[1:]); printed != want { // the first line is the command
		t.Errorf("make demo printed\n%s\nand docs/pictures/demo.svg says\n%s", printed, want)
	}
	texts := blocks(t, "text")
	i := slices.IndexFunc(texts, func(b block) bool { return filepath.Base(b.page) == "README.md" })
	shown := texts[i] // the README begins with it
	if want := withoutNumbers(strings.Split(strings.TrimSpace(shown.text), "\n")); !strings.Contains(printed, want) {
		t.Errorf("make demo printed\n%s\nand %s:%d says\n%s", printed, shown.page, shown.line, want)
	}
}
