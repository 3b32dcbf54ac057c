package babyclient

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// No name of a file, and no value of an option, adds a part, a header or a field to an upload.
func FuzzMultipart(f *testing.F) {
	f.Add("a.md", "text", "from_formats")
	f.Add("a\"\r\nX-Injected: 1\r\n\r\n--b--.md", "v\r\n--", "n\"; filename=\"x")
	f.Fuzz(func(t *testing.T, name, value, option string) {
		source := FromBytes(name, []byte("content"))
		if source.check(0) != nil || option == "" {
			return
		}
		b, err := multipartBody([]Source{source}, []formField{{option, value}})
		if err != nil {
			return
		}
		rc, err := b.open()
		if err != nil {
			t.Fatal(err)
		}
		defer rc.Close()
		_, params, err := mime.ParseMediaType(b.contentType)
		if err != nil {
			t.Fatal(err)
		}
		reader := multipart.NewReader(rc, params["boundary"])
		for i, want := range []string{value, "content"} {
			part, err := reader.NextRawPart()
			if err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			got, err := io.ReadAll(part)
			if err != nil || string(got) != want || len(part.Header) > 2 {
				t.Fatalf("part %d: %q, %v, %v; want %q", i, got, part.Header, err, want)
			}
		}
		if _, err := reader.NextRawPart(); !errors.Is(err, io.EOF) {
			t.Errorf("more parts: %v", err)
		}
	})
}

// What passes as a path stays below the base URL, on its host.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"/v1/models?a=b", "//evil.example/x", "/a/../../x", "/%2e%2e/x", "/a\\..\\b",
		"@evil.example/", "/\x00", "/a#b"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if checkPath(p) != nil {
			return
		}
		const prefix = "http://api.example/prefix"
		want, wantErr := url.Parse(prefix + p)
		c, err := New(WithBaseURL(prefix))
		if err != nil {
			t.Fatal(err)
		}
		settings := &c.defaults
		a := c.newAttempt(t.Context(), newGet(p), settings, c.errorsWith("GET "+p, settings), 1)
		defer a.clock.stop()
		req, err := a.newRequest()
		var got *url.URL
		if err == nil {
			got = req.URL
		}
		if (err == nil) != (wantErr == nil) || err == nil && got.String() != want.String() {
			t.Fatalf("%q leads to %v, %v; want %v, %v", p, got, err, want, wantErr)
		}
		if err == nil && (got.Host != "api.example" || !strings.HasPrefix(path.Clean(got.Path)+"/", "/prefix/")) {
			t.Errorf("%q leads to %s", p, got)
		}
	})
}

// The id of a job is one element of the path, whatever it holds.
func FuzzJobID(f *testing.F) {
	f.Add("t1")
	f.Add("../../v1/models?x#y")
	f.Add("a b/c%2f")
	f.Fuzz(func(t *testing.T, id string) {
		k, err := jobRequest{method: http.MethodGet, action: "result", id: id}.call(nil)
		if err != nil {
			return
		}
		rest := strings.TrimPrefix(k.path, "/docling/v1/result/")
		if rest == k.path || strings.ContainsAny(rest, "/?#\\ \r\n") || rest == ".." || rest == "." {
			t.Errorf("%q became %s", id, k.path)
		}
	})
}
