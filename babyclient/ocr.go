package babyclient

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// OCR reads documents with an OCR model that the account must have. It is the OCR field of a
// [Client].
type OCR struct{ c *Client }

// OCRRequest is the body of POST /v1/ocr/document.
type OCRRequest struct {
	// Model names the OCR model. It must be set.
	Model string `json:"model,omitempty"`
	// Input is the document as the model wants it: a URL, a data URI, or any other value that
	// marshals to JSON.
	Input any `json:"input"`
	// Tasks are what to do; the service takes "ocr" when there are none.
	Tasks []string `json:"tasks,omitempty"`
	// OutputFormat is "json" where it is not set.
	OutputFormat string `json:"output_format,omitempty"`
	// Pages is the range of pages to read.
	Pages *PageRange `json:"pages,omitzero"`

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the request as it is sent, with Extra.
func (r OCRRequest) MarshalJSON() ([]byte, error) { return encodeBody(ocrFields(r), r.Extra) }

// UnmarshalJSON keeps fields that have no name here in Extra.
func (r *OCRRequest) UnmarshalJSON(data []byte) error {
	return decodeWithExtra(data, (*ocrFields)(r), &r.Extra)
}

// ocrFields are the fields of an OCRRequest without its methods.
type ocrFields OCRRequest

// OCRResponse is what the OCR model answered. Its shape is the model's own: decode Raw.
type OCRResponse struct{ Meta }

// UnmarshalJSON accepts any JSON; it is kept in Raw.
func (*OCRResponse) UnmarshalJSON([]byte) error { return nil }

// Document reads a document and waits for the result: POST /v1/ocr/document.
func (o *OCR) Document(ctx context.Context, req *OCRRequest, opts ...CallOption) (*OCRResponse, error) {
	return fetch(ctx, o.c, ocrCall{req, "/v1/ocr/document"}, opts, readOCR)
}

type ocrCall struct {
	*OCRRequest
	path string
}

func (r ocrCall) call(*Client) (*call, error) {
	if err := r.check(); err != nil {
		return refusedPost(r.path, err)
	}
	k, err := newPost(r.path, (*ocrFields)(r.OCRRequest), r.Extra)
	k.isDocument = true
	return k, err
}

func (r *OCRRequest) check() error {
	if r == nil {
		return invalid(CodeInvalidRequest, "the OCRRequest is nil")
	}
	if _, ok := r.Extra["model"]; !ok {
		if err := checkNotBlank(CodeModelRequired, "model", r.Model); err != nil {
			return err
		}
	}
	if _, ok := r.Extra["input"]; !ok && r.Input == nil {
		return invalid(CodeInvalidRequest, "input is nil: give the document")
	}
	return r.Pages.check()
}

func readOCR(raw []byte) (*OCRResponse, error) {
	out := new(OCRResponse)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	return out, checkContent(raw)
}

// OCRJob is an OCR job. ID is all there is to it: see [OCR.Job]. The service knows a job for
// about two hours, and loses it when it restarts.
type OCRJob struct {
	// ID of the job.
	ID string
	// Submitted is the status that the submission was answered with, nil for a job that was made
	// from its ID.
	Submitted *JobStatus

	o       *OCR
	secrets *secrets // of the submission; a pointer, so that %+v does not show them
}

// Start submits a document and returns at once: POST /v1/ocr/document/async.
func (o *OCR) Start(ctx context.Context, req *OCRRequest, opts ...CallOption) (*OCRJob, error) {
	status, secrets, err := o.c.submit(ctx, ocrCall{req, "/v1/ocr/document/async"}, opts)
	if err != nil {
		return nil, err
	}
	return &OCRJob{ID: status.ID, Submitted: status, o: o, secrets: secrets}, nil
}

// Job is the job with that id, of this process or another.
func (o *OCR) Job(id string) *OCRJob { return &OCRJob{ID: id, o: o, secrets: new(secrets)} }

// Status asks how far the job is: GET /v1/ocr/jobs/{id}. An unknown or expired job is
// [ErrNotFound].
func (j *OCRJob) Status(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	return fetch(ctx, j.o.c, ocrStatus{j.ID, *j.secrets}, opts, readStatus)
}

// poll is Status: an OCR job's status is never held back.
func (j *OCRJob) poll(ctx context.Context, _ time.Duration, opts []CallOption) (*JobStatus, error) {
	return j.Status(ctx, opts...)
}

// ocrStatus asks for the job with that id.
type ocrStatus struct {
	id      string
	secrets secrets
}

func (r ocrStatus) call(*Client) (*call, error) {
	k := newGet("/v1/ocr/jobs/" + escapeID(r.id))
	k.secrets = r.secrets
	return k, checkID(CodeInvalidJobID, "job id", r.id)
}

// Wait polls until the job has ended and returns it, its result included. A job that failed
// is [ErrTaskFailed].
func (j *OCRJob) Wait(ctx context.Context, opts ...WaitOption) (*OCRResponse, error) {
	job := polledJob{name: "OCR job " + j.ID, poll: j.poll, failed: j.failed, secrets: *j.secrets,
		isKnown: j.Submitted != nil, isPinned: true}
	status, _, err := job.wait(ctx, j.o.c, opts)
	if err != nil {
		return nil, err
	}
	return &OCRResponse{Meta: status.Meta}, nil
}

// failed is the error of a job that ended without a result.
func (j *OCRJob) failed(f *errorMaker, s *JobStatus) error {
	message := cmp.Or(s.Message, fmt.Sprintf("OCR job %s ended with status %q", j.ID, s.State))
	return f.completeAnswer(s.Meta, Error{Code: CodeOCRJobFailed, Message: message, Details: string(s.Raw)})
}

// Result fetches the job with its result: GET /v1/ocr/jobs/{id}. A job that has not ended is
// [ErrJobRunning].
func (j *OCRJob) Result(ctx context.Context, opts ...CallOption) (*OCRResponse, error) {
	status, err := j.Status(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if status.Succeeded() {
		return &OCRResponse{Meta: status.Meta}, nil
	}
	fail, err := j.o.c.errorsWithOptions("OCR job "+j.ID, opts)
	if err != nil {
		return nil, err
	}
	fail.moreSecrets = *j.secrets
	code := CodeOCRJobFailed
	if !status.Failed() {
		code = CodeJobRunning
	}
	message := fmt.Sprintf("OCR job %s is %q: it has no result", j.ID, status.State)
	return nil, fail.completeAnswer(status.Meta, Error{Code: code, Message: message, Details: string(status.Raw)})
}
