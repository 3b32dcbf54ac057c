package babyclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"sync/atomic"
	"time"
)

// streamOf is the lazy stream of a call. The request goes out when the range over it starts, an
// error is the last thing that it yields, and leaving the loop in any way closes the connection.
//
// newDecoder is called once for each stream. The function that it returns decodes one event, and
// must copy what it keeps, since the buffer of the data is used again.
func streamOf[T any](
	ctx context.Context, c *Client, req callMaker, opts []CallOption,
	newDecoder func(Meta, *errorMaker) func(data []byte) *T,
) iter.Seq2[*T, error] {
	var ranged atomic.Bool
	return func(yield func(*T, error) bool) {
		s, err := c.openStream(ctx, req, opts, &ranged)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.close(nil)
		decodeEvent := newDecoder(s.Meta, s.fail)
		for {
			data, err := s.next()
			if err != nil {
				yield(nil, err)
				return
			}
			isDone := data == nil
			if isDone || !yield(decodeEvent(data), nil) {
				return
			}
		}
	}
}

// eventStream is an answer of server-sent events. It is allocated apart, and not held in local
// variables of streamOf: a program may range over thousands of streams, and a large frame would
// double the stack of each. Through response it embeds attempt, with its context, clock and error
// maker.
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
		return nil, withOp(k.op(), err)
	}
	if ranged.Swap(true) {
		return nil, withOp(k.op(), invalid(CodeInvalidRequest,
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
	if mediaTypeOf(r.Header) != "application/json" {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(&r.body, maxErrorBody))
	if err != nil {
		return r.readFailed(err)
	}
	return r.fail.unusable(r.Meta, raw, errors.New("the service answered JSON, not a stream"))
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
	if s.callerCtx.Err() != nil { // events that wait in the buffer are not handed out any more
		return nil, s.fail.contextEnded(s.callerCtx, s.Meta)
	}
	data, err := s.events.next()
	if err != nil {
		return nil, s.streamFailed(err)
	}
	if said, ok := reportedError(data); ok {
		return nil, s.fail.eventError(s.Meta, data, said)
	}
	return data, nil
}

// streamFailed makes the error of a stream whose body ended or failed before [DONE].
func (s *eventStream) streamFailed(err error) *Error {
	if e := s.ended(s.Meta); e != nil {
		return e
	}
	switch {
	case errors.Is(err, io.EOF):
		return s.fail.streamCut(s.Meta)
	case errors.Is(err, errTooLarge):
		return s.fail.eventTooLarge(s.Meta, err)
	}
	return s.fail.streamLost(s.Meta, err)
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
