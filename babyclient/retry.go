package babyclient

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// maxRetryAfter is the longest wait that the service can ask for; beyond it the error goes
// to the caller, who sees it in [Error.RetryAfter].
const maxRetryAfter = 60 * time.Second

// Attempt is a failed attempt of a call, for a [RetryPolicy] to judge.
type Attempt struct {
	// Method is the HTTP method.
	Method string
	// Number counts the attempts of the call from 1.
	Number int
	// Connected tells whether a connection was made: if not, the request cannot have run.
	Connected bool
	// Err is why the attempt failed. Its StatusCode is 0 where the service did not answer, and a 2xx where the answer
	// to a GET broke off.
	Err *Error
}

// A RetryPolicy says whether a call is sent again after a failed attempt. It is not asked
// when the context has ended, the retries are used up, the request is an upload, or
// a stream has delivered its first byte.
type RetryPolicy func(Attempt) bool

// DefaultRetryPolicy never runs, and bills, one request twice. A POST is sent again only when
// it provably did not run: no connection was made (and the certificate is not why), the
// service answered 503, or 429 for another reason than the monthly limit. A GET or HEAD is also sent
// again after a network error, a timeout, 408, 502 and 504.
func DefaultRetryPolicy(a Attempt) bool {
	safe := a.Method == http.MethodGet || a.Method == http.MethodHead
	if a.Err.StatusCode < 300 {
		if isCertificateError(a.Err) {
			return false
		}
		return safe && (a.Err.Code == CodeConnectionError || a.Err.Code == CodeTimeout) || !a.Connected
	}
	switch a.Err.StatusCode {
	case http.StatusTooManyRequests:
		return !isQuota(a.Err.Code) && !isQuota(a.Err.Type)
	case http.StatusServiceUnavailable:
		return true
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout:
		return safe
	}
	return false
}

// retryDelay is how long to wait before the attempt after a, and whether that is worth it.
func (c *Client) retryDelay(ctx context.Context, a Attempt) (time.Duration, bool) {
	var d time.Duration
	if a.Err.told {
		if a.Err.RetryAfter > maxRetryAfter {
			return 0, false
		}
		// Never earlier than told, and not all callers at once.
		d = a.Err.RetryAfter + time.Duration(rand.Float64()*0.2*float64(a.Err.RetryAfter)) //nolint:gosec // jitter is no secret
	} else {
		d = c.retryBaseDelay << min(a.Number-1, 20)
		d = time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // jitter is no secret
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return 0, false
	}
	return d, true
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
