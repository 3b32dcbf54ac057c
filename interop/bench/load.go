package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// asTheyCome are the clients that are measured out of the box, without an http.Client given to
// them.
var asTheyCome = []string{ours, netHTTP, goOpenAI, langchain, openAIGo}

func dialAsItComes(name, base string) (calls.Client, error) {
	for _, p := range peers {
		if p.name == name {
			return p.dial(base, nil, &calls.Input{})
		}
	}
	return nil, fmt.Errorf("no client %q", name)
}

// callFromMany makes calls from several goroutines at once.
func callFromMany(name, base string, callers, total int) (result, error) {
	client, err := dialAsItComes(name, base)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	start := cpuTime()
	for range callers {
		wg.Go(func() {
			for range total / callers {
				if _, err := client[calls.Chat](nil); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	spent := cpuTime() - start
	select {
	case err := <-failed:
		return nil, err
	default:
		return result{cpuNs: float64(spent) / float64(total)}, nil
	}
}

// compareCallers measures calls from many goroutines, to a service that takes a moment for an
// answer, and the connections that they make.
func (r *run) compareCallers(ctx context.Context, callers, total int) error {
	what := fmt.Sprintf("callers-%d", callers)
	r.say(what)
	for range r.rounds {
		for _, name := range asTheyCome {
			if _, err := r.service.seen(); err != nil {
				return err
			}
			base := r.service.URL + "/slow"
			found, err := inChild(ctx, r.quick, "callers", name, base, strconv.Itoa(callers), strconv.Itoa(total))
			if err != nil {
				return err
			}
			seen, err := r.service.seen()
			if err != nil {
				return err
			}
			if want := total / callers * callers; seen.Requests != want {
				return fmt.Errorf("%s: the service saw %d calls, want %d", name, seen.Requests, want)
			}
			found[connections] = float64(seen.Connections)
			r.results.keep(key(what, name), found)
		}
	}
	return nil
}

// openStreams opens streams that the service holds, and looks at memory and goroutines while all
// are open.
func openStreams(name, base string, n int) (result, error) {
	client, err := dialAsItComes(name, base+"/hold")
	if err != nil {
		return nil, err
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	open := make(chan error, n)
	for range n {
		go func() {
			pieces := 0
			_, err := client[calls.Stream](func(string) {
				if pieces++; pieces == heldAfter {
					open <- nil
					select {} // the stream stays open until this process ends
				}
			})
			open <- fmt.Errorf("the stream ended: %w", err)
		}()
	}
	for range n {
		if err := <-open; err != nil {
			return nil, err
		}
	}
	for range 5 {
		runtime.GC() // also what pools held, and stacks that were once deeper
	}
	runtime.ReadMemStats(&after)
	stacks := make([]byte, 64<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	used := func(m *runtime.MemStats) float64 { return float64(m.HeapAlloc + m.StackInuse) }
	createdByUs := []byte("created by github.com/babyapi-org/babyapi-go/babyclient")
	return result{
		liveBytes:     (used(&after) - used(&before)) / float64(n),
		stackBytes:    float64(after.StackInuse-before.StackInuse) / float64(n),
		goroutines:    float64(runtime.NumGoroutine()) / float64(n), // its caller's included
		ownGoroutines: float64(bytes.Count(stacks, createdByUs)),
	}, nil
}

// compareStreams measures many open streams.
func (r *run) compareStreams(ctx context.Context, n int) error {
	r.say("many streams")
	for range r.rounds {
		for _, name := range asTheyCome {
			found, err := inChild(ctx, r.quick, "streams", name, r.service.URL, strconv.Itoa(n))
			if err != nil {
				return err
			}
			r.results.keep(key("streams", name), found)
		}
	}
	return nil
}
