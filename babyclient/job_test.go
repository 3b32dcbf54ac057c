package babyclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

const node = "X-Babyapi-Docling-Id"

func task(status string) http.Handler {
	return babytest.JSON(
		200,
		fmt.Sprintf(`{"task_id":"t1","task_status":%q,"task_position":1,"error_message":null,"failure":null}`, status),
	)
}

var notReady = babytest.JSON(404, `{"detail":"Task result not found. Please wait for a completion status."}`)
var unknownTask = babytest.JSON(404, `{"detail":"Task not found."}`)

// A job is submitted once, and every request about it goes to its node.
func TestJob(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/convert/source/async", babytest.WithHeader(task("pending"), node, "node-b"))
		srv.On(
			"GET /docling/v1/status/poll/t1",
			task("pending"),
			babytest.JSON(503, `{}`),
			task("started"),
			task("success"),
		)
		srv.On("GET /docling/v1/result/t1", babytest.JSON(503, `{}`), babytest.JSON(200, converted))
		srv.On("POST /docling/v1/cancel/t1", task("cancelled"))
		c := client(srv)
		job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1)})
		if err != nil {
			t.Fatal(err)
		}
		if job.ID != "t1" || job.Node != "node-b" || job.Submitted.State != "pending" || job.Submitted.Position != 1 ||
			job.Submitted.Done() {
			t.Errorf("%+v", job)
		}
		var polls []string
		resp, err := job.Wait(
			t.Context(),
			babyclient.OnPoll(func(s *babyclient.JobStatus) { polls = append(polls, s.State) }),
			babyclient.WithHeader("X-Mine", "1"),
			nil,
		)
		if err != nil || resp.Document().Markdown != "# A" {
			t.Errorf("%+v, %v", resp, err)
		}
		if s := strings.Join(polls, " "); s != "pending started success" {
			t.Errorf("polls %s", s)
		}
		if status, err := job.Cancel(t.Context()); err != nil || !status.Failed() || status.Succeeded() ||
			string(seen(t, srv).Body) != "{}" {
			t.Errorf("%+v, %v", status, err)
		}
		for i, r := range srv.Requests() {
			if got := r.Header.Get(node); (got == "node-b") != (i > 0) {
				t.Errorf("request %d, %s %s: node %q", i, r.Method, r.Path, got)
			}
			if strings.Contains(r.Path, "poll") && r.Header.Get("X-Mine") != "1" {
				t.Errorf("the options of the calls are not on %s", r.Path)
			}
		}
		// Another process has only the id and the node.
		again := c.Docling.ConvertJob(job.ID, job.Node)
		if resp, err := again.Result(t.Context()); err != nil || resp.Document().Filename != "a.md" ||
			seen(t, srv).Header.Get(node) != "node-b" {
			t.Errorf("%+v, %v", resp, err)
		}
	})
}

func TestChunkJob(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/chunk/hierarchical/file/async", task("pending"))
		srv.On("GET /docling/v1/status/poll/{id}", task("success"))
		srv.On(
			"GET /docling/v1/result/{id}",
			babytest.JSON(
				200,
				`{"chunks":[{"filename":"a.md","text":"A"}],"documents":[{"content":{"filename":"a.md"},`+
					`"status":"success"}]}`,
			),
		)
		c := client(srv)
		job, err := c.Docling.StartChunk(
			t.Context(),
			&babyclient.ChunkRequest{
				Sources: sources(babyclient.FromBytes("a.md", []byte("A"))),
				Chunker: babyclient.ChunkerHierarchical,
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := job.Wait(t.Context()); err != nil || resp.Chunks[0].Text != "A" {
			t.Errorf("%+v, %v", resp, err)
		}
		if resp, err := c.Docling.ChunkJob("t2", "").Result(t.Context()); err != nil || len(resp.Chunks) != 1 ||
			seen(t, srv).Header.Get(node) != "" {
			t.Errorf("%+v, %v", resp, err)
		}
		srv.On("POST /docling/v1/chunk/hybrid/source/async", babytest.JSON(404, `{"detail":"Not Found"}`))
		_, err = c.Docling.StartChunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1)})
		if !errors.Is(err, babyclient.ErrNotFound) || !strings.Contains(err.Error(), "use Chunk") {
			t.Errorf("a service without chunk jobs: %v", err)
		}
	})
}

