package babyclient

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// maxRetryAfter is the longest wait that the client keeps to itself. If the service asks for a
// longer one, the caller gets the error at once, with the wait in [Error.RetryAfter].
const maxRetryAfter = 60 * time.Second

// Attempt is a failed attempt of a call, for a [RetryPolicy] to judge.
type Attempt struct {
	// Method is the HTTP method.
	Method string
	// Number counts the attempts of the call from 1.
	Number int
	// Connected tells whether a connection was made: if not, the request cannot have run.
	Connected bool
	// Err is why the attempt failed. Its StatusCode is 0 if the service did not answer, and a 2xx
	// if the answer to a GET broke off.
	Err *Error
}

// A RetryPolicy says whether a call is sent again after a failed attempt. It is not asked
// when the context has ended, the retries are used up, the request is an upload, or
// a stream has delivered its first byte.
type RetryPolicy func(Attempt) bool

// DefaultRetryPolicy never runs, and bills, one request twice. A POST is sent again only if it
// provably did not run: no connection was made (for another reason than the certificate), or the
// service answered 503, or 429 for another reason than the monthly limit. A GET or HEAD is also
// sent again after a network error, a timeout, 408, 502, 504 and 520 to 530, with which Cloudflare
// says that it did not reach the service or lost the connection.
func DefaultRetryPolicy(a Attempt) bool {
	isSafe := isSafeMethod(a.Method)
	if a.Err.StatusCode < 300 {
		if isCertificateError(a.Err) {
			return false
		}
		isNetworkError := a.Err.Code == CodeConnectionError || a.Err.Code == CodeTimeout
		return !a.Connected || isSafe && isNetworkError
	}
	switch a.Err.StatusCode {
	case http.StatusTooManyRequests:
		return !isQuota(a.Err.Code) && !isQuota(a.Err.Type)
	case http.StatusServiceUnavailable:
		return true
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout:
		return isSafe
	}
	return isSafe && isCloudflare(a.Err.StatusCode)
}

// isSafeMethod reports whether a request that is sent again bills nothing twice.
func isSafeMethod(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// retryDelay is how long to wait before the next attempt after the failed one, and whether that is
// worth it. base is the delay before the first retry.
func retryDelay(ctx context.Context, failed Attempt, base time.Duration) (time.Duration, bool) {
	var delay time.Duration
	jitter := rand.Float64() //nolint:gosec // jitter is no secret
	if failed.Err.retryAfterGiven {
		if failed.Err.RetryAfter > maxRetryAfter {
			return 0, false
		}
		// The jitter only adds, so that no caller comes earlier than the service asked.
		delay = failed.Err.RetryAfter + time.Duration(0.2*jitter*float64(failed.Err.RetryAfter))
	} else {
		delay = base << min(failed.Number-1, 20)
		delay = time.Duration(float64(delay) * (0.8 + 0.4*jitter))
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		return 0, false
	}
	return delay, true
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
