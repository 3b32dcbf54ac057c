package main

import (
	"context"
	"net/http"
	"runtime"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

// The two streams that are collected.
const (
	collectedShort = "collected/short"
	collectedLong  = "collected/long" // four times the length
)

// compareLengths measures what a chunk of a collected stream costs in a short and in a long one,
// and what the answer keeps in memory for each byte of its text.
func (r *run) compareLengths() error {
	r.say("collected streams")
	for range r.rounds {
		for name, chunks := range map[string]int{collectedShort: r.sizes.Chunks, collectedLong: 4 * r.sizes.Chunks} {
			a := newAnswers(sizes{Chunks: chunks})
			client, err := babyclient.New(babyclient.WithAPIKey(calls.Key), babyclient.WithBaseURL(memoryURL),
				babyclient.WithHTTPClient(&http.Client{Transport: memory{a}}))
			if err != nil {
				return err
			}
			req := &babyclient.ChatRequest{
				Model: calls.Model, Messages: []babyclient.Message{babyclient.User(calls.Prompt)},
			}
			var answer *babyclient.ChatResponse
			found, err := measure(func(func(string)) (_ any, err error) {
				answer, err = babyclient.Collect(client.ChatStream(context.Background(), req))
				return nil, err
			})
			if err != nil {
				return err
			}
			with := liveHeap()
			textLength := float64(len(answer.Text()))
			runtime.KeepAlive(answer)
			answer = nil
			r.results.keep(name, result{
				cpuNs:     found[cpuNs] / float64(chunks),
				liveBytes: (with - liveHeap()) / textLength,
			})
			runtime.KeepAlive(a) // not part of the difference
		}
	}
	return nil
}

func liveHeap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