func TestJobOutcomes(t *testing.T) {
	tests := []struct {
		name         string
		poll, result http.Handler
		is, not      error
		code, says   string
	}{
		{
			"failed",
			babytest.JSON(200, `{"task_id":"t1","task_status":"failure","error_message":"Internal processing error."}`),
			notReady,
			babyclient.ErrTaskFailed,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskFailed,
			"Internal processing error.",
		},
		{
			"failed with a reason",
			babytest.JSON(
				200,
				`{"task_id":"t1","status":"FAILED","failure":{"category":"policy","message":"too large"}}`,
			),
			notReady,
			babyclient.ErrTaskFailed,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskFailed,
			"too large",
		},
		{
			"cancelled",
			task("cancelled"),
			notReady,
			babyclient.ErrTaskFailed,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskFailed,
			"cancelled",
		},
		{
			"canceled",
			task("canceled"),
			notReady,
			babyclient.ErrTaskFailed,
			nil,
			babyclient.CodeDoclingTaskFailed,
			"canceled",
		},
		{"error", task("error"), notReady, babyclient.ErrTaskFailed, nil, babyclient.CodeDoclingTaskFailed, "error"},
		{
			"success without a result",
			task("success"),
			notReady,
			babyclient.ErrTaskLost,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskLost,
			"its result is not there",
		},
		{
			"lost",
			unknownTask,
			unknownTask,
			babyclient.ErrTaskLost,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskLost,
			`node "n1" does not know docling task "t1"`,
		},
		{
			"lost between",
			task("success"),
			unknownTask,
			babyclient.ErrTaskLost,
			babyclient.ErrNotFound,
			babyclient.CodeDoclingTaskLost,
			"submit it again",
		},
		{
			"no status",
			babytest.JSON(200, `{"task_id":"t1"}`),
			notReady,
			babyclient.ErrInvalidResponse,
			nil,
			babyclient.CodeInvalidResponse,
			"status",
		},
		{"unauthorized", babytest.JSON(401, `{}`), notReady, babyclient.ErrUnauthorized, nil, "", "401"},
		{
			"failed document",
			task("success"),
			babytest.JSON(200, `{"document":{"filename":"a"},"status":"failure","errors":[{"error_message":"bad"}]}`),
			babyclient.ErrDocumentFailed,
			nil,
			babyclient.CodeDoclingDocumentFailed,
			"bad",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				srv.On("GET /docling/v1/status/poll/t1", tt.poll)
				srv.On("GET /docling/v1/result/t1", tt.result)
				_, err := client(srv).Docling.ConvertJob("t1", "n1").Wait(t.Context())
				if e := fails(t, err); !errors.Is(err, tt.is) || tt.not != nil && errors.Is(err, tt.not) ||
					e.Code != tt.code ||
					!strings.Contains(err.Error(), tt.says) {
					t.Errorf("code %s: %v", e.Code, err)
				}
			})
		})
	}
}

// docling-serve says the same of a job that runs, that failed and that is gone: Result tells them
// apart.
func TestResultWithoutWait(t *testing.T) {
	tests := []struct {
		name string
		poll http.Handler
		is   error
		says string
	}{
		{"too early", task("started"), babyclient.ErrJobRunning, `still "started"`},
		{"failed", task("failure"), babyclient.ErrTaskFailed, `"failure"`},
		{"gone", unknownTask, babyclient.ErrTaskLost, "does not know"},
		{"no status to be had", babytest.JSON(500, `{}`), babyclient.ErrNotFound, "Task result not found"},
	}
	for _, tt := range tests {
		srv := server(t)
		srv.On("GET /docling/v1/status/poll/t1", tt.poll)
		srv.On("GET /docling/v1/result/t1", notReady)
		if _, err := client(srv).Docling.ConvertJob("t1", "").Result(t.Context()); !errors.Is(err, tt.is) ||
			!strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// The same confusion of a request that waits.
func TestSyncFailures(t *testing.T) {
	srv := server(t)
	srv.On("POST /docling/", notReady, babytest.JSON(504, `{"detail":"Conversion is taking too long."}`))
	c := client(srv)
	if _, err := c.Docling.Convert(t.Context(), &babyclient.ConvertRequest{Sources: sources(url1)}); !errors.Is(
		err,
		babyclient.ErrTaskFailed,
	) ||
		errors.Is(err, babyclient.ErrNotFound) {
		t.Errorf("err = %v", err)
	}
	if _, err := c.Docling.Chunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(url1)}); !errors.Is(
		err,
		babyclient.ErrUnavailable,
	) ||
		!strings.Contains(err.Error(), "StartChunk") {
		t.Errorf("err = %v", err)
	}
}

