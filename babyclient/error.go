package babyclient

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
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
	CodeWriteFailed           = "WRITE_FAILED"
	CodeGenerationFailed      = "GENERATION_FAILED"
)

// Sentinels for [errors.Is]: each names a kind of failure that an [*Error] can be.
var (
	// ErrAPIKeyRequired means that there is no key, and that nothing was sent.
	ErrAPIKeyRequired = errors.New("API key required")
	// ErrInvalidRequest means that the request was refused: before it was sent, or with 400 or 422.
	ErrInvalidRequest = errors.New("invalid request")
	// ErrUnauthorized is a 401 or 403.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrNotFound is a 404: there is no such model, route, task or job.
	ErrNotFound = errors.New("not found")
	// ErrTooManyTokens means that prompt and answer together do not fit the model, by the words of
	// vLLM, SGLang, llama.cpp, Ollama and others. It matches ErrInvalidRequest too where the
	// service answers with a 400.
	ErrTooManyTokens = errors.New("too many tokens")
	// ErrRateLimited is a 429.
	ErrRateLimited = errors.New("rate limited")
	// ErrQuotaExceeded is a 402, or the code MONTHLY_LIMIT_REACHED or insufficient_quota.
	ErrQuotaExceeded = errors.New("quota exceeded")
	// ErrUnavailable is a 502, 503 or 504, or one of Cloudflare's, 520 to 530.
	ErrUnavailable = errors.New("service unavailable")
	// ErrTimeout means that one of the client's own clocks ran out, or is a 408, 504 or 524.
	ErrTimeout = errors.New("timeout")
	// ErrConnection means that the connection failed, so that the answer did not come.
	ErrConnection = errors.New("connection failed")
	// ErrStreamTruncated means that a stream ended cleanly, but without [DONE]. It matches
	// io.ErrUnexpectedEOF too.
	ErrStreamTruncated = errors.New("stream ended before [DONE]")
	// ErrStreamFailed means that the connection broke in mid-stream, or that the service reported
	// an error there.
	ErrStreamFailed = errors.New("stream failed")
	// ErrGenerationFailed means that the service broke the answer off and said so: with an error
	// beside the answer or in mid-stream, or with a finish reason such as "abort" or "error". What
	// had been generated comes together with the error. It matches ErrStreamFailed too if the
	// answer was a stream, else ErrInvalidResponse.
	ErrGenerationFailed = errors.New("generation failed")
	// ErrInvalidResponse is a 2xx that is not what it must be, or a redirect that is not followed.
	ErrInvalidResponse = errors.New("invalid response")
	// ErrResponseTooLarge means that an answer is longer than [WithMaxResponseSize], or an event
	// of a stream longer than [MaxEventSize].
	ErrResponseTooLarge = errors.New("response too large")
	// ErrTaskFailed means that a docling task or an OCR job ended without a result.
	ErrTaskFailed = errors.New("task failed")
	// ErrTaskLost means that the node of a docling task does not know it any more.
	ErrTaskLost = errors.New("task lost")
	// ErrJobRunning means that a result was asked for before the job had ended.
	ErrJobRunning = errors.New("job still running")
	// ErrDocumentFailed means that docling answered, but did not convert a document.
	ErrDocumentFailed = errors.New("document not converted")
	// ErrPartialSuccess means that docling converted only a part of a document, which comes
	// together with the error. It matches ErrDocumentFailed too.
	ErrPartialSuccess = errors.New("document converted in part")
	// ErrNoChunks means that chunking returned nothing for a document that is not known to be
	// empty.
	ErrNoChunks = errors.New("no chunks for a document")
)

// Error is the error of every call of this package. For one document of [Docling.ConvertAll] or
// [Docling.ChunkAll] it is in a [*BatchError], which names the document. Find an Error with
//
//	e, ok := errors.AsType[*babyclient.Error](err)
//
// and its kind with [errors.Is] and the sentinels of this package. If the caller's context ended
// the call, the error also matches context.Canceled or context.DeadlineExceeded, and the cause of
// the context ([context.Cause]).
type Error struct {
	// Op is what was called, such as "POST /v1/rerank"; empty for an option.
	Op string
	// Message says what failed and, if that is known, what to do. It holds the service's words if
	// the service gave any.
	Message string
	// StatusCode is the HTTP status, 0 when the service did not answer.
	StatusCode int
	// Code is the service's own, or one of the Code constants of this package.
	Code string
	// Type is the service's own word for the kind of error, such as "NotFoundError".
	Type string
	// RequestID is the service's id of the request (x-babyapi-request-id, else x-request-id).
	RequestID string
	// RetryAfter is how long the service asks the caller to wait, 0 if it does not ask.
	RetryAfter time.Duration
	// Details is the body of the answer as sent, at most 1 MiB of it, or the state of a
	// failed task. What the service repeats of the secrets of the call is "[redacted]" in it, as in
	// all of an Error: the key, headers whose names say that they are secret, user information and
	// query of each URL, and the secret fields of stores. A secret of fewer than 8 bytes is only
	// taken out of a URL, and behind "Bearer".
	Details string
	// Header is the header of the answer, nil when the service did not answer.
	Header http.Header
	// Err is the cause; nil if the answer of the service is the cause.
	Err error

	inStream        bool // the service reported it in an event of a stream
	inAnswer        bool // the service reported it in a plain answer, beside the content
	retryAfterGiven bool // tells a Retry-After of 0 seconds from none
}

// Error is the message with the call, the status, the code and the request id, safe to print on a
// terminal.
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
		if code == strconv.Itoa(e.StatusCode) { // vLLM's code repeats the status
			code = ""
		}
		b.WriteString(cmp.Or(code, e.Type, http.StatusText(e.StatusCode)))
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %s)", e.RetryAfter.Round(time.Millisecond))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return Printable(b.String())
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
		switch e.Code {
		case CodeDoclingTaskLost, CodeDoclingTaskFailed, CodeJobRunning:
			return false // the 404 of a task says one of these, which have sentinels of their own
		}
		return e.StatusCode == http.StatusNotFound
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrQuotaExceeded:
		return e.StatusCode == http.StatusPaymentRequired || isQuota(e.Code) || isQuota(e.Type)
	case ErrTooManyTokens:
		return isTooManyTokens(e.StatusCode, e.Code, e.Type, e.Message)
	case ErrUnavailable:
		return e.StatusCode >= 502 && e.StatusCode <= 504 || isCloudflare(e.StatusCode)
	case ErrTimeout:
		return e.Code == CodeTimeout || e.Code == CodePollTimeout ||
			e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusGatewayTimeout ||
			e.StatusCode == statusCloudflareTimeout
	case ErrConnection:
		return e.Code == CodeConnectionError
	case ErrStreamTruncated, io.ErrUnexpectedEOF:
		return e.Code == CodeStreamTruncated
	case ErrStreamFailed:
		return e.Code == CodeStreamError || e.inStream
	case ErrGenerationFailed:
		return e.inStream || e.inAnswer
	case ErrInvalidResponse:
		return e.Code == CodeInvalidResponse || e.inAnswer
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

// isCloudflare tells whether a status is one that Cloudflare gives in place of a service that it
// cannot reach.
func isCloudflare(status int) bool { return status >= 520 && status <= 530 }

// statusCloudflareTimeout is Cloudflare's for a service that took too long. It may run on.
const statusCloudflareTimeout = 524

func isQuota(code string) bool {
	return code == "MONTHLY_LIMIT_REACHED" || code == "insufficient_quota"
}
