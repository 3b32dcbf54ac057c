package babyclient

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Roles of a [Message].
const (
	RoleSystem    = "system"
	RoleDeveloper = "developer"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool"
)

// Message is one message of a conversation, sent or received.
type Message struct {
	// Role is one of the Role constants.
	Role string
	// Content is the text. It is not used when Parts is set.
	Content string
	// Parts is content of several parts: text, images, audio, video.
	Parts []Part
	// Name tells participants of one role apart.
	Name string
	// ToolCalls are the calls that an assistant message makes.
	ToolCalls []ToolCall
	// ToolCallID is the call that a tool message answers.
	ToolCallID string
	// Reasoning is what the model thought before it answered. vLLM calls it "reasoning", llama.cpp
	// and older servers "reasoning_content", and Mistral has it in parts of the content. It is sent
	// back as it came.
	Reasoning string
	// ReasoningField is where Reasoning came from and goes back to: one of the ReasoningIn
	// constants. Empty means [ReasoningInReasoning].
	ReasoningField string
	// Refusal is why the model did not answer, if the service says so.
	Refusal string
	// Extra holds further fields of the message, such as "cache_control". A received message has
	// here what it came with and has no name for, unless that is empty, so that it goes back whole.
	Extra map[string]any
}

// Where a server writes the thinking of a message: [Message.ReasoningField].
const (
	ReasoningInReasoning = "reasoning"         // vLLM
	ReasoningInContent   = "reasoning_content" // llama.cpp, SGLang, DeepSeek
	ReasoningInParts     = "content"           // parts of the content, of type "thinking": Mistral
)

// Text is the text of the message, in Content or in Parts, without the thinking.
func (m Message) Text() string {
	if m.Parts == nil {
		return m.Content
	}
	return partsText(m.Parts, isTextPart)
}

// System is a system message.
func System(text string) Message { return Message{Role: RoleSystem, Content: text} }

// User is a user message of text.
func User(text string) Message { return Message{Role: RoleUser, Content: text} }

// UserParts is a user message of several parts:
//
//	UserParts(TextPart("What is this?"), ImagePart(png))
func UserParts(parts ...Part) Message { return Message{Role: RoleUser, Parts: parts} }

// Assistant is an assistant message of text.
func Assistant(text string) Message { return Message{Role: RoleAssistant, Content: text} }

// ToolResult is the answer to the tool call with that id.
func ToolResult(id, content string) Message {
	return Message{Role: RoleTool, ToolCallID: id, Content: content}
}

// messageWire is a message as the wire has it. C is the type of the content: any when we send,
// string or []Part when we receive.
type messageWire[C any] struct {
	Role             string     `json:"role"`
	Content          C          `json:"content"`
	Name             string     `json:"name,omitempty"`
	ToolCalls        []ToolCall `json:"tool_calls,omitempty"`
	ToolCallID       string     `json:"tool_call_id,omitempty"`
	Reasoning        string     `json:"reasoning,omitempty"`
	ReasoningContent string     `json:"reasoning_content,omitempty"`
	Refusal          string     `json:"refusal,omitempty"`
}

// MarshalJSON encodes the message as the wire has it. An assistant message with tool calls
// and no text has content null.
func (m Message) MarshalJSON() ([]byte, error) { return encodeBody(m.wire(), m.Extra) }

func (m *Message) wire() messageWire[any] {
	w := messageWire[any]{Role: m.Role, Content: m.Content, Name: m.Name, ToolCalls: m.ToolCalls,
		ToolCallID: m.ToolCallID, Refusal: m.Refusal}
	switch {
	case m.Parts != nil:
		w.Content = m.Parts
	case m.Content == "" && len(m.ToolCalls) > 0:
		w.Content = nil
	}
	switch m.ReasoningField {
	case ReasoningInContent:
		w.ReasoningContent = m.Reasoning
	case ReasoningInParts:
		switch {
		case m.Reasoning == "" || slices.ContainsFunc(m.Parts, func(p Part) bool { return isThinkingPart(&p) }):
		case m.Parts != nil:
			w.Content = append([]Part{thinkingPart(m.Reasoning)}, m.Parts...)
		default:
			w.Content = []Part{thinkingPart(m.Reasoning), TextPart(m.Content)}
		}
	default:
		w.Reasoning = m.Reasoning
	}
	return w
}

