package babyclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Version is the version of this client, as sent in the User-Agent header.
const Version = "0.1.0"

// DefaultBaseURL is where the hosted service answers.
const DefaultBaseURL = "https://api.babyapi.org"

// Defaults that [New] starts from.
const (
	DefaultTimeout         = 60 * time.Second       // of a JSON call, per attempt
	DefaultDocumentTimeout = 5 * time.Minute        // least for an upload, a conversion, a chunking or OCR
	DefaultMaxRetries      = 2                      // after the first attempt
	DefaultRetryBaseDelay  = 250 * time.Millisecond // doubled at each retry
	DefaultMaxResponseSize = 256 << 20              // bytes, after decompression
	connectTimeout         = 30 * time.Second
)

// Client speaks to one BabyAPI service, or to anything that speaks its wire.
// It is safe for concurrent use and meant to be kept: it holds the pool of connections.
// Make one with [New].
type Client struct {
	// Docling converts and chunks documents.
	Docling *Docling
	// OCR reads documents with an OCR model of the account.
	OCR *OCR

	base            *url.URL
	baseText        string // of base
	http            *http.Client
	connections     *connections  // of the client's own transport, nil for a caller's http.Client
	httpTimeout     time.Duration // the caller's http.Client.Timeout: a default for what is not a stream
	defaults        settings
	defaultModel    string
	retryBaseDelay  time.Duration
	retryPolicy     RetryPolicy
	maxResponseSize int64
	logger          *slog.Logger
	floatOnly       floatOnly
}

// New makes a client. What no option gives is taken from the environment: the key from
// BABYAPI_API_KEY, else BABY_API_KEY; the base URL from BABYAPI_BASE_URL, else
// [DefaultBaseURL]; the default model from BABYAPI_DEFAULT_MODEL.
//
// A missing key is not an error here but at the first call ([ErrAPIKeyRequired]).
func New(opts ...Option) (*Client, error) {
	c := &Client{
		defaults:        settings{maxRetries: DefaultMaxRetries},
		retryBaseDelay:  DefaultRetryBaseDelay,
		retryPolicy:     DefaultRetryPolicy,
		maxResponseSize: DefaultMaxResponseSize,
	}
	c.Docling = &Docling{c: c}
	c.OCR = &OCR{c: c}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyClient(c); err != nil {
			return nil, err
		}
	}
	if c.defaults.apiKey == "" {
		if err := WithAPIKey(firstEnv("BABYAPI_API_KEY", "BABY_API_KEY")).applyClient(c); err != nil {
			return nil, err
		}
	}
	if c.base == nil {
		base := firstEnv("BABYAPI_BASE_URL")
		if base == "" {
			base = DefaultBaseURL
		}
		if err := WithBaseURL(base).applyClient(c); err != nil {
			return nil, err
		}
	}
	c.baseText = c.base.String()
	if c.defaultModel == "" {
		c.defaultModel = firstEnv("BABYAPI_DEFAULT_MODEL")
	}
	if c.http == nil {
		c.connections = newConnections(c.base)
		c.http = &http.Client{Transport: newTransport(c.connections)}
	}
	c.http.CheckRedirect = checkRedirect(c.http.CheckRedirect)
	return c, nil
}

// BaseURL is the URL that the paths of the calls are appended to, without a trailing slash.
func (c *Client) BaseURL() string { return c.baseText }

// CloseIdleConnections closes the pooled connections that no call uses, those of an
// http.Client given with [WithHTTPClient] included. The client stays usable.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

func firstEnv(names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v
		}
	}
	return ""
}

// newTransport keeps as many idle connections as a busy program has callers: the two per
// host of http.DefaultTransport mean a new connection for almost every call under load.
func newTransport(connections *connections) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           connections.dial,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          2048,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   connectTimeout,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       2 << 10, // bytes; a call fits, and there may be thousands of connections
	}
}

var (
	errRedirectMethod = errors.New("the redirect would turn the request into another method and lose its body: set the base URL to where it leads")
	errTooManyHops    = errors.New("stopped after 10 redirects")
)

