package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/internal/mcpconfig"
)

// The test binary is the program when this variable is set.
const beProgram = "BABYAPI_MCP_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is a run of babyapi-mcp with nothing in its environment but what the test says.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{beProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	return cmd
}

// outcome runs it to its end.
func outcome(t *testing.T, cmd *exec.Cmd, stdin string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
		`"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`
	listTools = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
)

func toolCall(id, tool, arguments string) string {
	const call = `{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s}}`
	return fmt.Sprintf(call, id, tool, arguments)
}

func TestStartsWithoutAKey(t *testing.T) {
	stdout, stderr, code := outcome(t, program(t, nil), initialize+"\n"+listTools+"\n"+
		toolCall("3", "infer", `{"prompt":"x","model":"m"}`))
	if code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, want := range []string{`"name":"convert"`, `"name":"rerank"`, `"name":"infer"`, "no API key"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %s: %s", want, stdout)
		}
	}
	for line := range strings.Lines(stdout) {
		var m struct {
			Version string `json:"jsonrpc"`
		}
		if json.Unmarshal([]byte(line), &m) != nil || m.Version != "2.0" || !strings.HasSuffix(line, "\n") {
			t.Errorf("stdout holds what is no message: %q", line)
		}
	}
	if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "BABYAPI_API_KEY") {
		t.Errorf("stderr %q, want one line that names BABYAPI_API_KEY", stderr)
	}
}

func TestFlags(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		env    []string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"help", nil, []string{"--help"}, 0, "--root FOLDER", ""},
		{"version", nil, []string{"--version"}, 0, "babyapi-mcp v", ""},
		{"config", nil, []string{"--print-config", "zed"}, 0, "context_servers", ""},
		{"unknown client", nil, []string{"--print-config", "emacs"}, 2, "", "claude-desktop"},
		{"unknown flag", nil, []string{"--port", "80"}, 2, "", "-port"},
		{"unknown tool", nil, []string{"--tools", "embed"}, 2, "", `tool "embed"`},
		{"unknown tool in the environment", []string{"BABYAPI_MCP_TOOLS=chunk"}, nil, 2, "", `tool "chunk"`},
		{"missing root", nil, []string{"--root", filepath.Join(dir, "no")}, 2, "", filepath.Join(dir, "no")},
		{"root that is a file", nil, []string{file}, 2, "", file},
		{"missing root in the environment",
			[]string{"BABYAPI_MCP_ROOTS=" + dir + string(os.PathListSeparator) + "/no/such"}, nil, 2, "", "/no/such"},
		{"base url", nil, []string{"--base-url", "ftp://x"}, 2, "", "ftp://x"},
		{"base url in the environment", []string{"BABYAPI_BASE_URL=nonsense"}, nil, 2, "", "nonsense"},
		{"wait", nil, []string{"--wait", "soon"}, 2, "", "BABYAPI_MCP_WAIT"},
		{"wait too long", []string{"BABYAPI_MCP_WAIT=1000"}, nil, 2, "", "600 s"},
		{"timeout", []string{"BABYAPI_MCP_TIMEOUT=-1"}, nil, 2, "", "BABYAPI_MCP_TIMEOUT"},
		{"max file", []string{"BABYAPI_MCP_MAX_FILE=big"}, nil, 2, "", "megabytes"},
		{"log level", []string{"BABYAPI_MCP_LOG=loud"}, nil, 2, "", "debug, info, warn or error"},
		{"log file", nil, []string{"--log-file", filepath.Join(dir, "no", "x.log")}, 2, "", "--log-file"},
		{"key that no header may carry", []string{"BABYAPI_API_KEY=sk-secret\nline"}, nil, 2, "", "API key"},
		{"folders without a flag", []string{"BABYAPI_API_KEY=k"}, []string{dir, dir}, 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := outcome(t, program(t, tt.env, tt.args...), "")
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout, tt.stdout) || tt.stdout == "" && stdout != "" {
				t.Errorf("stdout %q, want %q", stdout, tt.stdout)
			}
			if !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("stderr %q, want %q", stderr, tt.stderr)
			}
			if strings.Contains(stderr, "sk-secret") {
				t.Errorf("stderr holds the key: %q", stderr)
			}
		})
	}
}

func TestVersionIsTheServersVersion(t *testing.T) {
	stdout, _, _ := outcome(t, program(t, nil), initialize)
	var m struct {
		Result struct {
			ServerInfo struct{ Version string } `json:"serverInfo"`
		}
	}
	if err := json.Unmarshal([]byte(stdout), &m); err != nil {
		t.Fatal(err)
	}
	if v := m.Result.ServerInfo.Version; v == "" || !strings.HasPrefix(versionLine(), "babyapi-mcp "+v+" (") {
		t.Errorf("serverInfo.version is %q, want that of --version, %q", v, versionLine())
	}
}

