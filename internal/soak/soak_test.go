// Package soak keeps the client and the MCP server busy for long, with faults and cancels among the
// calls, and checks that nothing is lost, nothing runs twice and nothing is left behind.
package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/mcp"
)

var duration = flag.Duration("soak", 5*time.Second, "how long to keep at it: make soak takes 10 minutes")

// rounds is in how many parts the time is cut: after each of them all must be as it was after the
// one before.
const rounds = 5

const workers = 24

// heapSlack is how much the live heap may differ between two moments of rest, in bytes.
const heapSlack = 4 << 20

// soak is the state that the workers share.
type soak struct {
	t       *testing.T
	service *service
	client  *babyclient.Client
	agent   *agent
	next    atomic.Int64

	requests, faults, cancels, lost, duplicated atomic.Int64
}

func TestSoak(t *testing.T) {
	service := newService(t)
	client, err := babyclient.New(babyclient.WithBaseURL(service.URL), babyclient.WithAPIKey("soak-key-0123456789"),
		babyclient.WithDefaultModel("tiny"),
		babyclient.WithRetryBaseDelay(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	server, err := mcp.NewServer(client, mcp.WithRoots(t.TempDir()), mcp.WithRerankModel("tiny"))
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, service: service, client: client, agent: newAgent(t, server)}

	var before, after usage
	for round := range rounds {
		s.run(*duration / rounds)
		client.CloseIdleConnections()
		if round == 0 { // what is made once is there now
			before = rest(usage{})
			continue
		}
		after = rest(before)
		t.Logf("round %d: %d requests, %s", round+1, s.requests.Load(), after)
	}
	s.duplicated.Add(service.ranTwice())
	leaked := max(0, after.goroutines-before.goroutines) + max(0, after.descriptors-before.descriptors)
	t.Logf("%s: %d requests, %d faults injected, %d cancelled, %d lost, %d duplicated, %d leaked (heap %+d KiB)",
		*duration, s.requests.Load(), s.faults.Load(), s.cancels.Load(),
		s.lost.Load(), s.duplicated.Load(), leaked, (after.heap-before.heap)>>10)
	if s.lost.Load() != 0 || s.duplicated.Load() != 0 || leaked != 0 || after.heap > before.heap+heapSlack {
		t.Errorf("before: %s; after: %s", before, after)
	}
	if s.requests.Load() < workers || s.faults.Load() == 0 || s.cancels.Load() == 0 {
		t.Error("too little was done to tell anything")
	}
	if err := s.agent.close(); err != nil {
		t.Error(err)
	}
	server.Close()
	client.CloseIdleConnections()
}

// run keeps all workers busy for d and returns when they are done.
func (s *soak) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(s.t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil && !s.t.Failed() {
				s.one(s.t.Context())
			}
		})
	}
	wg.Wait()
}

// one makes one call with a number of its own, perhaps under a fault or with a cancel, and checks
// how it ends.
func (s *soak) one(ctx context.Context) {
	n := s.next.Add(1)
	call := calls[rand.IntN(len(calls))]
	f := faultOf(n)
	if call.agent && (f == cut || f == drop) {
		f = none // what an agent is told of a fault is a text: the tests of mcp read it
	}
	s.service.expect(n, f)
	if f == hang || f == cancelled {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(time.Duration(rand.Int64N(int64(20*time.Millisecond))), cancel).Stop()
		defer cancel()
		s.cancels.Add(1)
	}
	got, err := call.run(ctx, s, n)
	s.requests.Add(1)
	if f != none && f != cancelled {
		s.faults.Add(1)
	}
	ran := s.service.forget(n, ctx.Err() != nil)
	if ran > 1 {
		s.duplicated.Add(1)
		s.t.Errorf("%s %d ran %d times", call.name, n, ran)
	}
	if err == nil && (got != text(n) || ran != 1) {
		s.lost.Add(1)
		s.t.Errorf("%s %d under %s: answered %q, ran %d times", call.name, n, f, got, ran)
	}
	var want error
	switch {
	case f == none, f == busy && !call.once:
	case f == busy:
		want = babyclient.ErrUnavailable
	case f == drop:
		want = babyclient.ErrConnection
	case f == cut:
		want = call.broken
	default: // a cancel can come too late
		if err == nil {
			return
		}
		want = context.Canceled
	}
	if !errors.Is(err, want) {
		s.lost.Add(1)
		s.t.Errorf("%s %d under %s: %v, want %v", call.name, n, f, err, want)
	}
}

