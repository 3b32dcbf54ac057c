package mcp

import (
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

// maxImages is the most bytes of the images of one call together.
const maxImages = 20 << 20

type inferArguments struct {
	Prompt      string   `json:"prompt" jsonschema_description:"What to ask, with all that the model needs to know: it sees nothing else"`
	System      string   `json:"system,omitempty" jsonschema_description:"System message, e.g. Answer in one sentence."`
	Model       string   `json:"model,omitempty" jsonschema_description:"Model, if not the server's default, e.g. Qwen/Qwen3-8B"`
	MaxTokens   *int     `json:"max_tokens,omitempty" jsonschema:"minimum=1" jsonschema_description:"The most tokens to answer, e.g. 1000"`
	Temperature *float64 `json:"temperature,omitempty" jsonschema:"minimum=0" jsonschema_description:"0 for the likeliest answer, higher for more variety, e.g. 0.2"`
	Images      []string `json:"images,omitempty" jsonschema_description:"Images to look at, for a model that can: paths of local files or http(s) URLs, e.g. chart.png"`
	Schema      object   `json:"schema,omitempty" jsonschema_description:"JSON schema that the answer must follow, as an object or as JSON text"`
	Options     object   `json:"options,omitempty" jsonschema_description:"Further options of the model, e.g. {\"top_p\":0.9,\"stop\":[\"END\"]}"`
}

func addInfer(s *Server) {
	addTool(s, tool{
		name:  ToolInfer,
		title: "Ask a model",
		description: "Ask an open-weight model: a second opinion, a summary, a translation, an extraction into JSON (schema), or a look at images. " +
			"The model sees only what this call gives it. Returns its answer as text. " +
			"An answer that was cut says so in a last line [babyapi: ...]. May take minutes. Each call is billed.",
		aliases: map[string]string{"text": "prompt", "input": "prompt", "question": "prompt", "message": "prompt", "query": "prompt", "systemprompt": "system", "instructions": "system",
			"image": "images", "files": "images", "jsonschema": "schema", "responseformat": "schema", "format": "schema", "maxoutputtokens": "max_tokens", "maxcompletiontokens": "max_tokens",
			"topp": "options", "topk": "options", "stop": "options", "seed": "options", "presencepenalty": "options", "frequencypenalty": "options"},
	}, s.infer)
}

func (s *Server) infer(ctx context.Context, r *request, a inferArguments) (*mcpgo.CallToolResult, error) {
	if strings.TrimSpace(a.Prompt) == "" {
		return nil, refuse("prompt is blank. Say what to ask.")
	}
	for _, name := range []string{"model", "messages", "prompt", "stream"} {
		if _, ok := a.Options[name]; ok {
			return nil, refuse("options holds %q, which is not an option. Use the arguments of the tool.", name)
		}
	}
	r.progress.say(func(d time.Duration) string { return "the model works, " + seconds(d) })
	ask := s.askChat
	if a.System == "" && len(a.Images) == 0 && a.Schema == nil && onlyInferOptions(a.Options) {
		ask = s.askInfer
	}
	out, err := ask(ctx, &a)
	if err != nil {
		return nil, s.suggestModels(ctx, a.Model, err)
	}
	return s.answer(out), nil
}

// answer is what a model said.
type answer struct {
	model, text, finish string
}

// inferOptions are the options that POST /infer knows beside those with a name of their own.
var inferOptions = []string{"top_p", "top_k", "stop", "presence_penalty", "frequency_penalty"}

func onlyInferOptions(options object) bool {
	for name := range options {
		if !slices.Contains(inferOptions, name) {
			return false
		}
	}
	return true
}

// askInfer sends what is text alone to POST /infer, which every model serves.
func (s *Server) askInfer(ctx context.Context, a *inferArguments) (*answer, error) {
	loose := map[string]any{"prompt": a.Prompt, "options": map[string]any(a.Options)}
	req, err := babyclient.InferRequestFrom(loose)
	if err != nil {
		return nil, err
	}
	req.Model, req.MaxTokens, req.Temperature = a.Model, a.MaxTokens, a.Temperature
	resp, err := s.client.Infer(ctx, req, babyclient.WithTimeout(inferTimeout))
	if err != nil {
		return nil, err
	}
	return &answer{model: first(resp.Model, a.Model), text: resp.Output, finish: resp.FinishReason}, nil
}

// askChat sends what needs more than text to the chat endpoint.
func (s *Server) askChat(ctx context.Context, a *inferArguments) (*answer, error) {
	req := &babyclient.ChatRequest{Model: a.Model, MaxTokens: a.MaxTokens, Temperature: a.Temperature, Extra: a.Options}
	if a.System != "" {
		req.Messages = append(req.Messages, babyclient.System(a.System))
	}
	if len(a.Images) == 0 {
		req.Messages = append(req.Messages, babyclient.User(a.Prompt))
	} else {
		parts, err := s.imageParts(ctx, a.Images)
		if err != nil {
			return nil, err
		}
		req.Messages = append(req.Messages, babyclient.UserParts(append(parts, babyclient.TextPart(a.Prompt))...))
	}
	if a.Schema != nil {
		req.ResponseFormat = babyclient.JSONSchema("answer", map[string]any(a.Schema))
	}
	resp, err := s.client.Chat(ctx, req, babyclient.WithTimeout(inferTimeout))
	if err != nil {
		return nil, err
	}
	out := &answer{model: first(resp.Model, a.Model), text: resp.Text()}
	if len(resp.Choices) > 0 {
		out.finish = resp.Choices[0].FinishReason
		if out.text == "" && resp.Choices[0].Message.Refusal != "" {
			out.text = resp.Choices[0].Message.Refusal
		}
	}
	if a.Schema != nil && out.finish != babyclient.FinishLength && !json.Valid([]byte(out.text)) {
		return nil, refuse("model %s did not answer in JSON, so it cannot follow a schema: %s. Ask another model, or ask for JSON in the prompt.", out.model, clip(out.text))
	}
	return out, nil
}

// imageParts are images by URL, or read from files under the roots.
func (s *Server) imageParts(ctx context.Context, images []string) ([]babyclient.Part, error) {
	s.askRoots(ctx)
	var parts []babyclient.Part
	left := int64(maxImages)
	for _, name := range images {
		name = unquote(name)
		switch schemeOf(name) {
		case "":
		case "http", "https":
			parts = append(parts, babyclient.ImageURLPart(name))
			continue
		default:
			return nil, refuse("the image %q is not taken. Give the path of a file or an http(s) URL.", clip(name))
		}
		f, err := s.files.open(name)
		if err != nil {
			return nil, err
		}
		data, err := readImage(f, left)
		_ = f.Close() // only read from
		if err != nil {
			return nil, err
		}
		left -= int64(len(data))
		parts = append(parts, babyclient.ImagePart(data))
	}
	return parts, nil
}

func readImage(f *file, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, refuse("%q cannot be read. Tell the user.", clip(f.name))
	}
	if int64(len(data)) > limit {
		return nil, refuse("the images have more than %s together. Give fewer or smaller ones.", size(maxImages))
	}
	if media := http.DetectContentType(data); !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, media) {
		return nil, refuse("%q is not a PNG, JPEG, GIF or WebP image. To read a document use convert.", clip(f.name))
	}
	return data, nil
}

// answer is the text of the model, cut as a document is if it is very long.
func (s *Server) answer(out *answer) *mcpgo.CallToolResult {
	text := out.text
	if out.finish == babyclient.FinishLength {
		text += fmt.Sprintf("\n\n[babyapi: cut at the token limit of %s: this is not the whole answer. Call again with a larger max_tokens]", out.model)
	} else if strings.TrimSpace(text) == "" {
		text = fmt.Sprintf("[babyapi: %s answered nothing (finish reason %q)]", out.model, out.finish)
	}
	v := &view{doc: &document{name: "answer of " + out.model, format: babyclient.FormatMarkdown, text: text}, budget: defaultMaxChars}
	if v.doc.chars() <= v.budget {
		return textResult(text)
	}
	s.library.keep(v.doc)
	text, _ = v.part(0) // fails only for pages
	return textResult(text)
}