// checkRedirect follows a redirect only where the request stays what it is, and never takes
// the key or a header of the caller to another host or from https to http.
func checkRedirect(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		first := via[0]
		if req.Method != first.Method {
			return errRedirectMethod
		}
		if len(via) >= 10 {
			return errTooManyHops
		}
		if req.URL.Host != first.URL.Host || (first.URL.Scheme == "https" && req.URL.Scheme != "https") {
			for name := range req.Header {
				switch name {
				case "Accept", "Accept-Encoding", "Content-Type", "User-Agent":
				default:
					req.Header.Del(name)
				}
			}
		}
		if next != nil {
			return next(req, via)
		}
		return nil
	}
}

// Do calls any endpoint that this package has no method for, with the same key, errors,
// retries and limits. The path is relative to the base URL and may hold a query:
//
//	err := c.Do(ctx, "POST", "/v1/score", map[string]any{"model": m, "text_1": a, "text_2": b}, &out)
//
// in is sent as JSON unless it is nil. out takes the answer: nil drops it, an [io.Writer] gets
// its bytes, a *[json.RawMessage] gets it undecoded, anything else is decoded into.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	method = strings.ToUpper(method)
	call := &call{method: method, path: path}
	if err := checkPath(path); err != nil {
		return err
	}
	if !validHeaderName(method) { // both are a token
		return invalid(CodeInvalidRequest, "method %q is no HTTP method", method)
	}
	if in != nil {
		body, err := marshalBody(in, nil)
		if err != nil {
			return c.wrap(call, err)
		}
		if wantsStream(body) {
			return c.wrap(call, errStreamMethod)
		}
		call.body = jsonBody(body)
	}
	w, copied := out.(io.Writer)
	call.copied = copied
	resp, err := c.send(ctx, call, opts)
	if err != nil {
		return err
	}
	defer resp.close()
	if copied {
		if _, err := io.Copy(w, &resp.body); err != nil {
			return resp.fail(err)
		}
		return nil
	}
	raw, err := resp.readAll()
	if err != nil || out == nil {
		return err
	}
	return resp.decode(raw, out)
}

func checkPath(path string) error {
	bad := func(why string) error {
		return invalid(CodeInvalidRequest, "path %q %s: give a path below the base URL, such as /v1/models", path, why)
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return bad("does not begin with one slash")
	}
	u, err := url.Parse(path)
	if err != nil {
		return bad("cannot be parsed")
	}
	for element := range strings.SplitSeq(u.Path, "/") {
		if element == ".." {
			return bad(`holds ".."`)
		}
	}
	return nil
}

// endpoint is the URL of a path below the base. The path is escaped already.
func (c *Client) endpoint(path string) (*url.URL, error) {
	if c.base.RawPath != "" || strings.ContainsAny(path, "%?#") {
		return url.Parse(c.baseText + path)
	}
	u := *c.base // most paths mean themselves, and parsing is a twentieth of a short call
	u.Path += path
	return &u, nil
}

func parseBaseURL(s string) (*url.URL, error) {
	const want = "want an absolute http or https URL such as " + DefaultBaseURL
	s = strings.TrimRight(strings.TrimSpace(s), "/")
	u, err := url.Parse(s)
	if err != nil {
		// url.Parse quotes its input, which may hold a password.
		return nil, invalid(CodeInvalidRequest, "base URL cannot be parsed: %s", want)
	}
	if u.User != nil {
		return nil, invalid(CodeInvalidRequest, "base URL holds user information, which would travel in logs and errors: use WithAPIKey or WithHeader")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid(CodeInvalidRequest, "base URL %q has no http or https scheme: %s", s, want)
	case u.Host == "":
		return nil, invalid(CodeInvalidRequest, "base URL %q has no host: %s", s, want)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, invalid(CodeInvalidRequest, "base URL %q has a query or a fragment: %s", fmt.Sprintf("%s://%s%s", u.Scheme, u.Host, u.Path), want)
	}
	return u, nil
}
