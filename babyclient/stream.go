package babyclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"time"
)

// chunkDecoder decodes the events of one stream. It must copy what it keeps, since the buffer of
// the data is used again.
type chunkDecoder[T any] interface {
	// again decodes an event that differs from an earlier one in its text alone. It returns nil if
	// the event is any other.
	again(data []byte) *T
	// decode decodes any event. The error is that of a chunk which could not be decoded whole.
	decode(data []byte) (*T, error)
	// rest is a chunk with the text that was held back when the stream ended, nil for none.
	rest() *T
	// hasChoices reports whether any chunk so far had a choice.
	hasChoices() bool
}

// streamOf is the lazy stream of a call. The request goes out when the range over it starts, an
// error is the last thing that it yields, and leaving the loop in any way closes the connection.
func streamOf[T any](
	ctx context.Context, c *Client, req callMaker, opts []CallOption,
	newDecoder func(Meta, *errorMaker) chunkDecoder[T],
) iter.Seq2[*T, error] {
	var ranged atomic.Bool
	return func(yield func(*T, error) bool) {
		s, err := c.openStream(ctx, req, opts, &ranged)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.close(nil)
		decoder := newDecoder(s.Meta, s.fail)
		for {
			chunk, err := nextChunk(s, decoder)
			switch {
			case chunk != nil:
				if !yield(chunk, nil) {
					return
				}
				continue
			case err != nil:
				s.close(err)
			}
			if held := decoder.rest(); held != nil && !yield(held, nil) {
				return
			}
			if err != nil {
				yield(nil, err)
			}
			return
		}
	}
}

// nextChunk reads on to the next chunk. Both results are nil at the end of a stream of which
// nothing was left out.
func nextChunk[T any](s *eventStream, decoder chunkDecoder[T]) (*T, error) {
	for {
		e, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case isDone(e.data) && !e.isFailure:
			s.drain()
			return nil, s.leftOutAtEnd(decoder.hasChoices())
		}
		if !e.isFailure {
			if chunk := decoder.again(e.data); chunk != nil {
				return chunk, nil
			}
		}
		if err := checkItems(e.data, MaxEventSize); err != nil {
			return nil, s.fail.tooManyItems(s.Meta, err)
		}
		if err := s.inspect(e); err != nil {
			return nil, err
		}
		chunk, err := decoder.decode(e.data)
		if err != nil && s.split(e.data) {
			continue
		}
		if s.withoutChoice == nil && !decoder.hasChoices() {
			s.withoutChoice = bytes.Clone(e.data)
		}
		if err != nil && s.leftOut == nil {
			m := s.Meta
			m.Raw = bytes.Clone(e.data)
			s.leftOut = s.fail.eventNotDecoded(m, err)
		}
		return chunk, nil
	}
}

// eventStream is an answer of server-sent events. It is allocated apart, and not held in local
// variables of streamOf: a program may range over thousands of streams, and a large frame would
// double the stack of each. Through response it embeds attempt, with its context, clock and error
// maker.
type eventStream struct {
	*response
	events sseReader
	begun  bool     // the first byte of the body was looked at
	values [][]byte // further JSON values of an event that holds several
	failed error    // to be returned next: the event that told of it had content too
	// withoutChoice is the first event, if it had no choice.
	withoutChoice []byte
	// leftOut is the error of the first event that could not be decoded whole. The stream goes on,
	// and ends with it.
	leftOut error
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
	return &eventStream{response: resp, events: sseReader{lines: lineReader{r: &resp.body}}}, nil
}

