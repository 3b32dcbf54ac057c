package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// maxImageBytes is the most bytes of the images of one call together.
const maxImageBytes = 20 << 20

type inferArguments struct {
	Prompt      string    `json:"prompt" jsonschema_description:"What to ask, with all that the model needs to know: it sees nothing else"`
	System      string    `json:"system,omitempty" jsonschema_description:"System message, e.g. Answer in one sentence."`
	Model       string    `json:"model,omitempty" jsonschema_description:"Model, if not the server's default, e.g. Qwen/Qwen3-8B"`
	MaxTokens   *int      `json:"max_tokens,omitempty" jsonschema:"minimum=1" jsonschema_description:"The most tokens to answer, e.g. 1000"`
	Temperature *float64  `json:"temperature,omitempty" jsonschema:"minimum=0" jsonschema_description:"0 for the likeliest answer, higher for more variety, e.g. 0.2"`
	Images      []string  `json:"images,omitempty" jsonschema_description:"Images to look at, for a model that can: paths of local files or http(s) URLs, e.g. chart.png"`
	Schema      anyObject `json:"schema,omitempty" jsonschema_description:"JSON schema that the answer must follow, as an object or as JSON text"`
	Options     anyObject `json:"options,omitempty" jsonschema_description:"Further options of the model, e.g. {\"top_p\":0.9,\"stop\":[\"END\"]}"`
}

// inferTool asks models.
type inferTool struct{ documents *documents }

func (t inferTool) addTo(s toolServer) {
	addTool(s, tool{
		name:  ToolInfer,
		title: "Ask a model",
		description: "Ask an open-weight model: a second opinion, a summary, a translation, " +
			"an extraction into JSON (schema), or a look at images. " +
			"The model sees only what this call gives it. Returns its answer as text. " +
			"An answer that was cut says so in a last line [babyapi: ...]. May take minutes. Each call is billed.",
		aliases: map[string]string{
			"prompt":     "text input question message query",
			"system":     "systemprompt instructions",
			"images":     "image files",
			"schema":     "jsonschema responseformat format",
			"max_tokens": "maxoutputtokens maxcompletiontokens",
			"options":    "topp topk stop seed presencepenalty frequencypenalty",
		},
	}, t.run)
}

func (t inferTool) run(ctx context.Context, p *progress, a inferArguments) (*mcpgo.CallToolResult, error) {
	if strings.TrimSpace(a.Prompt) == "" {
		return nil, refuse("prompt is blank. Say what to ask.")
	}
	for _, name := range []string{"model", "messages", "prompt", "stream"} {
		if _, ok := a.Options[name]; ok {
			return nil, refuse("options holds %q, which is not an option. Use the arguments of the tool.", name)
		}
	}
	p.say(func(elapsed time.Duration) string { return "the model works, " + seconds(elapsed) })
	ask := t.askChat
	if a.System == "" && len(a.Images) == 0 && a.Schema == nil && onlyInferOptions(a.Options) {
		ask = t.askInfer
	}
	out, err := ask(ctx, a)
	if err != nil {
		return nil, suggestModels(ctx, t.documents.client, a.Model, err)
	}
	return textResult(t.readable(out)), nil
}

// modelAnswer is what a model said.
type modelAnswer struct {
	model, text, finishReason string
}

// inferOptions are the options that POST /infer knows beside those with an argument of their own.
var inferOptions = []string{"top_p", "top_k", "stop", "presence_penalty", "frequency_penalty"}

func onlyInferOptions(options anyObject) bool {
	for name := range options {
		if !slices.Contains(inferOptions, name) {
			return false
		}
	}
	return true
}

// askInfer asks with text alone by POST /infer, which every model serves.
func (t inferTool) askInfer(ctx context.Context, a inferArguments) (*modelAnswer, error) {
	loose := map[string]any{"prompt": a.Prompt, "options": map[string]any(a.Options)}
	req, err := babyclient.InferRequestFrom(loose)
	if err != nil {
		return nil, err
	}
	req.Model, req.MaxTokens, req.Temperature = a.Model, a.MaxTokens, a.Temperature
	resp, err := t.documents.client.Infer(ctx, req, babyclient.WithTimeout(modelTimeout))
	if err != nil {
		return nil, err
	}
	return &modelAnswer{cmp.Or(resp.Model, a.Model), resp.Output, resp.FinishReason}, nil
}

