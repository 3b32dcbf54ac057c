package soak

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// fault is what happens to one call.
type fault string

const (
	none      fault = "no fault"
	busy      fault = "a 503 first" // nothing has run
	cut       fault = "a cut"       // it has run, and the answer breaks off
	drop      fault = "a drop"      // it has run, and no answer comes
	hang      fault = "a hang"      // until the client gives up
	cancelled fault = "a cancel"
)

// faultOf deals out the faults: four calls in ten have one.
func faultOf(n int64) fault {
	switch n % 20 {
	case 1, 2:
		return busy
	case 3, 4:
		return cut
	case 7, 8:
		return drop
	case 5:
		return hang
	case 6:
		return cancelled
	}
	return none
}

// service is a scripted BabyAPI that counts how often each number has run, and answers with it.
type service struct {
	*httptest.Server

	mu    sync.Mutex
	fault map[int64]fault // of the calls under way
	ran   map[int64]int   // of the calls under way, and of those that were cancelled
}

func newService(t *testing.T) *service {
	s := &service{fault: map[int64]fault{}, ran: map[int64]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// expect prepares the service for the call with number n.
func (s *service) expect(n int64, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault[n] = f
}

// forget tells how often the call has run. A request that was cancelled can still be on its way, so
// its count stays.
func (s *service) forget(n int64, cancelled bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fault, n)
	ran := s.ran[n]
	if !cancelled {
		delete(s.ran, n)
	}
	return ran
}

// ranTwice is how many cancelled calls have run more than once.
func (s *service) ranTwice() (twice int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ran := range s.ran {
		if ran > 1 {
			twice++
		}
	}
	return twice
}

// begin counts a run of n, unless its fault is to be refused first.
func (s *service) begin(n int64) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fault[n]
	if f == busy {
		s.fault[n] = none
		return busy
	}
	s.ran[n]++
	return f
}

var numbered = regexp.MustCompile(`number-(\d+)\.`)

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone before it had sent all: that cannot run
	}
	if r.Method == http.MethodGet { // about a job, whose id is its number
		number := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if strings.Contains(r.URL.Path, "/status/") {
			babytest.JSON(200, `{"task_id":"`+number+`","task_status":"success"}`).ServeHTTP(w, r)
			return
		}
		babytest.JSON(200, document("number-"+number+".")).ServeHTTP(w, r)
		return
	}
	if strings.Contains(r.URL.Path, "/cancel/") {
		babytest.JSON(200, `{"task_status":"cancelled"}`).ServeHTTP(w, r)
		return
	}
	m := numbered.FindSubmatch(body)
	if m == nil {
		http.Error(w, "a request without a number: "+r.URL.Path, http.StatusTeapot)
		return
	}
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	answer := good(r.URL.Path, n)
	switch s.begin(n) {
	case busy:
		answer = babytest.JSON(http.StatusServiceUnavailable, `{"message":"later"}`)
	case cut:
		answer = babytest.Cut(answer, -20) // before the end of the answer, after its beginning
	case drop:
		answer = babytest.Cut(answer, 0)
	case hang:
		answer = babytest.Hang(answer, -20)
	}
	answer.ServeHTTP(w, r)
}

// good is the answer that carries the number back.
func good(path string, n int64) http.Handler {
	switch {
	case path == "/v1/chat/completions":
		var events []string
		for _, piece := range strings.SplitAfter(text(n), "-") {
			events = append(events, `{"choices":[{"index":0,"delta":{"content":"`+piece+`"}}]}`)
		}
		return babytest.Stream(events...)
	case path == "/v1/embeddings":
		embedding := map[string]any{"index": 0, "embedding": []int64{n / 1000, n % 1000}}
		return babytest.JSON(200, map[string]any{"data": []any{embedding}})
	case path == "/infer":
		return babytest.JSON(200, map[string]string{"output": text(n)})
	case strings.HasSuffix(path, "/async"):
		submitted := babytest.JSON(200, fmt.Sprintf(`{"task_id":"%d","task_status":"pending"}`, n))
		return babytest.WithHeader(submitted, "X-Babyapi-Docling-Id", "node-1")
	}
	return babytest.JSON(200, document(text(n)))
}

func document(markdown string) json.RawMessage {
	return json.RawMessage(`{"document":{"filename":"a.md","md_content":"` + markdown + `"},"status":"success"}`)
}
