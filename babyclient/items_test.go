package babyclient_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// An answer within its limit in bytes takes at most three times that limit in memory, however it is
// written.
func TestMemoryOfAnAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("it decodes large answers")
	}
	const limit = 16 << 20
	fill := func(begin, item, end string) string {
		n := (limit - len(begin) - len(end) - 100) / (len(item) + 1)
		return begin + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + end
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for i := 0; archive.Len() < limit/2-(1<<20); i++ {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%x", i), Method: zip.Store}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	type call = func(context.Context, *babyclient.Client) error
	chat := func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Chat(ctx, &babyclient.ChatRequest{Model: "m", Messages: hi})
		return err
	}
	models := func(ctx context.Context, c *babyclient.Client) error { _, err := c.Models(ctx); return err }
	source := []babyclient.Source{babyclient.FromURL("http://h/a.md")}
	chunk := func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: source})
		return err
	}
	convert := func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: source})
		return err
	}
	const document = `{"document":{"filename":"a","md_content":"x"},"status":"success",`
	for name, test := range map[string]struct {
		body string
		call call
	}{
		"choices":              {fill(`{"choices":[`, `{}`, `]}`), chat},
		"choices, null":        {fill(`{"choices":[`, `null`, `]}`), chat},
		"choices, lists":       {fill(`{"choices":[`, `[]`, `]}`), chat},
		"calls of a choice":    {fill(`{"choices":[{"message":{"tool_calls":[`, `{}`, `]}}]}`), chat},
		"tokens of a choice":   {fill(`{"choices":[{"message":{"content":"x"},"logprobs":{"content":[`, `{}`, `]}}]}`), chat},
		"parts of a message":   {fill(`{"choices":[{"message":{"content":[`, `{}`, `]}}]}`), chat},
		"models":               {fill(`{"data":[`, `{}`, `]}`), models},
		"models, a bare list":  {fill(`[`, `{}`, `]`), models},
		"models, by name":      {fill(`{"models":[`, `""`, `]}`), models},
		"chunks":               {fill(`{"documents":[`+document+`"x":1}],"chunks":[`, `{}`, `]}`), chunk},
		"errors of a document": {fill(document+`"errors":[`, `{}`, `]}`), convert},
		"an error":             {fill(`{"error":[`, `{}`, `]}`), chat},
		"blanks":               {fill(`{"choices":[`, ` `, `]}`), chat},
		"directory of a zip":   {archive.String(), convert},
		"text":                 {fill(`{"choices":[{"message":{"content":"`, `abcdefgh ijk`, `"}}]}`), chat},
	} {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			content := "application/json"
			if strings.HasPrefix(test.body, "PK") {
				content = "application/zip"
			}
			srv.On("/", babytest.Body(200, content, []byte(test.body)))
			c := client(srv, babyclient.WithMaxResponseSize(limit))
			var err error
			used := peakMemory(func() { err = test.call(t.Context(), c) })
			if ratio := float64(used) / limit; ratio > 3 {
				t.Errorf("took %.1f times the limit in memory; error %v", ratio, err)
			} else {
				t.Logf("%.2f times the limit", ratio)
			}
			if name == "text" && err != nil {
				t.Error(err)
			}
			if name == "choices" && !errors.Is(err, babyclient.ErrResponseTooLarge) {
				t.Errorf("error %v, want ErrResponseTooLarge", err)
			}
		})
	}
}

// peakMemory is by how much f makes the heap grow, at its highest.
func peakMemory(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := before.HeapAlloc
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	f()
	close(done)
	watch.Wait()
	return peak - before.HeapAlloc
}
