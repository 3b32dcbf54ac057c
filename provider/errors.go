package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func newError(code llms.ErrorCode, message string) *llms.Error {
	return llms.NewError(code, "babyapi", message)
}

// invalid is the error of a caller's mistake, found before anything was sent.
func invalid(format string, args ...any) *llms.Error {
	return newError(llms.ErrCodeInvalidRequest, fmt.Sprintf(format, args...))
}

// wrapError makes an [*llms.Error] of any error, which it keeps as the cause.
func wrapError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*llms.Error](err); ok {
		return err
	}
	out := newError(errorCode(err), messageOf(err)).WithCause(err)
	if e, ok := errors.AsType[*babyclient.Error](err); ok {
		setKnown(out.Details, "status_code", e.StatusCode)
		setKnown(out.Details, "code", e.Code)
		setKnown(out.Details, "type", e.Type)
		setKnown(out.Details, "request_id", e.RequestID)
		setKnown(out.Details, "retry_after", e.RetryAfter)
	}
	return out
}

// messageOf is the text of an error, without what it says twice: an [*llms.Error] names babyapi
// itself, and a [*babyclient.BatchError] the source that the error of its request names again.
func messageOf(err error) string {
	text := strings.TrimPrefix(err.Error(), "babyapi: ")
	repeated := []string{"babyapi"}
	if b, ok := errors.AsType[*babyclient.BatchError](err); ok {
		repeated = append(repeated, "sources[0]", b.Name)
	}
	for _, words := range repeated {
		text = strings.Replace(text, ": "+words+": ", ": ", 1)
	}
	return text
}

// errorCode is langchaingo's code for the kind of an error.
func errorCode(err error) llms.ErrorCode {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(context.Canceled):
		return llms.ErrCodeCanceled
	case is(context.DeadlineExceeded), is(babyclient.ErrTimeout):
		return llms.ErrCodeTimeout
	case is(babyclient.ErrAPIKeyRequired):
		return llms.ErrCodeAuthentication
	case is(babyclient.ErrQuotaExceeded):
		return llms.ErrCodeQuotaExceeded
	case is(babyclient.ErrDocumentFailed), is(babyclient.ErrNoChunks), is(babyclient.ErrResponseTooLarge):
		return llms.ErrCodeInvalidRequest
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	if !ok {
		return llms.ErrCodeUnknown
	}
	status := e.StatusCode
	if n, err := strconv.Atoi(e.Code); err == nil && status < 300 {
		status = n // vLLM's errors in mid-stream carry the status as their code
	}
	switch {
	case is(babyclient.ErrTooManyTokens):
		return llms.ErrCodeTokenLimit
	case e.Code == "content_filter" || e.Type == "content_filter":
		return llms.ErrCodeContentFilter
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return llms.ErrCodeAuthentication
	case status == http.StatusNotFound:
		return llms.ErrCodeResourceNotFound
	case status == http.StatusTooManyRequests:
		return llms.ErrCodeRateLimit
	case status == http.StatusNotImplemented:
		return llms.ErrCodeNotImplemented
	case status >= 500, is(babyclient.ErrConnection), is(babyclient.ErrStreamTruncated),
		is(babyclient.ErrStreamFailed) && status < 300, is(babyclient.ErrInvalidResponse),
		is(babyclient.ErrTaskFailed), is(babyclient.ErrTaskLost):
		return llms.ErrCodeProviderUnavailable
	case status >= 400, is(babyclient.ErrInvalidRequest):
		return llms.ErrCodeInvalidRequest
	}
	return llms.ErrCodeUnknown
}

// stoppedBy is the error of a call that a function of the caller's ended.
func stoppedBy(function string, err error) error {
	return newError(errorCode(err), function+" stopped the answer: "+err.Error()).WithCause(err)
}

// withDetail adds a detail to the [*llms.Error] of err.
func withDetail(err error, key string, value any) error {
	err = wrapError(err)
	if e, ok := err.(*llms.Error); ok { //nolint:errorlint // an error further inside is the caller's: not changed
		e.Details[key] = value
	}
	return err
}

// quoteShort quotes a value for an error message, and cuts a long one.
func quoteShort(s string) string {
	const limit = 120
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return strconv.Quote(s)
}
