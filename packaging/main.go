// Command packaging builds what a release carries for MCP clients: a bundle
// (.mcpb) that Claude Desktop installs with a double click, and server.json for
// the MCP registry.
//
//	go run ./packaging [-version 0.1.0] [-out dist]
package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/mcp"
)

const (
	module     = "github.com/babyapi-org/babyapi-go"
	repository = "https://" + module
	summary    = "Reads documents in parts, ranks passages and asks open-weight models, on BabyAPI."
)

//go:embed launch.sh
var launcher []byte

func main() {
	version := flag.String("version", babyclient.Version, "`version` of the release, without the v")
	out := flag.String("out", "dist", "`folder` to write to")
	flag.Parse()
	if err := build(context.Background(), strings.TrimPrefix(*version, "v"), *out, platforms); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// platform is a system that the bundle runs on.
type platform struct{ os, arch string }

var platforms = []platform{{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}}

func (p platform) program() string {
	name := fmt.Sprintf("babyapi-mcp-%s-%s", p.os, p.arch)
	if p.os == "windows" {
		name += ".exe"
	}
	return name
}

// build writes the bundle and server.json.
func build(ctx context.Context, version, out string, platforms []platform) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // what is built is meant to be read
		return err
	}
	programs, err := os.MkdirTemp("", "babyapi-mcp-") // outside of out, which is published
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(programs) }() // of no use afterwards
	for _, p := range platforms {
		fmt.Fprintf(os.Stdout, "building %s\n", p.program())
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.release=v"+version, "-o", filepath.Join(programs, p.program()), module+"/cmd/babyapi-mcp") //nolint:gosec // our own program
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building %s: %w", p.program(), err)
		}
	}
	tools, err := listTools(ctx)
	if err != nil {
		return err
	}
	manifest, err := indent(newManifest(version, tools))
	if err != nil {
		return err
	}
	bundle := filepath.Join(out, "babyapi-mcp.mcpb")
	hash, err := writeBundle(bundle, manifest, programs, platforms)
	if err != nil {
		return fmt.Errorf("writing %s: %w", bundle, err)
	}
	server, err := indent(newServerJSON(version, hash))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "server.json"), server, 0o644); err != nil { //nolint:gosec // meant to be read
		return err
	}
	fmt.Fprintf(os.Stdout, "%s and %s are written\n", bundle, filepath.Join(out, "server.json"))
	return nil
}

// toolInfo is what the manifest says of a tool.
type toolInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// listTools asks the server itself, so that the manifest cannot differ.
func listTools(ctx context.Context) ([]toolInfo, error) {
	client, err := babyclient.New()
	if err != nil {
		return nil, err
	}
	server, err := mcp.NewServer(client)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	raw, err := json.Marshal(server.MCPServer().HandleMessage(ctx, json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result struct{ Tools []toolInfo }
	}
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Result.Tools) == 0 {
		return nil, fmt.Errorf("the server lists no tools: %s (%w)", raw, err)
	}
	return answer.Result.Tools, nil
}

type object = map[string]any

// newManifest is manifest.json of the bundle (manifest version 0.3).
func newManifest(version string, tools []toolInfo) object {
	const roots = "${user_config.roots}" // several folders become several arguments
	return object{
		"manifest_version": "0.3",
		"name":             "babyapi-mcp",
		"display_name":     "BabyAPI",
		"version":          version,
		"description":      summary,
		"author":           object{"name": "BabyAPI", "url": repository},
		"repository":       object{"type": "git", "url": repository},
		"license":          "MIT",
		"keywords":         []string{"documents", "pdf", "ocr", "rerank", "llm"},
		"tools":            tools,
		"compatibility":    object{"platforms": []string{"darwin", "win32", "linux"}},
		"server": object{
			"type":        "binary",
			"entry_point": "server/launch.sh",
			"mcp_config": object{
				"command": "sh",
				"args":    []string{"${__dirname}/server/launch.sh", roots},
				"env":     object{"BABYAPI_API_KEY": "${user_config.api_key}"},
				"platform_overrides": object{"win32": object{
					"command": "${__dirname}/server/" + platform{"windows", "amd64"}.program(),
					"args":    []string{roots},
				}},
			},
		},
		"user_config": object{
			"api_key": object{"type": "string", "title": "BabyAPI key", "description": "The key of your BabyAPI account", "sensitive": true, "required": true},
			"roots":   object{"type": "directory", "title": "Folders", "description": "The folders whose documents may be read", "multiple": true, "required": true, "default": []string{"${DOCUMENTS}"}},
		},
	}
}

// newServerJSON is server.json for the MCP registry.
func newServerJSON(version, bundleHash string) object {
	return object{
		"$schema":     "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
		"name":        "io.github.babyapi-org/babyapi-mcp",
		"title":       "BabyAPI",
		"description": summary,
		"version":     version,
		"repository":  object{"url": repository, "source": "github"},
		"packages": []object{{
			"registryType": "mcpb",
			"identifier":   fmt.Sprintf("%s/releases/download/v%s/babyapi-mcp.mcpb", repository, version),
			"version":      version,
			"fileSha256":   bundleHash,
			"transport":    object{"type": "stdio"},
			"environmentVariables": []object{
				{"name": "BABYAPI_API_KEY", "description": "The key of your BabyAPI account", "isRequired": true, "isSecret": true, "format": "string"},
				{"name": "BABYAPI_MCP_ROOTS", "description": "The folders whose documents may be read", "format": "string"},
			},
		}},
	}
}

func indent(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// writeBundle writes the zip that a bundle is, and returns its SHA-256. The same sources give
// the same bytes.
func writeBundle(name string, manifest []byte, programs string, platforms []platform) (hash string, err error) {
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	z := zip.NewWriter(io.MultiWriter(f, sum))
	add := func(name string, mode os.FileMode, content io.Reader) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, content)
		return err
	}
	if err := add("manifest.json", 0o644, strings.NewReader(string(manifest))); err != nil {
		return "", err
	}
	if err := add("server/launch.sh", 0o755, strings.NewReader(string(launcher))); err != nil {
		return "", err
	}
	for _, p := range platforms {
		program, err := os.Open(filepath.Join(programs, p.program()))
		if err != nil {
			return "", err
		}
		err = errors.Join(add("server/"+p.program(), 0o755, program), program.Close())
		if err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
