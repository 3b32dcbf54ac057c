package babytest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

func Example() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /infer",
		babytest.WithHeader(babytest.JSON(429, `{"message":"slow down"}`), "Retry-After", "0"),
		babytest.JSON(200, `{"output":"Paris"}`))

	client := srv.Client(babyclient.WithDefaultModel("tiny"))
	resp, err := client.Infer(context.Background(), &babyclient.InferRequest{Prompt: "The capital of France?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Output)
	for _, r := range srv.Requests() {
		fmt.Printf("%s %s %s\n", r.Method, r.Path, r.Body)
	}
	// Output:
	// Paris
	// POST /infer {"model":"tiny","prompt":"The capital of France?"}
	// POST /infer {"model":"tiny","prompt":"The capital of France?"}
}

func ExampleCut() {
	srv := babytest.NewServer()
	defer srv.Close()
	answer := babytest.Stream(
		`{"choices":[{"index":0,"delta":{"content":"Hel"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"lo"}}]}`,
	)
	srv.On("POST /v1/chat/completions", babytest.Cut(answer, -1))

	req := &babyclient.ChatRequest{Model: "tiny", Messages: []babyclient.Message{babyclient.User("Say hello")}}
	for chunk, err := range srv.Client().ChatStream(context.Background(), req) {
		if err != nil {
			fmt.Println(errors.Is(err, babyclient.ErrStreamFailed))
			break
		}
		fmt.Println(chunk.Text())
	}
	// Output:
	// Hel
	// lo
}

func get(ctx context.Context, srv *babytest.Server) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/x", nil)
	if err != nil {
		return nil, err
	}
	resp, err := srv.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// A fault keeps what it does not break: the bytes before it are those of the answer.
func TestFaults(t *testing.T) {
	good := babytest.JSON(200, `{"text":"0123456789"}`)
	stream := babytest.Stream("a", "b")
	tests := []struct {
		name   string
		answer http.Handler
		body   string
		err    error
	}{
		{"none", good, `{"text":"0123456789"}`, nil},
		{"cut body", babytest.Cut(good, -5), `{"text":"0123456`, io.ErrUnexpectedEOF},
		{"cut header", babytest.Cut(good, 17), "", io.ErrUnexpectedEOF},
		{"cut at once", babytest.Cut(good, 0), "", io.EOF},
		{"cut chunks", babytest.Cut(stream, -8), "data: a\n\ndata: b\n\ndata: [DONE]\n", io.ErrUnexpectedEOF},
		{"reset", babytest.Reset(good, 0), "", syscall.ECONNRESET},
		{"half close", babytest.HalfClose(good, -5), `{"text":"0123456`, io.ErrUnexpectedEOF},
		{"drip", babytest.Drip(stream, 3, time.Microsecond), "data: a\n\ndata: b\n\ndata: [DONE]\n\n", nil},
		{"duplicate", babytest.Duplicate(good), `{"text":"0123456789"}`, nil},
		{"too short", babytest.WrongLength(good, 3), `{"text":"0123456789"}`, io.ErrUnexpectedEOF},
		{"too long", babytest.WrongLength(good, -3), `{"text":"012345678`, nil},
		{"gzip", babytest.Gzip(good), `{"text":"0123456789"}`, nil},
		{"bomb", babytest.GzipBomb(100_000), `{"output":"` + strings.Repeat(" ", 100_000) + `"}`, nil},
		{"recorded", babytest.Recorded([]byte("HTTP/1.1 200 OK\r\n\r\nuntil the end")), "until the end", nil},
		{
			"recorded cut",
			babytest.Cut(babytest.Recorded([]byte("HTTP/1.1 200 OK\r\n\r\nuntil the end")), -4),
			"until the",
			nil,
		},
		{"not scripted", nil, "babytest: no answer is scripted for GET /x\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := babytest.NewServer()
			defer srv.Close()
			if tt.answer != nil {
				srv.On("GET /x", tt.answer)
			}
			body, err := get(t.Context(), srv)
			if string(body) != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", body, err, tt.body, tt.err)
			}
		})
	}
}

func TestGarbage(t *testing.T) {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("GET /x", babytest.Garbage())
	if _, err := get(t.Context(), srv); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("err = %v, want malformed HTTP", err)
	}
}

// The answers come in turn and the last stays; the requests are recorded.
func TestScript(t *testing.T) {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("GET /x", babytest.JSON(200, "1"), babytest.JSON(200, "2"))
	srv.On("GET /x", babytest.JSON(200, map[string]int{"n": 3}))
	var got []string
	for range 4 {
		body, err := get(t.Context(), srv)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(body))
	}
	if s := strings.Join(got, " "); s != `1 2 {"n":3} {"n":3}` {
		t.Errorf("answers %s", s)
	}
	if n := len(srv.Requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
	if n := srv.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestRecordsRequest(t *testing.T) {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /v1/{path}", babytest.JSON(200, `{}`))
	err := srv.Client().
		Do(t.Context(), "POST", "/v1/a%2Fb?q=1", map[string]any{"n": 1}, nil, babyclient.WithHeader("X-A", "b"))
	if err != nil {
		t.Fatal(err)
	}
	r := srv.Requests()[0]
	var body struct{ N int }
	if err := r.JSON(&body); err != nil || body.N != 1 {
		t.Errorf("body %s: %v", r.Body, err)
	}
	if r.Method != "POST" || r.Path != "/v1/a%2Fb" || r.Query.Get("q") != "1" || r.Header.Get("X-A") != "b" ||
		r.Header.Get("Authorization") != "Bearer "+babytest.Key || r.ContentLength != int64(len(r.Body)) {
		t.Errorf("recorded %+v", r)
	}
}

func TestTLSServer(t *testing.T) {
	srv := babytest.NewTLSServer()
	defer srv.Close()
	srv.On("GET /x", babytest.JSON(200, "1"))
	if body, err := get(t.Context(), srv); err != nil || string(body) != "1" {
		t.Errorf("%q, %v", body, err)
	}
}

// In a bubble, a minute passes at once, and Close leaves nothing behind: a goroutine that was
// left would fail the test.
func TestPipeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := babytest.NewPipeServer()
		defer srv.Close()
		srv.On("GET /x",
			babytest.Delay(babytest.JSON(200, "1"), time.Minute),
			babytest.Hang(babytest.JSON(200, "12345"), -2),
			babytest.Delay(babytest.JSON(200, "1"), time.Hour))
		start := time.Now()
		if body, err := get(t.Context(), srv); err != nil || string(body) != "1" || time.Since(start) != time.Minute {
			t.Errorf("%q, %v after %s", body, err, time.Since(start))
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if body, err := get(ctx, srv); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q, %v", body, err)
			}
			cancel()
		}
	})
}

// Close ends what still waits.
func TestCloseEndsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := babytest.NewPipeServer()
		srv.On("GET /x", babytest.Hang(babytest.Stream("a"), -5))
		go func() {
			synctest.Wait()
			srv.Close()
		}()
		if body, err := get(t.Context(), srv); err == nil || !bytes.Contains(body, []byte("data: a")) {
			t.Errorf("%q, %v", body, err)
		}
		synctest.Wait()
		srv.Close()
	})
}

func TestEndlessStream(t *testing.T) {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("GET /x", babytest.EndlessStream("more"))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/x", nil)
	resp, err := srv.HTTPClient().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for range 1000 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
	}
}
