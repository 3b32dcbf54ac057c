package babyclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Defaults of waiting for a job.
const (
	DefaultPollInterval = 2 * time.Second   // at most; the first polls come sooner
	DefaultPollTimeout  = 600 * time.Second // if the context has no deadline
)

// waitSettings are what a [WaitOption] can change.
type waitSettings struct {
	interval    time.Duration // the longest pause between two polls
	timeout     time.Duration // of the whole wait, 0 for none
	pollWait    time.Duration // that the service may hold a poll back
	onPoll      func(*JobStatus)
	callOptions []CallOption // of each request
}

type pollOption func(*waitSettings) error

func (pollOption) isWaitOption() {}

// WithPollInterval sets the longest time between two polls. Default: [DefaultPollInterval].
// The first polls come sooner, so that short jobs are not held up.
func WithPollInterval(d time.Duration) WaitOption {
	return pollOption(func(s *waitSettings) error {
		if d <= 0 {
			return invalid(CodeInvalidInterval, "poll interval %s must be positive", d)
		}
		s.interval = d
		return nil
	})
}

// WithPollTimeout ends the wait after d with [ErrTimeout]; the job goes on and can be waited for
// again. Default: [DefaultPollTimeout] if the context has no deadline, else no limit but that of
// the context. [WithTimeout] limits each poll instead.
func WithPollTimeout(d time.Duration) WaitOption {
	return pollOption(func(s *waitSettings) error {
		if d <= 0 {
			return invalid(CodeInvalidTimeout, "poll timeout %s must be positive", d)
		}
		s.timeout = d
		return nil
	})
}

// WithPollWait asks the service to answer a poll of a docling task only when the task has ended, or
// after d. That saves polls, where the service does it: docling-serve's Ray engine does, its others
// answer at once, and then the pauses between polls are as without it. A d below the
// [WithPollInterval] saves none. The time of [WithTimeout] is given to each poll beside d;
// [WithPollTimeout] shortens the last one. An OCR job has no such polls. Default: the service
// answers at once.
func WithPollWait(d time.Duration) WaitOption {
	return pollOption(func(s *waitSettings) error {
		if d <= 0 || d > maxPollWait {
			return invalid(CodeInvalidInterval, "poll wait %s: want more than 0 and at most %s", d, maxPollWait)
		}
		s.pollWait = d
		return nil
	})
}

// maxPollWait is below the minute after which many proxies give an answer up.
const maxPollWait = 50 * time.Second

// OnPoll calls f after each poll, in the goroutine that waits.
func OnPoll(f func(*JobStatus)) WaitOption {
	return pollOption(func(s *waitSettings) error {
		s.onPoll = f
		return nil
	})
}

func waitSettingsOf(ctx context.Context, opts []WaitOption) (*waitSettings, error) {
	s := &waitSettings{interval: DefaultPollInterval}
	if _, ok := ctx.Deadline(); !ok {
		s.timeout = DefaultPollTimeout
	}
	for _, option := range opts {
		switch o := option.(type) {
		case nil:
		case CallOption:
			s.callOptions = append(s.callOptions, o)
		case pollOption:
			if err := o(s); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// hold is how long the service may hold back a poll that is sent so long after the first: not
// beyond the end of the wait.
func (s *waitSettings) hold(elapsed time.Duration) time.Duration {
	if s.timeout > 0 {
		return max(0, min(s.pollWait, s.timeout-elapsed))
	}
	return s.pollWait
}

// pollPatience is how long a wait goes on while its polls fail.
const pollPatience = 30 * time.Second

// polledJob is a job that is waited for.
type polledJob struct {
	name   string // in errors
	poll   func(context.Context, time.Duration, []CallOption) (*JobStatus, error)
	failed func(*errorMaker, *JobStatus) error // makes the error of a job that ended without a result

	secrets secrets // of the request that it was submitted with

	isKnown  bool // the service has told of the job before, so that a poll that fails is a passing fault
	isPinned bool // its polls go to the node that owns it, so that a 404 means that the job is lost
}

// wait polls until the job has ended well. It returns the last status, and the options for further
// requests about the job.
func (j *polledJob) wait(ctx context.Context, c *Client, opts []WaitOption) (*JobStatus, []CallOption, error) {
	if ctx == nil {
		return nil, nil, withOp(j.name, errNilContext)
	}
	settings, err := waitSettingsOf(ctx, opts)
	if err != nil {
		return nil, nil, withOp(j.name, err)
	}
	fail, err := c.errorsWithOptions(j.name, settings.callOptions)
	if err != nil {
		return nil, nil, err
	}
	fail.moreSecrets = j.secrets
	const firstPause = 50 * time.Millisecond
	pause := min(firstPause, settings.interval)
	start := time.Now()
	lastGood := start
	for state := "submitted"; ; {
		asked := time.Now()
		hold := settings.hold(time.Since(start))
		status, err := j.poll(ctx, hold, settings.callOptions)
		// A service that ignores the hold, and is slow, can take as long. It gets no more than one
		// poll in each interval all the same.
		wasHeld := err == nil && hold >= settings.interval && time.Since(asked) >= hold
		switch {
		case err != nil && !j.isPassing(ctx, err):
			return nil, nil, err
		case err != nil && time.Since(lastGood)+pause > pollPatience:
			return nil, nil, fail.pollsFailed(err, time.Since(lastGood))
		case err == nil:
			j.isKnown, lastGood, state = true, time.Now(), status.State
			if settings.onPoll != nil {
				settings.onPoll(status)
			}
			if status.Succeeded() {
				return status, settings.callOptions, nil
			}
			if status.Failed() {
				return nil, nil, j.failed(fail, status)
			}
		}
		if settings.timeout > 0 && time.Since(start)+pause > settings.timeout {
			return nil, nil, fail.pollTimeout(status, state, settings.timeout)
		}
		// The service has paused for us if it held the poll.
		if !wasHeld && sleep(ctx, pause) != nil {
			return nil, nil, fail.contextEnded(ctx, Meta{})
		}
		pause = min(pause*3/2, settings.interval)
	}
}

// isPassing reports whether a poll that failed says nothing of the job: the service, or the way to
// it, was in trouble for a moment, or the poll came to a node that is not the job's.
func (j *polledJob) isPassing(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || !j.isKnown || ctx.Err() != nil {
		return false
	}
	switch e.StatusCode {
	case http.StatusNotFound:
		return !j.isPinned
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return !isQuota(e.Code) && !isQuota(e.Type)
	}
	return e.StatusCode >= 500 || e.Code == CodeConnectionError || e.Code == CodeTimeout
}

// pollTimeout is the error of a wait that took longer than it may. status is the last one, nil if
// the last poll failed; state is the last that is known.
func (f *errorMaker) pollTimeout(status *JobStatus, state string, limit time.Duration) *Error {
	const message = "%s is still %q after %s: it goes on, wait for it again or longer (WithPollTimeout)"
	e := Error{Code: CodePollTimeout, Message: fmt.Sprintf(message, f.op, state, limit)}
	if status != nil {
		e.Details = string(status.Raw)
	}
	return f.complete(e)
}

// pollsFailed is the error of a wait that gives up, because its polls have failed for a while. last
// is the error of the last one.
func (f *errorMaker) pollsFailed(last error, after time.Duration) error {
	e, ok := errors.AsType[*Error](last)
	if !ok {
		return last
	}
	given := *e
	given.Message += fmt.Sprintf(" (every poll has failed for %s; the job may go on, so wait for it again)",
		after.Round(time.Second))
	return f.complete(given)
}
