package langchain_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// subject is one of the two providers, on a server that both are given alike.
type subject struct {
	llms.Model
	embeddings.EmbedderClient
	srv       *babytest.Server
	listener  *listener
	perCall   llms.CallOption // JSON of another schema than the client's, as far as the provider lets a call say so
	wantsJSON string          // and what that is on the wire
}

// listener counts the calls of a callbacks.Handler.
type listener struct {
	callbacks.SimpleHandler
	events []string
}

func (l *listener) HandleLLMGenerateContentStart(context.Context, []llms.MessageContent) {
	l.events = append(l.events, "start")
}

func (l *listener) HandleLLMGenerateContentEnd(context.Context, *llms.ContentResponse) {
	l.events = append(l.events, "end")
}
func (l *listener) HandleLLMError(context.Context, error) { l.events = append(l.events, "error") }

func newOurs(t *testing.T, srv *babytest.Server) *subject {
	t.Helper()
	l := &listener{}
	llm := newLLM(t, srv, provider.WithCallback(l), provider.WithEmbeddingModel("e"),
		provider.WithDefaults(provider.WithJSONSchema("a", map[string]any{"type": "object"})))
	return &subject{Model: llm, EmbedderClient: llm, srv: srv, listener: l,
		perCall: provider.WithJSONSchema("b", map[string]any{"type": "object"}), wantsJSON: `"name":"b"`}
}

func newOpenAI(t *testing.T, srv *babytest.Server) *subject {
	t.Helper()
	l := &listener{}
	llm, err := openai.New(openai.WithBaseURL(srv.URL+"/v1"), openai.WithToken(babytest.Key), openai.WithModel("m"),
		openai.WithEmbeddingModel("e"), openai.WithCallback(l),
		openai.WithHTTPClient(srv.HTTPClient()), openai.WithResponseFormat(&openai.ResponseFormat{Type: "json_schema",
			JSONSchema: &openai.ResponseFormatJSONSchema{Name: "a",
				Schema: &openai.ResponseFormatJSONSchemaProperty{Type: "object"}}}))
	if err != nil {
		t.Fatal(err)
	}
	return &subject{Model: llm, EmbedderClient: llm, srv: srv, listener: l, perCall: llms.WithJSONMode(),
		wantsJSON: `"json_object"`}
}

// ask is a call with a text.
func (s *subject) ask(ctx context.Context, options ...llms.CallOption) (*llms.ContentResponse, error) {
	return s.GenerateContent(ctx, human("hi"), options...)
}

// sent is the body of the last request, and whether it holds all of the words.
func (s *subject) sent(words ...string) error {
	requests := s.srv.Requests()
	if len(requests) == 0 {
		return errors.New("nothing was sent")
	}
	b := string(requests[len(requests)-1].Body)
	for _, w := range words {
		if w, not := strings.CutPrefix(w, "!"); strings.Contains(b, w) == not {
			return fmt.Errorf("sent %s, which has it wrong: %s", b, w)
		}
	}
	return nil
}

func event(delta string) string { return `{"choices":[{"index":0,"delta":` + delta + `}]}` }

