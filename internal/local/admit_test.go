package local

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// gatewayPaths are one path of each kind that the gateway serves.
var gatewayPaths = []string{"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/infer",
	"/v1/models", "/v1/ocr/document", "/health", "/ready", "/docling/version", "/docling/v1/convert/source",
	"/docling/v1/clear/results", "/docling/v1/status/poll/x", "/docling/v1/cancel/x", "/docling/v1/status/ws/x",
	"/nothing"}

var allMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "CLEAR"}

// exchange sends a request as it stands, so that no library changes its path or headers.
func exchange(t *testing.T, gateway, method, path string, headers http.Header) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", gateway)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if headers == nil {
		headers = http.Header{}
	}
	headers.Set("Connection", "close")
	if headers.Get("Host") == "" {
		headers.Set("Host", gateway)
	}
	var text strings.Builder
	text.WriteString(method + " " + path + " HTTP/1.1\r\n")
	_ = headers.Write(&text)
	_, _ = io.WriteString(c, text.String()+"\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer to %s %s %v: %v", method, path, headers, err)
	}
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

// A page of another site reaches no path by no method, and a program reaches all.
func TestOtherSitesAreRefused(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{"data":[]}`))
	s := newGateway(t, u)
	gateway := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := strings.Cut(gateway, ":")
	refused := []http.Header{}
	for _, site := range []string{"cross-site", "same-site", "Same-Origin", "", "none, cross-site", "anything"} {
		refused = append(refused, http.Header{"Sec-Fetch-Site": {site}})
	}
	refused = append(refused, http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}},
		http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {s.URL}},
		http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://evil.example"}},
		http.Header{"Origin": {s.URL, "https://evil.example"}})
	for _, origin := range []string{"https://evil.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:1",
		"http://localhost:" + port, "http://[::1]:" + port, "https://" + gateway, s.URL + "/", s.URL + ".evil.example",
		"http://evil.example:" + port, "file://", "chrome-extension://abc"} {
		refused = append(refused, http.Header{"Origin": {origin}})
	}
	tried := 0
	for _, path := range gatewayPaths {
		for _, method := range allMethods {
			for _, headers := range refused {
				tried++
				resp, _ := exchange(t, gateway, method, path, headers.Clone())
				if resp.StatusCode != http.StatusForbidden {
					t.Errorf("%s %s %v: %d, want 403", method, path, headers, resp.StatusCode)
				}
			}
		}
	}
	t.Logf("tried %d, held unless said otherwise", tried)
	if n := len(u.requests); n != 0 {
		t.Errorf("%d requests of other sites reached an engine", n)
	}
	for _, path := range []string{"/v1/models", "/health", "/docling/version"} {
		for _, headers := range []http.Header{{}, {"Sec-Fetch-Mode": {"cors"}}, {"Sec-Fetch-Site": {"none"}},
			{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.URL}}, {"Origin": {strings.ToUpper(s.URL)}},
			{"Host": {"localhost:" + port}, "Origin": {"http://localhost:" + port}}} {
			if resp, body := exchange(t, gateway, "GET", path, headers.Clone()); resp.StatusCode != http.StatusOK {
				t.Errorf("GET %s %v: %d %s, want 200", path, headers, resp.StatusCode, body)
			}
		}
	}
}

// No answer lets a page of another site read it.
func TestAnswersAllowNoOtherSite(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Private-Network", "true")
		answer(http.StatusOK, `{"data":[],"choices":[{}]}`)(w, r)
	})
	g := newGateway(t, u)
	for _, path := range gatewayPaths {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			resp, _ := send(t, method, g.URL+path, `{"prompt":"x"}`)
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s answers with %s", method, path, name)
				}
			}
		}
	}
}

// remoteDocling is a gateway in front of a docling-serve of the user's that stands below a prefix.
func remoteDocling(t *testing.T, u *upstream) *httptest.Server {
	t.Helper()
	return newGateway(t, u, func(g *gateway) {
		b, err := newRemote("docling-0", u.URL+"/prefix")
		if err != nil {
			t.Fatal(err)
		}
		g.docling.nodes = []*doclingNode{{backend: b}}
	})
}

// What docling-serve has for its operator and its workers is not served, however the path is
// written, neither of ours nor of the user's.
func TestInternalPathsOfDoclingAreNotServed(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	for name, g := range map[string]*httptest.Server{"own": newGateway(t, u), "remote": remoteDocling(t, u)} {
		gateway := strings.TrimPrefix(g.URL, "http://")
		for _, path := range []string{"/v1/clear/results", "/v1/clear/results?older_then=0", "/v1/clear/converters",
			"/v1/memory/stats", "/v1/memory/counts", "/v1/callback/task/progress", "/v1/clear", "/v1/clear/",
			"/v1/%63lear/results", "/%761/clear/results", "/v1%2Fclear%2Fresults", "/v1/%2563lear/results",
			"//v1//clear/results", "/v1//memory/stats", `/v1\clear\results`, "/v1/%5Cclear/results",
			"/V1/Clear/results",
			"/v1/clear;x=1/results", "/v1;x/callback/task/progress", "/v1/clear%20/results", "/v1/clear%3Bx/results",
			"/prefix/v1/clear/results", "/v1/x/../clear/results", "/v1/./clear/results", "/v1/%2e/clear/results"} {
			for _, method := range allMethods {
				resp, body := exchange(t, gateway, method, "/docling"+path, nil)
				if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusBadRequest {
					t.Errorf("%s: %s %s: %d %s, want 404 or 400", name, method, path, resp.StatusCode, body)
				}
			}
		}
	}
	if n := len(u.requests); n != 0 {
		t.Errorf("%d requests reached docling-serve, such as %s", n, (<-u.requests).URL)
	}
}

// No path leads out of the prefix of a docling-serve of the user's, by any method.
func TestNoPathLeadsOutOfThePrefix(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	gateway := strings.TrimPrefix(remoteDocling(t, u).URL, "http://")
	for _, dots := range []string{"..", ".", "%2e%2e", "%2E.", ".%2e", "%2e", "%252e%252e", "%25252e%25252e",
		"%2525252e%2525252e", "%252525252525252e.", "..;x=1", "%2e%2e;", "..%20", "..%09", "..%00", "%c0%ae%c0%ae"} {
		for _, around := range []string{"/docling/D/x", "/docling/v1/D/D/x", "/docling/a%2fD%2fx", "/docling/a%2FD",
			`/docling/a\D\x`, "/docling/a%5cD%5Cx", "/docling/a%255cD%255Cx", "/docling/a%252fD%252fx", "/docling//D", "/docling/D",
			"/docling/D/%25zz"} {
			path := strings.ReplaceAll(around, "D", dots)
			for _, method := range allMethods {
				resp, body := exchange(t, gateway, method, path, nil)
				if resp.StatusCode < 300 || resp.StatusCode == http.StatusTemporaryRedirect {
					t.Errorf("%s %s: %d %s, want a refusal", method, path, resp.StatusCode, body)
				}
			}
		}
	}
	if n := len(u.requests); n != 0 {
		t.Errorf("%d requests reached docling-serve, such as %s", n, (<-u.requests).URL)
	}
	for _, path := range []string{"/v1/convert/source", "/v1/other/a%2Fb", "/v1/a..b/...", "/v1/a%20b/%C3%A4"} {
		resp, body := exchange(t, gateway, "GET", "/docling"+path, nil)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", path, resp.StatusCode, body)
			continue
		}
		if got := (<-u.requests).URL.RequestURI(); got != "/prefix"+path {
			t.Errorf("docling-serve got %s, want /prefix%s", got, path)
		}
	}
}

// What is taken for a plain path has no dot segment in any reading of it.
func FuzzPathSegments(f *testing.F) {
	for _, path := range []string{"/a/b", "/%2e%2e/x", "/a%2f..%2fb", "/%252e%252e", `/a\..\b`, "/..;x", "/%zz%2e%2e"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if _, isPlain := pathSegments(path); !isPlain {
			return
		}
		for range 5 {
			for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
				if segment == "." || segment == ".." {
					t.Fatalf("%q leads through %q, and was taken for plain", path, segment)
				}
			}
			decoded, err := url.PathUnescape(path)
			if err != nil {
				return
			}
			path = decoded
		}
	})
}
