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
	"github.com/babyapi-org/babyapi-go/provider"
)

// growth is what a long run took.
type growth struct {
	N      int
	CPU    time.Duration // for one item
	Wall   time.Duration // for one item
	Memory float64       // the most live bytes at any time, without the items and their results
}

var (
	embedSteps   = []int{1_000, 10_000, 100_000, 1_000_000}
	convertSteps = []int{100, 1_000, 10_000}
)

// grow runs one kind of work with more and more items, each size in a process of its own.
func grow(ctx context.Context, srv *serverProcess, o options, work string, steps []int) ([]growth, error) {
	var out []growth
	for _, n := range steps {
		if o.quick {
			n = max(1, n/1000)
		}
		g, err := runSelf[growth](ctx, o.quick, work, srv.URL, strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// watch takes what f costs for each of n items, of which held bytes stay alive on purpose.
func watch(n int, held func() int, f func() error) (*growth, error) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	read := func() uint64 {
		metrics.Read(live)
		return live[0].Value.Uint64()
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
	start, cpu := time.Now(), cpuTime()
	err := f()
	wall := time.Since(start)
	cpu = cpuTime() - cpu
	close(stop)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	runtime.GC()
	most = max(most, read())
	memory := float64(most) - float64(before) - float64(held())
	return &growth{N: n, CPU: cpu / time.Duration(n), Wall: wall / time.Duration(n), Memory: max(0, memory)}, nil
}

// growEmbedChild embeds n texts in one call of the provider's embedder.
func growEmbedChild(base string, n int) (*growth, error) {
	c, err := babyclient.New(babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL(base+"/grow"))
	if err != nil {
		return nil, err
	}
	e, err := provider.NewEmbedder(c, "m")
	if err != nil {
		return nil, err
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = "a sentence of about the usual length to embed"
	}
	var vectors [][]float32
	g, err := watch(n, func() int { return len(vectors) * (24 + 4*growDimensions) }, func() error {
		vectors, err = e.EmbedDocuments(context.Background(), texts)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		if len(v) != growDimensions {
			return nil, fmt.Errorf("vector %d of %d has %d dimensions", i, len(vectors), len(v))
		}
	}
	if len(vectors) != n {
		return nil, fmt.Errorf("%d vectors of %d texts", len(vectors), n)
	}
	return g, nil
}

// growConvertChild converts n documents and lets go of each.
func growConvertChild(base string, n int) (*growth, error) {
	c, err := babyclient.New(babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL(base))
	if err != nil {
		return nil, err
	}
	sources := make([]babyclient.Source, n)
	for i := range sources {
		sources[i] = babyclient.FromURL("https://example.com/document.html")
	}
	converted := 0
	g, err := watch(n, func() int { return 0 }, func() error {
		for doc, err := range c.Docling.ConvertAll(context.Background(), &babyclient.ConvertAllRequest{Sources: sources, BatchOptions: babyclient.BatchOptions{Concurrency: 16}}) {
			if err != nil {
				return err
			}
			if doc.Markdown == "received" {
				converted++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if converted != n {
		return nil, fmt.Errorf("%d documents of %d", converted, n)
	}
	return g, nil
}
