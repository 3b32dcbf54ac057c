package babyclient_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// doclingCapture is one of testdata/captures/docling.
type doclingCapture struct {
	name    string
	Request struct {
		Method    string
		Path      string
		Multipart []struct{ Name, Filename string }
		JSON      struct {
			Sources []struct{ Kind, URL, Filename string }
		}
	}
	Status          int
	ResponseHeaders map[string]string `json:"response_headers"`
	Body            json.RawMessage
	BodyFile        string `json:"body_file"`
}

func doclingCaptures(t testing.TB) []*doclingCapture {
	t.Helper()
	files, err := filepath.Glob("testdata/captures/docling/*.json")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	var out []*doclingCapture
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := &doclingCapture{name: strings.TrimSuffix(filepath.Base(f), ".json")}
		if err := json.Unmarshal(raw, c); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		var compact bytes.Buffer // as it was on the wire, where the recorder put in white space
		if json.Compact(&compact, c.Body) == nil {
			c.Body = compact.Bytes()
		}
		if c.Request.Method == "" { // recorded without its request: all uploads
			c.Request.Method, c.Request.Path = http.MethodPost, "/v1/convert/file"
		}
		if c.BodyFile != "" {
			if c.Body, err = os.ReadFile(filepath.Join(filepath.Dir(f), c.BodyFile)); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, c)
	}
	return out
}

// answer is the recorded answer.
func (c *doclingCapture) answer() http.Handler {
	contentType := c.ResponseHeaders["content-type"]
	if contentType == "" {
		contentType = "application/json"
	}
	return babytest.Body(c.Status, contentType, c.Body)
}

// sources are those of the request, or one in their place where the client would refuse them.
func (c *doclingCapture) sources() []babyclient.Source {
	var out []babyclient.Source
	for _, p := range c.Request.Multipart {
		if p.Filename != "" {
			out = append(out, babyclient.FromBytes(p.Filename, []byte("x")))
		}
	}
	for _, s := range c.Request.JSON.Sources {
		if s.Kind == "http" && strings.HasPrefix(s.URL, "http") {
			out = append(out, babyclient.FromURL(s.URL))
		} else if s.Filename != "" {
			out = append(out, babyclient.Source{Name: s.Filename, Data: []byte("x"), Inline: true})
		}
	}
	if len(out) == 0 || len(out) > babyclient.MaxDocumentsPerCall {
		return []babyclient.Source{babyclient.FromBytes("a.html", []byte("x"))}
	}
	return out
}

// wire is a document in docling-serve's form again.
func wire(d *babyclient.Converted) map[string]any {
	return map[string]any{
		"filename":        d.Filename,
		"md_content":      d.Markdown,
		"html_content":    d.HTML,
		"text_content":    d.Text,
		"doctags_content": d.DocTags,
		"doclang_content": d.DocLang,
		"json_content":    d.JSON,
	}
}

func wireStatus(into map[string]any, d *babyclient.Converted) map[string]any {
	maps.Copy(
		into,
		map[string]any{"status": d.Status, "errors": d.Errors, "timings": d.Timings, "confidence": d.Confidence},
	)
	return into
}

