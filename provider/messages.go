package provider

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// reasoningPart is thinking in an AI message. Embedding the interface, which stays nil, is the only
// way to be a part outside of langchaingo.
type reasoningPart struct {
	llms.ContentPart
	text string
}

// ReasoningPart is what the model thought before an answer, as a part of the AI message that holds
// the answer: some models want it back while they call tools.
func ReasoningPart(text string) llms.ContentPart { return reasoningPart{text: text} }

// wirePart is a part in the words of the wire.
type wirePart struct {
	llms.ContentPart
	p babyclient.Part
}

// Part is a part of a human message that langchaingo has no type for: a video, a sound by its URL,
// or what else the engine takes.
//
//	provider.Part(babyclient.VideoURLPart("https://…"))
func Part(p babyclient.Part) llms.ContentPart { return wirePart{p: p} }

// conversation turns langchaingo's messages into the wire's.
type conversation struct {
	tools toolset
	out   []babyclient.Message
	open  []openCall // calls of assistant messages that no tool message has answered yet
	// unnamed counts the calls without id, name and arguments: langchaingo's agents make them of steps
	// that failed before a tool was chosen. They are left out, and their answers become user messages.
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
	parts := make([]llms.ContentPart, len(m.Parts))
	for j, p := range m.Parts {
		if parts[j] = value(p); parts[j] == nil {
			return invalid("messages[%d].Parts[%d] is nil", i, j)
		}
	}
	if len(parts) == 0 {
		return invalid("messages[%d] (role %q) has no parts", i, m.Role)
	}
	switch m.Role {
	case llms.ChatMessageTypeSystem:
		return c.content(i, babyclient.RoleSystem, parts)
	case "developer":
		return c.content(i, babyclient.RoleDeveloper, parts)
	case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric, babyclient.RoleUser:
		return c.content(i, babyclient.RoleUser, parts)
	case llms.ChatMessageTypeAI, babyclient.RoleAssistant:
		return c.assistant(i, parts)
	case llms.ChatMessageTypeTool, llms.ChatMessageTypeFunction:
		return c.toolResults(i, parts)
	}
	return invalid("messages[%d] has the unknown role %q: want one of system, human, ai, generic, tool, function", i, m.Role)
}

// value takes a part out of its pointer and of what wraps it; nil for a nil part. Prompts are cached
// by vLLM itself, so llms.CachedContent says nothing that it needs to know.
func value(p llms.ContentPart) llms.ContentPart {
	switch p := p.(type) {
	case llms.CachedContent:
		return value(p.ContentPart)
	case *llms.CachedContent:
		return derefPart(p)
	case *llms.TextContent:
		return derefPart(p)
	case *llms.ImageURLContent:
		return derefPart(p)
	case *llms.BinaryContent:
		return derefPart(p)
	case *llms.ToolCall:
		return derefPart(p)
	case *llms.ToolCallResponse:
		return derefPart(p)
	}
	return p
}

func derefPart[T llms.ContentPart](p *T) llms.ContentPart {
	if p == nil {
		return nil
	}
	return value(*p)
}

func unsupported(i, j int, p llms.ContentPart, format string, args ...any) error {
	return llms.NewError(llms.ErrCodeNotImplemented, providerName,
		fmt.Sprintf("messages[%d].Parts[%d] (%T): %s", i, j, p, fmt.Sprintf(format, args...)))
}

// content adds a message of a role that says something: text, or text and media.
func (c *conversation) content(i int, role string, parts []llms.ContentPart) error {
	out := make([]babyclient.Part, len(parts))
	for j, p := range parts {
		var err error
		if out[j], err = contentPart(i, j, role, p); err != nil {
			return err
		}
	}
	c.out = append(c.out, message(role, out))
	return nil
}

// message has plain text for one part of text, which every chat template takes, and parts for more.
func message(role string, parts []babyclient.Part) babyclient.Message {
	if len(parts) == 1 && parts[0].Type == "text" && parts[0].Extra == nil {
		return babyclient.Message{Role: role, Content: parts[0].Text}
	}
	return babyclient.Message{Role: role, Parts: parts}
}

func contentPart(i, j int, role string, p llms.ContentPart) (babyclient.Part, error) {
	none := babyclient.Part{}
	switch p := p.(type) {
	case llms.TextContent:
		return babyclient.TextPart(p.Text), nil
	case llms.ImageURLContent:
		if p.URL == "" {
			return none, invalid("messages[%d].Parts[%d] is an image without a URL", i, j)
		}
		out := babyclient.ImageURLPart(p.URL)
		out.ImageURL.Detail = p.Detail
		return out, nil
	case llms.BinaryContent:
		return binaryPart(i, j, p)
	case wirePart:
		if p.p.Type == "" {
			return none, invalid("messages[%d].Parts[%d] has no type", i, j)
		}
		return p.p, nil
	case llms.ToolCall, reasoningPart:
		return none, invalid("messages[%d].Parts[%d]: a %s belongs into an AI message, not into one of the role %s", i, j, kind(p), role)
	case llms.ToolCallResponse:
		return none, invalid("messages[%d].Parts[%d]: the answer to a tool call belongs into a message of the role tool, not %s", i, j, role)
	}
	return none, unsupported(i, j, p, "this provider does not know this type of part")
}

func kind(p llms.ContentPart) string {
	if _, ok := p.(llms.ToolCall); ok {
		return "tool call"
	}
	return "ReasoningPart"
}

