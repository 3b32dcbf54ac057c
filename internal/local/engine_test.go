package local

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// childMode makes this test program play an engine, or the parent of one.
const childMode = "BABYAPI_LOCAL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(childMode); mode {
	case "":
		os.Exit(m.Run())
	case "parent":
		playParent()
	case "builder":
		playBuilder()
	default:
		playEngine(mode)
	}
}

// playEngine keeps to the rules of an engine, but for: "broken" ends before it
// is up, "deaf" does not end when its pipe closes.
func playEngine(mode string) {
	if mode == "broken" {
		fmt.Fprintln(os.Stderr, "no such model")
		os.Exit(3)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if mode != "deaf" {
			os.Exit(0)
		}
	}()
	fmt.Printf("listening http://%s\n", listener.Addr())
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(4) })
	panic(http.Serve(listener, nil))
}

// playParent starts an engine as babyapi-local does, and prints its address.
func playParent() {
	mode, dir := os.Args[1], os.Args[2]
	e := newTestEngine(dir, mode)
	e.run(context.Background(), func(err error) {
		if err != nil {
			panic(err)
		}
		fmt.Println(e.target.Load().url.Host)
	})
}

func newTestEngine(dir, mode string) *engine {
	return &engine{
		backend:    &backend{name: "chat", own: true},
		command:    []string{os.Args[0]},
		env:        append(os.Environ(), childMode+"="+mode),
		dir:        dir,
		logPath:    filepath.Join(dir, "chat.log"),
		ready:      "/health",
		credential: credential{"Authorization", "Bearer k"},
		messages:   io.Discard,
	}
}

// isGone waits until nothing listens at the address.
func isGone(t *testing.T, address string) {
	t.Helper()
	for {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = c.Close()
		select {
		case <-t.Context().Done():
			t.Fatalf("%s still listens", address)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestEngineEndsWithItsContext(t *testing.T) {
	for _, mode := range []string{"well", "deaf"} {
		t.Run(mode, func(t *testing.T) {
			if mode == "deaf" {
				defer func(d time.Duration) { stopTimeout = d }(stopTimeout)
				stopTimeout = 50 * time.Millisecond
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			e := newTestEngine(t.TempDir(), mode)
			started, ended := make(chan error, 1), make(chan struct{})
			go func() {
				defer close(ended)
				e.run(ctx, func(err error) { started <- err })
			}()
			if err := <-started; err != nil {
				t.Fatal(err)
			}
			address := e.target.Load().url.Host
			cancel()
			<-ended
			if e.target.Load() != nil {
				t.Error("the engine has a target after its end, want none")
			}
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				t.Errorf("the engine still listens at %s after its end", address)
			}
		})
	}
}

func TestEngineThatNeverComesUp(t *testing.T) {
	e := newTestEngine(t.TempDir(), "broken")
	var failure error
	e.run(t.Context(), func(err error) { failure = err }) // returns: it is not tried again
	if failure == nil || !strings.Contains(failure.Error(),
		"ended before it was up: exit status 3; it said:\nno such model") ||
		!strings.Contains(failure.Error(), e.logPath) {
		t.Errorf("error of an engine that does not come up: %v", failure)
	}
	e.command = []string{filepath.Join(e.dir, "nothing-here")}
	e.run(t.Context(), func(err error) { failure = err })
	if failure == nil || !strings.Contains(failure.Error(), "the chat engine does not start") {
		t.Errorf("error of an engine that does not come up: %v", failure)
	}
}

func TestEngineIsStartedAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e := newTestEngine(t.TempDir(), "well")
	messages, write := io.Pipe()
	e.messages = write
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		e.run(ctx, func(err error) { started <- err })
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	before := e.target.Load().url.Host
	if resp, err := http.Get("http://" + before + "/die"); err == nil {
		_ = resp.Body.Close()
	}
	lines := bufio.NewScanner(messages)
	for _, want := range []string{"the chat engine ended unexpectedly: exit status 4 (log: " + e.logPath +
		"); starting it again in 1s", "the chat engine is up again"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("said %q, want %q", lines.Text(), want)
		}
	}
	if after := e.target.Load(); after == nil || after.url.Host == before {
		t.Errorf("it is at %v, was at %s", after, before)
	}
	cancel()
	<-ended
}

// SIGKILL leaves the parent no time to do anything, and yet its engine ends: on Linux also one that
// does not look at its pipe, as Python does not while a library holds its lock.
func TestEngineEndsWithItsParent(t *testing.T) {
	modes := []string{"well"}
	if runtime.GOOS == "linux" {
		modes = append(modes, "deaf")
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			parent := exec.Command(os.Args[0], mode, t.TempDir())
			parent.Env = append(os.Environ(), childMode+"=parent")
			parent.Stderr = os.Stderr
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			address, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			address = strings.TrimSpace(address)
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
			_ = parent.Process.Kill()
			_ = parent.Wait()
			isGone(t, address)
		})
	}
}

func TestAddressWriterFindsTheAddress(t *testing.T) {
	a := &addressWriter{found: make(chan string, 1)}
	for _, piece := range []string{"list", "ening http://127", ".0.0.1:5\nand", " more\nlistening http://x\n"} {
		if n, err := a.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := <-a.found; got != "http://127.0.0.1:5" {
		t.Errorf("address found %q, want http://127.0.0.1:5", got)
	}
}