var taskID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`)

// summary is an outcome in a line, for the golden file.
func summary(documents []*babyclient.Converted, more string, err error) string {
	var b strings.Builder
	for _, d := range documents {
		fmt.Fprintf(
			&b,
			" [%s %q md=%d html=%d text=%d doctags=%d doclang=%d json=%d]",
			d.Filename,
			d.Status,
			len(d.Markdown),
			len(d.HTML),
			len(d.Text),
			len(d.DocTags),
			len(d.DocLang),
			len(d.JSON),
		)
	}
	b.WriteString(more)
	if err != nil {
		e, _ := errors.AsType[*babyclient.Error](err)
		fmt.Fprintf(&b, "\n\t%s: %s", e.Code, taskID.ReplaceAllString(err.Error(), "ID"))
	}
	return b.String() + "\n"
}

// Every answer of docling-serve decodes with nothing lost, or is an error that says why; the golden
// file holds what a user gets of each.
func TestDoclingCaptures(t *testing.T) {
	var out strings.Builder
	for _, c := range doclingCaptures(t) {
		path, _, _ := strings.Cut(c.Request.Path, "?")
		srv := server(t)
		cl := client(srv, babyclient.WithMaxRetries(0))
		srv.On(c.Request.Method+" /docling/", c.answer())
		var line string
		var typed any
		switch {
		case c.Request.Method == http.MethodDelete,
			strings.HasPrefix(path, "/v1/clear"),
			strings.HasPrefix(path, "/v1/memory"),
			strings.HasSuffix(path, "/batch"):
			continue // endpoints that are not in the contract
		case strings.HasSuffix(path, "/async"), strings.HasPrefix(path, "/v1/status"):
			job := cl.Docling.ConvertJob("x", "")
			status, err := job.Status(t.Context())
			if strings.HasSuffix(path, "/async") {
				var started *babyclient.ConvertJob
				if started, err = cl.Docling.StartConvert(t.Context(),
					&babyclient.ConvertRequest{Sources: c.sources()}); err == nil {
					status = started.Submitted
				}
			}
			if err != nil {
				line = summary(nil, "", err)
				break
			}
			line = fmt.Sprintf(" %s position=%d message=%q\n", status.State, status.Position, status.Message)
			typed = map[string]any{
				"task_id":       status.ID,
				"task_status":   status.State,
				"task_position": status.Position,
				"error_message": status.Message,
				"task_type":     "only in Raw",
			}
			var raw map[string]any
			if json.Unmarshal(status.Raw, &raw) == nil {
				typed.(map[string]any)["task_type"] = raw["task_type"]
			}
		case strings.HasPrefix(path, "/v1/chunk"),
			strings.HasPrefix(path, "/v1/result") && strings.Contains(c.name, "chunk"):
			resp, err := cl.Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: c.sources()})
			if strings.HasPrefix(path, "/v1/result") {
				resp, err = cl.Docling.ChunkJob("x", "").Result(t.Context())
			}
			if resp == nil {
				line = summary(nil, "", err)
				break
			}
			line = summary(resp.Documents, fmt.Sprintf(" chunks=%d", len(resp.Chunks)), err)
			docs := make([]any, len(resp.Documents))
			for i, d := range resp.Documents {
				docs[i] = wireStatus(map[string]any{"kind": "ExportResult", "content": wire(d)}, d)
			}
			typed = map[string]any{"chunks": resp.Chunks, "documents": docs, "processing_time": resp.ProcessingTime}
		case strings.HasPrefix(path, "/v1/convert"), strings.HasPrefix(path, "/v1/result"):
			resp, err := cl.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: c.sources()})
			if strings.HasPrefix(path, "/v1/result") {
				resp, err = cl.Docling.ConvertJob("x", "").Result(t.Context())
			}
			if resp == nil {
				line = summary(nil, "", err)
				break
			}
			more := ""
			if len(resp.Files) > 0 {
				more = fmt.Sprintf(" files=%v", slices.Sorted(maps.Keys(resp.Files)))
			}
			if s := resp.Stored; s != nil {
				more += fmt.Sprintf(" stored=%+v", *s)
				typed = map[string]any{
					"num_converted":           s.NumConverted,
					"num_succeeded":           s.NumSucceeded,
					"num_failed":              s.NumFailed,
					"num_partially_succeeded": s.NumPartiallySucceeded,
					"processing_time":         resp.ProcessingTime,
				}
			} else {
				typed = wireStatus(map[string]any{"document": wire(resp.Document()),
					"processing_time": resp.ProcessingTime}, resp.Document())
			}
			line = summary(resp.Documents, more, err)
		default:
			var raw json.RawMessage
			line = summary(nil, "", cl.Do(t.Context(), c.Request.Method, "/docling"+path, nil, &raw))
			if raw != nil {
				line = " " + string(raw) + "\n"
			}
		}
		if typed != nil && c.BodyFile == "" {
			if l := lost(parse(t, c.Body), encode(t, typed), ""); len(l) > 0 {
				t.Errorf("%s lost:\n%s", c.name, strings.Join(l, "\n"))
			}
		}
		fmt.Fprintf(&out, "%s: %s%s", c.name, c.Request.Method+" "+taskID.ReplaceAllString(path, "ID"), line)
	}
	golden(t, "captured_docling.golden", out.String())
}
