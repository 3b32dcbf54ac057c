package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/provider"
)

// growth is one kind of work, done with more and more items.
type growth struct{ work, title string }

var growths = []growth{
	{"embed", "provider's embedder, one call"},
	{"convert", "ConvertAll, a job for each"},
}

// steps are the numbers of items of a kind of work.
func (r *run) steps(work string) []int {
	steps := map[string][]int{"embed": {1_000, 10_000, 100_000, 1_000_000}, "convert": {100, 1_000, 10_000}}[work]
	if r.quick {
		for i := range steps {
			steps[i] = max(i+1, steps[i]/1000)
		}
	}
	return steps
}

// measureGrowth does each kind of work with more and more items, each number in a process of its
// own.
func (r *run) measureGrowth(ctx context.Context) error {
	for _, g := range growths {
		r.say("growing work: " + g.work)
		for _, n := range r.steps(g.work) {
			found, err := inChild(ctx, r.quick, g.work, r.service.URL, strconv.Itoa(n))
			if err != nil {
				return err
			}
			r.results.keep(key(g.work, strconv.Itoa(n)), found)
		}
	}
	return nil
}

// watch does the work with n items and returns its costs for each of them, and the most bytes that
// were live at any time beside the items and their results, which are kept bytes.
func watch(n int, kept func() int, work func() error) (result, error) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	read := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before := read()
	var most uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, read())
			case <-stop:
				return
			}
		}
	})
	start, startCPU := time.Now(), cpuTime()
	err := work()
	took, spent := time.Since(start), cpuTime()-startCPU
	close(stop)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	runtime.GC()
	most = max(most, read())
	return result{
		itemCount: float64(n),
		cpuNs:     float64(spent) / float64(n),
		wallNs:    float64(took) / float64(n),
		liveBytes: max(0, float64(most)-float64(before)-float64(kept())),
	}, nil
}

// embedTexts embeds n texts in one call of the provider's embedder.
func embedTexts(base string, n int) (result, error) {
	c, err := babyclient.New(babyclient.WithAPIKey(calls.Key), babyclient.WithBaseURL(base+"/grow"))
	if err != nil {
		return nil, err
	}
	embedder, err := provider.NewEmbedder(c, "m")
	if err != nil {
		return nil, err
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = "a sentence of about the usual length to embed"
	}
	var vectors [][]float32
	const vectorSize = 24 + 4*growDimensions // its slice and its numbers
	found, err := watch(n, func() int { return len(vectors) * vectorSize }, func() error {
		vectors, err = embedder.EmbedDocuments(context.Background(), texts)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		if len(v) != growDimensions {
			return nil, fmt.Errorf("vector %d has %d dimensions, want %d", i, len(v), growDimensions)
		}
	}
	if len(vectors) != n {
		return nil, fmt.Errorf("%d vectors for %d texts", len(vectors), n)
	}
	return found, nil
}

// convertDocuments converts n documents and lets go of each.
func convertDocuments(base string, n int) (result, error) {
	c, err := babyclient.New(babyclient.WithAPIKey(calls.Key), babyclient.WithBaseURL(base))
	if err != nil {
		return nil, err
	}
	req := &babyclient.ConvertAllRequest{BatchOptions: babyclient.BatchOptions{Concurrency: 16}}
	for range n {
		req.Sources = append(req.Sources, babyclient.FromURL("https://example.com/document.html"))
	}
	converted := 0
	found, err := watch(n, func() int { return 0 }, func() error {
		for document, err := range c.Docling.ConvertAll(context.Background(), req) {
			if err != nil {
				return err
			}
			if document.Markdown == "received" {
				converted++
			}
		}
		return nil
	})
	if err == nil && converted != n {
		err = fmt.Errorf("%d documents of %d were converted", converted, n)
	}
	return found, err
}
