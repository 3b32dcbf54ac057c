package langchain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/cache"
	"github.com/tmc/langchaingo/llms/cache/inmemory"
	"github.com/tmc/langchaingo/memory"
	"github.com/tmc/langchaingo/prompts"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// adder is a tool that takes an expression as plain text, as langchaingo's calculator does.
type adder struct{ asked *[]string }

func (adder) Name() string        { return "adder" }
func (adder) Description() string { return "Adds numbers." }
func (a adder) Call(_ context.Context, input string) (string, error) {
	*a.asked = append(*a.asked, input)
	sum := 0
	for term := range strings.SplitSeq(input, "+") {
		n := 0
		if _, err := fmt.Sscan(term, &n); err != nil {
			return "not a sum: " + input, nil
		}
		sum += n
	}
	return fmt.Sprint(sum), nil
}

// strict refuses what vLLM refuses: arguments that are no JSON object, and tool messages that
// answer no call before them.
func strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Messages []struct {
				Role       string
				ToolCallID string `json:"tool_call_id"`
				ToolCalls  []struct {
					ID       string
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
		}
		refuse := func(why string) {
			babytest.JSON(400, map[string]any{"error": map[string]any{"message": why, "type": "BadRequestError",
				"code": 400}}).ServeHTTP(w, r)
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			refuse(err.Error())
			return
		}
		known := map[string]bool{}
		for _, m := range req.Messages {
			for _, c := range m.ToolCalls {
				var arguments map[string]any
				if err := json.Unmarshal([]byte(c.Function.Arguments), &arguments); err != nil ||
					c.Function.Name == "" || c.ID == "" {
					refuse(fmt.Sprintf("bad tool call %+v", c))
					return
				}
				known[c.ID] = true
			}
			if m.Role == "tool" && !known[m.ToolCallID] || m.Role != "tool" && m.ToolCallID != "" ||
				m.Role == "function" {
				refuse("a tool message answers no call")
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

func testOpenAIFunctionsAgent(t *testing.T) {
	srv := newServer(t)
	srv.On(chatPath, strict(calls([3]string{"a", "adder", `{"__arg1":"2+2"}`},
		[3]string{"b", "adder", `{"__arg1":"40"}`})),
		strict(calls([3]string{"c", "adder", `4+40`})), // a model that writes no JSON
		strict(calls([3]string{"d", "adder", `{"__arg1":["44"]}`})), strict(says("44")))
	var asked []string
	agent := langchain.NewOpenAIFunctionsAgent(newLLM(t, srv), []tools.Tool{adder{&asked}})
	got, err := chains.Run(t.Context(), langchain.NewExecutor(agent), "what is 2+2+40?")
	if err != nil || got != "44" {
		t.Fatalf("the agent answered %q, %v, want 44", got, err)
	}
	if want := "2+2|40|4+40|" + `{"__arg1":["44"]}`; strings.Join(asked, "|") != want {
		t.Errorf("the tool was asked %q, want %q", asked, want)
	}
	sent := jsonOf(t, body(t, srv, -1)["messages"])
	for _, arguments := range []string{`{"__arg1":"2+2"}`, `{"__arg1":"40"}`, `{"__arg1":"4+40"}`,
		`{"__arg1":["44"]}`} {
		if !strings.Contains(sent, jsonOf(t, arguments)) {
			t.Errorf("%s was not sent back: %s", arguments, sent)
		}
	}
}

// An agent whose answer could not be parsed replays a step of no tool at all.
func testAgentThatFailed(t *testing.T) {
	srv := newServer(t)
	srv.On(chatPath, strict(says("ok")))
	agent := langchain.NewOpenAIFunctionsAgent(newLLM(t, srv), nil)
	_, finish, err := agent.Plan(t.Context(), []schema.AgentStep{{Observation: "I could not parse that"}},
		map[string]string{"input": "hi"})
	if err != nil || finish == nil || !strings.Contains(jsonOf(t, body(t, srv, -1)), "I could not parse that") {
		t.Errorf("the plan is %v, %v, and the request %s", finish, err, jsonOf(t, body(t, srv, -1)))
	}
}

func testTextAgents(t *testing.T) {
	thinking := func(text string) http.Handler { return strict(says("<think>\nAction: none\n</think>\n\n" + text)) }
	for name, newAgent := range map[string]func(llms.Model, []tools.Tool) langchain.Agent{
		"one-shot": func(m llms.Model, with []tools.Tool) langchain.Agent { return langchain.NewOneShotAgent(m, with) },
		"conversational": func(m llms.Model, with []tools.Tool) langchain.Agent {
			return langchain.NewConversationalAgent(m, with)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			final := "Thought: I know\nFinal Answer: 44"
			if name == "conversational" {
				final = "Thought: Do I need to use a tool? No\nAI: 44"
			}
			srv.On(chatPath, thinking("Thought: Do I need to use a tool? Yes\nAction: adder\nAction Input: 4+40"),
				thinking(final))
			var asked []string
			// The service has no reasoning parser, so the thinking stands in the text.
			llm := newLLM(t, srv, provider.WithDefaults(provider.WithThinkTags()))
			var options []langchain.Option
			if name == "conversational" {
				options = append(options, langchain.WithMemory(memory.NewConversationBuffer()))
			}
			got, err := chains.Run(t.Context(), langchain.NewExecutor(newAgent(llm, []tools.Tool{adder{&asked}}),
				options...), "what is 4+40?")
			if err != nil || strings.TrimSpace(got) != "44" || len(asked) != 1 ||
				strings.TrimSpace(asked[0]) != "4+40" {
				t.Errorf("the agent answered %q, %v, want 44; the tool was asked %q", got, err, asked)
			}
			if stop := jsonOf(t, body(t, srv, 0)["stop"]); !strings.Contains(stop, "Observation:") {
				t.Errorf("the stop words are %s, want Observation: among them", stop)
			}
			if second := jsonOf(t, body(t, srv, 1)); !strings.Contains(second, "44") ||
				strings.Contains(second, "Action: none") {
				t.Errorf("the second request lacks the observation, or holds the thinking: %s", second)
			}
		})
	}
}

func testChains(t *testing.T) {
	srv := newServer(t)
	srv.On(chatPath, says("Paris"))
	llm := newLLM(t, srv)
	prompt := prompts.NewPromptTemplate("The capital of {{.country}}?", []string{"country"})
	got, err := chains.Predict(t.Context(), chains.NewLLMChain(llm, prompt), map[string]any{"country": "France"},
		chains.WithTemperature(0), chains.WithMaxTokens(9))
	if err != nil || got != "Paris" {
		t.Errorf("the chain answered %q, %v, want Paris", got, err)
	}
	if b := body(t, srv, -1); b["temperature"] != 0.0 || b["max_tokens"] != 9.0 || b["stream"] != nil {
		t.Errorf("sent %v, want temperature 0, max_tokens 9 and no stream", b)
	}

	talk := chains.NewConversation(llm, memory.NewConversationBuffer())
	for _, say := range []string{"I am Ada.", "Who am I?"} {
		if _, err := chains.Run(t.Context(), talk, say); err != nil {
			t.Fatal(err)
		}
	}
	if b := jsonOf(t, body(t, srv, -1)); !strings.Contains(b, "I am Ada.") {
		t.Errorf("the conversation is not in %s", b)
	}

	docs := []schema.Document{{PageContent: "Oslo is the capital of Norway."}, {PageContent: "Rain falls in Bergen."}}
	find := retriever(func(string) []schema.Document { return docs })
	if got, err := chains.Run(t.Context(), chains.NewRetrievalQAFromLLM(llm, find),
		"The capital of Norway?"); err != nil || got != "Paris" {
		t.Errorf("the chain of a retriever answered %q, %v, want Paris", got, err)
	}
	if b := jsonOf(t, body(t, srv, -1)); !strings.Contains(b, "Oslo is the capital") ||
		!strings.Contains(b, "Rain falls") {
		t.Errorf("the documents are not in %s", b)
	}
	before := len(srv.Requests())
	summary := chains.LoadMapReduceSummarization(llm)
	if got, err := chains.Call(t.Context(), summary, map[string]any{"input_documents": docs}); err != nil ||
		got["text"] != "Paris" || len(srv.Requests()) != before+3 {
		t.Errorf("the summary is %v, %v, after %d requests, want Paris after 3", got, err, len(srv.Requests())-before)
	}

	stored, err := inmemory.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cached := cache.New(llm, stored)
	before = len(srv.Requests())
	for range 2 {
		if got, err := llms.GenerateFromSinglePrompt(t.Context(), cached, "again?"); err != nil || got != "Paris" {
			t.Errorf("the cached model answered %q, %v, want Paris", got, err)
		}
	}
	if n := len(srv.Requests()) - before; n != 1 {
		t.Errorf("the cached model sent %d requests for one question", n)
	}
}

type retriever func(query string) []schema.Document

func (f retriever) GetRelevantDocuments(_ context.Context, query string) ([]schema.Document, error) {
	return f(query), nil
}
