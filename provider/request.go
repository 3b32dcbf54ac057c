package provider

import (
	"cmp"
	"encoding/json"
	"maps"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// newRequest makes the request of a call, streamed or not. The model is that of calls that name
// none.
func newRequest(model string, messages []llms.MessageContent, o *callOptions) (*babyclient.ChatRequest, error) {
	own := o.own()
	if own.err != nil {
		return nil, own.err
	}
	tools, err := convertTools(o.Tools, o.Functions)
	if err != nil {
		return nil, err
	}
	req := &babyclient.ChatRequest{
		Model:             cmp.Or(o.Model, model),
		MaxTokens:         cmp.Or(o.ints[maxTokens], o.ints[maxLength]),
		MinTokens:         o.ints[minLength],
		N:                 cmp.Or(o.ints[choices], o.ints[candidateCount]),
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
	if err := checkNumbers(req, o); err != nil {
		return nil, err
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
	if err := addThinking(req, llms.GetThinkingConfig(&o.CallOptions)); err != nil {
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

// checkNumbers refuses numbers that contradict each other.
func checkNumbers(req *babyclient.ChatRequest, o *callOptions) error {
	if n := o.ints[candidateCount]; n != nil && *n != *req.N {
		return invalid("conflicting options: N is %d and CandidateCount %d", *req.N, *n)
	}
	if low, high := req.MinTokens, req.MaxTokens; low != nil && high != nil && *low > *high {
		return invalid("conflicting options: MinLength %d is more than the %d tokens that the answer may have",
			*low, *high)
	}
	return nil
}

func (o *callOptions) responseFormat() (*babyclient.ResponseFormat, error) {
	format := o.own().format
	if format == nil && (o.JSONMode || o.ResponseMIMEType == "application/json") {
		format = babyclient.JSONObject()
	}
	switch o.ResponseMIMEType {
	case "", "application/json":
	case "text/plain":
		if format != nil {
			return nil, invalid("conflicting options: ResponseMIMEType is text/plain, and JSON was asked for too")
		}
	default:
		return nil, invalid("ResponseMIMEType %q: want application/json or text/plain", o.ResponseMIMEType)
	}
	return format, nil
}
