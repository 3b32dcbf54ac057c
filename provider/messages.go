package provider

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// conversation turns langchaingo's messages into the wire's.
type conversation struct {
	tools toolset
	out   []babyclient.Message
	open  []openCall // calls of assistant messages that no tool message has answered yet
	// unnamed counts the calls without id, name and arguments. langchaingo's agents make them of
	// steps that failed before a tool was chosen. They are left out, and their answers become user
	// messages.
	unnamed int
}

type openCall struct{ id, name string }

func convertMessages(messages []llms.MessageContent, tools toolset) ([]babyclient.Message, error) {
	if len(messages) == 0 {
		return nil, invalid("there are no messages: give at least one")
	}
	c := conversation{tools: tools}
	for i, m := range messages {
		if err := c.add(i, m); err != nil {
			return nil, err
		}
	}
	if len(c.out) == 0 {
		return nil, invalid("the messages hold nothing but a tool call without a name")
	}
	return c.out, nil
}

func (c *conversation) add(i int, m llms.MessageContent) error {
	parts := make([]placedPart, len(m.Parts))
	for j, p := range m.Parts {
		parts[j] = placedPart{unwrapPart(p), i, j}
		if parts[j].ContentPart == nil {
			return invalid("%s is nil", parts[j].place())
		}
	}
	if len(parts) == 0 {
		return invalid("messages[%d] (role %q) has no parts", i, m.Role)
	}
	switch m.Role {
	case llms.ChatMessageTypeSystem:
		return c.addContent(babyclient.RoleSystem, parts)
	case "developer":
		return c.addContent(babyclient.RoleDeveloper, parts)
	case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric, babyclient.RoleUser:
		return c.addContent(babyclient.RoleUser, parts)
	case llms.ChatMessageTypeAI, babyclient.RoleAssistant:
		return c.addAssistant(parts)
	case llms.ChatMessageTypeTool, llms.ChatMessageTypeFunction:
		return c.addToolResults(parts)
	}
	return invalid("messages[%d] has the unknown role %q: "+
		"want one of system, human, ai, generic, tool, function", i, m.Role)
}

// addContent adds a message of text, or of text and media.
func (c *conversation) addContent(role string, parts []placedPart) error {
	out := make([]babyclient.Part, len(parts))
	for j, p := range parts {
		var err error
		if out[j], err = p.content(role); err != nil {
			return err
		}
	}
	c.out = append(c.out, newMessage(role, out))
	return nil
}

// newMessage has plain text for one part of text, which every chat template takes, and parts for
// more.
func newMessage(role string, parts []babyclient.Part) babyclient.Message {
	if len(parts) == 1 && parts[0].Type == "text" && parts[0].Extra == nil {
		return babyclient.Message{Role: role, Content: parts[0].Text}
	}
	return babyclient.Message{Role: role, Parts: parts}
}

// addAssistant adds what the model said: text, thinking and tool calls in one message.
func (c *conversation) addAssistant(parts []placedPart) error {
	var texts []babyclient.Part
	var calls []babyclient.ToolCall
	var reasoning strings.Builder
	reasoningField := ""
	for _, placed := range parts {
		switch p := placed.ContentPart.(type) {
		case llms.TextContent:
			texts = append(texts, babyclient.TextPart(p.Text))
		case ownPart:
			if p.Part != nil {
				return placed.unsupported("an AI message holds text, thinking and tool calls")
			}
			reasoning.WriteString(p.Reasoning)
			reasoningField = cmp.Or(reasoningField, p.ReasoningField)
		case llms.ToolCall:
			if p.FunctionCall != nil && *p.FunctionCall == (llms.FunctionCall{}) && p.ID == "" {
				c.unnamed++
				continue
			}
			call, err := c.newToolCall(placed, p)
			if err != nil {
				return err
			}
			calls = append(calls, call)
		case llms.ToolCallResponse:
			return placed.misplacedAnswer("ai")
		default:
			return placed.unsupported("an AI message holds text, thinking and tool calls")
		}
	}
	if texts == nil && calls == nil && reasoning.Len() == 0 {
		return nil // the message was nothing but an unnamed call
	}
	m := babyclient.Message{Role: babyclient.RoleAssistant}
	if texts != nil {
		m = newMessage(babyclient.RoleAssistant, texts)
	}
	m.ToolCalls, m.Reasoning, m.ReasoningField = calls, reasoning.String(), reasoningField
	c.out = append(c.out, m)
	return nil
}

func (c *conversation) newToolCall(placed placedPart, p llms.ToolCall) (babyclient.ToolCall, error) {
	none := babyclient.ToolCall{}
	switch {
	case p.FunctionCall == nil:
		return none, invalid("%s: tool call %q has no FunctionCall", placed.place(), p.ID)
	case p.FunctionCall.Name == "":
		return none, invalid("%s: tool call %q has no function name", placed.place(), p.ID)
	case p.Type != "" && p.Type != "function":
		return none, placed.unsupported("tool call %q has type %q, only functions can be called", p.ID, p.Type)
	}
	name := p.FunctionCall.Name
	arguments, err := c.tools.repair(name, p.FunctionCall.Arguments)
	if err != nil {
		return none, invalid("%s: tool call %q of %s: %v", placed.place(), p.ID, name, err)
	}
	id := p.ID
	if id == "" {
		id = fmt.Sprintf("call_%d_%d", placed.message, placed.index)
	}
	c.open = append(c.open, openCall{id, name})
	function := babyclient.FunctionCall{Name: name, Arguments: arguments}
	return babyclient.ToolCall{ID: id, Type: "function", Function: function}, nil
}

// addToolResults adds one tool message for each answer.
func (c *conversation) addToolResults(parts []placedPart) error {
	for _, placed := range parts {
		var answer llms.ToolCallResponse
		switch p := placed.ContentPart.(type) {
		case llms.ToolCallResponse:
			answer = p
		case llms.TextContent: // what chains make of a ToolChatMessage
			answer.Content = p.Text
		default:
			return placed.unsupported("a tool message holds the answers to tool calls")
		}
		id := c.closeCall(answer)
		switch {
		case id != "":
			c.out = append(c.out, babyclient.ToolResult(id, answer.Content))
		case c.unnamed > 0:
			c.unnamed--
			c.out = append(c.out, babyclient.User(answer.Content))
		default:
			return invalid("%s: the tool answer has no ToolCallID, and no call before it is without an answer",
				placed.place())
		}
	}
	return nil
}

// closeCall returns the id of the call that the answer is for, and takes the call off the open
// ones. An answer without an id is for the first open call of its name, and without a name for the
// first open call. The id is empty if there is none.
func (c *conversation) closeCall(answer llms.ToolCallResponse) (id string) {
	i := slices.IndexFunc(c.open, func(call openCall) bool {
		if answer.ToolCallID != "" {
			return answer.ToolCallID == call.id
		}
		return answer.Name == "" || answer.Name == call.name
	})
	if i < 0 {
		return answer.ToolCallID
	}
	id = c.open[i].id
	c.open = slices.Delete(c.open, i, i+1)
	return id
}
