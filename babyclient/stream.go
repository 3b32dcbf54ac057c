package babyclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"sync/atomic"
	"time"
)

// streamOf is the lazy stream of a call. The request goes out when the range over it starts, an
// error is the last thing that it yields, and leaving the loop in any way closes the connection.
//
// decoder makes, for one stream, the function that makes a chunk of the data of an event. That
// function must not keep the data.
func streamOf[T any](
	ctx context.Context, c *Client, req callMaker, opts []CallOption, decoder func(Meta) func(data []byte) *T,
) iter.Seq2[*T, error] {
	var ranged atomic.Bool
	return func(yield func(*T, error) bool) {
		s, err := c.openStream(ctx, req, opts, &ranged)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.close(nil)
		decode := decoder(s.Meta)
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

// eventStream is an answer of server-sent events. It is no part of streamOf's function, so that the
// function's frame is small: a program may range over thousands of streams, and the runtime doubles
// a stack that is too small for its frames.
type eventStream struct {
	*response
	events sseReader
}

// openStream sends the request of a stream, unless it was ranged over before.
func (c *Client) openStream(
	ctx context.Context, req callMaker, opts []CallOption, ranged *atomic.Bool,
) (*eventStream, error) {
	k, err := req.call(c)
	if err != nil {
		return nil, refused(k.op(), err)
	}
	if ranged.Swap(true) {
		return nil, refused(k.op(), invalid(CodeInvalidRequest,
			"the stream was ranged over already: a second range would send, and bill, the request again"))
	}
	resp, err := c.send(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	if err := resp.mustBeStream(); err != nil {
		resp.close(err)
		return nil, err
	}
	return &eventStream{resp, sseReader{lines: lineReader{r: &resp.body}}}, nil
}

// mustBeStream refuses a 2xx with a JSON body: the service ignored "stream", or failed.
func (r *response) mustBeStream() error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(&r.body, maxErrorBody))
	if err != nil {
		return r.readFailed(err)
	}
	return r.failures.unusable(r.Meta, raw, errors.New("the service answered JSON, not a stream"))
}

// next returns the data of the next event, valid until the next call, and nil after [DONE]. It
// closes the response if it fails.
func (s *eventStream) next() ([]byte, error) {
	data, err := s.nextEvent()
	if err != nil {
		s.close(err)
		return nil, err
	}
	if isDone(data) {
		s.drain()
		return nil, nil
	}
	return data, nil
}

func (s *eventStream) nextEvent() ([]byte, error) {
	if s.caller.Err() != nil { // events that wait in the buffer are not handed out any more
		return nil, s.failures.contextEnded(s.caller, s.Meta)
	}
	data, err := s.events.next()
	if err != nil {
		return nil, s.streamFailed(err)
	}
	if said, ok := reportedError(data); ok {
		return nil, s.failures.eventError(s.Meta, data, said)
	}
	return data, nil
}

// streamFailed is the error of a stream whose body ended or failed before [DONE].
func (s *eventStream) streamFailed(err error) *Error {
	switch cause := s.clock.ranOut(); {
	case s.caller.Err() != nil:
		return s.failures.contextEnded(s.caller, s.Meta)
	case cause != nil:
		return s.failures.timedOut(s.Meta, cause, s.clock.limit)
	case errors.Is(err, io.EOF):
		return s.failures.streamCut(s.Meta)
	case errors.Is(err, errTooLarge):
		return s.failures.eventTooLarge(s.Meta, err)
	}
	return s.failures.streamLost(s.Meta, err)
}

// reportedError is the error that an event reports: one that holds "error" and no choices.
func reportedError(data []byte) (said errorBody, ok bool) {
	if !bytes.Contains(data, []byte(`"error"`)) { // which spares most events a second decoding
		return errorBody{}, false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || isNull(fields["error"]) {
		return errorBody{}, false
	}
	var choices []json.RawMessage
	if json.Unmarshal(fields["choices"], &choices) == nil && len(choices) > 0 {
		return errorBody{}, false
	}
	return errorOf(map[string]json.RawMessage{"error": fields["error"]}), true
}

// drain reads what may follow [DONE], so that the connection can be used again. It does not wait
// long: the answer is complete.
func (s *eventStream) drain() {
	timer := time.AfterFunc(100*time.Millisecond, s.clock.stop)
	defer timer.Stop()
	if !errors.Is(s.events.lines.err, io.EOF) {
		_, _ = io.CopyN(io.Discard, &s.body, 4096) // if it fails, the connection is closed, not reused
	}
}