// mustBeStream refuses a 2xx with a JSON body: the service ignored "stream", or failed. The header
// does not tell: JSON comes as text/event-stream, and events as application/json.
func (s *eventStream) mustBeStream() error {
	lines := &s.events.lines
	first, ok := lines.peek()
	isJSON := ok && (first == '{' || first == '[')
	if mediaTypeOf(s.Header) == "application/json" {
		isJSON = !ok || !strings.ContainsRune("deir:", rune(first)) // data, event, id, retry, a comment
	}
	if !isJSON {
		return nil // if nothing could be read, next will tell why
	}
	raw := bytes.TrimPrefix(lines.unread(), []byte(byteOrderMark))
	err := lines.err
	if err == nil {
		var more []byte
		more, err = io.ReadAll(io.LimitReader(&s.body, maxErrorBody))
		raw = append(bytes.Clone(raw), more...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return s.readFailed(err)
	}
	return s.fail.unusable(s.Meta, raw, errors.New("the service answered JSON, not a stream"))
}

// next returns the next event, or the next of several JSON values of one event.
func (s *eventStream) next() (event, error) {
	switch {
	case s.callerCtx.Err() != nil: // events that wait in the buffer are not handed out any more
		return event{}, s.fail.contextEnded(s.callerCtx, s.Meta)
	case s.failed != nil:
		return event{}, s.failed
	case len(s.values) > 0:
		value := s.values[0]
		s.values = s.values[1:]
		return event{data: value}, nil
	case !s.begun:
		s.begun = true
		if err := s.mustBeStream(); err != nil {
			return event{}, err
		}
	}
	e, err := s.events.next()
	if err != nil {
		return event{}, s.streamFailed(err)
	}
	return e, nil
}

// leftOutAtEnd is the error of a stream that has come to [DONE], nil if all of it was understood. A
// stream without any choice speaks another protocol, or tells of a failure in a way that is not
// known.
func (s *eventStream) leftOutAtEnd(hasChoices bool) error {
	m := s.Meta
	switch {
	case s.leftOut != nil:
		return s.leftOut
	case s.events.leftOut != "":
		m.Raw = []byte(s.events.leftOut)
		return s.fail.eventNotDecoded(m, errors.New("a line of the stream belongs to no event"))
	case hasChoices:
		return nil
	}
	message := "the stream had no choices"
	if s.withoutChoice != nil {
		message += ": it begins with " + quote(string(s.withoutChoice))
	}
	return s.fail.completeAnswer(m,
		Error{Code: CodeInvalidResponse, Message: message, Details: validUTF8(s.withoutChoice)})
}

// inspect returns the failure that an event tells of. If the event has content too, the failure
// waits until that was handed out.
func (s *eventStream) inspect(e event) error {
	if !e.isFailure && !mayReport(e.data) {
		return nil
	}
	report, ok := failureIn(e.data, e.isFailure)
	if !ok {
		return nil
	}
	failed := s.fail.eventError(s.Meta, e.data, report.errorBody)
	if !report.hasContent {
		return failed
	}
	s.failed = failed
	return nil
}

// split takes an event apart that holds several JSON values, as a server sends them that forgets
// the blank line between two events. It reports false for any other event. What follows the values
// and is none is handed out too, as an event of its own: it may be [DONE].
func (s *eventStream) split(data []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var values [][]byte
	end := 0
	for {
		start := skipSpace(data, end)
		var value json.RawMessage
		if start >= len(data) || data[start] != '{' || decoder.Decode(&value) != nil {
			break
		}
		end = int(decoder.InputOffset())
		values = append(values, data[start:end])
	}
	if rest := bytes.TrimSpace(data[end:]); len(rest) > 0 && len(values) > 0 {
		values = append(values, rest)
	}
	if len(values) < 2 {
		return false
	}
	s.values = values
	return true
}

// streamFailed makes the error of a stream whose body ended or failed before [DONE].
func (s *eventStream) streamFailed(err error) *Error {
	if e := s.ended(s.Meta); e != nil {
		return e
	}
	switch {
	case errors.Is(err, io.EOF):
		return s.fail.streamCut(s.Meta, s.events.noEvent)
	case errors.Is(err, errTooLarge):
		return s.fail.eventTooLarge(s.Meta, err)
	}
	return s.fail.streamLost(s.Meta, err)
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
