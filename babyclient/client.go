package babyclient

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// Version is the version of this client, as sent in the User-Agent header.
const Version = "0.1.0"

// Client speaks to one BabyAPI service, or to anything that speaks its wire.
// It is safe for concurrent use and meant to be kept: it holds the pool of connections.
// Make one with [New].
type Client struct {
	// Docling converts and chunks documents.
	Docling *Docling
	// OCR reads documents with an OCR model of the account.
	OCR *OCR

	config
	baseText      string      // of base
	refusesBase64 atomic.Bool // the service has refused embeddings in base64
}

// New makes a client. What no option gives is taken from the environment: the key from
// BABYAPI_API_KEY, else BABY_API_KEY; the base URL from BABYAPI_BASE_URL, else
// [DefaultBaseURL]; the default model from BABYAPI_DEFAULT_MODEL.
//
// A missing key is not an error here but at the first call ([ErrAPIKeyRequired]).
func New(opts ...Option) (*Client, error) {
	c := &Client{config: config{
		defaults:        settings{maxRetries: DefaultMaxRetries},
		retryBaseDelay:  DefaultRetryBaseDelay,
		retryPolicy:     DefaultRetryPolicy,
		maxResponseSize: DefaultMaxResponseSize,
	}}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyClient(&c.config); err != nil {
			return nil, err
		}
	}
	if err := c.fromEnvironment(); err != nil {
		return nil, err
	}
	if c.http == nil {
		c.http = &http.Client{Transport: newTransport(c.base.Scheme)}
	}
	c.http.CheckRedirect = checkRedirect(c.crossHost, c.http.CheckRedirect)
	c.baseText = c.base.String()
	c.Docling = &Docling{c: c}
	c.OCR = &OCR{c: c}
	return c, nil
}

// fromEnvironment sets what no option has set.
func (c *config) fromEnvironment() error {
	if c.defaults.apiKey == "" {
		if err := WithAPIKey(firstEnv("BABYAPI_API_KEY", "BABY_API_KEY")).applyClient(c); err != nil {
			return err
		}
	}
	if c.defaultModel == "" {
		c.defaultModel = firstEnv("BABYAPI_DEFAULT_MODEL")
	}
	if c.base != nil {
		return nil
	}
	base := firstEnv("BABYAPI_BASE_URL")
	if base == "" {
		base = DefaultBaseURL
	}
	return WithBaseURL(base).applyClient(c)
}

func firstEnv(names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v
		}
	}
	return ""
}

// BaseURL is the URL that the paths of the calls are appended to, without a trailing slash.
func (c *Client) BaseURL() string { return c.baseText }

// String names the client by its base URL. The key and the headers stand in no text that is made of
// a client.
func (c *Client) String() string {
	if c == nil {
		return "babyclient.Client(nil)"
	}
	return "babyclient.Client(" + c.baseText + ")"
}

// Format writes [Client.String] for every verb of package fmt, "%+v", "%#v" and "%d" among them.
func (c *Client) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// Redact replaces the client's key, and what else of its options is secret, in a text: for a
// program that hands on what a service has said. The errors of this package are without it already.
func (c *Client) Redact(text string) string {
	return c.errorsWith("", &c.defaults).secrets().redact(text)
}

// GoString is [Client.String].
func (c *Client) GoString() string { return c.String() }

// LogValue is [Client.String], for package log/slog.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CloseIdleConnections closes the pooled connections that no call uses, those of an
// http.Client given with [WithHTTPClient] included. The client stays usable.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// errorsWith is the error maker of a call with these settings.
func (c *Client) errorsWith(op string, s *settings) *errorMaker {
	return &errorMaker{op: op, host: c.base.Host, maxBytes: c.maxResponseSize, apiKey: s.apiKey, header: s.header}
}

// errorsWithOptions is the error maker of a call with these options.
func (c *Client) errorsWithOptions(op string, opts []CallOption) (*errorMaker, error) {
	s, err := c.defaults.withOptions(opts)
	if err != nil {
		return nil, withOp(op, err)
	}
	return c.errorsWith(op, s), nil
}

var (
	errRedirectMethod = errors.New("the redirect would turn the request into another method and lose its body: " +
		"set the base URL to where it leads")
	errBadLocation = errors.New("it leads to an address that cannot be parsed")
	errRedirectTLS = errors.New("the redirect leads from https to http, where anybody on the way could read it: " +
		"set the base URL to where it leads")
	errRedirectHost = errors.New("the redirect would take the body of the request to another host: " +
		"set the base URL to where it leads, or allow it with WithCrossHostRedirects")
	errTooManyRedirects = errors.New("stopped after 10 redirects")
)

// checkRedirect follows a redirect only if the request keeps its method and so its body, and never
// from https to http. It takes a body to another host only if crossHost allows it, and the key or a
// header of the caller never. next is the caller's own check, nil for none.
func checkRedirect(
	crossHost bool, next func(*http.Request, []*http.Request) error,
) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		origin := via[0]
		if req.Method != origin.Method {
			return errRedirectMethod
		}
		if len(via) >= 10 {
			return errTooManyRedirects
		}
		if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return errRedirectTLS
		}
		if !strings.EqualFold(req.URL.Host, origin.URL.Host) {
			if !isSafeMethod(req.Method) && !crossHost {
				return errRedirectHost
			}
			keepPublicHeaders(req.Header)
		}
		if next != nil {
			return next(req, via)
		}
		return nil
	}
}

// keepPublicHeaders deletes every header that can tell a stranger something about the caller.
func keepPublicHeaders(h http.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Encoding", "Content-Type", "User-Agent":
		default:
			delete(h, name) // not h.Del: a name can be in lower case
		}
	}
}
