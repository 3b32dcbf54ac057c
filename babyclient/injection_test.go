package babyclient

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
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
		b, err := multipartBody([]Source{source}, []field{{option, value}})
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
	for _, p := range []string{"/v1/models?a=b", "//evil.example/x", "/a/../../x", "/%2e%2e/x", "/a\\..\\b", "@evil.example/", "/\x00", "/a#b"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if checkPath(p) != nil {
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example/prefix"+p, nil)
		if err != nil {
			return
		}
		if req.URL.Host != "api.example" || !strings.HasPrefix(path.Clean(req.URL.Path)+"/", "/prefix/") {
			t.Errorf("%q leads to %s", p, req.URL)
		}
	})
}

// The id of a job is one element of the path, whatever it holds.
func FuzzJobID(f *testing.F) {
	f.Add("t1")
	f.Add("../../v1/models?x#y")
	f.Add("a b/c%2f")
	f.Fuzz(func(t *testing.T, id string) {
		job := (&Docling{}).ConvertJob(id, "")
		k, err := job.request(http.MethodGet, "result")
		if err != nil {
			return
		}
		rest := strings.TrimPrefix(k.path, "/docling/v1/result/")
		if rest == k.path || strings.ContainsAny(rest, "/?#\\ \r\n") || rest == ".." || rest == "." {
			t.Errorf("%q became %s", id, k.path)
		}
	})
}
