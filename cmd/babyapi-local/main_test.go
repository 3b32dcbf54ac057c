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
	cmd = command(t.Context(), append([]string{"--addr", "127.0.0.1:0", "--chat-url", server, "--embed-url", server, "--docling-url", server}, args...)...)
	cmd.Stderr = os.Stderr
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
		t.Fatalf("it printed %q", line)
	}
	return cmd, base, rest
}

func TestServeUntilSignal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send SIGTERM: run this test on Linux or macOS")
	}
	cmd, base, rest := start(t, server.URL)
	line, err := rest.ReadString('\n')
	if err != nil || line != "export BABYAPI_API_KEY=local\n" {
		t.Errorf("%q, %v", line, err)
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
		t.Errorf("it ended with %v", err)
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	cmd, _, rest := start(t, "http://127.0.0.1:1", "--api-key", "s3cret")
	line, err := rest.ReadString('\n')
	if err != nil || strings.Contains(line, "s3cret") || !strings.Contains(line, "BABYAPI_API_KEY") {
		t.Errorf("%q, %v", line, err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func TestBadArguments(t *testing.T) {
	folder := t.TempDir()
	tests := map[string]struct {
		args []string
		want string
	}{
		"an unknown command": {[]string{"run"}, `babyapi-local: there is no command "run"; see babyapi-local --help`},
		"an argument":        {[]string{"serve", "x"}, `there is no argument "x"`},
		"an unknown flag":    {[]string{"--nothing"}, "flag provided but not defined: -nothing"},
		"an open address":    {[]string{"--addr", "0.0.0.0:8787"}, "would be open to other machines"},
		"a missing model":    {[]string{"--chat-model", filepath.Join(folder, "x.gguf")}, "the chat model must be a GGUF file"},
		"an unfit Python":    {[]string{"setup", "--python", filepath.Join(folder, "python9")}, "python9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := command(t.Context(), tt.args...)
			cmd.Env = append(cmd.Env, "BABYAPI_LOCAL_CACHE="+folder)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("%v, %s, want exit code 1 and %s", err, stderr.String(), tt.want)
			}
		})
	}
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
	t.Fatal("no VmHWM")
	return 0
}
