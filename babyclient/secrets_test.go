package babyclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// jsonEscaped is a text as it stands between the quotes of JSON.
func jsonEscaped(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw[1 : len(raw)-1])
}

func unicodeEscaped(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&out, `\u%04X`, unit)
	}
	return out.String()
}

// escapings are the ways in which a server may write what it repeats. isJSON tells those that can
// stand in a JSON string.
var escapings = []struct {
	name   string
	isJSON bool
	escape func(string) string
}{
	{"plain", false, func(s string) string { return s }},
	{"JSON", true, jsonEscaped},
	{"JSON without HTML", true, func(s string) string {
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(jsonEscaped(s))
	}},
	{"JSON of PHP", true, func(s string) string { return strings.ReplaceAll(jsonEscaped(s), "/", `\/`) }},
	{"JSON in ASCII", true, func(s string) string {
		var out strings.Builder
		for _, r := range jsonEscaped(s) {
			if r < 0x80 {
				out.WriteRune(r)
			} else {
				out.WriteString(unicodeEscaped(string(r)))
			}
		}
		return out.String()
	}},
	{"JSON in escapes alone", true, unicodeEscaped},
	{"JSON in JSON", true, func(s string) string { return jsonEscaped(jsonEscaped(s)) }},
	{"query", false, url.QueryEscape},
	{"path", false, url.PathEscape},
	{"path in a path", false, func(s string) string { return url.PathEscape(url.PathEscape(s)) }},
	{"HTML", false, html.EscapeString},
}

// echoPlaces are the answers in which a server repeats a SECRET.
var echoPlaces = []struct {
	name   string
	status int
	body   string
}{
	{"an error", 400, `{"error":{"message":"SECRET","type":"SECRET","code":"SECRET"}}`},
	{"a list", 422, `{"detail":[{"msg":"bad SECRET","input":{"SECRET":"SECRET"}}]}`},
	{"not found", 404, `{"detail":"SECRET"}`},
	{"the words of a lost result", 404, `{"detail":"Task result not found SECRET"}`},
	{"text", 500, `no SECRET for you`},
	{"HTML", 502, `<html><title>SECRET</title></html>`},
	{"XML", 403, `<Error><SignatureProvided>SECRET</SignatureProvided></Error>`},
	{"a message that is cut", 500, strings.Repeat("x", 1985) + `SECRET`},
	{"an error with 200", 200, `{"error":{"message":"SECRET"}}`},
	{"text with 200", 200, `SECRET`},
	{"a JSON text", 200, `"SECRET"`},
	{"other JSON", 200, `{"SECRET":{"SECRET":["SECRET"]}}`},
	{"a failed task", 200, `{"task_id":"t1","task_status":"failure","error_message":"SECRET",
		"failure":{"category":"SECRET","message":"SECRET","phase":"SECRET","details":{"SECRET":"SECRET"}}}`},
	{"a failed job", 200, `{"job_id":"j1","status":"failed","error":"SECRET"}`},
	{"an id", 200, `{"task_id":"SECRET","task_status":"failure"}`},
	{"a state", 200, `{"task_id":"t1","task_status":"SECRET"}`},
	{"a document", 200, `{"document":{"filename":"SECRET"},"status":"failure","processing_time":1,
		"errors":[{"component_type":"SECRET","module_name":"SECRET","error_message":"SECRET","category":"SECRET"}]}`},
	{"a status", 200, `{"document":{"filename":"a.md"},"status":"SECRET"}`},
	{"a warning", 200, `{"document":{"filename":"a.md","md_content":"x"},"status":"partial_success",
		"errors":[{"error_message":"SECRET"}]}`},
	{"a document without chunks", 200, `{"chunks":[],"documents":[{"content":{"filename":"SECRET"},"status":"success"}]}`},
	{"documents in chunks", 200, `{"chunks":[],"documents":[
		{"content":{"filename":"SECRET"},"status":"failure","errors":[{"error_message":"SECRET"}]},
		{"content":{"filename":"b"},"status":"failure","errors":[{"error_message":"SECRET"}]}]}`},
	{"an artifact", 200, `{"num_converted":1,"num_succeeded":0,"num_failed":1,"documents":[
		{"filename":"SECRET","status":"failure","errors":[{"error_message":"SECRET"}]}]}`},
	{"a broken answer", 200, `{"choices":[{"message":{"content":"x"}}],"error":{"message":"SECRET","code":"SECRET"}}`},
	{"an event that is an error", 200, "data: {\"error\":{\"message\":\"SECRET\",\"code\":\"SECRET\"}}\n\n"},
	{"an event of type error", 200, "event: error\ndata: {\"m\":\"SECRET\"}\n\n"},
	{"an event that is no JSON", 200, "data: SECRET\n\n"},
	{"a redirect", 302, ``}, // all answers have it in the Location
}

