package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// ownKey is where the options of this package live in llms.CallOptions.Metadata.
const ownKey = "babyapi"

// ownOptions are the options of a call that only this package has.
type ownOptions struct {
	extra      map[string]any
	format     *babyclient.ResponseFormat
	err        error // of an option that could not be read; the call fails with it
	thinkTags  thinkTags
	onToolCall func(context.Context, babyclient.ToolCall) error
	client     []babyclient.CallOption
	clientID   string // tells one list of client options from another
}

// MarshalJSON encodes all that can change the answer. langchaingo's cache makes its key of that, so
// what is left out here would give a call the answer of another.
func (o ownOptions) MarshalJSON() ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	return json.Marshal(struct {
		Extra         map[string]any             `json:"extra,omitempty"`
		Format        *babyclient.ResponseFormat `json:"format,omitempty"`
		ThinkTags     thinkTags                  `json:"think_tags,omitempty"`
		ClientOptions string                     `json:"client_options,omitempty"`
	}{o.extra, o.format, o.thinkTags, o.clientID})
}

func ownOptionsIn(o *llms.CallOptions) ownOptions {
	own, _ := o.Metadata[ownKey].(ownOptions)
	return own
}

// ownOption is a CallOption that changes a copy of the ownOptions, in a copy of the map.
func ownOption(change func(*ownOptions)) llms.CallOption {
	return func(o *llms.CallOptions) {
		own := ownOptionsIn(o)
		change(&own)
		o.Metadata = merged(o.Metadata, map[string]any{ownKey: own})
	}
}

// WithExtraBody adds fields to the body of the request, under the engine's names. They win over
// those of other options:
//
//	provider.WithExtraBody(map[string]any{"min_p": 0.05, "parallel_tool_calls": false})
//
// If it is given twice, the fields of both are sent, and the later one wins.
func WithExtraBody(fields map[string]any) llms.CallOption {
	fields = merged(fields)
	return ownOption(func(own *ownOptions) { own.extra = merged(own.extra, fields) })
}

// WithClientCallOptions gives a call options of babyclient: headers, retries, another key. A
// babyclient.WithTimeout among them wins over [WithTimeout].
//
// They are functions, which langchaingo's llms/cache cannot compare: only calls that are given the
// very same option, made once, share an answer in the cache.
func WithClientCallOptions(opts ...babyclient.CallOption) llms.CallOption {
	id := rand.Text()
	return ownOption(func(own *ownOptions) {
		own.client = append(slices.Clip(own.client), opts...)
		own.clientID += id
	})
}

// WithStreamingToolCallFunc streams the answer, and calls f with each piece of a tool call of the
// first choice as it comes: id and name once, the arguments in pieces, by Index. An error of f ends
// the call.
func WithStreamingToolCallFunc(f func(ctx context.Context, piece babyclient.ToolCall) error) llms.CallOption {
	return ownOption(func(own *ownOptions) { own.onToolCall = f })
}

// thinkTags says whether the thinking stands in the text, between tags.
type thinkTags int

const (
	thinkTagsOff    thinkTags = iota
	thinkTagsClosed           // the model writes both tags
	thinkTagsOpen             // the prompt may end with the opening tag, so that the text begins inside
)

// WithThinkTags moves a "<think>…</think>" at the start of the answer from Content to
// ReasoningContent, also in a stream. It is for services without a reasoning parser, where a ReAct
// agent would take the thinking for the answer. Where the service has one, it changes nothing.
//
// If the chat template of the model opens the tag, the answer has the closing one alone: what
// stands before it is thinking too. A stream knows that only at the closing tag: use
// [WithOpenThinkTag] for such a model.
func WithThinkTags() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.thinkTags = thinkTagsClosed })
}

// WithOpenThinkTag is [WithThinkTags] for streams of models whose chat template itself opens the
// tag, such as DeepSeek-R1, QwQ and Qwen3-Thinking: everything up to "</think>" is thinking. An
// answer that ends by itself without that tag was no thinking, and is the answer: a stream delivers
// its text at the end, because only then it is known. With
// llms.WithThinkingMode(llms.ThinkingModeNone) it is [WithThinkTags], so a model that can do both
// works with this one option.
func WithOpenThinkTag() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.thinkTags = thinkTagsOpen })
}
