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

// applyOne applies an option twice, and takes the numbers that it sets. Once it is applied to what
// the options before it have set, so that an option of the caller's own sees that:
//
//	func(o *llms.CallOptions) { o.MaxTokens = min(o.MaxTokens, 500) }
//
// And once to a copy in which all numbers are marked as unset, because a number that an option sets
// to what it was, above all to zero, can be told from one that it leaves alone only by that.
// llms.WithTemperature(0), for example, leaves the mark on MaxTokens, which therefore stays as it
// was, and sets the temperature to 0.
//
// llms.WithOptions replaces the whole struct, so all marks are gone and a zero may just be a field
// that the caller left out: zeros are then passed over. It replaces the options of the call before
// it, but not the defaults, which start holds.
func (o *callOptions) applyOne(option llms.CallOption, start *callOptions) {
	marked := o.copyOptions()
	markedInts, markedFloats := intFields(&marked), floatFields(&marked)
	mark(markedInts[:], unsetInt)
	mark(markedFloats[:], unsetFloat)
	option(&marked)
	replaced := !anyMarked(markedInts[:], unsetInt) && !anyMarked(markedFloats[:], unsetFloat)

	result := o.copyOptions()
	ints, floats := intFields(&result), floatFields(&result)
	intsBefore, floatsBefore := give(ints[:], o.ints[:]), give(floats[:], o.floats[:])
	option(&result)

	if replaced {
		*o = *start
		fillFrom(&result, &start.CallOptions)
	}
	for i, f := range ints {
		if (*markedInts[i] != unsetInt || *f != intsBefore[i]) && !(replaced && *f == 0) {
			o.ints[i] = new(*f)
		}
	}
	for i, f := range floats {
		if (*markedFloats[i] != unsetFloat || *f != floatsBefore[i]) && !(replaced && *f == 0) {
			o.floats[i] = new(*f)
		}
	}
	// llms.WithMetadata puts its map in place of ours, which holds the options of this package too.
	result.Metadata = merged(copyMetadata(o.Metadata), result.Metadata)
	o.CallOptions = result
}

// copyOptions is a copy for an option to write into. Its map is not the caller's.
func (o *callOptions) copyOptions() llms.CallOptions {
	out := o.CallOptions
	out.Metadata = copyMetadata(o.Metadata)
	return out
}

// give writes the numbers into the fields, 0 for one that is not set, and returns what it wrote.
func give[T number](fields, numbers []*T) []T {
	out := make([]T, len(fields))
	for i, f := range fields {
		if numbers[i] != nil {
			out[i] = *numbers[i]
		}
		*f = out[i]
	}
	return out
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
