package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func TestConvertFile(t *testing.T) {
	svc := newService(t)
	s, root := newTestServer(t, svc)
	write(t, root, "a b.html")
	text := mustText(t, s, ToolConvert, `{"source":"a b.html"}`)
	want := "# Title\n\nHello.\n\n[babyapi: a b.html, the whole document, 15 characters. document_id "
	if !strings.HasPrefix(text, want) {
		t.Errorf("got %q, want %q first", text, want)
	}
	sent := svc.sent("/convert/file/async")
	if len(sent) != 1 {
		t.Fatalf("%d uploads, want 1", len(sent))
	}
	for _, want := range []string{`filename="a b.html"`, "some text", pageBreak} {
		if !strings.Contains(sent[0].body, want) {
			t.Errorf("the upload lacks %q: %s", want, sent[0].body)
		}
	}
	// The same file again costs nothing; a changed one is converted anew.
	mustText(t, s, ToolConvert, `{"source":"a b.html","outline":true}`)
	if n := len(svc.sent("/convert/file/async")); n != 1 {
		t.Errorf("%d uploads of one file, want 1", n)
	}
	if err := os.WriteFile(filepath.Join(root, "a b.html"), []byte("other text"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustText(t, s, ToolConvert, `{"source":"a b.html"}`)
	if n := len(svc.sent("/convert/file/async")); n != 2 {
		t.Errorf("%d uploads after the file changed, want 2", n)
	}
}

func TestConvertURLGoesToTheService(t *testing.T) {
	svc := newService(t)
	svc.layout = pagedJSON(9, pagedText{2, "Hello."})
	s, _ := newTestServer(t, svc)
	text := mustText(t, s, ToolConvert,
		`{"source":"https://user:pw@example.com/a.pdf?token=secret","ocr":"force","pages":"2-3"}`)
	if strings.Contains(text, "secret") || strings.Contains(text, "pw") {
		t.Errorf("the answer repeats what a URL holds in secret: %q", text)
	}
	sent := svc.sent("/convert/source/async")
	if len(sent) != 1 {
		t.Fatalf("%d requests, want 1", len(sent))
	}
	var body struct {
		Sources []struct{ Kind, URL string }
		Options map[string]any
	}
	if err := json.Unmarshal([]byte(sent[0].body), &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Sources) != 1 || body.Sources[0].URL != "https://user:pw@example.com/a.pdf?token=secret" {
		t.Errorf("the service got the sources %v, want the URL as it was given", body.Sources)
	}
	if body.Options["force_ocr"] != true || fmt.Sprint(body.Options["page_range"]) != "[2 3]" ||
		fmt.Sprint(body.Options["to_formats"]) != "[md json]" {
		t.Errorf("the service got the options %v, want OCR forced, pages 2 to 3, md and json", body.Options)
	}
}

func TestConvertFormats(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	for format, want := range map[string]string{"html": "<p>hi</p>", "text": "# Title", "doctags": "<doctag>",
		"json": "{}", "md": "# Title"} {
		text := mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf","format":"`+format+`"}`)
		if !strings.HasPrefix(text, want) {
			t.Errorf("%s: got %q, want %q", format, text, want)
		}
	}
}

var continues = regexp.MustCompile(`Continue: convert (\{.*?\})`)

// readAll reads a document by the calls that the tool gives, and joins the parts.
func readAll(t *testing.T, s *Server, arguments string) (joined string, parts int) {
	t.Helper()
	for arguments != "" {
		text := mustText(t, s, ToolConvert, arguments)
		body, note := splitNote(t, text)
		joined += body
		parts++
		arguments = ""
		if m := continues.FindStringSubmatch(note); m != nil {
			arguments = m[1]
		}
	}
	return joined, parts
}

// splitNote parts the document from the line that the tool adds.
func splitNote(t *testing.T, text string) (body, note string) {
	t.Helper()
	i := strings.LastIndex(text, "\n\n[babyapi: ")
	if i < 0 || strings.Contains(text[i+2:], "\n") {
		t.Fatalf("no last line of the tool in %q", text[max(0, len(text)-200):])
	}
	return text[:i], text[i:]
}

func TestConvertInPartsIsTheWhole(t *testing.T) {
	svc := newService(t)
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 2))
		svc.markdown = strings.ReplaceAll(randomMarkdown(r, 300), pageBreak, "")
		s, _ := newTestServer(t, svc)
		joined, parts := readAll(t, s, `{"source":"https://example.com/a.pdf","max_chars":`+
			fmt.Sprint(500+r.IntN(5000))+`}`)
		if joined != svc.markdown || parts < 3 {
			t.Errorf("seed %d: %d parts joined are not the document, or fewer than 3", seed, parts)
		}
		if n := len(svc.sent("/convert/source/async")); n != int(seed)+1 {
			t.Errorf("%d conversions for %d documents: reading on must not convert again", n, seed+1)
		}
	}
}

