package babyclient

import (
	"maps"
	"net/http"
	"strings"
)

// sampling holds the fields that steer how tokens are chosen. Chat, completions and infer share
// their check; an endpoint that lacks a field leaves it nil.
type sampling struct {
	maxTokens, maxCompletionTokens, minTokens, n, topLogprobs, logprobs *int
	temperature, topP, minP                                             *float64
	presencePenalty, frequencyPenalty, repetitionPenalty                *float64
}

func (s sampling) check() error {
	return firstError(
		checkCount("max_tokens", s.maxTokens), checkCount("max_completion_tokens", s.maxCompletionTokens),
		checkCount("min_tokens", s.minTokens), checkCount("n", s.n),
		checkCount("top_logprobs", s.topLogprobs), checkCount("logprobs", s.logprobs),
		checkFinite("temperature", s.temperature), checkFinite("top_p", s.topP), checkFinite("min_p", s.minP),
		checkFinite("presence_penalty", s.presencePenalty), checkFinite("frequency_penalty", s.frequencyPenalty),
		checkFinite("repetition_penalty", s.repetitionPenalty))
}

// model is the model of a generation: that of the call, else the client's default. A model in extra
// is sent as it is.
func (c *Client) model(ofCall string, extra map[string]any) (string, error) {
	if _, ok := extra["model"]; ok {
		return ofCall, nil
	}
	if model := strings.TrimSpace(ofCall); model != "" {
		return model, nil
	}
	if c.defaultModel == "" {
		return "", invalid(CodeModelRequired,
			"no model: set Model, or a default with WithDefaultModel or BABYAPI_DEFAULT_MODEL")
	}
	return c.defaultModel, nil
}

// StreamOptions asks for usage in a stream.
type StreamOptions struct {
	// IncludeUsage asks for a last chunk with the usage and no choices.
	IncludeUsage bool `json:"include_usage"`
	// ContinuousUsageStats asks for the usage so far on every chunk (vLLM).
	ContinuousUsageStats *bool `json:"continuous_usage_stats,omitzero"`
}

// newGeneration describes a call that is answered in one piece. It refuses a body that asks for a
// stream.
func newGeneration(path string, v any, extra map[string]any) (*call, error) {
	b, err := encodeBody(v, extra)
	if err == nil && extra["stream"] != nil && wantsStream(b) {
		err = errStreamMethod
	}
	return newPostOf(path, b), err
}

// newStream describes a call that is answered with a stream. v says "stream": true already, so a
// "stream" in extra is dropped.
func newStream(path string, v any, extra map[string]any) (*call, error) {
	extra = maps.Clone(extra)
	delete(extra, "stream")
	k, err := newPost(path, v, extra)
	k.isStream = true
	k.header = http.Header{"Accept": {"text/event-stream"}}
	return k, err
}
