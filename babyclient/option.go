package babyclient

import (
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultBaseURL is where the hosted service answers.
const DefaultBaseURL = "https://api.babyapi.org"

// Defaults that [New] starts from.
const (
	DefaultTimeout         = 60 * time.Second       // of a JSON call, for each attempt
	DefaultDocumentTimeout = 5 * time.Minute        // at least, for an upload, a conversion, a chunking or OCR
	DefaultMaxRetries      = 2                      // after the first attempt
	DefaultRetryBaseDelay  = 250 * time.Millisecond // doubled at each further retry
	DefaultMaxResponseSize = 256 << 20              // bytes, after decompression
)

// An Option configures a client at [New].
type Option interface{ applyClient(*config) error }

// A CallOption changes one call. Given to Wait of a job, it changes each poll, and the request for
// the result.
type CallOption interface {
	WaitOption
	applyCall(*settings) error
}

// A SharedOption is both an [Option], for all calls, and a [CallOption], for one call, which wins.
type SharedOption interface {
	Option
	CallOption
}

// A WaitOption changes how Wait waits for a job: [WithPollInterval], [WithPollTimeout], [OnPoll],
// and every [CallOption].
type WaitOption interface{ isWaitOption() }

// config is what the options of [New] set.
type config struct {
	defaults        settings
	base            *url.URL // nil: from the environment
	http            *http.Client
	httpTimeout     time.Duration // of the caller's http.Client: the default of calls that do not stream
	defaultModel    string
	retryBaseDelay  time.Duration
	retryPolicy     RetryPolicy
	maxResponseSize int64 // bytes
	crossHost       bool  // a redirect may take a body to another host
	logger          *slog.Logger
}

// settings are what the client has defaults for and each call may change.
type settings struct {
	apiKey        string
	timeout       time.Duration // 0: not set
	timeoutOfCall bool          // the call itself set timeout, and not New
	streamIdle    time.Duration // 0: no limit
	idleOfCall    bool          // the call itself set streamIdle, and not New
	maxRetries    int
	asDocument    bool
	header        http.Header // canonical names; copied before each change, since calls share it
}

// withOptions are the settings of one call.
func (s settings) withOptions(opts []CallOption) (*settings, error) {
	s.timeoutOfCall, s.idleOfCall = false, false
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyCall(&s); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

type clientOption func(*config) error

func (o clientOption) applyClient(c *config) error { return o(c) }

type callOption func(*settings) error

func (o callOption) applyCall(s *settings) error { return o(s) }
func (callOption) isWaitOption()                 {}

type sharedOption func(*settings) error

func (o sharedOption) applyClient(c *config) error { return o(&c.defaults) }
func (o sharedOption) applyCall(s *settings) error { return o(s) }
func (sharedOption) isWaitOption()                 {}

// WithAPIKey sets the key, sent as "Authorization: Bearer KEY". Default: BABYAPI_API_KEY,
// else BABY_API_KEY.
func WithAPIKey(key string) SharedOption {
	return sharedOption(func(s *settings) error {
		key := strings.TrimSpace(key)
		if !validHeaderValue(key) {
			return invalid(CodeInvalidHeaders,
				"API key holds a character that no header may carry (a line break?): check where it is read from")
		}
		s.apiKey = key
		return nil
	})
}

// WithBaseURL sets the URL of the service. A path is kept as a prefix. Trailing slashes are
// dropped, and one "/v1" at the end, which people give as for OpenAI's clients: the paths of the
// calls have it. Default: BABYAPI_BASE_URL, else [DefaultBaseURL].
func WithBaseURL(base string) Option {
	return clientOption(func(c *config) error {
		u, err := parseBaseURL(base)
		if err != nil {
			return err
		}
		c.base = u
		return nil
	})
}

func parseBaseURL(s string) (*url.URL, error) {
	const want = "want an absolute http or https URL such as " + DefaultBaseURL
	s = strings.TrimRight(strings.TrimSpace(s), "/")
	u, err := url.Parse(s)
	if err != nil {
		// The error of url.Parse quotes its input, which may hold a password.
		return nil, invalid(CodeInvalidRequest, "base URL cannot be parsed: %s", want)
	}
	if u.User != nil {
		return nil, invalid(CodeInvalidRequest,
			"base URL holds user information, which would travel in logs and errors: use WithAPIKey or WithHeader")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid(CodeInvalidRequest, "base URL %q has no http or https scheme: %s", publicURL(s), want)
	case u.Host == "":
		return nil, invalid(CodeInvalidRequest, "base URL %q has no host: %s", publicURL(s), want)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, invalid(CodeInvalidRequest, "base URL %q has a query or a fragment: %s", publicURL(s), want)
	}
	return withoutVersion(u), nil
}

// withoutVersion drops one "/v1" from the end of the path, and the slashes before it.
func withoutVersion(u *url.URL) *url.URL {
	path, had := strings.CutSuffix(u.EscapedPath(), "/v1")
	if !had {
		return u
	}
	out := *u
	out.RawPath = strings.TrimRight(path, "/")
	out.Path, _ = url.PathUnescape(out.RawPath) // it is part of a path that was parsed
	return &out
}

// WithHTTPClient makes the client send through hc, for a proxy, TLS settings or
// instrumentation. hc is copied, never changed. Its Timeout becomes the default of
// [WithTimeout] and does not cut streams. Its CheckRedirect is asked after this package's own.
func WithHTTPClient(hc *http.Client) Option {
	return clientOption(func(c *config) error {
		if hc == nil {
			return invalid(CodeInvalidRequest, "WithHTTPClient(nil): leave the option out to use the client's own")
		}
		own := *hc
		c.httpTimeout, own.Timeout = own.Timeout, 0
		c.http = &own
		return nil
	})
}

// WithCrossHostRedirects lets a redirect take the body of a request, such as a prompt or a
// document, to another host. The key and the headers of the caller stay here. Default: such a
// redirect is an error. A redirect from https to http always is one.
func WithCrossHostRedirects() Option {
	return clientOption(func(c *config) error {
		c.crossHost = true
		return nil
	})
}

// WithTimeout limits one request. It must be positive. What it limits:
//
//   - a plain call, from sending to the last byte of the answer, for each attempt. The default is
//     [DefaultTimeout], and at least [DefaultDocumentTimeout] for an upload, a conversion, a
//     chunking or OCR, unless the call itself is given a timeout;
//   - a stream, between two bytes, if it is given to that call. A [WithStreamIdleTimeout] of the
//     same call wins over it, and of one given to [New] the shorter counts. Given to [New], it does
//     not limit streams;
//   - each poll of a job, if it is given to Wait. [WithPollTimeout] limits the wait itself.
func WithTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d <= 0 {
			return invalid(CodeInvalidTimeout, "timeout %s must be positive", d)
		}
		s.timeout, s.timeoutOfCall = d, true
		return nil
	})
}

