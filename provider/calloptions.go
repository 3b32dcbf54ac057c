package provider

import (
	"context"
	"maps"
	"math"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// callOptions are the options of one call. Numbers are nil where no option set them, which
// llms.CallOptions itself cannot tell from zero.
type callOptions struct {
	llms.CallOptions // but for its numbers
	ints             [numInts]*int
	floats           [numFloats]*float64
}

// Places in callOptions.ints and .floats.
const (
	maxTokens = iota
	maxLength
	minLength
	candidateCount
	choices
	topK
	seed
	numInts
)
const (
	temperature = iota
	topP
	repetitionPenalty
	frequencyPenalty
	presencePenalty
	numFloats
)

func intFields(o *llms.CallOptions) [numInts]*int {
	return [numInts]*int{maxTokens: &o.MaxTokens, maxLength: &o.MaxLength, minLength: &o.MinLength,
		candidateCount: &o.CandidateCount, choices: &o.N, topK: &o.TopK, seed: &o.Seed}
}

func floatFields(o *llms.CallOptions) [numFloats]*float64 {
	return [numFloats]*float64{temperature: &o.Temperature, topP: &o.TopP, repetitionPenalty: &o.RepetitionPenalty,
		frequencyPenalty: &o.FrequencyPenalty, presencePenalty: &o.PresencePenalty}
}

// unset is what a number holds before an option is applied: a value that nobody sets.
const unset = math.MinInt

// readOptions applies defaults, then the options of the call.
func readOptions(defaults, options []llms.CallOption) *callOptions {
	o := new(callOptions)
	o.apply(defaults)
	o.apply(options)
	return o
}

func (o *callOptions) apply(options []llms.CallOption) {
	base := *o
	for _, option := range options {
		if option == nil {
			continue
		}
		before := o.Metadata
		got := o.CallOptions
		got.Metadata = copyMetadata(before) // options write into what they find: never into the caller's map
		ints, floats := intFields(&got), floatFields(&got)
		for _, p := range ints {
			*p = unset
		}
		for _, p := range floats {
			*p = math.NaN()
		}
		option(&got)

		// llms.WithOptions puts a whole struct in place of everything, so its zeros say nothing. It
		// replaces the options of the call before it, not the defaults.
		whole := true
		for _, p := range ints {
			whole = whole && *p != unset
		}
		for _, p := range floats {
			whole = whole && !math.IsNaN(*p)
		}
		if whole {
			o.ints, o.floats = base.ints, base.floats
			before = base.Metadata
			fillFrom(&got, &base.CallOptions)
		}
		for i, p := range ints {
			if *p != unset && (!whole || *p != 0) {
				o.ints[i] = new(*p)
			}
		}
		for i, p := range floats {
			if !math.IsNaN(*p) && (!whole || *p != 0) {
				o.floats[i] = new(*p)
			}
		}
		o.CallOptions = got
		// llms.WithMetadata puts its map in place of ours, which holds options too.
		o.Metadata = copyMetadata(before)
		if o.Metadata == nil {
			o.Metadata = map[string]any{}
		}
		maps.Copy(o.Metadata, got.Metadata)
	}
}

// fillFrom takes over from base what o leaves empty.
func fillFrom(o, base *llms.CallOptions) {
	if o.Model == "" {
		o.Model = base.Model
	}
	if o.StopWords == nil {
		o.StopWords = base.StopWords
	}
	if o.StreamingFunc == nil {
		o.StreamingFunc = base.StreamingFunc
	}
	if o.StreamingReasoningFunc == nil {
		o.StreamingReasoningFunc = base.StreamingReasoningFunc
	}
	if o.Tools == nil {
		o.Tools = base.Tools
	}
	if o.ToolChoice == nil {
		o.ToolChoice = base.ToolChoice
	}
	if o.Functions == nil {
		o.Functions = base.Functions
	}
	if o.FunctionCallBehavior == "" {
		o.FunctionCallBehavior = base.FunctionCallBehavior
	}
	if o.ResponseMIMEType == "" {
		o.ResponseMIMEType = base.ResponseMIMEType
	}
	o.JSONMode = o.JSONMode || base.JSONMode
}

// copyMetadata copies the map, and the thinking options in it, which langchaingo's later thinking
// options change in place.
func copyMetadata(m map[string]any) map[string]any {
	m = maps.Clone(m)
	for key, value := range m {
		if config, ok := value.(*llms.ThinkingConfig); ok && config != nil {
			m[key] = new(*config)
		}
	}
	return m
}

func (o *callOptions) streaming() bool {
	return o.StreamingFunc != nil || o.StreamingReasoningFunc != nil || o.own().onToolCall != nil
}

// ownKey is where the options of this package live in llms.CallOptions.Metadata.
const ownKey = "babyapi"

// ownOptions are the options that only this package has.
type ownOptions struct {
	extra      map[string]any
	format     *babyclient.ResponseFormat
	err        error // of an option, told when it is used
	think      thinkTags
	onToolCall func(context.Context, babyclient.ToolCall) error
}

func (o *callOptions) own() ownOptions {
	own, _ := o.Metadata[ownKey].(ownOptions)
	return own
}

// ownOption is a CallOption that changes a copy of the ownOptions.
func ownOption(change func(*ownOptions)) llms.CallOption {
	return func(o *llms.CallOptions) {
		own, _ := o.Metadata[ownKey].(ownOptions)
		change(&own)
		m := maps.Clone(o.Metadata)
		if m == nil {
			m = map[string]any{}
		}
		m[ownKey] = own
		o.Metadata = m
	}
}

// WithExtraBody adds fields to the body of the request, under the engine's names, and wins over
// those of other options:
//
//	provider.WithExtraBody(map[string]any{"min_p": 0.05, "parallel_tool_calls": false})
//
// Given twice, the fields of both are sent, the later ones winning.
func WithExtraBody(fields map[string]any) llms.CallOption {
	fields = maps.Clone(fields)
	return ownOption(func(own *ownOptions) {
		extra := maps.Clone(own.extra)
		if extra == nil {
			extra = map[string]any{}
		}
		maps.Copy(extra, fields)
		own.extra = extra
	})
}

// WithStreamingToolCallFunc streams the answer and tells f of each piece of a tool call of the first
// choice as it comes: id and name once, the arguments in pieces, by Index. An error of f ends the call.
func WithStreamingToolCallFunc(f func(ctx context.Context, piece babyclient.ToolCall) error) llms.CallOption {
	return ownOption(func(own *ownOptions) { own.onToolCall = f })
}
