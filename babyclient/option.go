package babyclient

import (
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"
)

// An Option configures a client at [New].
type Option interface{ applyClient(*Client) error }

// A CallOption changes one call. Those that [New] takes too are a [SharedOption].
type CallOption interface{ applyCall(*settings) error }

// A SharedOption is both an [Option], for all calls, and a [CallOption], for one: the one
// of the call wins.
type SharedOption interface {
	Option
	CallOption
}

// settings is what a client has a default for and a call may change.
type settings struct {
	apiKey     string
	timeout    time.Duration // 0: not set
	ownTimeout bool          // the call itself set timeout
	streamIdle time.Duration // 0: no limit
	maxRetries int
	header     http.Header // canonical names; never changed once set, always copied
}

type clientOption func(*Client) error

func (o clientOption) applyClient(c *Client) error { return o(c) }

type sharedOption func(*settings) error

func (o sharedOption) applyClient(c *Client) error { return o(&c.defaults) }
func (o sharedOption) applyCall(s *settings) error { return o(s) }

// WithAPIKey sets the key, sent as "Authorization: Bearer KEY". Default: BABYAPI_API_KEY,
// else BABY_API_KEY.
func WithAPIKey(key string) SharedOption {
	return sharedOption(func(s *settings) error {
		key := strings.TrimSpace(key)
		if !validHeaderValue(key) {
			return invalid(CodeInvalidHeaders, "API key holds a character that no header may carry (a line break?): check where it is read from")
		}
		s.apiKey = key
		return nil
	})
}

// WithBaseURL sets the URL of the service. A path is kept as a prefix, trailing slashes are
// dropped. Default: BABYAPI_BASE_URL, else [DefaultBaseURL].
func WithBaseURL(base string) Option {
	return clientOption(func(c *Client) error {
		u, err := parseBaseURL(base)
		if err != nil {
			return err
		}
		c.base = u
		return nil
	})
}

// WithHTTPClient makes the client send through hc, for a proxy, TLS settings or
// instrumentation. hc is copied, never changed. Its Timeout becomes the default of
// [WithTimeout] and does not cut streams; its CheckRedirect is asked after this package's own.
func WithHTTPClient(hc *http.Client) Option {
	return clientOption(func(c *Client) error {
		if hc == nil {
			return invalid(CodeInvalidRequest, "WithHTTPClient(nil): leave the option out to use the client's own")
		}
		own := *hc
		c.httpTimeout, own.Timeout = own.Timeout, 0
		c.http = &own
		return nil
	})
}

// WithTimeout limits each attempt of a call, from sending to the whole answer read.
// Default: [DefaultTimeout], and [DefaultDocumentTimeout] at least for uploads, conversions,
// chunking and OCR unless the call sets its own. Given to one stream call it means
// [WithStreamIdleTimeout]. It must be positive.
func WithTimeout(d time.Duration) SharedOption {
	return timeoutOption(d)
}

type timeoutOption time.Duration

func (o timeoutOption) applyClient(c *Client) error {
	if err := o.check(); err != nil {
		return err
	}
	c.defaults.timeout = time.Duration(o)
	return nil
}

func (o timeoutOption) applyCall(s *settings) error {
	if err := o.check(); err != nil {
		return err
	}
	s.timeout, s.ownTimeout = time.Duration(o), true
	return nil
}

func (o timeoutOption) check() error {
	if o <= 0 {
		return invalid(CodeInvalidTimeout, "timeout %s must be positive", time.Duration(o))
	}
	return nil
}

// WithStreamIdleTimeout limits how long a stream may go without a byte; the time that the
// caller takes to handle an event does not count. Default, and 0: no limit.
func WithStreamIdleTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		if d < 0 {
			return invalid(CodeInvalidTimeout, "stream idle timeout %s must not be negative (0 means no limit)", d)
		}
		s.streamIdle = d
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
	return clientOption(func(c *Client) error {
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
	return clientOption(func(c *Client) error {
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
	return clientOption(func(c *Client) error {
		c.defaultModel = strings.TrimSpace(model)
		return nil
	})
}

// WithHeader sets a header of every request, or of one; the one of the call wins. It cannot
// replace Authorization, which [WithAPIKey] sets.
func WithHeader(name, value string) SharedOption {
	return sharedOption(func(s *settings) error {
		if !validHeaderName(name) {
			return invalid(CodeInvalidHeaders, "header name %q is not valid", name)
		}
		if !validHeaderValue(value) {
			return invalid(CodeInvalidHeaders, "the value of header %q holds a character that no header may carry (a line break?)", name)
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
	return clientOption(func(c *Client) error {
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
	return clientOption(func(c *Client) error {
		c.logger = l
		return nil
	})
}

// validHeaderName reports whether name is a token (RFC 9110, section 5.1).
func validHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return name != ""
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
