package langchain_test

import (
	"context"
	"encoding/json"

	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/compliance"
	"github.com/tmc/langchaingo/testing/llmtest"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/internal/local"
	"github.com/babyapi-org/babyapi-go/provider"
)

// streamer adds to a model the streaming method that llmtest looks for. Its channel has no place
// for an error, which is why provider does not have it: a stream that fails just ends.
type streamer struct{ llms.Model }

func (s streamer) GenerateContentStream(ctx context.Context, messages []llms.MessageContent,
	options ...llms.CallOption) (<-chan llms.ContentResponse, error) {
	pieces := make(chan llms.ContentResponse)
	go func() {
		defer close(pieces)
		// An error has no place here: what came before it is all there is.
		_, _ = s.GenerateContent(ctx, messages, append(slices.Clip(options),
			llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
				select {
				case pieces <- llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: string(chunk)}}}:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}))...)
	}()
	return pieces, nil
}

func (s streamer) SupportsReasoning() bool { return true }

// obedient answers what the suites ask for, as a model would that does what it is told: it knows
// the conversation, ends at stop words and at the token limit, and calls a tool when it has one
// that fits.
func obedient() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Messages  []babyclient.Message `json:"messages"`
			MaxTokens *int                 `json:"max_tokens"`
			Stop      []string             `json:"stop"`
			Stream    bool                 `json:"stream"`
			Tools     []babyclient.Tool    `json:"tools"`
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || len(req.Messages) == 0 {
			babytest.JSON(400, `{"error":{"message":"no messages"}}`).ServeHTTP(w, r)
			return
		}
		said := ""
		for _, m := range req.Messages {
			if m.Role != "user" && m.Role != "assistant" && m.Role != "system" {
				babytest.JSON(400, `{"error":{"message":"Unknown role"}}`).ServeHTTP(w, r)
				return
			}
			said += m.Content + "\n"
		}
		asked := req.Messages[len(req.Messages)-1].Content
		if strings.Contains(asked, "weather") && len(req.Tools) > 0 {
			calls([3]string{"c1", req.Tools[0].Function.Name, `{"location":"San Francisco"}`}).ServeHTTP(w, r)
			return
		}
		answer := "OK"
		for _, known := range [][2]string{{"Hello, World", "Hello, World!"}, {"'Hello'", "Hello"}, {"number 42", "42"},
			{"25 + 17", "42"}, {"What's my name", ""},
			{"days of the week", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"},
			{"Count", "1 2 3 4 5 6 7 8 9 10 11 12"}} {
			if strings.Contains(asked, known[0]) {
				answer = known[1]
			}
		}
		if answer == "" {
			_, after, _ := strings.Cut(said, "My name is ")
			answer, _, _ = strings.Cut(after, ".")
		}
		for _, stop := range req.Stop {
			answer, _, _ = strings.Cut(answer, stop)
		}
		finish := "stop"
		tokens := strings.SplitAfter(answer, " ")
		if n := req.MaxTokens; n != nil && len(tokens) > *n {
			tokens, finish = tokens[:*n], "length"
		}
		if !req.Stream {
			babytest.JSON(200,
				map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": strings.Join(tokens,
					"")}, "finish_reason": finish}},
					"usage": map[string]int{"prompt_tokens": len(said), "completion_tokens": len(tokens),
						"total_tokens": len(said) + len(tokens)}}).ServeHTTP(w, r)
			return
		}
		var events []string
		for _, token := range tokens {
			text, _ := json.Marshal(token)
			events = append(events, event(`{"content":`+string(text)+`}`))
		}
		babytest.Stream(append(events, `{"choices":[{"index":0,"delta":{},"finish_reason":"`+
			finish+`"}]}`)...).ServeHTTP(w, r)
	})
}

// model is a provider on the obedient server.
func model(t *testing.T) streamer {
	t.Helper()
	srv := newServer(t)
	srv.On(chatPath, obedient())
	return streamer{newLLM(t, srv)}
}

func TestLLMTest(t *testing.T) {
	m := model(t)
	if err := llmtest.ValidateLLM(m); err != nil {
		t.Errorf("llmtest does not take the model: %v", err)
	}
	t.Run("WithOptions", func(t *testing.T) {
		llmtest.TestLLMWithOptions(t, m, llmtest.TestOptions{CallOptions: []llms.CallOption{llms.WithTemperature(0)}},
			"supports-streaming")
	})
	t.Run("LLM", func(t *testing.T) { llmtest.TestLLM(t, m) })
}

func TestCompliance(t *testing.T) { compliance.NewSuite("babyapi", model(t)).Run(t) }

// recording keeps what the suites ask.
type recording struct {
	streamer
	mu    *sync.Mutex
	calls *[]suiteCall
}

type suiteCall struct {
	messages []llms.MessageContent
	options  []llms.CallOption
}

