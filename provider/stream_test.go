package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// delta is an event of a stream with one choice.
func delta(format string, args ...any) string {
	return `{"id":"c1","created":5,"model":"served","choices":[{"index":0,"delta":` + fmt.Sprintf(format, args...) +
		`}]}`
}

func text(s string) string {
	b, _ := json.Marshal(s)
	return delta(`{"content":%s}`, b)
}

func finish(reason string) string {
	return `{"choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

// pieces collects what the streaming functions are called with.
type pieces struct {
	text, reasoning, textBeside []string
	calls                       []babyclient.ToolCall
}

func (p *pieces) options() []llms.CallOption {
	return []llms.CallOption{
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			p.text = append(p.text,
				string(chunk))
			return nil
		}),
		llms.WithStreamingReasoningFunc(func(_ context.Context, reasoning, chunk []byte) error {
			if len(reasoning) > 0 {
				p.reasoning = append(p.reasoning, string(reasoning))
			}
			if len(chunk) > 0 {
				p.textBeside = append(p.textBeside, string(chunk))
			}
			return nil
		}),
	}
}

func (p *pieces) withCalls() []llms.CallOption {
	return append(p.options(), provider.WithStreamingToolCallFunc(func(_ context.Context, c babyclient.ToolCall) error {
		p.calls = append(p.calls, c)
		return nil
	}))
}

// onlyText is a StreamingFunc that does nothing.
func onlyText() llms.CallOption {
	return llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
}

func testStreamOnlyWithAFunction(t *testing.T) {
	reasoning := llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return nil })
	calls := provider.WithStreamingToolCallFunc(func(context.Context, babyclient.ToolCall) error { return nil })
	for name, test := range map[string]struct {
		options []llms.CallOption
		stream  bool
	}{
		"none": {nil, false},
		"nil": {[]llms.CallOption{llms.WithStreamingFunc(nil), llms.WithStreamingReasoningFunc(nil)},
			false},
		// as langchaingo's chains do
		"taken back":      {[]llms.CallOption{onlyText(), llms.WithStreamingFunc(nil)}, false},
		"text":            {[]llms.CallOption{onlyText()}, true},
		"reasoning":       {[]llms.CallOption{reasoning}, true},
		"tool calls":      {[]llms.CallOption{calls}, true},
		"text, nil other": {[]llms.CallOption{onlyText(), llms.WithStreamingReasoningFunc(nil)}, true},
	} {
		body := sentOptions(t, nil, test.options...)
		want := `{"model":"m"}`
		if test.stream {
			want = `{"model":"m","stream":true,"stream_options":{"include_usage":true}}`
		}
		sameJSON(t, name, jsonOf(t, body), want)
	}
}

func testStreamingText(t *testing.T) {
	srv := chatServer(t, babytest.Stream(delta(`{"role":"assistant","content":""}`), text("Hel"),
		delta(`{"reasoning":"hm"}`), text(""), delta(`{"content":null}`), text("lo"),
		delta(`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f",`+
			`"arguments":"{}"}}]}`), finish("tool_calls")))
	llm := newLLM(t, srv)
	var p pieces
	resp, err := llm.GenerateContent(t.Context(), human("x"), p.options()...)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Hel", "lo"}; !reflect.DeepEqual(p.text, want) || !reflect.DeepEqual(p.textBeside, want) {
		t.Errorf("streamed %q and %q, want %q", p.text, p.textBeside, want)
	}
	if resp.Choices[0].Content != "Hello" || p.calls != nil {
		t.Errorf("content %q, calls %v", resp.Choices[0].Content, p.calls)
	}
	if _, err := llm.GenerateContent(t.Context(), human("x"), p.withCalls()...); err != nil {
		t.Fatal(err)
	}
	if len(p.calls) != 1 || p.calls[0].ID != "a" || p.calls[0].Function.Arguments != "{}" {
		t.Errorf("tool call pieces %+v, want one, a with {}", p.calls)
	}
}

