package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
)

// This file takes requests in the loose form that models and config files write.

// inferOptions are the options of /infer under both of their spellings; "" if there is only one.
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
		inner, innerErr := pickOption(names, nested)
		outer, outerErr := pickOption(names, m)
		if err := firstError(innerErr, outerErr); err != nil {
			return nil, err
		}
		value := inner
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

// set sets the option of that name in snake case.
func (r *InferRequest) set(name string, value any) error {
	if name == "stop" {
		return r.setStop(value)
	}
	f, ok := toNumber(value)
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

func (r *InferRequest) setStop(value any) error {
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

func toNumber(v any) (float64, bool) {
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

// InferAnyResponse is the answer to [Client.InferAny]: Raw holds it as it came.
type InferAnyResponse struct{ Meta }

// InferAny sends a body as it is: one with "messages" goes to POST /v1/chat/completions, one with
// "prompt" to POST /v1/completions. If it names no model, the default model of the client is used.
func (c *Client) InferAny(ctx context.Context, body map[string]any, opts ...CallOption) (*InferAnyResponse, error) {
	return fetch(ctx, c, anyBody(body), opts, func(raw []byte) (*InferAnyResponse, error) {
		if !json.Valid(raw) {
			return nil, errors.New("the answer is no JSON")
		}
		return new(InferAnyResponse), nil
	})
}

type anyBody map[string]any

func (b anyBody) call(c *Client) (*call, error) {
	path := completePath
	if _, ok := b["messages"]; ok {
		path = chatPath
	} else if _, ok := b["prompt"]; !ok {
		return refusedPost(path, invalid(CodeInvalidInferInput,
			`the body has neither "messages" (a chat) nor "prompt" (a completion)`))
	}
	extra := map[string]any{}
	if name, isText := b["model"].(string); b["model"] == nil || isText && strings.TrimSpace(name) == "" {
		model, err := c.model("", nil)
		if err != nil {
			return refusedPost(path, err)
		}
		extra["model"] = model
	}
	encoded, err := encodeBody(map[string]any(b), extra)
	if err == nil && wantsStream(encoded) {
		err = errStreamMethod
	}
	return newPostOf(path, encoded), err
}