// call is one kind of call. run returns the text of the answer.
type call struct {
	name   string
	once   bool  // an upload, which is never sent again
	agent  bool  // goes through the MCP server
	broken error // what it ends with when the answer is cut
	run    func(ctx context.Context, s *soak, n int64) (string, error)
}

var calls = []call{
	{name: "stream", broken: babyclient.ErrStreamFailed,
		run: func(ctx context.Context, s *soak, n int64) (string, error) {
			var b strings.Builder
			req := &babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User(text(n))}}
			for chunk, err := range s.client.ChatStream(ctx, req) {
				if err != nil {
					return b.String(), err
				}
				b.WriteString(chunk.Text())
			}
			return b.String(), nil
		}},
	{name: "embed", broken: babyclient.ErrConnection, run: func(ctx context.Context, s *soak, n int64) (string, error) {
		req := &babyclient.EmbedRequest{Model: "tiny", Input: []string{text(n)}, EncodingFormat: "float"}
		resp, err := s.client.Embed(ctx, req)
		if err != nil {
			return "", err
		}
		v := resp.Vectors[0]
		return text(int64(v[0])*1000 + int64(v[1])), nil
	}},
	{name: "infer", broken: babyclient.ErrConnection, run: func(ctx context.Context, s *soak, n int64) (string, error) {
		resp, err := s.client.Infer(ctx, &babyclient.InferRequest{Prompt: text(n)})
		if err != nil {
			return "", err
		}
		return resp.Output, nil
	}},
	{name: "upload", once: true, broken: babyclient.ErrConnection,
		run: func(ctx context.Context, s *soak, n int64) (string, error) {
			document := text(n) + "\n" + strings.Repeat("A paragraph of the document.\n", 10_000)
			source := babyclient.FromReader("a.md", strings.NewReader(document))
			resp, err := s.client.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: []babyclient.Source{source}})
			if err != nil {
				return "", err
			}
			return resp.Document().Markdown, nil
		}},
	{name: "job", once: true, broken: babyclient.ErrConnection,
		run: func(ctx context.Context, s *soak, n int64) (string, error) {
			source := babyclient.FromBytes("a.md", []byte(text(n)+"\n"))
			req := &babyclient.ConvertRequest{Sources: []babyclient.Source{source}}
			job, err := s.client.Docling.StartConvert(ctx, req)
			if err != nil {
				return "", err
			}
			resp, err := job.Wait(ctx, babyclient.WithPollInterval(time.Millisecond))
			if err != nil {
				return "", err
			}
			return resp.Document().Markdown, nil
		}},
	{name: "MCP infer", agent: true, run: func(ctx context.Context, s *soak, n int64) (string, error) {
		return s.agent.call(ctx, n, "infer", `{"prompt":"`+text(n)+`"}`)
	}},
	{name: "MCP convert", agent: true, once: true, run: func(ctx context.Context, s *soak, n int64) (string, error) {
		return s.agent.call(ctx, n, "convert", `{"source":"data:,`+text(n)+`%0A"}`)
	}},
}

// text is what request n asks and what its answer says.
func text(n int64) string { return fmt.Sprintf("number-%d.", n) }

// usage is what the process holds on to.
type usage struct {
	goroutines, descriptors int
	heap                    int64 // bytes in live objects
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d KiB of heap", u.goroutines, u.descriptors, u.heap>>10)
}

// rest measures when all that ends by itself has ended: at the latest when it holds no more than
// before.
func rest(before usage) (u usage) {
	for range 200 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fds, _ := os.ReadDir("/proc/self/fd") // none elsewhere than on Linux
		last := u
		u = usage{runtime.NumGoroutine(), len(fds), int64(m.HeapAlloc)}
		if before == (usage{}) && last.goroutines == u.goroutines && last.descriptors == u.descriptors ||
			u.goroutines <= before.goroutines && u.descriptors <= before.descriptors {
			return u
		}
		time.Sleep(20 * time.Millisecond)
	}
	return u
}