// The first polls come soon, later ones at the interval.
func TestPollIntervals(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		var times []time.Time
		status := "started"
		srv.On("GET /docling/v1/status/poll/t1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if times = append(times, time.Now()); len(times) == 15 {
				status = "success"
			}
			task(status).ServeHTTP(w, r)
		}))
		srv.On("GET /docling/v1/result/t1", babytest.JSON(200, converted))
		if _, err := client(srv).Docling.ConvertJob("t1", "").Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if first, last := times[1].Sub(times[0]), times[14].Sub(times[13]); first != 50*time.Millisecond ||
			last != babyclient.DefaultPollInterval {
			t.Errorf("first %s, last %s", first, last)
		}
		times, status = nil, "started"
		if _, err := client(srv).Docling.ConvertJob("t1", "").Wait(t.Context(),
			babyclient.WithPollInterval(10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if d := times[14].Sub(times[0]); d != 140*time.Millisecond {
			t.Errorf("15 polls took %s", d)
		}
	})
}

func TestPollTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("GET /docling/v1/status/poll/t1", task("started"))
		job := client(srv).Docling.ConvertJob("t1", "")
		start := time.Now()
		_, err := job.Wait(t.Context())
		if e := fails(t, err); e.Code != babyclient.CodePollTimeout || !errors.Is(err, babyclient.ErrTimeout) ||
			!strings.Contains(err.Error(), "WithPollTimeout") ||
			time.Since(start) > babyclient.DefaultPollTimeout ||
			time.Since(start) < babyclient.DefaultPollTimeout-babyclient.DefaultPollInterval {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		// A deadline of the context is the caller's own say.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start = time.Now()
		if _, err = job.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, babyclient.ErrTimeout) ||
			time.Since(start) != time.Hour {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		live, end := context.WithTimeout(t.Context(), time.Hour)
		defer end()
		if _, err = job.Wait(live, babyclient.WithPollTimeout(time.Second)); !errors.Is(err, babyclient.ErrTimeout) {
			t.Errorf("a poll timeout beside a deadline: %v", err)
		}
		for _, o := range []babyclient.WaitOption{babyclient.WithPollInterval(0), babyclient.WithPollTimeout(-1)} {
			if _, err := job.Wait(t.Context(), o); !errors.Is(err, babyclient.ErrInvalidRequest) {
				t.Errorf("err = %v", err)
			}
		}
	})
}

