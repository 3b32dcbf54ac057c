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
	options     []llms.CallOption
	handler     callbacks.Handler
}

var _ langchain.Agent = (*ToolAgent)(nil)

// An Option configures a [ToolAgent].
type Option func(*ToolAgent)

// WithSystemMessage sets a system message before the conversation. Default: none.
func WithSystemMessage(text string) Option { return func(a *ToolAgent) { a.system = text } }

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

// Plan asks the model what to do next.
func (a *ToolAgent) Plan(
	ctx context.Context, steps []schema.AgentStep, inputs map[string]string, options ...chains.ChainCallOption,
) ([]schema.AgentAction, *schema.AgentFinish, error) {
	messages, turns := a.messages(steps, inputs[inputKey])
	resp, err := a.model.GenerateContent(ctx, messages, a.callOptions(options)...)
	if err != nil {
		return nil, nil, err
	}
	if len(resp.Choices) == 0 {
		return nil, nil, errors.New("agents: the model's answer has no choices")
	}
	c := resp.Choices[0]
	if len(c.ToolCalls) == 0 {
		return nil, &schema.AgentFinish{ReturnValues: map[string]any{outputKey: c.Content}, Log: c.Content}, nil
	}
	var actions []schema.AgentAction
	for _, call := range c.ToolCalls {
		if call.FunctionCall == nil {
			return nil, nil, fmt.Errorf("agents: tool call %q of the model has no function", call.ID)
		}
		actions = append(actions, schema.AgentAction{Tool: call.FunctionCall.Name,
			ToolInput: call.FunctionCall.Arguments, ToolID: call.ID, Log: logPrefix(turns+1) + c.Content})
	}
	return actions, nil, nil
}

// callOptions are the options of a call of the model, those of the chain last.
func (a *ToolAgent) callOptions(chain []chains.ChainCallOption) []llms.CallOption {
	options := append([]llms.CallOption{llms.WithTools(a.definitions)}, a.options...)
	options = append(options, chains.GetLLMCallOptions(chain...)...)
	// The options of a chain always set a streaming function, to nil if nobody streams. So ours
	// must come after them, and only then.
	var applied llms.CallOptions
	for _, o := range options {
		o(&applied)
	}
	if applied.StreamingFunc == nil && a.handler != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, piece []byte) error {
			a.handler.HandleStreamingFunc(ctx, piece)
			return nil
		}))
	}
	return options
}

// logPrefix begins the Log of the actions of a turn. The executor hands back steps without saying
// which of them were one answer of the model. Those have the same Log, and so find back into one
// message.
func logPrefix(turn int) string { return fmt.Sprintf("turn %d: ", turn) }

// messages is the conversation so far: what was asked, and each turn of the model with its calls
// and their results.
func (a *ToolAgent) messages(steps []schema.AgentStep, input string) (out []llms.MessageContent, turns int) {
	if a.system != "" {
		out = append(out, llms.TextParts(llms.ChatMessageTypeSystem, a.system))
	}
	out = append(out, llms.TextParts(llms.ChatMessageTypeHuman, input))
	for len(steps) > 0 {
		turns++
		n := 1
		for n < len(steps) && steps[n].Action.Log == steps[0].Action.Log {
			n++
		}
		said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
		if text := strings.TrimPrefix(steps[0].Action.Log, logPrefix(turns)); text != "" {
			said.Parts = append(said.Parts, llms.TextPart(text))
		}
		results := llms.MessageContent{Role: llms.ChatMessageTypeTool}
		for _, s := range steps[:n] {
			name, id := s.Action.Tool, s.Action.ToolID
			said.Parts = append(said.Parts, llms.ToolCall{ID: id, Type: "function",
				FunctionCall: &llms.FunctionCall{Name: name, Arguments: replayed(s.Action.ToolInput)}})
			results.Parts = append(results.Parts,
				llms.ToolCallResponse{ToolCallID: id, Name: name, Content: s.Observation})
		}
		out = append(out, said, results)
		steps = steps[n:]
	}
	return out, turns
}

// replayed is the arguments of an earlier call as they are sent back. The engines refuse arguments
// that are no JSON object; the model finds what it wrote in the result of the call, which quotes
// it.
func replayed(arguments string) string {
	if _, ok := readArguments(arguments); !ok {
		return "{}"
	}
	return arguments
}
