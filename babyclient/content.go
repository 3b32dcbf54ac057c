package babyclient

import (
	"cmp"
	"encoding/json"
	"errors"
)

// looseMessage is a message, or a piece of one, as servers write it that do not keep to OpenAI's
// types: content and thinking in parts, as Mistral's reasoning models send them, and fields of any
// other type.
type looseMessage struct {
	messageWire[looseContent]
	Reasoning        looseContent `json:"reasoning"`
	ReasoningContent looseContent `json:"reasoning_content"`
	Refusal          looseContent `json:"refusal"`
	ToolCalls        []struct {
		ToolCall
		Function looseFunctionCall `json:"function"`
	} `json:"tool_calls"`
}

// message is the message of a plain answer. Content of parts stays in parts.
func (m *looseMessage) message() Message {
	var calls []ToolCall
	for _, c := range m.ToolCalls {
		c.ToolCall.Function = FunctionCall(c.Function)
		calls = append(calls, c.ToolCall)
	}
	w := messageWire[string]{Role: m.Role, Name: m.Name, ToolCalls: calls, ToolCallID: m.ToolCallID,
		Reasoning: m.Reasoning.allText(), ReasoningContent: m.ReasoningContent.allText(),
		Refusal: cmp.Or(m.Refusal.allText(), partsText(m.Content.parts, isRefusalPart))}
	return messageOf(&w, m.Content.text, m.Content.parts)
}

// looseFunctionCall is a FunctionCall whose arguments need not be text: an object is its JSON.
type looseFunctionCall FunctionCall

func (f *looseFunctionCall) UnmarshalJSON(data []byte) error {
	var wire struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*f = looseFunctionCall{Name: wire.Name}
	switch {
	case isNull(wire.Arguments):
	case wire.Arguments[0] == '"':
		return json.Unmarshal(wire.Arguments, &f.Arguments)
	default:
		f.Arguments = string(wire.Arguments)
	}
	return nil
}

// looseContent is content in any form that servers send it in: a text, a part, or a list of texts
// and parts.
type looseContent struct {
	text  string
	parts []Part // nil for a text
}

func (c *looseContent) UnmarshalJSON(data []byte) error {
	*c = looseContent{}
	var list []json.RawMessage
	switch data[0] {
	case 'n':
		return nil
	case '"':
		return json.Unmarshal(data, &c.text)
	case '{':
		list = []json.RawMessage{data}
	case '[':
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
	default:
		return errors.New("content is neither text nor parts")
	}
	c.parts = make([]Part, len(list))
	for i, item := range list {
		var text string
		switch {
		case json.Unmarshal(item, &text) == nil:
			c.parts[i] = TextPart(text)
		case json.Unmarshal(item, &c.parts[i]) == nil:
		default: // its fields are of other types, such as a text in an object
			var fields map[string]any
			if err := unmarshalNumbers(item, &fields); err != nil {
				return err
			}
			kind, _ := fields["type"].(string)
			delete(fields, "type")
			c.parts[i] = Part{Type: kind, Extra: fields}
		}
	}
	if c.allText() == "" && !all(c.parts, (*Part).saysNothing) {
		return errors.New("content has parts, and none of them has a text that is known")
	}
	return nil
}

// all reports whether all parts are so.
func all(parts []Part, is func(*Part) bool) bool {
	for i := range parts {
		if !is(&parts[i]) {
			return false
		}
	}
	return true
}

// messagesElsewhere are the messages of choices that stand where those of another endpoint do: text
// in place of a message, a delta in a plain answer, a message in a completion.
func messagesElsewhere(answer []byte) []Message {
	var wire struct {
		Choices []struct {
			Text    looseContent `json:"text"`
			Message looseMessage `json:"message"`
			Delta   looseMessage `json:"delta"`
		} `json:"choices"`
	}
	_ = unmarshalFitting(answer, &wire, "") // what does not fit was found before
	messages := make([]Message, len(wire.Choices))
	for i := range wire.Choices {
		choice := &wire.Choices[i]
		messages[i] = choice.Message.message()
		if messages[i].isEmpty() {
			messages[i] = choice.Delta.message()
		}
		if messages[i].isEmpty() {
			messages[i] = Message{Role: RoleAssistant, Content: choice.Text.allText()}
		}
	}
	return messages
}

// isEmpty reports whether a message of an answer says nothing.
func (m *Message) isEmpty() bool {
	return m.Content == "" && len(m.Parts) == 0 && m.Reasoning == "" && m.Refusal == "" && len(m.ToolCalls) == 0
}

// allText is the text, whatever the types of the parts are.
func (c *looseContent) allText() string {
	return c.text + partsText(c.parts, func(*Part) bool { return true })
}
