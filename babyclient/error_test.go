package babyclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// The shapes of an error body, row by row.
func TestErrorBodies(t *testing.T) {
	tests := []struct {
		body               string
		message, code, typ string
	}{
		{`{"error":{"message":"m","type":"t","code":"c"}}`, "m", "c", "t"},
		{`{"error":{"message":"m","type":"t","code":400}}`, "m", "400", "t"},
		{`{"error":{"message":"m"},"code":"c","type":"t"}`, "m", "c", "t"},
		{`{"error":{"code":"c"},"message":"m"}`, "m", "c", ""},
		{`{"error":{},"message":"m","code":"c","type":"t"}`, "m", "c", "t"},
		{`{"error":"m"}`, "m", "", ""},
		{`{"error":"m","code":"c","type":"t"}`, "m", "c", "t"},
		{`{"error":"CODE","message":"m"}`, "m", "CODE", ""},
		{`{"error":"CODE","message":"m","code":"c"}`, "m", "c", ""},
		{`{"error":true,"message":"m"}`, "m", "", ""},
		{`{"error":null,"message":"m"}`, "m", "", ""},
		{`{"message":"m"}`, "m", "", ""},
		{`{"message":"m","code":7,"type":"t"}`, "m", "7", "t"},
		{`{"detail":"m"}`, "m", "", ""},
		{`{"detail":[{"msg":"m"}]}`, `[{"msg":"m"}]`, "", ""},
		{`{"detail":{"a":1}}`, `{"a":1}`, "", ""},
		{`{"detail":null}`, "HTTP 418", "", ""},
		{`{"error":{"message":"  "}}`, "HTTP 418", "", ""},
		{`{}`, "HTTP 418", "", ""},
		{`[]`, "HTTP 418", "", ""},
		{`<html>bad gateway</html>`, "HTTP 418", "", ""},
		{``, "HTTP 418", "", ""},
		{"\xff\xfe", "HTTP 418", "", ""},
		{`[{"error":{"message":"m","code":400,"status":"S"}}]`, "m", "400", ""},
		{`[{"message":"a"},{"message":"b"},{"message":"a"}]`, "a; b", "", ""},
		{`["a","b"]`, "a; b", "", ""},
		{`{"error":{"error":{"message":"m","type":"t"}}}`, "m", "", "t"},
		{`{"error":{"error":{"error":{"error":"m"}}}}`, "m", "", ""},
		{`{"error":{"code":"c","error":"m"}}`, "m", "c", ""},
		{`{"msg":"m","code":1}`, "m", "1", ""},
		{`{"Message":"m","Code":"c"}`, "m", "c", ""},
		{`{"Error":{"Message":"m","Type":"t"}}`, "m", "", "t"},
		{`{"errorMessage":"m"}`, "m", "", ""},
		{`{"error_code":17,"error_msg":"m"}`, "m", "17", ""},
		{`{"error":[{"message":"m","code":"c"}]}`, "m", "c", ""},
		{`{"error":{"errors":[{"message":"m"}],"code":400}}`, "m", "400", ""},
		{`{"error":{"message":{"text":"x","message":"m"}}}`, "m", "", ""},
		{`{"error":"{\"error\":{\"message\":\"m\"}}"}`, "m", "", ""},
		{`{"fault":{"faultstring":"m","detail":{"errorcode":"c"}}}`, "m", "", ""},
		{`{"fault":{"faultstring":"m"}}`, "m", "", ""},
		{`{"base_resp":{"status_code":1008,"status_msg":"m"}}`, "m", "", ""},
		{`{"detail":{"message":"m"}}`, "m", "", ""},
		{`{"message":"","error":"m"}`, "m", "", ""},
		{`{"message":"m","Message":"n"}`, "m", "", ""},
		{`<?xml version="1.0"?><Error><Code>C</Code><Message>m &lt;n&gt;</Message></Error>`, "m <n>", "", ""},
		{"<?xml version='1.0'?>\n<html><title>m</title></html>", "m", "", ""},
		{"<!-- two\nlines --><html><h2>m</h2></html>", "m", "", ""},
		{"<meta charset=utf-8><title>m</title>", "m", "", ""},
		{`{"errors":["a","b"]}`, "a; b", "", ""},
		{`{"errors":[{"message":"a"},{"msg":"b"}]}`, "a; b", "", ""},
		{`{"errors":{"model":["is required","is blank"],"n":["too large"]}}`,
			"model: is required, is blank; n: too large", "", ""},
		{`{"title":"One or more errors","errors":{"model":["is required"]}}`, "model: is required", "", ""},
		{`{"title":"m","status":400}`, "m", "", ""},
		{`{"error":"invalid_client","error_description":"m"}`, "invalid_client", "", ""},
		{`"m"`, "m", "", ""},
		{`"{\"error\":{\"message\":\"m\",\"code\":\"c\"}}"`, "m", "c", ""},
		{`{"detail":"{\"a\":1}"}`, `{"a":1}`, "", ""},
		{"m", "m", "", ""},
		{" Internal Server Error\n", "Internal Server Error", "", ""},
		{"upstream connect error or disconnect/reset before headers", "upstream connect error or " +
			"disconnect/reset before headers", "", ""},
		{"caf\xe9 is closed, and was closed before", "caf\ufffd is closed, and was closed before", "", ""},
		{"\x00\x01\x02\x03PK", "HTTP 418", "", ""},
		{"<html>\r\n<head><title>502 Bad Gateway</title></head><body><h1>x</h1></body></html>", "502 Bad Gateway", "", ""},
		{"<!DOCTYPE html><html lang=en><title>\n api.host | 522: Connection\ttimed out &amp; more</title>",
			"api.host | 522: Connection timed out & more", "", ""},
		{"<h1>Bad request</h1>", "Bad request", "", ""},
		{"<pre>no words</pre>", "HTTP 418", "", ""},
		{"<!-- c --><html><title></title><body><h1>Too <b>many</b></h1>", "Too many", "", ""},
		{"<html><body>nothing that says what it is</body></html>", "HTTP 418", "", ""},
		{`<error>m</error>`, `<error>m</error>`, "", ""},
		{`true`, "HTTP 418", "", ""},
		{`12`, "HTTP 418", "", ""},
		{strings.Repeat("é", 1500), strings.Repeat("é", 1000) + "…", "", ""},
		{`{"error":{"message":"` + strings.Repeat("m", 5000) + `"}}`, strings.Repeat("m", 2000) + "…", "", ""},
		{strings.Repeat(`{"error":`, 50000) + `"m"` + strings.Repeat(`}`, 50000), // encoding/json gives up
			strings.Repeat(`{"error":`, 300)[:2000] + "…", "", ""},
		{strings.Repeat(`{"error":`, 5000) + `"m"` + strings.Repeat(`}`, 5000), "HTTP 418", "", ""},
		{strings.Repeat(`[`, 5000) + `"m"` + strings.Repeat(`]`, 5000), "HTTP 418", "", ""},
	}
	for _, tt := range tests {
		srv := server(t)
		srv.On("POST /infer", babytest.WithHeader(babytest.JSON(418, tt.body), "X-Request-Id", "r1"))
		err := calls["POST"](t.Context(), client(srv))
		e := fails(t, err)
		if e.Message != tt.message || e.Code != tt.code || e.Type != tt.typ {
			t.Errorf("%s: message %q, code %q, type %q", tt.body, e.Message, e.Code, e.Type)
		}
		if e.StatusCode != 418 || e.RequestID != "r1" || e.Details != strings.ToValidUTF8(tt.body, "\ufffd") ||
			e.Header.Get("X-Request-Id") != "r1" ||
			e.Op != "POST /infer" {
			t.Errorf("%s: %+v", tt.body, e)
		}
		for _, part := range []string{"POST /infer", "418", tt.message, "r1"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in %q", part, err)
			}
		}
	}
}

