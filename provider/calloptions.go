package provider

import (
	"math"
	"reflect"

	"github.com/tmc/langchaingo/llms"
)

// callOptions are the options of one call. llms.CallOptions cannot tell a number that was set to
// zero from one that was not set, so the numbers stand beside it, and are nil where no option set
// them.
type callOptions struct {
	llms.CallOptions // its numbers are not used
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

// readOptions applies defaults, then the options of the call.
func readOptions(defaults, options []llms.CallOption) *callOptions {
	o := new(callOptions)
	o.apply(defaults)
	o.apply(options)
	return o
}

func (o *callOptions) apply(options []llms.CallOption) {
	start := *o
	for _, option := range options {
		if option != nil {
			o.applyOne(option, &start)
		}
	}
}

// Each number holds one of these before an option is applied: values that nobody sets.
const (
	unsetInt   = math.MinInt
	unsetFloat = -math.MaxFloat64
)

// applyOne applies an option to a copy in which all numbers are marked as unset, and takes from it
// the numbers that have lost their mark. llms.WithTemperature(0), for example, leaves the mark on
// MaxTokens, which therefore stays as it was, and sets the temperature to 0.
//
// llms.WithOptions replaces the whole struct, so all marks are gone and a zero may just be a field
// that the caller left out: zeros are then passed over. It replaces the options of the call before
// it, but not the defaults, which start holds.
func (o *callOptions) applyOne(option llms.CallOption, start *callOptions) {
	result := o.CallOptions
	result.Metadata = copyMetadata(o.Metadata) // options may write into the map: never into the caller's
	ints, floats := intFields(&result), floatFields(&result)
	mark(ints[:], unsetInt)
	mark(floats[:], unsetFloat)
	option(&result)

	replaced := !anyMarked(ints[:], unsetInt) && !anyMarked(floats[:], unsetFloat)
	if replaced {
		*o = *start
		fillFrom(&result, &start.CallOptions)
	}
	take(o.ints[:], ints[:], unsetInt, replaced)
	take(o.floats[:], floats[:], unsetFloat, replaced)
	// llms.WithMetadata puts its map in place of ours, which holds the options of this package too.
	result.Metadata = merged(copyMetadata(o.Metadata), result.Metadata)
	o.CallOptions = result
}

type number interface{ int | float64 }

func mark[T number](fields []*T, unset T) {
	for _, f := range fields {
		*f = unset
	}
}

func anyMarked[T number](fields []*T, unset T) bool {
	for _, f := range fields {
		if *f == unset {
			return true
		}
	}
	return false
}

func take[T number](into, fields []*T, unset T, skipZero bool) {
	for i, f := range fields {
		if *f != unset && !(skipZero && *f == 0) {
			into[i] = new(*f)
		}
	}
}

// fillFrom gives each field of o that is empty the value that it has in base.
func fillFrom(o, base *llms.CallOptions) {
	fields, baseFields := reflect.ValueOf(o).Elem(), reflect.ValueOf(base).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			fields.Field(i).Set(baseFields.Field(i))
		}
	}
}

// copyMetadata copies the map and the thinking options in it, because langchaingo's thinking
// options change in place what an earlier one put there.
func copyMetadata(m map[string]any) map[string]any {
	m = merged(m)
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

// own is what the options of this package set.
func (o *callOptions) own() ownOptions { return ownOptionsIn(&o.CallOptions) }
