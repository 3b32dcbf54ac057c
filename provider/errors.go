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

const providerName = "babyapi"

// invalid is an error of the caller's: nothing was sent.
func invalid(format string, args ...any) *llms.Error {
	return llms.NewError(llms.ErrCodeInvalidRequest, providerName, fmt.Sprintf(format, args...))
}

// wrapError makes an [*llms.Error] of any error, which it keeps as the cause.
func wrapError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*llms.Error](err); ok {
		return err
	}
	out := llms.NewError(errorCode(err), providerName, strings.TrimPrefix(err.Error(), "babyapi: ")).WithCause(err)
	e, ok := errors.AsType[*babyclient.Error](err)
	if !ok {
		return out
	}
	detail := func(key string, value any, known bool) {
		if known {
			out.Details[key] = value
		}
	}
	detail("status_code", e.StatusCode, e.StatusCode != 0)
	detail("code", e.Code, e.Code != "")
	detail("type", e.Type, e.Type != "")
	detail("request_id", e.RequestID, e.RequestID != "")
	detail("retry_after", e.RetryAfter, e.RetryAfter > 0)
	return out
}

// errorCode is langchaingo's word for the kind of an error.
func errorCode(err error) llms.ErrorCode {
	switch {
	case errors.Is(err, context.Canceled):
		return llms.ErrCodeCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, babyclient.ErrTimeout):
		return llms.ErrCodeTimeout
	case errors.Is(err, babyclient.ErrAPIKeyRequired):
		return llms.ErrCodeAuthentication
	case errors.Is(err, babyclient.ErrQuotaExceeded):
		return llms.ErrCodeQuotaExceeded
	case errors.Is(err, babyclient.ErrDocumentFailed), errors.Is(err, babyclient.ErrNoChunks), errors.Is(err, babyclient.ErrResponseTooLarge):
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
	case isTokenLimit(e):
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
	case status >= 500, errors.Is(err, babyclient.ErrConnection), errors.Is(err, babyclient.ErrStreamTruncated),
		errors.Is(err, babyclient.ErrStreamFailed) && status < 300, errors.Is(err, babyclient.ErrInvalidResponse),
		errors.Is(err, babyclient.ErrTaskFailed), errors.Is(err, babyclient.ErrTaskLost):
		return llms.ErrCodeProviderUnavailable
	case status >= 400, errors.Is(err, babyclient.ErrInvalidRequest):
		return llms.ErrCodeInvalidRequest
	}
	return llms.ErrCodeUnknown
}

// isTokenLimit knows a prompt that does not fit the model by OpenAI's code, llama.cpp's type and
// vLLM's words: vLLM has no code of its own for it.
func isTokenLimit(e *babyclient.Error) bool {
	return e.Code == "context_length_exceeded" || e.Type == "exceed_context_size_error" ||
		strings.Contains(e.Message, "maximum context length") || strings.Contains(e.Message, "maximum model length")
}

// stopped is the error of a call that the caller's own function ended.
func stopped(function string, err error) error {
	return llms.NewError(errorCode(err), providerName, function+" stopped the answer: "+err.Error()).WithCause(err)
}

// withDetail adds a detail to the [*llms.Error] of err.
func withDetail(err error, key string, value any) error {
	err = wrapError(err)
	if e, ok := err.(*llms.Error); ok { //nolint:errorlint // one of the caller's, further inside, is not ours to change
		e.Details[key] = value
	}
	return err
}
