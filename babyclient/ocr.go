package babyclient

import (
	"context"
	"fmt"
	"net/http"
)

// OCR reads documents with an OCR model that the account must have. It is the OCR field of a
// [Client].
type OCR struct{ c *Client }

// OCRRequest is the body of POST /v1/ocr/document.
type OCRRequest struct {
	// Model names the OCR model. It must be set.
	Model string `json:"model,omitempty"`
	// Input is the document as the model wants it: a URL, a data URI, or any other value that marshals to JSON.
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

// OCRResponse is what the OCR model answered. Its shape is the model's own: decode Raw.
type OCRResponse struct{ Meta }

// UnmarshalJSON accepts any JSON; it is kept in Raw.
func (*OCRResponse) UnmarshalJSON([]byte) error { return nil }

// Document reads a document and waits for the result: POST /v1/ocr/document.
func (o *OCR) Document(ctx context.Context, req *OCRRequest, opts ...CallOption) (*OCRResponse, error) {
	k, err := req.call("/v1/ocr/document")
	if err != nil {
		return nil, o.c.wrap(k, err)
	}
	return doJSON[OCRResponse](ctx, o.c, k, opts, nil)
}

// OCRJob is an OCR job. ID is all there is to it: see [OCR.Job]. The service knows a job for
// about two hours, and loses it when it restarts.
type OCRJob struct {
	// ID of the job.
	ID string
	// Submitted is the status that the submission was answered with, nil for a job that was made from its ID.
	Submitted *JobStatus

	o *OCR
}

// Start submits a document and returns at once: POST /v1/ocr/document/async.
func (o *OCR) Start(ctx context.Context, req *OCRRequest, opts ...CallOption) (*OCRJob, error) {
	k, err := req.call("/v1/ocr/document/async")
	if err != nil {
		return nil, o.c.wrap(k, err)
	}
	status, err := doJSON(ctx, o.c, k, opts, (*JobStatus).lacksID)
	if err != nil {
		return nil, err
	}
	return &OCRJob{ID: status.ID, Submitted: status, o: o}, nil
}

// Job is the job with that id, of this process or another.
func (o *OCR) Job(id string) *OCRJob { return &OCRJob{ID: id, o: o} }

// Status asks how far the job is: GET /v1/ocr/jobs/{id}. An unknown or expired job is
// [ErrNotFound].
func (j *OCRJob) Status(ctx context.Context, opts ...CallOption) (*JobStatus, error) {
	k := &call{method: http.MethodGet, path: "/v1/ocr/jobs/" + escapeID(j.ID)}
	if err := checkNotBlank(CodeInvalidJobID, "job id", j.ID); err != nil {
		return nil, j.o.c.wrap(k, err)
	}
	if j.ID == "." || j.ID == ".." {
		return nil, j.o.c.wrap(k, invalid(CodeInvalidJobID, "job id %q is not valid", j.ID))
	}
	return doJSON(ctx, j.o.c, k, opts, (*JobStatus).lacksState)
}

// Wait polls until the job has ended and returns it, its result included. A job that failed
// is [ErrTaskFailed].
func (j *OCRJob) Wait(ctx context.Context, opts ...WaitOption) (*OCRResponse, error) {
	var last *JobStatus
	_, err := wait(ctx, "OCR job "+j.ID, opts, func(ctx context.Context, calls []CallOption) (*JobStatus, error) {
		status, err := j.Status(ctx, calls...)
		last = status
		return status, err
	}, func(s *JobStatus) error {
		return &Error{Code: CodeOCRJobFailed, Message: first(s.Message, fmt.Sprintf("OCR job %s ended with status %q", j.ID, s.State)),
			Details: string(s.Raw), StatusCode: s.StatusCode, RequestID: s.RequestID, Header: s.Header}
	})
	if err != nil {
		return nil, err
	}
	return &OCRResponse{Meta: last.Meta}, nil
}

// Result fetches the job with its result: GET /v1/ocr/jobs/{id}. A job that has not ended is [ErrJobRunning].
func (j *OCRJob) Result(ctx context.Context, opts ...CallOption) (*OCRResponse, error) {
	status, err := j.Status(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if !status.Succeeded() {
		code := CodeOCRJobFailed
		if !status.Failed() {
			code = CodeJobRunning
		}
		return nil, &Error{Code: code, Message: fmt.Sprintf("OCR job %s is %q: it has no result", j.ID, status.State), Details: string(status.Raw),
			StatusCode: status.StatusCode, RequestID: status.RequestID, Header: status.Header}
	}
	return &OCRResponse{Meta: status.Meta}, nil
}

func (r *OCRRequest) call(path string) (*call, error) {
	k := &call{method: http.MethodPost, path: path, slow: true}
	if r == nil {
		return k, invalid(CodeInvalidRequest, "the OCRRequest is nil")
	}
	if _, ok := r.Extra["model"]; !ok {
		if err := checkNotBlank(CodeModelRequired, "model", r.Model); err != nil {
			return k, err
		}
	}
	if _, ok := r.Extra["input"]; !ok && r.Input == nil {
		return k, invalid(CodeInvalidRequest, "input is nil: give the document")
	}
	if p := r.Pages; p != nil && (p.First < 1 || p.Last < p.First) {
		return k, invalid(CodeInvalidRequest, "pages %d to %d: want a first page of 1 or more and a last one not before it", p.First, p.Last)
	}
	b, err := marshalBody(r, r.Extra)
	if err != nil {
		return k, err
	}
	k.body = jsonBody(b)
	return k, nil
}
