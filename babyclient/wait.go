package babyclient

import (
	"context"
	"fmt"
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

// waitFor polls until a job has ended well, and returns its last status and the options for further
// requests about it. job names it in errors. failed makes the error of a job that ended otherwise.
func waitFor(
	ctx context.Context, c *Client, job string, opts []WaitOption,
	poll func(context.Context, ...CallOption) (*JobStatus, error),
	failed func(*errorMaker, *JobStatus) error,
) (*JobStatus, []CallOption, error) {
	if ctx == nil {
		return nil, nil, withOp(job, errNilContext)
	}
	wait, err := waitSettingsOf(ctx, opts)
	if err != nil {
		return nil, nil, withOp(job, err)
	}
	fail, err := c.errorsWithOptions(job, wait.callOptions)
	if err != nil {
		return nil, nil, err
	}
	start := time.Now()
	const firstPause = 50 * time.Millisecond
	pause := min(firstPause, wait.interval)
	for {
		status, err := poll(ctx, wait.callOptions...)
		if err != nil {
			return nil, nil, err
		}
		if wait.onPoll != nil {
			wait.onPoll(status)
		}
		switch {
		case status.Succeeded():
			return status, wait.callOptions, nil
		case status.Failed():
			return nil, nil, failed(fail, status)
		case wait.timeout > 0 && time.Since(start)+pause > wait.timeout:
			return nil, nil, fail.complete(Error{
				Code: CodePollTimeout,
				Message: fmt.Sprintf("%s is still %q after %s: "+
					"it goes on, wait for it again or longer (WithPollTimeout)", job, status.State, wait.timeout),
				Details: string(status.Raw),
			})
		}
		if sleep(ctx, pause) != nil {
			return nil, nil, fail.contextEnded(ctx, Meta{})
		}
		pause = min(pause*3/2, wait.interval)
	}
}