func testStreamingReasoning(t *testing.T) {
	for _, field := range []string{"reasoning", "reasoning_content"} {
		srv := chatServer(t,
			babytest.Stream(delta(`{%q:"let "}`, field), delta(`{%q:"me see"}`, field), text("4"), finish("stop")))
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "value")
		var got [][2]string
		resp, err := newLLM(t, srv).GenerateContent(ctx, human("x"),
			llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
				if ctx.Value(key{}) != "value" {
					t.Error("the context is not the caller's")
				}
				got = append(got, [2]string{string(reasoning), string(chunk)})
				return nil
			}))
		if err != nil {
			t.Fatal(err)
		}
		if want := [][2]string{{"let ", ""}, {"me see", ""}, {"", "4"}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: streamed %q, want %q", field, got, want)
		}
		if c := resp.Choices[0]; c.Content != "4" || c.ReasoningContent != "let me see" {
			t.Errorf("%s: content %q, reasoning %q", field, c.Content, c.ReasoningContent)
		}
	}
}

func testCallbackError(t *testing.T) {
	stop := errors.New("enough")
	after := func(n int) func() error {
		return func() error {
			if n--; n < 0 {
				return stop
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		event string
		with  func(func() error) llms.CallOption
	}{
		"StreamingFunc": {text("x"), func(f func() error) llms.CallOption {
			return llms.WithStreamingFunc(func(context.Context, []byte) error { return f() })
		}},
		"StreamingReasoningFunc": {delta(`{"reasoning":"x"}`), func(f func() error) llms.CallOption {
			return llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return f() })
		}},
		"text in StreamingReasoningFunc": {text("x"), func(f func() error) llms.CallOption {
			return llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return f() })
		}},
		"WithStreamingToolCallFunc": {delta(`{"tool_calls":[{"index":0,"function":{"arguments":"x"}}]}`),
			func(f func() error) llms.CallOption {
				return provider.WithStreamingToolCallFunc(func(context.Context, babyclient.ToolCall) error {
					return f()
				})
			}},
	} {
		t.Run(name, func(t *testing.T) {
			// A goroutine, or a connection of the endless stream, that is left fails the bubble.
			synctest.Test(t, func(t *testing.T) {
				srv := babytest.NewPipeServer()
				defer srv.Close()
				srv.On(chatPath, babytest.EndlessStream(test.event))
				llm := newLLM(t, srv)
				resp, err := llm.GenerateContent(t.Context(), human("x"), test.with(after(2)))
				if resp != nil || !errors.Is(err, stop) {
					t.Errorf("response %v, error %v", resp, err)
				}
				wantError(t, err, llms.ErrCodeUnknown, "stopped the answer: enough")
				llm.Client().CloseIdleConnections()
			})
		})
	}
}

