package python

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/big"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

var update = flag.Bool("update", false, "record the requests of the Python SDK again (needs Python)")

const golden = "testdata/requests.json"

// exchange is what a client did for one call: its requests, and its error, if any.
type exchange struct {
	Requests []request `json:"requests"`
	Error    *failure  `json:"error,omitempty"`
}

type request struct {
	Method string            `json:"method"`
	Path   string            `json:"path"` // escaped
	Query  string            `json:"query,omitempty"`
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body,omitempty"`
	Parts  []part            `json:"parts,omitempty"`
}

// part is a part of a multipart body.
type part struct {
	Disposition string `json:"disposition"`
	ContentType string `json:"content_type,omitempty"`
	Value       string `json:"value"`
}

type failure struct {
	Message string `json:"message"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Type    string `json:"type"`
}

// transportHeaders belong to the connection, or name the client: they differ by nature.
var transportHeaders = []string{"Accept-Encoding", "Connection", "Content-Length", "Transfer-Encoding", "User-Agent"}

// requestsOf are the requests that a server got.
func requestsOf(t *testing.T, srv *babytest.Server) []request {
	t.Helper()
	out := []request{}
	for _, r := range srv.Requests() {
		rec := request{Method: r.Method, Path: r.Path, Query: r.Query.Encode(), Header: map[string]string{}}
		for name, values := range r.Header {
			if !slices.Contains(transportHeaders, name) {
				rec.Header[name] = strings.Join(values, ", ")
			}
		}
		mediaType, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case mediaType == "multipart/form-data":
			rec.Header["Content-Type"] = mediaType // without its boundary
			rec.Parts = partsOf(t, r.Body, params["boundary"])
		case len(r.Body) > 0:
			rec.Body = r.Body
		}
		out = append(out, rec)
	}
	return out
}

// partsOf are the parts of a multipart body, in an order that does not depend on the client.
func partsOf(t *testing.T, body []byte, boundary string) []part {
	t.Helper()
	var out []part
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		value, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, part{p.Header.Get("Content-Disposition"), p.Header.Get("Content-Type"), string(value)})
	}
	// The fields of one name keep their order: it is that of a list.
	slices.SortStableFunc(out, func(a, b part) int { return strings.Compare(a.Disposition, b.Disposition) })
	return out
}

// play scripts a server with the answers of a call.
func (p pair) play(srv *babytest.Server) {
	for pattern, answers := range good {
		if _, own := p.answers[pattern]; !own {
			srv.On(pattern, answers...)
		}
	}
	for pattern, answers := range p.answers {
		srv.On(pattern, answers...)
	}
}

// record makes the calls with the Python SDK.
func record(t *testing.T, python string, all map[string]pair) map[string]exchange {
	t.Helper()
	files, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	type work struct {
		Call string `json:"call"`
		URL  string `json:"url"`
	}
	servers, calls := map[string]*babytest.Server{}, map[string]work{}
	for name, p := range all {
		srv := babytest.NewServer()
		t.Cleanup(srv.Close)
		p.play(srv)
		function := p.python
		if function == "" {
			function = name
		}
		servers[name], calls[name] = srv, work{function, srv.URL + p.prefix}
	}
	stdin, err := json.Marshal(map[string]any{"files": files, "calls": calls})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]exchange{}
	for _, line := range lines[struct {
		Name             string
		Error            *failure
		Unused, Uncalled []string
	}](t, run(t, bytes.NewReader(stdin), nil, python, "-I", "wire.py")) {
		if line.Name != "" {
			out[line.Name] = exchange{requestsOf(t, servers[line.Name]), line.Error}
		}
		if len(line.Unused) > 0 {
			t.Errorf("no call uses these methods of the SDK: %v", line.Unused)
		}
		if len(line.Uncalled) > 0 {
			t.Errorf("wire.py has calls that nothing is compared with: %v", line.Uncalled)
		}
	}
	if len(out) != len(all) {
		t.Fatalf("%d calls were made, of %d", len(out), len(all))
	}
	return out
}

// The same calls put the same on the wire, answers that are errors lead to as many requests and to
// the same error, and where that is not so it is said here, with the reason.
func TestRequestsAreThoseOfThePythonSDK(t *testing.T) {
	for _, name := range []string{"BABYAPI_API_KEY", "BABY_API_KEY", "BABYAPI_DEFAULT_MODEL"} {
		t.Setenv(name, "")
	}
	all := pairs()
	recorded := map[string]exchange{}
	if *update {
		recorded = record(t, sdk(t, "0.4.0"), all)
		if t.Failed() {
			return
		}
		text, err := json.MarshalIndent(recorded, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	for name := range recorded {
		if _, ok := all[name]; !ok {
			t.Errorf("%s is recorded, but no longer compared: record again with -update", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			want, ok := recorded[name]
			if !ok {
				t.Fatal("it is not recorded: record it with -update")
			}
			// Time is the bubble's, so that delays, polls and timeouts take none.
			synctest.Test(t, func(t *testing.T) {
				p := all[name]
				srv := babytest.NewPipeServer()
				defer srv.Close()
				p.play(srv)
				client := srv.Client(append([]babyclient.Option{babyclient.WithBaseURL(srv.URL + p.prefix)},
					p.client...)...)
				got := exchange{Error: failureOf(p.golang(t.Context(), client))}
				got.Requests = requestsOf(t, srv)
				if diff := differences(t, want, got); !slices.Equal(diff, p.differs) {
					t.Errorf("it differs in\n\t%s\nwant (%s)\n\t%s", strings.Join(diff, "\n\t"), p.why,
						strings.Join(p.differs, "\n\t"))
				}
			})
		})
	}
}

// The recorded requests are still those of the SDK.
func TestRecordedRequests(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs Python and a package registry: set BABYAPI_TEST_ENGINES=1 or run make test")
	}
	var want map[string]exchange
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, got := range record(t, sdk(t, "0.4.0"), pairs()) {
		if diff := differences(t, want[name], got); len(diff) > 0 {
			t.Errorf("%s (recorded as Python, now as Go):\n\t%s\nrecord again with -update", name,
				strings.Join(diff, "\n\t"))
		}
	}
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	if !ok {
		return &failure{Message: err.Error()}
	}
	return &failure{Message: e.Message, Status: e.StatusCode, Code: e.Code, Type: e.Type}
}

// differences tells in what two exchanges differ, of what the contract fixes: not in the order of
// JSON members and form fields, nor in how a number is written.
func differences(t *testing.T, python, golang exchange) []string {
	t.Helper()
	var out []string
	if p, g := len(python.Requests), len(golang.Requests); p != g {
		out = append(out, fmt.Sprintf("requests: Python %d, Go %d", p, g))
	}
	for i := range min(len(python.Requests), len(golang.Requests)) {
		p, g := flatten(t, python.Requests[i]), flatten(t, golang.Requests[i])
		if _, asked := p["body.encoding_format"]; !asked {
			delete(g, "body.encoding_format") // how the vectors travel is the client's own affair
		}
		names := maps.Clone(p)
		maps.Copy(names, g)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if p[name] != g[name] {
				out = append(out, fmt.Sprintf("request %d %s: Python %s, Go %s", i+1, name, orNone(p[name]),
					orNone(g[name])))
			}
		}
	}
	if p, g := python.Error.text(), golang.Error.text(); p != g {
		out = append(out, fmt.Sprintf("error: Python %s, Go %s", p, g))
	}
	return out
}

// text is what both clients must say alike. The words of a message are the client's own unless they
// are the service's, and the SDK does not tell the status of an answer that was none of an error.
func (f *failure) text() string {
	if f == nil {
		return "none"
	}
	words := []string{f.Code, f.Type}
	if f.Status >= http.StatusMultipleChoices {
		words = append(words, strconv.Itoa(f.Status))
	}
	if f.Status >= http.StatusBadRequest {
		words = append(words, strconv.Quote(f.Message))
	}
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	if len(words) == 0 {
		return "one without a code"
	}
	return strings.Join(words, " ")
}

func orNone(s string) string {
	if s == "" {
		return "has none"
	}
	return s
}

// flatten makes a request a table: the place of each value, and the value.
func flatten(t *testing.T, r request) map[string]string {
	t.Helper()
	out := map[string]string{"method": r.Method, "path": r.Path, "query": r.Query}
	for name, v := range r.Header {
		out["header "+name] = v
	}
	if r.Body != nil {
		var v any
		if err := decodeNumbers(r.Body, &v); err != nil {
			t.Fatal(err)
		}
		flattenJSON(out, "body", v)
	}
	for i, p := range r.Parts {
		place := fmt.Sprintf("part %d", i)
		out[place] = p.Disposition
		out[place+" type"] = p.ContentType
		var v any
		if err := decodeNumbers([]byte(p.Value), &v); err == nil && !strings.Contains(p.Disposition, "filename=") {
			flattenJSON(out, place+" value", v)
		} else {
			out[place+" value"] = strconv.Quote(p.Value)
		}
	}
	return out
}

func decodeNumbers(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func flattenJSON(out map[string]string, place string, v any) {
	switch v := v.(type) {
	case map[string]any:
		out[place] = "{}"
		for name, member := range v {
			flattenJSON(out, place+"."+name, member)
		}
	case []any:
		out[place] = "[]"
		for i, element := range v {
			flattenJSON(out, fmt.Sprintf("%s[%d]", place, i), element)
		}
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			out[place] = r.RatString() // 1 and 1.0 are one number
			return
		}
		out[place] = v.String()
	default:
		text, _ := json.Marshal(v) // a string, a bool or null: it encodes
		out[place] = string(text)
	}
}
