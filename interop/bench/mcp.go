package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mcpCost is what an MCP server takes from its start to its list of tools.
type mcpCost struct {
	CPU, Wall time.Duration
	Resident  int64         // bytes of memory while idle after that, 0 where the system does not tell
	List      int           // bytes of the list
	Ping      time.Duration // median
}

// mcpServers are ours and those to compare with, as far as they can be had.
func mcpServers(ctx context.Context, o options, tmp string, skip func(what string, err error)) (map[string][]string, error) {
	bin, err := build(ctx, o.dir+"/..", tmp, "./cmd/babyapi-mcp")
	if err != nil {
		return nil, err
	}
	out := map[string][]string{"babyapi-mcp": {bin}}
	if o.quick {
		return out, nil
	}
	if python, err := pythonEnv(ctx, o, "docling-mcp"); err == nil {
		out["docling-mcp"] = []string{filepath.Join(filepath.Dir(python), "docling-mcp-server"), "--transport", "stdio"}
	} else {
		skip("docling-mcp", err)
	}
	if script, err := nodeServer(ctx); err == nil {
		out["server-filesystem"] = []string{"node", script, tmp}
	} else {
		skip("an MCP server on Node", err)
	}
	return out, nil
}

// nodeServer installs the reference server of the MCP project at the first run, and returns its script.
func nodeServer(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "babyapi-bench", "node")
	script := filepath.Join(dir, "node_modules", "@modelcontextprotocol", "server-filesystem", "dist", "index.js")
	if _, err := os.Stat(script); err == nil {
		return script, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	text, err := exec.CommandContext(ctx, "npm", "install", "--no-save", "--ignore-scripts", "--prefix", dir, "@modelcontextprotocol/server-filesystem@2026.8.31").CombinedOutput() //nolint:gosec // our own folder
	if err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, lastLine(text))
	}
	return script, nil
}

func measureMCP(ctx context.Context, args []string, pings int) (*mcpCost, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the servers above
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c, err := talkMCP(stdin, bufio.NewReaderSize(stdout, 1<<20), cmd.Process.Pid, start, pings)
	_ = stdin.Close()
	if wait := cmd.Wait(); err == nil && cmd.ProcessState.ExitCode() > 0 {
		err = wait
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(args[0]), err)
	}
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return c, nil
}

func talkMCP(stdin io.Writer, stdout *bufio.Reader, pid int, start time.Time, pings int) (*mcpCost, error) {
	id := 0
	call := func(method string, params any) (json.RawMessage, error) {
		id++
		if _, err := stdin.Write(append(mustJSON(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}), '\n')); err != nil {
			return nil, err
		}
		for {
			line, err := stdout.ReadBytes('\n')
			if err != nil {
				return nil, err
			}
			var m struct {
				ID     json.RawMessage
				Method string
				Result json.RawMessage
				Error  json.RawMessage
			}
			if err := json.Unmarshal(line, &m); err != nil {
				return nil, fmt.Errorf("%.100q: %w", line, err)
			}
			if m.Method != "" || string(m.ID) != strconv.Itoa(id) {
				continue
			}
			if m.Error != nil {
				return nil, fmt.Errorf("%s: %s", method, m.Error)
			}
			return m.Result, nil
		}
	}
	if _, err := call("initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "bench", "version": "1"}}); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(stdin, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"); err != nil {
		return nil, err
	}
	list, err := call("tools/list", map[string]any{})
	if err != nil {
		return nil, err
	}
	c := &mcpCost{Wall: time.Since(start), List: len(list), Resident: resident(pid)}
	if !strings.Contains(string(list), `"tools"`) {
		return nil, fmt.Errorf("no tools in %.100s", list)
	}
	var took []time.Duration
	for range pings {
		start := time.Now()
		if _, err := call("ping", map[string]any{}); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	if slices.Sort(took); len(took) > 0 {
		c.Ping = took[len(took)/2]
	}
	return c, nil
}

// resident is the memory of a process as Linux tells it, 0 elsewhere.
func resident(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")), 10, 64)
			if err == nil {
				return n << 10
			}
		}
	}
	return 0
}

func mcpServersCost(ctx context.Context, o options, tmp string, skip func(string, error)) (map[string]*mcpCost, error) {
	servers, err := mcpServers(ctx, o, tmp, skip)
	if err != nil {
		return nil, err
	}
	out := map[string]*mcpCost{}
	for range min(o.rounds, 3) {
		for name, args := range servers {
			start, err := measureMCP(ctx, args, 0)
			if err != nil {
				return nil, err
			}
			pinged, err := measureMCP(ctx, args, 200)
			if err != nil {
				return nil, err
			}
			start.Ping = pinged.Ping
			if best := out[name]; best == nil {
				out[name] = start
			} else {
				best.CPU, best.Wall, best.Resident, best.Ping = min(best.CPU, start.CPU), min(best.Wall, start.Wall), min(best.Resident, start.Resident), min(best.Ping, start.Ping)
			}
		}
	}
	return out, nil
}
