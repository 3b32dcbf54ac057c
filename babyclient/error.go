package babyclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Codes of [Error.Code] that this client sets itself. The service sets others.
const (
	CodeAPIKeyRequired        = "API_KEY_REQUIRED"
	CodeTimeout               = "TIMEOUT"
	CodeConnectionError       = "CONNECTION_ERROR"
	CodeStreamError           = "STREAM_ERROR"
	CodeStreamTruncated       = "STREAM_TRUNCATED"
	CodeStreamMethodRequired  = "STREAM_METHOD_REQUIRED"
	CodePollTimeout           = "POLL_TIMEOUT"
	CodeDoclingTaskFailed     = "DOCLING_TASK_FAILED"
	CodeDoclingTaskLost       = "DOCLING_TASK_LOST"
	CodeJobRunning            = "JOB_RUNNING"
	CodeDoclingDocumentFailed = "DOCLING_DOCUMENT_FAILED"
	CodeNoChunks              = "NO_CHUNKS"
	CodeOCRJobFailed          = "OCR_JOB_FAILED"
	CodePromptRequired        = "PROMPT_REQUIRED"
	CodeModelRequired         = "MODEL_REQUIRED"
	CodeInvalidInferInput     = "INVALID_INFER_INPUT"
	CodeInvalidTaskID         = "INVALID_TASK_ID"
	CodeInvalidJobID          = "INVALID_JOB_ID"
	CodeInvalidDoclingFile    = "INVALID_DOCLING_FILE"
	CodeInvalidDoclingBody    = "INVALID_DOCLING_BODY"
	CodeInvalidOptions        = "INVALID_OPTIONS"
	CodeInvalidTimeout        = "INVALID_TIMEOUT"
	CodeInvalidInterval       = "INVALID_INTERVAL"
	CodeInvalidMaxRetries     = "INVALID_MAX_RETRIES"
	CodeInvalidHeaders        = "INVALID_HEADERS"
	CodeInvalidRequestBody    = "INVALID_REQUEST_BODY"
	CodeInvalidRequest        = "INVALID_REQUEST"
	CodeInvalidResponse       = "INVALID_RESPONSE"
	CodeResponseTooLarge      = "RESPONSE_TOO_LARGE"
)

// Sentinels for [errors.Is]: what kind of failure an [*Error] is.
var (
	ErrAPIKeyRequired   = errors.New("API key required")           // no key: nothing was sent
	ErrInvalidRequest   = errors.New("invalid request")            // refused before it was sent, or a 400 or 422
	ErrUnauthorized     = errors.New("unauthorized")               // 401, 403
	ErrNotFound         = errors.New("not found")                  // 404: no such model, route, task or job
	ErrRateLimited      = errors.New("rate limited")               // 429
	ErrQuotaExceeded    = errors.New("quota exceeded")             // 402, MONTHLY_LIMIT_REACHED, insufficient_quota
	ErrUnavailable      = errors.New("service unavailable")        // 502, 503, 504
	ErrTimeout          = errors.New("timeout")                    // one of the client's own clocks, or a 408 or 504
	ErrConnection       = errors.New("connection failed")          // no answer from the service
	ErrStreamTruncated  = errors.New("stream ended before [DONE]") // also matches io.ErrUnexpectedEOF
	ErrStreamFailed     = errors.New("stream failed")              // the connection broke midway, or an error event
	ErrInvalidResponse  = errors.New("invalid response")           // a 2xx that is not what it must be, or a redirect that is not followed
	ErrResponseTooLarge = errors.New("response too large")         // over WithMaxResponseSize or MaxEventSize
	ErrTaskFailed       = errors.New("task failed")                // a docling task or an OCR job ended without a result
	ErrTaskLost         = errors.New("task lost")                  // its node does not know it any more
	ErrJobRunning       = errors.New("job still running")          // its result was asked for too early
	ErrDocumentFailed   = errors.New("document not converted")     // docling answered, but not with success
	ErrPartialSuccess   = errors.New("document converted in part") // also matches ErrDocumentFailed; the document is there
	ErrNoChunks         = errors.New("no chunks for a document")   // chunking returned nothing for a document with text
)

// Error is every error that this package returns. Find it with
//
//	e, ok := errors.AsType[*babyclient.Error](err)
//
// and its kind with [errors.Is] and the sentinels of this package. An error of the caller's
// context matches context.Canceled or context.DeadlineExceeded as well.
type Error struct {
	// Op is what was called, such as "POST /v1/rerank"; empty for an option.
	Op string
	// Message says what failed and, where known, what to do. The service's words where it gave any.
	Message string
	// StatusCode is the HTTP status, 0 when the service did not answer.
	StatusCode int
	// Code is the service's, or one of the Code constants of this package.
	Code string
	// Type is the service's, such as "NotFoundError".
	Type string
	// RequestID is the service's id of the request (x-babyapi-request-id, else x-request-id).
	RequestID string
	// RetryAfter is how long the service asks to wait, 0 when it does not.
	RetryAfter time.Duration
	// Details is the body of the answer as sent, at most 1 MiB of it, or the state of a
	// failed task. A key that the service echoed is blanked out.
	Details string
	// Header is the answer's, nil when the service did not answer.
	Header http.Header
	// Err is the cause, nil where the answer itself is.
	Err error

	streamed bool // came as an event of a stream
	told     bool // RetryAfter is the service's, were it 0
}

