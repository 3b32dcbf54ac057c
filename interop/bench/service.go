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

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// service answers over loopback. It is a process of its own, so that its work is not counted as a
// client's. For each line of its stdin, which is a pipe from the process that measures, it prints
// what it has seen since the last one; when the pipe closes, it ends.
//
// Below /slow/ it waits before it answers; below /hold/ a stream gives some events and then waits;
// below /paced/ an event comes each millisecond; below /grow/ embeddings are as many as the inputs.
// Documents are converted as jobs of docling-serve too, done at the first poll.
type service struct {
	*answers
	jobs atomic.Int64

	mu   sync.Mutex
	seen seen
}

// seen is what the service saw since it was last asked.
type seen struct {
	Connections   int   // that were made
	Requests      int   // that were answered
	ContentLength int64 // of the last upload, as its header said; -1 for none
	Received      int64 // bytes of the last upload
}

const (
	slowness    = 20 * time.Millisecond // the least that a small model takes for an answer
	pace        = time.Millisecond
	pacedEvents = 2_000 // of a stream below /paced/
	heldAfter   = 16    // events of a stream below /hold/: it is in full swing
)

func (s *service) note(f func(*seen)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.seen)
}

// serve is the work of the service's process. Its first line says where it listens.
func serve(ctx context.Context, size sizes) error {
	s := &service{answers: newAnswers(size)}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.note(func(n *seen) { n.Connections++ })
		}
	}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	go func() {
		fmt.Fprintln(os.Stdout, "http://"+listener.Addr().String())
		questions := bufio.NewScanner(os.Stdin)
		for questions.Scan() {
			s.note(func(n *seen) {
				fmt.Fprintf(os.Stdout, "%s\n", mustJSON(n))
				*n = seen{}
			})
		}
		ended <- questions.Err()
	}()
	return <-ended
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.note(func(n *seen) { n.Requests++ })
	path := r.URL.Path
	if strings.HasSuffix(path, "/convert/file") || strings.HasSuffix(path, "/v1/files") {
		received, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return // the client has gone
		}
		s.note(func(n *seen) { n.ContentLength, n.Received = r.ContentLength, received })
		reply(w, typeJSON, s.body[calls.Upload])
		return
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if strings.HasPrefix(path, "/slow/") {
		time.Sleep(slowness)
	}
	switch {
	case strings.HasPrefix(path, "/hold/"), strings.HasPrefix(path, "/paced/"):
		s.eventByEvent(w, r)
	case strings.HasPrefix(path, "/grow/v1/embeddings"):
		reply(w, typeJSON, growEmbeddings(request))
	case strings.HasSuffix(path, "/convert/source/async"):
		reply(w, typeJSON, fmt.Appendf(nil, `{"task_id":"task-%d","task_type":"convert","task_status":"pending",`+
			`"task_position":1}`, s.jobs.Add(1)))
	case strings.Contains(path, "/status/poll/"):
		reply(w, typeJSON, []byte(`{"task_id":"task","task_type":"convert","task_status":"success"}`))
	case strings.Contains(path, "/docling/v1/result/"):
		reply(w, typeJSON, s.body[calls.Upload])
	case strings.HasSuffix(path, "/v1/models"):
		reply(w, typeJSON, []byte(`{"object":"list","data":[{"id":"`+calls.Model+`","object":"model"}]}`))
	default:
		request = bytes.ReplaceAll(request, []byte(": "), []byte(":")) // Python writes a space
		contentType, body := s.answer(path, request)
		reply(w, contentType, body)
	}
}

func reply(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	if contentType == typeStream {
		_ = http.NewResponseController(w).Flush() // so that no Content-Length is known, as for a real stream
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	_, _ = w.Write(body) // who left does not need it
}

// eventByEvent sends the events of the stream one by one.
func (s *service) eventByEvent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", typeStream)
	flush := http.NewResponseController(w)
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	hold := strings.HasPrefix(r.URL.Path, "/hold/")
	n := 0
	for event := range bytes.SplitAfterSeq(s.body[calls.Stream], []byte("\n\n")) {
		if n++; n > pacedEvents {
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
			return
		}
		if _, err := w.Write(event); err != nil {
			return
		}
		_ = flush.Flush()
		if hold && n < heldAfter {
			continue
		}
		next := ticks.C
		if hold {
			next = nil // it never comes
		}
		select {
		case <-next:
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

// serviceProcess is the service as the process sees it that started it.
type serviceProcess struct {
	URL    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
}

func startService(ctx context.Context, quick bool) (*serviceProcess, error) {
	cmd, err := childCommand(ctx, quick, "serve")
	if err != nil {
		return nil, err
	}
	stdin, stdout, err := startPiped(cmd)
	if err != nil {
		return nil, err
	}
	s := &serviceProcess{cmd: cmd, stdin: stdin, stdout: bufio.NewScanner(stdout)}
	if !s.stdout.Scan() {
		s.close()
		return nil, errors.New("the service did not start")
	}
	s.URL = s.stdout.Text()
	return s, nil
}

// seen asks what the service saw since it was last asked.
func (s *serviceProcess) seen() (n seen, err error) {
	if _, err := io.WriteString(s.stdin, "\n"); err != nil {
		return n, err
	}
	if !s.stdout.Scan() {
		return n, errors.New("the service has ended")
	}
	return n, json.Unmarshal(s.stdout.Bytes(), &n)
}

func (s *serviceProcess) close() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait() // all that it had to say was checked
}
