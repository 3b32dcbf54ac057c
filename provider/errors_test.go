package provider_test

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

func testErrors(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.Handler
		code   llms.ErrorCode
		is     func(error) bool
		words  string
	}{
		"400": {babytest.JSON(400,
			`{"error":{"message":"bad value","type":"BadRequestError","code":400}}`), llms.ErrCodeInvalidRequest,
			llms.IsInvalidRequestError, "bad value"},
		"422, FastAPI": {babytest.JSON(422, `{"detail":[{"msg":"field required"}]}`), llms.ErrCodeInvalidRequest,
			llms.IsInvalidRequestError, "field required"},
		"context, vLLM": {babytest.JSON(400,
			`{"object":"error","message":"This model's maximum context length is 512 tokens.",`+
				`"type":"BadRequestError","code":400}`), llms.ErrCodeTokenLimit, llms.IsTokenLimitError, "512"},
		"context, OpenAI": {babytest.JSON(400, `{"error":{"message":"too long","code":"context_length_exceeded"}}`),
			llms.ErrCodeTokenLimit, llms.IsTokenLimitError, "too long"},
		"context, llama.cpp": {babytest.JSON(400,
			`{"error":{"code":400,"message":"request (18014 tokens) exceeds","type":"exceed_context_size_error"}}`),
			llms.ErrCodeTokenLimit, llms.IsTokenLimitError, "18014"},
		"401": {babytest.JSON(401, `{"error":"no such key: `+babytest.Key+`"}`),
			llms.ErrCodeAuthentication, llms.IsAuthenticationError, "no such key"},
		"403": {babytest.JSON(403, `{"detail":"forbidden"}`), llms.ErrCodeAuthentication,
			llms.IsAuthenticationError, "forbidden"},
		"402": {babytest.JSON(402, `{}`), llms.ErrCodeQuotaExceeded, llms.IsQuotaExceededError, "402"},
		"429, quota": {babytest.JSON(429, `{"error":{"message":"used up","code":"insufficient_quota"}}`),
			llms.ErrCodeQuotaExceeded, llms.IsQuotaExceededError, "used up"},
		"429, monthly": {babytest.JSON(429, `{"error":"MONTHLY_LIMIT_REACHED","message":"used up"}`),
			llms.ErrCodeQuotaExceeded, llms.IsQuotaExceededError, "used up"},
		"429": {babytest.WithHeader(babytest.JSON(429, `{"message":"slow down"}`), "Retry-After", "7"),
			llms.ErrCodeRateLimit, llms.IsRateLimitError, "7s"},
		"404": {babytest.JSON(404,
			`{"error":{"message":"The model x does not exist.","type":"NotFoundError"}}`), llms.ErrCodeResourceNotFound,
			nil, "does not exist"},
		"408": {babytest.JSON(408, `{}`), llms.ErrCodeTimeout, llms.IsTimeoutError, "408"},
		"504": {babytest.JSON(504, `{}`), llms.ErrCodeTimeout, llms.IsTimeoutError, "504"},
		"content filter": {babytest.JSON(400, `{"error":{"message":"blocked","code":"content_filter"}}`),
			llms.ErrCodeContentFilter, llms.IsContentFilterError, "blocked"},
		"500": {babytest.Body(500, "text/plain", []byte("oops")), llms.ErrCodeProviderUnavailable,
			llms.IsProviderUnavailableError, "500"},
		"501": {babytest.JSON(501, `{"message":"no OCR"}`), llms.ErrCodeNotImplemented,
			llms.IsNotImplementedError, "no OCR"},
		"503": {babytest.JSON(503, `{}`), llms.ErrCodeProviderUnavailable,
			llms.IsProviderUnavailableError, "503"},
		"no HTTP": {babytest.Garbage(), llms.ErrCodeProviderUnavailable, llms.IsProviderUnavailableError,
			"may have run"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []llms.CallOption{nil, onlyText()} {
				_, err := newLLM(t, chatServer(t, babytest.WithHeader(test.answer, "X-Request-Id",
					"r1"))).GenerateContent(t.Context(), human("x"), o)
				wantError(t, err, test.code, test.words)
				if test.is != nil && !test.is(err) {
					t.Errorf("the check of langchaingo for code %s does not recognize %v", test.code, err)
				}
				e, ok := errors.AsType[*babyclient.Error](err)
				if !ok {
					t.Fatalf("no *babyclient.Error in %v", err)
				}
				details := err.(*llms.Error).Details //nolint:errorlint // wantError has looked
				if e.StatusCode != 0 && (details["status_code"] != e.StatusCode || details["request_id"] != "r1") {
					t.Errorf("details %v, want status %d and request r1", details, e.StatusCode)
				}
			}
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	llm, err := provider.New(provider.WithBaseURL("http://"+l.Addr().String()), provider.WithToken(babytest.Key),
		provider.WithModel("m"),
		provider.WithClientOptions(babyclient.WithMaxRetries(0)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = llm.GenerateContent(t.Context(), human("x"))
	wantError(t, err, llms.ErrCodeProviderUnavailable, "cannot connect")
}

func testRetries(t *testing.T) {
	run := func(t *testing.T, options []llms.CallOption, answers ...http.Handler) (int, time.Duration, error) {
		t.Helper()
		var requests int
		var took time.Duration
		var err error
		synctest.Test(t, func(t *testing.T) {
			srv := babytest.NewPipeServer()
			defer srv.Close()
			srv.On(chatPath, answers...)
			llm, newErr := provider.NewFromClient(srv.Client(), provider.WithModel("m"))
			if newErr != nil {
				t.Fatal(newErr)
			}
			start := time.Now()
			_, err = llm.GenerateContent(t.Context(), human("x"), options...)
			took = time.Since(start)
			requests = len(srv.Requests())
			for _, r := range srv.Requests() {
				if string(r.Body) != string(srv.Requests()[0].Body) {
					t.Errorf("sent %s after %s", r.Body, srv.Requests()[0].Body)
				}
			}
			llm.Client().CloseIdleConnections()
		})
		return requests, took, err
	}
	n, took, err := run(t, nil, babytest.WithHeader(babytest.JSON(429, `{}`), "Retry-After", "7"),
		babytest.JSON(503, `{}`), says("x"))
	if n != 3 || err != nil || took < 7*time.Second {
		t.Errorf("429, 503, 200: %d requests in %s, %v", n, took, err)
	}
	n, _, err = run(t, nil, babytest.JSON(503, `{}`))
	if wantError(t, err, llms.ErrCodeProviderUnavailable); n != 1+babyclient.DefaultMaxRetries {
		t.Errorf("503 for ever: %d requests", n)
	}
	for name, h := range map[string]http.Handler{"500": babytest.JSON(500, `{}`), "504": babytest.JSON(504, `{}`),
		"400": babytest.JSON(400, `{}`), "lost": babytest.Cut(says("x"), 10)} {
		if n, _, err := run(t, nil, h, says("x")); n != 1 || err == nil {
			t.Errorf("%s may have run and was sent %d times, %v", name, n, err)
		}
	}
	if n, _, err := run(t, []llms.CallOption{onlyText()}, babytest.JSON(503, `{}`), babytest.Events(text("x")),
		says("x")); n != 2 || err == nil {
		t.Errorf("a stream that broke was sent %d times, %v", n, err)
	}
}