// Every client's snippet is in the help of none but printed as it is pasted.
func TestPrintConfig(t *testing.T) {
	for _, client := range mcpconfig.Clients() {
		want, err := mcpconfig.Snippet(client, mcpconfig.Example())
		if err != nil {
			t.Fatal(err)
		}
		if stdout, _, code := outcome(t, program(t, nil, "--print-config", client), ""); code != 0 || stdout != want {
			t.Errorf("%s: got %q, %d, want %q", client, stdout, code, want)
		}
	}
}

func TestLogFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mcp.log")
	secret := "the document's content"
	_, stderr, code := outcome(t,
		program(t, []string{"BABYAPI_API_KEY=sk-secret-key", "BABYAPI_BASE_URL=http://127.0.0.1:1"}, "--log", "debug",
			"--log-file", name),
		toolCall("3", "infer", `{"prompt":"`+secret+`","model":"m"}`))
	log, err := os.ReadFile(name)
	if err != nil || code != 0 || stderr != "" {
		t.Fatalf("%v, %d, stderr %q", err, code, stderr)
	}
	if !bytes.Contains(log, []byte("tool=infer")) || bytes.Contains(log, []byte(secret)) ||
		bytes.Contains(log, []byte("sk-secret")) {
		t.Errorf("the log is %s, want the tool, and neither the prompt nor the key", log)
	}
}

// running is a program with its pipes.
type running struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // has ended where the test passed
	return &running{cmd, stdin, bufio.NewReaderSize(stdout, 1<<20)}
}

func (r *running) send(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(r.stdin, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (r *running) line(t *testing.T) string {
	t.Helper()
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("the output ended: %v", err)
	}
	return line
}

// slowService accepts requests and never answers them; it tells of each that came and that left.
func slowService(t *testing.T) (url string, came, left chan string) {
	t.Helper()
	came, left = make(chan string, 10), make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- r.URL.Path
		<-r.Context().Done()
		left <- r.URL.Path
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL, came, left
}

func TestCancelReachesTheService(t *testing.T) {
	url, came, left := slowService(t)
	r := start(t, program(t, []string{"BABYAPI_API_KEY=k", "BABYAPI_BASE_URL=" + url}))
	r.send(t, toolCall(`"a"`, "infer", `{"prompt":"x","model":"m"}`))
	<-came
	r.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}`)
	<-left
	r.send(t, `{"jsonrpc":"2.0","id":"b","method":"ping"}`)
	if line := r.line(t); !strings.Contains(line, `"id":"b"`) {
		t.Errorf("a cancelled call was answered: %s", line)
	}
}

// A file of 100 MB is uploaded without being held in memory.
func TestUploadStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("100 MB are uploaded over loopback: run without -short")
	}
	const size = 100 << 20
	var uploaded int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/async"):
			uploaded, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, `{"task_id":"t","task_status":"pending"}`)
		case strings.Contains(r.URL.Path, "/status/"):
			fmt.Fprint(w, `{"task_id":"t","task_status":"success"}`)
		default:
			fmt.Fprint(w, `{"document":{"filename":"a.pdf","md_content":"done"},"status":"success","errors":[]}`)
		}
	}))
	defer service.Close()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.pdf"), []byte("%PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "a.pdf"), size); err != nil {
		t.Fatal(err)
	}
	r := start(t, program(t, []string{"BABYAPI_API_KEY=k", "BABYAPI_BASE_URL=" + service.URL}, "--root", root))
	r.send(t, initialize)
	r.line(t)
	before := residentMemory(t, r.cmd.Process.Pid)
	r.send(t, toolCall("5", "convert", `{"source":"a.pdf"}`))
	if line := r.line(t); !strings.Contains(line, "done") {
		t.Fatalf("got %s", line)
	}
	if uploaded < size {
		t.Errorf("the service got %d bytes, want %d", uploaded, size)
	}
	if grown := residentMemory(t, r.cmd.Process.Pid) - before; grown > 20<<20 {
		t.Errorf("the peak of resident memory grew by %d MB for a file of %d MB", grown>>20, size>>20)
	}
	if err := r.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v, want exit code 0", err)
	}
}

func TestUnreachableService(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close() // so that nobody listens there
	stdout, _, code := outcome(t, program(t, []string{"BABYAPI_API_KEY=k"}, "--base-url", url, "--rerank-model", "m"),
		toolCall("3", "rerank", `{"query":"x","texts":["a"]}`))
	if code != 0 || !strings.Contains(stdout, "cannot reach "+url) || !strings.Contains(stdout, `"isError":true`) {
		t.Errorf("exit code %d, stdout %s, want 0 and an error that names %s", code, stdout, url)
	}
}

// waitEnd waits for the end of a program that must not live on.
func waitEnd(t *testing.T, r *running) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- r.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the program lives on")
		return nil
	}
}