func TestConvertPages(t *testing.T) {
	svc := newService(t)
	svc.markdown = "one\n\n" + pageBreak + "\n\ntwo\n\n" + pageBreak + "\n\nfour\n\n" + pageBreak + "\n\nfive"
	svc.layout = pagedJSON(6, pagedText{1, "one"}, pagedText{2, "two"}, pagedText{4, "four"}, pagedText{5, "five"})
	s, _ := newTestServer(t, svc)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	body, note := splitNote(t, mustText(t, s, ToolConvert, `{"document_id":"`+id+`","pages":"1,4-5"}`))
	if want := "one\n\n<!-- page 4 -->\n\nfour\n\n<!-- page 5 -->\n\nfive"; body != want {
		t.Errorf("got %q, want %q", body, want)
	}
	if !strings.Contains(note, "(pages 1-5 of 6)") {
		t.Errorf("the last line is %q, want pages 1-5 of 6 in it", note)
	}
	joined, _ := readAll(t, s, `{"document_id":"`+id+`","pages":"2-","max_chars":500}`)
	if !strings.HasPrefix(joined, "<!-- page 2 -->") || !strings.HasSuffix(joined, "five") {
		t.Errorf("pages 2-: got %q, want page 2 to the end", joined)
	}
	wantError(t, s, ToolConvert, `{"document_id":"`+id+`","pages":"7"}`, "has 6 pages: there is no page 7")
	wantError(t, s, ToolConvert, `{"document_id":"`+id+`","pages":"3"}`, "hold no text")
	wantError(t, s, ToolConvert, `{"document_id":"`+id+`","pages":"two"}`, `"1-5,8"`)
	if n := len(svc.sent("/convert/source/async")); n != 1 {
		t.Errorf("%d conversions, want 1", n)
	}
}

