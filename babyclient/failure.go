package babyclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file makes every *Error of this package, once. Nothing changes an *Error afterwards: a
// caller may have kept it. Other files hand in a draft, an Error that is no pointer, to be
// completed here.

// invalid makes the error of a bad option or a bad field: nothing was sent. [withOp] adds the call.
func invalid(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalidBecause is [invalid] with a cause, whose words end the message.
func invalidBecause(cause error, code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...) + ": " + cause.Error(), Err: cause}
}

var errNilContext = invalid(CodeInvalidRequest, "the context is nil")

var errStreamMethod = invalid(CodeStreamMethodRequired,
	`the body says "stream": true: call the method whose name ends in Stream, or leave "stream" out`)

// withOp makes the error of a call that could not be sent. cause does not name the call yet.
func withOp(op string, cause error) *Error {
	e, ok := errors.AsType[*Error](cause)
	if !ok {
		return &Error{Op: op, Code: CodeInvalidRequest, Message: cause.Error(), Err: cause}
	}
	named := *e
	named.Op = op
	return &named
}

// errorMaker makes each error of one call. It adds the name of the call, and takes the secrets of
// the call out of everything that the service said.
type errorMaker struct {
	op       string      // "POST /v1/rerank", or the name of a job
	isSafe   bool        // sending it again bills nothing
	host     string      // that the client connects to
	maxBytes int64       // of an answer
	apiKey   string      // what is secret in the call
	header   http.Header // some of it can be secret too

	addSecrets  func(*collector) // adds those of the request; nil for the errors of waiting for a job
	moreSecrets secrets          // that the request does not hold
	collected   secrets          // all of them, nil until the first error
}

// secrets are those of the call. They are collected when the first error is made, since most calls
// make none.
func (f *errorMaker) secrets() secrets {
	if f.collected == nil {
		c := collector{found: slices.Clone(f.moreSecrets)}
		c.addKey(f.apiKey)
		c.addHeader(f.header)
		if f.addSecrets != nil {
			f.addSecrets(&c)
		}
		f.collected = c.secrets()
	}
	return f.collected
}

// learn adds the secrets of a URL that the service has told in a redirect.
func (f *errorMaker) learn(url string) {
	if more := secretsOfURL(url); len(more) > 0 {
		f.moreSecrets, f.collected = append(f.moreSecrets, more...), nil
	}
}

func (f *errorMaker) redact(text string) string { return f.secrets().redact(text) }

// complete completes an error of the call.
func (f *errorMaker) complete(e Error) *Error {
	e.Op = f.op
	secrets := f.secrets()
	for _, text := range []*string{&e.Op, &e.Message, &e.Details, &e.Code, &e.Type, &e.RequestID} {
		*text = secrets.redact(*text)
	}
	e.Header = secrets.redactHeader(e.Header)
	e.Err = secrets.redactCause(e.Err)
	return &e
}

// completeAnswer completes an error about an answer of the service. The zero Meta is no answer.
func (f *errorMaker) completeAnswer(m Meta, e Error) *Error {
	e.StatusCode, e.Header, e.RequestID = m.StatusCode, m.Header, m.RequestID
	return f.complete(e)
}

// billingWarning is for the end of a message about a request that got lost. It is empty if the
// request bills nothing twice.
func (f *errorMaker) billingWarning() string {
	if f.isSafe {
		return ""
	}
	return " (the request may have run, and be billed: it was not sent again)"
}

// contextEnded is the error of a call that the caller's context ended.
func (f *errorMaker) contextEnded(ctx context.Context, m Meta) *Error {
	err := ctx.Err()
	if cause := context.Cause(ctx); errors.Is(cause, err) {
		err = cause // it is err itself, or says it in the caller's words
	} else if cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return f.completeAnswer(m, Error{Message: err.Error(), Err: err})
}

// timedOut is the error of a call that one of the client's own clocks ended. cause is that of the
// clock, limit what it allowed.
func (f *errorMaker) timedOut(m Meta, cause error, limit time.Duration) *Error {
	what := "no complete answer within %s; WithTimeout allows more"
	if errors.Is(cause, errIdleTimeout) {
		what = "no byte for %s; WithStreamIdleTimeout allows more"
	}
	return f.completeAnswer(m, Error{Code: CodeTimeout, Message: fmt.Sprintf(what, limit) + f.billingWarning(),
		Err: cause})
}

// notConnectedInTime is the error of a call whose clock ran out before there was a connection.
func (f *errorMaker) notConnectedInTime(cause error, limit time.Duration) *Error {
	message := fmt.Sprintf("no connection to %s within %s", f.host, limit)
	return f.complete(Error{Code: CodeTimeout, Message: message, Err: cause})
}

