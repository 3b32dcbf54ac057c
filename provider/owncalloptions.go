package provider

import (
	"context"

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
	thinkTagsClosed           // if the model thinks, the text begins with the opening tag
	thinkTagsOpen             // the prompt ends with the opening tag, so the text begins inside
)

// WithThinkTags moves a "<think>…</think>" at the start of the answer from Content to
// ReasoningContent, also in a stream. It is for services without a reasoning parser, where a ReAct
// agent would take the thinking for the answer.
func WithThinkTags() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.thinkTags = thinkTagsClosed })
}

// WithOpenThinkTag is [WithThinkTags] for models whose chat template itself opens the tag, such as
// DeepSeek-R1 and QwQ: everything up to "</think>" is thinking.
func WithOpenThinkTag() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.thinkTags = thinkTagsOpen })
}
