package local

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// admit lets in what comes from this machine and has the key. A page in a browser could otherwise
// reach the engines: through a name that it makes point to 127.0.0.1 (its name is then in Host), or
// by any request that needs no permission, such as a link, an image or a form. The key that opens
// this gateway is taken off the request, so that no engine gets it; where the gateway has no key,
// an engine of the user's gets the caller's.
func (g *gateway) admit(next http.Handler) http.Handler {
	g.memory.limit = cmp.Or(g.memory.limit, MaxHeld)
	maxUpload := cmp.Or(g.maxUpload, DefaultMaxUpload)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = randomHex(8)
		}
		w.Header().Set(requestIDHeader, id)
		if r.Body != nil && r.Body != http.NoBody {
			body := g.newClockedBody(w, http.MaxBytesReader(w, r.Body, maxUpload))
			defer body.stop(w)
			r.Body = body
		}
		if !isLoopback(r.Host) {
			writeError(w, http.StatusForbidden,
				"the Host %q is refused: babyapi-local answers only to 127.0.0.1, [::1] and localhost", r.Host)
			return
		}
		if reason := otherSite(r); reason != "" {
			writeError(w, http.StatusForbidden,
				"%s is refused: babyapi-local answers programs, and no page that it did not serve itself", reason)
			return
		}
		if g.apiKey != "" {
			key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			isOpen := r.URL.Path == "/health" || r.URL.Path == "/ready"
			if !isOpen && subtle.ConstantTimeCompare([]byte(key), []byte(g.apiKey)) != 1 {
				writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
				return
			}
			r.Header.Del("Authorization")
			r.Header.Del("X-Api-Key")
		}
		segments, isPlain := pathSegments(r.URL.EscapedPath())
		if !isPlain {
			writeError(w, http.StatusBadRequest,
				"the path %q is refused: it leads through . or .., or holds escapes of escapes or control characters",
				r.URL.EscapedPath())
			return
		}
		if isInternal(segments) {
			doclingError(w, http.StatusNotFound, "Not Found")
			return
		}
		if r.ContentLength > maxUpload {
			uploadTooLarge(w, maxUpload)
			return
		}
		held := &lease{memory: &g.memory}
		defer held.end()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), leaseKey{}, held)))
	})
}

// otherSite is the header by which a browser says that a page of another site asks, or empty.
// Programs send neither header. A browser sends Sec-Fetch-Site with every request, and Origin with
// all but plain GETs; no page can leave them out or change them.
func otherSite(r *http.Request) string {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" { // none: typed into the browser's address bar
			return "Sec-Fetch-Site: " + site
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		// Host is a loopback address, so this is the page's own server and no other on this
		// machine.
		if !strings.EqualFold(origin, "http://"+r.Host) {
			return "the Origin " + origin
		}
	}
	return ""
}

// pathSegments are the decoded segments of a path, without empty ones. It is not plain if a segment
// is . or .., or could become so in a server that decodes a path more than once or takes a
// backslash for a slash: behind a --docling-url with a prefix such as https://host/docling, that
// would lead out of the prefix.
func pathSegments(escaped string) (segments []string, isPlain bool) {
	path := escaped
	for range 3 {
		path = escapes.ReplaceAllStringFunc(path, func(escape string) string {
			b, _ := hex.DecodeString(escape[1:])
			return string(b)
		})
	}
	if escapes.MatchString(path) || !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return nil, false
	}
	for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		name, _, _ := strings.Cut(segment, ";") // what follows are parameters, which some servers drop
		switch name = strings.TrimSpace(name); name {
		case ".", "..":
			return nil, false
		case "":
		default:
			segments = append(segments, name)
		}
	}
	return segments, true
}

var escapes = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// isInternal reports whether a path is one of docling-serve's that are for its operator and its
// workers: /v1/clear drops the results and converters of everybody, and takes a plain GET for it;
// /v1/memory tells what the process holds; /v1/callback changes the progress of a job.
func isInternal(segments []string) bool {
	for i, segment := range segments[:max(0, len(segments)-1)] {
		if strings.EqualFold(segment, "v1") &&
			slices.Contains([]string{"clear", "memory", "callback"}, strings.ToLower(segments[i+1])) {
			return true
		}
	}
	return false
}