// echo answers a call with what it was sent, escaped.
func echo(place int, secret string, escape int) *http.Response {
	p, e := echoPlaces[place], escapings[escape]
	shown := e.escape(secret)
	inBody := shown
	if !e.isJSON && strings.ContainsAny(p.body, `{"`) {
		inBody = jsonEscaped(shown)
	}
	rec := httptest.NewRecorder()
	for _, name := range []string{"X-Request-Id", "X-Echo", "X-Babyapi-Docling-Id", "Set-Cookie"} {
		rec.Header()[name] = []string{shown}
	}
	rec.Header()["X-"+http.CanonicalHeaderKey(secret)] = []string{"1"}
	if p.status == http.StatusFound {
		rec.Header().Set("Location", "http://%zz/"+shown)
	}
	rec.WriteHeader(p.status)
	_, _ = rec.WriteString(strings.ReplaceAll(p.body, "SECRET", inBody))
	return rec.Result()
}

// secretRequest holds a secret in each place of a document request that can have one.
func secretRequest(holder, secret string) *babyclient.ConvertRequest {
	source, target := babyclient.FromURL("https://host/a.pdf"), any(nil)
	callback := babyclient.Callback{URL: "https://me.example/cb"}
	escaped := url.QueryEscape(secret)
	switch holder {
	case "the query of a source":
		source.URL += "?token=" + escaped
	case "the user of a source":
		source.URL = "https://" + url.UserPassword("me", secret).String() + "@host/a.pdf"
	case "a header of a source":
		source.Header = map[string]string{"Authorization": "Bearer " + secret}
	case "a header in Extra":
		source.Extra = map[string]any{"headers": map[string]any{"X-Api-Key": secret}}
	case "a callback header":
		callback.Header = map[string]string{babyclient.CallbackSecretHeader: secret}
	case "the query of a callback":
		callback.URL += "?secret=" + escaped
	case "the URL of a target":
		target = babyclient.PutTarget("https://s.example/up?sig=" + escaped)
	case "a target by its names":
		target = map[string]any{"kind": "new", "login": []any{map[string]any{"password": secret}}}
	case "the Extra of a store":
		target = babyclient.S3{Endpoint: "e", Bucket: "b", Extra: map[string]any{"session_token": secret}}
	case "a list of a store":
		target = babyclient.AnyStore{"kind": "new", "tokens": []string{secret}}
	case "an object of a store":
		target = babyclient.AnyStore{"kind": "new", "secret": map[string]any{"value": secret}}
	case "a private key":
		key, _ := json.Marshal(map[string]string{"private_key": "-----BEGIN\n" + secret + "\nEND-----\n"})
		target = babyclient.GoogleCloudStorage{Bucket: "b", ServiceAccountKey: key}
	case "a connection string":
		target = babyclient.AzureBlob{AccountName: "a", Container: "c",
			ConnectionString: "AccountName=a;AccountKey=" + strings.ReplaceAll(secret, ";", "_")}
	}
	return &babyclient.ConvertRequest{Sources: sources(source), Target: target,
		Callbacks: []babyclient.Callback{callback}}
}

var documentHolders = []string{
	"the query of a source", "the user of a source", "a header of a source", "a header in Extra", "a callback header",
	"the query of a callback", "the URL of a target", "a target by its names", "the Extra of a store",
	"a list of a store", "an object of a store", "a private key", "a connection string",
}

