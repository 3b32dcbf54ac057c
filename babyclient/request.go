package babyclient

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// fetch makes a plain call of an endpoint: it sends req, reads the whole answer and gives it to the
// endpoint's read function. An error of read is an [ErrInvalidResponse], unless the answer itself
// says that something failed ([answerError]). read may return a partial result together with its
// error. The caller gets both, because the work was billed.
func fetch[T metaHolder](
	ctx context.Context, c *Client, req callMaker, opts []CallOption, read func(raw []byte) (T, error),
) (T, error) {
	var none T
	k, err := req.call(c)
	if err != nil {
		return none, withOp(k.op(), err)
	}
	resp, err := c.send(ctx, k, opts)
	if err != nil {
		return none, err
	}
	raw, failed := resp.readAll()
	if failed != nil {
		return none, failed
	}
	if err := resp.checkArchive(raw); err != nil {
		return none, err
	}
	raw = bytes.TrimPrefix(raw, []byte(byteOrderMark))
	if !isZip(raw) {
		if err := checkItems(raw, c.maxResponseSize); err != nil {
			return none, resp.fail.tooManyItems(resp.Meta, err)
		}
	}
	out, err := read(raw)
	if out != none {
		meta := out.meta()
		if isZip(raw) {
			resp.Raw = meta.Raw // the JSON that read found in the archive, if any
		} else {
			resp.Raw = raw
		}
		*meta = resp.Meta
		if says, ok := any(out).(wordy); ok {
			says.redactWords(resp.fail.redact)
		}
	}
	if err != nil {
		return out, resp.fail.unusable(resp.Meta, raw, err)
	}
	return out, nil
}

// A wordy response holds words of the service about what failed, which end up in logs.
type wordy interface {
	redactWords(redact func(string) string)
}

// callMaker is a request that checks itself, and encodes itself for its endpoint. A call that comes
// together with an error only names the endpoint.
type callMaker interface {
	call(*Client) (*call, error)
}

// call makes a *call a callMaker too, so that an endpoint without a request to check can hand its
// call to fetch as it is.
func (k *call) call(*Client) (*call, error) { return k, nil }

// metaHolder is a pointer to a struct that embeds Meta.
type metaHolder interface {
	comparable
	meta() *Meta
}

// send makes a call: it applies the options, sends the request, and sends it again if that is
// allowed. It returns a 2xx, or an *Error.
func (c *Client) send(ctx context.Context, k *call, opts []CallOption) (*response, error) {
	s, err := c.defaults.withOptions(opts)
	switch {
	case err != nil:
		return nil, withOp(k.op(), err)
	case s.apiKey == "":
		return nil, withOp(k.op(), invalid(CodeAPIKeyRequired, "no API key: set BABYAPI_API_KEY or use WithAPIKey"))
	case ctx == nil:
		return nil, withOp(k.op(), errNilContext)
	}
	fail := c.errorsWith(k.op(), s)
	fail.isSafe, fail.addSecrets = isSafeMethod(k.method), k.addSecrets
	for number := 1; ; number++ {
		if ctx.Err() != nil {
			return nil, fail.contextEnded(ctx, Meta{})
		}
		a := c.newAttempt(ctx, k, s, fail, number)
		resp, failed := a.run()
		if failed == nil {
			return resp, nil
		}
		delay, again := c.nextTry(a, failed)
		if !again {
			return nil, failed
		}
		if c.logger != nil {
			c.logger.LogAttrs(ctx, slog.LevelWarn, "babyapi: retry",
				slog.String("op", failed.Op), slog.Int("attempt", number), slog.Duration("delay", delay),
				slog.Int("status", failed.StatusCode), slog.String("code", failed.Code))
		}
		if sleep(ctx, delay) != nil {
			return nil, fail.contextEnded(ctx, Meta{})
		}
	}
}

// run makes the attempt, and returns a 2xx or an error. It reads the answer to a GET whole: a GET
// may be sent again, so an answer that breaks off is a failed attempt too.
func (a *attempt) run() (*response, *Error) {
	answered, failed := a.roundTrip() //nolint:bodyclose // the response closes it
	if failed != nil {
		a.close(Meta{StatusCode: failed.StatusCode, RequestID: failed.RequestID}, 0, failed)
		return nil, failed
	}
	resp := a.open(answered)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, resp.serviceError()
	}
	if a.call.method == http.MethodGet && !a.call.isStream && !a.call.toWriter {
		resp.whole, failed = resp.readAll()
	}
	return resp, failed
}

// nextTry decides whether the call is sent again, and after how long.
func (c *Client) nextTry(a *attempt, failed *Error) (time.Duration, bool) {
	if a.number > a.settings.maxRetries || a.call.isUpload || a.callerCtx.Err() != nil {
		return 0, false
	}
	judged := Attempt{Method: a.call.method, Number: a.number, Connected: a.connected.Load(), Err: failed}
	if !c.retryPolicy(judged) {
		return 0, false
	}
	return retryDelay(a.callerCtx, judged, c.retryBaseDelay)
}
