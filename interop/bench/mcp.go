package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// mcpSession is a client of an MCP server over stdio.
type mcpSession struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	id     int // of the last request
}

// startMCP starts a server and says hello.
func startMCP(ctx context.Context, env []string, args ...string) (*mcpSession, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the servers below
	cmd.Env = append(os.Environ(), env...)
	stdin, stdout, err := startPiped(cmd)
	if err != nil {
		return nil, err
	}
	s := &mcpSession{cmd: cmd, stdin: stdin, stdout: bufio.NewReaderSize(stdout, 1<<20)}
	hello := map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "bench", "version": "1"}}
	if _, err := s.call("initialize", hello); err != nil {
		s.kill()
		return nil, fmt.Errorf("%s: %w", filepath.Base(args[0]), err)
	}
	return s, s.write(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
}

func (s *mcpSession) write(message map[string]any) error {
	_, err := s.stdin.Write(append(mustJSON(message), '\n'))
	return err
}

// send sends a request and does not wait for its answer.
func (s *mcpSession) send(method string, params any) error {
	s.id++
	return s.write(map[string]any{"jsonrpc": "2.0", "id": s.id, "method": method, "params": params})
}

// call sends a request and returns the result in its answer.
func (s *mcpSession) call(method string, params any) (json.RawMessage, error) {
	if err := s.send(method, params); err != nil {
		return nil, err
	}
	for {
		line, err := s.stdout.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		var m struct {
			ID            json.RawMessage
			Method        string
			Result, Error json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, fmt.Errorf("%.100q: %w", line, err)
		}
		if m.Method != "" || string(m.ID) != strconv.Itoa(s.id) {
			continue // the server's own, or the answer to an earlier request
		}
		if m.Error != nil || strings.Contains(string(m.Result), `"isError":true`) {
			return nil, fmt.Errorf("%s: %.200s", method, line)
		}
		return m.Result, nil
	}
}

// ping returns how long the server takes for the shortest question.
func (s *mcpSession) ping() (time.Duration, error) {
	start := time.Now()
	_, err := s.call("ping", map[string]any{})
	return time.Since(start), err
}

// close ends the input, at which a server ends, and returns the CPU time that it took.
func (s *mcpSession) close() (time.Duration, error) {
	_ = s.stdin.Close()
	err := s.cmd.Wait()
	if s.cmd.ProcessState.ExitCode() <= 0 { // a signal is a way to end for some
		err = nil
	}
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime(), err
}

func (s *mcpSession) kill() {
	_ = s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// The MCP servers.
const (
	ourMCP     = "babyapi-mcp"
	doclingMCP = "docling-mcp"
	nodeMCP    = "server-filesystem"
)

// nodeMCPVersion is that of the reference server of the MCP project, on Node.
const nodeMCPVersion = "2026.8.31"

// mcpServers returns what starts our server and those to compare with, as far as they can be had.
func (r *run) mcpServers(ctx context.Context, ourProgram string) map[string][]string {
	servers := map[string][]string{ourMCP: {ourProgram}}
	if r.quick {
		return servers
	}
	if python, err := r.python(ctx, doclingMCP); err == nil {
		script := filepath.Join(filepath.Dir(python), "docling-mcp-server")
		servers[doclingMCP] = []string{script, "--transport", "stdio"}
	} else {
		r.skip(doclingMCP, err)
	}
	if script, err := installNodeMCP(ctx); err == nil {
		servers[nodeMCP] = []string{"node", script, r.tmp}
	} else {
		r.skip("an MCP server on Node", err)
	}
	return servers
}

// installNodeMCP installs the reference server at the first run, and returns its script.
func installNodeMCP(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "babyapi-bench", "node")
	script := filepath.Join(dir, "node_modules", "@modelcontextprotocol", nodeMCP, "dist", "index.js")
	if _, err := os.Stat(script); err == nil {
		return script, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	args := []string{"install", "--no-save", "--ignore-scripts", "--prefix", dir,
		"@modelcontextprotocol/" + nodeMCP + "@" + nodeMCPVersion}
	text, err := exec.CommandContext(ctx, "npm", args...).CombinedOutput() //nolint:gosec // into our own folder
	if err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, lastLine(text))
	}
	return script, nil
}

