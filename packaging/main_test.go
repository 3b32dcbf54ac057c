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

// packed builds babyapi-mcp for this machine alone, packs it, and returns the folder of the bundle.
func packed(t *testing.T) (out string) {
	t.Helper()
	host := platform{runtime.GOOS, runtime.GOARCH}
	if !slices.Contains(platforms, host) {
		t.Skipf("the bundle has no program for %s on %s", host.os, host.arch)
	}
	programs, out := t.TempDir(), t.TempDir()
	folder := filepath.Join(programs, "babyapi-mcp_"+host.os+"_"+host.arch+"_v1")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.release=v1.2.3",
		"-o", folder+string(filepath.Separator), "../cmd/babyapi-mcp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, text)
	}
	if err := pack(t.Context(), "1.2.3", programs, out, []platform{host}); err != nil {
		t.Fatalf("packing: %v", err)
	}
	return out
}

func TestBundleAndServerJSON(t *testing.T) {
	out := packed(t)
	t.Run("bundle", func(t *testing.T) { testBundleStarts(t, out) })
	t.Run("server.json", func(t *testing.T) { testServerJSON(t, out) })
}

// testBundleStarts unpacks the bundle as a client does that loses the permission to execute, starts
// the server by the manifest, and compares the tools that it lists with those of the manifest.
func testBundleStarts(t *testing.T, out string) {
	if runtime.GOOS == "windows" {
		t.Skip("the launcher is a shell script: on Windows the program is started itself")
	}
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
	program := platform{runtime.GOOS, runtime.GOARCH}.program()
	if want := []string{"manifest.json", "server/launch.sh", "server/" + program}; !slices.Equal(names, want) {
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
	cmd.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":` +
		`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("the server of the bundle: %v, stderr %q", err, &stderr)
	}
	if !bytes.Contains(stdout, []byte(`"version":"v1.2.3"`)) {
		t.Errorf("the server of the bundle does not say version v1.2.3: %s", stdout)
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

// testServerJSON checks that server.json has the hash of the bundle, in the form of the registry.
func testServerJSON(t *testing.T, out string) {
	bundle, err := os.ReadFile(filepath.Join(out, "babyapi-mcp.mcpb"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "server.json"))
	if err != nil {
		t.Fatal(err)
	}
	var server jsonObject
	if err := json.Unmarshal(text, &server); err != nil {
		t.Fatalf("server.json: %v", err)
	}
	sum := sha256.Sum256(bundle)
	packages := server["packages"].([]any)[0].(jsonObject)
	if want := hex.EncodeToString(sum[:]); packages["fileSha256"] != want {
		t.Errorf("fileSha256 is %v, that of the bundle is %s", packages["fileSha256"], want)
	}
	if n := len(server["description"].(string)); n < 1 || n > 100 {
		t.Errorf("the description has %d characters, want 1 to 100", n)
	}
	if name := server["name"].(string); !regexp.MustCompile(`^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$`).MatchString(name) {
		t.Errorf("the name %q is none that the registry takes", name)
	}
	if want := repository + "/releases/download/v1.2.3/babyapi-mcp.mcpb"; packages["identifier"] != want {
		t.Errorf("the identifier is %v, want %s", packages["identifier"], want)
	}
}

// The hash in the registry would be that of no bundle if the same programs gave other bytes.
func TestSameProgramsGiveTheSameBundle(t *testing.T) {
	dir := t.TempDir()
	linux := platform{"linux", "amd64"}
	writeProgram(t, dir, "babyapi-mcp_linux_amd64_v1", "babyapi-mcp")
	var hashes []string
	for _, name := range []string{"a", "b"} {
		hash, err := writeBundle(filepath.Join(dir, name), []byte("{}"), dir, []platform{linux})
		if err != nil {
			t.Fatalf("bundle %s: %v", name, err)
		}
		hashes = append(hashes, hash)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("the first bundle has the hash %s, the second %s", hashes[0], hashes[1])
	}
}

// A program that is missing, or there twice, must not become a bundle that lacks a platform.
func TestEachPlatformHasOneProgram(t *testing.T) {
	dir := t.TempDir()
	writeProgram(t, dir, "babyapi-mcp_linux_amd64_v1", "babyapi-mcp")
	writeProgram(t, dir, "babyapi-mcp_windows_amd64_v1", "babyapi-mcp.exe")
	writeProgram(t, dir, "babyapi-mcp_linux_arm64_v8.0", "babyapi-mcp")
	writeProgram(t, dir, "babyapi-mcp_linux_arm64_v9.0", "babyapi-mcp")
	for platform, want := range map[platform]string{
		{"linux", "amd64"}:   filepath.Join(dir, "babyapi-mcp_linux_amd64_v1", "babyapi-mcp"),
		{"windows", "amd64"}: filepath.Join(dir, "babyapi-mcp_windows_amd64_v1", "babyapi-mcp.exe"),
		{"linux", "arm64"}:   "", // twice
		{"darwin", "arm64"}:  "", // missing
	} {
		if got, err := platform.find(dir); got != want || (err == nil) != (want != "") {
			t.Errorf("the program for %v: got %q, %v, want %q", platform, got, err, want)
		}
	}
}

func writeProgram(t *testing.T, dir, folder, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, folder, name), []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
}
