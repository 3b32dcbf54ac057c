package babyclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// delta is the data of a chunk that adds a text.
func delta(text string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"content":%q}}]}`, text)
}

func chatStream(
	ctx context.Context,
	c *babyclient.Client,
	opts ...babyclient.CallOption,
) iter.Seq2[*babyclient.ChatChunk, error] {
	return c.ChatStream(ctx, &babyclient.ChatRequest{Messages: hi}, opts...)
}

// readAll ranges over a stream to its end.
func readAll(t *testing.T, stream iter.Seq2[*babyclient.ChatChunk, error]) (texts []string, last error) {
	t.Helper()
	for chunk, err := range stream {
		if last != nil {
			t.Error("something came after the error")
		}
		if last = err; err != nil {
			if chunk != nil {
				t.Errorf("a chunk with the error: %+v", chunk)
			}
			continue
		}
		texts = append(texts, chunk.Text())
	}
	return texts, last
}

// sse answers with these bytes as the body of a stream.
func sse(body string) http.Handler { return babytest.Body(200, "text/event-stream", []byte(body)) }

func TestStreamRequest(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Stream(delta("a"), delta("b")))
	srv.On("POST /v1/completions", babytest.Stream(`{"choices":[{"index":0,"text":"a"}]}`))
	c := client(srv)
	for _, extra := range []map[string]any{nil, {"stream": false}, {"stream": true}} {
		stream := c.ChatStream(
			t.Context(),
			&babyclient.ChatRequest{
				Messages:      hi,
				Extra:         extra,
				StreamOptions: &babyclient.StreamOptions{IncludeUsage: true},
			},
		)
		if n := len(srv.Requests()); n != 0 && extra == nil {
			t.Errorf("%d requests before the range", n)
		}
		if texts, err := readAll(t, stream); err != nil || strings.Join(texts, "") != "ab" {
			t.Errorf("%q, %v", texts, err)
		}
		r := seen(t, srv)
		var body map[string]any
		if err := r.JSON(&body); err != nil || body["stream"] != true ||
			body["stream_options"].(map[string]any)["include_usage"] != true {
			t.Errorf("body %s", r.Body)
		}
		if got := r.Header.Values("Accept"); len(got) != 1 || got[0] != "text/event-stream" {
			t.Errorf("Accept %q", got)
		}
	}
	for chunk, err := range c.CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "p"}) {
		if err != nil || chunk.Text() != "a" {
			t.Errorf("%v, %v", chunk, err)
		}
	}
}

// Everything that a stream of events can look like.
func TestStreamForms(t *testing.T) {
	a, b := delta("a"), delta("b")
	ok := "data: " + a + "\n\ndata: " + b + "\n\ndata: [DONE]\n\n"
	tests := map[string]string{
		"plain":           ok,
		"CRLF":            strings.ReplaceAll(ok, "\n", "\r\n"),
		"mixed line ends": "data: " + a + "\r\n\ndata: " + b + "\n\r\ndata: [DONE]\r\n",
		"no space":        "data:" + a + "\n\ndata:" + b + "\n\ndata:[DONE]\n\n",
		"comments":        ": ping\n\ndata: " + a + "\n: ping\n\n:\n\ndata: " + b + "\n\n: ping\n\ndata: [DONE]\n\n",
		"other fields": "event: message\nid: 1\nretry: 3\ndata: " + a + "\n\ndata: " + b +
			"\nevent: x\n\ndatax: 1\n\ndata: [DONE]\n\n",
		"empty data":       "data:\n\ndata: \n\ndata\n\ndata: " + a + "\n\ndata: " + b + "\n\ndata: [DONE]\n\n",
		"more blank lines": "\n\n\ndata: " + a + "\n\n\n\ndata: " + b + "\n\n\ndata: [DONE]\n\n",
		"BOM":              "\ufeff" + ok,
		"several lines": "data: {\"choices\":\ndata: [{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: " +
			b + "\n\ndata: [DONE]\n\n",
		"DONE without blank": "data: " + a + "\n\ndata: " + b + "\n\ndata: [DONE]",
		"DONE with newline":  "data: " + a + "\n\ndata: " + b + "\n\ndata: [DONE]\n",
		"DONE with spaces":   "data: " + a + "\n\ndata: " + b + "\n\ndata:  [DONE] \n\n",
		"after DONE":         ok + "data: " + delta("never") + "\n\n",
		"null error": "data: " + strings.Replace(
			a,
			"{",
			`{"error":null,`,
			1,
		) + "\n\ndata: " + b + "\n\ndata: [DONE]\n\n",
		"the word error": "data: " + strings.Replace(
			a,
			"{",
			`{"x":"\"error\"",`,
			1,
		) + "\n\ndata: " + b + "\n\ndata: [DONE]\n\n",
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /v1/chat/completions", sse(body))
			if texts, err := readAll(t, chatStream(t.Context(), client(srv))); err != nil ||
				strings.Join(texts, "|") != "a|b" {
				t.Errorf("%q, %v", texts, err)
			}
		})
	}
}

// A stream can be split anywhere, inside a character and between CR and LF too.
func TestStreamSplitAnywhere(t *testing.T) {
	body := []byte(
		"\ufeffdata: " + delta(
			"ä日本",
		) +
			"\r\n\r\n: ping\r\n\r\ndata: {\"choices\":\r\ndata: [{\"index\":0,\"delta\":{\"content\":\"😀\"}}]}\r\n\r\ndata: [DONE]\r\n\r\n",
	)
	srv := server(t)
	cut := 0
	srv.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(body[:cut])
		w.(http.Flusher).Flush()
		_, _ = w.Write(body[cut:])
	}))
	c := client(srv)
	for cut = range body {
		if texts, err := readAll(t, chatStream(t.Context(), c)); err != nil || strings.Join(texts, "|") != "ä日本|😀" {
			t.Fatalf("cut at %d: %q, %v", cut, texts, err)
		}
	}
	srv.On("POST /v1/completions", babytest.Drip(babytest.Stream(`{"choices":[{"index":0,"text":"ä"}]}`), 1, 0))
	if resp, err := babyclient.CollectCompletion(c.CompleteStream(t.Context(),
		&babyclient.CompleteRequest{Prompt: "p"})); err != nil ||
		resp.Text() != "ä" {
		t.Errorf("byte by byte: %v, %v", resp, err)
	}
}

// The table of failures. What arrived before has been delivered.
func TestStreamFailures(t *testing.T) {
	good := babytest.Stream(delta("a"), delta("b"))
	errorEvent := func(data string) http.Handler { return babytest.Stream(delta("a"), data, delta("never")) }
	tests := []struct {
		name   string
		answer http.Handler
		texts  string
		code   string
		is     []error
		says   string
	}{
		{"no DONE", babytest.Events(delta("a"), delta("b")), "a|b", babyclient.CodeStreamTruncated,
			[]error{babyclient.ErrStreamTruncated, io.ErrUnexpectedEOF}, "before [DONE]"},
		{"no byte", sse(""), "", babyclient.CodeStreamTruncated, []error{babyclient.ErrStreamTruncated}, ""},
		{
			"last event without blank line",
			sse("data: " + delta("a")),
			"a",
			babyclient.CodeStreamTruncated,
			[]error{babyclient.ErrStreamTruncated},
			"",
		},
		{
			"close-delimited",
			babytest.Recorded([]byte("HTTP/1.1 200 OK\r\n\r\ndata: " + delta("a") + "\n\n")),
			"a",
			babyclient.CodeStreamTruncated,
			[]error{babyclient.ErrStreamTruncated},
			"",
		},
		{
			"not a stream",
			babytest.Body(200, "text/html", []byte("<html>")),
			"",
			babyclient.CodeStreamTruncated,
			[]error{babyclient.ErrStreamTruncated},
			"",
		},
		{
			"cut",
			babytest.Cut(good, -25),
			"a|b",
			babyclient.CodeStreamError,
			[]error{babyclient.ErrStreamFailed},
			"not complete",
		},
		{
			"cut early",
			babytest.Cut(good, 200),
			"a",
			babyclient.CodeStreamError,
			[]error{babyclient.ErrStreamFailed},
			"not complete",
		},
		{
			"half-closed",
			babytest.HalfClose(good, -25),
			"a|b",
			babyclient.CodeStreamError,
			[]error{babyclient.ErrStreamFailed},
			"",
		},
		{
			"bad chunk framing",
			babytest.Recorded([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
			"",
			babyclient.CodeStreamError,
			[]error{babyclient.ErrStreamFailed},
			"",
		},
		{
			"error object",
			errorEvent(`{"error":{"message":"out of memory","type":"ServerError","code":"OOM"}}`),
			"a",
			"OOM",
			[]error{babyclient.ErrStreamFailed},
			"out of memory",
		},
		{
			"error with a number",
			errorEvent(`{"error":{"message":"bad","type":"BadRequestError","code":400},"choices":[]}`),
			"a",
			"400",
			[]error{babyclient.ErrStreamFailed},
			"bad",
		},
		{
			"error text",
			errorEvent(`{"error":"it broke"}`),
			"a",
			babyclient.CodeStreamError,
			[]error{babyclient.ErrStreamFailed},
			"it broke",
		},
		{
			"JSON in place of a stream",
			babytest.JSON(200, `{"choices":[{"message":{"content":"x"}}]}`),
			"",
			babyclient.CodeInvalidResponse,
			[]error{babyclient.ErrInvalidResponse},
			"not a stream",
		},
		{
			"JSON error with status 200",
			babytest.JSON(200, `{"error":{"message":"overloaded"}}`),
			"",
			babyclient.CodeInvalidResponse,
			[]error{babyclient.ErrInvalidResponse},
			"overloaded",
		},
		{
			"status",
			babytest.JSON(401, `{"error":"Unauthorized"}`),
			"",
			"",
			[]error{babyclient.ErrUnauthorized},
			"Unauthorized",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /v1/chat/completions", babytest.WithHeader(tt.answer, "X-Request-Id", "r1"))
			texts, err := readAll(t, chatStream(t.Context(), client(srv)))
			e := fails(t, err)
			if got := strings.Join(texts, "|"); got != tt.texts || e.Code != tt.code ||
				!strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q, code %s, %v; want %q, %s", got, e.Code, err, tt.texts, tt.code)
			}
			for _, is := range tt.is {
				if !errors.Is(err, is) {
					t.Errorf("%v is not %v", err, is)
				}
			}
			if n := len(srv.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
			resp, err := babyclient.Collect(chatStream(t.Context(), client(srv)))
			if err == nil || resp.Text() != strings.ReplaceAll(tt.texts, "|", "") {
				t.Errorf("collected %q, %v", resp.Text(), err)
			}
		})
	}
}

// A reset is a failure; what it had in flight before may be lost by the network itself.
func TestStreamReset(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Reset(babytest.Stream(delta("a"), delta("b")), -25))
	if _, err := readAll(t, chatStream(t.Context(), client(srv))); !errors.Is(err, babyclient.ErrStreamFailed) &&
		!errors.Is(err, babyclient.ErrConnection) {
		t.Errorf("err = %v", err)
	}
}

// Data that is no JSON is delivered raw; to collect it is an error.
func TestStreamNotJSON(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Stream(delta("a"), "hello", `{"choices":"?"}`, delta("b")))
	srv.On("POST /v1/completions", babytest.Stream(`{"choices":[{"index":0,"text":"a"}]}`, "hello"))
	c := client(srv)
	var raws []string
	var last error // a range over such a stream never ends clean
	for chunk, err := range chatStream(t.Context(), c) {
		if last = err; err != nil {
			continue
		}
		raws = append(raws, string(chunk.Raw))
		isDelta := strings.Contains(string(chunk.Raw), "delta")
		if (chunk.Err() == nil) != isDelta || (chunk.Text() != "") != isDelta {
			t.Errorf("the chunk of %s: Err %v, text %q", chunk.Raw, chunk.Err(), chunk.Text())
		}
	}
	if got := strings.Join(raws, "|"); got != delta("a")+`|hello|{"choices":"?"}|`+delta("b") {
		t.Errorf("delivered %s", got)
	}
	if !errors.Is(last, babyclient.ErrInvalidResponse) || !strings.Contains(last.Error(), "hello") {
		t.Errorf("the range ended with %v, want an error that names the event", last)
	}
	if resp, err := babyclient.Collect(chatStream(t.Context(), c)); !errors.Is(err, babyclient.ErrInvalidResponse) ||
		resp.Text() != "a" ||
		!strings.Contains(err.Error(), "hello") {
		t.Errorf("collected %q, %v", resp.Text(), err)
	}
	var undecoded []string
	for chunk, err := range c.CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "p"}) {
		if last = err; err != nil {
			continue
		}
		if chunk.Err() != nil {
			undecoded = append(undecoded, string(chunk.Raw))
		}
	}
	if !errors.Is(last, babyclient.ErrInvalidResponse) {
		t.Errorf("the range over a completion ended with %v", last)
	}
	if !slices.Equal(undecoded, []string{"hello"}) {
		t.Errorf("completion chunks with an Err: %q, want the one that is no JSON", undecoded)
	}
	resp, err := babyclient.CollectCompletion(c.CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "p"}))
	if !errors.Is(err, babyclient.ErrInvalidResponse) || resp.Text() != "a" {
		t.Errorf("collected %q, %v", resp.Text(), err)
	}
}

// Lines have no limit but MaxEventSize.
func TestStreamLongLines(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Stream(delta(long)))
	if texts, err := readAll(t, chatStream(t.Context(), client(srv))); err != nil || len(texts) != 1 ||
		texts[0] != long {
		t.Errorf("a line of 5 MB: %d chunks, %v", len(texts), err)
	}
	for name, line := range map[string]string{"one line": strings.Repeat("x", 1<<20),
		"lines without end": "data: " + strings.Repeat("x", 1<<20) + "\n"} {
		read := 0
		endless := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200,
				Header:     http.Header{},
				Body:       io.NopCloser(io.MultiReader(strings.NewReader("data: "), &repeat{line: line, n: &read})),
			}, nil
		})
		texts, err := readAll(
			t,
			chatStream(t.Context(), client(srv, babyclient.WithHTTPClient(&http.Client{Transport: endless}))),
		)
		if !errors.Is(err, babyclient.ErrResponseTooLarge) || len(texts) != 0 ||
			read > 2*babyclient.MaxEventSize+1<<20 {
			t.Errorf("%s: %d chunks after %d bytes, %v", name, len(texts), read, err)
		}
	}
}

// repeat gives a line over and over.
type repeat struct {
	line string
	at   int
	n    *int // bytes given
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.line[r.at:])
	r.at = (r.at + n) % len(r.line)
	*r.n += n
	return n, nil
}

// The idle clock runs while the server is silent, not while the caller works.
func TestStreamIdleTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		pauses := []time.Duration{8 * time.Second, 9 * time.Second, 11 * time.Second}
		srv.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, d := range pauses {
				time.Sleep(d)
				_, _ = io.WriteString(w, "data: "+delta(d.String())+"\n\n")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}))
		c := client(srv, babyclient.WithStreamIdleTimeout(10*time.Second))
		start := time.Now()
		texts, err := readAll(t, chatStream(t.Context(), c))
		if d := time.Since(start); strings.Join(texts, " ") != "8s 9s" || !errors.Is(err, babyclient.ErrTimeout) ||
			d != 27*time.Second {
			t.Errorf("%q after %s, %v", texts, d, err)
		}
		if e := fails(t, err); e.StatusCode != 200 || e.Code != babyclient.CodeTimeout {
			t.Errorf("%+v", e)
		}
	})
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "data: "+delta("x")+"\n\n")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Second)
			}
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
		}))
		n := 0
		for _, err := range chatStream(t.Context(), client(srv), babyclient.WithTimeout(10*time.Second)) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			time.Sleep(time.Minute) // the caller takes its time
		}
		if n != 3 {
			t.Errorf("%d chunks", n)
		}
	})
	// A ping is a byte.
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 5 {
				time.Sleep(9 * time.Second)
				_, _ = io.WriteString(w, ": ping\n\n")
				w.(http.Flusher).Flush()
			}
			_, _ = io.WriteString(w, "data: "+delta("x")+"\n\ndata: [DONE]\n\n")
		}))
		if _, err := readAll(t,
			chatStream(t.Context(), client(srv, babyclient.WithStreamIdleTimeout(10*time.Second)))); err != nil {
			t.Error(err)
		}
	})
}

// However the loop is left, the connection is closed and nothing is left behind: a goroutine that
// was would fail the bubble.
func TestStreamLeft(t *testing.T) {
	tests := map[string]func(t *testing.T, stream iter.Seq2[*babyclient.ChatChunk, error]){
		"break": func(t *testing.T, stream iter.Seq2[*babyclient.ChatChunk, error]) {
			for _, err := range stream {
				if err != nil {
					t.Error(err)
				}
				break
			}
		},
		"panic": func(t *testing.T, stream iter.Seq2[*babyclient.ChatChunk, error]) {
			defer func() {
				if recover() != "stop" {
					t.Error("the panic was lost")
				}
			}()
			for _, err := range stream {
				if err != nil {
					t.Error(err)
				}
				panic("stop")
			}
		},
		"goexit": func(_ *testing.T, stream iter.Seq2[*babyclient.ChatChunk, error]) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				next, stop := iter.Pull2(stream)
				defer stop()
				_, _, _ = next()
			}()
			<-done
		},
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				noticed := false
				srv.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "data: "+delta("x")+"\n\n")
					w.(http.Flusher).Flush()
					<-r.Context().Done()
					noticed = true
				}))
				leave(t, chatStream(t.Context(), client(srv)))
				synctest.Wait()
				if !noticed {
					t.Error("the server still generates")
				}
			})
		})
	}
	t.Run("never ranged", func(t *testing.T) {
		bubble(t, func(t *testing.T, srv *babytest.Server) {
			_ = chatStream(t.Context(), client(srv))
			synctest.Wait()
			if n := len(srv.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	})
}

// A second range would send, and bill, the request again.
func TestStreamRangedTwice(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Stream(delta("a")))
	stream := chatStream(t.Context(), client(srv))
	if _, err := readAll(t, stream); err != nil {
		t.Fatal(err)
	}
	if texts, err := readAll(t, stream); !errors.Is(err, babyclient.ErrInvalidRequest) || len(texts) != 0 {
		t.Errorf("%q, %v", texts, err)
	}
	if n := len(srv.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestStreamCancel(t *testing.T) {
	// Before the header.
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/chat/completions", babytest.Delay(babytest.Stream(delta("a")), time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if texts, err := readAll(t, chatStream(ctx, client(srv))); !errors.Is(err, context.Canceled) ||
			len(texts) != 0 ||
			time.Since(start) != time.Second {
			t.Errorf("%q, %v", texts, err)
		}
	})
	// While the stream is silent.
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/chat/completions", babytest.Hang(babytest.Stream(delta("a")), -20))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		texts, err := readAll(t, chatStream(ctx, client(srv)))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, babyclient.ErrTimeout) ||
			strings.Join(texts, "") != "a" {
			t.Errorf("%q, %v", texts, err)
		}
	})
	// By the caller, between events: what is in the buffer is not handed out any more.
	srv := server(t)
	srv.On("POST /v1/chat/completions", sse("data: "+delta("a")+"\n\ndata: "+delta("b")+"\n\ndata: [DONE]\n\n"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range chatStream(ctx, client(srv)) {
		n++
		last = err
		cancel()
	}
	if n != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d rounds, %v", n, last)
	}
}

// After [DONE] the connection is used again; after a loop that was left it is not.
func TestStreamConnectionReuse(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Stream(delta("a"), delta("b")))
	c := client(srv)
	for range 5 {
		if _, err := readAll(t, chatStream(t.Context(), c)); err != nil {
			t.Fatal(err)
		}
	}
	if n := srv.Connections(); n != 1 {
		t.Errorf("%d connections for 5 streams", n)
	}
}

// A server that holds the connection open after [DONE] holds up nobody.
func TestStreamHeldOpenAfterDone(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /v1/chat/completions", babytest.Hang(babytest.Stream(delta("a")), -5))
		start := time.Now()
		if texts, err := readAll(t, chatStream(t.Context(), client(srv))); err != nil || len(texts) != 1 ||
			time.Since(start) > time.Second {
			t.Errorf("%q after %s, %v", texts, time.Since(start), err)
		}
	})
	bubble(t, func(t *testing.T, srv *babytest.Server) { // not even its line end comes
		srv.On("POST /v1/chat/completions", babytest.Hang(sse("data: "+delta("a")+"\n\ndata: [DONE]\n\n"), -1))
		start := time.Now()
		if texts, err := readAll(t, chatStream(t.Context(), client(srv))); err != nil || len(texts) != 1 ||
			time.Since(start) > time.Second {
			t.Errorf("%q after %s, %v", texts, time.Since(start), err)
		}
	})
}

func TestStreamGzip(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.Gzip(babytest.Stream(delta("a"))))
	if texts, err := readAll(t, chatStream(t.Context(), client(srv))); err != nil || strings.Join(texts, "") != "a" {
		t.Errorf("%q, %v", texts, err)
	}
}

// A stream has no size limit of its own: that is per event.
func TestStreamLongerThanResponseLimit(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/chat/completions", babytest.EndlessStream(delta(strings.Repeat("x", 1000))))
	n := 0
	for _, err := range chatStream(t.Context(), client(srv, babyclient.WithMaxResponseSize(1000))) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 100 {
			break
		}
	}
	if n != 100 {
		t.Errorf("%d chunks", n)
	}
}

// Which option limits a silent stream: an idle timeout of the call before all others, then the
// shorter of the timeout of the call and the idle timeout of New. The timeout of New limits no
// stream.
func TestWhatLimitsASilentStream(t *testing.T) {
	call := func(opts ...babyclient.CallOption) []babyclient.CallOption { return opts }
	idle, timeout := babyclient.WithStreamIdleTimeout, babyclient.WithTimeout
	for _, tt := range []struct {
		name string
		new  babyclient.Option
		call []babyclient.CallOption
		want time.Duration // 0: nothing
	}{
		{"nothing", nil, nil, 0},
		{"timeout of New", timeout(time.Second), nil, 0},
		{"idle timeout of New", idle(2 * time.Second), nil, 2 * time.Second},
		{"timeout of the call", nil, call(timeout(3 * time.Second)), 3 * time.Second},
		{"idle timeout of the call", nil, call(idle(4 * time.Second)), 4 * time.Second},
		{"both of the call", nil, call(timeout(time.Second), idle(5*time.Second)), 5 * time.Second},
		{"both of the call, the other way round", nil, call(idle(5*time.Second), timeout(time.Second)),
			5 * time.Second},
		{"idle timeout of New, timeout of the call", idle(time.Hour), call(timeout(6 * time.Second)), 6 * time.Second},
		{"a shorter idle timeout of New", idle(6 * time.Second), call(timeout(time.Hour)), 6 * time.Second},
		{"the call lifts it", idle(time.Second), call(idle(0)), 0},
		{"the call lifts it beside a timeout", nil, call(idle(0), timeout(time.Second)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				srv.On("POST /v1/chat/completions", babytest.Hang(babytest.Stream(delta("a")),
					-len("data: [DONE]\n\n")))
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				start := time.Now()
				_, err := readAll(t, chatStream(ctx, client(srv, tt.new), tt.call...))
				took := time.Since(start)
				if tt.want == 0 {
					if !errors.Is(err, context.DeadlineExceeded) || took != 24*time.Hour {
						t.Errorf("ended after %s: %v, want the end of the context", took, err)
					}
					return
				}
				if !errors.Is(err, babyclient.ErrTimeout) || took != tt.want {
					t.Errorf("ended after %s: %v, want a timeout after %s", took, err, tt.want)
				}
			})
		})
	}
}
