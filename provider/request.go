package provider

import (
	"encoding/json"
	"maps"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// buildRequest makes the request of a call, streamed or not.
func (l *LLM) buildRequest(messages []llms.MessageContent, o *callOptions) (*babyclient.ChatRequest, error) {
	own := o.own()
	if own.err != nil {
		return nil, own.err
	}
	tools, err := convertTools(o.Tools, o.Functions)
	if err != nil {
		return nil, err
	}
	req := &babyclient.ChatRequest{
		Model:             o.Model,
		MaxTokens:         o.ints[maxTokens],
		MinTokens:         o.ints[minLength],
		N:                 o.ints[choices],
		Stop:              o.StopWords,
		Seed:              o.ints[seed],
		Temperature:       o.floats[temperature],
		TopP:              o.floats[topP],
		TopK:              o.ints[topK],
		PresencePenalty:   o.floats[presencePenalty],
		FrequencyPenalty:  o.floats[frequencyPenalty],
		RepetitionPenalty: o.floats[repetitionPenalty],
		Tools:             tools.tools,
		Extra:             maps.Clone(own.extra),
	}
	if req.Model == "" {
		req.Model = l.model
	}
	if req.MaxTokens == nil {
		req.MaxTokens = o.ints[maxLength]
	}
	if req.N == nil {
		req.N = o.ints[candidateCount]
	} else if n := o.ints[candidateCount]; n != nil && *n != *req.N {
		return nil, invalid("conflicting options: N is %d and CandidateCount %d", *req.N, *n)
	}
	if lo, hi := req.MinTokens, req.MaxTokens; lo != nil && hi != nil && *lo > *hi {
		return nil, invalid("conflicting options: MinLength %d is more than the %d tokens that the answer may have", *lo, *hi)
	}
	if req.Messages, err = convertMessages(messages, tools); err != nil {
		return nil, err
	}
	if req.ToolChoice, err = tools.choice(o.ToolChoice, o.FunctionCallBehavior); err != nil {
		return nil, err
	}
	if req.ResponseFormat, err = o.responseFormat(); err != nil {
		return nil, err
	}
	if err := think(req, llms.GetThinkingConfig(&o.CallOptions)); err != nil {
		return nil, err
	}
	for name, value := range req.Extra {
		if _, err := json.Marshal(value); err != nil {
			return nil, invalid("WithExtraBody: %q cannot be encoded as JSON: %v", name, err)
		}
	}
	if o.streaming() {
		req.StreamOptions = &babyclient.StreamOptions{IncludeUsage: true}
	}
	return req, nil
}

func (o *callOptions) responseFormat() (*babyclient.ResponseFormat, error) {
	format := o.own().format
	if format == nil && o.JSONMode {
		format = babyclient.JSONObject()
	}
	switch o.ResponseMIMEType {
	case "":
	case "application/json":
		if format == nil {
			format = babyclient.JSONObject()
		}
	case "text/plain":
		if format != nil {
			return nil, invalid("conflicting options: ResponseMIMEType is text/plain, and JSON was asked for too")
		}
	default:
		return nil, invalid("ResponseMIMEType %q: want application/json or text/plain", o.ResponseMIMEType)
	}
	return format, nil
}
