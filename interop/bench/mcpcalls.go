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
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// mcpCalls is what our MCP server adds to a call, in wall time: an agent waits for one answer at a time.
type mcpCalls struct {
	Overhead time.Duration // median of a call of infer, less the median of the same call with the client alone
	Busy     time.Duration // longest of several pings while 32 calls wait for the service
}

const waitingCalls = 32

// measureMCPCalls calls infer in front of a service that answers at once, or, to a prompt that says so, not at all.
func measureMCPCalls(ctx context.Context, bin string, n int) (*mcpCalls, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	waiting := make(chan struct{}, waitingCalls)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "wait") {
			waiting <- struct{}{}
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"model":"m","output":"An answer.","finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}`)
	}))
	defer srv.Close()
	defer srv.CloseClientConnections()

	client, err := babyclient.New(babyclient.WithAPIKey("k"), babyclient.WithBaseURL(srv.URL))
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

	cmd := exec.CommandContext(ctx, bin, "--base-url", srv.URL, "--model", "m") //nolint:gosec // our own program
	cmd.Env = append(os.Environ(), "BABYAPI_API_KEY=k")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill() // its calls wait for a service that never answers
		_ = cmd.Wait()
	}()
	lines := bufio.NewReaderSize(stdout, 1<<20)
	id := 0
	send := func(method string, params any) error {
		id++
		_, err := stdin.Write(append(mustJSON(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}), '\n'))
		return err
	}
	call := func(method string, params any) error {
		if err := send(method, params); err != nil {
			return err
		}
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return err
			}
			var m struct {
				ID     json.RawMessage
				Error  json.RawMessage
				Result struct{ IsError bool }
			}
			if err := json.Unmarshal(line, &m); err != nil {
				return fmt.Errorf("%.100q: %w", line, err)
			}
			if string(m.ID) != strconv.Itoa(id) {
				continue
			}
			if m.Error != nil || m.Result.IsError {
				return fmt.Errorf("%s: %.200s", method, line)
			}
			return nil
		}
	}
	if err := call("initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "bench", "version": "1"}}); err != nil {
		return nil, err
	}
	infer := func(prompt string) map[string]any {
		return map[string]any{"name": "infer", "arguments": map[string]any{"prompt": prompt}}
	}
	through, err := median(n, func() error { return call("tools/call", infer("a question")) })
	if err != nil {
		return nil, err
	}
	out := &mcpCalls{Overhead: through - direct}
	for range waitingCalls {
		if err := send("tools/call", infer("wait")); err != nil {
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
	for range 20 {
		start := time.Now()
		if err := call("ping", map[string]any{}); err != nil {
			return nil, err
		}
		out.Busy = max(out.Busy, time.Since(start))
	}
	return out, nil
}

// mcpCallsCost is the best of several runs: other work on the machine can only add.
func mcpCallsCost(ctx context.Context, o options, tmp string) (*mcpCalls, error) {
	bin, err := build(ctx, o.dir+"/..", tmp, "./cmd/babyapi-mcp")
	if err != nil {
		return nil, err
	}
	n := 500
	if o.quick {
		n = 20
	}
	var best *mcpCalls
	for range min(o.rounds, 3) {
		c, err := measureMCPCalls(ctx, bin, n)
		if err != nil {
			return nil, err
		}
		if best == nil {
			best = c
		}
		best.Overhead, best.Busy = min(best.Overhead, c.Overhead), min(best.Busy, c.Busy)
	}
	return best, nil
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