// notAnswered is the error of a request that got no answer. connected tells whether it can have
// reached the service.
func (f *errorMaker) notAnswered(err error, connected bool) *Error {
	cause := withoutURL(err)
	e := Error{Code: CodeConnectionError, Err: cause}
	switch {
	case isCertificateError(cause):
		e.Message = fmt.Sprintf("the certificate of %s is not accepted: %v", f.host, cause)
	case connected:
		e.Message = fmt.Sprintf("the connection to %s failed: %v%s", f.host, cause, f.billingWarning())
	default:
		e.Message = fmt.Sprintf("cannot connect to %s: %v: check the base URL and that the service runs", f.host, cause)
	}
	return f.complete(e)
}

// redirectRefused is the error of a redirect that [checkRedirect], or the caller's own check, does
// not allow.
func (f *errorMaker) redirectRefused(m Meta, err error) *Error {
	cause := withoutURL(err)
	message := "the redirect was not followed: " + cause.Error()
	return f.completeAnswer(m, Error{Code: CodeInvalidResponse, Message: message, Err: cause})
}

// protocolSwitched is the error of a service that answered with a protocol nobody asked for.
func (f *errorMaker) protocolSwitched(m Meta) *Error {
	const message = "the service switched to another protocol (101) in place of an answer: check the base URL"
	return f.completeAnswer(m, Error{Code: CodeInvalidResponse, StatusCode: m.StatusCode, Message: message})
}

// serviceError is the error of an answer that is not a 2xx. readErr is why its body could not be
// read whole, nil if it was. explain, if the endpoint has one, puts the error into words.
func (f *errorMaker) serviceError(m Meta, body []byte, readErr error, explain func(Error) Error) *Error {
	said := readErrorBody(body)
	e := Error{
		StatusCode: m.StatusCode,
		Message:    cmp.Or(said.message, "HTTP "+strconv.Itoa(m.StatusCode)),
		Code:       said.code,
		Type:       said.typ,
		Details:    validUTF8(body),
		Err:        readErr,
	}
	if m.StatusCode >= 300 && m.StatusCode < 400 && !f.isSafe {
		e.Message = "redirected, and the body of the request cannot be sent again: " +
			"set the base URL to where the redirect leads"
	}
	e.RetryAfter, e.retryAfterGiven = retryAfter(m.Header)
	if explain != nil {
		e = explain(e)
	}
	return f.completeAnswer(m, e)
}

// bodyLost is the error of an answer whose connection failed before its end.
func (f *errorMaker) bodyLost(m Meta, err error) *Error {
	message := "the connection failed while the answer came: " + err.Error() + f.billingWarning()
	return f.completeAnswer(m, Error{Code: CodeConnectionError, Message: message, Err: err})
}

// tooLarge is the error of an answer that is longer than the client takes.
func (f *errorMaker) tooLarge(m Meta, err error) *Error {
	const message = "the answer is longer than %d bytes: raise WithMaxResponseSize if it is meant to be"
	return f.completeAnswer(m, Error{Code: CodeResponseTooLarge, Message: fmt.Sprintf(message, f.maxBytes), Err: err})
}

// tooManyItems is the error of an answer, or an event of a stream, with more items than memory is
// for.
func (f *errorMaker) tooManyItems(m Meta, err error) *Error {
	message := "the answer is refused: " + err.Error()
	return f.completeAnswer(m, Error{Code: CodeResponseTooLarge, Message: message, Err: err})
}

// notWritten is the error of a writer of the caller's that did not take the answer.
func (f *errorMaker) notWritten(m Meta, err error) *Error {
	message := "the answer came, but the writer that was given for it failed: " + err.Error()
	return f.completeAnswer(m, Error{Code: CodeWriteFailed, Message: message, Err: err})
}

// answerError is a well-formed answer that reports a failure.
type answerError struct {
	code string
	err  error
}

func (e *answerError) Error() string { return e.err.Error() }
func (e *answerError) Unwrap() error { return e.err }

// errNoField is the error of an answer that lacks what it must have.
func errNoField(field string) error { return errors.New("the answer has no " + field) }

// unusable is the error of a 2xx that is not what it must be. err is what the read function of the
// endpoint found.
func (f *errorMaker) unusable(m Meta, raw []byte, err error) *Error {
	if failed, ok := errors.AsType[*answerError](err); ok {
		message := strings.ReplaceAll(failed.Error(), "\n", "; ") // errors.Join has one line for each
		return f.completeAnswer(m, Error{Code: failed.code, Message: message, Err: failed.err})
	}
	details := ""
	if !isZip(raw) {
		details = validUTF8(raw[:min(len(raw), maxErrorBody)])
	}
	if failed, ok := errors.AsType[*generationError](err); ok {
		e := f.generationFailed(m, failed.errorBody, details)
		e.inAnswer = true
		return e
	}
	e := Error{Code: CodeInvalidResponse, Message: err.Error(), Err: err, Details: details}
	said, areEvents := failureInEvents(raw, m.Header)
	if areEvents {
		e.Message = "the service answered with the events of a stream, not with JSON"
	} else {
		said = readErrorBody(firstJSON(raw))
	}
	if said.message != "" {
		e.Message += ": " + cutMessage(said.message)
		e.Type = said.typ
	}
	return f.completeAnswer(m, e)
}

