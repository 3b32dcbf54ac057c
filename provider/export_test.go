package provider

import (
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// SplitThinking returns the thinking and the text of an answer that comes in pieces.
func SplitThinking(option llms.CallOption, pieces ...string) [2]string {
	s := newThinkSplitter(readOptions(nil, []llms.CallOption{option}).own().thinkTags)
	var reasoning, text strings.Builder
	add := func(r, t string) { reasoning.WriteString(r); text.WriteString(t) }
	for _, p := range pieces {
		add(s.write(p))
	}
	add(s.flush())
	return [2]string{reasoning.String(), text.String()}
}