// What kind of failure an error is.
func TestSentinels(t *testing.T) {
	all := map[string]error{
		"key": babyclient.ErrAPIKeyRequired, "invalid": babyclient.ErrInvalidRequest,
		"unauthorized": babyclient.ErrUnauthorized,
		"not found":    babyclient.ErrNotFound, "rate": babyclient.ErrRateLimited, "quota": babyclient.ErrQuotaExceeded,
		"unavailable": babyclient.ErrUnavailable,
		"timeout":     babyclient.ErrTimeout, "connection": babyclient.ErrConnection,
		"truncated": babyclient.ErrStreamTruncated, "stream": babyclient.ErrStreamFailed,
		"response": babyclient.ErrInvalidResponse, "large": babyclient.ErrResponseTooLarge,
		"task": babyclient.ErrTaskFailed, "lost": babyclient.ErrTaskLost,
		"document": babyclient.ErrDocumentFailed, "partial": babyclient.ErrPartialSuccess,
		"chunks": babyclient.ErrNoChunks, "running": babyclient.ErrJobRunning,
		"canceled": context.Canceled, "deadline": context.DeadlineExceeded, "eof": io.ErrUnexpectedEOF,
	}
	tests := []struct {
		e    babyclient.Error
		want string
	}{
		{babyclient.Error{StatusCode: 400}, "invalid"},
		{babyclient.Error{StatusCode: 422}, "invalid"},
		{babyclient.Error{StatusCode: 401}, "unauthorized"},
		{babyclient.Error{StatusCode: 403}, "unauthorized"},
		{babyclient.Error{StatusCode: 402}, "quota"},
		{babyclient.Error{StatusCode: 404}, "not found"},
		{babyclient.Error{StatusCode: 404, Code: babyclient.CodeDoclingTaskLost}, "lost"},
		{babyclient.Error{StatusCode: 404, Code: babyclient.CodeDoclingTaskFailed}, "task"},
		{babyclient.Error{StatusCode: 404, Code: babyclient.CodeJobRunning}, "running"},
		{babyclient.Error{StatusCode: 408}, "timeout"},
		{babyclient.Error{StatusCode: 429}, "rate"},
		{babyclient.Error{StatusCode: 429, Code: "MONTHLY_LIMIT_REACHED"}, "rate quota"},
		{babyclient.Error{StatusCode: 429, Type: "insufficient_quota"}, "rate quota"},
		{babyclient.Error{StatusCode: 500}, ""},
		{babyclient.Error{StatusCode: 502}, "unavailable"},
		{babyclient.Error{StatusCode: 503}, "unavailable"},
		{babyclient.Error{StatusCode: 504}, "unavailable timeout"},
		{babyclient.Error{StatusCode: 519}, ""},
		{babyclient.Error{StatusCode: 520}, "unavailable"},
		{babyclient.Error{StatusCode: 522}, "unavailable"},
		{babyclient.Error{StatusCode: 524}, "unavailable timeout"},
		{babyclient.Error{StatusCode: 530}, "unavailable"},
		{babyclient.Error{StatusCode: 531}, ""},
		{babyclient.Error{Code: babyclient.CodeAPIKeyRequired}, "key invalid"},
		{babyclient.Error{Code: babyclient.CodePromptRequired}, "invalid"},
		{babyclient.Error{Code: babyclient.CodeModelRequired}, "invalid"},
		{babyclient.Error{Code: babyclient.CodeInvalidOptions}, "invalid"},
		{babyclient.Error{Code: babyclient.CodeInvalidResponse, StatusCode: 200}, "response"},
		{babyclient.Error{Code: babyclient.CodeTimeout}, "timeout"},
		{babyclient.Error{Code: babyclient.CodePollTimeout}, "timeout"},
		{babyclient.Error{Code: babyclient.CodeConnectionError}, "connection"},
		{babyclient.Error{Code: babyclient.CodeStreamTruncated, StatusCode: 200}, "truncated eof"},
		{babyclient.Error{Code: babyclient.CodeStreamError, StatusCode: 200}, "stream"},
		{babyclient.Error{Code: babyclient.CodeResponseTooLarge, StatusCode: 200}, "large"},
		{babyclient.Error{Code: babyclient.CodeOCRJobFailed}, "task"},
		{babyclient.Error{Code: babyclient.CodeNoChunks}, "chunks"},
		{
			babyclient.Error{
				Code: babyclient.CodeDoclingDocumentFailed,
				Err:  &babyclient.DocumentError{Status: "partial_success"},
			},
			"document partial",
		},
		{
			babyclient.Error{
				Code: babyclient.CodeDoclingDocumentFailed,
				Err:  &babyclient.DocumentError{Status: "failure"},
			},
			"document",
		},
		{babyclient.Error{Err: context.Canceled}, "canceled"},
	}
	for _, tt := range tests {
		for name, sentinel := range all {
			if got, want := errors.Is(&tt.e, sentinel), strings.Contains(" "+tt.want+" ", " "+name+" "); got != want {
				t.Errorf("%+v is %q: %t", tt.e, name, got)
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	tests := map[string]babyclient.Error{
		"babyapi: POST /infer: 429 RATE: slow down (retry after 1.5s) (request id r1)": {
			Op:         "POST /infer",
			StatusCode: 429,
			Code:       "RATE",
			Message:    "slow down",
			RetryAfter: 1500 * time.Millisecond,
			RequestID:  "r1",
		},
		"babyapi: 404 NotFoundError: no such model": {
			StatusCode: 404,
			Code:       "404",
			Type:       "NotFoundError",
			Message:    "no such model",
		},
		"babyapi: 404 Not Found: gone": {StatusCode: 404, Code: "404", Message: "gone"},
		"babyapi: POST /x: the answer has no choices": {
			Op:         "POST /x",
			StatusCode: 200,
			Code:       babyclient.CodeInvalidResponse,
			Message:    "the answer has no choices",
		},
		"babyapi: timeout 0s must be positive": {
			Code:    babyclient.CodeInvalidTimeout,
			Message: "timeout 0s must be positive",
		},
		"babyapi: GET /v1/models: 503 overloaded: busy": {
			Op:         "GET /v1/models",
			StatusCode: 503,
			Type:       "overloaded",
			Message:    "busy",
		},
	}
	for want, e := range tests {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The details are limited, and the rest of an endless error body is not waited for.
func TestEndlessErrorBody(t *testing.T) {
	srv := server(t)
	srv.On("POST /infer", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	}))
	if e := fails(t, calls["POST"](t.Context(), client(srv))); len(e.Details) != 1<<20 || e.StatusCode != 500 {
		t.Errorf("status %d, %d bytes of details", e.StatusCode, len(e.Details))
	}
}

// An error whose body breaks off is still the error that its status says.
func TestCutErrorBody(t *testing.T) {
	srv := server(t)
	srv.On("POST /infer", babytest.Cut(babytest.JSON(401, `{"error":"Unauthorized"}`), -5))
	err := calls["POST"](t.Context(), client(srv))
	if e := fails(t, err); !errors.Is(err, babyclient.ErrUnauthorized) || e.Details != `{"error":"Unauthori` ||
		!errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("details %q: %v", e.Details, err)
	}
}

// A long list of errors costs no more than reading it.
func TestManyErrors(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"errors":[`)
	for i := range 100_000 {
		fmt.Fprintf(&body, `"%06d",`, i)
	}
	body.WriteString(`"last"]}`)
	srv := server(t)
	srv.On("POST /infer", babytest.JSON(400, body.String()))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e := fails(t, calls["POST"](ctx, client(srv)))
	if !strings.HasPrefix(e.Message, "000000; 000001; ") || len(e.Message) > 2100 || e.StatusCode != 400 {
		t.Errorf("%d bytes of message, status %d", len(e.Message), e.StatusCode)
	}
}
