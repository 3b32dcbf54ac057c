package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// server answers over loopback, in a process of its own so that its work is not counted as a client's. Its stdin is a
// pipe from the parent: when that closes, it ends.
//
// Below /hold/ a stream gives some events and then waits; below /paced/ an event comes each millisecond; below /grow/ embeddings
// are as many as the inputs. Documents are converted as jobs of docling-serve, done at the first poll.
type server struct {
	*answers
	stats serverStats
	mu    sync.Mutex
	jobs  atomic.Int64
}

// serverStats is what the server saw since it was last asked.
type serverStats struct {
	Connections   int   // that were made
	Requests      int   // that were answered
	ContentLength int64 // of the last upload, as its header said; -1 for none
	Received      int64 // bytes of the last upload
}

const (
	pace   = time.Millisecond
	heldAt = 16 // events, after which a stream is held: it is in full swing
)

func serveChild(ctx context.Context, s sizes) error {
	srv := &server{answers: newAnswers(s)}
	var listen net.ListenConfig
	public, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := &http.Server{Handler: srv, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			srv.mu.Lock()
			srv.stats.Connections++
			srv.mu.Unlock()
		}
	}}
	failed := make(chan error, 2)
	go func() { failed <- h.Serve(public) }()
	go func() {
		failed <- (&http.Server{Handler: http.HandlerFunc(srv.control), ReadHeaderTimeout: time.Minute}).Serve(control)
	}()
	if _, err := fmt.Printf("%s %s\n", public.Addr(), control.Addr()); err != nil { //nolint:forbidigo // the parent reads it
		return err
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- errors.Join(err, io.EOF)
	}()
	if err := <-failed; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (s *server) control(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = w.Write(mustJSON(s.stats))
	s.stats = serverStats{}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.stats.Requests++
	s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/convert/file") || strings.HasSuffix(r.URL.Path, "/v1/files") {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.stats.ContentLength, s.stats.Received = r.ContentLength, n
		s.mu.Unlock()
		reply(w, "application/json", s.Upload)
		return
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/hold/"), strings.HasPrefix(r.URL.Path, "/paced/"):
		s.eventByEvent(w, r)
	case strings.HasPrefix(r.URL.Path, "/grow/v1/embeddings"):
		reply(w, "application/json", growEmbeddings(request))
	case strings.HasSuffix(r.URL.Path, "/convert/source/async"):
		reply(w, "application/json", fmt.Appendf(nil, `{"task_id":"task-%d","task_type":"convert","task_status":"pending","task_position":1}`, s.jobs.Add(1)))
	case strings.Contains(r.URL.Path, "/status/poll/"):
		reply(w, "application/json", []byte(`{"task_id":"task","task_type":"convert","task_status":"success","task_position":null}`))
	case strings.Contains(r.URL.Path, "/docling/v1/result/"):
		reply(w, "application/json", s.Upload)
	case strings.HasSuffix(r.URL.Path, "/v1/models"):
		reply(w, "application/json", []byte(`{"object":"list","data":[{"id":"`+model+`","object":"model"}]}`))
	default:
		contentType, body := s.answer(r.URL.Path, bytes.ReplaceAll(request, []byte(": "), []byte(":"))) // Python writes a space
		reply(w, contentType, body)
	}
}

func reply(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	if contentType == "text/event-stream" {
		_ = http.NewResponseController(w).Flush() // so that no Content-Length is known, as for a real stream
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	_, _ = w.Write(body) // who left does not need it
}

// eventByEvent sends the events of the stream one by one.
func (s *server) eventByEvent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	n := 0
	for event := range bytes.SplitAfterSeq(s.Stream, []byte("\n\n")) {
		if n++; n > pacedEvents {
			_, _ = w.Write([]byte("data: [DONE]\n\n"))
			return
		}
		if _, err := w.Write(event); err != nil {
			return
		}
		_ = flush.Flush()
		if strings.HasPrefix(r.URL.Path, "/hold/") {
			if n < heldAt {
				continue
			}
			<-r.Context().Done()
			return
		}
		select {
		case <-ticks.C:
		case <-r.Context().Done():
			return
		}
	}
}

const growDimensions = 32

var growVector = base64Vector(make([]float32, growDimensions))

// growEmbeddings answers with as many vectors as there are inputs.
func growEmbeddings(request []byte) []byte {
	var in struct {
		Input []json.RawMessage `json:"input"`
	}
	if err := json.Unmarshal(request, &in); err != nil {
		return fmt.Appendf(nil, `{"error":{"message":%q}}`, err)
	}
	b := append(make([]byte, 0, len(in.Input)*(len(growVector)+64)), `{"object":"list","model":"m","data":[`...)
	for i := range in.Input {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"object":"embedding","index":%d,"embedding":"%s"}`, i, growVector)
	}
	return fmt.Appendf(b, `],"usage":{"prompt_tokens":%d,"total_tokens":%[1]d}}`, len(in.Input))
}

// serverProcess is the server as its parent sees it.
type serverProcess struct {
	URL     string
	control string
	cmd     *exec.Cmd
	stdin   io.Closer
}

func startServer(ctx context.Context, quick bool) (*serverProcess, error) {
	cmd, err := selfCommand(ctx, quick, "server")
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var public, control string
	if _, err := fmt.Fscanln(bufio.NewReader(stdout), &public, &control); err != nil {
		_ = stdin.Close()
		return nil, errors.Join(fmt.Errorf("the server did not start: %w", err), cmd.Wait())
	}
	return &serverProcess{URL: "http://" + public, control: "http://" + control, cmd: cmd, stdin: stdin}, nil
}

// take asks what the server saw since it was last asked.
func (s *serverProcess) take() (stats serverStats, err error) {
	resp, err := http.Get(s.control) //nolint:noctx // our own child on loopback
	if err != nil {
		return stats, err
	}
	defer resp.Body.Close()
	return stats, json.NewDecoder(resp.Body).Decode(&stats)
}

func (s *serverProcess) close() error {
	_ = s.stdin.Close()
	return s.cmd.Wait()
}