const done = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`

// TestOpenAIDefects runs both providers on one server, defect by defect of langchaingo v0.1.14's
// openai provider. Ours must do right in each row; theirs not, or the row has outlived its reason.
func TestOpenAIDefects(t *testing.T) {
	discard := llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
	tool := llms.WithTools([]llms.Tool{{Type: "function",
		Function: &llms.FunctionDefinition{Name: "f", Parameters: map[string]any{"type": "object"}}}})
	mustFail := func(resp *llms.ContentResponse, err error) error {
		if err == nil {
			return fmt.Errorf("no error, but the answer %q", resp.Choices[0].Content)
		}
		if resp != nil {
			return errors.New("half an answer came with the error")
		}
		return nil
	}
	for _, row := range []struct {
		name   string
		script func(*babytest.Server)
		// right is what a provider must do; nil when it does.
		right func(*testing.T, *subject) error
	}{
		{"O1 a cancelled stream is an error",
			func(s *babytest.Server) { s.On(chatPath, babytest.EndlessStream(event(`{"content":"x "}`))) },
			func(t *testing.T, s *subject) error {
				for range 200 {
					ctx, cancel := context.WithCancel(t.Context())
					resp, err := s.ask(ctx, llms.WithStreamingFunc(func(context.Context, []byte) error {
						cancel()
						return nil
					}))
					cancel()
					if !errors.Is(err, context.Canceled) || resp != nil {
						return fmt.Errorf("error %q, response %v", fmt.Sprint(err), resp)
					}
				}
				return nil
			}},
		{"O2 a stream that breaks off is an error",
			func(s *babytest.Server) { s.On(chatPath, babytest.Events(event(`{"content":"half"}`))) },
			func(t *testing.T, s *subject) error { return mustFail(s.ask(t.Context(), discard)) }},
		{"O3 an error in a stream is an error", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"content":"half"}`),
				`{"error":{"message":"out of memory","code":500}}`))
		}, func(t *testing.T, s *subject) error { return mustFail(s.ask(t.Context(), discard)) }},
		{"O4 an event that is no JSON is an error", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"content":"half"}`), `{"choices":`, done))
		},
			func(t *testing.T, s *subject) error { return mustFail(s.ask(t.Context(), discard)) }},
		{"O5 parallel tool calls are told apart", func(s *babytest.Server) {
			begin := func(index, id, name string) string {
				return event(`{"tool_calls":[{"index":` + index + `,"id":"` + id + `","type":"function",` +
					`"function":{"name":"` + name + `","arguments":""}}]}`)
			}
			s.On(chatPath, babytest.Stream(begin("0", "a", "f"), begin("1", "b", "g"),
				event(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}]}`),
				event(`{"tool_calls":[{"index":1,"function":{"arguments":"{\"y\":2}"}}]}`), done))
		}, func(t *testing.T, s *subject) error {
			resp, err := s.ask(t.Context(), discard, tool)
			if err != nil {
				return err
			}
			c := resp.Choices[0].ToolCalls
			if len(c) != 2 || c[0].FunctionCall.Arguments != `{"x":1}` || c[1].FunctionCall.Name != "g" ||
				c[1].FunctionCall.Arguments != `{"y":2}` {
				return fmt.Errorf("calls %s", jsonOf(t, c))
			}
			return nil
		}},
		{"O6 the choices of a stream are told apart", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"content":"A1"}`),
				`{"choices":[{"index":1,"delta":{"content":"B1"}}]}`, event(`{"content":"A2"}`),
				`{"choices":[{"index":1,"delta":{"content":"B2"}}]}`, done))
		}, func(t *testing.T, s *subject) error {
			resp, err := s.ask(t.Context(), discard, llms.WithN(2))
			if err != nil {
				return err
			}
			if len(resp.Choices) != 2 || resp.Choices[0].Content != "A1A2" || resp.Choices[1].Content != "B1B2" {
				return fmt.Errorf("choices %s", jsonOf(t, resp.Choices))
			}
			return nil
		}},
		{"O7 every option is sent", nil, func(t *testing.T, s *subject) error {
			_, err := s.ask(t.Context(), llms.WithTopP(0.9), llms.WithTopK(40), llms.WithRepetitionPenalty(1.1),
				llms.WithMinLength(3), llms.WithMaxLength(50), llms.WithCandidateCount(2))
			if err != nil {
				return err
			}
			return s.sent(`"top_p":0.9`, `"top_k":40`, `"repetition_penalty":1.1`, `"min_tokens":3`, `"max_tokens":50`,
				`"n":2`)
		}},
		{"O8 a temperature that is not set is not sent", nil, func(t *testing.T, s *subject) error {
			if _, err := s.ask(t.Context()); err != nil {
				return err
			}
			if err := s.sent(`!"temperature"`); err != nil {
				return err
			}
			if _, err := s.ask(t.Context(), llms.WithTemperature(0)); err != nil {
				return err
			}
			return s.sent(`"temperature":0`)
		}},
		{"O9 an image by its bytes", nil, func(t *testing.T, s *subject) error {
			if _, err := s.GenerateContent(t.Context(),
				[]llms.MessageContent{{Role: llms.ChatMessageTypeHuman,
					Parts: []llms.ContentPart{llms.BinaryPart("image/png", []byte{1, 2})}}}); err != nil {
				return err
			}
			return s.sent(`"type":"image_url"`, `"url":"data:image/png;base64,AQI="`)
		}},
		{"O10 cached parts and pointers are not lost", nil, func(t *testing.T, s *subject) error {
			_, err := s.GenerateContent(t.Context(),
				[]llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{
					llms.WithCacheControl(llms.TextPart("cached"), &llms.CacheControl{Type: "ephemeral"}),
					&llms.TextContent{Text: "pointed"}}}})
			if err != nil {
				return err
			}
			return s.sent("cached", "pointed", "!ephemeral")
		}},
		{"O11 two tool answers in one message", nil, func(t *testing.T, s *subject) error {
			call := func(id string) llms.ToolCall {
				return llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: "f",
					Arguments: "{}"}}
			}
			_, err := s.GenerateContent(t.Context(),
				[]llms.MessageContent{{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{call("a"), call("b")}},
					{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "a",
						Content: "first"}, llms.ToolCallResponse{ToolCallID: "b", Content: "second"}}}})
			if err != nil {
				return err
			}
			return s.sent("first", "second", `"tool_call_id":"b"`)
		}},
		{"O12 the roles of langchaingo's own suite", nil, func(t *testing.T, s *subject) error {
			_, err := s.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts("user", "hi"),
				llms.TextParts("assistant", "hello")})
			return err
		}},
		{"O13 errors can be told apart, a deadline",
			func(s *babytest.Server) { s.On(chatPath, babytest.Hang(says("x"), 0)) },
			func(t *testing.T, s *subject) error {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				if _, err := s.ask(ctx); !errors.Is(err, context.DeadlineExceeded) || !llms.IsTimeoutError(err) {
					return fmt.Errorf("error %w", err)
				}
				return nil
			}},
		{"O13 errors can be told apart, vLLM's words", func(s *babytest.Server) {
			s.On(chatPath,
				babytest.JSON(400,
					`{"object":"error","message":"This model's maximum context length is 512 tokens.",`+
						`"type":"BadRequestError","code":400}`))
		}, func(t *testing.T, s *subject) error {
			if _, err := s.ask(t.Context()); !llms.IsTokenLimitError(err) ||
				!strings.Contains(err.Error(), "512 tokens") {
				return fmt.Errorf("error %w", err)
			}
			return nil
		}},
		{"O14 the handler is told of an error",
			func(s *babytest.Server) { s.On(chatPath, babytest.JSON(500, `{"error":{"message":"no"}}`)) },
			func(t *testing.T, s *subject) error {
				if err := mustFail(s.ask(t.Context())); err != nil {
					return err
				}
				if got := strings.Join(s.listener.events, " "); got != "start error" {
					return fmt.Errorf("told %q", got)
				}
				return nil
			}},
		{"O15 an old function_call does not crash", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"function_call":{"name":"f","arguments":"{}"}}`),
				`{"choices":[{"index":0,"delta":{},"finish_reason":"function_call"}]}`))
		}, func(t *testing.T, s *subject) error { return mustFail(s.ask(t.Context(), discard)) }},
		{"O16 a long event", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"content":"`+strings.Repeat("x", 1<<20)+`"}`), done))
		}, func(t *testing.T, s *subject) error {
			resp, err := s.ask(t.Context(), discard)
			if err != nil {
				return err
			}
			if n := len(resp.Choices[0].Content); n != 1<<20 {
				return fmt.Errorf("%d bytes", n)
			}
			return nil
		}},
		{"O17 thinking under vLLM's name", func(s *babytest.Server) {
			s.On(chatPath,
				babytest.JSON(200,
					`{"choices":[{"message":{"content":"4","reasoning":"two and two"},"finish_reason":"stop"}]}`))
		}, func(t *testing.T, s *subject) error {
			resp, err := s.ask(t.Context(), llms.WithThinkingMode(llms.ThinkingModeHigh))
			if err != nil {
				return err
			}
			if got := resp.Choices[0].ReasoningContent; got != "two and two" {
				return fmt.Errorf("thinking %q", got)
			}
			return s.sent(`"reasoning_effort":"high"`)
		}},
		{"O18 only text is streamed as text", func(s *babytest.Server) {
			s.On(chatPath, babytest.Stream(event(`{"role":"assistant","content":""}`), event(`{"content":"I look."}`),
				event(`{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f",`+
					`"arguments":"{}"}}]}`), done))
		}, func(t *testing.T, s *subject) error {
			var got []string
			_, err := s.ask(t.Context(), tool, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				got = append(got, string(chunk))
				return nil
			}))
			if err != nil {
				return err
			}
			if jsonOf(t, got) != `["I look."]` {
				return fmt.Errorf("streamed %q", got)
			}
			return nil
		}},
		{"O19 vectors are in the order of the texts", func(s *babytest.Server) {
			s.On(embedPath, babytest.JSON(200, `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`))
		}, func(t *testing.T, s *subject) error {
			got, err := s.CreateEmbedding(t.Context(), []string{"a", "b"})
			if err != nil {
				return err
			}
			if len(got) != 2 || got[0][0] != 1 || got[1][0] != 2 {
				return fmt.Errorf("vectors %v", got)
			}
			return nil
		}},
		{"O20 a call can say what JSON it wants", nil, func(t *testing.T, s *subject) error {
			if _, err := s.ask(t.Context(), s.perCall); err != nil {
				return err
			}
			return s.sent(s.wantsJSON)
		}},
		{"O21 metadata stays here", nil, func(t *testing.T, s *subject) error {
			if _, err := s.ask(t.Context(), llms.WithMetadata(map[string]any{"trace": "t1"}),
				llms.WithPromptCaching(true)); err != nil {
				return err
			}
			return s.sent("!metadata", "!t1", "!prompt_caching")
		}},
		{"O22 max_tokens under the name that all engines know", nil, func(t *testing.T, s *subject) error {
			if _, err := s.ask(t.Context(), llms.WithMaxTokens(5)); err != nil {
				return err
			}
			return s.sent(`"max_tokens":5`)
		}},
		{"O23 what provably did not run is sent again", func(s *babytest.Server) {
			s.On(chatPath, babytest.WithHeader(babytest.JSON(503, `{"error":{"message":"busy"}}`), "Retry-After", "0"),
				says("x"))
		}, func(t *testing.T, s *subject) error { _, err := s.ask(t.Context()); return err }},
		{"O24 no messages are refused", nil, func(t *testing.T, s *subject) error {
			resp, err := s.GenerateContent(t.Context(), nil)
			if err := mustFail(resp, err); err != nil {
				return err
			}
			if n := len(s.srv.Requests()); n != 0 {
				return fmt.Errorf("%d requests were sent", n)
			}
			return nil
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for name, newSubject := range map[string]func(*testing.T, *babytest.Server) *subject{"ours": newOurs,
				"openai": newOpenAI} {
				srv := newServer(t)
				if row.script != nil {
					row.script(srv)
				} else {
					srv.On(chatPath, says("hello"))
				}
				err := guarded(func() error { return row.right(t, newSubject(t, srv)) })
				switch {
				case name == "ours" && err != nil:
					t.Errorf("ours: %v", err)
				case name == "openai" && err == nil:
					t.Error("langchaingo's openai provider does this right now: the row has outlived its reason")
				case name == "openai":
					t.Logf("openai: %.200v", err)
				}
			}
		})
	}
}

// guarded makes an error of a panic.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
