package babyclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

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
	// Node owns the task if the service has several nodes; empty if it has one.
	Node string
	// Submitted is the status that the submission was answered with, nil for a job that was made
	// from its ID.
	Submitted *JobStatus

	c           *Client
	secrets     *secrets // of the submission; a pointer, so that %+v does not show them
	fetchResult func(context.Context, jobRequest, []CallOption) (*T, error)
}

// StartConvert submits a conversion and returns at once: POST
// /docling/v1/convert/source/async or …/file/async, or …/source/batch for sources in a store.
func (d *Docling) StartConvert(ctx context.Context, req *ConvertRequest, opts ...CallOption) (*ConvertJob, error) {
	status, secrets, err := d.c.submit(ctx, asyncConvert{req}, opts)
	if err != nil {
		return nil, err
	}
	job := d.convertJob(status.ID, status.Header.Get(nodeHeader), req.Sources)
	job.Submitted, job.secrets = status, secrets
	return job, nil
}

// StartChunk submits a chunking and returns at once: POST /docling/v1/chunk/…/async.
func (d *Docling) StartChunk(ctx context.Context, req *ChunkRequest, opts ...CallOption) (*ChunkJob, error) {
	status, secrets, err := d.c.submit(ctx, asyncChunk{req}, opts)
	if err != nil {
		return nil, err
	}
	job := d.chunkJob(status.ID, status.Header.Get(nodeHeader), req.Sources)
	job.Submitted, job.secrets = status, secrets
	return job, nil
}

// asyncConvert is a ConvertRequest that is answered with a job.
type asyncConvert struct{ *ConvertRequest }

func (r asyncConvert) call(c *Client) (*call, error) {
	k, err := r.baseCall(c)
	if k.path != batchPath { // which answers with a job anyway
		k.path += "/async"
	}
	return k, err
}

// asyncChunk is a ChunkRequest that is answered with a job.
type asyncChunk struct{ *ChunkRequest }

func (r asyncChunk) call(c *Client) (*call, error) {
	k, err := r.baseCall(c)
	k.path += "/async"
	k.explain = func(e Error) Error {
		if e.StatusCode == http.StatusNotFound {
			e.Message = "this service does not take chunkings as jobs: use Chunk (" + e.Message + ")"
		}
		return e
	}
	return k, err
}

// ConvertJob is the job with that id and node, of this process or another.
func (d *Docling) ConvertJob(id, node string) *ConvertJob { return d.convertJob(id, node, nil) }

// ChunkJob is the job with that id and node, of this process or another.
func (d *Docling) ChunkJob(id, node string) *ChunkJob { return d.chunkJob(id, node, nil) }

func (d *Docling) convertJob(id, node string, sources []Source) *ConvertJob {
	read := func(raw []byte) (*ConvertResponse, error) { return readConvert(raw, sources, d.c.maxResponseSize) }
	return newJob(d.c, id, node, read)
}

func (d *Docling) chunkJob(id, node string, sources []Source) *ChunkJob {
	read := func(raw []byte) (*ChunkResponse, error) { return readChunks(raw, sources, d.c.maxResponseSize) }
	return newJob(d.c, id, node, read)
}

// newJob makes a job whose result is decoded by read. T is a struct that embeds Meta.
func newJob[T any, P interface {
	*T
	metaHolder
}](c *Client, id, node string, read func(raw []byte) (P, error)) *DoclingJob[T] {
	fetchResult := func(ctx context.Context, req jobRequest, opts []CallOption) (*T, error) {
		return fetch(ctx, c, req, opts, read)
	}
	return &DoclingJob[T]{ID: id, Node: node, c: c, secrets: new(secrets), fetchResult: fetchResult}
}

// request is a call about the job, pinned to its node.
func (j *DoclingJob[T]) request(method, action string) jobRequest {
	return jobRequest{method: method, action: action, id: j.ID, node: j.Node, secrets: *j.secrets}
}

type jobRequest struct {
	method, action, id, node string
	secrets                  secrets
	hold                     time.Duration // how long the service may hold a poll back
}

func (r jobRequest) call(*Client) (*call, error) {
	k := &call{
		method:     r.method,
		path:       "/docling/v1/" + r.action + "/" + escapeID(r.id),
		isDocument: r.action == "result",
		hold:       r.hold,
		secrets:    r.secrets,
		explain:    r.explain,
	}
	if r.hold > 0 {
		k.path += fmt.Sprintf("?wait=%g", r.hold.Seconds())
	}
	err := checkID(CodeInvalidTaskID, "task id", r.id)
	if err == nil && !validHeaderValue(r.node) {
		err = invalid(CodeInvalidHeaders, "node %q holds a character that no header may carry", r.node)
	}
	if r.node != "" {
		k.header = http.Header{nodeHeader: {r.node}}
	}
	if r.method == http.MethodPost {
		k.body = jsonBody([]byte("{}"))
	}
	return k, err
}

// explain says what a 404 can mean: the node has forgotten the task, or the id or the node is
// wrong.
func (r jobRequest) explain(e Error) Error {
	if e.StatusCode != http.StatusNotFound || strings.Contains(e.Message, taskResultNotFound) {
		return e
	}
	node := "the node"
	if r.node != "" {
		node = "node " + quote(r.node)
	}
	e.Code = CodeDoclingTaskLost
	e.Message = fmt.Sprintf("%s does not know docling task %s: it restarted, the result was fetched more than "+
		"5 minutes ago, or id or node are not right; submit it again if its result is still needed (%s)",
		node, quote(r.id), e.Message)
	return e
}