func (r recording) GenerateContent(ctx context.Context, messages []llms.MessageContent,
	options ...llms.CallOption) (*llms.ContentResponse, error) {
	r.mu.Lock()
	*r.calls = append(*r.calls, suiteCall{messages, options})
	r.mu.Unlock()
	return r.streamer.GenerateContent(ctx, messages, options...)
}

func (r recording) GenerateContentStream(ctx context.Context, messages []llms.MessageContent,
	options ...llms.CallOption) (<-chan llms.ContentResponse, error) {
	return streamer{r}.GenerateContentStream(ctx, messages, options...)
}

// TestSuitesOnEngines sends every request of both suites to real models. These are too small to get
// the wording right that the suites judge, so what is asserted is what a provider answers for: an
// answer without an error, within the limits, and the same when it is streamed. What the suites
// themselves would say is logged.
func TestSuitesOnEngines(t *testing.T) {
	base := engines(t).BaseURL()
	tiny, err := local.Start(t.Context(), local.Config{Addr: "127.0.0.1:0",
		ChatModel: "../../internal/local/testdata/models/tiny-chat.gguf",
		EmbedURL:  base, RerankURL: base, DoclingURLs: []string{base + "/docling"}, Messages: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer tiny.Close() //nolint:errcheck // its end is asserted in its own tests

	var asked []suiteCall
	record := recording{model(t), new(sync.Mutex), &asked}
	if err := llmtest.ValidateLLM(record); err != nil {
		t.Fatal(err)
	}
	t.Run("recorded", func(t *testing.T) { // which waits for the parallel tests in it
		t.Run("LLM", func(t *testing.T) { llmtest.TestLLM(t, record) })
	})
	compliance.NewSuite("babyapi", record).Run(t)
	if len(asked) < 17 {
		t.Fatalf("the suites asked only %d times", len(asked))
	}

	for name, url := range map[string]string{"tiny": tiny.BaseURL(), "SmolLM2": base} {
		client, err := babyclient.New(babyclient.WithBaseURL(url), babyclient.WithAPIKey("local"))
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		models, err := client.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		llm, err := provider.NewFromClient(client, provider.WithModel(models.Data[0].ID))
		if err != nil {
			t.Fatal(err)
		}
		for i, call := range asked {
			answerFits(t, name, i, llm, call)
		}
	}
}

func answerFits(t *testing.T, model string, i int, llm llms.Model, call suiteCall) {
	t.Helper()
	var o llms.CallOptions
	for _, option := range call.options {
		option(&o)
	}
	// A limit, because a model this small may never stop, and no chance, so that both answers are
	// one.
	limit := 30
	if o.MaxTokens > 0 {
		limit = min(limit, o.MaxTokens)
	}
	options := append(slices.Clip(call.options), llms.WithMaxTokens(limit), llms.WithTemperature(0), llms.WithSeed(1),
		llms.WithStreamingFunc(nil))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a hung engine is named, not waited for
	defer cancel()
	plain, err := llm.GenerateContent(ctx, call.messages, options...)
	if len(o.Tools) > 0 && llms.IsTokenLimitError(err) {
		t.Logf("%s, request %d: %v", model, i, err) // a call that does not fit one token is reported
		return
	}
	if err != nil {
		t.Errorf("%s, request %d: %v", model, i, err)
		return
	}
	c := plain.Choices[0]
	if n, ok := c.GenerationInfo["CompletionTokens"].(int); !ok || n == 0 || n > limit {
		t.Errorf("%s, request %d: %v tokens of %d", model, i, c.GenerationInfo["CompletionTokens"], limit)
	}
	if c.StopReason != "stop" && c.StopReason != "length" && c.StopReason != "tool_calls" {
		t.Errorf("%s, request %d: stop reason %q", model, i, c.StopReason)
	}
	for _, stop := range o.StopWords {
		if strings.Contains(c.Content, stop) {
			t.Errorf("%s, request %d: %q holds the stop word %q", model, i, c.Content, stop)
		}
	}
	var got strings.Builder
	streamed, err := llm.GenerateContent(ctx, call.messages,
		append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			got.Write(chunk)
			return nil
		}))...)
	if err != nil {
		t.Errorf("%s, request %d, streamed: %v", model, i, err)
		return
	}
	s := streamed.Choices[0]
	if s.Content != c.Content || got.String() != s.Content || s.StopReason != c.StopReason ||
		s.ReasoningContent != c.ReasoningContent || len(s.ToolCalls) != len(c.ToolCalls) {
		t.Errorf("%s, request %d: streamed %q (%s), plain %q (%s)", model, i, s.Content, s.StopReason, c.Content,
			c.StopReason)
	}
	t.Logf("%s, request %d (%.40q): %.60q (%s, %d tool calls)", model, i, call.messages[len(call.messages)-1].Parts[0],
		c.Content, c.StopReason, len(c.ToolCalls))
}
