// Package clients_test holds the README's table of clients to what they do: each calls the same
// scripted service.
package clients_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	openaigo "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// peer is one client, as it is without options: a call and a stream, read to its end.
type peer struct {
	chat, stream func(ctx context.Context) error
}

// peers are in the order of the columns.
func peers(t *testing.T, base string) []peer {
	t.Helper()
	ours, err := babyclient.New(babyclient.WithBaseURL(base), babyclient.WithAPIKey("key"))
	if err != nil {
		t.Fatal(err)
	}
	req := &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.User("q")}}

	official := openaigo.NewClient(option.WithAPIKey("key"), option.WithBaseURL(base+"/v1/"))
	params := openaigo.ChatCompletionNewParams{
		Model: "m", Messages: []openaigo.ChatCompletionMessageParamUnion{openaigo.UserMessage("q")},
	}

	config := goopenai.DefaultConfig("key")
	config.BaseURL = base + "/v1"
	community := goopenai.NewClientWithConfig(config)
	request := goopenai.ChatCompletionRequest{
		Model: "m", Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "q"}},
	}

	llm, err := langchain.New(langchain.WithToken("key"), langchain.WithBaseURL(base+"/v1"), langchain.WithModel("m"))
	if err != nil {
		t.Fatal(err)
	}
	return []peer{
		{
			chat: func(ctx context.Context) error {
				_, err := ours.Chat(ctx, req)
				return err
			},
			stream: func(ctx context.Context) error {
				_, err := babyclient.Collect(ours.ChatStream(ctx, req))
				return err
			},
		},
		{
			chat: func(ctx context.Context) error {
				_, err := official.Chat.Completions.New(ctx, params)
				return err
			},
			stream: func(ctx context.Context) error {
				s := official.Chat.Completions.NewStreaming(ctx, params)
				defer s.Close() //nolint:errcheck // it was read
				for s.Next() {
				}
				return s.Err()
			},
		},
		{
			chat: func(ctx context.Context) error {
				_, err := community.CreateChatCompletion(ctx, request)
				return err
			},
			stream: func(ctx context.Context) error {
				s, err := community.CreateChatCompletionStream(ctx, request)
				if err != nil {
					return err
				}
				defer s.Close() //nolint:errcheck // it was read
				for {
					if _, err := s.Recv(); errors.Is(err, io.EOF) {
						return nil
					} else if err != nil {
						return err
					}
				}
			},
		},
		{
			chat: func(ctx context.Context) error {
				_, err := llms.GenerateFromSinglePrompt(ctx, llm, "q")
				return err
			},
			stream: func(ctx context.Context) error {
				streaming := llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
				_, err := llms.GenerateFromSinglePrompt(ctx, llm, "q", streaming)
				return err
			},
		},
	}
}

func TestTheTableIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const chunk = `{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant",` +
		`"content":"Paris"}}]}`
	good := babytest.JSON(200,
		`{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Paris"},`+
			`"finish_reason":"stop"}]}`)
	soon := func(h http.Handler) http.Handler { return babytest.WithHeader(h, "Retry-After", "0") }
	for row, tt := range map[string]struct {
		stream  bool
		answers [][]http.Handler // each a script of its own
	}{
		"a stream cut before `[DONE]`": {true, [][]http.Handler{{babytest.Events(chunk)}}},
		"an error event in a stream": {true, [][]http.Handler{
			{babytest.Stream(chunk, `{"error":{"message":"the engine died","code":500}}`)},
		}},
		"a POST that may have run (500, connection lost)": {false, [][]http.Handler{
			{babytest.JSON(500, `{"error":{"message":"the engine died"}}`), good},
			{babytest.Cut(good, 40), good},
		}},
		"a POST that did not run (503, 429)": {false, [][]http.Handler{
			{soon(babytest.JSON(503, `{}`)), good},
			{soon(babytest.JSON(429, `{}`)), good},
		}},
	} {
		t.Run(row, func(t *testing.T) {
			m := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row) +
				` \| (.*) \|$`).FindStringSubmatch(string(page))
			if m == nil {
				t.Fatal("the README has no such row")
			}
			cells := strings.Split(m[1], " | ")
			for _, script := range tt.answers {
				for i, cell := range cells {
					srv := babytest.NewServer()
					t.Cleanup(srv.Close)
					srv.On("POST /v1/chat/completions", script...)
					p := peers(t, srv.URL)[i]
					var got string
					if tt.stream {
						got = "success"
						if p.stream(t.Context()) != nil {
							got = "error"
						}
					} else {
						err := p.chat(t.Context())
						got = "not sent again"
						if len(srv.Requests()) > 1 {
							got = "sent again"
						}
						if (err == nil) != (got == "sent again") {
							t.Errorf("column %d: %s, and the error is %v", i+1, got, err)
						}
					}
					if !strings.HasPrefix(strings.Replace(cell, "never", "not", 1), got) {
						t.Errorf("column %d says %q, but it is %s", i+1, cell, got)
					}
				}
			}
		})
	}
}

// The modules that a program gets with each client.
func TestModulesOfTheTable(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var counts []any
	for _, p := range []string{
		"github.com/babyapi-org/babyapi-go/babyclient", "github.com/babyapi-org/babyapi-go/provider",
		"github.com/openai/openai-go/v3", "github.com/sashabaranov/go-openai", "github.com/tmc/langchaingo/llms/openai",
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}",
			p).Output()
		if err != nil {
			t.Fatal(err)
		}
		modules := map[string]bool{}
		for m := range strings.FieldsSeq(string(out)) {
			modules[m] = true
		}
		counts = append(counts, len(modules)-1) // but its own
	}
	want := fmt.Sprintf("| modules that come with it | %d; provider %d | %d | %d | %d |", counts...)
	if !strings.Contains(string(page), want) {
		t.Errorf("the README has no row %s", want)
	}
}