func TestJobIDs(t *testing.T) {
	srv := server(t)
	srv.On("GET /docling/v1/status/poll/{id}", task("started"))
	c := client(srv)
	for _, id := range []string{"", " ", ".", ".."} {
		job := c.Docling.ConvertJob(id, "")
		_, status := job.Status(t.Context())
		_, result := job.Result(t.Context())
		_, cancel := job.Cancel(t.Context())
		_, wait := job.Wait(t.Context())
		for _, err := range []error{status, result, cancel, wait} {
			if e := fails(t, err); e.Code != babyclient.CodeInvalidTaskID ||
				!errors.Is(err, babyclient.ErrInvalidRequest) {
				t.Errorf("%q: %v", id, err)
			}
		}
		_, ocr := c.OCR.Job(id).Status(t.Context())
		if e := fails(t, ocr); e.Code != babyclient.CodeInvalidJobID {
			t.Errorf("%q: %v", id, ocr)
		}
	}
	if _, err := c.Docling.ConvertJob("t1", "a\r\nX: y").Status(t.Context()); !errors.Is(
		err,
		babyclient.ErrInvalidRequest,
	) {
		t.Errorf("a node that is no header: %v", err)
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for _, id := range []string{"a/../b?c=d#e", "ü %"} {
		if _, err := c.Docling.ConvertJob(id, "").Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := seen(t, srv)
		escaped := strings.TrimPrefix(r.Path, "/docling/v1/status/poll/")
		if got, err := url.PathUnescape(escaped); err != nil || got != id || strings.ContainsAny(escaped, "/?#") ||
			len(r.Query) != 0 {
			t.Errorf("%q went to %s", id, r.Path)
		}
	}
}

func TestOCR(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/ocr/document", babytest.JSON(200, `{"pages":["text"]}`))
		srv.On("POST /v1/ocr/document/async", babytest.JSON(200, `{"job_id":"j/1","status":"queued"}`))
		srv.On(
			"GET /v1/ocr/jobs/{id}",
			babytest.JSON(200, `{"job_id":"j/1","status":"running"}`),
			babytest.JSON(200, `{"job_id":"j/1","status":"running"}`),
			babytest.JSON(200, `{"job_id":"j/1","status":"Completed","result":{"text":"x"}}`),
		)
		c := client(srv)
		resp, err := c.OCR.Document(
			t.Context(),
			&babyclient.OCRRequest{
				Model:        "ocr",
				Input:        map[string]any{"url": "u"},
				Tasks:        []string{"ocr"},
				OutputFormat: "json",
				Pages:        &babyclient.PageRange{First: 1, Last: 2},
				Extra:        map[string]any{"x": 1},
			},
		)
		if err != nil || string(resp.Raw) != `{"pages":["text"]}` {
			t.Errorf("%+v, %v", resp, err)
		}
		sameJSON(
			t,
			seen(t, srv).Body,
			`{"model":"ocr","input":{"url":"u"},"tasks":["ocr"],"output_format":"json","pages":[1,2],"x":1}`,
		)
		job, err := c.OCR.Start(t.Context(), &babyclient.OCRRequest{Model: "ocr", Input: "data:"})
		if err != nil || job.ID != "j/1" || job.Submitted.State != "queued" {
			t.Fatalf("%+v, %v", job, err)
		}
		sameJSON(t, seen(t, srv).Body, `{"model":"ocr","input":"data:"}`)
		if _, err := job.Result(t.Context()); !errors.Is(err, babyclient.ErrJobRunning) {
			t.Errorf("too early: %v", err)
		}
		resp, err = job.Wait(t.Context())
		if err != nil || !strings.Contains(string(resp.Raw), `"text":"x"`) ||
			seen(t, srv).Path != "/v1/ocr/jobs/j%2F1" {
			t.Errorf("%+v, %v", resp, err)
		}
		if resp, err = c.OCR.Job("j/1").Result(t.Context()); err != nil || len(resp.Raw) == 0 {
			t.Errorf("%+v, %v", resp, err)
		}
		for _, state := range []string{"failed", "failure", "error", "cancelled", "canceled"} {
			srv.On(
				"GET /v1/ocr/jobs/"+state,
				babytest.JSON(200, fmt.Sprintf(`{"job_id":"x","status":%q,"error":"page 3 is torn"}`, state)),
			)
			_, wait := c.OCR.Job(state).Wait(t.Context())
			_, result := c.OCR.Job(state).Result(t.Context())
			if e := fails(t, wait); e.Code != babyclient.CodeOCRJobFailed || e.Message != "page 3 is torn" ||
				!errors.Is(result, babyclient.ErrTaskFailed) {
				t.Errorf("%s: %v; %v", state, wait, result)
			}
		}
		for _, state := range []string{"complete", "success", "succeeded", "done"} {
			srv.On("GET /v1/ocr/jobs/"+state, babytest.JSON(200, fmt.Sprintf(`{"job_id":"x","status":%q}`, state)))
			if _, err := c.OCR.Job(state).Wait(t.Context()); err != nil {
				t.Errorf("%s: %v", state, err)
			}
		}
		srv.On(
			"GET /v1/ocr/jobs/gone",
			babytest.JSON(404, `{"error":{"message":"no such job","code":"JOB_NOT_FOUND"}}`),
		)
		if _, err := c.OCR.Job("gone").Wait(t.Context()); !errors.Is(err, babyclient.ErrNotFound) ||
			fails(t, err).Code != "JOB_NOT_FOUND" {
			t.Errorf("err = %v", err)
		}
		before := len(srv.Requests())
		for _, req := range []*babyclient.OCRRequest{nil, {Input: "x"}, {Model: "m"},
			{Model: "m", Input: "x", Pages: &babyclient.PageRange{First: 2, Last: 1}},
			{Model: "m", Input: func() {}}} {
			_, document := c.OCR.Document(t.Context(), req)
			_, start := c.OCR.Start(t.Context(), req)
			if !errors.Is(document, babyclient.ErrInvalidRequest) || !errors.Is(start, babyclient.ErrInvalidRequest) {
				t.Errorf("%+v: %v, %v", req, document, start)
			}
		}
		if n := len(srv.Requests()) - before; n != 0 {
			t.Errorf("%d bad requests were sent", n)
		}
	})
}

// doclings plays a docling-serve that knows what it was given: document N takes N seconds.
type doclings struct {
	mu            sync.Mutex
	submitted     []string
	running, most int
	began         map[string]time.Time
	takes         func(name string) time.Duration
	refuse        string // the document whose submission is refused
}

func (d *doclings) script(srv *babytest.Server) {
	d.began = map[string]time.Time{}
	srv.On("POST /docling/v1/{call}/file/async", http.HandlerFunc(d.submit))
	srv.On("POST /docling/v1/chunk/hybrid/file/async", http.HandlerFunc(d.submit))
	srv.On("GET /docling/v1/status/poll/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		id := r.PathValue("id")
		status := "started"
		if began := d.began[id]; time.Since(began) >= d.takes(id) {
			status = "success"
			d.running--
		}
		babytest.JSON(200, fmt.Sprintf(`{"task_id":%q,"task_status":%q}`, id, status)).ServeHTTP(w, r)
	}))
	srv.On("GET /docling/v1/result/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		status := "success"
		if strings.HasPrefix(id, "bad") {
			status = "failure"
		}
		fmt.Fprintf(
			w,
			`{"document":{"filename":%[1]q,"md_content":%[1]q,"json_content":{"pages":{"1":{},"2":{}}}},"status":%[2]q,
			"chunks":[{"filename":%[1]q,"text":"x","page_numbers":[3]}],"documents":[{"content":{"filename":%[1]q},"status":%[2]q}]}`,
			id,
			status,
		)
	}))
}