// WithStreamIdleTimeout limits how long a stream may go without a byte. The time that the caller
// takes to handle an event does not count. Default, and 0: no limit.
func WithStreamIdleTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return invalid(CodeInvalidTimeout, "stream idle timeout %s must not be negative (0 means no limit)", d)
		}
		s.streamIdle, s.idleOfCall = d, true
		return nil
	})
}

// AsDocument gives one call of [Client.Do] what the calls of [Docling] have:
// [DefaultDocumentTimeout] at least, and errors in the words of documents.
func AsDocument() CallOption {
	return callOption(func(s *settings) error {
		s.asDocument = true
		return nil
	})
}

// WithMaxRetries sets how often a call that provably did not run is sent again. Default:
// [DefaultMaxRetries]; 0 turns retries off.
func WithMaxRetries(n int) SharedOption {
	return sharedOption(func(s *settings) error {
		if n < 0 {
			return invalid(CodeInvalidMaxRetries, "max retries %d must not be negative (0 turns retries off)", n)
		}
		s.maxRetries = n
		return nil
	})
}

// WithRetryBaseDelay sets the delay before the first retry; it doubles at each further one,
// with a jitter of 20 %. A Retry-After of the service replaces it. Default:
// [DefaultRetryBaseDelay].
func WithRetryBaseDelay(d time.Duration) Option {
	return clientOption(func(c *config) error {
		if d < 0 {
			return invalid(CodeInvalidInterval, "retry base delay %s must not be negative", d)
		}
		c.retryBaseDelay = d
		return nil
	})
}

// WithRetryPolicy replaces [DefaultRetryPolicy]. The number of retries and the delays stay
// the client's; an upload and a stream that has begun are never sent again whatever it says.
func WithRetryPolicy(p RetryPolicy) Option {
	return clientOption(func(c *config) error {
		if p == nil {
			return invalid(CodeInvalidRequest, "WithRetryPolicy(nil): use WithMaxRetries(0) to turn retries off")
		}
		c.retryPolicy = p
		return nil
	})
}

// WithDefaultModel sets the model of chat, completions and infer calls that name none; never
// of embeddings and rerank, where a wrong model would spoil an index in silence. Default:
// BABYAPI_DEFAULT_MODEL.
func WithDefaultModel(model string) Option {
	return clientOption(func(c *config) error {
		c.defaultModel = strings.TrimSpace(model)
		return nil
	})
}

// WithHeader sets a header of every request, or of one; the one of the call wins. It cannot
// replace Authorization, which [WithAPIKey] sets.
func WithHeader(name, value string) SharedOption {
	return sharedOption(func(s *settings) error {
		if !isToken(name) {
			return invalid(CodeInvalidHeaders, "header name %q is not valid", name)
		}
		if !validHeaderValue(value) {
			return invalid(CodeInvalidHeaders,
				"the value of header %q holds a character that no header may carry (a line break?)", name)
		}
		h := s.header.Clone()
		if h == nil {
			h = http.Header{}
		}
		h.Set(name, value)
		s.header = h
		return nil
	})
}

// WithMaxResponseSize limits the bytes of one answer after decompression, so that no answer
// can exhaust the memory. Default: [DefaultMaxResponseSize]. Streams are limited per event
// instead ([MaxEventSize]).
func WithMaxResponseSize(bytes int64) Option {
	return clientOption(func(c *config) error {
		if bytes <= 0 || bytes == math.MaxInt64 {
			return invalid(CodeInvalidRequest, "max response size %d must be a positive number of bytes", bytes)
		}
		c.maxResponseSize = bytes
		return nil
	})
}

// WithLogger logs every attempt (debug) and every retry (warning): method, path, status,
// attempt, duration, bytes, request id. Never a key, a header or a body.
func WithLogger(l *slog.Logger) Option {
	return clientOption(func(c *config) error {
		c.logger = l
		return nil
	})
}

// isToken reports whether s is a token, as methods and the names of headers are (RFC 9110,
// section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// validHeaderValue reports whether net/http would send value (RFC 9110, section 5.5).
func validHeaderValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}