// UnmarshalJSON decodes content as text, null or parts, and reasoning under both names.
func (m *Message) UnmarshalJSON(data []byte) error {
	var w messageWire[string]
	err := json.Unmarshal(data, &w)
	if err == nil {
		*m = messageOf(&w, w.Content, nil)
		m.Extra = unnamedFields(data, messageFields)
		return nil
	}
	var inParts messageWire[[]Part]
	if json.Unmarshal(data, &inParts) != nil {
		return err
	}
	*m = messageOf(&inParts, "", inParts.Content)
	m.Extra = unnamedFields(data, messageFields)
	return nil
}

// messageFields are the fields of a message that have a name here.
var messageFields = []string{"role", "content", "name", "tool_calls", "tool_call_id", "reasoning",
	"reasoning_content", "refusal"}

// hasUnnamedInMessages tells whether a message of an answer has a field without a name here. It
// looks at the names alone, in one pass that costs little beside the decoding.
func hasUnnamedInMessages(answer []byte) bool {
	const inMessage = 4 // {"choices":[{"message":{ … }}]}: an object, a list, an object, an object
	return hasUnnamed(answer, inMessage, func(path [][]byte, name []byte) bool {
		return string(path[0]) != "choices" || string(path[2]) != "message" || containsName(messageFields, name)
	})
}

// messageOf takes the content apart from the rest: w can hold it in either form.
func messageOf[C any](w *messageWire[C], content string, parts []Part) Message {
	m := Message{
		Role:       w.Role,
		Content:    content,
		Parts:      parts,
		Name:       w.Name,
		ToolCalls:  w.ToolCalls,
		ToolCallID: w.ToolCallID,
		Reasoning:  cmp.Or(w.Reasoning, w.ReasoningContent),
		Refusal:    w.Refusal,
	}
	switch {
	case w.Reasoning != "":
	case w.ReasoningContent != "":
		m.ReasoningField = ReasoningInContent
	case parts != nil:
		if m.Reasoning = partsText(parts, isThinkingPart); m.Reasoning != "" {
			m.ReasoningField = ReasoningInParts
		}
	}
	return m
}

func (m *Message) check(i int) error {
	switch {
	case m.Role == "":
		return invalid(CodeInvalidRequest, "messages[%d] has no role", i)
	case m.ReasoningField != "" && m.ReasoningField != ReasoningInReasoning &&
		m.ReasoningField != ReasoningInContent && m.ReasoningField != ReasoningInParts:
		return invalid(CodeInvalidRequest, "messages[%d] has the ReasoningField %q: want %q, %q or %q",
			i, m.ReasoningField, ReasoningInReasoning, ReasoningInContent, ReasoningInParts)
	case m.Parts != nil && m.Content != "":
		return invalid(CodeInvalidRequest,
			"messages[%d] has both Content and Parts: put the text into a TextPart", i)
	}
	for j, p := range m.Parts {
		if p.Type == "" {
			return invalid(CodeInvalidRequest, "messages[%d].Parts[%d] has no type", i, j)
		}
	}
	return nil
}

// Part is one part of a message. Make it with [TextPart], [ImageURLPart], [ImagePart],
// [AudioPart] or [VideoURLPart]; a part of another type goes into Extra, with its type.
type Part struct {
	Type       string      `json:"type"`
	Text       string      `json:"text,omitempty"`
	ImageURL   *MediaURL   `json:"image_url,omitzero"`
	VideoURL   *MediaURL   `json:"video_url,omitzero"`
	AudioURL   *MediaURL   `json:"audio_url,omitzero"`
	InputAudio *InputAudio `json:"input_audio,omitzero"`

	// Extra holds further fields of the part.
	Extra map[string]any `json:"-"`
}

// MediaURL is where the service finds an image, a video or a sound: a URL that it can reach, or a
// data URI.
type MediaURL struct {
	URL string `json:"url"`
	// Detail is "low", "high" or "auto", for images.
	Detail string `json:"detail,omitempty"`
}

// InputAudio is sound in the message itself.
type InputAudio struct {
	// Data is the sound in base64.
	Data string `json:"data"`
	// Format is "wav", "mp3"…
	Format string `json:"format"`
}

// thinkingPart is thinking as Mistral's models write it.
func thinkingPart(text string) Part {
	return Part{Type: "thinking", Extra: map[string]any{"thinking": []Part{TextPart(text)}}}
}