// compareMCPServers measures each server from its start to its list of tools.
func (r *run) compareMCPServers(ctx context.Context) error {
	r.say("MCP servers")
	program, err := r.build(ctx, r.folder+"/..", "./cmd/babyapi-mcp")
	if err != nil {
		return err
	}
	servers := r.mcpServers(ctx, program)
	for range min(r.rounds, 3) {
		for name, args := range servers {
			found, err := measureMCPServer(ctx, args)
			if err != nil {
				return err
			}
			r.results.keep(key("mcp", name), found)
		}
		found, err := measureMCPCalls(ctx, program, map[bool]int{true: 20, false: 500}[r.quick])
		if err != nil {
			return err
		}
		r.results.keep(mcpCalls, found)
	}
	return nil
}

func measureMCPServer(ctx context.Context, args []string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	start := time.Now()
	s, err := startMCP(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	tools, err := s.call("tools/list", map[string]any{})
	if err != nil || !strings.Contains(string(tools), `"tools"`) {
		return nil, fmt.Errorf("no tools in %.100s: %w", tools, err)
	}
	found := result{
		wallNs:    float64(time.Since(start)),
		listBytes: float64(len(tools)),
		liveBytes: residentMemory(s.cmd.Process.Pid),
	}
	spent, err := s.close()
	if err != nil {
		return nil, err
	}
	found[cpuNs] = float64(spent)

	// The pings go to a server of their own: their CPU time is not part of the start.
	if s, err = startMCP(ctx, nil, args...); err != nil {
		return nil, err
	}
	defer s.kill()
	took, err := median(200, func() error { _, err := s.ping(); return err })
	found[pingNs] = float64(took)
	return found, err
}

// residentMemory is that of a process as Linux says, 0 elsewhere.
func residentMemory(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, text, _ := strings.Cut(string(status), "\nVmRSS:")
	var kib float64
	if _, err := fmt.Sscan(text, &kib); err != nil {
		return 0
	}
	return kib * 1024
}

const (
	mcpCalls     = "mcp-calls" // wall: what our server adds to a call; ping: while calls wait
	waitingCalls = 32
)

// measureMCPCalls compares calls of infer through our MCP server with the same calls of the client
// alone, and pings the server while calls wait for the service. It measures wall time: an agent
// waits for one answer at a time.
func measureMCPCalls(ctx context.Context, program string, n int) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	waiting := make(chan struct{}, waitingCalls)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "wait") {
			waiting <- struct{}{}
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"model":"m","output":"An answer.","finish_reason":"stop",`+
			`"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}`)
	}))
	defer service.Close()
	defer service.CloseClientConnections()

	client, err := babyclient.New(babyclient.WithAPIKey("k"), babyclient.WithBaseURL(service.URL))
	if err != nil {
		return nil, err
	}
	direct, err := median(n, func() error {
		_, err := client.Infer(ctx, &babyclient.InferRequest{Model: "m", Prompt: "a question"})
		return err
	})
	if err != nil {
		return nil, err
	}
	s, err := startMCP(ctx, []string{"BABYAPI_API_KEY=k"}, program, "--base-url", service.URL, "--model", "m")
	if err != nil {
		return nil, err
	}
	defer s.kill() // its calls wait for a service that never answers
	infer := func(prompt string) map[string]any {
		return map[string]any{"name": "infer", "arguments": map[string]any{"prompt": prompt}}
	}
	through, err := median(n, func() error {
		_, err := s.call("tools/call", infer("a question"))
		return err
	})
	if err != nil {
		return nil, err
	}
	for range waitingCalls {
		if err := s.send("tools/call", infer("wait")); err != nil {
			return nil, err
		}
	}
	for range waitingCalls {
		select {
		case <-waiting:
		case <-ctx.Done():
			return nil, fmt.Errorf("the service was not asked %d times at once: %w", waitingCalls, ctx.Err())
		}
	}
	var longest time.Duration
	for range 20 {
		took, err := s.ping()
		if err != nil {
			return nil, err
		}
		longest = max(longest, took)
	}
	return result{wallNs: float64(through - direct), pingNs: float64(longest)}, nil
}

func median(n int, f func() error) (time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[n/2], nil
}
