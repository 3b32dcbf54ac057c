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
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// What babyapi-local adds to what it stands in front of.
const (
	gatewayCall   = "gateway/call"   // a small chat
	gatewayStream = "gateway/stream" // one event of a stream
)

// measureGateway compares babyapi-local while it does nothing, passes chats on and passes a stream
// on.
func (r *run) measureGateway(ctx context.Context) error {
	r.say("the gateway")
	bin, err := r.build(ctx, r.folder+"/..", "./cmd/babyapi-local")
	if err != nil {
		return err
	}
	chats := 2_000
	if r.quick {
		chats = 10
	}
	req := &babyclient.ChatRequest{
		Model: calls.Model, Messages: []babyclient.Message{babyclient.User(calls.Prompt)},
	}
	nothing := func(*babyclient.Client) error { return nil }
	chat := func(c *babyclient.Client) error {
		for range chats {
			if _, err := c.Chat(ctx, req); err != nil {
				return err
			}
		}
		return nil
	}
	events := 0
	stream := func(c *babyclient.Client) error {
		events = 0
		for _, err := range c.ChatStream(ctx, req) {
			if err != nil {
				return err
			}
			events++
		}
		return nil
	}
	for range min(r.rounds, 3) {
		idleCPU, _, err := throughGateway(ctx, bin, r.service.URL, nothing)
		if err != nil {
			return err
		}
		chatCPU, _, err := throughGateway(ctx, bin, r.service.URL, chat)
		if err != nil {
			return err
		}
		streamCPU, through, err := throughGateway(ctx, bin, r.service.URL+"/paced", stream)
		if err != nil {
			return err
		}
		direct, err := timeOf(r.service.URL+"/paced", stream)
		if err != nil {
			return err
		}
		r.results.keep(gatewayCall, result{cpuNs: float64(chatCPU-idleCPU) / float64(chats)})
		r.results.keep(gatewayStream, result{
			cpuNs: float64(streamCPU-idleCPU) / float64(events), extraWall: float64(through)/float64(direct) - 1,
		})
	}
	return nil
}

// timeOf is the wall time of the work with a client of the service at base.
func timeOf(base string, work func(*babyclient.Client) error) (time.Duration, error) {
	c, err := babyclient.New(babyclient.WithAPIKey(calls.Key), babyclient.WithBaseURL(base))
	if err != nil {
		return 0, err
	}
	defer c.CloseIdleConnections()
	start := time.Now()
	err = work(c)
	return time.Since(start), err
}

// throughGateway starts the gateway in front of upstream, does the work through it, and ends it. It
// returns the CPU time of the gateway and the wall time of the work.
func throughGateway(
	ctx context.Context, bin, upstream string, work func(*babyclient.Client) error,
) (spent, took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, bin, "--addr", "127.0.0.1:0", "--chat-url", upstream, //nolint:gosec // ours
		"--embed-url", upstream, "--rerank-url", upstream, "--docling-url", upstream)
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
		if _, url, ok := strings.Cut(lines.Text(), "BABYAPI_BASE_URL="); ok {
			base = strings.TrimSpace(url)
		}
	}
	if base == "" {
		return 0, 0, fmt.Errorf("babyapi-local did not say where it listens: %w", cmd.Wait())
	}
	took, err = timeOf(base, work)
	if interrupt := cmd.Process.Signal(os.Interrupt); interrupt != nil && err == nil {
		err = interrupt
	}
	_ = cmd.Wait() // interrupted, as it was just asked to be
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), took, err
}