func (d *doclings) submit(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	name := r.MultipartForm.File["files"][0].Filename
	d.mu.Lock()
	defer d.mu.Unlock()
	d.submitted = append(d.submitted, name)
	if name == d.refuse {
		babytest.JSON(422, `{"detail":"refused"}`).ServeHTTP(w, r)
		return
	}
	d.began[name] = time.Now()
	d.running++
	d.most = max(d.most, d.running)
	w.Header().Set(node, "node-of-"+name)
	fmt.Fprintf(w, `{"task_id":%q,"task_status":"pending"}`, name)
}

func (d *doclings) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.submitted)
}

func many(n int) []babyclient.Source {
	out := make([]babyclient.Source, n)
	for i := range out {
		out[i] = babyclient.FromBytes(fmt.Sprintf("d%03d.md", i), []byte("x"))
	}
	return out
}

// Documents come in the order of the sources, each with its own error, a bounded number at a time.
func TestConvertAll(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{refuse: "d005.md", takes: func(name string) time.Duration {
			if name == "d000.md" {
				return 20 * time.Second // a slow first one
			}
			return time.Second
		}}
		d.script(srv)
		src := many(30)
		src[7] = babyclient.FromBytes("bad.md", []byte("x"))
		src[9] = babyclient.Source{}
		var progress []babyclient.BatchProgress
		var jobs []babyclient.BatchJob
		i := 0
		for doc, err := range client(srv).Docling.ConvertAll(t.Context(),
			&babyclient.ConvertAllRequest{Sources: src, BatchOptions: babyclient.BatchOptions{
				Progress: func(p babyclient.BatchProgress) { progress = append(progress, p) },
				OnSubmit: func(j babyclient.BatchJob) { jobs = append(jobs, j) }}}) {
			b, failed := errors.AsType[*babyclient.BatchError](err)
			switch i {
			case 5:
				if !failed || b.Index != 5 || b.ID != "" || !errors.Is(err, babyclient.ErrInvalidRequest) ||
					!strings.Contains(err.Error(), "d005.md") {
					t.Errorf("a refused one: %v", err)
				}
			case 7:
				if !failed || b.ID != "bad.md" || b.Node != "node-of-bad.md" ||
					!errors.Is(err, babyclient.ErrDocumentFailed) ||
					doc == nil {
					t.Errorf("a failed one: %v", err)
				}
			case 9:
				if !failed || !errors.Is(err, babyclient.ErrInvalidRequest) {
					t.Errorf("a bad one: %v", err)
				}
			default:
				if err != nil || doc.Markdown != src[i].Name {
					t.Errorf("%d: %+v, %v", i, doc, err)
				}
			}
			i++
		}
		if i != 30 || d.most != babyclient.DefaultBatchConcurrency {
			t.Errorf("%d documents, %d at once", i, d.most)
		}
		last := progress[len(progress)-1]
		if len(progress) != 30 || last.Done != 30 || last.Failed != 3 || last.Total != 30 || last.Pages != 28*2 ||
			last.Elapsed < 20*time.Second {
			t.Errorf("%d calls of Progress, the last %+v", len(progress), last)
		}
		if len(jobs) != 28 || jobs[0].Node != "node-of-"+jobs[0].Name {
			t.Errorf("%d jobs, the first %+v", len(jobs), jobs[0])
		}
		if once := map[string]bool{}; true {
			for _, name := range d.submitted {
				if once[name] {
					t.Errorf("%s was submitted twice", name)
				}
				once[name] = true
			}
		}
	})
}

// One at a time means one after the other, in the order of the sources.
func TestConvertAllBeginsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{takes: func(string) time.Duration { return time.Second }}
		d.script(srv)
		for _, err := range client(srv).Docling.ConvertAll(t.Context(),
			&babyclient.ConvertAllRequest{Sources: many(30), BatchOptions: babyclient.BatchOptions{Concurrency: 1}}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(d.submitted) != 30 || !slices.IsSorted(d.submitted) {
			t.Errorf("submitted %v", d.submitted)
		}
	})
}

func TestChunkAll(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{takes: func(string) time.Duration { return 0 }}
		d.script(srv)
		pages, n := 0, 0
		for resp, err := range client(srv).Docling.ChunkAll(t.Context(),
			&babyclient.ChunkAllRequest{Sources: many(5), BatchOptions: babyclient.BatchOptions{Concurrency: 2,
				Progress: func(p babyclient.BatchProgress) { pages = p.Pages }}}) {
			if err != nil || resp.Chunks[0].Text != "x" {
				t.Errorf("%+v, %v", resp, err)
			}
			n++
		}
		if n != 5 || pages != 15 || d.most > 2 {
			t.Errorf("%d documents, %d pages, %d at once", n, pages, d.most)
		}
	})
}