// firstJSON is the first JSON value of a body that may have something behind it, such as [DONE].
func firstJSON(raw []byte) []byte {
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(raw)).Decode(&first) != nil {
		return raw
	}
	return first
}

// generationFailed is the error of an answer that the service broke off.
func (f *errorMaker) generationFailed(m Meta, said errorBody, details string) *Error {
	message := cmp.Or(cutMessage(said.message), "the service reported an error in its answer")
	code := cmp.Or(said.code, CodeGenerationFailed)
	return f.completeAnswer(m, Error{Message: message, Code: code, Type: said.typ, Details: details})
}

// hiddenError is the error in the body of a 2xx: some proxies answer an error with status 200.
func hiddenError(raw []byte) errorBody {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || isNull(fields["error"]) {
		return errorBody{}
	}
	return errorOf(fields)
}

// checkContent refuses null, and an error with status 200, where nothing else is known of the
// answer.
func checkContent(raw []byte) error {
	if isNull(bytes.TrimSpace(raw)) || hiddenError(raw).message != "" {
		return errNoField("content")
	}
	return nil
}

// streamCut is the error of a stream whose body ended cleanly, but without [DONE]. said is text
// that stood outside of the events, "" for none.
func (f *errorMaker) streamCut(m Meta, said string) *Error {
	message := "the stream ended before [DONE]: the answer is not complete"
	if said != "" {
		message += ": it holds " + quote(said) + ", which is no event"
	}
	return f.completeAnswer(m, Error{Code: CodeStreamTruncated, Message: message, Err: io.ErrUnexpectedEOF})
}

// streamLost is the error of a stream whose connection failed.
func (f *errorMaker) streamLost(m Meta, err error) *Error {
	message := "the connection failed in mid-stream, the answer is not complete: " + err.Error()
	return f.completeAnswer(m, Error{Code: CodeStreamError, Message: message, Err: err})
}

// eventTooLarge is the error of a stream with an event over the limit.
func (f *errorMaker) eventTooLarge(m Meta, err error) *Error {
	message := fmt.Sprintf("an event of the stream is longer than %d bytes", MaxEventSize)
	return f.completeAnswer(m, Error{Code: CodeResponseTooLarge, Message: message, Err: err})
}

// eventError is the error that the service reported in an event of a stream.
func (f *errorMaker) eventError(m Meta, data []byte, said errorBody) *Error {
	message := cmp.Or(cutMessage(said.message), "the service reported an error in mid-stream")
	code := cmp.Or(said.code, CodeStreamError)
	return f.completeAnswer(m, Error{Message: message, Code: code, Type: said.typ, Details: validUTF8(data),
		inStream: true})
}

// streamBrokenOff is the error of a collected stream whose finish reason tells of a failure.
func (f *errorMaker) streamBrokenOff(m Meta, reason string) *Error {
	e := f.generationFailed(m, brokenOff(reason), "")
	e.inStream = true
	return e
}

// eventNotDecoded is the error of an event that holds no JSON, or JSON whose content is of another
// form.
func (f *errorMaker) eventNotDecoded(m Meta, cause error) *Error {
	message := "an event of the stream is no JSON that can be decoded: " + quote(string(m.Raw))
	return f.completeAnswer(m,
		Error{Code: CodeInvalidResponse, Message: message, Details: string(m.Raw), Err: cause})
}

// streamWithoutChoices is the error of a stream that ended with [DONE] and said nothing.
func (f *errorMaker) streamWithoutChoices(m Meta) *Error {
	return f.completeAnswer(m, Error{Code: CodeInvalidResponse, Message: "the stream had no choices"})
}

// withoutURL takes off the layer of net/http that repeats the method and the URL.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func isCertificateError(err error) bool {
	_, isVerification := errors.AsType[*tls.CertificateVerificationError](err)
	_, isAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, isHostname := errors.AsType[x509.HostnameError](err)
	_, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	return isVerification || isAuthority || isHostname || isInvalid
}

// retryAfter is how long the service asks the caller to wait. ok is false if it does not ask.
// OpenAI's and Azure's servers say it in milliseconds too, and more exactly.
func retryAfter(h http.Header) (d time.Duration, ok bool) {
	ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64)
	if err == nil {
		if d, ok = parseRetryAfter(strconv.FormatFloat(ms/1000, 'f', -1, 64), time.Now()); ok {
			return d, true
		}
	}
	return parseRetryAfter(h.Get("Retry-After"), time.Now())
}

// parseRetryAfter reads a Retry-After header: seconds, or an HTTP date. ok is false if value is
// neither.
func parseRetryAfter(value string, now time.Time) (d time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		const most = float64(1<<63-1) / float64(time.Second)
		switch {
		case !(seconds >= 0): // NaN too
			return 0, false
		case seconds >= most:
			return 1<<63 - 1, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}
