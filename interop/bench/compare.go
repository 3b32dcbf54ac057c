package main

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// results are the costs of each peer by operation.
type results map[string]map[string]*cost

func (r results) of(operation, peer string) *cost { return r[operation][peer] }

// ratio is how many times the CPU of b one operation of a takes; 0 where one of them was not measured.
func (r results) ratio(operation, a, b string) float64 {
	x, y := r.of(operation, a), r.of(operation, b)
	if x == nil || y == nil || y.CPU == 0 {
		return 0
	}
	return float64(x.CPU) / float64(y.CPU)
}

// compare measures every peer over one transport, the rounds one after the other, so that
// a busy moment of the machine does not hit one peer alone. newClient gives each peer an http.Client.
func compare(a *answers, base string, newClient func() *http.Client, rounds int, budget time.Duration, progress func(string)) (results, error) {
	out := results{}
	clients := map[string]client{}
	for _, p := range peers {
		c, err := p.dial(a, base, newClient())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		clients[p.name] = c
		for _, operation := range operations {
			if c[operation] == nil {
				continue
			}
			if err := a.check(operation, c[operation]); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", p.name, operation, err)
			}
		}
	}
	for _, operation := range operations {
		progress(operation)
		out[operation] = map[string]*cost{}
		n := rounds
		if operation == chat {
			n *= 3 // so short that noise is the largest part of it
		}
		for range n {
			for _, p := range peers {
				op := clients[p.name][operation]
				if op == nil {
					continue
				}
				var pieces int
				c, err := measure(func() error {
					_, err := op(func(piece string) { pieces += len(piece) })
					return err
				}, budget)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", p.name, operation, err)
				}
				if out[operation][p.name] == nil {
					out[operation][p.name] = &cost{}
				}
				out[operation][p.name].best(c)
			}
		}
	}
	return out, nil
}

// check makes the call once and compares what it answers with what was sent.
func (a *answers) check(operation string, op func(sink func(string)) (any, error)) error {
	var pieces strings.Builder
	got, err := op(func(piece string) { pieces.WriteString(piece) })
	if err != nil {
		return err
	}
	if n, ok := got.(discarded); ok {
		sent := map[string][]byte{embedDefault: a.EmbedBase64, embedFloat: a.EmbedFloat, embedBase64: a.EmbedBase64, stream: a.Stream, collect: a.Stream,
			toolStream: a.ToolStream, chat: a.Chat, rerank: a.Rerank, docling: a.Docling}[operation]
		if int(n) != len(sent) {
			return fmt.Errorf("read %d bytes of %d", n, len(sent))
		}
		return nil
	}
	var want any
	switch operation {
	case embedDefault, embedFloat, embedBase64:
		want = a.vectors
		if _, ok := got.([][]float64); ok {
			want = a.wideVectors()
		}
	case stream:
		got, want = pieces.String(), a.streamed
	case collect:
		want = a.streamed
	case toolStream:
		want = a.arguments
	case chat:
		want = a.text
	case rerank:
		want = a.order
	case docling:
		want = a.markdown
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the answer is wrong: %.200v", got)
	}
	return nil
}

func (a *answers) wideVectors() [][]float64 {
	wide := make([][]float64, len(a.vectors))
	for i, v := range a.vectors {
		for _, f := range v {
			wide[i] = append(wide[i], float64(f))
		}
	}
	return wide
}
