package babyclient_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// plainEvents is what the reader of streams must equal: the rules of the standard over the whole
// text at once, and what servers write beside it when they fail.
func plainEvents(body string) []string {
	var out, data []string
	var failures []string // of lines "error: …" in the event
	isFailure, isBare := false, false
	event := func() {
		if joined := strings.Join(data, "\n"); isFailure || strings.TrimSpace(joined) != "" {
			out = append(out, joined)
		} else if len(failures) == 0 {
			data = nil
			return
		}
		out = append(out, failures...)
		data, failures, isFailure, isBare = nil, nil, false, false
	}
	body = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(body, "\ufeff"))
	for line := range strings.SplitSeq(body, "\n") {
		name, value, colon := strings.Cut(line, ":")
		isData := name == "data"
		switch {
		case line == "":
			event()
			continue
		case isBare && isData:
			event()
		case isBare:
			data = append(data, line)
			continue
		case data == nil && line[0] == '{' && !isData:
			data, isBare = []string{line}, true
			if json.Valid([]byte(line)) {
				event()
			}
			continue
		}
		if !isData {
			switch text := strings.TrimSpace(value); {
			case name == "event":
				isFailure = strings.EqualFold(text, "error")
			case name == "error" && text != "" && data == nil:
				out, isFailure = append(out, text), false
			case name == "error" && text != "":
				failures = []string{text}
			}
			continue
		}
		if colon {
			value = strings.TrimPrefix(value, " ")
		}
		if data = append(data, value); len(data) == 1 && strings.TrimSpace(value) == "[DONE]" {
			event() // it ends the stream without waiting for more
		}
	}
	event()
	return out
}

// pieces reads in pieces of the sizes that its bytes say.
type pieces struct {
	r     io.Reader
	sizes []byte
	next  int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := 1
	if len(p.sizes) > 0 {
		n = int(p.sizes[p.next%len(p.sizes)])%64 + 1
		p.next++
	}
	return p.r.Read(b[:min(n, len(b))])
}

func FuzzEvents(f *testing.F) {
	for _, c := range llmCaptures(f) {
		if c.stream() && c.status == 200 && len(c.body) < 3000 {
			f.Add(c.body, []byte{7, 1, 63})
		}
	}
	f.Add([]byte("\ufeffdata: a\r\ndata:b\r\n\r\n: c\n\ndata\n\ndata: \xff\n\ndata: [DONE]"), []byte{0})
	f.Add([]byte("event: error\ndata: a\n\nerror: b\ndata: c\nerror: d\n\n{\"e\":1}\n{\ndata: f\n\nevent: error\n\n"), []byte{3})
	f.Fuzz(func(t *testing.T, body, sizes []byte) {
		want := plainEvents(string(body))
		for name, r := range map[string]io.Reader{"whole": bytes.NewReader(body),
			"pieces":        &pieces{r: bytes.NewReader(body), sizes: sizes},
			"EOF with data": iotest.DataErrReader(bytes.NewReader(body))} {
			got, err := babyclient.EventsOf(r)
			if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
				t.Errorf("%s: %q, %v; want %q", name, got, err, want)
			}
		}
	})
}

// fuzzClient answers every call with the response that is set. It needs no network, so that a run
// is fast.
func fuzzClient(f *testing.F) (c *babyclient.Client, answer func(status int, contentType string, body []byte)) {
	f.Helper()
	var resp func() *http.Response
	c, err := babyclient.New(
		babyclient.WithBaseURL("http://fuzz.invalid"),
		babyclient.WithAPIKey(babytest.Key),
		babyclient.WithMaxRetries(0),
		babyclient.WithMaxResponseSize(1<<20),
		babyclient.WithDefaultModel(
			"tiny",
		),
		babyclient.WithHTTPClient(
			&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return resp(), nil })},
		),
	)
	if err != nil {
		f.Fatal(err)
	}
	return c, func(status int, contentType string, body []byte) {
		resp = func() *http.Response {
			return &http.Response{
				StatusCode:    status,
				Header:        http.Header{"Content-Type": {contentType}},
				Body:          io.NopCloser(bytes.NewReader(body)),
				ContentLength: -1,
			}
		}
	}
}