// documentCalls make a call with a document request, and return what can be printed of its outcome.
var documentCalls = map[string]func(context.Context, *babyclient.Client, *babyclient.ConvertRequest) []any{
	"Convert": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) []any {
		resp, err := c.Docling.Convert(ctx, req)
		return []any{warnings(resp), err}
	},
	"Convert an upload": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) []any {
		_, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{
			Sources: sources(babyclient.FromBytes("a.md", []byte("x"))), Callbacks: req.Callbacks,
			Extra: map[string]any{"sources": req.Sources[0].URL, "headers": req.Sources[0].Header,
				"source": req.Sources[0].Extra, "to": req.Target}})
		return []any{err}
	},
	"Chunk": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) []any {
		_, err := c.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: req.Sources, Callbacks: req.Callbacks,
			Extra: map[string]any{"target": req.Target}})
		return []any{err}
	},
	"StartConvert": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) []any {
		job, err := c.Docling.StartConvert(ctx, req)
		if err != nil {
			return []any{err}
		}
		return append(outcomes(ctx, job, job.Submitted), err)
	},
	"StartChunk": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) []any {
		job, err := c.Docling.StartChunk(ctx, &babyclient.ChunkRequest{Sources: req.Sources, Callbacks: req.Callbacks,
			Extra: map[string]any{"target": req.Target}})
		if err != nil {
			return []any{err}
		}
		return append(outcomes(ctx, job, job.Submitted), err)
	},
	"ConvertAll": func(ctx context.Context, c *babyclient.Client, req *babyclient.ConvertRequest) (out []any) {
		if req.Target != nil {
			return nil // a batch has none
		}
		for _, err := range c.Docling.ConvertAll(ctx, &babyclient.ConvertAllRequest{Sources: req.Sources,
			Callbacks: req.Callbacks, BatchOptions: babyclient.BatchOptions{Wait: soon}}) {
			out = append(out, err)
		}
		return out
	},
}

// soon makes waiting for a job end.
var soon = []babyclient.WaitOption{babyclient.WithPollTimeout(time.Millisecond)}

func warnings(resp *babyclient.ConvertResponse) (said []any) {
	if resp == nil {
		return nil
	}
	for _, doc := range resp.Documents {
		said = append(said, doc.Errors)
	}
	return said
}

// outcomes are those of all that can be done with a job.
func outcomes[T any](ctx context.Context, job *babyclient.DoclingJob[T], submitted *babyclient.JobStatus) (out []any) {
	out = append(out, fmt.Sprintf("%+v %#v", job, job), submitted.Message, submitted.Failure)
	_, err := job.Wait(ctx, soon...)
	out = append(out, err)
	_, err = job.Result(ctx)
	out = append(out, err)
	_, err = job.Cancel(ctx)
	out = append(out, err)
	if s, err := job.Status(ctx); err != nil {
		out = append(out, err)
	} else {
		out = append(out, s.Message, s.Failure)
	}
	return out
}

// plainCalls are all other calls.
var plainCalls = map[string]func(context.Context, *babyclient.Client) error{
	"Models":  func(ctx context.Context, c *babyclient.Client) error { _, err := c.Models(ctx); return err },
	"Health":  func(ctx context.Context, c *babyclient.Client) error { _, err := c.Docling.Health(ctx); return err },
	"Ready":   func(ctx context.Context, c *babyclient.Client) error { _, err := c.Docling.Ready(ctx); return err },
	"Version": func(ctx context.Context, c *babyclient.Client) error { _, err := c.Docling.Version(ctx); return err },
	"Capabilities": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.Capabilities(ctx)
		return err
	},
	"Chat": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Chat(ctx, &babyclient.ChatRequest{Messages: hi})
		return err
	},
	"ChatStream": func(ctx context.Context, c *babyclient.Client) error {
		_, err := babyclient.Collect(chatStream(ctx, c))
		return err
	},
	"Complete": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Complete(ctx, &babyclient.CompleteRequest{Prompt: "p"})
		return err
	},
	"CompleteStream": func(ctx context.Context, c *babyclient.Client) error {
		_, err := babyclient.CollectCompletion(c.CompleteStream(ctx, &babyclient.CompleteRequest{Prompt: "p"}))
		return err
	},
	"Embed": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Embed(ctx, &babyclient.EmbedRequest{Model: "m", Input: []string{"x"}})
		return err
	},
	"Rerank": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Rerank(ctx, &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"x"}})
		return err
	},
	"Infer": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Infer(ctx, &babyclient.InferRequest{Prompt: "p"})
		return err
	},
	"InferAny": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.InferAny(ctx, map[string]any{"prompt": "p"})
		return err
	},
	"Do": func(ctx context.Context, c *babyclient.Client) error {
		var out []string
		return c.Do(ctx, "GET", "/x", nil, &out)
	},
	"Do AsDocument": func(ctx context.Context, c *babyclient.Client) error {
		var out []string
		return c.Do(ctx, "POST", "/x", map[string]any{}, &out, babyclient.AsDocument())
	},
	"OCR": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.OCR.Document(ctx, &babyclient.OCRRequest{Model: "m", Input: "x"})
		return err
	},
	"OCR job": func(ctx context.Context, c *babyclient.Client) error {
		job, err := c.OCR.Start(ctx, &babyclient.OCRRequest{Model: "m", Input: "x"})
		if err != nil {
			return err
		}
		_, err = job.Wait(ctx, soon...)
		_, result := job.Result(ctx)
		return errors.Join(err, result)
	},
	"job by its id": func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.ConvertJob("t1", "n1").Wait(ctx, soon...)
		_, chunks := c.Docling.ChunkJob("t1", "n1").Result(ctx)
		return errors.Join(err, chunks)
	},
}