// Status asks how far the job is: GET /docling/v1/status/poll/{id}. A job that its node does
// not know any more is [ErrTaskLost].
func (j *DoclingJob[T]) Status(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	return j.poll(ctx, 0, opts)
}

// poll asks for the status. The service may hold its answer back for so long.
func (j *DoclingJob[T]) poll(ctx context.Context, hold time.Duration, opts []CallOption) (*JobStatus, error) {
	request := j.request(http.MethodGet, "status/poll")
	request.hold = hold
	return fetch(ctx, j.c, request, opts, readStatus)
}

// Cancel asks the service to give the job up: POST /docling/v1/cancel/{id}. docling-serve
// itself cannot; the service in front of it does, and work under way may run on.
func (j *DoclingJob[T]) Cancel(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	return fetch(ctx, j.c, j.request(http.MethodPost, "cancel"), opts, readCancelled)
}

// Wait polls until the job has ended and returns its result. A job that failed is [ErrTaskFailed];
// its documents can fail as those of [Docling.Convert] do. When the context ends the job goes on,
// and can be waited for again.
//
// Once the service has told of the job, Wait goes on for 30 seconds while the service fails, and
// while other nodes than the job's answer that they do not know it.
func (j *DoclingJob[T]) Wait(ctx context.Context, opts ...WaitOption) (*T, error) {
	job := polledJob{name: "docling task " + j.ID, poll: j.poll, failed: j.failed, secrets: *j.secrets,
		isKnown: j.Submitted != nil, isPinned: j.Node != ""}
	_, calls, err := job.wait(ctx, j.c, opts)
	if err != nil {
		return nil, err
	}
	return j.awaitResult(ctx, calls)
}

// resultPatience is how long the result of a job that has succeeded may be missing. docling-serve
// says that a task has ended a moment before it keeps the result.
const resultPatience = 10 * time.Second

// awaitResult fetches the result of a job that has succeeded.
func (j *DoclingJob[T]) awaitResult(ctx context.Context, opts []CallOption) (*T, error) {
	pause := 100 * time.Millisecond
	for start := time.Now(); ; pause *= 2 {
		out, err := j.Result(ctx, opts...)
		isMissing := errors.Is(err, ErrTaskLost) || errors.Is(err, ErrJobRunning)
		if !isMissing || time.Since(start)+pause > resultPatience || sleep(ctx, pause) != nil {
			return out, err
		}
	}
}

// failed is the error of a job that ended without a result.
func (j *DoclingJob[T]) failed(f *errorMaker, s *JobStatus) error {
	message := fmt.Sprintf("docling task %s ended with status %q", j.ID, s.State)
	if s.Message != "" {
		message += ": " + s.Message
	}
	if strings.EqualFold(s.State, "failure") {
		message += " (docling-serve keeps the reason in its log)"
	}
	return f.completeAnswer(s.Meta, Error{Code: CodeDoclingTaskFailed, Message: message, Details: string(s.Raw)})
}

// Result fetches the result of a job that has ended: GET /docling/v1/result/{id}. It can be
// fetched again for 5 minutes. A job that has not ended is [ErrJobRunning].
func (j *DoclingJob[T]) Result(ctx context.Context, opts ...CallOption) (*T, error) {
	request := j.request(http.MethodGet, "result")
	out, err := j.fetchResult(ctx, request, opts)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusNotFound || !strings.Contains(e.Message, taskResultNotFound) {
		return out, err
	}
	// docling-serve says the same of a job that runs and of one that failed.
	status, statusErr := j.Status(ctx, opts...)
	switch {
	case errors.Is(statusErr, ErrTaskLost):
		return nil, statusErr
	case statusErr != nil:
		return nil, err
	}
	return nil, j.noResult(e, status, opts)
}

// noResult is the error of a job that has no result. answered is what the request for it got.
func (j *DoclingJob[T]) noResult(answered *Error, status *JobStatus, opts []CallOption) error {
	fail, err := j.c.errorsWithOptions(answered.Op, opts)
	if err != nil {
		return answered
	}
	fail.moreSecrets = *j.secrets
	m := Meta{StatusCode: answered.StatusCode, Header: answered.Header, RequestID: answered.RequestID}
	e := Error{Type: answered.Type, Details: string(status.Raw)}
	switch {
	case status.Succeeded():
		e.Code = CodeDoclingTaskLost
		e.Message = fmt.Sprintf("docling task %s ended with status %q, but its result is not there: "+
			"submit it again if the result is still needed", j.ID, status.State)
	case status.Failed():
		e.Code = CodeDoclingTaskFailed
		e.Message = fmt.Sprintf("docling task %s ended with status %q and has no result; "+
			"docling-serve keeps the reason in its log", j.ID, status.State)
	default:
		e.Code = CodeJobRunning
		e.Message = fmt.Sprintf("docling task %s is still %q: it has no result yet, use Wait", j.ID, status.State)
	}
	return fail.completeAnswer(m, e)
}
