package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

const testKey = "right-key"

// stack is one local stack for all tests, which takes testKey and no other.
var stack = sync.OnceValues(func() (*local.Stack, error) {
	return local.Start(context.Background(), local.Config{Addr: "127.0.0.1:0", APIKey: testKey, Messages: os.Stderr})
})

var stackUsed bool

// This test program is also the command itself, for tests of its exit code, its
// streams and its processes: BABYAPI_RAG_TEST_ADDR says so, and where the
// command looks for a local stack.
func TestMain(m *testing.M) {
	if addr := os.Getenv("BABYAPI_RAG_TEST_ADDR"); addr != "" {
		usualAddr = addr
		main()
		return
	}
	code := m.Run()
	if stackUsed {
		if s, err := stack(); err == nil {
			_ = s.Close()
		}
	}
	os.Exit(code)
}

func needEngines(t *testing.T) {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
}

// baseURL is that of the stack, which it starts, or it skips.
func baseURL(t *testing.T) string {
	t.Helper()
	needEngines(t)
	stackUsed = true
	s, err := stack()
	if err != nil {
		t.Fatal(err)
	}
	return s.BaseURL()
}

// command is the example as a process, with env and without the BABYAPI_
// variables of the tests' own environment, but for the engines' cache.
func command(t *testing.T, addr string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BABYAPI_") || strings.HasPrefix(v, "BABYAPI_LOCAL_CACHE=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "BABYAPI_RAG_TEST_ADDR="+addr)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// silentAddr is an address that is taken by something that is no stack.
func silentAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestDemo(t *testing.T) {
	base := baseURL(t)
	cmd := command(t, "unused", []string{"BABYAPI_BASE_URL=" + base, "BABYAPI_API_KEY=" + testKey})
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	t.Log("\n" + stdout.String())
	if stderr.Len() > 0 {
		t.Errorf("stderr of a pipe is not silent: %q", stderr.String())
	}
	text := stdout.String()
	if strings.ContainsAny(text, "\r\x1b") {
		t.Error("stdout holds control characters")
	}
	sections := strings.Split(text, "\nQuestion: ")
	if len(sections) != 1+len(demoQuestions) {
		t.Fatalf("%d questions, want %d", len(sections)-1, len(demoQuestions))
	}
	for i, want := range []string{
		"t90-service-manual.pdf, page 2, Replacing the desiccant cartridge",
		"travel-policy.docx, Hotels",
		"t90-service-manual.pdf, page 3, E31: low battery",
	} {
		lines := strings.Split(sections[i+1], "\n")
		if lines[0] != demoQuestions[i] || !strings.HasSuffix(lines[1], want) {
			t.Errorf("%s\ntop passage: %s\nwant: %s", lines[0], lines[1], want)
		}
		_, answer, found := strings.Cut(sections[i+1], "\nAnswer: ")
		if line, _, _ := strings.Cut(answer, "\n"); !found || strings.TrimSpace(line) == "" {
			t.Errorf("%s: no answer", lines[0])
		}
	}
	for _, want := range []string{
		"  convert t90-service-manual.pdf: ", "  convert travel-policy.docx: ",
		// what rerank over MCP found, and the table
		"t90-service-manual.pdf, page 2, Replacing the desiccant cartridge\n\nstep",
		"\nconvert and chunk       2 documents", "\nembed                  20 chunks",
		"\nsearch                  3 questions",
		"\nanswer                  3 answers", "\nmcp: convert            2 documents",
		"\nmcp: rerank            20 passages", "\ntotal ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
}

func TestTopPassage(t *testing.T) {
	client, err := babyclient.New(babyclient.WithBaseURL(baseURL(t)), babyclient.WithAPIKey(testKey))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("BABYAPI_BASE_URL", "") // the models of the local stack
	c, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	remove, err := c.takeDemo()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	out := &output{results: io.Discard}
	passages, err := load(t.Context(), client, c.files, out)
	if err != nil {
		t.Fatal(err)
	}
	x, err := newIndex(t.Context(), client, c, passages, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ question, want string }{
		{"How often must the desiccant cartridge be replaced?", "Replacing the desiccant cartridge"},
		{"When do I have to change the drying cartridge?", "Replacing the desiccant cartridge"},
		{"What is the limit per night for a hotel in Oslo?", "Hotels"},
		{"How much may I spend on a room in Lisbon?", "Hotels"},
		{"accommodation Hamburg maximum", "Hotels"},
		{"The display shows E31. What does that mean?", "E31: low battery"},
		{"The display shows E12. What does that mean?", "E12: no radio network"},
		{"The display shows E47. What has happened?", "E47: water in the sensor cable"},
		{"The display shows E58. What does that mean?", "E58: sudden jump of the level"},
		{"What am I paid when I use my private vehicle?", "Driving your own car"},
		{"Until when must I hand in my expense claim?", "Handing in a claim"},
		{"I cannot find a receipt any more.", "Lost receipts"},
		{"May I fly business class?", "Trains and flights"},
		{"How long must the gauge warm up before calibration?", "Warming up and calibrating"},
		{"How tight must the anchor bolts be?", "Mounting the gauge"},
		{"How long does the battery last?", "Replacing the battery"},
		{"What does a new antenna cost?", "Spare parts"},
		{"OB-7741", "Spare parts"},
	} {
		top, err := x.find(t.Context(), tt.question, out)
		if err != nil {
			t.Fatal(err)
		}
		if got := heading(top[0]); got != tt.want {
			t.Errorf("%s\ntop passage: %s (%.2f)\nwant: %s", tt.question, got, top[0].Score, tt.want)
		}
	}
	// The cosine similarity that reranks here misses these. That the right passage is
	// there for a rerank model to choose is what the keywords are for.
	for _, tt := range []struct{ question, want string }{
		{"What does fault E47 mean?", "E47: water in the sensor cable"},
		{"Why does the gauge report E12?", "E12: no radio network"},
		{"The grains have turned green, what now?", "Replacing the desiccant cartridge"},
	} {
		byWords, err := x.search[1].GetRelevantDocuments(t.Context(), tt.question)
		if err != nil {
			t.Fatal(err)
		}
		if heading(byWords[0]) != tt.want {
			t.Errorf("%s: by keywords %q, want %q", tt.question, heading(byWords[0]), tt.want)
		}
	}
}

// Each bad input is one line that has the value and says what to do, and exit
// code 1.
func TestBadInput(t *testing.T) {
	base := baseURL(t)
	manual, err := documents.ReadFile("documents/t90-service-manual.pdf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.pdf", manual)
	ok := []string{"BABYAPI_BASE_URL=" + base, "BABYAPI_API_KEY=" + testKey}
	for name, tt := range map[string]struct {
		env  []string
		args []string
		want []string
	}{
		"missing file": {ok, []string{"-q", "x", filepath.Join(dir, "nowhere.pdf")},
			[]string{"nowhere.pdf", "give the path"}},
		"folder":     {ok, []string{"-q", "x", dir}, []string{dir, "give the documents in it"}},
		"empty file": {ok, []string{"-q", "x", file("empty.pdf", nil)}, []string{"empty.pdf is empty"}},
		"corrupt PDF": {ok, []string{"-q", "x", file("corrupt.pdf", manual[:1000])},
			[]string{"corrupt.pdf", "give a file that is whole"}},
		"half a PDF": {ok, []string{"-q", "x", file("half.pdf", manual[:len(manual)/2])},
			[]string{"half.pdf", "give a file that is whole"}},
		"no PDF inside": {ok, []string{"-q", "x", file("text.pdf", []byte("just text"))},
			[]string{"text.pdf", "give a file that is whole"}},
		"unsupported type": {ok, []string{"-q", "x", file("a.xyz", []byte("hello"))},
			[]string{"a.xyz", "not allowed", "PDF, DOCX"}},
		"no text":        {ok, []string{"-q", "x", file("blank.md", []byte("\n\n"))}, []string{"blank.md"}},
		"one bad of two": {ok, []string{"-q", "x", good, file("bad.docx", []byte("no zip"))}, []string{"bad.docx"}},
		"no question":    {ok, []string{good}, []string{"good.pdf", "-q"}},
		"no files":       {ok, []string{"-q", "Who?"}, []string{`"Who?"`, "name the files"}},
		"wrong key":      {[]string{ok[0], "BABYAPI_API_KEY=wrong-key"}, nil, []string{"401", "BABYAPI_API_KEY"}},
		"no key":         {ok[:1], nil, []string{"API key", "BABYAPI_API_KEY"}},
		"unreachable": {[]string{"BABYAPI_BASE_URL=http://127.0.0.1:1", ok[1]}, nil,
			[]string{"127.0.0.1:1", "check the base URL"}},
		"no URL": {[]string{"BABYAPI_BASE_URL=localhost", ok[1]}, nil, []string{"localhost"}},
		"unknown chat": {ok, []string{"-chat-model", "gpt-9", "-q", "x", good},
			[]string{"gpt-9", "does not exist", "-chat-model"}},
		"unknown embedding": {ok, []string{"-embed-model", "gpt-9", "-q", "x", good},
			[]string{"gpt-9", "does not exist", "-embed-model"}},
		"unknown rerank": {ok, []string{"-rerank-model", "gpt-9", "-q", "x", good},
			[]string{"gpt-9", "does not exist", "-rerank-model"}},
		"unknown in env": {append(ok, "BABYAPI_DEFAULT_MODEL=gpt-9"), []string{"-q", "x", good},
			[]string{"gpt-9", "does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, "unused", tt.env, tt.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			_ = cmd.Run()
			text := stderr.String()
			t.Log(text)
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if !strings.HasPrefix(text, "rag: ") || strings.Count(text, "\n") != 1 {
				t.Error("want one line")
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the error lacks %q", want)
				}
			}
			if strings.Contains(text, testKey) || strings.Contains(text, "wrong-key") {
				t.Error("the key is in the error")
			}
		})
	}
}
