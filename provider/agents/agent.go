package agents

import (
	"context"
	"errors"
	"fmt"
	"strings"

	langchain "github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"
)

// ToolAgent is an agent for langchaingo's executor that lets the model call tools with their
// schemas, several at once if it wants to. A tool that fails does not end the run: the model gets
// the error as the tool's answer.
type ToolAgent struct {
	model       llms.Model
	tools       []tools.Tool // as the executor calls them
	definitions []llms.Tool  // as the model is shown them
	system      string
	earlier     []llms.MessageContent
	memory      schema.Memory
	options     []llms.CallOption
	handler     callbacks.Handler
}

var _ langchain.Agent = (*ToolAgent)(nil)

// An Option configures a [ToolAgent].
type Option func(*ToolAgent)

// WithSystemMessage sets a system message before the conversation. Default: none.
func WithSystemMessage(text string) Option { return func(a *ToolAgent) { a.system = text } }

// WithMessages puts earlier messages, such as those of a conversation that the program keeps,
// between the system message and the question.
func WithMessages(messages ...llms.MessageContent) Option {
	return func(a *ToolAgent) { a.earlier = append(a.earlier, messages...) }
}

// WithMemory makes the agent remember earlier runs: it loads the memory before the question and
// saves question and answer in it. It takes memories that return messages, which langchaingo's
// executor refuses, and those that return text, which goes into a system message. Give a memory
// either to the agent or to the executor.
func WithMemory(m schema.Memory) Option { return func(a *ToolAgent) { a.memory = m } }

// WithCallOptions gives options to every call of the model.
func WithCallOptions(opts ...llms.CallOption) Option {
	return func(a *ToolAgent) { a.options = append(a.options, opts...) }
}

// WithCallback streams the text of the model's answers to h.HandleStreamingFunc. Actions are
// reported by the executor, to its own handler.
func WithCallback(h callbacks.Handler) Option { return func(a *ToolAgent) { a.handler = h } }

// NewToolAgent makes an agent of a model and the tools that it may call. Tools that are a
// [SchemaTool] are shown with their schema, others as functions of one string.
func NewToolAgent(model llms.Model, with []tools.Tool, opts ...Option) (*ToolAgent, error) {
	if model == nil {
		return nil, errors.New("agents: the model is nil")
	}
	a := &ToolAgent{model: model}
	seen := map[string]bool{}
	for i, t := range with {
		if t == nil || t.Name() == "" {
			return nil, fmt.Errorf("agents: tools[%d] is nil or has no name", i)
		}
		key := strings.ToUpper(t.Name()) // the executor ignores case
		if seen[key] {
			return nil, fmt.Errorf("agents: tools[%d]: another tool is named %q too", i, t.Name())
		}
		seen[key] = true
		a.tools = append(a.tools, forgivingTool{t})
		a.definitions = append(a.definitions, definition(t))
	}
	for _, o := range opts {
		if o != nil {
			o(a)
		}
	}
	return a, nil
}

const (
	inputKey  = "input"
	outputKey = "output"
)

// GetInputKeys is the one key "input".
func (a *ToolAgent) GetInputKeys() []string { return []string{inputKey} }

// GetOutputKeys is the one key "output".
func (a *ToolAgent) GetOutputKeys() []string { return []string{outputKey} }

// GetTools are the tools as the executor calls them.
func (a *ToolAgent) GetTools() []tools.Tool { return a.tools }

// Plan asks the model what to do next. An answer that is empty, or was cut or filtered, is an
// [*llms.Error], whose detail "content" has what there is of it.
//
// The text of inputs other than "input", which the memory of an executor adds, is a system message
// before the question.
func (a *ToolAgent) Plan(
	ctx context.Context, steps []schema.AgentStep, inputs map[string]string, options ...chains.ChainCallOption,
) ([]schema.AgentAction, *schema.AgentFinish, error) {
	messages, err := a.before(ctx, inputs)
	if err != nil {
		return nil, nil, err
	}
	turns := turnsOf(steps)
	for _, t := range turns {
		messages = append(messages, t.messages()...)
	}
	resp, err := a.model.GenerateContent(ctx, messages, a.callOptions(options)...)
	if err != nil {
		return nil, nil, err
	}
	if len(resp.Choices) == 0 {
		return nil, nil, errors.New("agents: the model's answer has no choices")
	}
	c := resp.Choices[0]
	if len(c.ToolCalls) == 0 {
		if err := checkAnswer(c); err != nil {
			return nil, nil, err
		}
		return nil, &schema.AgentFinish{ReturnValues: map[string]any{outputKey: c.Content}, Log: c.Content},
			a.save(ctx, inputs, c.Content)
	}
	log := writeLog(len(turns)+1, c)
	var actions []schema.AgentAction
	for _, call := range c.ToolCalls {
		if call.FunctionCall == nil {
			return nil, nil, fmt.Errorf("agents: tool call %q of the model has no function", call.ID)
		}
		actions = append(actions, schema.AgentAction{Tool: call.FunctionCall.Name,
			ToolInput: call.FunctionCall.Arguments, ToolID: call.ID, Log: log})
	}
	return actions, nil, nil
}

// checkAnswer refuses what is no answer, although the model said nothing else.
func checkAnswer(c *llms.ContentChoice) error {
	code, message := llms.ErrCodeProviderUnavailable, "the answer is empty"
	refusal, _ := c.GenerationInfo["Refusal"].(string)
	switch failed, _ := c.GenerationInfo["Error"].(error); {
	case failed != nil:
		return failed
	case refusal != "" && strings.TrimSpace(c.Content) == "":
		code, message = llms.ErrCodeContentFilter, "the model refused to answer: "+refusal
	case c.StopReason == "length":
		code = llms.ErrCodeInvalidRequest
		message = "the answer was cut at the token limit: allow more with llms.WithMaxTokens"
	case c.StopReason == "content_filter":
		code, message = llms.ErrCodeContentFilter, "the answer was cut by a content filter"
	case strings.TrimSpace(c.Content) != "":
		return nil
	}
	return llms.NewError(code, "babyapi", message).
		WithDetail("content", c.Content).WithDetail("reasoning", c.ReasoningContent)
}

// callOptions are the options of a call of the model, those of the chain last.
func (a *ToolAgent) callOptions(chain []chains.ChainCallOption) []llms.CallOption {
	options := append([]llms.CallOption{llms.WithTools(a.definitions)}, a.options...)
	options = append(options, chains.GetLLMCallOptions(chain...)...)
	// The options of a chain always set a streaming function, to nil if nobody streams. So ours
	// must come after them, and only then.
	var applied llms.CallOptions
	for _, o := range options {
		if o != nil {
			o(&applied)
		}
	}
	if applied.StreamingFunc == nil && a.handler != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, piece []byte) error {
			a.handler.HandleStreamingFunc(ctx, piece)
			return nil
		}))
	}
	return options
}
