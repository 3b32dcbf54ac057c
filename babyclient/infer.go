package babyclient

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
)

// InferRequest is the body of POST /infer: text in, text out.
type InferRequest struct {
	// Model names the model. Empty: the default model of the client. It is trimmed.
	Model string `json:"model"`
	// Prompt is the text. It is trimmed, and must not be empty.
	Prompt string `json:"prompt"`

	// The sampling fields are as in a [ChatRequest]; the endpoint takes no others.
	MaxTokens        *int     `json:"max_tokens,omitzero"`
	Temperature      *float64 `json:"temperature,omitzero"`
	TopP             *float64 `json:"top_p,omitzero"`
	TopK             *int     `json:"top_k,omitzero"`
	Stop             []string `json:"stop,omitempty"`
	PresencePenalty  *float64 `json:"presence_penalty,omitzero"`
	FrequencyPenalty *float64 `json:"frequency_penalty,omitzero"`
}

// InferResponse is the answer to [Client.Infer].
type InferResponse struct {
	Meta
	Model string `json:"model,omitempty"`
	// Output is the text.
	Output string `json:"output"`
	Usage  *Usage `json:"usage,omitzero"`
	// FinishReason is why the model stopped, empty where the service does not say. An answer
	// cut at the token limit ends with [FinishLength].
	FinishReason string `json:"finish_reason,omitempty"`
}

// Infer asks a model in one call: POST /infer.
func (c *Client) Infer(ctx context.Context, req *InferRequest, opts ...CallOption) (*InferResponse, error) {
	k := &call{method: http.MethodPost, path: "/infer"}
	b, err := c.inferBody(req)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	var probe struct {
		Output *string `json:"output"`
	}
	out := new(InferResponse)
	if err := resp.decode(raw, out); err != nil {
		return nil, err
	}
	if json.Unmarshal(raw, &probe) != nil || probe.Output == nil {
		return nil, resp.invalidResponse(raw, "the answer has no output", nil)
	}
	return out, nil
}

func (c *Client) inferBody(req *InferRequest) ([]byte, error) {
	if req == nil {
		return nil, invalid(CodeInvalidInferInput, "the InferRequest is nil")
	}
	r := *req
	if r.Prompt = strings.TrimSpace(r.Prompt); r.Prompt == "" {
		return nil, invalid(CodePromptRequired, "prompt is empty")
	}
	model, err := c.model(r.Model, nil)
	if err != nil {
		return nil, err
	}
	r.Model = model
	if err := firstError(checkCount("max_tokens", r.MaxTokens), checkFinite("temperature", r.Temperature), checkFinite("top_p", r.TopP),
		checkFinite("presence_penalty", r.PresencePenalty), checkFinite("frequency_penalty", r.FrequencyPenalty)); err != nil {
		return nil, err
	}
	return marshalBody(r, nil)
}

// inferOptions are the options of /infer under both of their spellings.
var inferOptions = [...][2]string{
	{"max_tokens", "maxTokens"}, {"temperature", ""}, {"top_p", "topP"}, {"top_k", "topK"}, {"stop", ""},
	{"presence_penalty", "presencePenalty"}, {"frequency_penalty", "frequencyPenalty"},
}

// InferRequestFrom makes an InferRequest of the loose form that models and config files
// write, as the official SDKs take it: the prompt under "prompt", "input" or "text", the
// first that is not blank; options in snake or camel case, at the top level or inside
// "options", which wins. Unknown keys are dropped; both spellings of one option at one level
// are an error.
func InferRequestFrom(m map[string]any) (*InferRequest, error) {
	r := &InferRequest{}
	for _, name := range [...]string{"prompt", "input", "text"} {
		if s, ok := m[name].(string); ok && strings.TrimSpace(s) != "" {
			r.Prompt = strings.TrimSpace(s)
			break
		}
	}
	if r.Prompt == "" {
		return nil, invalid(CodePromptRequired, `prompt is empty: want text under "prompt", "input" or "text"`)
	}
	if s, ok := m["model"].(string); ok {
		r.Model = strings.TrimSpace(s)
	} else if m["model"] != nil {
		return nil, invalid(CodeInvalidInferInput, "model is %v: want a string", m["model"])
	}
	var nested map[string]any
	if v, ok := m["options"]; ok && v != nil {
		if nested, ok = v.(map[string]any); !ok {
			return nil, invalid(CodeInvalidOptions, "options is %v: want an object", v)
		}
	}
	for _, names := range inferOptions {
		value, err := pickOption(names, nested)
		outer, outerErr := pickOption(names, m)
		if err := firstError(err, outerErr); err != nil {
			return nil, err
		}
		if value == nil {
			value = outer
		}
		if value == nil {
			continue
		}
		if err := r.set(names[0], value); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// pickOption is the value of an option under either spelling, nil for none.
func pickOption(names [2]string, m map[string]any) (any, error) {
	snake, camel := m[names[0]], m[names[1]]
	if names[1] == "" {
		camel = nil
	}
	if snake != nil && camel != nil {
		return nil, invalid(CodeInvalidOptions, "both %s and %s are set: want one", names[0], names[1])
	}
	if snake != nil {
		return snake, nil
	}
	return camel, nil
}

func (r *InferRequest) set(name string, value any) error {
	if name == "stop" {
		switch v := value.(type) {
		case string:
			r.Stop = []string{v}
		case []string:
			r.Stop = v
		case []any:
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return invalid(CodeInvalidOptions, "stop holds %v: want strings", e)
				}
				r.Stop = append(r.Stop, s)
			}
		default:
			return invalid(CodeInvalidOptions, "stop is %v: want a string or strings", value)
		}
		return nil
	}
	f, ok := number(value)
	if !ok {
		return invalid(CodeInvalidOptions, "%s is %v: want a number", name, value)
	}
	switch name {
	case "temperature":
		r.Temperature = &f
	case "top_p":
		r.TopP = &f
	case "presence_penalty":
		r.PresencePenalty = &f
	case "frequency_penalty":
		r.FrequencyPenalty = &f
	default:
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return invalid(CodeInvalidOptions, "%s is %v: want a whole number", name, value)
		}
		n := int(f)
		if name == "top_k" {
			r.TopK = &n
		} else {
			r.MaxTokens = &n
		}
	}
	return nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// InferAny sends a body as it is and returns the answer as it is: one with "messages" goes to
// POST /v1/chat/completions, one with "prompt" to POST /v1/completions. Where it names no
// model, the default model of the client is used.
func (c *Client) InferAny(ctx context.Context, body map[string]any, opts ...CallOption) (json.RawMessage, error) {
	k := &call{method: http.MethodPost, path: "/v1/completions"}
	if _, ok := body["messages"]; ok {
		k.path = "/v1/chat/completions"
	} else if _, ok := body["prompt"]; !ok {
		return nil, invalid(CodeInvalidInferInput, `the body has neither "messages" (a chat) nor "prompt" (a completion)`)
	}
	extra := map[string]any{}
	if s, ok := body["model"].(string); body["model"] == nil || ok && strings.TrimSpace(s) == "" {
		model, err := c.model("", nil)
		if err != nil {
			return nil, c.wrap(k, err)
		}
		extra["model"] = model
	}
	b, err := marshalBody(body, extra)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	if wantsStream(b) {
		return nil, c.wrap(k, errStreamMethod)
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	if !json.Valid(raw) {
		return nil, resp.invalidResponse(raw, "the answer is no JSON", nil)
	}
	return raw, nil
}
