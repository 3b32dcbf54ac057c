package main

import (
	"context"
	"runtime"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// collected looks at a collected stream alone: what it keeps in memory, in bytes of its text, and what a chunk costs when
// there are four times as many, in what it costs in the short stream.
func collected(s sizes, rounds int, budget time.Duration) (held, linear float64, err error) {
	var costs [2]cost
	for round := range rounds {
		for i, chunks := range []int{s.Chunks, 4 * s.Chunks} {
			long := newAnswers(sizes{Chunks: chunks})
			c, err := babyclient.New(babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL("http://bench.invalid"), babyclient.WithHTTPClient(clientOf(long)))
			if err != nil {
				return 0, 0, err
			}
			var last *babyclient.ChatResponse
			once := func() (err error) {
				last, err = babyclient.Collect(c.ChatStream(context.Background(), &babyclient.ChatRequest{Model: model, Messages: []babyclient.Message{babyclient.User(prompt)}}))
				return err
			}
			one, err := measure(once, budget)
			if err != nil {
				return 0, 0, err
			}
			one.CPU /= time.Duration(chunks)
			costs[i].best(one)
			if round == 0 && i == 1 {
				with := liveHeap()
				text := len(last.Text())
				runtime.KeepAlive(last)
				last = nil
				held = float64(with-liveHeap()) / float64(text)
				runtime.KeepAlive(long)
			}
		}
	}
	return held, float64(costs[1].CPU) / float64(costs[0].CPU), nil
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below 2^63
}
