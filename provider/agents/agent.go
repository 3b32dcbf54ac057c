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

// ToolAgent is an agent for langchaingo's executor that lets the model call tools with their schemas,
// several at once if it wants to. A tool that fails does not end the run: the model is told.
type ToolAgent struct {
	model   llms.Model
	tools   []tools.Tool // patient
	show    []llms.Tool
	system  string
	options []llms.CallOption
	handler callbacks.Handler
}

var _ langchain.Agent = (*ToolAgent)(nil)

// An Option configures a [ToolAgent].
type Option func(*ToolAgent)

// WithSystemMessage sets what the model is told before the conversation. Default: nothing.
func WithSystemMessage(text string) Option { return func(a *ToolAgent) { a.system = text } }

// WithCallOptions gives options to every call of the model.
func WithCallOptions(opts ...llms.CallOption) Option {
	return func(a *ToolAgent) { a.options = append(a.options, opts...) }
}

// WithCallback streams the text of the model's answers to h.HandleStreamingFunc. The executor tells its
// own handler of actions.
func WithCallback(h callbacks.Handler) Option { return func(a *ToolAgent) { a.handler = h } }

// NewToolAgent makes an agent of a model and the tools that it may call. Those that are a
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
		key := strings.ToUpper(t.Name()) // the executor knows no case
		if seen[key] {
			return nil, fmt.Errorf("agents: tools[%d]: another tool is named %q too", i, t.Name())
		}
		seen[key] = true
		a.tools = append(a.tools, patient{t})
		a.show = append(a.show, definition(t))
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
func (a *ToolAgent) Plan(ctx context.Context, steps []schema.AgentStep, inputs map[string]string, options ...chains.ChainCallOption) (
	[]schema.AgentAction, *schema.AgentFinish, error,
) {
	messages, turns := a.messages(steps, inputs[inputKey])
	opts := append([]llms.CallOption{llms.WithTools(a.show)}, a.options...)
	opts = append(opts, chains.GetLLMCallOptions(options...)...)
	// The chain options end with a streaming function, which is nil where nobody streams.
	var applied llms.CallOptions
	for _, o := range opts {
		o(&applied)
	}
	if applied.StreamingFunc == nil && a.handler != nil {
		opts = append(opts, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			a.handler.HandleStreamingFunc(ctx, chunk)
			return nil
		}))
	}
	resp, err := a.model.GenerateContent(ctx, messages, opts...)
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
		actions = append(actions, schema.AgentAction{Tool: call.FunctionCall.Name, ToolInput: call.FunctionCall.Arguments,
			ToolID: call.ID, Log: logPrefix(turns+1) + c.Content})
	}
	return actions, nil, nil
}

// logPrefix tells the turns of a run apart. The actions of one turn have one Log, which is how their
// calls find back into one message.
func logPrefix(turn int) string { return fmt.Sprintf("turn %d: ", turn) }

// messages is the conversation so far: what was asked, and each turn of the model with its calls and
// their results.
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
			said.Parts = append(said.Parts, llms.ToolCall{ID: s.Action.ToolID, Type: "function",
				FunctionCall: &llms.FunctionCall{Name: s.Action.Tool, Arguments: replayed(s.Action.ToolInput)}})
			results.Parts = append(results.Parts, llms.ToolCallResponse{ToolCallID: s.Action.ToolID, Name: s.Action.Tool, Content: s.Observation})
		}
		out = append(out, said, results)
		steps = steps[n:]
	}
	return out, turns
}

// replayed is the arguments of an earlier call. Those that are no JSON object would be refused; the
// result of their call quotes them.
func replayed(arguments string) string {
	if _, ok := objectOf(arguments); !ok {
		return "{}"
	}
	return arguments
}
