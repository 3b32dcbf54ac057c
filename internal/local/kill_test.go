package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Engines die by SIGKILL under load: the calls end with clear errors, those of the other engines go
// on, and the next ones succeed once the engine is back.
func TestEnginesKilledUnderLoad(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("finds the engines in /proc: run this test on Linux")
	}
	model := func(name string) string { return filepath.Join("testdata", "models", name) }
	s := realStack(t, Config{ChatModel: model("tiny-chat.gguf"), EmbedModel: model("tiny-embed.gguf")})
	c, err := babyclient.New(babyclient.WithBaseURL(s.BaseURL()), babyclient.WithAPIKey("any"),
		babyclient.WithDefaultModel("tiny-chat"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	kill := func(program string) {
		t.Helper()
		p, err := os.FindProcess(childWith(t, program))
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// again calls until it succeeds, and takes no other error for an answer than that the engine is
	// away.
	again := func(t *testing.T, call func() error) {
		t.Helper()
		for {
			err := call()
			if err == nil {
				return
			}
			if ctx.Err() != nil || !errors.Is(err, babyclient.ErrUnavailable) {
				t.Fatalf("until it is back: %v", err)
			}
		}
	}

	t.Run("chat", func(t *testing.T) {
		var under, ended sync.WaitGroup
		var embedded atomic.Int64
		loadCtx, stop := context.WithCancel(ctx)
		defer stop()
		for range 3 { // and others wait for a place
			under.Add(1)
			ended.Go(func() {
				begun := sync.OnceFunc(under.Done)
				defer begun()
				req := &babyclient.CompleteRequest{Prompt: "Once upon a time", MaxTokens: new(100_000),
					Extra: map[string]any{"ignore_eos": true}}
				chunks := 0
				for _, err := range c.CompleteStream(loadCtx, req) {
					if err == nil {
						begun()
						chunks++
						continue
					}
					if !errors.Is(err, babyclient.ErrStreamFailed) && !errors.Is(err, babyclient.ErrStreamTruncated) ||
						chunks == 0 {
						t.Errorf("a stream ended after %d chunks with %v", chunks, err)
					}
					return
				}
				t.Error("a stream whose engine died ended as if it were complete")
			})
		}
		under.Wait()
		var others sync.WaitGroup
		others.Go(func() {
			for loadCtx.Err() == nil {
				if _, err := c.Embed(loadCtx, &babyclient.EmbedRequest{Model: "tiny-embed",
					Input: []string{"a"}}); err != nil && loadCtx.Err() == nil {
					t.Errorf("embedding beside a dead chat engine: %v", err)
					return
				}
				embedded.Add(1)
			}
		})
		kill("llama.py\x00chat")
		ended.Wait()
		again(t, func() error {
			_, err := c.Complete(ctx, &babyclient.CompleteRequest{Prompt: "hi", MaxTokens: new(1)})
			return err
		})
		stop()
		others.Wait()
		if embedded.Load() == 0 {
			t.Error("nothing was embedded meanwhile")
		}
	})

	t.Run("docling", func(t *testing.T) {
		document := []byte("<h1>Title</h1>" + strings.Repeat("<p>A paragraph.</p>", 20_000))
		job, err := c.Docling.StartConvert(ctx,
			&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes("big.html", document)}})
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error, 1)
		go func() {
			_, err := c.Docling.Convert(ctx,
				&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes("big.html", document)}})
			waiting <- err
		}()
		if _, err := job.Status(ctx); err != nil {
			t.Fatal(err)
		}
		kill("serve_light.py")
		if err := <-waiting; !errors.Is(err, babyclient.ErrUnavailable) && !errors.Is(err, babyclient.ErrConnection) {
			t.Errorf("a conversion whose engine died ended with %v", err)
		}
		for { // as long as the node is away the job can be waited for; then it is lost, and that is the end of it
			_, err := job.Wait(ctx)
			if errors.Is(err, babyclient.ErrTaskLost) {
				break
			}
			if ctx.Err() != nil || !errors.Is(err, babyclient.ErrUnavailable) {
				t.Fatalf("waiting for a job whose node died: %v", err)
			}
		}
		again(t, func() error {
			_, err := c.Docling.Convert(ctx,
				&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes("a.md", []byte("# A"))}})
			return err
		})
	})
}