// Leaving the loop ends all, in whatever way; what had been submitted was told.
func TestBatchLeft(t *testing.T) {
	for _, how := range []string{"break", "panic"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				d := &doclings{takes: func(string) time.Duration { return time.Second }}
				d.script(srv)
				told := 0
				func() {
					defer func() { _ = recover() }()
					for _, err := range client(srv).Docling.ConvertAll(t.Context(),
						&babyclient.ConvertAllRequest{Sources: many(100),
							BatchOptions: babyclient.BatchOptions{OnSubmit: func(babyclient.BatchJob) { told++ }}}) {
						if err != nil {
							t.Error(err)
						}
						if how == "panic" {
							panic("stop")
						}
						break
					}
				}()
				synctest.Wait() // the server takes in what was on its way
				n := d.count()
				time.Sleep(time.Hour)
				synctest.Wait()
				// A submission that is cut off while its answer is under way cannot be told.
				if d.count() != n || told > n || n-told > babyclient.DefaultBatchConcurrency || n > 10 {
					t.Errorf("%d submitted, %d later, %d told", n, d.count(), told)
				}
			})
		})
	}
}

// A cancelled batch names the jobs it leaves behind, and they can be collected.
func TestBatchCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{takes: func(string) time.Duration { return time.Minute }}
		d.script(srv)
		c := client(srv)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		start := time.Now()
		var left []*babyclient.BatchError
		n := 0
		for _, err := range c.Docling.ConvertAll(ctx, &babyclient.ConvertAllRequest{Sources: many(20)}) {
			b, ok := errors.AsType[*babyclient.BatchError](err)
			if !ok || !errors.Is(err, context.Canceled) || b.Index != n {
				t.Errorf("%d: %v", n, err)
				continue
			}
			if n++; b.ID != "" {
				left = append(left, b)
				if !strings.Contains(err.Error(), b.ID) || !strings.Contains(err.Error(), "under way") {
					t.Errorf("err = %v", err)
				}
			}
		}
		if n != 20 || time.Since(start) != 10*time.Second || len(left) != 4 || d.count() != 4 {
			t.Errorf("%d after %s, %d left, %d submitted", n, time.Since(start), len(left), d.count())
		}
		for _, b := range left {
			if resp, err := c.Docling.ConvertJob(b.ID, b.Node).Wait(t.Context()); err != nil ||
				resp.Document().Markdown != b.Name {
				t.Errorf("%+v, %v", resp, err)
			}
		}
		if d.count() != 4 {
			t.Errorf("%d submitted: one was twice", d.count())
		}
	})
}

// A submission that is cut off may have reached the service, and says so.
func TestBatchCancelledWhileSubmitting(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/convert/file/async", babytest.Delay(task("pending"), time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := lastError(client(srv).Docling.ConvertAll(ctx, &babyclient.ConvertAllRequest{Sources: many(1)}))
		if b, ok := errors.AsType[*babyclient.BatchError](err); !ok || b.ID != "" ||
			!errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "may work on it") {
			t.Errorf("err = %v", err)
		}
	})
}

func TestBatchInput(t *testing.T) {
	srv := server(t)
	c := client(srv)
	for name, err := range map[string]error{
		"nil convert": lastError(c.Docling.ConvertAll(t.Context(), nil)),
		"nil chunk":   lastError(c.Docling.ChunkAll(t.Context(), nil)),
		"concurrency": lastError(c.Docling.ConvertAll(t.Context(),
			&babyclient.ConvertAllRequest{Sources: many(1), BatchOptions: babyclient.BatchOptions{Concurrency: -1}})),
	} {
		if !errors.Is(err, babyclient.ErrInvalidRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for doc, err := range c.Docling.ConvertAll(t.Context(), &babyclient.ConvertAllRequest{}) {
		t.Errorf("no sources gave %v, %v", doc, err)
	}
}

func lastError[T any](seq func(func(*T, error) bool)) (last error) {
	for _, last = range seq {
	}
	return last
}

// However many the documents, a few of them are held at a time: the readers are made as they are
// opened.
func TestBatchHoldsFew(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{takes: func(string) time.Duration { return 0 }}
		d.script(srv)
		var opened atomic.Int64
		src := make([]babyclient.Source, 50)
		for i := range src {
			src[i] = babyclient.Source{
				Name:   fmt.Sprintf("d%d.md", i),
				Reader: &lazyReader{opened: func() { opened.Add(1) }},
			}
		}
		handled := 0
		for _, err := range client(srv).Docling.ConvertAll(t.Context(), &babyclient.ConvertAllRequest{Sources: src}) {
			if err != nil {
				t.Fatal(err)
			}
			handled++
			time.Sleep(time.Minute) // a caller that takes its time
			if ahead := int(opened.Load()) - handled; ahead > 2*babyclient.DefaultBatchConcurrency {
				t.Fatalf("%d documents ahead of the caller", ahead)
			}
		}
	})
}

