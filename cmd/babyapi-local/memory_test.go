package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxMemory is three times what the gateway lets requests hold, in KiB: the rest is garbage that is
// not collected yet, and the program itself.
const maxMemory = 3 * 128 << 10

// Clients that send the largest bodies slowly, bodies of many small parts, and servers whose
// answers never end: the process stays small, and honest calls go on.
func TestMemoryUnderAttack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc: run this test on Linux")
	}
	// Not the program of the test, to which the race detector adds several times the memory.
	program := filepath.Join(t.TempDir(), "babyapi-local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building babyapi-local: %v\n%s", err, out)
	}
	endless := func(begin, piece string) http.HandlerFunc {
		more := []byte(strings.Repeat(piece, 64<<10/len(piece)))
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(string(body), "honest") {
				_, _ = io.WriteString(w, `{"model":"m","choices":[{"message":{"content":"well"}}]}`)
				return
			}
			if strings.HasPrefix(begin, `{"error"`) {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, begin)
			for {
				if _, err := w.Write(more); err != nil {
					return
				}
			}
		}
	}
	repeated := func(begin, piece string) func(i int) string {
		body := begin + strings.Repeat(piece, (16<<20-len(begin)-100)/len(piece))
		return func(int) string { return body }
	}
	requests := func(bodies ...string) func(i int) string {
		return func(i int) string { return bodies[i%len(bodies)] }
	}
	calls := []string{"POST /infer", "POST /v1/rerank", "GET /v1/models"}
	short := requests(`{"prompt":"x"}`, `{"query":"q","documents":["a"]}`, ``)
	tests := map[string]struct {
		server   http.HandlerFunc
		paths    []string
		body     func(i int) string
		unsent   bool // the last byte of the body is never sent
		statuses string
	}{
		"60 slow bodies": {server: endless(`{`, `x`), paths: []string{"POST /v1/completions", "POST /infer", "POST /v1/rerank"},
			body: repeated(`{"prompt":"`, `x`), unsent: true, statuses: "503"},
		"many texts": {server: endless(`{`, `x`), paths: []string{"POST /v1/rerank"},
			body: repeated(`{"query":"q","documents":["`, `","`), statuses: "413 503"},
		"many fields": {server: endless(`{`, `x`), paths: []string{"POST /v1/completions"},
			body: repeated(`{`, `"":1,`), statuses: "413 503"},
		"many objects": {server: endless(`{`, `x`), paths: []string{"POST /v1/rerank"},
			body: repeated(`{"query":"q","documents":[`, `{},`), statuses: "413 503"},
		"an endless answer": {server: endless(`{"model":"`, `x`), paths: calls, body: short, statuses: "502"},
		"endless numbers":   {server: endless(`{"data":[{"embedding":[1`, `,1`), paths: calls, body: short, statuses: "502"},
		"endless objects":   {server: endless(`{"choices":[{}`, `,{}`), paths: calls, body: short, statuses: "502"},
		"endless values":    {server: endless(`{"data":[1`, `,1`), paths: calls, body: short, statuses: "502"},
		"an endless error":  {server: endless(`{"error":{"message":"`, `x`), paths: calls, body: short, statuses: "502"},
		"an endless header": {server: func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		}, paths: calls, body: short, statuses: "502"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.server)
			defer server.Close()
			cmd := exec.CommandContext(t.Context(), program, "--addr", "127.0.0.1:0", "--chat-url", server.URL,
				"--embed-url", server.URL, "--docling-url", server.URL)
			cmd.Env = append(os.Environ(), "BABYAPI_LOCAL_API_KEY=")
			base, _ := launch(t, cmd)
			defer func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			before := peakMemory(t, cmd.Process.Pid)
			clients := 20
			if tt.unsent {
				clients = 60
			}
			var sent, ended sync.WaitGroup
			var mu sync.Mutex
			statuses := map[string]int{}
			for i := range clients {
				sent.Add(1)
				ended.Go(func() {
					status := attack(base, tt.paths[i%len(tt.paths)], tt.body(i), tt.unsent, sync.OnceFunc(sent.Done))
					mu.Lock()
					defer mu.Unlock()
					statuses[status]++
				})
			}
			sent.Wait()
			if name != "an endless header" {
				resp, err := http.Post(base+"/infer", "application/json", strings.NewReader(`{"prompt":"honest"}`))
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if tt.unsent && !strings.Contains(string(text), "well") {
					t.Errorf("an honest call meanwhile: %d %s, want its answer", resp.StatusCode, text)
				}
			}
			if !tt.unsent {
				ended.Wait()
			}
			peak := peakMemory(t, cmd.Process.Pid)
			mu.Lock()
			defer mu.Unlock()
			t.Logf("at most %d MiB, before %d MiB; answers %v", peak>>10, before>>10, statuses)
			if peak > maxMemory {
				t.Errorf("it took %d MiB of memory, want at most %d", peak>>10, maxMemory>>10)
			}
			for status := range statuses {
				if status != "" && !strings.Contains(tt.statuses, status) {
					t.Errorf("%d answers %s, want %s", statuses[status], status, tt.statuses)
				}
			}
			if statuses[strings.Fields(tt.statuses)[0]]+statuses[strings.Fields(tt.statuses + " x")[1]] == 0 {
				t.Errorf("answers %v, want %s", statuses, tt.statuses)
			}
		})
	}
}

// attack sends a request, calls sent when its body is sent or refused, and returns the status of
// the answer. With unsent it keeps the last byte back.
func attack(base, request, body string, unsent bool, sent func()) string {
	defer sent()
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", request,
		len(body))
	if unsent {
		body = body[:len(body)-1]
	}
	_, _ = io.WriteString(c, body) // fails if it is refused before all is sent
	sent()
	answer, _ := io.ReadAll(c)
	if f := strings.Fields(string(answer)); len(f) > 1 {
		return f[1]
	}
	return ""
}
