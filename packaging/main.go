// Command packaging puts together what a release carries for MCP clients, from programs that are
// already built: a bundle (.mcpb) that Claude Desktop installs with a double click, and server.json
// for the MCP registry.
//
//	go run ./packaging -programs dist [-version 0.1.0] [-out dist]
package main

import (
	"archive/zip"
	"bytes"
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
	"path/filepath"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/mcp"
)

const repository = "https://github.com/babyapi-org/babyapi-go"

var (
	//go:embed launch.sh
	launcher []byte
	//go:embed manifest.json
	manifestTemplate []byte // without the version and the tools
	//go:embed server.json
	serverTemplate []byte // without what is of one version
)

func main() {
	version := flag.String("version", babyclient.Version, "`version` of the release, without the v")
	programs := flag.String("programs", "dist", "`folder` in which GoReleaser, or make package, has built babyapi-mcp")
	out := flag.String("out", "dist", "`folder` to write to")
	flag.Parse()
	if err := pack(context.Background(), strings.TrimPrefix(*version, "v"), *programs, *out, platforms); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// platform is a system that the bundle runs on.
type platform struct{ os, arch string }

var platforms = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"},
}

// program is the name in the bundle of the program for this platform.
func (p platform) program() string {
	return fmt.Sprintf("babyapi-mcp-%s-%s%s", p.os, p.arch, p.extension())
}

func (p platform) extension() string {
	if p.os == "windows" {
		return ".exe"
	}
	return ""
}

// find returns the path of the built program for this platform. GoReleaser gives each a folder of
// its own, whose name ends in the level of the processor: babyapi-mcp_linux_amd64_v1/babyapi-mcp.
func (p platform) find(programs string) (string, error) {
	pattern := filepath.Join(programs, fmt.Sprintf("babyapi-mcp_%s_%s*", p.os, p.arch), "babyapi-mcp"+p.extension())
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("want one program at %s, found %d: %q", pattern, len(found), found)
	}
	return found[0], nil
}

// pack writes the bundle and server.json into the folder out.
func pack(ctx context.Context, version, programs, out string, platforms []platform) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // what is packed is meant to be read
		return err
	}
	tools, err := listTools(ctx)
	if err != nil {
		return err
	}
	manifest, err := newManifest(version, tools)
	if err != nil {
		return err
	}
	bundle := filepath.Join(out, "babyapi-mcp.mcpb")
	hash, err := writeBundle(bundle, manifest, programs, platforms)
	if err != nil {
		return fmt.Errorf("writing %s: %w", bundle, err)
	}
	server, err := newServerJSON(version, hash)
	if err != nil {
		return err
	}
	serverFile := filepath.Join(out, "server.json")
	if err := os.WriteFile(serverFile, server, 0o644); err != nil { //nolint:gosec // meant to be read
		return err
	}
	fmt.Fprintf(os.Stdout, "%s and %s are written\n", bundle, serverFile)
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
	request := json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	raw, err := json.Marshal(server.MCPServer().HandleMessage(ctx, request))
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

// jsonObject is an object of a JSON file that is written here.
type jsonObject = map[string]any

// newManifest returns manifest.json of the bundle (manifest version 0.3).
func newManifest(version string, tools []toolInfo) ([]byte, error) {
	var manifest jsonObject
	if err := json.Unmarshal(manifestTemplate, &manifest); err != nil {
		return nil, err
	}
	manifest["version"], manifest["tools"] = version, tools
	return indent(manifest)
}

// newServerJSON returns server.json for the MCP registry.
func newServerJSON(version, bundleHash string) ([]byte, error) {
	var server jsonObject
	if err := json.Unmarshal(serverTemplate, &server); err != nil {
		return nil, err
	}
	server["version"] = version
	bundle := server["packages"].([]any)[0].(jsonObject)
	bundle["version"], bundle["fileSha256"] = version, bundleHash
	bundle["identifier"] = fmt.Sprintf("%s/releases/download/v%s/babyapi-mcp.mcpb", repository, version)
	return indent(server)
}

func indent(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// writeBundle writes the bundle, which is a zip, and returns its SHA-256. The same programs give
// the same bytes: the times in the zip are fixed.
func writeBundle(name string, manifest []byte, programs string, platforms []platform) (hash string, err error) {
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	z := zip.NewWriter(io.MultiWriter(f, sum))
	written := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	add := func(name string, mode os.FileMode, content io.Reader) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: written}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, content)
		return err
	}
	if err := add("manifest.json", 0o644, bytes.NewReader(manifest)); err != nil {
		return "", err
	}
	if err := add("server/launch.sh", 0o755, bytes.NewReader(launcher)); err != nil {
		return "", err
	}
	for _, p := range platforms {
		path, err := p.find(programs)
		if err != nil {
			return "", err
		}
		program, err := os.Open(path)
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