type lazyReader struct {
	opened func()
	begun  bool
}

func (r *lazyReader) Read(p []byte) (int, error) {
	if r.begun {
		return 0, io.EOF
	}
	r.begun = true
	r.opened()
	return copy(p, "x"), nil
}

// Wait, like every call, tells why the caller's context ended.
func TestWaitTellsTheCauseOfTheContext(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("GET /docling/v1/status/poll/{id}", babytest.JSON(200, `{"task_id":"t1","task_status":"started"}`))
		srv.On("GET /v1/ocr/jobs/{id}", babytest.JSON(200, `{"job_id":"j1","status":"running"}`))
		c := client(srv)
		errShutdown := errors.New("the program shuts down")
		for name, wait := range map[string]func(context.Context) error{
			"docling": func(ctx context.Context) error {
				_, err := c.Docling.ConvertJob("t1",
					"").Wait(ctx)
				return err
			},
			"OCR": func(ctx context.Context) error { _, err := c.OCR.Job("j1").Wait(ctx); return err },
		} {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(3*time.Second, func() { cancel(errShutdown) })
			err := wait(ctx)
			if e := fails(t, err); !errors.Is(e, context.Canceled) || !errors.Is(e, errShutdown) {
				t.Errorf("%s: err = %v, want context.Canceled and its cause", name, err)
			}
		}
	})
}

// A source that holds several documents yields all of them, in their place among the others.
func TestConvertAllYieldsEveryDocumentOfASource(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/convert/file/async",
			babytest.JSON(200, `{"task_id":"single","task_status":"pending"}`),
			babytest.JSON(200, `{"task_id":"archive","task_status":"pending"}`),
			babytest.JSON(200, `{"task_id":"pictures","task_status":"pending"}`),
			babytest.JSON(200, `{"task_id":"empty","task_status":"pending"}`),
			babytest.JSON(200, `{"task_id":"single","task_status":"pending"}`))
		srv.On("GET /docling/v1/status/poll/{id}", babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
		srv.On("GET /docling/v1/result/single", babytest.JSON(200, converted))
		srv.On("GET /docling/v1/result/archive", babytest.Zip(map[string]string{
			"b.md": "# B", "c.md": "# C", "c.txt": "C", "artifacts/x.png": "png"}))
		srv.On("GET /docling/v1/result/pictures", babytest.Zip(map[string]string{"artifacts/y.png": "png"}))
		srv.On("GET /docling/v1/result/empty", babytest.Zip(nil))
		var got []string
		req := &babyclient.ConvertAllRequest{BatchOptions: babyclient.BatchOptions{Concurrency: 1}}
		for _, name := range []string{"a.md", "many.zip", "pictures.zip", "empty.zip", "d.md"} {
			req.Sources = append(req.Sources, babyclient.FromBytes(name, []byte("x")))
		}
		for doc, err := range client(srv).Docling.ConvertAll(t.Context(), req) {
			switch {
			case errors.Is(err, babyclient.ErrDocumentFailed): // an archive of pictures alone
				got = append(got, "missing")
				if string(doc.Files["artifacts/y.png"]) != "png" {
					t.Errorf("the files of %v are lost: %v", err, doc.Files)
				}
				continue
			case errors.Is(err, babyclient.ErrInvalidResponse): // an archive of nothing
				got = append(got, "invalid")
				continue
			}
			got = append(got, fmt.Sprintf("%d %s %d", doc.SourceIndex, doc.Filename, len(doc.Files)))
		}
		want := []string{"0 a.md 0", "1 b 1", "1 c 0", "missing", "invalid", "4 a.md 0"}
		if !slices.Equal(got, want) {
			t.Errorf("yielded %q, want %q", got, want)
		}
	})
}