// Of a document that was converted in part nobody knows how long it is, and nothing says so.
func TestConvertPagesOfASource(t *testing.T) {
	svc := newService(t)
	svc.markdown = "two\n\n" + pageBreak + "\n\nthree"
	svc.layout = pagedJSON(3, pagedText{2, "two"}, pagedText{3, "three"})
	s, _ := newTestServer(t, svc)
	body, note := splitNote(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf","pages":"2-3"}`))
	if body != "two\n\n<!-- page 3 -->\n\nthree" || !strings.Contains(note, "(pages 2-3)") ||
		strings.Contains(note, "whole") {
		t.Errorf("got %q with the last line %q, want pages 2-3, and not that they are the whole", body, note)
	}
	wantError(t, s, ToolConvert, `{"document_id":"`+documentID(t, note)+`","pages":"7"}`, "page 7", "was not converted",
		"source")
	// Other formats have no page marks: the service's choice of pages holds.
	text := mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf","pages":"2-3","format":"html"}`)
	if !strings.HasPrefix(text, "<p>hi</p>") {
		t.Errorf("pages of HTML: got %q, want all that was converted", text)
	}
	wantError(t, s, ToolConvert, `{"source":"https://example.com/a.pdf","pages":"2,9","format":"html"}`,
		"need format md")
}

func TestConvertPagesOfWhatHasNone(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	wantError(t, s, ToolConvert, `{"source":"https://example.com/a.docx","pages":"2"}`, "no pages that are known",
		`convert {"document_id":"d_`)
}

func TestConvertOutlineAndSearch(t *testing.T) {
	svc := newService(t)
	svc.markdown = "# Report\n\nGrüße.\n\n```\n# code\n```\n\n" +
		"## Net  revenue\n\nThe net\nrevenue was 5. NET REVENUE!\n"
	s, _ := newTestServer(t, svc)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	outline := mustText(t, s, ToolConvert, `{"document_id":"`+id+`","outline":true}`)
	if !strings.HasPrefix(outline, "offset 0: # Report\noffset 34: ## Net  revenue\n\n[babyapi: 2 headings") {
		t.Errorf("the outline is %q, want two headings with their offsets", outline)
	}
	got := mustText(t, s, ToolConvert, `{"document_id":"`+id+`","offset":34}`)
	if !strings.HasPrefix(got, "## Net  revenue") {
		t.Errorf("the offset of the outline leads to %q", got)
	}
	found := mustText(t, s, ToolConvert, `{"document_id":"`+id+`","search":"net revenue"}`)
	if n := strings.Count(found, "offset "); n != 3 || !strings.Contains(found, "3 of 3 matches") {
		t.Errorf("the search gives %q, want 3 matches", found)
	}
	none := mustText(t, s, ToolConvert, `{"document_id":"`+id+`","search":"profit (gross)"}`)
	if !strings.Contains(none, "does not occur") || !strings.Contains(none, "rerank") {
		t.Errorf("a search without a match: got %q, want that it does not occur, and rerank", none)
	}
	wantError(t, s, ToolConvert, `{"document_id":"`+id+`","search":"x","outline":true}`, "one of them")
	wantError(t, s, ToolConvert, `{"document_id":"`+id+`","search":"  "}`, "search is blank")
	text := mustText(t, s, ToolConvert, `{"source":"https://example.com/b.pdf","format":"text"}`)
	wantError(t, s, ToolConvert, `{"document_id":"`+documentID(t, text)+`","outline":true}`, "format md")
}

func TestConvertLongListsGoOn(t *testing.T) {
	svc := newService(t)
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "## Heading number %d\n\nneedle\n\n", i)
	}
	svc.markdown = b.String()
	s, _ := newTestServer(t, svc)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf","max_chars":500}`))
	for kind, want := range map[string]int{`"outline":true`: 200, `"search":"needle"`: 200} {
		arguments, lines := `{"document_id":"`+id+`",`+kind+`}`, 0
		for arguments != "" {
			text := mustText(t, s, ToolConvert, arguments)
			lines += strings.Count(text, "\noffset ") + 1
			m := regexp.MustCompile(`(?i)more \w+: convert (\{.*?\})`).FindStringSubmatch(text)
			arguments = ""
			if m != nil {
				arguments = m[1]
			}
		}
		if lines != want {
			t.Errorf("%s: %d lines in all, want %d", kind, lines, want)
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	s, root := newTestServer(t, newService(t))
	write(t, root, "a.pdf")
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"a.pdf"}`))
	tests := []struct {
		arguments string
		want      []string
	}{
		{`{}`, []string{"give exactly one of source"}},
		{`{"source":"a.pdf","outline":true,"format":"html"}`, []string{"an outline needs format md"}},
		{`{"source":"  "}`, []string{"give exactly one of source"}},
		{`{"source":"a.pdf","document_id":"` + id + `"}`, []string{"give exactly one of source"}},
		{`{"path":"a.pdf"}`, []string{`Did you mean "source"?`}},
		{`{"source":7}`, []string{`"source" must be a string, got 7`}},
		{`{"source":"a.pdf","format":"docx"}`, []string{`"format" must be one of "md"`}},
		{`{"source":"/etc/passwd"}`, []string{root, "--root"}},
		{`{"source":"../a.pdf"}`, []string{root, "--root"}},
		{`{"source":"file:///etc/passwd"}`, []string{"Give the path itself"}},
		{`{"source":"FILE:a.pdf"}`, []string{"Give the path itself"}},
		{`{"source":"s3://bucket/a.pdf"}`, []string{`"s3:" is not taken`}},
		{`{"source":"https:///a.pdf"}`, []string{"cannot be parsed"}},
		{`{"document_id":"d_aaaaaaaaaa"}`, []string{"is not kept any more", "Call convert with source again"}},
		{`{"job_id":"j_aaaaaaaaaa"}`, []string{"is not kept any more"}},
		{`{"document_id":"` + id + `","offset":16}`, []string{"past the end", "has 15 characters"}},
		{`{"document_id":"` + id + `","offset":-1}`, []string{"at least 0"}},
		{`{"document_id":"` + id + `","format":"html"}`, []string{"is kept as md", "source and format"}},
		{`{"source":"a.pdf","max_chars":1000000}`, []string{"at most 200000"}},
	}
	for _, tt := range tests {
		wantError(t, s, ToolConvert, tt.arguments, tt.want...)
	}
	text := mustText(t, s, ToolConvert, `{"document_id":"`+id+`","offset":15}`)
	if !strings.Contains(text, "nothing after this offset") {
		t.Errorf("an offset at the end: got %q, want that nothing follows", text)
	}
}

func TestConvertTellsWhatTheServiceSaid(t *testing.T) {
	tests := []struct {
		name   string
		change func(*service)
		want   []string
	}{
		{"corrupt", func(s *service) {
			s.status = "failure"
			s.errors = `[{"component_type":"document_backend","error_message":"PDF header missing",` +
				`"category":"backend_failure"}]`
		}, []string{"PDF header missing", "check that the file is whole"}},
		{"task lost", func(s *service) {
			s.answers["/docling/v1/status/poll/t1"] = answered{404, nil, `{"detail":"Task not found."}`}
		}, []string{"forgotten", "Call convert with source again"}},
		{"down", func(s *service) { s.Close() }, []string{"cannot reach", "BABYAPI_BASE_URL"}},
		{"quota", func(s *service) {
			s.answers["/docling/v1/convert/source/async"] = answered{429, nil,
				`{"error":{"message":"monthly limit","code":"MONTHLY_LIMIT_REACHED"}}`}
		}, []string{"no quota left", "retrying will not help"}},
		{"rate", func(s *service) {
			s.answers["/docling/v1/convert/source/async"] = answered{429, map[string]string{"Retry-After": "100"},
				`{"error":{"message":"slow down"}}`}
		}, []string{"slow down", "Wait 1m40s before"}},
		{"crash", func(s *service) {
			s.answers["/docling/v1/convert/source/async"] = answered{500, map[string]string{"X-Request-Id": "req-9"},
				`{"error":{"message":"boom sk-abcdef123456"}}`}
		}, []string{"the service failed (500)", "do not repeat it", "[redacted]", "request id req-9"}},
		{"nonsense", func(s *service) {
			s.answers["/docling/v1/convert/source/async"] = answered{200, nil, `<html>` + strings.Repeat("x", 20000)}
		}, []string{"did not answer as BabyAPI does"}},
		{"key", func(s *service) {
			s.answers["/docling/v1/convert/source/async"] = answered{401, nil, `{"error":{"message":"bad key ` +
				testKey + `"}}`}
		}, []string{"rejected the API key (401", "BABYAPI_API_KEY", "restart"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			svc := newService(t)
			tt.change(svc)
			s, _ := newTestServer(t, svc)
			wantError(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`, tt.want...)
		})
	}
}

func TestConvertPartialSuccessTellsWhatIsMissing(t *testing.T) {
	svc := newService(t)
	svc.status, svc.errors = "partial_success", `[{"error_message":"timed out","category":"timeout","page_no":7}]`
	s, _ := newTestServer(t, svc)
	text := mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`)
	if !strings.HasPrefix(text, "# Title") || !strings.Contains(text, "Not converted whole: page 7: timed out") {
		t.Errorf("got %q, want the text and what is missing", text)
	}
}

func TestConvertWithoutText(t *testing.T) {
	svc := newService(t)
	svc.markdown = " \n"
	s, _ := newTestServer(t, svc)
	text := mustText(t, s, ToolConvert, `{"source":"https://example.com/scan.pdf"}`)
	if !strings.Contains(text, `no text was found`) || !strings.Contains(text, `ocr "force"`) {
		t.Errorf("got %q, want that no text was found, and ocr", text)
	}
}

func TestCallsWithoutKey(t *testing.T) {
	t.Setenv("BABYAPI_API_KEY", "")
	t.Setenv("BABY_API_KEY", "")
	client, err := babyclient.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(client, WithRoots(t.TempDir()), WithRerankModel("m"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for tool, arguments := range map[string]string{ToolConvert: `{"source":"https://example.com/a.pdf"}`,
		ToolInfer: `{"prompt":"x","model":"m"}`, ToolRerank: `{"query":"x","texts":["y"]}`} {
		wantError(t, s, tool, arguments, "no API key", "BABYAPI_API_KEY", "restart", "retrying will not help")
	}
}

var jobID = regexp.MustCompile(`j_[a-z0-9]{10}`)

// A conversion that takes long is answered with a job id, goes on, and is collected later.
func TestConvertSlow(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc, WithWait(100*time.Millisecond))
	text := mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`)
	job := jobID.FindString(text)
	const start = `^Still converting https://example\.com/a\.pdf \(\d+s, .+, job j_`
	if !regexp.MustCompile(start).MatchString(text) ||
		!strings.Contains(text, `Call convert {"job_id":"`+job+`"} to keep waiting; nothing is lost.`) {
		t.Fatalf("got %q", text)
	}
	wantError(t, s, ToolRerank, `{"query":"x","document_id":"`+job+`"}`, "still being converted", job)
	// A caller that is cancelled does not end a job that was handed out.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := call(ctx, t, s, ToolConvert, `{"job_id":"`+job+`"}`); !r.IsError {
		t.Errorf("a cancelled call: got %q, want an error", r.text())
	}
	close(svc.hold)
	text = mustText(t, s, ToolConvert, `{"job_id":"`+job+`","wait_seconds":60}`)
	if !strings.HasPrefix(text, "# Title") {
		t.Errorf("collected %q, want the document", text)
	}
	if mustText(t, s, ToolConvert, `{"job_id":"`+job+`"}`) != text {
		t.Error("collecting again gives something else")
	}
	if n := len(svc.sent("/convert/source/async")); n != 1 {
		t.Errorf("%d conversions, want 1", n)
	}
	if n := len(svc.sent("/cancel/t1")); n != 0 {
		t.Errorf("%d cancellations, want none", n)
	}
}

// Two calls for one document share its conversion; one that leaves does not end it for the other.
func TestConvertSharedByCalls(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan *result, 1), make(chan *result, 1)
	go func() { first <- call(ctx, t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`) }()
	go func() { second <- call(t.Context(), t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`) }()
	eventually(t, "two calls wait for one conversion", func() bool {
		s.documents.library.mu.Lock()
		defer s.documents.library.mu.Unlock()
		return len(s.documents.library.list) == 1 && s.documents.library.list[0].waiting == 2
	})
	cancel()
	<-first
	close(svc.hold)
	if r := <-second; r.IsError {
		t.Errorf("the other call failed: %s", r.text())
	}
	if n := len(svc.sent("/convert/source/async")); n != 1 {
		t.Errorf("%d conversions, want 1", n)
	}
}

