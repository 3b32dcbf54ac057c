package local

import (
	"errors"
	"fmt"
	"regexp"
)

// stepError is a step of the installation that failed, with the end of what it printed.
type stepError struct {
	command, output, log string
	err                  error
}

func (e *stepError) Error() string {
	return fmt.Sprintf("%s: %v; it said:\n%s\n(all of it: %s)", e.command, e.err, tail(e.output, 8), e.log)
}

func (e *stepError) Unwrap() error { return e.err }

var (
	networkTrouble = regexp.MustCompile(`(?i)dns error|failed to lookup|name resolution|getaddrinfo|` +
		`network is unreachable|connection refused|connection reset|timed out|failed to establish|` +
		`error sending request|failed to fetch|NewConnectionError|ProxyError|\btls\b|SSLError|certificate verify`)
	diskTrouble = regexp.MustCompile(`(?i)no space left|disk full|not enough space|disk quota`)
)

func isNetwork(err error) bool {
	step, ok := errors.AsType[*stepError](err)
	return ok && networkTrouble.MatchString(step.output) && !diskTrouble.MatchString(step.output)
}

func isDiskFull(err error) bool {
	step, ok := errors.AsType[*stepError](err)
	return ok && diskTrouble.MatchString(step.output)
}

// adviceError says what to do about a failure, in place of what the failed step printed, which
// stands in its log.
type adviceError struct {
	text  string
	cause *stepError
}

func (e *adviceError) Error() string { return e.text + " (details: " + e.cause.log + ")" }

func (e *adviceError) Unwrap() error { return e.cause }

// explain says what to do about the two failures that have nothing to do with us.
func explain(err error) error {
	step, _ := errors.AsType[*stepError](err)
	switch {
	case isDiskFull(err):
		return &adviceError{"the disk is full: make room and start again, it goes on where it was, " +
			"or set BABYAPI_LOCAL_CACHE to a folder on another disk", step}
	case isNetwork(err):
		return &adviceError{"the package index cannot be reached, and the first run downloads about 350 MB " +
			"(later runs need no network): check the connection, behind a proxy set HTTPS_PROXY, " +
			"with a mirror set PIP_INDEX_URL and UV_DEFAULT_INDEX, and start again, it goes on where it was", step}
	}
	return err
}