// A batch runs once, however often it is ranged over, and an archive is one by any spelling.
func TestConvertAllRunsOnce(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /docling/v1/convert/file/async", babytest.JSON(200, `{"task_id":"t","task_status":"pending"}`))
		srv.On("GET /docling/v1/status/poll/{id}", babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
		srv.On("GET /docling/v1/result/{id}", babytest.Zip(map[string]string{"a.md": "# A", "b.md": "# B"}))
		all := client(srv).Docling.ConvertAll(t.Context(), &babyclient.ConvertAllRequest{
			Sources:      sources(babyclient.FromBytes("DOCS.ZIP", []byte("x"))),
			BatchOptions: babyclient.BatchOptions{Concurrency: math.MaxInt}})
		documents := 0
		for _, err := range all {
			if err != nil {
				t.Errorf("the first range: %v", err)
			}
			documents++
		}
		if documents != 2 {
			t.Errorf("%d documents of an archive of 2", documents)
		}
		sent := len(srv.Requests())
		for _, err := range all {
			if !errors.Is(err, babyclient.ErrInvalidRequest) {
				t.Errorf("the second range: %v, want a refusal", err)
			}
		}
		if n := len(srv.Requests()) - sent; n != 0 {
			t.Errorf("the second range sent %d requests", n)
		}
	})
}

// Whatever goes wrong with a source of a batch, its error wraps an *Error.
func TestEveryErrorOfABatchWrapsAnError(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		d := &doclings{takes: func(string) time.Duration { return time.Minute }}
		d.script(srv)
		errShutdown := errors.New("the program shuts down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errShutdown) })
		n := 0
		req := &babyclient.ConvertAllRequest{Sources: append(many(20), babyclient.Source{})}
		for _, err := range client(srv).Docling.ConvertAll(ctx, req) {
			n++
			if _, ok := errors.AsType[*babyclient.BatchError](err); !ok {
				t.Errorf("err = %v (%T), want a *BatchError", err, err)
			}
			if e := fails(t, err); !errors.Is(err, errShutdown) || e.Message == "" {
				t.Errorf("err = %v, want the cause of the context in it", err)
			}
		}
		if n != len(req.Sources) {
			t.Errorf("%d results of %d sources", n, len(req.Sources))
		}
	})
}

// A wait survives what passes, for a stated time, and says so when it gives up.
func TestWaitSurvivesPassingFaults(t *testing.T) {
	running := babytest.JSON(200, `{"task_id":"t1","task_status":"started"}`)
	done := babytest.JSON(200, `{"task_id":"t1","task_status":"success"}`)
	broken := babytest.JSON(500, `{"detail":"oops"}`)
	for _, tt := range []struct {
		name, node string
		polls      []http.Handler
		results    []http.Handler
		want       error // nil: the document
		says       string
	}{
		{name: "a 500", polls: []http.Handler{running, broken, running, done}},
		{name: "a 500 at the first poll", polls: []http.Handler{broken, done}},
		{name: "a lost connection", polls: []http.Handler{running, babytest.Cut(running, 0), babytest.Cut(running, 0),
			babytest.Cut(running, 0), done}},
		{name: "an HTML page of a proxy with 502", polls: []http.Handler{running,
			babytest.Body(502, "text/html", []byte("<h1>Bad</h1>")),
			babytest.Body(502, "text/html", nil), babytest.Body(502, "text/html", nil), done}},
		{name: "another node does not know it", polls: []http.Handler{unknownTask, running, unknownTask, done}},
		{name: "its own node does not know it", node: "n1", polls: []http.Handler{running, unknownTask},
			want: babyclient.ErrTaskLost},
		{name: "no longer allowed", polls: []http.Handler{running, babytest.JSON(401, `{"detail":"no"}`)},
			want: babyclient.ErrUnauthorized},
		{name: "500 for good", polls: []http.Handler{running, broken}, says: "every poll has failed for 30s"},
		{name: "the result is there a moment later", polls: []http.Handler{done},
			results: []http.Handler{notReady, unknownTask}},
		{name: "the result never comes", polls: []http.Handler{done},
			results: slices.Repeat([]http.Handler{notReady}, 99), want: babyclient.ErrTaskLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				srv.On("POST /docling/v1/convert/source/async", babytest.WithHeader(
					babytest.JSON(200, `{"task_id":"t1","task_status":"pending"}`), "X-Babyapi-Docling-Id", tt.node))
				srv.On("GET /docling/v1/status/poll/{id}", tt.polls...)
				srv.On("GET /docling/v1/result/{id}", append(tt.results, babytest.JSON(200, converted))...)
				job, err := client(srv).Docling.StartConvert(t.Context(),
					&babyclient.ConvertRequest{Sources: sources(url1)})
				if err != nil {
					t.Fatal(err)
				}
				resp, err := job.Wait(t.Context())
				switch {
				case tt.want == nil && tt.says == "":
					if err != nil || resp.Document().Markdown != "# A" {
						t.Errorf("got %+v, %v; want the document", resp, err)
					}
				case err == nil || tt.want != nil && !errors.Is(err, tt.want) ||
					!strings.Contains(err.Error(), tt.says):
					t.Errorf("err = %v, want %v %s", err, tt.want, tt.says)
				}
			})
		})
	}
}