// askChat asks with more than text by the chat endpoint.
func (t inferTool) askChat(ctx context.Context, a inferArguments) (*modelAnswer, error) {
	req := &babyclient.ChatRequest{Model: a.Model, MaxTokens: a.MaxTokens, Temperature: a.Temperature, Extra: a.Options}
	if a.System != "" {
		req.Messages = append(req.Messages, babyclient.System(a.System))
	}
	if len(a.Images) == 0 {
		req.Messages = append(req.Messages, babyclient.User(a.Prompt))
	} else {
		parts, err := t.imageParts(ctx, a.Images)
		if err != nil {
			return nil, err
		}
		req.Messages = append(req.Messages, babyclient.UserParts(append(parts, babyclient.TextPart(a.Prompt))...))
	}
	if a.Schema != nil {
		req.ResponseFormat = babyclient.JSONSchema("answer", map[string]any(a.Schema))
	}
	resp, err := t.documents.client.Chat(ctx, req, babyclient.WithTimeout(modelTimeout))
	if err != nil {
		return nil, err
	}
	out := &modelAnswer{model: cmp.Or(resp.Model, a.Model), text: resp.Text()}
	if len(resp.Choices) > 0 {
		out.finishReason = resp.Choices[0].FinishReason
		out.text = cmp.Or(out.text, resp.Choices[0].Message.Refusal)
	}
	if a.Schema != nil && out.finishReason != babyclient.FinishLength && !json.Valid([]byte(out.text)) {
		return nil, refuse("model %s did not answer in JSON, so it cannot follow a schema: %s. "+
			"Ask another model, or ask for JSON in the prompt.", out.model, clip(out.text))
	}
	return out, nil
}

// imageParts are images by URL, or read from files under the roots.
func (t inferTool) imageParts(ctx context.Context, images []string) ([]babyclient.Part, error) {
	var parts []babyclient.Part
	left := int64(maxImageBytes)
	for _, name := range images {
		name = unquote(name)
		switch schemeOf(name) {
		case "http", "https":
			parts = append(parts, babyclient.ImageURLPart(name))
		case "":
			data, err := t.readImage(ctx, name, left)
			if err != nil {
				return nil, err
			}
			left -= int64(len(data))
			parts = append(parts, babyclient.ImagePart(data))
		default:
			return nil, refuse("the image %q is not taken. Give the path of a file or an http(s) URL.", clip(name))
		}
	}
	return parts, nil
}

var imageTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

func (t inferTool) readImage(ctx context.Context, name string, limit int64) ([]byte, error) {
	f, err := t.documents.roots.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, refuse("%q cannot be read. Tell the user.", clip(f.name))
	}
	if int64(len(data)) > limit {
		return nil, refuse("the images have more than %s together. Give fewer or smaller ones.", size(maxImageBytes))
	}
	if !slices.Contains(imageTypes, http.DetectContentType(data)) {
		return nil, refuse("%q is not a PNG, JPEG, GIF or WebP image. To read a document use convert.", clip(f.name))
	}
	return data, nil
}

// readable is the text of an answer. A very long one is kept, and read in parts as a document is.
func (t inferTool) readable(out *modelAnswer) string {
	text := out.text
	if out.finishReason == babyclient.FinishLength {
		text += fmt.Sprintf("\n\n[babyapi: cut at the token limit of %s: this is not the whole answer. "+
			"Call again with a larger max_tokens]", out.model)
	} else if strings.TrimSpace(text) == "" {
		text = fmt.Sprintf("[babyapi: %s answered nothing (finish reason %q)]", out.model, out.finishReason)
	}
	doc := &document{name: "answer of " + out.model, format: babyclient.FormatMarkdown, text: text}
	if doc.chars() <= defaultMaxChars {
		return text
	}
	t.documents.library.keep(doc)
	text, _ = view{}.render(doc) // fails only for an offset or pages
	return text
}
