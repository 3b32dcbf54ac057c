package main

import (
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/babyapi"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/goopenai"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/langchaingo"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/openaigo"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/provider"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/stdlib"
)

// The names of the compared clients.
const (
	floor       = "floor"
	ours        = "babyclient"
	ourProvider = "provider"
	netHTTP     = "stdlib" // net/http and encoding/json
	goOpenAI    = "go-openai"
	langchain   = "langchaingo"
	openAIGo    = "openai-go"
)

// peer is a client to compare.
type peer struct {
	name   string
	module string // whose version the report says; empty for the standard library
	dial   calls.Dial
}

var peers = []peer{
	{floor, "", dialFloor},
	{ours, "github.com/babyapi-org/babyapi-go", babyapi.Dial},
	{ourProvider, "github.com/babyapi-org/babyapi-go", provider.Dial},
	{netHTTP, "", stdlib.Dial},
	{goOpenAI, "github.com/sashabaranov/go-openai", goopenai.Dial},
	{langchain, "github.com/tmc/langchaingo", langchaingo.Dial},
	{openAIGo, "github.com/openai/openai-go/v3", openaigo.Dial},
}

// operations are those that are compared in memory and over loopback, with their titles.
var operations = []struct{ name, title string }{
	{calls.EmbedDefault, "embeddings, as asked by default"},
	{calls.EmbedFloat, "embeddings as JSON floats"},
	{calls.EmbedBase64, "embeddings as base64"},
	{calls.Stream, "stream"},
	{calls.Collect, "stream, collected"},
	{calls.ToolStream, "stream of a tool call, collected"},
	{calls.Chat, "small chat"},
	{calls.Rerank, "rerank"},
	{calls.Docling, "docling answer"},
}

// version is that of the peer's module in this build.
func (p peer) version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || p.module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == p.module && m.Replace != nil {
			return "this tree"
		} else if m.Path == p.module {
			return m.Version
		}
	}
	return "unknown"
}

// comparison has all clients connected with one service.
type comparison map[string]calls.Client

// connect connects every client with the service at base, each through an http.Client of its own,
// and checks what it makes of each answer.
func connect(a *answers, base string, newHTTP func() *http.Client) (comparison, error) {
	c := comparison{}
	for _, p := range peers {
		client, err := p.dial(base, newHTTP(), a.input())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		c[p.name] = client
		for _, operation := range operations {
			if call := client[operation.name]; call != nil {
				if err := a.check(operation.name, call); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", p.name, operation.name, err)
				}
			}
		}
	}
	return c, nil
}

// inMemory connects every client with answers from memory.
func inMemory(a *answers) (comparison, error) {
	return connect(a, memoryURL, func() *http.Client { return &http.Client{Transport: memory{a}} })
}

// overLoopback connects every client with a service in another process.
func overLoopback(a *answers, base string) (comparison, error) {
	return connect(a, base, func() *http.Client {
		return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	})
}

// check makes the call once and compares what it returns with what was sent.
func (a *answers) check(operation string, call calls.Call) error {
	var pieces strings.Builder
	got, err := call(func(piece string) { pieces.WriteString(piece) })
	if err != nil {
		return err
	}
	want := a.want[operation]
	switch got.(type) {
	case nil: // it was given piece by piece
		got = pieces.String()
	case discarded:
		want = discarded(len(a.body[operation]))
	case [][]float64:
		var wide [][]float64
		for _, v := range want.([][]float32) {
			wide = append(wide, float64s(v))
		}
		want = wide
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the answer is wrong: %.200v", got)
	}
	return nil
}

// benchmark repeats a call. Its CPU time is that of the whole process: the garbage collector's too,
// which a client pays for as well.
func benchmark(b *testing.B, call calls.Call) error {
	b.ReportAllocs()
	runtime.GC() // what others left behind is theirs
	total := 0
	start := cpuTime()
	for b.Loop() {
		if _, err := call(func(piece string) { total += len(piece) }); err != nil {
			return err
		}
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N), cpuNs)
	return nil
}

// measure runs the benchmark of a call by itself.
func measure(call calls.Call) (result, error) {
	var err error
	r := testing.Benchmark(func(b *testing.B) { err = benchmark(b, call) })
	return result{
		cpuNs:      r.Extra[cpuNs],
		wallNs:     float64(r.NsPerOp()),
		allocs:     float64(r.MemAllocs) / float64(r.N),
		allocBytes: float64(r.MemBytes) / float64(r.N),
	}, err
}

// compare measures every call of every client. The clients take turns, so that a busy moment of the
// machine does not hit one of them alone.
func (r *run) compare(how string, c comparison, rounds int) error {
	for _, operation := range operations {
		r.say(how + ": " + operation.title)
		n := rounds
		if operation.name == calls.Chat {
			n *= 3 // so short that noise is the largest part of it
		}
		for range n {
			for _, p := range peers {
				call := c[p.name][operation.name]
				if call == nil {
					continue
				}
				found, err := measure(call)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.name, operation.name, err)
				}
				r.results.keep(key(how, operation.name, p.name), found)
			}
		}
	}
	return nil
}