func testToolCallPieces(t *testing.T) {
	call := func(pieces string) string { return delta(`{"tool_calls":[%s]}`, pieces) }
	for name, test := range map[string]struct {
		events []string
		want   string // [[id, name, arguments]…]
	}{
		"interleaved": {[]string{
			call(`{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}`),
			call(`{"index":1,"id":"b","type":"function","function":{"name":"g"}}`),
			call(`{"index":1,"function":{"arguments":"{\"y\""}}`),
			call(`{"index":0,"function":{"arguments":"{\"x\""}}`),
			call(`{"index":0,"function":{"arguments":":1}"}}`),
			call(`{"index":1,"function":{"arguments":":2}"}}`)},
			`[["a","f","{\"x\":1}"],["b","g","{\"y\":2}"]]`},
		"in one delta": {[]string{
			call(`{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}},` +
				`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`)},
			`[["a","f","{}"],["b","g","{}"]]`},
		"all repeated": {[]string{
			call(`{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}`),
			call(`{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"}"}}`)},
			`[["a","f","{}"]]`},
		"null fields": {[]string{
			call(`{"index":0,"id":"a","type":null,"function":{"name":"f","arguments":null}}`),
			call(`{"index":0,"id":null,"type":null,"function":{"name":null,"arguments":"{}"}}`)},
			`[["a","f","{}"]]`},
		"empty arguments": {[]string{
			call(`{"index":0,"id":"a","function":{"name":"f","arguments":""}}`),
			call(`{"index":0,"function":{"arguments":""}}`)},
			`[["a","f",""]]`},
		"no index": {[]string{
			call(`{"id":"a","function":{"name":"f","arguments":"{"}}`),
			call(`{"function":{"arguments":"}"}}`),
			call(`{"id":"b","function":{"name":"g","arguments":"{}"}}`)},
			`[["a","f","{}"],["b","g","{}"]]`},
		"inside of an escape": {[]string{
			call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":\"\\"}}`),
			call(`{"index":0,"function":{"arguments":"u00e9\"}"}}`)},
			`[["a","f","{\"q\":\"\\u00e9\"}"]]`},
	} {
		t.Run(name, func(t *testing.T) {
			var want [][3]string
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			var whole []babyclient.ToolCall
			for _, w := range want {
				whole = append(whole, babyclient.ToolCall{ID: w[0], Type: "function",
					Function: babyclient.FunctionCall{Name: w[1], Arguments: w[2]}})
			}
			streamed := chatServer(t,
				babytest.Drip(babytest.Stream(append(test.events, finish("tool_calls"))...), 7, 0))
			plain := chatServer(t, babytest.JSON(200,
				map[string]any{"id": "c1", "created": 5, "model": "served",
					"choices": []any{map[string]any{"message": map[string]any{"tool_calls": whole},
						"finish_reason": "tool_calls"}}}))
			a, err := newLLM(t, streamed).GenerateContent(t.Context(), human("x"), onlyText())
			if err != nil {
				t.Fatal(err)
			}
			b, err := newLLM(t, plain).GenerateContent(t.Context(), human("x"))
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, "streamed and plain", jsonOf(t, a), jsonOf(t, b))
			var got [][3]string
			for _, c := range a.Choices[0].ToolCalls {
				got = append(got, [3]string{c.ID, c.FunctionCall.Name, c.FunctionCall.Arguments})
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func testSeveralChoices(t *testing.T) {
	piece := func(index int, s string) string {
		return fmt.Sprintf(`{"choices":[{"index":%d,"delta":{"content":%q}}]}`, index, s)
	}
	srv := chatServer(t, babytest.Stream(piece(1, "B1"), piece(0, "A1"), piece(1, "B2"), piece(0, "A2"),
		`{"choices":[{"index":0,"delta":{"content":"A3"},"finish_reason":"stop"},{"index":1,"delta":{},`+
			`"finish_reason":"length"}]}`))
	var p pieces
	resp, err := newLLM(t, srv).GenerateContent(t.Context(), human("x"), append(p.options(), llms.WithN(2))...)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Choices) != 2 || resp.Choices[0].Content != "A1A2A3" || resp.Choices[1].Content != "B1B2" ||
		resp.Choices[1].StopReason != "length" {
		t.Errorf("choices %s, want A1A2A3 and B1B2", jsonOf(t, resp.Choices))
	}
	if got := strings.Join(p.text, ""); got != "A1A2A3" {
		t.Errorf("streamed %q, want the first choice alone, A1A2A3", got)
	}
}

func testStreamFailures(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	raw := func(body string) http.Handler { return babytest.Body(200, "text/event-stream", []byte(body)) }
	for name, h := range map[string]http.Handler{
		"comments": raw(": ping\n\ndata: " + text("hello") + "\n\n: ping\n\ndata: [DONE]\n\n"),
		"CRLF":     raw("data: " + text("hello") + "\r\n\r\ndata: [DONE]\r\n\r\n"),
		"no space": raw("data:" + text("hello") + "\n\ndata:[DONE]\n\n"),
		"several lines": raw("data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"hello\"}}]}\n\ndata: " +
			"[DONE]\n\n"),
		"no last line": raw("data: " + text("hello") + "\n\ndata: [DONE]"),
		"byte by byte": babytest.Drip(babytest.Stream(text("hel"), text("lo")), 1, 0),
		"empty data":   raw("data:\n\ndata: " + text("hello") + "\n\ndata: [DONE]\n\n"),
		"a null error": raw("data: {\"error\":null," + text("hello")[1:] + "\n\ndata: [DONE]\n\n"),
	} {
		resp, err := newLLM(t, chatServer(t, h)).GenerateContent(t.Context(), human("x"), onlyText())
		if err != nil || resp.Choices[0].Content != "hello" {
			t.Errorf("%s: %v, %v", name, resp, err)
		}
	}
	resp, err := newLLM(t, chatServer(t, babytest.Stream(text(long)))).GenerateContent(t.Context(), human("x"),
		onlyText())
	if err != nil || resp.Choices[0].Content != long {
		t.Errorf("an event of 1 MiB: %v", err)
	}

	for name, test := range map[string]struct {
		h     http.Handler
		code  llms.ErrorCode
		cause error
		words string
	}{
		"not JSON": {babytest.Stream(text("hel"), `{"choices":`), llms.ErrCodeProviderUnavailable,
			babyclient.ErrInvalidResponse, "no JSON"},
		"truncated": {babytest.Events(text("hel"), text("p")), llms.ErrCodeProviderUnavailable,
			io.ErrUnexpectedEOF, "before [DONE]"},
		"reset": {babytest.Reset(babytest.Events(text("hel"), text(long)), 2000),
			llms.ErrCodeProviderUnavailable, babyclient.ErrStreamFailed, "mid-stream"},
		"error event": {babytest.Events(text("hel"),
			`{"error":{"message":"CUDA out of memory","type":"InternalServerError","code":500}}`),
			llms.ErrCodeProviderUnavailable, babyclient.ErrStreamFailed, "CUDA"},
		"error, rate": {babytest.Events(text("hel"), `{"error":{"message":"slow down","code":429}}`),
			llms.ErrCodeRateLimit, babyclient.ErrStreamFailed, "slow down"},
		"error, context": {babytest.Events(text("hel"),
			`{"error":{"message":"exceeds the maximum context length","code":400}}`), llms.ErrCodeTokenLimit,
			babyclient.ErrStreamFailed, "context"},
		"error, a word": {babytest.Events(text("hel"), `{"error":"engine died"}`), llms.ErrCodeProviderUnavailable,
			babyclient.ErrStreamFailed, "engine died"},
		"JSON, no stream": {babytest.JSON(200, `{"choices":[{"message":{"content":"x"}}]}`),
			llms.ErrCodeProviderUnavailable, babyclient.ErrInvalidResponse, "not a stream"},
		"no choices": {babytest.Stream(`{"choices":[]}`), llms.ErrCodeProviderUnavailable,
			babyclient.ErrInvalidResponse, "no choices"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := newLLM(t, chatServer(t, test.h)).GenerateContent(t.Context(), human("x"), onlyText())
			if resp != nil {
				t.Errorf("response %s beside the error, want none", jsonOf(t, resp))
			}
			wantError(t, err, test.code, test.words)
			if !errors.Is(err, test.cause) {
				t.Errorf("error %v is not %v", err, test.cause)
			}
			if _, ok := errors.AsType[*babyclient.Error](err); !ok {
				t.Errorf("no *babyclient.Error in %v", err)
			}
			e, _ := errors.AsType[*llms.Error](err)
			if partial, _ := e.Details["partial_content"].(string); test.code != llms.ErrCodeTokenLimit &&
				strings.HasPrefix(name, "trunc") && partial != "help" {
				t.Errorf("partial_content %q, want help", partial)
			}
		})
	}
}

func testCancel(t *testing.T) {
	check := func(t *testing.T, resp *llms.ContentResponse, err error, cause error) {
		t.Helper()
		if resp != nil {
			t.Errorf("half an answer: %s", jsonOf(t, resp))
		}
		if !errors.Is(err, cause) {
			t.Errorf("error %v is not %v", err, cause)
		}
		if errors.Is(cause, context.Canceled) && !llms.IsCanceledError(err) ||
			errors.Is(cause, context.DeadlineExceeded) && !llms.IsTimeoutError(err) {
			t.Errorf("error %v has the wrong code", err)
		}
	}
	t.Run("before", func(t *testing.T) {
		srv := chatServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, o := range []llms.CallOption{nil, onlyText()} {
			resp, err := newLLM(t, srv).GenerateContent(ctx, human("x"), o)
			check(t, resp, err, context.Canceled)
		}
		if len(srv.Requests()) != 0 {
			t.Error("a request was sent")
		}
	})
	for name, o := range map[string]llms.CallOption{"plain": nil, "streamed": onlyText()} {
		t.Run("while waiting, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := babytest.NewPipeServer()
				defer srv.Close()
				srv.On(chatPath, babytest.Hang(says("x"), 0))
				llm := newLLM(t, srv)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				resp, err := llm.GenerateContent(ctx, human("x"), o)
				check(t, resp, err, context.Canceled)
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				resp, err = llm.GenerateContent(ctx, human("x"), o)
				check(t, resp, err, context.DeadlineExceeded)
				llm.Client().CloseIdleConnections()
			})
		})
	}
	t.Run("timeout of its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := babytest.NewPipeServer()
			defer srv.Close()
			srv.On(chatPath, babytest.Hang(says("x"), 0))
			llm := newLLM(t, srv)
			start := time.Now()
			resp, err := llm.GenerateContent(t.Context(), human("x"))
			if took := time.Since(start); took != provider.DefaultTimeout || resp != nil {
				t.Errorf("response %v after %s", resp, took)
			}
			wantError(t, err, llms.ErrCodeTimeout, "WithTimeout", "may have run")
			llm.Client().CloseIdleConnections()
		})
	})
	t.Run("a stream that is silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := babytest.NewPipeServer()
			defer srv.Close()
			srv.On(chatPath, babytest.Hang(babytest.Stream(text("x"), finish("stop")), 150))
			llm := newLLM(t, srv, provider.WithTimeout(time.Minute))
			start := time.Now()
			_, err := llm.GenerateContent(t.Context(), human("x"), onlyText())
			if took := time.Since(start); took != time.Minute {
				t.Errorf("ended after %s, want a minute", took)
			}
			wantError(t, err, llms.ErrCodeTimeout)
			_, err = llm.GenerateContent(t.Context(), human("x"), onlyText(),
				provider.WithClientCallOptions(babyclient.WithTimeout(time.Second)))
			if took := time.Since(start); took != time.Minute+time.Second {
				t.Errorf("the second ended after %s, want a second more", took)
			}
			wantError(t, err, llms.ErrCodeTimeout)
			llm.Client().CloseIdleConnections()
		})
	})
	t.Run("mid-stream, 200 times", func(t *testing.T) {
		before := runtime.NumGoroutine()
		srv := chatServer(t, babytest.EndlessStream(text("token ")))
		llm := newLLM(t, srv)
		for i := range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			n, streamed := 0, 0
			resp, err := llm.GenerateContent(ctx, human("x"),
				llms.WithStreamingFunc(func(context.Context, []byte) error {
					if n++; n == 1+i%7 {
						if i%2 == 0 {
							cancel() // inside of the callback
						} else {
							go cancel() // at any time after it
						}
					}
					streamed++
					return nil
				}))
			check(t, resp, err, context.Canceled)
			if i%2 == 0 && streamed != 1+i%7 {
				t.Errorf("run %d: %d pieces after %d", i, streamed, 1+i%7)
			}
			cancel()
		}
		llm.Client().CloseIdleConnections()
		srv.Close()
		for range 500 { // what is ending needs a moment
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
	})
}

// chatCapture is a chat with a real engine that was recorded: testdata/captures of babyclient.
type chatCapture struct {
	name   string
	wire   []byte
	sent   string // what was asked, but for the stream
	stream bool
	tools  bool
}

func chatCaptures(t *testing.T) map[string]*chatCapture {
	t.Helper()
	files, err := filepath.Glob("../babyclient/testdata/captures/llm/*/*.resp")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	out := map[string]*chatCapture{}
	for _, f := range files {
		wire, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := os.ReadFile(strings.TrimSuffix(f, "resp") + "req")
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent)))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), req)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if req.URL.Path != "/v1/chat/completions" || resp.StatusCode != 200 ||
			req.Header.Get("Content-Encoding") != "" {
			continue
		}
		var in map[string]any
		if json.NewDecoder(req.Body).Decode(&in) != nil {
			continue
		}
		stream, tools := in["stream"] == true, in["tools"] != nil
		delete(in, "stream")
		delete(in, "stream_options")
		c := &chatCapture{name: filepath.Base(filepath.Dir(f)) + "/" + strings.TrimSuffix(filepath.Base(f), ".resp"),
			wire: wire, sent: jsonOf(t, in), stream: stream, tools: tools}
		out[c.name] = c
	}
	return out
}

// play is what the provider makes of a capture.
func (c *chatCapture) play(t *testing.T, options ...llms.CallOption) (*llms.ContentResponse, error) {
	t.Helper()
	srv := chatServer(t, babytest.Recorded(c.wire))
	if c.tools {
		options = append(options,
			llms.WithTools([]llms.Tool{{Function: &llms.FunctionDefinition{Name: "get_weather"}}}))
	}
	return newLLM(t, srv).GenerateContent(t.Context(), human("x"), options...)
}

// An answer that came as a stream is the one that the engine gives to the plain call, and what was
// streamed of it is the whole of it.
func TestStreamEqualsPlainForAllCaptures(t *testing.T) {
	captures := chatCaptures(t)
	streams, pairs := 0, 0
	for name, c := range captures {
		if !c.stream {
			continue
		}
		streams++
		t.Run(name, func(t *testing.T) {
			var p pieces
			streamed, err := c.play(t, p.withCalls()...)
			if strings.Contains(name, "tool-cut") {
				wantError(t, err, llms.ErrCodeInvalidRequest, "inside of a function call")
				_, err = captures[strings.TrimSuffix(name, "-stream")].play(t)
				wantError(t, err, llms.ErrCodeInvalidRequest, "inside of a function call")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			first := streamed.Choices[0]
			if got := strings.Join(p.text, ""); got != first.Content {
				t.Errorf("streamed %q of %q", got, first.Content)
			}
			if got := strings.Join(p.reasoning, ""); got != first.ReasoningContent {
				t.Errorf("streamed the thinking %q of %q", got, first.ReasoningContent)
			}
			arguments := ""
			for _, call := range p.calls {
				arguments += call.Function.Arguments
			}
			if first.FuncCall != nil && len(first.ToolCalls) == 1 && arguments != first.FuncCall.Arguments {
				t.Errorf("streamed the arguments %q of %q", arguments, first.FuncCall.Arguments)
			}
			twin := captures[strings.TrimSuffix(name, "-stream")]
			if twin == nil || twin == c || twin.sent != c.sent {
				return
			}
			pairs++
			plain, err := twin.play(t)
			if err != nil {
				t.Fatal(err)
			}
			// these streams did not ask for it, as the provider does
			if _, hasUsage := first.GenerationInfo["TotalTokens"]; !hasUsage {
				for _, c := range plain.Choices {
					maps.DeleteFunc(c.GenerationInfo,
						func(key string, _ any) bool { return strings.HasSuffix(key, "Tokens") })
				}
			}
			sameJSON(t, "streamed and plain", jsonOf(t, sameRun(streamed)), jsonOf(t, sameRun(plain)))
		})
	}
	if streams < 50 || pairs < 30 {
		t.Errorf("only %d streams and %d pairs were compared", streams, pairs)
	}
}

// sameRun is an answer without what differs between two runs of an engine.
func sameRun(resp *llms.ContentResponse) *llms.ContentResponse {
	for _, c := range resp.Choices {
		for _, key := range []string{"ID", "Created", "PromptCachedTokens", "CachedTokens", "CacheReadInputTokens",
			"SystemFingerprint"} {
			delete(c.GenerationInfo, key)
		}
		for i := range c.ToolCalls {
			c.ToolCalls[i].ID = ""
		}
	}
	return resp
}
