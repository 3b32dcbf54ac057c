package provider

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// ownPart is a part of a type that langchaingo has not: thinking in an AI message, or a part of the
// wire. A type outside of langchaingo can be a part only by embedding the interface, which stays
// nil.
type ownPart struct {
	llms.ContentPart
	ownContent
}

// ownContent is one of these.
type ownContent struct {
	Reasoning      string           `json:"reasoning,omitempty"`
	ReasoningField string           `json:"reasoning_field,omitempty"`
	Part           *babyclient.Part `json:"part,omitempty"`
}

// ReasoningPart is what the model thought before an answer, as a part of the AI message that holds
// the answer: some models want it back while they call tools.
func ReasoningPart(text string) llms.ContentPart {
	return ownPart{ownContent: ownContent{Reasoning: text}}
}

// ReasoningPartOf is what the model thought before a choice of an answer, to be sent back with it:
// its ReasoningContent, under the name it came with, which engines do not agree about.
func ReasoningPartOf(c *llms.ContentChoice) llms.ContentPart {
	field, _ := c.GenerationInfo["ReasoningField"].(string)
	return ownPart{ownContent: ownContent{Reasoning: c.ReasoningContent, ReasoningField: field}}
}

// Part is a part of a human message that langchaingo has no type for: a video, a sound by its URL,
// or anything else that the engine takes.
//
//	provider.Part(babyclient.VideoURLPart("https://…"))
func Part(p babyclient.Part) llms.ContentPart { return ownPart{ownContent: ownContent{Part: &p}} }

// ownMediaType is that of an ownPart in JSON. langchaingo reads parts of its own kinds alone, so
// ours goes there as one of them: bytes, whose media type nobody else has. After a history was
// stored and read, [unwrapPart] makes an ownPart of them again.
const ownMediaType = "application/vnd.babyapi.part+json"

// MarshalJSON encodes all of the part. langchaingo's cache makes its key of that.
func (p ownPart) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(p.ownContent)
	if err != nil {
		return nil, err
	}
	return json.Marshal(llms.BinaryContent{MIMEType: ownMediaType, Data: data})
}

// placedPart is a part with its place, for errors: messages[message].Parts[index].
type placedPart struct {
	llms.ContentPart
	message, index int
}

func (p placedPart) place() string { return fmt.Sprintf("messages[%d].Parts[%d]", p.message, p.index) }

func (p placedPart) unsupported(format string, args ...any) error {
	return newError(llms.ErrCodeNotImplemented,
		fmt.Sprintf("%s (%T): %s", p.place(), p.ContentPart, fmt.Sprintf(format, args...)))
}

func (p placedPart) misplacedAnswer(role string) error {
	return invalid("%s: the answer to a tool call belongs into a message of the role tool, not %s", p.place(), role)
}

// unwrapPart takes a part out of its pointer and out of llms.CachedContent, which is of no use to
// vLLM: it caches every prompt. It returns nil for a nil part.
func unwrapPart(p llms.ContentPart) llms.ContentPart {
	switch p := p.(type) {
	case llms.CachedContent:
		return unwrapPart(p.ContentPart)
	case *llms.CachedContent:
		return unwrapPointer(p)
	case *llms.TextContent:
		return unwrapPointer(p)
	case *llms.ImageURLContent:
		return unwrapPointer(p)
	case *llms.BinaryContent:
		return unwrapPointer(p)
	case llms.BinaryContent:
		var own ownPart
		if p.MIMEType == ownMediaType && json.Unmarshal(p.Data, &own.ownContent) == nil {
			return own
		}
	case *llms.ToolCall:
		return unwrapPointer(p)
	case *llms.ToolCallResponse:
		return unwrapPointer(p)
	}
	return p
}

func unwrapPointer[T llms.ContentPart](p *T) llms.ContentPart {
	if p == nil {
		return nil
	}
	return unwrapPart(*p)
}

// content is the part as the wire has it, in a message of the role.
func (p placedPart) content(role string) (babyclient.Part, error) {
	none := babyclient.Part{}
	kind := "tool call"
	switch part := p.ContentPart.(type) {
	case llms.TextContent:
		return babyclient.TextPart(part.Text), nil
	case llms.ImageURLContent:
		if part.URL == "" {
			return none, invalid("%s is an image without a URL", p.place())
		}
		out := babyclient.ImageURLPart(part.URL)
		out.ImageURL.Detail = part.Detail
		return out, nil
	case llms.BinaryContent:
		return p.binary(part)
	case ownPart:
		switch {
		case part.Part == nil:
			kind = "ReasoningPart"
		case part.Part.Type == "":
			return none, invalid("%s has no type", p.place())
		default:
			return *part.Part, nil
		}
	case llms.ToolCallResponse:
		return none, p.misplacedAnswer(role)
	case llms.ToolCall:
	default:
		return none, p.unsupported("this provider does not know this type of part")
	}
	return none, invalid("%s: a %s belongs into an AI message, not into one of the role %s", p.place(), kind, role)
}

// binary is bytes in the message itself, in the form that the engines take for their type.
func (p placedPart) binary(part llms.BinaryContent) (babyclient.Part, error) {
	if len(part.Data) == 0 {
		return babyclient.Part{}, invalid("%s (%s) has no data", p.place(), part.MIMEType)
	}
	media, _, _ := strings.Cut(part.MIMEType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if media == "" {
		media, _, _ = strings.Cut(http.DetectContentType(part.Data), ";")
	}
	group, format, _ := strings.Cut(media, "/")
	switch group {
	case "image":
		return babyclient.ImageURLPart(dataURI(media, part.Data)), nil
	case "video":
		return babyclient.VideoURLPart(dataURI(media, part.Data)), nil
	case "audio":
		return babyclient.AudioPart(part.Data, audioFormat(format)), nil
	}
	return babyclient.Part{}, p.unsupported("a model takes no %s: convert it to text with a Loader first", media)
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
