package babyclient

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Do calls any endpoint that this package has no method for, with the same key, errors,
// retries and limits. The path is relative to the base URL and may hold a query:
//
//	in := map[string]any{"model": m, "text_1": a, "text_2": b}
//	err := c.Do(ctx, "POST", "/v1/score", in, &out)
//
// in is sent as JSON unless it is nil. out takes the answer: nil drops it, an [io.Writer] gets
// its bytes as they come, a *[json.RawMessage] gets it undecoded, anything else is decoded into.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	k, err := doCall(strings.ToUpper(method), path, in)
	if err != nil {
		return err
	}
	w, toWriter := out.(io.Writer)
	k.toWriter = toWriter
	resp, err := c.send(ctx, k, opts)
	if err != nil {
		return err
	}
	if toWriter {
		return resp.copyTo(w)
	}
	raw, failed := resp.readAll()
	if failed != nil {
		return failed
	}
	if out == nil {
		return nil
	}
	if err := decodeStrictly(raw, out); err != nil {
		return resp.fail.unusable(resp.Meta, raw, err)
	}
	if embedsMeta, ok := out.(interface{ meta() *Meta }); ok {
		*embedsMeta.meta() = resp.Meta
		embedsMeta.meta().Raw = raw
	}
	return nil
}

func doCall(method, path string, in any) (*call, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if !isToken(method) {
		return nil, invalid(CodeInvalidRequest, "method %q is no HTTP method", method)
	}
	k := &call{method: method, path: path}
	if in == nil {
		return k, nil
	}
	body, err := encodeBody(in, nil)
	if err == nil && wantsStream(body) {
		err = errStreamMethod
	}
	if err != nil {
		return nil, withOp(k.op(), err)
	}
	k.body = jsonBody(body)
	return k, nil
}

func checkPath(path string) error {
	bad := func(why string) error {
		return invalid(CodeInvalidRequest, "path %q %s: give a path below the base URL, such as /v1/models",
			publicURL(path), why)
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return bad("does not begin with one slash")
	}
	u, err := url.Parse(path)
	if err != nil {
		return bad("cannot be parsed")
	}
	if slices.Contains(strings.Split(u.Path, "/"), "..") {
		return bad(`holds ".."`)
	}
	return nil
}