// shownOf is all text that a program can print of values, most of them errors.
func shownOf(values ...any) string {
	var out strings.Builder
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			continue
		case *babyclient.Error:
			asJSON, _ := json.Marshal(v)
			fmt.Fprintf(&out, "%+v %#v %s %s %s\n", *v, *v, asJSON, v.Details, v.Message)
		case *babyclient.DocumentError:
			fmt.Fprintf(&out, "%+v\n", *v)
		case *babyclient.BatchError:
			fmt.Fprintf(&out, "%+v\n", *v)
		}
		fmt.Fprintf(&out, "%v\n%+v\n", value, value)
		switch v := value.(type) {
		case interface{ Unwrap() []error }:
			for _, err := range v.Unwrap() {
				out.WriteString(shownOf(err))
			}
		case interface{ Unwrap() error }:
			out.WriteString(shownOf(v.Unwrap()))
		case *babyclient.TaskFailure:
			if v != nil {
				fmt.Fprintf(&out, "%+v\n", *v)
			}
		}
	}
	return out.String()
}

// leaks returns the first form in which a secret stands in a text, "" for none.
func leaks(shown, secret string) string {
	for _, e := range escapings {
		if text := e.escape(secret); strings.Contains(shown, text) {
			return e.name
		}
	}
	if strings.Contains(strings.ToLower(shown), strings.ToLower(secret)) {
		return "another case"
	}
	return ""
}

// echoed makes calls of which the server repeats the secret, which the request holds somewhere,
// and returns what can be printed of them, and of the log. Where isLate is true, the submission of
// a job succeeds, and what follows repeats the secret.
func echoed(t *testing.T, holder, secret, repeated string, place, escape int, isLate bool) (shown string) {
	synctest.Test(t, func(t *testing.T) { // jobs are waited for
		shown = echoedNow(t, holder, secret, repeated, place, escape, isLate)
	})
	return shown
}

// odd is a verb that is not for texts: package fmt would write the fields of a client for it.
var odd = "%d"

func echoedNow(t *testing.T, holder, secret, repeated string, place, escape int, isLate bool) string {
	var log bytes.Buffer
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		if isLate && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/async") {
			rec := httptest.NewRecorder()
			babytest.JSON(200, `{"task_id":"t1","job_id":"t1","task_status":"pending"}`).ServeHTTP(rec, r)
			return rec.Result(), nil
		}
		return echo(place, repeated, escape), nil
	})
	opts := []babyclient.Option{babyclient.WithBaseURL("http://api.example"), babyclient.WithDefaultModel("m"),
		babyclient.WithHTTPClient(&http.Client{Transport: transport}), babyclient.WithMaxRetries(0),
		babyclient.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))}
	key := babytest.Key
	switch holder {
	case "the key":
		key = secret
	case "a header":
		opts = append(opts, babyclient.WithHeader("X-Api-Token", secret))
	}
	c, err := babyclient.New(append(opts, babyclient.WithAPIKey(key))...)
	if err != nil {
		t.Fatal(err)
	}
	shown := []any{fmt.Sprintf("%v %+v %#v %s", c, c, c, c) + fmt.Sprintf(odd, c)}
	isDocument := holder != "the key" && holder != "a header"
	for _, call := range documentCalls {
		shown = append(shown, call(t.Context(), c, secretRequest(holder, secret))...)
	}
	if !isDocument {
		for _, call := range plainCalls {
			shown = append(shown, call(t.Context(), c))
		}
	}
	slog.New(slog.NewTextHandler(&log, nil)).Info("client", "client", c)
	return shownOf(shown...) + log.String()
}