// binaryPart sends bytes in the message itself, in the form that the engines take for their type.
func binaryPart(i, j int, p llms.BinaryContent) (babyclient.Part, error) {
	if len(p.Data) == 0 {
		return babyclient.Part{}, invalid("messages[%d].Parts[%d] (%s) has no data", i, j, p.MIMEType)
	}
	media, _, _ := strings.Cut(p.MIMEType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if media == "" {
		media, _, _ = strings.Cut(http.DetectContentType(p.Data), ";")
	}
	group, format, _ := strings.Cut(media, "/")
	switch group {
	case "image":
		return babyclient.ImageURLPart(dataURI(media, p.Data)), nil
	case "video":
		return babyclient.VideoURLPart(dataURI(media, p.Data)), nil
	case "audio":
		return babyclient.AudioPart(p.Data, audioFormat(format)), nil
	}
	return babyclient.Part{}, unsupported(i, j, p, "a model takes no %s: convert it to text with a Loader first", media)
}

// audioFormat is the wire's name of an audio media type.
func audioFormat(subtype string) string {
	switch subtype = strings.TrimPrefix(subtype, "x-"); subtype {
	case "mpeg":
		return "mp3"
	case "wave", "vnd.wave":
		return "wav"
	}
	return subtype
}

func dataURI(media string, data []byte) string {
	return "data:" + media + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// assistant adds what the model said: text, thinking and tool calls in one message.
func (c *conversation) assistant(i int, parts []llms.ContentPart) error {
	var texts []babyclient.Part
	var calls []babyclient.ToolCall
	var reasoning strings.Builder
	for j, p := range parts {
		switch p := p.(type) {
		case llms.TextContent:
			texts = append(texts, babyclient.TextPart(p.Text))
		case reasoningPart:
			reasoning.WriteString(p.text)
		case llms.ToolCall:
			if p.FunctionCall != nil && *p.FunctionCall == (llms.FunctionCall{}) && p.ID == "" {
				c.unnamed++
				continue
			}
			call, err := c.toolCall(i, j, p)
			if err != nil {
				return err
			}
			calls = append(calls, call)
		case llms.ToolCallResponse:
			return invalid("messages[%d].Parts[%d]: the answer to a tool call belongs into a message of the role tool, not ai", i, j)
		default:
			return unsupported(i, j, p, "an AI message holds text, thinking and tool calls")
		}
	}
	if texts == nil && calls == nil && reasoning.Len() == 0 {
		return nil // nothing but an unnamed call
	}
	var m babyclient.Message
	if texts == nil {
		m = babyclient.Message{Role: babyclient.RoleAssistant}
	} else {
		m = message(babyclient.RoleAssistant, texts)
	}
	m.ToolCalls, m.Reasoning = calls, reasoning.String()
	c.out = append(c.out, m)
	return nil
}

func (c *conversation) toolCall(i, j int, p llms.ToolCall) (babyclient.ToolCall, error) {
	none := babyclient.ToolCall{}
	switch {
	case p.FunctionCall == nil:
		return none, invalid("messages[%d].Parts[%d]: tool call %q has no FunctionCall", i, j, p.ID)
	case p.FunctionCall.Name == "":
		return none, invalid("messages[%d].Parts[%d]: tool call %q has no function name", i, j, p.ID)
	case p.Type != "" && p.Type != "function":
		return none, unsupported(i, j, p, "tool call %q has type %q, only functions can be called", p.ID, p.Type)
	}
	arguments, err := c.tools.repair(p.FunctionCall.Name, p.FunctionCall.Arguments)
	if err != nil {
		return none, invalid("messages[%d].Parts[%d]: tool call %q of %s: %v", i, j, p.ID, p.FunctionCall.Name, err)
	}
	id := p.ID
	if id == "" {
		id = fmt.Sprintf("call_%d_%d", i, j)
	}
	c.open = append(c.open, openCall{id, p.FunctionCall.Name})
	return babyclient.ToolCall{ID: id, Type: "function", Function: babyclient.FunctionCall{Name: p.FunctionCall.Name, Arguments: arguments}}, nil
}

// toolResults adds one tool message for each answer.
func (c *conversation) toolResults(i int, parts []llms.ContentPart) error {
	for j, p := range parts {
		var r llms.ToolCallResponse
		switch p := p.(type) {
		case llms.ToolCallResponse:
			r = p
		case llms.TextContent: // what chains make of a ToolChatMessage
			r.Content = p.Text
		default:
			return unsupported(i, j, p, "a tool message holds the answers to tool calls")
		}
		id, ok := c.answer(r)
		switch {
		case ok:
			c.out = append(c.out, babyclient.ToolResult(id, r.Content))
		case c.unnamed > 0:
			c.unnamed--
			c.out = append(c.out, babyclient.User(r.Content))
		default:
			return invalid("messages[%d].Parts[%d]: the tool answer has no ToolCallID, and no call before it is without an answer", i, j)
		}
	}
	return nil
}

// answer finds the call that r answers: by its id, else by the name, else the first that is open.
func (c *conversation) answer(r llms.ToolCallResponse) (id string, ok bool) {
	at := -1
	for k, call := range c.open {
		if r.ToolCallID == call.id || r.ToolCallID == "" && (r.Name == "" || r.Name == call.name) {
			at = k
			break
		}
	}
	if at < 0 {
		return r.ToolCallID, r.ToolCallID != ""
	}
	id = c.open[at].id
	c.open = append(c.open[:at], c.open[at+1:]...)
	return id, true
}
