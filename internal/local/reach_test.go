package local

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"
)

// reachRequest is a request for docling that names places to read from or to send to.
type reachRequest struct {
	name, path string
	body       string            // JSON, or empty for a form
	form       [][2]string       // fields behind the file
	refused    string            // what an own node without the flag refuses, or empty
	status     int               // of the answer otherwise, 0 if docling-serve decides
	headers    map[string]string // beside the content type
}

// reachRequests are the whole family. other is the address of a server that is reached, but is no
// loopback address; here is its loopback address.
func reachRequests(other, here string) []reachRequest {
	const inline = `{"kind":"file","filename":"a.md","base64_string":"IyBUaXRsZQ=="}`
	source := func(fields string) string { return `{"sources":[` + inline + `]` + fields + `}` }
	put := `{"kind":"put","url":"` + other + `/put"}`
	const s3 = `{"kind":"s3","endpoint":"127.0.0.1:1","bucket":"b","verify_ssl":false,"access_key":"k","secret_key":"s"}`
	const azure = `{"kind":"azure_blob","account_name":"a","container":"c","connection_string":"x"}`
	const google = `{"kind":"google_cloud_storage","bucket":"b"}`
	const drive = `{"kind":"google_drive","path_id":"p","refresh_token":"r","credentials_path":"/x"}`
	callbacks := func(urls ...string) string {
		var list []map[string]string
		for _, u := range urls {
			list = append(list, map[string]string{"url": u})
		}
		text, _ := json.Marshal(list)
		return `,"callbacks":` + string(text)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(here, "http://"), ":")
	requests := []reachRequest{
		{name: "no target", body: source(``), status: 200},
		{name: "in the body", body: source(`,"target":{"kind":"inbody"}`), status: 200},
		{name: "a zip", body: source(`,"target":{"kind":"zip"}`), status: 200},
		{name: "put", body: source(`,"target":` + put), refused: "target"},
		{name: "put, as a job", path: "/v1/convert/source/async", body: source(`,"target":` + put), refused: "target"},
		{name: "put of chunks", path: "/v1/chunk/hybrid/source", body: source(`,"target":` + put), refused: "target"},
		{name: "put of chunks, as a job", path: "/v1/chunk/hierarchical/source/async",
			body: source(`,"target":` + put), refused: "target"},
		{name: "s3", body: source(`,"target":` + s3), refused: "target"},
		{name: "azure", body: source(`,"target":` + azure), refused: "target"},
		{name: "google cloud", body: source(`,"target":` + google), refused: "target"},
		{name: "google drive", body: source(`,"target":` + drive), refused: "target"},
		{name: "the operator's store", body: source(`,"target":{"kind":"presigned_url"}`)}, // none here
		{name: "a target of another name", body: source(`,"Target":` + put), status: 200},  // is ignored
		{name: "a target twice, the last counts",
			body: source(`,"target":{"kind":"inbody"},"target":` + put), refused: "target"},
		{name: "a target twice, the first does not count",
			body: source(`,"target":` + put + `,"target":{"kind":"inbody"}`), status: 200},
		{name: "a kind twice", body: source(`,"target":{"kind":"inbody","kind":"put","url":"` + other + `/"}`),
			refused: "target"},
		{name: "escapes", body: source(`,"t\u0061rget":{"kind":"p\u0075t","url":"` + other + `/"}`), refused: "target"},
		{name: "UTF-16", body: inUTF16(source(`,"target":` + put)), refused: "target"},
		{name: "another JSON type", body: source(`,"target":` + put),
			headers: map[string]string{"Content-Type": "application/x+json; charset=latin1"}, refused: "target"},
		{name: "spaces before the query", path: "/v1/convert/source?x=1", body: " \n" + source(`,"target":`+put),
			refused: "target"},
		{name: "an escaped path", path: "/v1/convert/sourc%65", body: source(`,"target":` + put), refused: "target"},

		{name: "a store, as a job", path: "/v1/convert/source/batch", body: `{"sources":[` + s3 + `],"target":` + s3 + `}`,
			refused: "sources"},
		{name: "a store of Google's", path: "/v1/convert/source/batch", // the engine has no package for it
			body: `{"sources":[` + google + `],"targets":[` + google + `]}`, status: 422},
		{name: "a URL into a store", path: "/v1/convert/source/batch",
			body: `{"sources":[{"kind":"http","url":"` + here + `/a.md"}],"target":` + s3 + `}`, refused: "target"},
		{name: "a URL into two stores", path: "/v1/convert/source/batch",
			body:    `{"sources":[{"kind":"http","url":"` + here + `/a.md"}],"targets":[` + s3 + `,` + s3 + `]}`,
			refused: "target"},
		{name: "a folder of the server's", path: "/v1/convert/source/batch", // docling-serve knows no such kind
			body: `{"sources":[{"kind":"local_path","path":"/etc"}],"target":` + s3 + `}`, status: 422},

		{name: "a form", path: "/v1/convert/file", form: [][2]string{{"to_formats", "md"}}, status: 200},
		{name: "a form into a zip", path: "/v1/convert/file", form: [][2]string{{"target_type", "zip"}}, status: 200},
		{name: "a form into a store", path: "/v1/convert/file", // a form cannot say which
			form: [][2]string{{"target_type", "s3"}}, status: 422},
		{name: "callbacks of a form", path: "/v1/convert/file",
			form: [][2]string{{"callbacks", here + "/cb"}, {"callbacks", other + "/cb"}}, refused: "callbacks"},
		{name: "callbacks of a form, as JSON", path: "/v1/convert/file/async",
			form:    [][2]string{{"callbacks", ` {"url":"` + here + `","url":"` + other + `/cb"} `}},
			refused: "callbacks"},
		{name: "callbacks of a form of chunks", path: "/v1/chunk/hybrid/file", // which docling-serve does not read
			form: [][2]string{{"callbacks", other + "/cb"}}, status: 200},

		{name: "callbacks of a job", path: "/v1/convert/source/async", body: source(callbacks(other + "/cb")),
			refused: "callbacks"},
		{name: "callbacks of chunks", path: "/v1/chunk/hierarchical/source", body: source(callbacks(other + "/cb")),
			refused: "callbacks"},
		{name: "callbacks twice", body: source(callbacks(here+"/cb") + callbacks(other+"/cb")), refused: "callbacks"},
		{name: "one of several callbacks", body: source(callbacks(here+"/cb", other+"/cb")), refused: "callbacks"},
	}
	for _, callback := range []struct {
		url     string
		refused bool
	}{
		{here + "/cb", false}, {"http://localhost:" + port + "/cb", false}, {"HTTP://LOCALHOST:" + port, false},
		{"http://127.1:" + port, false}, {"http://2130706433:" + port, false}, {"http://0x7f.1:" + port, false},
		{"http://user:password@127.0.0.1:" + port + "/cb", false}, {"http://127.9.9.9:" + port + "/cb", false},
		{"http://[::1]:" + port, false}, {"http://[::ffff:127.0.0.1]:" + port, false},
		{`http://127.0.0.1:` + port + `\@evil.example/`, false}, // that is /@evil.example/
		{"http://loc%61lhost:" + port, false}, {"http://１２７.0.0.1:" + port, false},
		{"http://127.0.0.1@" + strings.TrimPrefix(other, "http://"), true},
		{other + "#@127.0.0.1", true}, {other + "?127.0.0.1", true}, {other, true},
		{"http://0:" + port, true}, {"http://[::]:" + port, true}, {"http://169.254.169.254/", true},
		{"http://10.0.0.1/", true}, {"http://localhost.:" + port, true}, {"http://a.localhost:" + port, true},
		{"http://127.0.0.1.nip.io:" + port, true}, {"http://evil.example/", true}, {"https://evil.example/", true},
		{"file:///etc/passwd", true}, {"unix:/run/x", true}, {"ftp://evil.example/", true},
	} {
		r := reachRequest{name: "a callback to " + callback.url, body: source(callbacks(callback.url)), status: 200}
		if callback.refused {
			r.refused = "callbacks"
		}
		requests = append(requests, r)
	}
	return requests
}