// secretsToTry need escaping in one way or another.
var secretsToTry = []string{
	"sk-0123456789abcdef", `sk-a/b+c=d<e>f&g"h'i`, `back\slash\\and\nmore`, "schlüssel-größe-€", "100%25%ab%zz-key",
	"key with spaces", "emoji-😀-token",
}

// What a server repeats of the secrets of a request, wherever and however it does, is in no error,
// in no warning and in no log.
func TestNoSecretIsRepeated(t *testing.T) {
	for i, secret := range secretsToTry {
		for place := range echoPlaces {
			escape := (i + place) % len(escapings)
			for n, holder := range append([]string{"the key", "a header"}, documentHolders...) {
				if n >= 2 && (n+place+i)%4 != 0 {
					continue // a quarter of them is tried with each place
				}
				isLate := (n+place)%2 == 0
				shown := echoed(t, holder, secret, secret, place, escape, isLate)
				if form := leaks(shown, secret); form != "" {
					t.Errorf("%q as %s, repeated as %s in %s (late: %t), is shown as %s", secret, holder,
						escapings[escape].name, echoPlaces[place].name, isLate, form)
				}
			}
		}
	}
}

// FuzzNoSecretIsRepeated tries any secret in any place.
func FuzzNoSecretIsRepeated(f *testing.F) {
	for i, secret := range secretsToTry {
		f.Add(secret, byte(i), byte(i*5), byte(i*3), i%2 == 0)
	}
	holders := append([]string{"the key", "a header"}, documentHolders...)
	f.Fuzz(func(t *testing.T, secret string, holder, place, escape byte, isLate bool) {
		secret = strings.TrimSpace(strings.ToValidUTF8(secret, "?"))
		isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
		if len(secret) < 8 || len(secret) > 200 || strings.ContainsFunc(secret, isControl) {
			t.Skip("no secret that a header can carry, or a short one")
		}
		where, p, e := holders[int(holder)%len(holders)], int(place)%len(echoPlaces), int(escape)%len(escapings)
		if where == "a connection string" && strings.ContainsAny(secret, ";") {
			t.Skip("its values hold no semicolon")
		}
		// A text that is shown anyway, such as "processing_time", is no leak.
		if leaks(echoed(t, where, secret, "another-0123456789", p, e, isLate), secret) != "" {
			t.Skip("it is shown by chance")
		}
		if form := leaks(echoed(t, where, secret, secret, p, e, isLate), secret); form != "" {
			t.Errorf("%q as %s, repeated as %s in %s (late: %t), is shown as %s", secret, where,
				escapings[e].name, echoPlaces[p].name, isLate, form)
		}
	})
}

// A short secret blanks out no words, and is kept out with what stands around it.
func TestShortSecrets(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/source", babytest.JSON(422,
		`{"detail":"the key of the table is bad: https://me:pw@host/a.pdf?t=ab, Bearer key"}`))
	_, err := client(srv, babyclient.WithAPIKey("key")).Docling.Convert(t.Context(), &babyclient.ConvertRequest{
		Sources: sources(babyclient.FromURL("https://me:pw@host/a.pdf?t=ab"))})
	const want = "the key of the table is bad: https://[redacted]host/a.pdf[redacted], [redacted]"
	if e := fails(t, err); e.Message != want {
		t.Errorf("the message is %q, want %q", e.Message, want)
	}
}