// TextPart is a part of text.
func TextPart(text string) Part { return Part{Type: "text", Text: text} }

// ImageURLPart is an image that the service fetches, or a data URI.
func ImageURLPart(url string) Part { return Part{Type: "image_url", ImageURL: &MediaURL{URL: url}} }

// ImagePart is an image by its bytes, sent as a data URI. Its media type is sniffed.
func ImagePart(data []byte) Part {
	return ImageURLPart(dataURI(http.DetectContentType(data), data))
}

// VideoURLPart is a video that the service fetches, or a data URI.
func VideoURLPart(url string) Part { return Part{Type: "video_url", VideoURL: &MediaURL{URL: url}} }

// AudioPart is sound by its bytes, in a format such as "wav" or "mp3".
func AudioPart(data []byte, format string) Part {
	audio := &InputAudio{Data: base64.StdEncoding.EncodeToString(data), Format: format}
	return Part{Type: "input_audio", InputAudio: audio}
}

func dataURI(mediaType string, data []byte) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// MarshalJSON adds Extra, and keeps an empty text: a part of type text must have one.
func (p Part) MarshalJSON() ([]byte, error) {
	type fields Part
	extra := p.Extra
	if p.Type == "text" && p.Text == "" {
		extra = map[string]any{"text": ""}
		maps.Copy(extra, p.Extra)
	}
	return encodeBody(fields(p), extra)
}

// UnmarshalJSON keeps fields that have no name here in Extra.
func (p *Part) UnmarshalJSON(data []byte) error {
	type fields Part
	return decodeWithExtra(data, (*fields)(p), &p.Extra)
}

// partsText joins the texts of the parts of one kind.
func partsText(parts []Part, isOfKind func(*Part) bool) string {
	var b strings.Builder
	for i := range parts {
		if isOfKind(&parts[i]) {
			b.WriteString(parts[i].anyText())
		}
	}
	return b.String()
}

func isThinkingPart(p *Part) bool {
	return strings.Contains(p.Type, "thinking") || strings.Contains(p.Type, "reasoning") || p.Type == "thought"
}

func isRefusalPart(p *Part) bool { return p.Type == "refusal" }

// isTextPart takes a part of an unknown type for text if it has one: its text is part of the
// answer.
func isTextPart(p *Part) bool { return !isThinkingPart(p) && !isRefusalPart(p) }

// isMediaPart reports whether a part is of an image or a sound, or refers to one.
func isMediaPart(p *Part) bool {
	return slices.ContainsFunc([]string{"image", "audio", "video", "file"}, func(media string) bool {
		return strings.Contains(p.Type, media)
	})
}

// anyText is the text of a part, which stands in a field of the name of its type, in "text", or in
// one of some others.
func (p *Part) anyText() string {
	text := p.Text
	for _, name := range [...]string{p.Type, "text", "thinking", "reasoning", "summary"} {
		if text == "" && !isMediaPart(p) {
			text = textIn(p.Extra[name])
		}
	}
	if p.isOfText() {
		for _, name := range otherTextFields {
			text = cmp.Or(text, textIn(p.Extra[name]))
		}
	}
	return text
}

// otherTextFields are where the text of a part can stand besides "text".
var otherTextFields = [...]string{"content", "value", "parts"}

func (p *Part) isOfText() bool {
	return p.Type == "" || p.Type == "text" || p.Type == "output_text" || p.Type == "markdown"
}

// saysNothing reports whether nothing of an answer is lost if a part without text is left out.
func (p *Part) saysNothing() bool {
	switch {
	case isThinkingPart(p), isRefusalPart(p), isMediaPart(p), p.Type == "reference":
		return true
	}
	for name, value := range p.Extra {
		isBeside := p.Type != "" && p.isOfText() && name != "text" && !slices.Contains(otherTextFields[:], name)
		if raw, err := marshal(value); !isBeside && (err != nil || !isEmptyJSON(raw)) {
			return false
		}
	}
	return true
}

// textIn is the text in a value of any form: {"value":"…"}, [{"type":"text","text":"…"}], "…".
func textIn(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(textIn(item))
		}
		return b.String()
	case map[string]any:
		return cmp.Or(textIn(v["text"]), textIn(v["value"]))
	}
	return ""
}
