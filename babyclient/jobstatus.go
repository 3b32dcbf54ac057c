package babyclient

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"
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
	// Counts are the documents of a docling task so far; nil where the service does not tell, as
	// docling-serve's own engine does not.
	Counts *TaskCounts
	// Failure is what docling-serve says of a task that failed; nil where it says nothing.
	Failure *TaskFailure
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
		TaskID       json.RawMessage `json:"task_id"` // text, or a number
		JobID        json.RawMessage `json:"job_id"`
		TaskStatus   string          `json:"task_status"`
		Status       string          `json:"status"`
		TaskPosition *int            `json:"task_position"`
		ErrorMessage string          `json:"error_message"`
		Error        json.RawMessage `json:"error"`
		TaskMeta     *TaskCounts     `json:"task_meta"`
		Failure      *TaskFailure    `json:"failure"`
	}
	if err := unmarshalFitting(data, &w, ""); err != nil {
		return err
	}
	*s = JobStatus{
		ID:      cmp.Or(jsonScalar(w.TaskID), jsonScalar(w.JobID)),
		State:   cmp.Or(w.TaskStatus, w.Status),
		Message: cmp.Or(w.ErrorMessage, jsonString(w.Error)),
		Counts:  w.TaskMeta,
		Failure: w.Failure,
	}
	if w.TaskPosition != nil {
		s.Position = *w.TaskPosition
	}
	if w.Failure != nil {
		s.Message = cmp.Or(w.Failure.Message, s.Message)
	}
	return nil
}

func (s *JobStatus) redactWords(redact func(string) string) {
	s.Message = redact(s.Message)
	if f := s.Failure; f != nil {
		for _, text := range []*string{&f.Category, &f.Message, &f.Phase} {
			*text = redact(*text)
		}
		clean := map[string]string{}
		for name, value := range f.Details {
			clean[redact(name)] = redact(value)
		}
		if f.Details != nil {
			f.Details = clean
		}
	}
}

// nodeHeader names the node that owns a task. Every request about the task must carry it, or the
// service may ask a node that does not know the task.
const nodeHeader = "X-Babyapi-Docling-Id"

// submit submits a job. It returns the secrets of the request too: the service can repeat them in
// any later answer about the job. The id and the node stand in errors, logs and URLs from now on,
// so they may not hold a secret.
func (c *Client) submit(ctx context.Context, req callMaker, opts []CallOption) (*JobStatus, *secrets, error) {
	k, err := req.call(c)
	if err != nil {
		return nil, nil, withOp(k.op(), err)
	}
	status, err := fetch(ctx, c, k, opts, readSubmission)
	if err != nil {
		return nil, nil, err
	}
	fail, err := c.errorsWithOptions(k.op(), opts)
	if err != nil {
		return nil, nil, err
	}
	fail.addSecrets = k.addSecrets
	known := fail.secrets()
	if node := status.Header.Get(nodeHeader); known.redact(status.ID) != status.ID || known.redact(node) != node {
		return nil, nil, fail.completeAnswer(status.Meta, Error{Code: CodeInvalidResponse,
			Message: "the id or the node of the job repeats a secret of the request"})
	}
	return status, &known, nil
}

// readSubmission reads the status that a submission is answered with.
func readSubmission(raw []byte) (*JobStatus, error) {
	out := new(JobStatus)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	if out.ID == "" {
		return nil, errNoField("task_id or job_id")
	}
	return out, nil
}

// readStatus reads the status that a poll is answered with.
func readStatus(raw []byte) (*JobStatus, error) {
	out := new(JobStatus)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	if out.State == "" {
		return nil, errNoField("status")
	}
	return out, nil
}

// readCancelled reads the answer to a cancel, of which nothing is promised.
func readCancelled(raw []byte) (*JobStatus, error) {
	out := new(JobStatus)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	return out, checkContent(raw)
}

// escapeID escapes the id of a job for a path, as the official SDKs do: all but letters, digits and
// "-_.~".
func escapeID(id string) string { return strings.ReplaceAll(url.QueryEscape(id), "+", "%20") }

// checkID refuses a blank id, and "." and "..", which would name another endpoint.
func checkID(code, name, id string) error {
	if id == "." || id == ".." {
		return invalid(code, "%s %q is not valid", name, id)
	}
	return checkNotBlank(code, name, id)
}