// Whatever an event holds, the stream yields what its JSON says or its raw data, and never ends
// well without [DONE].
func FuzzChunk(f *testing.F) {
	for _, c := range llmCaptures(f) {
		if c.stream() && c.status == 200 && strings.HasPrefix(c.name, "vllm-chat") {
			if data := dataOf(c.body); len(data) > 2 {
				f.Add(data[1])
				f.Add(data[len(data)-2])
			}
		}
	}
	f.Add(`{"error":{"message":"x"}}`)
	c, answer := fuzzClient(f)
	f.Fuzz(func(t *testing.T, data string) {
		if strings.ContainsAny(data, "\r\n") || strings.TrimSpace(data) == "" || strings.Contains(data, "[DONE]") ||
			strings.HasPrefix(data, " ") {
			t.Skip("not the data of one event of one line")
		}
		answer(200, "text/event-stream", []byte("data: "+data+"\n\n"))
		n := 0
		text := ""
		var last error
		for chunk, err := range chatStream(t.Context(), c) {
			if last = err; err != nil {
				continue
			}
			if text += chunk.Text(); chunk.Raw == nil {
				continue // half a character that was held back to the end
			}
			if n++; !strings.Contains(data, string(chunk.Raw)) {
				t.Errorf("Raw %q, want %q, or a part of it", chunk.Raw, data)
			}
		}
		if last == nil || n == 1 && !errors.Is(last, babyclient.ErrStreamTruncated) &&
			!errors.Is(last, babyclient.ErrStreamFailed) {
			t.Errorf("%d chunks, %v", n, last)
		}
		var plain struct {
			Choices []struct {
				Index int
				Text  string
				Delta struct{ Content string }
			}
		}
		isPlain := json.Unmarshal([]byte(data), &plain) == nil && !strings.Contains(data, "message")
		if !isPlain || n == 0 {
			return
		}
		want := ""
		for _, ch := range plain.Choices {
			if ch.Index == 0 {
				if want = ch.Delta.Content; want == "" && strings.Contains(data, `"text"`) {
					want = ch.Text
				}
				break
			}
		}
		if text != want || n > 1 {
			t.Errorf("%d chunks, text %q, want %q", n, text, want)
		}
	})
}

// Whatever the body of an error holds, it is an error with its status, and tells no key.
func FuzzErrorBody(f *testing.F) {
	for _, c := range llmCaptures(f) {
		if c.status != 200 && len(c.body) < 500 {
			f.Add(c.status, c.body)
		}
	}
	f.Add(400, []byte(`{"error":{"message":"bad key `+babytest.Key+`"}}`))
	c, answer := fuzzClient(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 300 || status > 599 {
			status = 400
		}
		answer(status, "application/json", body)
		_, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		e := fails(t, err)
		if e.StatusCode != status || e.Message == "" || !utf8.ValidString(e.Details) ||
			strings.Contains(err.Error()+e.Details, babytest.Key) {
			t.Errorf("%+v", e)
		}
	})
}

// Whatever an embedding answer holds, there are as many vectors as inputs, all of one length and
// finite, or an error.
func FuzzEmbedding(f *testing.F) {
	for _, c := range llmCaptures(f) {
		if c.path == "/v1/embeddings" && c.status == 200 && len(c.body) < 3000 && c.body[0] == '{' {
			f.Add(c.body)
		}
	}
	f.Add([]byte(embeddings(packed(1, 2), "[3,4]")))
	c, answer := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		answer(200, "application/json", body)
		resp, err := c.Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a", "b"}})
		if err != nil {
			if !errors.Is(err, babyclient.ErrInvalidResponse) {
				t.Errorf("err = %v", err)
			}
			return
		}
		if len(resp.Vectors) != 2 || len(resp.Vectors[0]) == 0 || len(resp.Vectors[0]) != len(resp.Vectors[1]) {
			t.Errorf("vectors %v", resp.Vectors)
		}
		for _, v := range resp.Vectors {
			for _, x := range v {
				if x-x != 0 {
					t.Errorf("%v is not finite", x)
				}
			}
		}
	})
}

// Whatever a zip answer holds, its documents fit the limit and no name leads out of a folder, or it
// is an error.
func FuzzZip(f *testing.F) {
	for _, c := range doclingCaptures(f) {
		if strings.HasSuffix(c.BodyFile, ".zip") {
			f.Add([]byte(c.Body))
		}
	}
	f.Add(zipOf(f, "../a.md"))
	f.Add(zipOf(f, "a.md", "artifacts/b.png"))
	c, answer := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		answer(200, "application/zip", body)
		resp, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1)})
		if resp == nil {
			if !errors.Is(err, babyclient.ErrInvalidResponse) {
				t.Errorf("err = %v", err)
			}
			return
		}
		size := 0
		for _, d := range resp.Documents {
			size += len(d.Markdown) + len(d.HTML) + len(d.Text) + len(d.JSON) + len(d.DocTags) + len(d.DocLang)
		}
		for name, data := range resp.Files {
			size += len(data)
			if strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") ||
				strings.ContainsAny(name, "\\:\x00") {
				t.Errorf("an unsafe name: %q", name)
			}
		}
		if size > 1<<20 {
			t.Errorf("%d bytes, over the limit", size)
		}
	})
}

// Whatever Retry-After says, the wait is not negative, and is none where it cannot be read.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "3", "0.5", "-1", "1e300", "NaN", "Inf", "Sun, 22 Nov 2026 10:45:08 GMT",
		"Sunday, 22-Nov-26 10:45:08 GMT", " 5 ", "soon", "0x10"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 22, 10, 45, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := babyclient.ParseRetryAfter(s, now)
		if d < 0 || !ok && d != 0 {
			t.Errorf("%q: %s, %t", s, d, ok)
		}
		if at, err := http.ParseTime(strings.TrimSpace(s)); err == nil && ok && d != max(0, at.Sub(now)) {
			t.Errorf("%q: %s, want %s", s, d, at.Sub(now))
		}
	})
}
