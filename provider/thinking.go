package provider

import (
	"maps"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// think sends langchaingo's thinking options under vLLM's names. A model that does not know one
// ignores it. Thinking always comes back, in ReasoningContent, whatever ReturnThinking says.
func think(req *babyclient.ChatRequest, config *llms.ThinkingConfig) error {
	if config == nil {
		return nil
	}
	switch config.Mode {
	case "", llms.ThinkingModeAuto:
	case llms.ThinkingModeNone:
		return templateArgument(req, "enable_thinking", false)
	case llms.ThinkingModeLow, llms.ThinkingModeMedium, llms.ThinkingModeHigh:
		req.ReasoningEffort = string(config.Mode)
		if err := templateArgument(req, "enable_thinking", true); err != nil {
			return err
		}
	default:
		return invalid("thinking mode %q: want none, low, medium, high or auto", config.Mode)
	}
	switch {
	case config.BudgetTokens < 0:
		return invalid("thinking budget %d: want a number of tokens", config.BudgetTokens)
	case config.BudgetTokens > 0:
		addExtra(req, "thinking_token_budget", config.BudgetTokens)
	}
	return nil
}

// templateArgument sets an argument of the model's chat template, unless the caller did.
func templateArgument(req *babyclient.ChatRequest, name string, value any) error {
	arguments := map[string]any{name: value}
	switch own := req.Extra["chat_template_kwargs"].(type) {
	case nil:
	case map[string]any:
		maps.Copy(arguments, own)
	default:
		return invalid("conflicting options: chat_template_kwargs in WithExtraBody is a %T and not a map[string]any, so the thinking option cannot be added", own)
	}
	if req.Extra == nil {
		req.Extra = map[string]any{}
	}
	req.Extra["chat_template_kwargs"] = arguments
	return nil
}

func addExtra(req *babyclient.ChatRequest, name string, value any) {
	if _, ok := req.Extra[name]; ok {
		return
	}
	if req.Extra == nil {
		req.Extra = map[string]any{}
	}
	req.Extra[name] = value
}

// SupportsReasoning tells whether the model thinks before it answers: as [WithReasoning] said, else
// by the name of the model that [WithModel] set.
func (l *LLM) SupportsReasoning() bool {
	if l.reasoning != nil {
		return *l.reasoning
	}
	name := strings.ToLower(l.model)
	if strings.Contains(name, "instruct") || strings.Contains(name, "embed") || strings.Contains(name, "rerank") {
		return false
	}
	for _, family := range []string{"qwen3", "qwq", "deepseek-r1", "deepseek-v3.1", "gpt-oss", "glm-4.5", "glm-4.6", "magistral", "minimax-m", "nemotron-nano", "thinking", "reasoning"} {
		if strings.Contains(name, family) {
			return true
		}
	}
	return false
}

// thinkTags says whether the thinking stands in the text, between tags.
type thinkTags int

const (
	thinkTagsOff    thinkTags = iota
	thinkTagsClosed           // the text begins with the opening tag, if the model thinks
	thinkTagsOpen             // the prompt ended with it
)

// WithThinkTags moves a "<think>…</think>" at the start of the answer from Content to
// ReasoningContent, also in a stream. It is for services that have no reasoning parser, where a ReAct
// agent takes the thinking for the answer.
func WithThinkTags() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.think = thinkTagsClosed })
}

// WithOpenThinkTag is [WithThinkTags] for models whose chat template itself opens the tag, such as
// DeepSeek-R1 and QwQ: everything up to "</think>" is thinking.
func WithOpenThinkTag() llms.CallOption {
	return ownOption(func(own *ownOptions) { own.think = thinkTagsOpen })
}

const (
	openTag  = "<think>"
	closeTag = "</think>"
)

// thinkSplitter tells thinking from text. It takes the answer in pieces, cut anywhere, or whole, with
// the same result.
type thinkSplitter struct {
	mode     thinkTags
	thinking bool
	begun    bool   // it is known whether the answer begins with thinking
	skip     bool   // white space beside a tag is dropped
	held     string // what may be the start of a tag
}

func newThinkSplitter(mode thinkTags) *thinkSplitter {
	return &thinkSplitter{mode: mode, begun: mode == thinkTagsOff, thinking: mode == thinkTagsOpen}
}

// write takes a piece and returns what is known to be thinking and text of it.
func (s *thinkSplitter) write(piece string) (reasoning, text string) {
	rest := s.held + piece
	s.held = ""
	if !s.begun {
		trimmed := strings.TrimLeft(rest, " \t\r\n")
		if strings.HasPrefix(openTag, trimmed) && trimmed != openTag {
			s.held = rest
			return "", ""
		}
		s.begun = true
		if after, ok := strings.CutPrefix(trimmed, openTag); ok {
			s.thinking, s.skip, rest = true, true, after
		} else if s.thinking {
			s.skip = true
		}
	}
	if s.thinking {
		thought, after, closed := strings.Cut(rest, closeTag)
		if !closed {
			thought, s.held = splitTail(rest, closeTag)
			return s.trim(thought), ""
		}
		reasoning = s.trim(thought)
		s.thinking, s.skip, rest = false, true, after
	}
	return reasoning, s.trim(rest)
}

// flush returns what was held back, when nothing comes after it.
func (s *thinkSplitter) flush() (reasoning, text string) {
	held := s.held
	s.held = ""
	if s.thinking {
		return s.trim(held), ""
	}
	return "", held
}

func (s *thinkSplitter) trim(piece string) string {
	if s.skip {
		piece = strings.TrimLeft(piece, " \t\r\n")
		s.skip = piece == ""
	}
	return piece
}

// splitTail cuts off the longest end of s that is the start of tag.
func splitTail(s, tag string) (head, tail string) {
	for n := min(len(s), len(tag)-1); n > 0; n-- {
		if strings.HasSuffix(s, tag[:n]) {
			return s[:len(s)-n], s[len(s)-n:]
		}
	}
	return s, ""
}
