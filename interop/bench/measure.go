package main

import (
	"runtime"
	"time"
)

// cost is what one operation takes.
type cost struct {
	CPU, Wall     time.Duration // CPU is that of the whole process, the garbage collector's included
	Allocs, Bytes float64
}

// best keeps the least of several runs: on a machine with other work, all noise adds.
func (c *cost) best(o cost) {
	if c.CPU == 0 {
		*c = o
		return
	}
	c.CPU, c.Wall = min(c.CPU, o.CPU), min(c.Wall, o.Wall)
	c.Allocs, c.Bytes = min(c.Allocs, o.Allocs), min(c.Bytes, o.Bytes)
}

// measure repeats op for about as much CPU time as budget says.
func measure(op func() error, budget time.Duration) (cost, error) {
	c, err := repeat(op, 1)
	if err != nil || c.CPU >= budget {
		return c, err
	}
	return repeat(op, int(min(budget/max(c.CPU, time.Microsecond), 100_000))+1)
}

func repeat(op func() error, n int) (cost, error) {
	runtime.GC() // what others left behind is theirs
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	for range n {
		if err := op(); err != nil {
			return cost{}, err
		}
	}
	c := cost{CPU: (cpuTime() - cpu) / time.Duration(n), Wall: time.Since(start) / time.Duration(n)}
	runtime.ReadMemStats(&after)
	c.Allocs = float64(after.Mallocs-before.Mallocs) / float64(n)
	c.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
	return c, nil
}
