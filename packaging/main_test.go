package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func built(t *testing.T) (out string) {
	t.Helper()
	host := platform{runtime.GOOS, runtime.GOARCH}
	if !slices.Contains(platforms, host) {
		t.Skipf("the bundle has no program for %s on %s", host.os, host.arch)
	}
	out = t.TempDir()
	if err := build(t.Context(), "1.2.3", out, []platform{host}); err != nil {
		t.Fatal(err)
	}
	return out
}

func decode(t *testing.T, text []byte) (v object) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The bundle, unpacked as a client does it that loses the permission to execute, starts by its
// manifest and lists the tools that the manifest lists.
func TestBundleRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the launcher is a shell script: on Windows the program is started itself")
	}
	out := built(t)
	z, err := zip.OpenReader(filepath.Join(out, "babyapi-mcp.mcpb"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close() //nolint:errcheck // only read from
	dir := t.TempDir()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Name != "manifest.json" && f.Mode().Perm() != 0o755 {
			t.Errorf("%s has mode %s", f.Name, f.Mode())
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"manifest.json", "server/launch.sh", "server/" + (platform{runtime.GOOS, runtime.GOARCH}).program()}; !slices.Equal(names, want) {
		t.Errorf("the bundle holds %q, want %q", names, want)
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Version string
		Tools   []toolInfo
		Server  struct {
			Config struct {
				Command string
				Args    []string
			} `json:"mcp_config"`
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, a := range manifest.Server.Config.Args {
		if a == "${user_config.roots}" {
			args = append(args, t.TempDir(), t.TempDir())
			continue
		}
		args = append(args, strings.ReplaceAll(a, "${__dirname}", dir))
	}
	cmd := exec.CommandContext(t.Context(), manifest.Server.Config.Command, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "BABYAPI_API_KEY=k"}
	cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s", err, &stderr)
	}
	if !bytes.Contains(stdout, []byte(`"version":"v1.2.3"`)) {
		t.Errorf("another version than the release's: %s", stdout)
	}
	var listed struct {
		Result struct{ Tools []toolInfo }
	}
	for line := range bytes.Lines(stdout) {
		if bytes.Contains(line, []byte(`"tools":[`)) {
			if err := json.Unmarshal(line, &listed); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(listed.Result.Tools) != 3 || !slices.Equal(listed.Result.Tools, manifest.Tools) {
		t.Errorf("the manifest lists %v, the server %v", manifest.Tools, listed.Result.Tools)
	}
}

// server.json names the bundle by the hash that it has, in the form that the registry wants.
func TestServerJSON(t *testing.T) {
	out := built(t)
	bundle, err := os.ReadFile(filepath.Join(out, "babyapi-mcp.mcpb"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "server.json"))
	if err != nil {
		t.Fatal(err)
	}
	server := decode(t, text)
	sum := sha256.Sum256(bundle)
	packages := server["packages"].([]any)[0].(object)
	if packages["fileSha256"] != hex.EncodeToString(sum[:]) {
		t.Errorf("fileSha256 %v is not the bundle's", packages["fileSha256"])
	}
	if n := len(server["description"].(string)); n < 1 || n > 100 {
		t.Errorf("the description has %d characters, want 1 to 100", n)
	}
	if name := server["name"].(string); !regexp.MustCompile(`^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$`).MatchString(name) {
		t.Errorf("name %q", name)
	}
	if id := packages["identifier"].(string); id != "https://github.com/babyapi-org/babyapi-go/releases/download/v1.2.3/babyapi-mcp.mcpb" {
		t.Errorf("identifier %q", id)
	}
}

// The same sources give the same bytes, or the hash in the registry is that of no bundle.
func TestBundleIsReproducible(t *testing.T) {
	dir := t.TempDir()
	p := platform{"linux", "amd64"}
	if err := os.WriteFile(filepath.Join(dir, p.program()), []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := writeBundle(filepath.Join(dir, "a"), []byte("{}"), dir, []platform{p})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := writeBundle(filepath.Join(dir, "b"), []byte("{}"), dir, []platform{p}); err != nil || a != b {
		t.Errorf("got %s, then %s, %v", a, b, err)
	}
}
