package agents

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/babyapi-org/babyapi-go/provider"
)

// before is what the model is sent before the turns of a run: the system message, what was said
// earlier, and the question. There is one system message, because many chat templates take no more.
func (a *ToolAgent) before(ctx context.Context, inputs map[string]string) ([]llms.MessageContent, error) {
	var system []string
	if a.system != "" {
		system = append(system, a.system)
	}
	addText := func(text string) {
		if text != "" {
			system = append(system, "Earlier conversation:\n"+text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		if key != inputKey {
			addText(inputs[key])
		}
	}
	var remembered map[string]any
	var err error
	if a.memory != nil {
		remembered, err = a.memory.LoadMemoryVariables(ctx, map[string]any{inputKey: inputs[inputKey]})
		if err != nil {
			return nil, fmt.Errorf("agents: loading the memory: %w", err)
		}
	}
	var earlier []llms.MessageContent
	for _, key := range slices.Sorted(maps.Keys(remembered)) {
		switch value := remembered[key].(type) {
		case string:
			addText(value)
		case []llms.ChatMessage:
			for _, m := range value {
				earlier = append(earlier, messageOf(m))
			}
		default:
			return nil, fmt.Errorf("agents: the memory's %q is a %T: want text or messages", key, value)
		}
	}
	var out []llms.MessageContent
	if len(system) > 0 {
		out = append(out, llms.TextParts(llms.ChatMessageTypeSystem, strings.Join(system, "\n\n")))
	}
	out = append(append(out, earlier...), a.earlier...)
	return append(out, llms.TextParts(llms.ChatMessageTypeHuman, inputs[inputKey])), nil
}

// messageOf is a message of a memory as the model takes it.
func messageOf(m llms.ChatMessage) llms.MessageContent {
	out := llms.MessageContent{Role: m.GetType()}
	if text := m.GetContent(); text != "" {
		out.Parts = append(out.Parts, llms.TextPart(text))
	}
	switch m := m.(type) {
	case llms.AIChatMessage:
		if m.ReasoningContent != "" {
			out.Parts = append(out.Parts, provider.ReasoningPart(m.ReasoningContent))
		}
		for _, call := range m.ToolCalls {
			out.Parts = append(out.Parts, call)
		}
	case llms.ToolChatMessage:
		out.Parts = []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m.ID, Content: m.Content}}
	case llms.FunctionChatMessage:
		out.Parts = []llms.ContentPart{llms.ToolCallResponse{Name: m.Name, Content: m.Content}}
	}
	if out.Parts == nil {
		out.Parts = []llms.ContentPart{llms.TextPart("")}
	}
	return out
}

// save puts question and answer into the memory. The error has the answer, which was paid for.
func (a *ToolAgent) save(ctx context.Context, inputs map[string]string, answer string) error {
	if a.memory == nil {
		return nil
	}
	err := a.memory.SaveContext(ctx, map[string]any{inputKey: inputs[inputKey]}, map[string]any{outputKey: answer})
	if err == nil {
		return nil
	}
	return llms.NewError(llms.ErrCodeUnknown, "babyapi", "the answer could not be saved in the memory: "+err.Error()).
		WithCause(err).WithDetail("content", answer)
}

// turn is one answer of the model, with the calls that it made and their results.
type turn struct {
	text, reasoning, reasoningField string
	steps                           []schema.AgentStep
}

// The Log of an action is all that the executor hands back of an answer beside the calls, and it
// does not say which calls were one answer. Those have the same Log, because it has the number of
// the turn, and it holds thinking and text. For example, without and with thinking:
//
//	turn 1: I look it up.
//	turn 2, 9 bytes of "reasoning" first: Oslo, hm.I look it up.
const (
	plainLog     = "turn %d: "
	reasoningLog = "turn %d, %d bytes of %q first: "
)

func writeLog(number int, c *llms.ContentChoice) string {
	if c.ReasoningContent == "" {
		return fmt.Sprintf(plainLog, number) + c.Content
	}
	field, _ := c.GenerationInfo["ReasoningField"].(string)
	return fmt.Sprintf(reasoningLog, number, len(c.ReasoningContent), field) + c.ReasoningContent + c.Content
}

// readLog reads what writeLog wrote. The Log of a step that this agent did not make is no text of
// the model's.
func readLog(number int, log string) (t turn) {
	if text, ok := strings.CutPrefix(log, fmt.Sprintf(plainLog, number)); ok {
		t.text = text
		return t
	}
	var n, length int
	var field string
	if _, err := fmt.Sscanf(log, reasoningLog, &n, &length, &field); err != nil {
		return turn{text: log}
	}
	text, ok := strings.CutPrefix(log, fmt.Sprintf(reasoningLog, n, length, field))
	if !ok || length < 0 || length > len(text) {
		return turn{text: log}
	}
	return turn{reasoning: text[:length], text: text[length:], reasoningField: field}
}

// turnsOf groups the steps of a run by the answers of the model.
func turnsOf(steps []schema.AgentStep) (out []turn) {
	for len(steps) > 0 {
		n := 1
		for n < len(steps) && steps[n].Action.Log == steps[0].Action.Log {
			n++
		}
		t := readLog(len(out)+1, steps[0].Action.Log)
		t.steps = steps[:n]
		out = append(out, t)
		steps = steps[n:]
	}
	return out
}

// messages are the answer of the model, with its calls, and their results.
func (t turn) messages() []llms.MessageContent {
	said := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	if t.reasoning != "" {
		said.Parts = append(said.Parts, provider.ReasoningPartOf(&llms.ContentChoice{ReasoningContent: t.reasoning,
			GenerationInfo: map[string]any{"ReasoningField": t.reasoningField}}))
	}
	if t.text != "" {
		said.Parts = append(said.Parts, llms.TextPart(t.text))
	}
	results := llms.MessageContent{Role: llms.ChatMessageTypeTool}
	for _, s := range t.steps {
		name, id := s.Action.Tool, s.Action.ToolID
		said.Parts = append(said.Parts, llms.ToolCall{ID: id, Type: "function",
			FunctionCall: &llms.FunctionCall{Name: name, Arguments: replayed(s.Action.ToolInput)}})
		results.Parts = append(results.Parts,
			llms.ToolCallResponse{ToolCallID: id, Name: name, Content: s.Observation})
	}
	return []llms.MessageContent{said, results}
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