// What is refused before it is sent repeats no query and no user information.
func TestNoURLInRefusals(t *testing.T) {
	c := client(server(t))
	_, badCallback := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1),
		Callbacks: []babyclient.Callback{{URL: "ftp://me:sesame@host/?t=sesame"}}})
	for name, err := range map[string]error{
		"a relative path":       c.Do(t.Context(), "GET", "v1/x?token=sesame", nil, nil),
		"a path with a host":    c.Do(t.Context(), "GET", "//me:sesame@host/v1/x?token=sesame", nil, nil),
		"a path with an escape": c.Do(t.Context(), "GET", "/v1/%zz?token=sesame", nil, nil),
		"a callback":            badCallback,
		"a base URL":            newFails(babyclient.WithBaseURL("host/?token=sesame")),
		"a base URL of a user":  newFails(babyclient.WithBaseURL("me:sesame@host/v1")),
		"a base URL of no host": newFails(babyclient.WithBaseURL("http:///x?token=sesame")),
	} {
		if err == nil || strings.Contains(shownOf(err), "sesame") {
			t.Errorf("%s: err = %v, want a refusal without the secret", name, err)
		}
	}
}

func newFails(o babyclient.Option) error {
	_, err := babyclient.New(o)
	return err
}

// Download counts what it has written, and tells no signature: not that of its URL, and not that of
// the URL that a redirect leads to.
func TestDownloadTellsNoSignature(t *testing.T) {
	const signature, second = "c2lnbmF0dXJl+/=1", "second-signature-2"
	var store *httptest.Server
	store = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		case "/moved":
			http.Redirect(w, r, store.URL+"/other?X-Amz-Signature="+second, http.StatusFound)
		case "/nowhere":
			w.Header().Set("Location", "http://%zz/?X-Amz-Signature="+second)
			w.WriteHeader(http.StatusFound)
		case "/closed":
			w.Header().Set("Location", "http://127.0.0.1:1/?X-Amz-Signature="+second)
			w.WriteHeader(http.StatusFound)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `<Error><SignatureProvided>%s</SignatureProvided><Given>%s</Given></Error>`,
				r.URL.Query().Get("X-Amz-Signature"), r.URL.RawQuery)
		}
	}))
	defer store.Close()
	d := client(server(t), babyclient.WithMaxResponseSize(50_000), babyclient.WithHTTPClient(store.Client())).Docling
	for _, path := range []string{"/expired", "/moved", "/nowhere", "/closed", "/endless"} {
		var out bytes.Buffer
		n, err := d.Download(t.Context(), babyclient.Artifact{
			URL: store.URL + path + "?X-Amz-Signature=" + url.QueryEscape(signature)}, &out)
		shown := shownOf(err)
		if err == nil || leaks(shown, signature) != "" || leaks(shown, second) != "" {
			t.Errorf("%s: err = %v tells a signature: %s", path, err, shown)
		}
		if n != int64(out.Len()) {
			t.Errorf("%s: %d bytes are said to be written, and %d were", path, n, out.Len())
		}
	}
	if _, err := d.Download(t.Context(), babyclient.Artifact{URL: store.URL + "/endless"}, nil); !errors.Is(err,
		babyclient.ErrInvalidRequest) {
		t.Errorf("a nil writer: err = %v, want ErrInvalidRequest", err)
	}
	short := &tenBytes{}
	n, err := d.Download(t.Context(), babyclient.Artifact{URL: store.URL + "/endless"}, short)
	if n != 10 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that takes 10 bytes: %d bytes, %v", n, err)
	}
}

// tenBytes takes the first 10 bytes.
type tenBytes struct{}

func (*tenBytes) Write(p []byte) (int, error) { return min(len(p), 10), io.ErrShortWrite }

// A body that is cut in the midst of a key tells no part of it that would do.
func TestNoCutSecretInDetails(t *testing.T) {
	for _, shown := range []int{8, 12, len(babytest.Key) - 1} {
		srv := server(t)
		srv.On("POST /infer", babytest.JSON(500, strings.Repeat("x", 1<<20-shown)+babytest.Key))
		err := calls["POST"](t.Context(), client(srv))
		if e := fails(t, err); !strings.HasSuffix(e.Details, "x[redacted]") {
			t.Errorf("of a key of which %d bytes came the details show %q", shown, e.Details[len(e.Details)-30:])
		}
	}
}
