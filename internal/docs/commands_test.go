package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is what a reader clones, installs and gets.
const module = "github.com/babyapi-org/babyapi-go"

var quotedCommand = regexp.MustCompile(
	"`((?:go|make|git|which|vllm|claude|apt-get|docker|npx|pip|curl|babyapi-local|babyapi-mcp)\\s[^`]+)`")

// commands returns those of a page in their order: each line of a sh block, and what stands in
// backquotes in a sentence and begins with the name of a program.
func commands(t *testing.T, page string) (out []string) {
	t.Helper()
	text := read(t, page)
	addQuoted := func(prose string) {
		for _, m := range quotedCommand.FindAllStringSubmatch(prose, -1) {
			out = append(out, strings.Join(strings.Fields(m[1]), " ")) // it may be wrapped
		}
	}
	end := 0
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		addQuoted(text[end:m[0]])
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
	addQuoted(text[end:])
	return out
}

// TestCommandsExist checks that the folders, make targets, tests and flags exist that the commands
// of the pages name. Those of the README are run as well, by TestReadmeCommandsRun.
func TestCommandsExist(t *testing.T) {
	makefile := read(t, filepath.Join(root, "Makefile"))
	checked := 0
	for _, page := range pages(t) {
		for _, line := range commands(t, page) {
			for command := range strings.SplitSeq(line, " && ") {
				checked++
				if fault := checkCommand(t, makefile, strings.Fields(command)); fault != "" {
					t.Errorf("%s: the command %q: %s", page, line, fault)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d commands were found in the pages", checked)
	}
}

// checkCommand returns what is wrong with a command, or nothing. A word in capitals, such as NAME,
// stands for the reader's own.
func checkCommand(t *testing.T, makefile string, words []string) string {
	t.Helper()
	switch words[0] {
	case "make":
		if !strings.Contains(makefile, "\n"+words[1]+":") {
			return "make has no target " + words[1]
		}
	case "go":
		return checkGo(t, words[1:])
	case "babyapi-mcp", "babyapi-local":
		return checkFlags(t, "cmd/"+words[0], words[1:])
	case "claude": // claude mcp add … -- babyapi-mcp …
		_, server, _ := strings.Cut(strings.Join(words, " "), " -- ")
		return checkCommand(t, makefile, strings.Fields(server))
	case "git", "cd", "export", "which", "apt-get", "vllm", "benchstat":
	default:
		return "what it names is checked by nobody: extend checkCommand"
	}
	return ""
}

// checkGo checks the arguments of go.
func checkGo(t *testing.T, words []string) string {
	t.Helper()
	folder := ""
	if words[0] == "-C" {
		folder, words = words[1], words[2:]
	}
	for i, word := range words {
		word, _, _ = strings.Cut(word, "@")
		path := filepath.Join(folder, strings.TrimPrefix(strings.TrimPrefix(word, module), "/"))
		isPath := strings.HasPrefix(word, "./") || strings.HasPrefix(word, module)
		if !isPath || strings.Contains(word, "...") || strings.ToUpper(filepath.Base(word)) == filepath.Base(word) {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			return err.Error()
		}
		if words[0] == "run" {
			return checkFlags(t, path, words[i+1:])
		}
		if at := slices.Index(words, "-run"); at > 0 {
			name, _, _ := strings.Cut(strings.Trim(words[at+1], "'^$"), "/")
			if !strings.Contains(testSources(t, path), "\nfunc "+name) {
				return path + " has no test whose name begins with " + name
			}
		}
	}
	return ""
}

func testSources(t *testing.T, folder string) (text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text += read(t, file)
	}
	return text
}

// checkFlags checks that the program in the folder has the flags, and, for a program of several
// commands, the command.
func checkFlags(t *testing.T, folder string, arguments []string) string {
	t.Helper()
	for i, word := range arguments {
		switch {
		case strings.HasPrefix(word, "-") && word != "-h":
			name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if !regexp.MustCompile(`(?m)^\s*--?` + name + `\b`).MatchString(help(t, folder)) {
				return folder + " has no flag " + word
			}
		case i == 0 && folder == "cmd/babyapi-local":
			if !strings.Contains(help(t, folder), "babyapi-local "+word) {
				return folder + " has no command " + word
			}
		}
	}
	return ""
}

var helps sync.Map // of the programs by folder

// help is what a program prints about its flags.
func help(t *testing.T, folder string) string {
	t.Helper()
	if text, ok := helps.Load(folder); ok {
		return text.(string)
	}
	text, _ := exec.CommandContext(t.Context(), built(t, folder), "-h").CombinedOutput() // it may end with 2
	helps.Store(folder, string(text))
	return string(text)
}

// built builds a program of this module and returns its path.
func built(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(folder)+".exe")
	run(t, "go", "build", "-o", path, filepath.Join(root, folder))
	return path
}

func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, arguments...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// TestCleanAndDoctorRun runs two commands of docs/engines.md: clean removes what is installed, here
// in another cache than this machine's, and doctor finds what babyapi-local needs.
func TestCleanAndDoctorRun(t *testing.T) {
	program := built(t, "cmd/babyapi-local")
	t.Run("clean", func(t *testing.T) {
		cache := t.TempDir()
		t.Setenv("BABYAPI_LOCAL_CACHE", cache)
		if err := os.Mkdir(filepath.Join(cache, "env-0"), 0o700); err != nil {
			t.Fatal(err)
		}
		out := run(t, program, "clean")
		if _, err := os.Stat(filepath.Join(cache, "env-0")); err == nil {
			t.Errorf("babyapi-local clean printed %q and left env-0 in the cache", out)
		}
	})
	t.Run("doctor", func(t *testing.T) {
		needEngines(t)
		if out := run(t, program, "doctor", "--addr", "127.0.0.1:0"); out == "" {
			t.Error("babyapi-local doctor printed nothing")
		}
	})
}
