package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Defaults of waiting for a job.
const (
	DefaultPollInterval = 2 * time.Second   // at most; the first polls come sooner
	DefaultPollTimeout  = 600 * time.Second // where the context has no deadline
	firstPollInterval   = 50 * time.Millisecond
)

// JobStatus is the state of a job.
type JobStatus struct {
	Meta
	// ID of the job.
	ID string
	// State is the service's word, such as "pending", "started", "success" or "failure".
	State string
	// Position in the queue, counted from 1; 0 when it is not waiting.
	Position int
	// Message is what the service says of a failure; docling-serve says little.
	Message string
}

// Done reports whether the job has ended, well or not.
func (s *JobStatus) Done() bool { return s.Succeeded() || s.Failed() }

// Succeeded reports whether the job has a result. Its documents can still have failed.
func (s *JobStatus) Succeeded() bool {
	switch strings.ToLower(s.State) {
	case "success", "succeeded", "completed", "complete", "done":
		return true
	}
	return false
}

// Failed reports whether the job ended without a result, cancelled included.
func (s *JobStatus) Failed() bool {
	switch strings.ToLower(s.State) {
	case "failure", "failed", "error", "cancelled", "canceled":
		return true
	}
	return false
}

// UnmarshalJSON takes the status of a docling task and of an OCR job.
func (s *JobStatus) UnmarshalJSON(data []byte) error {
	var w struct {
		TaskID       string          `json:"task_id"`
		JobID        string          `json:"job_id"`
		TaskStatus   string          `json:"task_status"`
		Status       string          `json:"status"`
		TaskPosition *int            `json:"task_position"`
		ErrorMessage string          `json:"error_message"`
		Error        json.RawMessage `json:"error"`
		Failure      *struct {
			Category string `json:"category"`
			Message  string `json:"message"`
		} `json:"failure"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*s = JobStatus{ID: first(w.TaskID, w.JobID), State: first(w.TaskStatus, w.Status), Message: first(w.ErrorMessage, text(w.Error))}
	if w.TaskPosition != nil {
		s.Position = *w.TaskPosition
	}
	if w.Failure != nil {
		s.Message = first(w.Failure.Message, s.Message)
	}
	return nil
}

func (s *JobStatus) lacksID() string {
	if s.ID == "" {
		return "task_id or job_id"
	}
	return ""
}

func (s *JobStatus) lacksState() string {
	if s.State == "" {
		return "status"
	}
	return ""
}

// A WaitOption changes how a job is waited for.
type WaitOption func(*waiting) error

type waiting struct {
	interval time.Duration
	timeout  time.Duration
	onPoll   func(*JobStatus)
	calls    []CallOption
}

// WithPollInterval sets the longest time between two polls. Default: [DefaultPollInterval].
// The first polls come sooner, so that short jobs are not held up.
func WithPollInterval(d time.Duration) WaitOption {
	return func(w *waiting) error {
		if d <= 0 {
			return invalid(CodeInvalidInterval, "poll interval %s must be positive", d)
		}
		w.interval = d
		return nil
	}
}

// WithPollTimeout ends the wait after d with [ErrTimeout]; the job goes on and can be waited for again.
// Default: [DefaultPollTimeout] where the context has no deadline, else no limit but the context's.
func WithPollTimeout(d time.Duration) WaitOption {
	return func(w *waiting) error {
		if d <= 0 {
			return invalid(CodeInvalidTimeout, "poll timeout %s must be positive", d)
		}
		w.timeout = d
		return nil
	}
}

// OnPoll calls f after each poll, in the goroutine that waits.
func OnPoll(f func(*JobStatus)) WaitOption {
	return func(w *waiting) error {
		w.onPoll = f
		return nil
	}
}

// WithCallOptions applies options to each request of the wait.
func WithCallOptions(opts ...CallOption) WaitOption {
	return func(w *waiting) error {
		w.calls = append(w.calls, opts...)
		return nil
	}
}

// wait polls until the job has ended. The error of a job that failed is failed's.
func wait(ctx context.Context, what string, opts []WaitOption, poll func(context.Context, []CallOption) (*JobStatus, error), failed func(*JobStatus) error) ([]CallOption, error) {
	w := waiting{interval: DefaultPollInterval}
	if _, ok := ctx.Deadline(); !ok {
		w.timeout = DefaultPollTimeout
	}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o(&w); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	delay := min(firstPollInterval, w.interval)
	for {
		status, err := poll(ctx, w.calls)
		if err != nil {
			return nil, err
		}
		if w.onPoll != nil {
			w.onPoll(status)
		}
		switch {
		case status.Succeeded():
			return w.calls, nil
		case status.Failed():
			return nil, failed(status)
		case w.timeout > 0 && time.Since(start)+delay > w.timeout:
			return nil, &Error{Code: CodePollTimeout, Message: fmt.Sprintf("%s is still %q after %s: it goes on, wait for it again or longer (WithPollTimeout)",
				what, status.State, w.timeout), Details: string(status.Raw)}
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, &Error{Op: what, Message: err.Error(), Err: err}
		}
		delay = min(delay*3/2, w.interval)
	}
}

// A ConvertJob is a conversion that docling-serve works on: see [Docling.StartConvert].
type ConvertJob = DoclingJob[ConvertResponse]

// A ChunkJob is a chunking that docling-serve works on: see [Docling.StartChunk].
type ChunkJob = DoclingJob[ChunkResponse]

// DoclingJob is a task of docling-serve. ID and Node are all there is to it: a job made from
// them in another process ([Docling.ConvertJob], [Docling.ChunkJob]) is the same job.
//
// docling-serve keeps a result for 5 minutes after it was first fetched, and forgets all when
// it restarts.
type DoclingJob[T any] struct {
	// ID of the task.
	ID string
	// Node owns the task, where the service has several; empty where it has one.
	Node string
	// Submitted is the status that the submission was answered with, nil for a job that was made from its ID.
	Submitted *JobStatus

	d       *Docling
	sources []Source
	read    func(*response, []Source) (*T, error)
}

// StartConvert submits a conversion and returns at once: POST
// /docling/v1/convert/source/async or …/file/async.
func (d *Docling) StartConvert(ctx context.Context, req *ConvertRequest, opts ...CallOption) (*ConvertJob, error) {
	k, err := req.call("/async")
	if err != nil {
		return nil, d.c.wrap(k, err)
	}
	return submit(ctx, d, k, req.Sources, readConvert, opts)
}

// StartChunk submits a chunking and returns at once: POST /docling/v1/chunk/…/async.
func (d *Docling) StartChunk(ctx context.Context, req *ChunkRequest, opts ...CallOption) (*ChunkJob, error) {
	k, err := req.call("/async")
	if err != nil {
		return nil, d.c.wrap(k, err)
	}
	job, err := submit(ctx, d, k, req.Sources, readChunks, opts)
	if e, ok := errors.AsType[*Error](err); ok && e.StatusCode == http.StatusNotFound {
		e.Message = "this service does not take chunkings as jobs: use Chunk (" + e.Message + ")"
	}
	return job, err
}

// ConvertJob is the job with that id and node, of this process or another.
func (d *Docling) ConvertJob(id, node string) *ConvertJob {
	return &ConvertJob{ID: id, Node: node, d: d, read: readConvert}
}

// ChunkJob is the job with that id and node, of this process or another.
func (d *Docling) ChunkJob(id, node string) *ChunkJob {
	return &ChunkJob{ID: id, Node: node, d: d, read: readChunks}
}

func submit[T any](ctx context.Context, d *Docling, k *call, sources []Source, read func(*response, []Source) (*T, error), opts []CallOption) (*DoclingJob[T], error) {
	status, err := doJSON(ctx, d.c, k, opts, (*JobStatus).lacksID)
	if err != nil {
		return nil, err
	}
	return &DoclingJob[T]{ID: status.ID, Node: status.Header.Get(nodeHeader), Submitted: status, d: d, sources: sources, read: read}, nil
}

// request is a call about the job, pinned to its node.
func (j *DoclingJob[T]) request(method, action string) (*call, error) {
	k := &call{method: method, path: "/docling/v1/" + action + "/" + escapeID(j.ID)}
	if err := checkNotBlank(CodeInvalidTaskID, "task id", j.ID); err != nil {
		return k, err
	}
	if j.ID == "." || j.ID == ".." {
		return k, invalid(CodeInvalidTaskID, "task id %q is not valid", j.ID)
	}
	if !validHeaderValue(j.Node) {
		return k, invalid(CodeInvalidHeaders, "node %q holds a character that no header may carry", j.Node)
	}
	if j.Node != "" {
		k.header = http.Header{nodeHeader: {j.Node}}
	}
	return k, nil
}

// escapeID escapes the id of a job for a path, as the official SDKs do: all but letters, digits and "-_.~".
func escapeID(id string) string { return strings.ReplaceAll(url.QueryEscape(id), "+", "%20") }

// Status asks how far the job is: GET /docling/v1/status/poll/{id}. A job that its node does
// not know any more is [ErrTaskLost].
func (j *DoclingJob[T]) Status(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	k, err := j.request(http.MethodGet, "status/poll")
	if err != nil {
		return nil, j.d.c.wrap(k, err)
	}
	status, err := doJSON(ctx, j.d.c, k, opts, (*JobStatus).lacksState)
	if err != nil {
		return nil, j.lost(err)
	}
	return status, nil
}

// Wait polls until the job has ended and returns its result. A job that failed is
// [ErrTaskFailed]; its documents can fail as those of [Docling.Convert] do. When the context ends the
// job goes on, and can be waited for again.
func (j *DoclingJob[T]) Wait(ctx context.Context, opts ...WaitOption) (*T, error) {
	calls, err := wait(ctx, "docling task "+j.ID, opts,
		func(ctx context.Context, calls []CallOption) (*JobStatus, error) { return j.Status(ctx, calls...) },
		func(s *JobStatus) error {
			message := fmt.Sprintf("docling task %s ended with status %q", j.ID, s.State)
			if s.Message != "" {
				message += ": " + s.Message
			}
			if strings.EqualFold(s.State, "failure") {
				message += " (docling-serve keeps the reason in its log)"
			}
			return &Error{Code: CodeDoclingTaskFailed, Message: message, Details: string(s.Raw), StatusCode: s.StatusCode, RequestID: s.RequestID, Header: s.Header}
		})
	if err != nil {
		return nil, err
	}
	return j.Result(ctx, calls...)
}

// Result fetches the result of a job that has ended: GET /docling/v1/result/{id}. It can be
// fetched again for 5 minutes. A job that has not ended is [ErrJobRunning].
func (j *DoclingJob[T]) Result(ctx context.Context, opts ...CallOption) (*T, error) {
	k, err := j.request(http.MethodGet, "result")
	if err != nil {
		return nil, j.d.c.wrap(k, err)
	}
	k.slow = true
	resp, err := j.d.c.send(ctx, k, opts)
	if err == nil {
		return j.read(resp, j.sources)
	}
	if e, ok := errors.AsType[*Error](err); ok && e.StatusCode == http.StatusNotFound && strings.Contains(e.Message, taskResultNotFound) {
		// docling-serve says the same of a job that runs and of one that failed.
		status, statusErr := j.Status(ctx, opts...)
		switch {
		case errors.Is(statusErr, ErrTaskLost):
			return nil, statusErr
		case statusErr != nil:
			return nil, err
		case !status.Done():
			e.Code = CodeJobRunning
			e.Message = fmt.Sprintf("docling task %s is still %q: it has no result yet, use Wait", j.ID, status.State)
		default:
			e.Code = CodeDoclingTaskFailed
			e.Message = fmt.Sprintf("docling task %s ended with status %q and has no result; docling-serve keeps the reason in its log", j.ID, status.State)
			e.Details = string(status.Raw)
		}
		return nil, err
	}
	return nil, j.lost(err)
}

// Cancel asks the service to give the job up: POST /docling/v1/cancel/{id}. docling-serve
// itself cannot; the service in front of it does, and work under way may run on.
func (j *DoclingJob[T]) Cancel(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	k, err := j.request(http.MethodPost, "cancel")
	if err != nil {
		return nil, j.d.c.wrap(k, err)
	}
	k.body = jsonBody([]byte("{}"))
	status, err := doJSON[JobStatus](ctx, j.d.c, k, opts, nil)
	if err != nil {
		return nil, j.lost(err)
	}
	return status, nil
}

// lost explains a 404: the job was known once, so its node has forgotten it.
func (j *DoclingJob[T]) lost(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusNotFound || strings.Contains(e.Message, taskResultNotFound) {
		return err
	}
	e.Code = CodeDoclingTaskLost
	where := "the node"
	if j.Node != "" {
		where = "node " + quote(j.Node)
	}
	e.Message = fmt.Sprintf("%s does not know docling task %s: it restarted, the result was fetched more than 5 minutes ago, or id or node are not right; submit it again if its result is still needed (%s)",
		where, quote(j.ID), e.Message)
	return err
}
