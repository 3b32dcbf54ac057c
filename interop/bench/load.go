package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// crowd is what many callers at once take.
type crowd struct {
	CPU         time.Duration // for one call
	Connections int           // that were made, as the server counted them
}

// memoryOfStreams is what many open streams take.
type memoryOfStreams struct {
	Bytes float64 // for one stream: heap and stacks
	Stack float64 // of which stacks, its caller's included
	Ours  int     // goroutines that this module started
	All   float64 // goroutines for one stream, its caller's included
}

func dialOutOfTheBox(a *answers, name, base string) (client, error) {
	for _, p := range peers {
		if p.name == name {
			return p.dial(a, base, nil)
		}
	}
	return nil, fmt.Errorf("no client %q", name)
}

// callersChild makes calls from several goroutines at once with a client as it comes.
func callersChild(a *answers, name, base string, callers, calls int) (*crowd, error) {
	c, err := dialOutOfTheBox(a, name, base)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	cpu := cpuTime()
	for range callers {
		wg.Go(func() {
			for range calls / callers {
				if _, err := c[chat](func(string) {}); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	cpu = cpuTime() - cpu
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	return &crowd{CPU: cpu / time.Duration(calls)}, nil
}

// streamsChild opens streams that the server holds, and looks at memory and goroutines while all are open.
func streamsChild(a *answers, name, base string, n int) (*memoryOfStreams, error) {
	c, err := dialOutOfTheBox(a, name, base+"/hold")
	if err != nil {
		return nil, err
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	first := make(chan error, n)
	for range n {
		go func() {
			n := 0
			_, err := c[stream](func(string) {
				if n++; n < heldAt {
					return
				}
				first <- nil
				select {} // the stream stays open until this process ends
			})
			first <- fmt.Errorf("the stream ended: %w", err)
		}()
	}
	for range n {
		if err := <-first; err != nil {
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
	return &memoryOfStreams{Bytes: (used(&after) - used(&before)) / float64(n), Stack: float64(after.StackInuse-before.StackInuse) / float64(n), All: float64(runtime.NumGoroutine()) / float64(n),
		Ours: bytes.Count(stacks, []byte("created by github.com/babyapi-org/babyapi-go/babyclient"))}, nil
}

// callers measures calls from many goroutines for each client as it comes, out of the box.
func callers(ctx context.Context, srv *serverProcess, o options, callers, calls int) (map[string]*crowd, error) {
	out := map[string]*crowd{}
	for range o.rounds {
		for _, name := range []string{ours, raw, goOpenAI, langchain, openAIGo} {
			if _, err := srv.take(); err != nil {
				return nil, err
			}
			c, err := runSelf[crowd](ctx, o.quick, "callers", name, srv.URL, strconv.Itoa(callers), strconv.Itoa(calls))
			if err != nil {
				return nil, err
			}
			stats, err := srv.take()
			if err != nil {
				return nil, err
			}
			if stats.Requests != calls/callers*callers {
				return nil, fmt.Errorf("%s: the server saw %d calls of %d", name, stats.Requests, calls)
			}
			if best := out[name]; best == nil {
				out[name] = &crowd{c.CPU, stats.Connections}
			} else {
				best.CPU, best.Connections = min(best.CPU, c.CPU), min(best.Connections, stats.Connections)
			}
		}
	}
	return out, nil
}

// streams measures open streams for each client.
func streams(ctx context.Context, srv *serverProcess, o options, n int) (map[string]*memoryOfStreams, error) {
	out := map[string]*memoryOfStreams{}
	for range o.rounds {
		for _, name := range []string{ours, raw, goOpenAI, langchain, openAIGo} {
			m, err := runSelf[memoryOfStreams](ctx, o.quick, "streams", name, srv.URL, strconv.Itoa(n))
			if err != nil {
				return nil, err
			}
			if best := out[name]; best == nil || m.Bytes < best.Bytes { // how large stacks begin is the runtime's guess
				out[name] = &m
			}
		}
	}
	return out, nil
}
