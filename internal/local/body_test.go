package local

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func withSilence(d time.Duration) func(*gateway) { return func(g *gateway) { g.silence = d } }

// A body that the client has begun, or only announced, and does not send, ends the connection at
// every path, whether its handler reads the body or not; and no goroutine waits for it any longer.
func TestUnsentBodiesEnd(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer engine.Close()
	const silence = 300 * time.Millisecond
	s := newGateway(t, &upstream{Server: engine}, withSilence(silence))
	before := runtime.NumGoroutine()
	const connections = 500
	started := time.Now()
	var clients sync.WaitGroup
	var mu sync.Mutex
	statuses := map[string]int{}
	for i := range connections {
		path := gatewayPaths[i%len(gatewayPaths)]
		framing := []string{"Content-Length: 100000\r\n\r\n", "Content-Length: 10000000\r\n\r\n{\"prompt\":",
			"Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"pro",
			"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"}[i/len(gatewayPaths)%5]
		method := []string{"POST", "GET"}[i/len(gatewayPaths)/5%2]
		clients.Go(func() {
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			_, _ = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", method, path, framing)
			_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
			answers, err := io.ReadAll(c) // until the gateway ends the connection
			if err != nil {
				t.Errorf("%s %s with %q: the connection is still open: %v", method, path, framing, err)
			}
			var final string // the status after 100 Continue
			for line := range strings.Lines(string(answers)) {
				if status, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
					final = strings.TrimSpace(status)
				}
			}
			isForwarded := strings.HasPrefix(path, "/docling/") && !strings.Contains(path, "/clear") &&
				!strings.Contains(path, "/cancel")
			if want := "408 Request Timeout"; isForwarded && final != want {
				t.Errorf("%s %s with %q: %q, want %s", method, path, framing, answers, want)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[final]++
		})
	}
	clients.Wait()
	t.Logf("%d connections ended after %v, of a silence of %v: %v", connections, time.Since(started), silence, statuses)
	if statuses["408 Request Timeout"] == 0 {
		t.Error("no client was told that its body did not come")
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before+10 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left, want the %d from before", runtime.NumGoroutine(), before)
}

// A client that sends slowly, but sends, is waited for; so is an engine that takes its time, both
// to take a body and to answer it.
func TestSlowBodiesAreServed(t *testing.T) {
	const silence = 250 * time.Millisecond
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * silence)
		n, err := io.Copy(io.Discard, r.Body)
		time.Sleep(2 * silence)
		_, _ = fmt.Fprintf(w, `{"read":"%d %v"}`, n, err)
	}))
	defer engine.Close()
	s := newGateway(t, &upstream{Server: engine}, withSilence(silence))
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	answers := bufio.NewReader(c)
	for _, path := range []string{"/v1/chat/completions", "/docling/v1/convert/file", "/v1/completions"} {
		body := `{"prompt":"0123456789"}`
		_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n", path, len(body))
		for i := range body {
			time.Sleep(silence / 5) // in all far longer than the silence
			_, _ = io.WriteString(c, body[i:i+1])
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || string(text) != fmt.Sprintf(`{"read":"%d <nil>"}`, len(body)) {
			t.Errorf("%s: %d %s, error %v; want the whole body read", path, resp.StatusCode, text, err)
		}
	}
}

// A body that is held in memory must be there in time, however steadily it comes. One that is
// passed on may take as long as it likes.
func TestHeldBodiesHaveATime(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer engine.Close()
	const bodyTime = 300 * time.Millisecond
	s := newGateway(t, &upstream{Server: engine}, func(g *gateway) { g.bodyTime = bodyTime })
	for path, want := range map[string]int{"/v1/chat/completions": 408, "/v1/completions": 408, "/v1/embeddings": 408,
		"/v1/rerank": 408, "/infer": 408, "/docling/v1/convert/source": 200} {
		body, write := io.Pipe()
		go func() { // the client closes the body that it reads once it has the answer
			for started := time.Now(); time.Since(started) < 3*bodyTime; time.Sleep(bodyTime / 20) {
				if _, err := io.WriteString(write, " "); err != nil {
					return
				}
			}
			_ = write.Close()
		}()
		resp, err := http.Post(s.URL+path, "application/json", body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: a body of %v that comes steadily got %d, want %d", path, 3*bodyTime, resp.StatusCode, want)
		}
	}
}

// A body with documents is no larger than its limit, whether its length is told or not.
func TestUploadsAreLimited(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	const limit = 1 << 20
	s := newGateway(t, u, func(g *gateway) { g.maxUpload = limit })
	for _, path := range []string{"/v1/convert/file", "/v1/convert/source", "/v1/chunk/hybrid/file/async", "/x"} {
		for name, body := range map[string]io.Reader{
			"a length that is told": bytes.NewReader(make([]byte, limit+1)),
			"no length":             io.MultiReader(bytes.NewReader(make([]byte, limit+1))),
		} {
			resp, err := http.Post(s.URL+"/docling"+path, "application/octet-stream", body)
			if err != nil {
				t.Fatalf("%s, %s: %v", path, name, err)
			}
			text, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(text, []byte("--max-upload")) {
				t.Errorf("%s, %s: %d %s, want 413 that names --max-upload", path, name, resp.StatusCode, text)
			}
		}
		resp, body := send(t, http.MethodPost, s.URL+"/docling"+path, strings.Repeat("x", limit))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s, at the limit: %d %s, want 200", path, resp.StatusCode, body)
		}
	}
}

// What requests hold together is limited and given back; a call of a usual size goes on.
func TestMemoryOfRequests(t *testing.T) {
	m := &memory{limit: 1000}
	a, b := &lease{memory: m}, &lease{memory: m}
	steps := []struct {
		name  string
		of    *lease
		take  int64
		alone bool
		fails bool
	}{
		{name: "what is free of charge", of: a, take: freeOfCharge},
		{name: "as much as there is", of: a, take: 1000},
		{name: "what is free of charge, beside it", of: b, take: freeOfCharge},
		{name: "a byte when there is none", of: b, take: 1, fails: true},
		{name: "more than there can be", of: b, take: 1001, fails: true, alone: true},
	}
	for _, step := range steps {
		err := step.of.take(step.take)
		full, _ := err.(*memoryError) //nolint:errorlint // take returns no other
		if (err != nil) != step.fails || full != nil && full.alone != step.alone {
			t.Errorf("%s: %v, want a failure: %t, alone: %t", step.name, err, step.fails, step.alone)
		}
	}
	a.end()
	if err := b.take(1000); err != nil {
		t.Errorf("when the other has ended: %v", err)
	}
	b.end()
	if m.taken != 0 {
		t.Errorf("%d bytes are taken after all have ended", m.taken)
	}
}

func TestTakeDecodedCountsParts(t *testing.T) {
	for text, want := range map[string]int64{
		`{}`: 64, `{"a":1,"b":2}`: 64 + 2*64 + 16, `["a,{:","\",{:\\",[1,2]]`: 3 * 16, `"`: 0, `"\`: 0, `"a,\"`: 0,
		`["",""]`: 16, `["a\\",2]`: 16, `["\\\"",{"x":""}]`: 16 + 64 + 64,
	} {
		l := &lease{memory: &memory{limit: 1 << 30}}
		if err := l.takeDecoded([]byte(text), bytesOfNumber); err != nil || l.used != want {
			t.Errorf("%s: %d bytes, error %v; want %d", text, l.used, err, want)
		}
	}
}