func inUTF16(s string) string {
	var b []byte
	for _, unit := range append([]uint16{0xfeff}, utf16.Encode([]rune(s))...) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// send sends the request to the gateway at base and returns its body and the answer.
func (r *reachRequest) send(t *testing.T, base string) (sent string, resp *http.Response, answer string) {
	t.Helper()
	sent, kind := r.body, "application/json"
	if sent == "" {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		file, err := w.CreateFormFile("files", "a.md")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(file, "# Title")
		for _, field := range r.form {
			if err := w.WriteField(field[0], field[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sent, kind = b.String(), w.FormDataContentType()
	}
	headers := []string{"Content-Type", kind}
	for name, value := range r.headers {
		headers = append(headers, name, value)
	}
	path := r.path
	if path == "" {
		path = "/v1/convert/source"
	}
	resp, answer = send(t, http.MethodPost, base+"/docling"+path, sent, headers...)
	return sent, resp, answer
}

// newOther is a server on this machine, with an address that is no loopback address, and its
// loopback address. Both addresses reach it.
func newOther(t *testing.T, h http.HandlerFunc) (other, here string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	_ = s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "http://0.0.0.0:" + port, "http://127.0.0.1:" + port
}

// A docling-serve of the user's decides itself: all passes as it was sent, in both directions.
func TestDoclingOfTheUserDecides(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{"task_id":"t1"}`))
	g := newGateway(t, u, func(g *gateway) {
		address, err := url.Parse(u.URL)
		if err != nil {
			t.Fatal(err)
		}
		b := &backend{name: "docling-0"}
		b.target.Store(&target{url: *address})
		g.docling.nodes = []*doclingNode{{backend: b}}
	})
	for _, r := range reachRequests("http://other.example", "http://127.0.0.1:1") {
		sent, resp, body := r.send(t, g.URL)
		if resp.StatusCode != http.StatusOK || body != `{"task_id":"t1"}` {
			t.Errorf("%s: answer %d %s, want that of docling-serve", r.name, resp.StatusCode, body)
		}
		if got := <-u.bodies; got != sent {
			t.Errorf("%s: docling-serve got %q, want %q", r.name, got, sent)
		}
		isJob := strings.HasSuffix(r.path, "/async") || strings.HasSuffix(r.path, "/batch")
		if id := resp.Header.Get(nodeHeader); (id == "docling-0") != isJob {
			t.Errorf("%s: node %q, want it with a job and only there", r.name, id)
		}
		<-u.requests
	}
	for _, path := range []string{"/v1/capabilities", "/v1/status/poll/t1?wait=20.5"} {
		_, _ = send(t, http.MethodGet, g.URL+"/docling"+path, "")
		if got := (<-u.requests).URL.RequestURI(); got != path {
			t.Errorf("docling-serve was asked for %s, want %s", got, path)
		}
	}
}

// The flag reaches the nodes that are ours.
func TestAllowRemoteTargetsReachesTheEngine(t *testing.T) {
	for _, allow := range []bool{false, true} {
		e := &plannedEngine{engine: &engine{backend: &backend{name: "docling-0"}}, kind: "docling"}
		t.Setenv("NO_PROXY", "mine.example")
		if err := e.prepare(&installation{}, t.TempDir(), &Config{AllowRemoteTargets: allow}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(e.command, " "), "--allow-remote-targets"); got != allow {
			t.Errorf("allowed %t: command %q", allow, e.command)
		}
		// A callback to this machine does not go through a proxy.
		if env := strings.Join(e.env, "\n"); !strings.Contains(env, "\nno_proxy=mine.example,127.0.0.1,::1,localhost") {
			t.Errorf("environment %s, want loopback addresses beside the user's in no_proxy", env)
		}
	}
}

// A docling-serve of ours reads and sends nothing but what its flag allows, however it is asked.
func TestEnginesStayOnThisMachine(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	var fromOther, put, redirected, arrived atomic.Int32 // requests
	other, here := newOther(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/a.md":
			_, _ = io.WriteString(w, "# Title")
		case r.URL.Path == "/redirect":
			redirected.Add(1)
			w.Header().Set("Location", "http://0.0.0.0:"+r.URL.Query().Get("port"))
			w.WriteHeader(http.StatusTemporaryRedirect)
		case strings.HasPrefix(r.Host, "0.0.0.0"):
			fromOther.Add(1)
			if r.Method == http.MethodPut {
				put.Add(1)
			}
		default:
			arrived.Add(1)
		}
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(here, "http://"), ":")
	t.Run("without the flag", func(t *testing.T) {
		s := realStack(t, Config{ChatURL: u.URL, EmbedURL: u.URL})
		for _, r := range reachRequests(other, here) {
			_, resp, body := r.send(t, s.BaseURL())
			names := strings.Contains(body, "--allow-remote-targets")
			switch {
			case r.refused != "" && (resp.StatusCode != http.StatusUnprocessableEntity || !names ||
				!strings.Contains(body, r.refused)):
				t.Errorf("%s: %d %.300s, want 422 that names %s and the flag", r.name, resp.StatusCode, body, r.refused)
			case r.refused == "" && (names || r.status != 0 && resp.StatusCode != r.status):
				t.Errorf("%s: %d %.300s, want %d", r.name, resp.StatusCode, body, r.status)
			}
		}
		redirect := reachRequest{body: `{"sources":[{"kind":"file","filename":"a.md","base64_string":"IyBUaXRsZQ=="}],` +
			`"callbacks":[{"url":"` + here + `/redirect?port=` + port + `"}]}`}
		if _, resp, body := redirect.send(t, s.BaseURL()); resp.StatusCode != http.StatusOK {
			t.Errorf("a callback to what redirects: %d %s, want 200", resp.StatusCode, body)
		}
		// There are three callbacks. A further one is a second try, so that the redirect was not
		// followed: there it would have been answered well.
		if !eventually(func() bool { return arrived.Load() > 0 && redirected.Load() > 3 }) {
			t.Errorf("%d callbacks to loopback addresses arrived, and %d to what redirects; want more than 3 there",
				arrived.Load(), redirected.Load())
		}
		if n := fromOther.Load(); n > 0 {
			t.Errorf("%d requests went to an address that is not loopback", n)
		}
		_, body := send(t, http.MethodGet, s.BaseURL()+"/docling/v1/capabilities", "")
		if !strings.Contains(body, `"sources":["file","http"]`) ||
			!strings.Contains(body, `"targets":{"allowed":["inbody","zip"],"default":"inbody"}`) {
			t.Errorf("capabilities tell %s, want what is allowed", body)
		}
	})
	t.Run("with the flag", func(t *testing.T) {
		s := realStack(t, Config{ChatURL: u.URL, EmbedURL: u.URL, AllowRemoteTargets: true})
		for _, r := range reachRequests(other, here) {
			switch r.name {
			case "put", "put of chunks, as a job", "callbacks of a job", "one of several callbacks":
				if _, resp, body := r.send(t, s.BaseURL()); resp.StatusCode != http.StatusOK {
					t.Errorf("%s: %d %s, want 200", r.name, resp.StatusCode, body)
				}
			}
		}
		if !eventually(func() bool { return put.Load() == 2 && fromOther.Load() > 4 }) {
			t.Errorf("%d requests went to another address, %d with PUT; want 2 with PUT, and callbacks",
				fromOther.Load(), put.Load())
		}
	})
}

// eventually waits until ok, and reports whether that came within 10 seconds. docling-serve sends
// callbacks beside its work.
func eventually(ok func() bool) bool {
	for range 100 {
		if ok() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return ok()
}
