package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// gatewayCost is what babyapi-local adds to what it stands in front of.
type gatewayCost struct {
	Call   time.Duration // CPU of the gateway for a small chat
	Event  time.Duration // CPU of the gateway for one event of a stream
	Longer float64       // how much longer a stream takes through it: 0.01 is 1 %
}

// pacedEvents is how many events of a stream come one by one, pace apart.
const pacedEvents = 2_000

func gateway(ctx context.Context, srv *serverProcess, o options, tmp string) (*gatewayCost, error) {
	bin, err := build(ctx, o.dir+"/..", tmp, "./cmd/babyapi-local")
	if err != nil {
		return nil, err
	}
	calls := 2_000
	if o.quick {
		calls = 10
	}
	chats := func(c *babyclient.Client) error {
		for range calls {
			if _, err := c.Chat(ctx, &babyclient.ChatRequest{Model: model, Messages: []babyclient.Message{babyclient.User(prompt)}}); err != nil {
				return err
			}
		}
		return nil
	}
	events := 0
	stream := func(c *babyclient.Client) error {
		events = 0
		for _, err := range c.ChatStream(ctx, &babyclient.ChatRequest{Model: model, Messages: []babyclient.Message{babyclient.User(prompt)}}) {
			if err != nil {
				return err
			}
			events++
		}
		return nil
	}
	timed := func(base string, f func(*babyclient.Client) error) (time.Duration, error) {
		c, err := babyclient.New(babyclient.WithAPIKey("benchmark-key"), babyclient.WithBaseURL(base))
		if err != nil {
			return 0, err
		}
		defer c.CloseIdleConnections()
		start := time.Now()
		err = f(c)
		return time.Since(start), err
	}
	var best *gatewayCost
	for range min(o.rounds, 3) {
		idle, _, err := throughGateway(ctx, bin, srv.URL, timed, func(*babyclient.Client) error { return nil })
		if err != nil {
			return nil, err
		}
		cpu, _, err := throughGateway(ctx, bin, srv.URL, timed, chats)
		if err != nil {
			return nil, err
		}
		streamed, through, err := throughGateway(ctx, bin, srv.URL+"/paced", timed, stream)
		if err != nil {
			return nil, err
		}
		direct, err := timed(srv.URL+"/paced", stream)
		if err != nil {
			return nil, err
		}
		g := gatewayCost{Call: (cpu - idle) / time.Duration(calls), Event: (streamed - idle) / time.Duration(events), Longer: float64(through)/float64(direct) - 1}
		if best == nil {
			best = &g
		}
		best.Call, best.Event, best.Longer = min(best.Call, g.Call), min(best.Event, g.Event), min(best.Longer, g.Longer)
	}
	return best, nil
}

// throughGateway starts the gateway in front of upstream, does the work through it, and ends it: the CPU time of the
// gateway and the wall time of the work.
func throughGateway(ctx context.Context, bin, upstream string, timed func(string, func(*babyclient.Client) error) (time.Duration, error), f func(*babyclient.Client) error) (cpu, wall time.Duration, err error) {
	cmd := exec.CommandContext(ctx, bin, "--addr", "127.0.0.1:0", "--chat-url", upstream, "--embed-url", upstream, "--rerank-url", upstream, "--docling-url", upstream) //nolint:gosec // our own program
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	var base string
	for lines := bufio.NewScanner(stdout); base == "" && lines.Scan(); {
		if _, after, ok := strings.Cut(lines.Text(), "BABYAPI_BASE_URL="); ok {
			base = strings.TrimSpace(after)
		}
	}
	if base == "" {
		return 0, 0, fmt.Errorf("babyapi-local did not say where it listens: %w", cmd.Wait())
	}
	wall, err = timed(base, f)
	if signalErr := cmd.Process.Signal(os.Interrupt); signalErr != nil && err == nil {
		err = signalErr
	}
	_ = cmd.Wait() // interrupted, as it was told to be
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall, err
}