// eventually waits for what happens on other goroutines.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s: not %s", what)
		}
	}
}

// A cancelled call whose job nobody knows ends it at the service.
func TestConvertCancelledReachesTheService(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *result, 1)
	go func() { done <- call(ctx, t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`) }()
	eventually(t, "the service is asked for the status", func() bool { return len(svc.sent("/status/poll/t1")) > 0 })
	cancel()
	<-done
	eventually(t, "the service is told to cancel", func() bool { return len(svc.sent("/cancel/t1")) == 1 })
	s.documents.library.mu.Lock()
	defer s.documents.library.mu.Unlock()
	if len(s.documents.library.list) != 0 {
		t.Error("a cancelled conversion is kept")
	}
}

func TestConvertTimeout(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc, WithTimeout(200*time.Millisecond))
	wantError(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`, "took longer than 200ms",
		"BABYAPI_MCP_TIMEOUT")
	eventually(t, "the service is told to cancel", func() bool { return len(svc.sent("/cancel/t1")) == 1 })
}

func TestCloseEndsConversions(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc, WithWait(50*time.Millisecond))
	mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`)
	s.Close()
	if n := len(svc.sent("/cancel/t1")); n != 1 {
		t.Errorf("%d cancellations, want 1", n)
	}
}

func TestLibraryKeepsWhatWasReadLast(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	var ids []string
	for i := range maxDocuments {
		ids = append(ids,
			documentID(t, mustText(t, s, ToolConvert, fmt.Sprintf(`{"source":"https://example.com/%d.pdf"}`, i))))
	}
	mustText(t, s, ToolConvert, `{"document_id":"`+ids[0]+`"}`)
	mustText(t, s, ToolConvert, `{"source":"https://example.com/more.pdf"}`)
	mustText(t, s, ToolConvert, `{"document_id":"`+ids[0]+`"}`)
	wantError(t, s, ToolConvert, `{"document_id":"`+ids[1]+`"}`, "is not kept any more")
	// A document may be larger than all that is kept.
	s.documents.library.maxBytes = 1000
	svc.markdown = strings.Repeat("x", 1001)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/huge.pdf"}`))
	mustText(t, s, ToolConvert, `{"document_id":"`+id+`","offset":1000}`)
	wantError(t, s, ToolConvert, `{"document_id":"`+ids[0]+`"}`, "is not kept any more")
}

// A failed conversion is not remembered as if it were the document.
func TestConvertFailedCanBeTriedAgain(t *testing.T) {
	svc := newService(t)
	svc.answers["/docling/v1/convert/source/async"] = answered{http.StatusServiceUnavailable, nil, `{"detail":"busy"}`}
	s, _ := newTestServer(t, svc)
	wantError(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`, "busy")
	delete(svc.answers, "/docling/v1/convert/source/async")
	mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`)
}

func TestConvertDataURI(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	mustText(t, s, ToolConvert, `{"source":"data:text/html,<p>hi</p>"}`)
	if sent := svc.sent("/convert/file/async"); len(sent) != 1 || !strings.Contains(sent[0].body, "<p>hi</p>") ||
		!strings.Contains(sent[0].body, `filename="data.html"`) {
		t.Errorf("sent %v, want one file data.html with the data", sent)
	}
}