// Error is the message with the call, the status, the code and the request id, safe to print on a terminal.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("babyapi: ")
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.StatusCode != 0 && (e.StatusCode < 200 || e.StatusCode > 299) {
		fmt.Fprintf(&b, "%d ", e.StatusCode)
		code := e.Code
		if code == strconv.Itoa(e.StatusCode) { // vLLM's says the status again
			code = ""
		}
		b.WriteString(first(code, e.Type, http.StatusText(e.StatusCode)))
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %s)", e.RetryAfter.Round(time.Millisecond))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return printable(b.String())
}

// printable is s without the control characters that could steer a terminal: what a service or a document calls
// itself gets into messages.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, s)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinels of this package.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrAPIKeyRequired:
		return e.Code == CodeAPIKeyRequired
	case ErrInvalidRequest:
		switch e.Code {
		case CodeAPIKeyRequired, CodeStreamMethodRequired, CodePromptRequired, CodeModelRequired:
			return true
		case CodeInvalidResponse:
			return false
		}
		return e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusUnprocessableEntity ||
			e.StatusCode == 0 && strings.HasPrefix(e.Code, "INVALID_")
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		// A task's 404 means that it is gone, failed or runs: ErrTaskLost, ErrTaskFailed and ErrJobRunning say which.
		return e.StatusCode == http.StatusNotFound && e.Code != CodeDoclingTaskLost && e.Code != CodeDoclingTaskFailed && e.Code != CodeJobRunning
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrQuotaExceeded:
		return e.StatusCode == http.StatusPaymentRequired || isQuota(e.Code) || isQuota(e.Type)
	case ErrUnavailable:
		return e.StatusCode >= 502 && e.StatusCode <= 504
	case ErrTimeout:
		return e.Code == CodeTimeout || e.Code == CodePollTimeout ||
			e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusGatewayTimeout
	case ErrConnection:
		return e.Code == CodeConnectionError
	case ErrStreamTruncated, io.ErrUnexpectedEOF:
		return e.Code == CodeStreamTruncated
	case ErrStreamFailed:
		return e.Code == CodeStreamError || e.streamed
	case ErrInvalidResponse:
		return e.Code == CodeInvalidResponse
	case ErrResponseTooLarge:
		return e.Code == CodeResponseTooLarge
	case ErrTaskFailed:
		return e.Code == CodeDoclingTaskFailed || e.Code == CodeOCRJobFailed
	case ErrTaskLost:
		return e.Code == CodeDoclingTaskLost
	case ErrJobRunning:
		return e.Code == CodeJobRunning
	case ErrDocumentFailed:
		return e.Code == CodeDoclingDocumentFailed
	case ErrNoChunks:
		return e.Code == CodeNoChunks
	}
	return false
}

func isQuota(code string) bool {
	return code == "MONTHLY_LIMIT_REACHED" || code == "insufficient_quota"
}

// invalid is an error of the client itself: nothing was sent.
func invalid(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

var errStreamMethod = invalid(CodeStreamMethodRequired, `the body says "stream": true: call the method whose name ends in Stream, or leave "stream" out`)

const maxErrorBody = 1 << 20

// parseError fills message, code and type from the body of an answer that is not a 2xx, in
// any of the shapes that the service and its engines use, and keeps the body in Details.
func (e *Error) parseError(body []byte) {
	e.Details = strings.ToValidUTF8(string(body), string(utf8.RuneError))
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		e.Message = "HTTP " + strconv.Itoa(e.StatusCode)
		return
	}
	e.fromObject(top)
	if e.Message == "" {
		e.Message = "HTTP " + strconv.Itoa(e.StatusCode)
	}
}

func (e *Error) fromObject(top map[string]json.RawMessage) {
	message, code, typ := text(top["message"]), scalar(top["code"]), text(top["type"])
	var inner map[string]json.RawMessage
	switch word := text(top["error"]); {
	case json.Unmarshal(top["error"], &inner) == nil && inner != nil:
		message = first(text(inner["message"]), message)
		code = first(scalar(inner["code"]), code)
		typ = first(text(inner["type"]), typ)
	case word != "" && message != "":
		code = first(code, word)
	case word != "":
		message = word
	}
	if detail := top["detail"]; message == "" && len(detail) > 0 && string(detail) != "null" {
		message = first(text(detail), string(detail))
	}
	e.Message, e.Code, e.Type = message, code, typ
}

// text is a JSON string that is not blank, else "".
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || strings.TrimSpace(s) == "" {
		return ""
	}
	return s
}

// scalar is a JSON string or number as text: vLLM's code is a number.
func scalar(raw json.RawMessage) string {
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return text(raw)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// redact replaces every secret in a text.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}

// blank replaces every secret in what will be shown.
func (e *Error) blank(secrets []string) {
	for _, field := range []*string{&e.Message, &e.Details, &e.Code, &e.Type, &e.RequestID} {
		*field = redact(*field, secrets)
	}
	for _, s := range secrets {
		for name, values := range e.Header {
			for i, v := range values {
				if strings.Contains(v, s) {
					e.Header = e.Header.Clone() // the answer's own is not ours to change
					e.Header[name][i] = strings.ReplaceAll(v, s, "[redacted]")
				}
			}
		}
	}
}

// parseRetryAfter reads a Retry-After header: seconds, or an HTTP date. ok is false when
// there is none that can be read.
func parseRetryAfter(value string, now time.Time) (d time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds < 0 || seconds != seconds {
			return 0, false
		}
		const most = float64(1<<63-1) / float64(time.Second)
		if seconds >= most {
			return 1<<63 - 1, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}
