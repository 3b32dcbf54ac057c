package babyclient

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// isZip tells an archive from JSON by its first bytes, which are the same for every archive. JSON
// never begins with them.
func isZip(raw []byte) bool { return bytes.HasPrefix(raw, []byte("PK")) }

// Limits of a zip answer. Its bytes together are limited by [WithMaxResponseSize].
const maxZipMembers = 10_000

type zipMember struct {
	name string
	data []byte
}

// unzip unpacks an answer of at most limit bytes. It refuses what no honest answer holds:
// names that lead out of a folder, double names, and more members or bytes than the limits.
func unzip(raw []byte, limit int64) ([]zipMember, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxZipMembers {
		return nil, fmt.Errorf("it has %d members, more than %d", len(z.File), maxZipMembers)
	}
	seen := map[string]bool{}
	var out []zipMember
	for _, f := range z.File {
		name := f.Name
		if strings.HasSuffix(name, "/") {
			continue
		}
		if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\:\x00") {
			return nil, fmt.Errorf("it has a member with the unsafe name %s", quote(name))
		}
		if seen[name] {
			return nil, fmt.Errorf("it has two members named %s", quote(name))
		}
		seen[name] = true
		if f.UncompressedSize64 > uint64(limit) { //nolint:gosec // limit is positive
			return nil, fmt.Errorf("member %s is longer than %d bytes: raise WithMaxResponseSize if it is meant to be", quote(name), limit)
		}
		rc, err := f.Open()
		if err != nil {
			return nil, err
		}
		// Not what the header says but what comes counts.
		data, err := io.ReadAll(&limitedReader{r: rc, limit: limit})
		_ = rc.Close() // only read from
		if errors.Is(err, errTooLarge) {
			return nil, fmt.Errorf("its members are longer than the limit of WithMaxResponseSize: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", quote(name), err)
		}
		limit -= int64(len(data))
		out = append(out, zipMember{name, data})
	}
	return out, nil
}
