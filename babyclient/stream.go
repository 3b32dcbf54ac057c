package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"sync/atomic"
	"time"
)

var streamHeader = http.Header{"Accept": {"text/event-stream"}}

// streamOf is the lazy stream of a call: the request goes out when the range over it starts,
// an error is the last thing it yields, and leaving the loop in any way closes the
// connection. build makes the call when the range starts; decoder makes, for one stream, what
// makes a chunk of the data of an event, which it must not keep.
func streamOf[T any](ctx context.Context, c *Client, build func() (*call, error), opts []CallOption,
	decoder func(Meta) func(data []byte) *T) iter.Seq2[*T, error] {
	var used atomic.Bool
	return func(yield func(*T, error) bool) {
		s, err := c.openStream(ctx, build, &used, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.resp.close()
		decode := decoder(s.resp.Meta)
		for {
			data, err := s.next()
			if err != nil {
				yield(nil, err)
				return
			}
			if data == nil || !yield(decode(data), nil) {
				return
			}
		}
	}
}

// eventStream is an answer of server-sent events. It lives apart from the function that ranges over it, whose stack would
// else be a size larger, for each of what may be thousands of streams.
type eventStream struct {
	resp   *response
	events sseReader
}

// openStream sends the request of a stream, once.
func (c *Client) openStream(ctx context.Context, build func() (*call, error), used *atomic.Bool, opts []CallOption) (*eventStream, error) {
	k, err := build()
	if err != nil {
		return nil, err
	}
	if used.Swap(true) {
		return nil, c.wrap(k, invalid(CodeInvalidRequest, "the stream was ranged over already: a second range would send, and bill, the request again"))
	}
	resp, err := c.send(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	if err := resp.mustBeStream(); err != nil {
		resp.close()
		return nil, err
	}
	return &eventStream{resp, sseReader{r: &resp.body}}, nil
}

// next is the data of the next event, valid until the next call, nil after [DONE].
func (s *eventStream) next() ([]byte, error) {
	r := s.resp
	data, err := []byte(nil), r.caller.Err()
	if err == nil { // else do not hand out what is still in the buffer
		data, err = s.events.next()
	}
	switch {
	case err != nil:
		err = r.streamError(err)
	case isDone(data):
		r.drain(&s.events)
		return nil, nil
	default:
		err = r.eventError(data)
	}
	if err != nil {
		r.end(err)
	}
	return data, err
}

// streamCall is a POST whose body asks for a stream.
func streamCall(path string, b []byte) *call {
	return &call{method: http.MethodPost, path: path, header: streamHeader, body: jsonBody(b), stream: true}
}

// mustBeStream refuses a 2xx with a JSON body: the service ignored "stream", or failed.
func (r *response) mustBeStream() error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(&r.body, maxErrorBody))
	if err != nil {
		return r.fail(err)
	}
	return r.invalidResponse(raw, "the service answered JSON, not a stream", nil)
}

// drain reads what may follow [DONE], so that the connection can be used again; not for long,
// since the answer is complete.
func (r *response) drain(events *sseReader) {
	stop := time.AfterFunc(100*time.Millisecond, r.cancel)
	defer stop.Stop()
	if !errors.Is(events.err, io.EOF) {
		_, _ = io.CopyN(io.Discard, r.rc, 4096) // whatever comes, the connection is closed or reused
	}
}

// streamError is the error of a stream whose body ended or failed before [DONE].
func (r *response) streamError(err error) error {
	e := &Error{StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header}
	switch {
	case r.caller.Err() != nil:
		ce := r.client.contextError(r.caller, r.call, r.caller.Err())
		e.Message, e.Err = ce.Message, ce.Err
	case r.timedOut() != nil:
		te := r.timeoutError(r.timedOut())
		e.Code, e.Message, e.Err = te.Code, te.Message, te.Err
	case errors.Is(err, io.EOF):
		e.Code, e.Message, e.Err = CodeStreamTruncated, "the stream ended before [DONE]: the answer is not complete", io.ErrUnexpectedEOF
	case errors.Is(err, errTooLarge):
		e.Code, e.Message, e.Err = CodeResponseTooLarge, fmt.Sprintf("an event of the stream is longer than %d bytes", MaxEventSize), err
	default:
		e.Code, e.Message, e.Err = CodeStreamError, "the connection failed in mid-stream, the answer is not complete: "+err.Error(), err
	}
	return r.finish(e)
}

// eventError is the error that an event reports: one that holds "error" and no choices.
func (r *response) eventError(data []byte) error {
	if !hasErrorKey(data) {
		return nil
	}
	var top map[string]json.RawMessage
	decoded := json.Unmarshal(data, &top) == nil
	if !decoded || len(top["error"]) == 0 || string(top["error"]) == "null" {
		return nil
	}
	var choices []json.RawMessage
	if decoded = json.Unmarshal(top["choices"], &choices) == nil; decoded && len(choices) > 0 {
		return nil
	}
	e := &Error{StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header, Details: string(data), streamed: true}
	e.fromObject(map[string]json.RawMessage{"error": top["error"]})
	e.Message = first(e.Message, "the service reported an error in mid-stream")
	e.Code = first(e.Code, CodeStreamError)
	return r.finish(e)
}
