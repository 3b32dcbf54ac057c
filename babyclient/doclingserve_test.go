package babyclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// Callbacks, targets and stores go out as docling-serve takes them.
func TestConvertRequestBodies(t *testing.T) {
	callback := babyclient.Callback{URL: "https://me.example/cb", Header: map[string]string{"X-T": "1"}}
	s3 := babyclient.S3{Endpoint: "s3.example", Bucket: "b", AccessKey: "ak", SecretKey: "the-secret-key",
		VerifySSL: new(false)}
	for _, tt := range []struct {
		name, path, want string
		req              babyclient.ConvertRequest
	}{
		{"callbacks", "source/async", `{"sources":[{"kind":"http","url":"https://host/a.pdf"}],
			"callbacks":[{"url":"https://me.example/cb","headers":{"X-T":"1"}}]}`,
			babyclient.ConvertRequest{Sources: sources(url1), Callbacks: []babyclient.Callback{callback}}},
		{"a put target", "source/async", `{"sources":[{"kind":"http","url":"https://host/a.pdf"}],
			"target":{"kind":"put","url":"https://x.example/up"}}`,
			babyclient.ConvertRequest{Sources: sources(url1), Target: babyclient.PutTarget("https://x.example/up")}},
		{"a target by docling-serve's names", "source/async", `{"sources":[{"kind":"http","url":"https://host/a.pdf"}],
			"target":{"kind":"zip"}}`,
			babyclient.ConvertRequest{Sources: sources(url1), Target: map[string]any{"kind": "zip"}}},
		{"a store to read and one to write", "source/batch", `{"sources":[{"kind":"s3","endpoint":"s3.example","bucket":"b",
			"access_key":"ak","secret_key":"the-secret-key","verify_ssl":false}],
			"target":{"kind":"azure_blob","account_name":"a","container":"c","connection_string":"AccountKey=zzz"}}`,
			babyclient.ConvertRequest{Sources: sources(babyclient.FromStore(s3)),
				Target: babyclient.AzureBlob{AccountName: "a", Container: "c", ConnectionString: "AccountKey=zzz"}}},
		{"Google's stores", "source/batch", `{"sources":[{"kind":"google_cloud_storage","bucket":"b","service_account_key":{"private_key":"k"}},
			{"kind":"google_drive","path_id":"p","refresh_token":"r"}]}`,
			babyclient.ConvertRequest{Sources: sources(
				babyclient.FromStore(babyclient.GoogleCloudStorage{Bucket: "b",
					ServiceAccountKey: []byte(`{"private_key":"k"}`)}),
				babyclient.FromStore(babyclient.GoogleDrive{PathID: "p", RefreshToken: "r"}))}},
		{"fields without a name here", "source/async",
			`{"sources":[{"kind":"http","url":"https://host/a.pdf","method":"GET"}],"priority":3}`,
			babyclient.ConvertRequest{Sources: sources(babyclient.Source{URL: url1.URL,
				Extra: map[string]any{"method": "GET"}}),
				Extra: map[string]any{"priority": 3}}},
		{"presets", "source/async", `{"sources":[{"kind":"http","url":"https://host/a.pdf"}],
			"options":{"ocr_preset":"rapidocr","table_structure_preset":"tableformer_v2"}}`,
			babyclient.ConvertRequest{Sources: sources(url1),
				Options: babyclient.ConvertOptions{OCRPreset: "rapidocr", TableStructurePreset: "tableformer_v2"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /docling/v1/convert/"+tt.path, babytest.JSON(200, `{"task_id":"t1","task_status":"pending"}`))
			job, err := client(srv).Docling.StartConvert(t.Context(), &tt.req)
			if err != nil || job.ID != "t1" {
				t.Fatalf("got %+v, %v", job, err)
			}
			sameJSON(t, seen(t, srv).Body, tt.want)
		})
	}
}

// What docling-serve would ignore in silence, or cannot do, is refused before it is sent.
func TestDoclingRefusals(t *testing.T) {
	srv := server(t)
	d := client(srv).Docling
	store := sources(babyclient.FromStore(babyclient.S3{Endpoint: "e", Bucket: "b"}))
	upload := sources(babyclient.FromBytes("a.md", []byte("x")))
	callbacks := []babyclient.Callback{{URL: "https://me.example/cb"}}
	convert := func(r babyclient.ConvertRequest) error { _, err := d.Convert(t.Context(), &r); return err }
	chunk := func(r babyclient.ChunkRequest) error { _, err := d.Chunk(t.Context(), &r); return err }
	for name, tt := range map[string]struct {
		err  error
		says string
	}{
		"a store in a plain call": {convert(babyclient.ConvertRequest{Sources: store}), "use StartConvert"},
		"a store to chunk": {chunk(babyclient.ChunkRequest{Sources: store}),
			"chunks no documents of a store"},
		"chunks into a store": {chunk(babyclient.ChunkRequest{Sources: sources(url1), Target: babyclient.S3{}}),
			"stores no chunks"},
		"chunks into the operator's store": {chunk(babyclient.ChunkRequest{Sources: sources(url1),
			Target: babyclient.PresignedURLTarget()}), "stores no chunks"},
		"chunks to a URL in a plain call": {chunk(babyclient.ChunkRequest{Sources: sources(url1),
			Target: babyclient.PutTarget("https://x.example")}), "use StartChunk"},
		"callbacks of a chunk upload": {chunk(babyclient.ChunkRequest{Sources: upload, Callbacks: callbacks}),
			"set Inline"},
		"a callback to no URL": {convert(babyclient.ConvertRequest{Sources: sources(url1),
			Callbacks: []babyclient.Callback{{URL: "me"}}}), "callbacks[0]"},
		"a callback to a handler without a secret": {convert(babyclient.ConvertRequest{Sources: sources(url1),
			Callbacks: []babyclient.Callback{new(babyclient.CallbackHandler).Callback("https://me.example/cb")}}),
			"callbacks[0] has an empty X-Callback-Secret"},
		"a target that an upload cuts": {convert(babyclient.ConvertRequest{Sources: upload,
			Target: babyclient.PutTarget("https://x.example")}), "only say the kind"},
		"an Extra of an upload that is no JSON": {convert(babyclient.ConvertRequest{Sources: upload,
			Extra: map[string]any{"x": make(chan int)}}), "cannot encode Extra[x]"},
		"an Extra of a chunk upload that is no JSON": {chunk(babyclient.ChunkRequest{Sources: upload,
			Extra: map[string]any{"x": make(chan int)}}), "cannot encode Extra[x]"},
		"a callback of an upload that is no JSON": {convert(babyclient.ConvertRequest{Sources: upload,
			Callbacks: []babyclient.Callback{{URL: url1.URL, Extra: map[string]any{"x": make(chan int)}}}}),
			"cannot encode callbacks[0]"},
		"an Extra of an uploaded file": {convert(babyclient.ConvertRequest{Sources: sources(babyclient.Source{
			Name: "a.md", Data: []byte("x"), Extra: map[string]any{"x": 1}})}), "set Inline"},
		"a store and a URL in one": {convert(babyclient.ConvertRequest{Sources: sources(babyclient.Source{URL: url1.URL,
			Store: babyclient.S3{}})}), "more than one"},
	} {
		if !errors.Is(tt.err, babyclient.ErrInvalidRequest) && !strings.Contains(fmt.Sprint(tt.err), "INVALID") ||
			!strings.Contains(fmt.Sprint(tt.err), tt.says) {
			t.Errorf("%s: err = %v, want a refusal that says %q", name, tt.err, tt.says)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// Each job of a batch is sent the callbacks. An upload to chunk, which cannot have them, fails
// alone.
func TestCallbacksOfABatch(t *testing.T) {
	callbacks := []babyclient.Callback{{URL: "https://me.example/cb"}}
	upload := babyclient.FromBytes("a.md", []byte("x"))
	inline := upload
	inline.Inline = true
	srv := server(t)
	for path, result := range map[string]string{
		"convert":      converted,
		"chunk/hybrid": `{"chunks":[{"filename":"a.md","text":"x"}],"documents":[],"processing_time":1}`,
	} {
		id := strings.ReplaceAll(path, "/", "-")
		done := babytest.JSON(200, `{"task_id":"`+id+`","task_status":"success"}`)
		srv.On("POST /docling/v1/"+path+"/{kind}/async", done)
		srv.On("GET /docling/v1/status/poll/"+id, done)
		srv.On("GET /docling/v1/result/"+id, babytest.JSON(200, result))
	}
	d := client(srv).Docling
	for _, err := range d.ConvertAll(t.Context(), &babyclient.ConvertAllRequest{
		Sources: sources(url1, inline, upload), Callbacks: callbacks}) {
		if err != nil {
			t.Error(err)
		}
	}
	i := 0
	for _, err := range d.ChunkAll(t.Context(), &babyclient.ChunkAllRequest{
		Sources: sources(url1, upload, inline), Callbacks: callbacks}) {
		refused := errors.Is(err, babyclient.ErrInvalidRequest) && strings.Contains(err.Error(), "set Inline")
		if isUpload := i == 1; isUpload != refused || !isUpload && err != nil {
			t.Errorf("sources[%d] to chunk: err = %v; want a refusal of the upload alone", i, err)
		}
		i++
	}
	sent := map[string]int{}
	for _, r := range srv.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		sent[r.Path]++
		if n := strings.Count(string(r.Body), callbacks[0].URL); n != 1 {
			t.Errorf("%s has the callback %d times, want once: %s", r.Path, n, r.Body)
		}
	}
	want := map[string]int{"/docling/v1/convert/source/async": 2, "/docling/v1/convert/file/async": 1,
		"/docling/v1/chunk/hybrid/source/async": 2}
	if !maps.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

// An upload can have callbacks: each is a field of the form.
func TestCallbacksOfAnUpload(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/file", babytest.JSON(200, converted))
	_, err := client(srv).Docling.Convert(t.Context(), &babyclient.ConvertRequest{
		Sources:   sources(babyclient.FromBytes("a.md", []byte("x"))),
		Callbacks: []babyclient.Callback{{URL: "https://me.example/1"}, {URL: "https://me.example/2"}}})
	if err != nil {
		t.Fatal(err)
	}
	body := string(seen(t, srv).Body)
	if strings.Count(body, `name="callbacks"`) != 2 || !strings.Contains(body, `{"url":"https://me.example/2"}`) {
		t.Errorf("the form has other callbacks: %s", body)
	}
}

// Chunks that went to a URL are counted, and a document that gave none is an error.
func TestChunksPutElsewhere(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/chunk/hybrid/source/async", babytest.JSON(200, `{"task_id":"t1","task_status":"pending"}`))
	srv.On("GET /docling/v1/result/{id}",
		babytest.JSON(200, `{"processing_time":1.5,"num_converted":1,"num_succeeded":1,"num_failed":0}`),
		babytest.JSON(200, `{"processing_time":1.5,"num_converted":2,"num_succeeded":1,"num_failed":1}`))
	job, err := client(srv).Docling.StartChunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1),
		Target: babyclient.PutTarget("https://x.example/up")})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := job.Result(t.Context())
	if err != nil || resp.Stored == nil || resp.Stored.NumSucceeded != 1 || resp.ProcessingTime != 1.5 {
		t.Errorf("got %+v, %v; want one document stored", resp, err)
	}
	resp, err = job.Result(t.Context())
	if !errors.Is(err, babyclient.ErrDocumentFailed) || resp == nil || resp.Stored.NumFailed != 1 {
		t.Errorf("got %+v, %v; want one document that failed", resp, err)
	}
}

// A document of an upload has the name that it was given, alone as beside another, where docling
// knows it by the last element.
func TestNameOfAnUploadAlone(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/file", babytest.JSON(200, `{"document":{"filename":"a.md","md_content":"x"},
		"status":"success"}`))
	for _, name := range []string{`C:\docs\a.md`, "docs/a.md", `\\host\docs\a.md`, "a.md"} {
		resp, err := client(srv).Docling.Convert(t.Context(),
			&babyclient.ConvertRequest{Sources: sources(babyclient.FromBytes(name, []byte("x")))})
		if err != nil || resp.Document().Filename != name {
			t.Errorf("%q comes back as %q, %v", name, resp.Document().Filename, err)
		}
	}
}

// The secrets of a store are in no error, whatever docling-serve says.
func TestNoStoreSecretInErrors(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/v1/convert/source/batch", babytest.JSON(422,
		`{"detail":"bad the-secret-key, AccountKey=zzz, the-private-key, pass-in-list, token-in-list"}`))
	_, err := client(srv).Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{
		Sources: sources(babyclient.FromStore(babyclient.S3{Endpoint: "e", Bucket: "b", SecretKey: "the-secret-key"}),
			babyclient.FromStore(babyclient.GoogleCloudStorage{Bucket: "b",
				ServiceAccountKey: []byte(`{"private_key":"the-private-key"}`)}),
			babyclient.FromStore(babyclient.AnyStore{"kind": "new", "tokens": []string{"token-in-list"},
				"logins": []any{map[string]any{"password": "pass-in-list"}}})),
		Target: babyclient.AzureBlob{AccountName: "a", Container: "c", ConnectionString: "AccountKey=zzz"}})
	shown := fmt.Sprintf("%v %+v", err, *fails(t, err))
	for _, secret := range []string{"the-secret-key", "AccountKey=zzz", "the-private-key",
		"pass-in-list", "token-in-list"} {
		if strings.Contains(shown, secret) {
			t.Errorf("the error tells %s: %s", secret, shown)
		}
	}
}

// The handler hands on what docling-serve posts, as captured, and nothing without the secret.
func TestCallbackHandler(t *testing.T) {
	var got []*babyclient.TaskProgress
	var fail error
	h := &babyclient.CallbackHandler{Secret: "a secret",
		Handle: func(_ context.Context, p *babyclient.TaskProgress) error {
			got = append(got, p)
			return fail
		}}
	post := func(method, url, secret, body string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if secret != "" {
			r.Header.Set(babyclient.CallbackSecretHeader, secret)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	const numDocs = `{"task_id":"t1","progress":{"kind":"set_num_docs","num_docs":2}}`
	const completed = `{"task_id":"t1","progress":{"kind":"document_completed","document":{"source":"a.html","status":"success",
		"num_pages":0,"num_characters":234,"num_tables":1,"error":null},"total_processed":1,"total_docs":2}}`
	const processed = `{"task_id":"t1","progress":{"kind":"update_processed","num_processed":2,"num_succeeded":1,"num_failed":1,
		"docs":[{"source":"a.html","status":"success","error":null},{"source":"b.html","status":"failure","error":"bad"}]}}`
	const ended = `{"task_id":"t1","progress":{"kind":"task_completed","task_status":"failure","failure":{"category":"timeout",
		"message":"late","retryable":true,"phase":"execution"}}}` // of the Ray engine
	for _, tt := range []struct {
		name, method, url, secret, body string
		want                            int
	}{
		{"in the header", "POST", "/cb", "a secret", numDocs, 204},
		{"in the URL", "POST", "/cb?secret=a+secret", "", completed, 204},
		{"the last", "POST", "/cb", "a secret", processed, 204},
		{"the end of the task", "POST", "/cb", "a secret", ended, 204},
		{"no secret", "POST", "/cb", "", numDocs, 403},
		{"a wrong secret", "POST", "/cb?secret=a", "a secre", numDocs, 403},
		{"no POST", "GET", "/cb", "a secret", "", 405},
		{"no JSON", "POST", "/cb", "a secret", "x", 400},
		{"no progress", "POST", "/cb", "a secret", `{"task_id":"t1"}`, 400},
		{"no kind", "POST", "/cb", "a secret", `{"task_id":"t1","progress":{}}`, 400},
		{"too long", "POST", "/cb", "a secret", `{"task_id":"` + strings.Repeat("x", 32<<20) + `"}`, 400},
	} {
		if code := post(tt.method, tt.url, tt.secret, tt.body); code != tt.want {
			t.Errorf("%s: answered %d, want %d", tt.name, code, tt.want)
		}
	}
	if len(got) != 4 {
		t.Fatalf("%d callbacks were handed on, want 4", len(got))
	}
	if p := got[0]; p.TaskID != "t1" || p.Kind != babyclient.ProgressNumDocs || p.NumDocs != 2 ||
		string(p.Raw) != numDocs {
		t.Errorf("number of documents: %+v", p)
	}
	if p := got[1]; p.Document == nil || p.Document.Source != "a.html" || p.Document.NumTables != 1 ||
		p.NumProcessed != 1 || p.NumDocs != 2 {
		t.Errorf("a completed document: %+v", p)
	}
	if p := got[2]; p.NumFailed != 1 || len(p.Documents) != 2 || p.Documents[1].Error != "bad" ||
		p.Documents[1].Status != babyclient.DocumentFailure {
		t.Errorf("the numbers so far: %+v", p)
	}
	if p := got[3]; p.Kind != babyclient.ProgressTaskCompleted || p.State != "failure" || p.Failure == nil ||
		p.Failure.Category != "timeout" || !p.Failure.Retryable {
		t.Errorf("the end of the task: %+v", p)
	}
	captured, err := os.ReadFile("testdata/callbacks.json")
	if err != nil {
		t.Fatal(err)
	}
	var bodies []json.RawMessage
	if err := json.Unmarshal(captured, &bodies); err != nil || len(bodies) != 3 {
		t.Fatalf("the captured callbacks: %d, %v", len(bodies), err)
	}
	for _, body := range bodies {
		if code := post("POST", "/cb", "a secret", string(body)); code != 204 || got[len(got)-1].TaskID == "" {
			t.Errorf("the captured %s was answered with %d: %+v", body, code, got[len(got)-1])
		}
	}
	if fail = errors.New("no"); post("POST", "/cb", "a secret", numDocs) != 500 {
		t.Error("a failing Handle was not told")
	}
	if h.Handle = nil; post("POST", "/cb", "a secret", numDocs) != 500 {
		t.Error("a handler without Handle did not answer 500")
	}
	if h.Secret = ""; post("POST", "/cb?secret=", "", numDocs) != 403 {
		t.Error("a handler without a secret took a callback")
	}
}

// A callback that holds more, or other, than is known here is handed on with what fits, and whole.
func TestCallbackThatDoesNotFit(t *testing.T) {
	var got *babyclient.TaskProgress
	h := &babyclient.CallbackHandler{Secret: "a secret"}
	h.Handle = func(_ context.Context, p *babyclient.TaskProgress) error {
		got = p
		return nil
	}
	document := `{"source":"https://host/` + strings.Repeat("x", 100) + `.pdf","status":"success"}`
	for name, progress := range map[string]string{
		"10,000 documents": `{"kind":"update_processed","num_processed":10000,"docs":[` +
			strings.Repeat(document+",", 9_999) + document + `]}`,
		"docs of another type":    `{"kind":"new","num_processed":10000,"docs":5}`,
		"details with a number":   `{"kind":"new","num_processed":10000,"failure":{"message":"m","details":{"queue":7,"a":"b"}}}`,
		"a document without form": `{"kind":"new","num_processed":10000,"docs":["a.pdf"],"document":"a.pdf"}`,
	} {
		got = nil
		body := `{"task_id":"t1","progress":` + progress + `}`
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?secret=a+secret", strings.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent || got == nil || got.Kind == "" || got.NumProcessed != 10_000 ||
			string(got.Raw) != body {
			t.Errorf("%s: answered %d, handed on %+.200v", name, w.Code, got)
			continue
		}
		if strings.Contains(name, "10,000") && (len(got.Documents) != 10_000 || got.Documents[9_999].Source == "") {
			t.Errorf("%s: handed on %d", name, len(got.Documents))
		}
		if strings.Contains(name, "details") && (got.Failure.Message != "m" || got.Failure.Details["a"] != "b") {
			t.Errorf("%s: failure %+v", name, got.Failure)
		}
	}
}

// What docling-serve 1.38 says of itself is read whole, and a service that does not say it says so.
func TestCapabilities(t *testing.T) {
	raw, err := os.ReadFile("testdata/capabilities.json") // captured
	if err != nil {
		t.Fatal(err)
	}
	srv := server(t)
	srv.On("GET /docling/v1/capabilities", babytest.JSON(200, raw), babytest.JSON(404, `{"detail":"Not Found"}`))
	c := client(srv)
	got, err := c.Docling.Capabilities(t.Context())
	if err != nil || got.Stages["ocr"].Option != "ocr_preset" || len(got.Stages["ocr"].Presets) == 0 ||
		got.Limits.MaxSourcesPerRequest == 0 || len(got.Targets.Allowed) == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.Docling.Capabilities(t.Context()); !errors.Is(err, babyclient.ErrNotFound) ||
		!strings.Contains(err.Error(), "does not offer") {
		t.Errorf("err = %v, want one that says that the service does not offer it", err)
	}
}

// The status of a task tells how far it is and why it failed, where docling-serve tells.
func TestTaskStatusDetails(t *testing.T) {
	srv := server(t)
	srv.On("GET /docling/v1/status/poll/{id}",
		babytest.JSON(200,
			`{"task_id":"t1","task_status":"started","task_meta":{"num_docs":5,"num_processed":2,"num_failed":1}}`),
		babytest.JSON(200, `{"task_id":"t1","task_status":"started","task_meta":null}`),
		babytest.JSON(200, `{"task_id":"t1","task_status":"failure","failure":{"category":"capacity","message":"full",
			"retryable":true,"phase":"admission","details":{"queue":"7"}}}`))
	job := client(srv).Docling.ConvertJob("t1", "")
	status := func() *babyclient.JobStatus {
		s, err := job.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); s.Counts == nil || s.Counts.NumDocs != 5 || s.Counts.NumProcessed != 2 ||
		s.Counts.NumFailed != 1 {
		t.Errorf("counts %+v, want 2 of 5 processed and 1 failed", s.Counts)
	}
	if s := status(); s.Counts != nil {
		t.Errorf("counts %+v, want none: absent is not 0 of 0", s.Counts)
	}
	if f := status().Failure; f == nil || f.Category != "capacity" || !f.Retryable || f.Phase != "admission" ||
		f.Details["queue"] != "7" {
		t.Errorf("failure %+v", f)
	}
}

// A service that holds a poll back gets at most a third of the polls, and the end is noticed no
// later; one that answers at once gets no more polls than without.
func TestPollWait(t *testing.T) {
	const takes = 60 * time.Second
	polls := func(holds bool, opts ...babyclient.WaitOption) (n int, took time.Duration) {
		bubble(t, func(t *testing.T, srv *babytest.Server) {
			start := time.Now()
			srv.On("GET /docling/v1/status/poll/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				if hold, err := time.ParseDuration(r.URL.Query().Get("wait") + "s"); err == nil && holds {
					time.Sleep(min(hold, max(0, takes-time.Since(start))))
				}
				state := "started"
				if time.Since(start) >= takes || n > 1_000 { // a client that makes no pauses ends too
					state = "success"
				}
				babytest.JSON(200, `{"task_id":"t1","task_status":"`+state+`"}`).ServeHTTP(w, r)
			}))
			srv.On("GET /docling/v1/result/{id}", babytest.JSON(200, converted))
			if _, err := client(srv).Docling.ConvertJob("t1", "").Wait(t.Context(), opts...); err != nil {
				t.Error(err)
			}
			took = time.Since(start)
		})
		return n, took
	}
	plain, plainTook := polls(false)
	ignored, _ := polls(false, babyclient.WithPollWait(20*time.Second))
	held, heldTook := polls(true, babyclient.WithPollWait(20*time.Second))
	if ignored > plain || held*3 > plain || heldTook > plainTook {
		t.Errorf("polls: %d plain, %d where the wait is ignored, %d where it is honoured; took %s plain, %s held",
			plain, ignored, held, plainTook, heldTook)
	}
}

// A poll that is held back has its own time limit beside the hold, ends with the wait, and is not
// taken for held because the service is slow.
func TestPollWaitLimits(t *testing.T) {
	// wait returns how many polls there were until the job, which takes so long, ended or was given
	// up. The service honours the hold, or only takes its time for each answer.
	wait := func(takes, latency time.Duration, honours bool, opts ...any) (polls int, took time.Duration, err error) {
		bubble(t, func(t *testing.T, srv *babytest.Server) {
			start := time.Now()
			srv.On("GET /docling/v1/status/poll/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				polls++
				hold, _ := time.ParseDuration(r.URL.Query().Get("wait") + "s")
				if !honours {
					hold = 0
				}
				time.Sleep(latency + min(hold, max(0, takes-time.Since(start))))
				state := "started"
				if time.Since(start) >= takes {
					state = "success"
				}
				babytest.JSON(200, `{"task_id":"t1","task_status":"`+state+`"}`).ServeHTTP(w, r)
			}))
			srv.On("GET /docling/v1/result/{id}", babytest.JSON(200, converted))
			var ofClient []babyclient.Option
			var ofWait []babyclient.WaitOption
			for _, o := range opts {
				if shared, ok := o.(babyclient.Option); ok {
					ofClient = append(ofClient, shared)
				} else {
					ofWait = append(ofWait, o.(babyclient.WaitOption))
				}
			}
			_, err = client(srv, ofClient...).Docling.ConvertJob("t1", "").Wait(t.Context(), ofWait...)
			took = time.Since(start)
		})
		return polls, took, err
	}
	const timeout = 2 * time.Second
	hold := func(d time.Duration) babyclient.WaitOption { return babyclient.WithPollWait(d) }
	for name, option := range map[string]any{"of the client": babyclient.WithTimeout(timeout),
		"of the wait": babyclient.WaitOption(babyclient.WithTimeout(timeout))} {
		if _, took, err := wait(40*time.Second, 0, true, option, hold(20*time.Second)); err != nil ||
			took > 41*time.Second {
			t.Errorf("a time limit %s below the hold: after %s %v, want a result after 40s", name, took, err)
		}
	}
	_, took, err := wait(time.Hour, 0, true, hold(5*time.Second), babyclient.WithPollTimeout(timeout/4))
	if !errors.Is(err, babyclient.ErrTimeout) || took > timeout/4 {
		t.Errorf("a wait of 0.5s with a hold of 5s: after %s %v, want ErrTimeout after 0.5s", took, err)
	}
	for _, latency := range []time.Duration{time.Millisecond, 30 * time.Millisecond, time.Second} {
		without, _, _ := wait(time.Minute, latency, false)
		for _, d := range []time.Duration{time.Millisecond, 50 * time.Millisecond, time.Second, 3 * time.Second} {
			if polls, _, _ := wait(time.Minute, latency, false, hold(d)); polls > without {
				t.Errorf("a hold of %s that a service ignores, which answers after %s: %d polls, without it %d",
					d, latency, polls, without)
			}
		}
	}
}

// Artifacts are fetched from their store without the key and without any header of the client's,
// and not beyond the limit.
func TestDownload(t *testing.T) {
	var header atomic.Pointer[http.Header]
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header.Store(&r.Header)
		switch r.URL.Path {
		case "/small":
			_, _ = io.WriteString(w, "# A")
		case "/long", "/endless":
			if r.URL.Path == "/long" {
				w.Header().Set("Content-Length", "5000")
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error>expired "+r.URL.RawQuery+"</Error>")
		}
	}))
	defer store.Close()
	srv := server(t)
	srv.On("GET /docling/v1/result/{id}", babytest.JSON(200, `{"num_converted":1,"num_succeeded":1,"num_failed":0,"processing_time":1,
		"documents":[{"source_index":0,"source_uri":"a.pdf","filename":"a.pdf","status":"success","artifacts":[
		{"artifact_type":"markdown","mime_type":"text/markdown","uri":"`+store.URL+`/small?sig=abcdefgh","url_expires_at":"2026-11-25T20:00:00Z"}]}]}`))
	c := client(srv, babyclient.WithHeader("X-Mine", "1"), babyclient.WithMaxResponseSize(1000),
		babyclient.WithHTTPClient(store.Client()))
	resp, err := client(srv).Docling.ConvertJob("t1", "").Result(t.Context())
	if err != nil || len(resp.Artifacts) != 1 || resp.Artifacts[0].Artifacts[0].Expires.IsZero() {
		t.Fatalf("got %+v, %v", resp, err)
	}
	var out bytes.Buffer
	options := make([]babyclient.CallOption, 0, 1) // two downloads may share it, and what is behind it
	n, err := c.Docling.Download(t.Context(), resp.Artifacts[0].Artifacts[0], &out, options...)
	if err != nil || n != 3 || out.String() != "# A" {
		t.Errorf("downloaded %d bytes %q, %v", n, out.String(), err)
	}
	if options[:1][0] != nil {
		t.Error("the array of the caller's options was written to")
	}
	if h := *header.Load(); h.Get("Authorization") != "" || h.Get("X-Mine") != "" {
		t.Errorf("the store was sent %v", h)
	}
	for path, want := range map[string]error{"/long": babyclient.ErrResponseTooLarge,
		"/endless":           babyclient.ErrResponseTooLarge,
		"/gone?sig=abcdefgh": babyclient.ErrUnauthorized} {
		var out bytes.Buffer
		n, err := c.Docling.Download(t.Context(), babyclient.Artifact{URL: store.URL + path}, &out)
		if n != int64(out.Len()) {
			t.Errorf("%s: %d bytes are said to be written, and %d were", path, n, out.Len())
		}
		if !errors.Is(err, want) || strings.Contains(fmt.Sprintf("%v %+v", err, *fails(t, err)), "abcdefgh") {
			t.Errorf("%s: err = %v, want %v", path, err, want)
		}
	}
	if _, err := c.Docling.Download(t.Context(), babyclient.Artifact{URL: "file:///etc/passwd"},
		io.Discard); !errors.Is(err, babyclient.ErrInvalidRequest) {
		t.Errorf("a file: URL: %v", err)
	}
}

// AsDocument gives a call of Do the time and the words of documents.
func TestDoAsDocument(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/x",
			babytest.Delay(babytest.JSON(404, `{"detail":"Task result not found. Please wait."}`), 4*time.Minute))
		c := client(srv)
		start := time.Now()
		err := c.Do(t.Context(), "POST", "/docling/v1/x", map[string]any{}, nil, babyclient.AsDocument())
		if !errors.Is(err, babyclient.ErrTaskFailed) || time.Since(start) != 4*time.Minute {
			t.Errorf("after %s: %v, want the answer of a document that failed", time.Since(start), err)
		}
		start = time.Now()
		if err := c.Do(t.Context(), "POST", "/docling/v1/x", map[string]any{}, nil); !errors.Is(err,
			babyclient.ErrTimeout) {
			t.Errorf("after %s, without it: %v, want a timeout", time.Since(start), err)
		}
	})
}
