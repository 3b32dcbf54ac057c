package local

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// localURLs are ways to write a URL of this machine, of its networks and of its link, all with the
// port of a server that listens on every address of this machine.
func localURLs(t *testing.T, port string) []string {
	t.Helper()
	hosts := []string{"127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.9.9.9", "2130706433",
		"0x7f000001", "0x7f.1", "0177.0.0.1", "１２７.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "0", "[::]", "user:password@127.0.0.1", "169.254.169.254",
		"[fe80::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fd00::1]", "[::127.0.0.1]"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsPrivate() {
			hosts = append(hosts, ip.IP.String())
		}
	}
	var urls []string
	for _, host := range hosts {
		urls = append(urls, "http://"+host+":"+port+"/admin/delete.md")
	}
	return urls
}

// taskOf has a job run, and returns its result.
func taskOf(t *testing.T, base, body string) string {
	t.Helper()
	var task struct {
		ID     string `json:"task_id"`
		Status string `json:"task_status"`
	}
	for err := json.Unmarshal([]byte(body), &task); ; err = json.Unmarshal([]byte(body), &task) {
		if err != nil || task.ID == "" {
			return body // it was refused
		}
		if task.Status == "success" || task.Status == "failure" || task.Status == "partial_success" {
			_, result := send(t, http.MethodGet, base+"/docling/v1/result/"+task.ID, "")
			return body + result
		}
		_, body = send(t, http.MethodGet, base+"/docling/v1/status/poll/"+task.ID+"?wait=5", "")
	}
}

// A caller has no document read from this machine or its networks without the flag, however it is
// asked for, and is told of the flag.
func TestLocalSourcesNeedTheirFlag(t *testing.T) {
	var arrived atomic.Int32
	_, here := newOther(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		_, _ = io.WriteString(w, "# Title of "+r.URL.Path)
	})
	port := here[strings.LastIndex(here, ":")+1:]
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	const markdown = `"options":{"to_formats":["md"]}`
	ask := func(s *Stack, path, body string) string {
		_, got := send(t, http.MethodPost, s.BaseURL()+"/docling"+path, body, "Content-Type", "application/json")
		return got
	}
	t.Run("without the flag", func(t *testing.T) {
		s := realStack(t, Config{ChatURL: u.URL, EmbedURL: u.URL})
		for _, url := range localURLs(t, port) {
			source := `"sources":[{"kind":"http","url":"` + url + `"}]`
			for _, path := range []string{"/v1/convert/source", "/v1/convert/source/async", "/v1/chunk/hybrid/source",
				"/v1/chunk/hierarchical/source/async"} {
				body := `{` + source + `,` + markdown + `}`
				if strings.Contains(path, "chunk") {
					body = `{` + source + `}`
				}
				got := ask(s, path, body)
				if strings.HasSuffix(path, "/async") {
					got = taskOf(t, s.BaseURL(), got)
				}
				// localhost. is no name everywhere.
				isNoName := strings.Contains(url, "localhost.") && strings.Contains(got, "URL is not allowed")
				if !strings.Contains(got, "--allow-local-sources") && !isNoName {
					t.Errorf("%s of %s: %.600s, want a failure that names the flag", path, url, got)
				}
			}
		}
		if n := arrived.Load(); n > 0 {
			t.Errorf("%d requests reached this machine", n)
		}
	})
	t.Run("with the flag", func(t *testing.T) {
		s := realStack(t, Config{ChatURL: u.URL, EmbedURL: u.URL, AllowLocalSources: true})
		for _, host := range []string{"127.0.0.1", "localhost", "127.9.9.9"} {
			body := ask(s, "/v1/convert/source",
				`{"sources":[{"kind":"http","url":"http://`+host+`:`+port+`/a.md"}],`+markdown+`}`)
			if !strings.Contains(body, "# Title of /a.md") {
				t.Errorf("a document at %s: %.300s, want it converted", host, body)
			}
		}
	})
}

// reachProgram has docling-core read URLs of public names, whose addresses are played: each time a
// name is looked up it has the next address, and a connection to a public address goes to the
// server of the test.
const reachProgram = `
import socket, sys
from urllib.parse import urlsplit
import docling_reach
docling_reach.read_public_addresses_only()
import urllib3.util.connection as connection
from docling_core.utils.file import resolve_source_to_stream

port = int(sys.argv[1])
lookup, connect = socket.getaddrinfo, connection.create_connection
names = {}

def getaddrinfo(host, port, *args, **kwargs):
    if host in names:
        address = names[host].pop(0) if len(names[host]) > 1 else names[host][0]
        host = address
    return lookup(host, port, *args, **kwargs)

def create_connection(address, *args, **kwargs):
    print("connects to", address[0], file=sys.stderr)
    if address[0].startswith("93."):
        address = ("127.0.0.1", address[1])
    return connect(address, *args, **kwargs)

socket.getaddrinfo = getaddrinfo
connection.create_connection = create_connection
for name, addresses, path in [
    ("public", ["93.184.216.34"], "/a.md"),
    ("resolves here", ["127.0.0.1"], "/a.md"),
    ("resolves to a link", ["169.254.169.254"], "/a.md"),
    ("one of its addresses is here", ["::ffff:10.0.0.1"], "/a.md"),
    ("resolves here the second time", ["93.184.216.34", "127.0.0.1"], "/a.md"),
    ("redirects here", ["93.184.216.34"], "/redirect?http://127.0.0.1:%d/secret" % port),
    ("redirects to localhost", ["93.184.216.34"], "/redirect?http://localhost:%d/secret" % port),
    ("redirects to its own name, then here", ["93.184.216.34", "93.184.216.34", "127.0.0.1"], "/redirect?/secret"),
    ("redirects twice", ["93.184.216.34"], "/redirect?/redirect?http://127.0.0.1:%d/secret" % port),
    ("redirects without a scheme", ["93.184.216.34"], "/redirect?//127.0.0.1:%d/secret" % port),
]:
    names["public.example"] = list(addresses)
    try:
        text = resolve_source_to_stream("http://public.example:%d%s" % (port, path)).stream.read().decode()
        print(name, "=", text)
    except Exception as error:
        print(name, "=", type(error).__name__, error)
`

// The check stands where the connection is made: so for names that resolve to this machine, also
// only the second time, and for redirects.
func TestLocalSourcesAreCheckedAtTheConnection(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real docling: run make test, or set BABYAPI_TEST_ENGINES=1")
	}
	cache, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	var secrets atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			w.Header().Set("Location", r.URL.RawQuery)
			w.WriteHeader(http.StatusFound)
		case "/secret":
			secrets.Add(1)
			_, _ = io.WriteString(w, "classified")
		default:
			_, _ = io.WriteString(w, "well")
		}
	}))
	defer s.Close()
	python := (&installation{env: envDir(cache)}).python()
	cmd := exec.CommandContext(t.Context(), python, "-c", reachProgram, s.URL[strings.LastIndex(s.URL, ":")+1:])
	cmd.Env = childEnvironment(everyChildGets, "PYTHONPATH=engines", "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=*")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the program ended with %v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 10 || lines[0] != "public = well" {
		t.Fatalf("%d answers %q, want ten, the first of them well", len(lines), lines)
	}
	for _, line := range lines[1:] {
		if !strings.Contains(line, "ValueError") || !strings.Contains(line, "--allow-local-sources") {
			t.Errorf("%s; want a ValueError that names the flag", line)
		}
	}
	if n := secrets.Load(); n > 0 {
		t.Errorf("%d requests reached what is on this machine", n)
	}
}
