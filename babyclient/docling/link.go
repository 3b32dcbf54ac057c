package docling

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var safeSchemes = []string{"http", "https", "ftp", "ftps", "sftp", "mailto", "tel", "file"}

var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.\-]*):`)

// isSafeLink tells whether a link may be one in Markdown, as docling-core decides: a relative one,
// or one of a scheme that runs no code. The scheme is read as browsers do, which pass over blanks
// and control characters in front, and over tabs and line ends anywhere.
func isSafeLink(link string) bool {
	link = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(link)
	link = strings.TrimLeftFunc(link, func(r rune) bool { return r <= ' ' })
	m := scheme.FindStringSubmatch(link)
	return m == nil || len(m[1]) == 1 || slices.Contains(safeSchemes, strings.ToLower(m[1]))
}

var entity = regexp.MustCompile(`^&#?[\pL\pN_]+;`)

// linkDestination writes a link so that it cannot end the parentheses that it stands in.
func linkDestination(link string) string {
	if !strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\x7f()<>\"\\&", r) }) {
		return link
	}
	var out strings.Builder
	for i, r := range link {
		switch {
		case r == '&' && entity.MatchString(link[i:]):
			out.WriteString("&amp;")
		case r <= ' ' || strings.ContainsRune("\x7f()<>\"\\", r):
			fmt.Fprintf(&out, "%%%02X", r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

var windowsDrive = regexp.MustCompile(`^[A-Za-z]:/`)

// picturePath writes the URL or the path of a picture as docling-core does: with what is no part of
// a URL as percent signs and digits, and a path of Windows as a file URL.
func picturePath(uri string) string {
	s := strings.ReplaceAll(uri, `\`, "/")
	if strings.HasPrefix(s, "//") { // a share: //server/folder/file
		host, tail, _ := strings.Cut(strings.TrimLeft(s, "/"), "/")
		return "file://" + host + quote("/"+tail, "")
	}
	if windowsDrive.MatchString(s) {
		return "file://" + quote("/"+s, "")
	}
	m := scheme.FindStringSubmatch(s)
	if m == nil || len(m[1]) == 1 {
		return quote(s, "")
	}
	rest, fragment, hasFragment := strings.Cut(s[len(m[0]):], "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority := ""
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexByte(after, '/')
		if end < 0 {
			end = len(after)
		}
		authority, rest = "//"+after[:end], after[end:]
	}
	out := strings.ToLower(m[1]) + ":" + authority + quote(rest, "")
	if hasQuery && query != "" {
		out += "?" + quote(query, "=")
	}
	if hasFragment && fragment != "" {
		out += "#" + quote(fragment, "")
	}
	return out
}

// quote is Python's urllib.parse.quote with docling-core's list of characters that stay.
func quote(s, more string) string {
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < 0x80 && (unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c))) ||
			strings.IndexByte("_.-~/%:@+,;=~$!&'*"+more, c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
