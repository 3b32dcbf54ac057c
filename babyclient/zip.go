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

// maxZipMembers is more than any honest answer has.
const maxZipMembers = 10_000

// zipDirectoryEntry begins each entry of an archive's directory. Members that are archives have
// such entries too, so ten times as many are let through to be counted.
var zipDirectoryEntry = []byte("PK\x01\x02")

var errMembersTooLong = fmt.Errorf("its members together are longer than WithMaxResponseSize allows: "+
	"raise it if they are meant to be: %w", errTooLarge)

type zipMember struct {
	name string
	data []byte
}

// unzip unpacks an answer whose members have at most limit bytes together. It refuses what no
// honest answer holds: names that lead out of a folder, double names, and more members or bytes
// than the limits.
func unzip(raw []byte, limit int64) ([]zipMember, error) {
	// archive/zip reads the whole directory before the members can be counted.
	if n := bytes.Count(raw, zipDirectoryEntry); n > 10*maxZipMembers {
		return nil, fmt.Errorf("its directory has %d entries, more than %d", n, maxZipMembers)
	}
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
		if strings.HasSuffix(f.Name, "/") {
			continue // a folder
		}
		if !staysBelowFolder(f.Name) {
			return nil, unsafeNameError(f.Name)
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("it has two members named %s", quote(f.Name))
		}
		seen[f.Name] = true
		data, err := readMember(f, limit)
		if err != nil {
			return nil, err
		}
		limit -= int64(len(data))
		out = append(out, zipMember{f.Name, data})
	}
	return out, nil
}

// staysBelowFolder reports whether a member that is written below a folder stays there, on Unix.
func staysBelowFolder(name string) bool {
	return path.Clean("/"+name) == "/"+name && name != "" && !strings.ContainsRune(name, 0)
}

// isPortableName reports whether the same holds on Windows too, where more names have a meaning.
func isPortableName(name string) bool {
	return staysBelowFolder(name) && !strings.HasPrefix(name, "..") && !strings.ContainsAny(name, `\:`)
}

func unsafeNameError(name string) error {
	return fmt.Errorf("it has a member with the unsafe name %s", quote(name))
}

// readMember reads a member of at most limit bytes, which is what the members before it left of the
// limit for all.
func readMember(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) { //nolint:gosec // limit is positive
		return nil, errMembersTooLong
	}
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	// The header can promise less than what comes.
	data, err := io.ReadAll(&limitedReader{r: rc, limit: limit})
	switch {
	case errors.Is(err, errTooLarge):
		return nil, errMembersTooLong
	case err != nil:
		return nil, fmt.Errorf("member %s: %w", quote(f.Name), err)
	}
	return data, nil
}
