package provider

import (
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// SplitThinking returns the thinking and the text of an answer that comes in pieces and ends by
// itself, or else is cut.
func SplitThinking(option llms.CallOption, wasCut bool, pieces ...string) [2]string {
	s := newThinkSplitter(readOptions(nil, []llms.CallOption{option}).own().thinkTags)
	var reasoning, text strings.Builder
	add := func(r, t string) { reasoning.WriteString(r); text.WriteString(t) }
	for _, p := range pieces {
		add(s.write(p))
	}
	add(s.flush(finishReason(wasCut)))
	return [2]string{reasoning.String(), text.String()}
}

// SplitWholeThinking returns the thinking and the text of a whole answer.
func SplitWholeThinking(option llms.CallOption, wasCut bool, answer string) [2]string {
	reasoning, text := splitThinking(readOptions(nil, []llms.CallOption{option}).own().thinkTags, answer,
		finishReason(wasCut))
	return [2]string{reasoning, text}
}

func finishReason(wasCut bool) string {
	if wasCut {
		return babyclient.FinishLength
	}
	return babyclient.FinishStop
}
