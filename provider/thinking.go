package provider

import (
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// addThinking sends langchaingo's thinking options under vLLM's names. A model that does not know
// one ignores it. Thinking always comes back, in ReasoningContent, whatever ReturnThinking says.
func addThinking(req *babyclient.ChatRequest, config *llms.ThinkingConfig) error {
	if config == nil {
		return nil
	}
	switch config.Mode {
	case "", llms.ThinkingModeAuto:
	case llms.ThinkingModeNone:
		return addTemplateArgument(req, "enable_thinking", false)
	case llms.ThinkingModeLow, llms.ThinkingModeMedium, llms.ThinkingModeHigh:
		req.ReasoningEffort = string(config.Mode)
		if err := addTemplateArgument(req, "enable_thinking", true); err != nil {
			return err
		}
	default:
		return invalid("thinking mode %q: want none, low, medium, high or auto", config.Mode)
	}
	if config.BudgetTokens < 0 {
		return invalid("thinking budget %d: want a number of tokens", config.BudgetTokens)
	}
	if config.BudgetTokens > 0 { // an extra field of the caller's wins
		req.Extra = merged(map[string]any{"thinking_token_budget": config.BudgetTokens}, req.Extra)
	}
	return nil
}

// addTemplateArgument sets an argument of the model's chat template, unless the caller did.
func addTemplateArgument(req *babyclient.ChatRequest, name string, value any) error {
	const field = "chat_template_kwargs"
	given, ok := req.Extra[field].(map[string]any)
	if !ok && req.Extra[field] != nil {
		return invalid("conflicting options: %s in WithExtraBody is a %T and not a map[string]any, "+
			"so the thinking option cannot be added", field, req.Extra[field])
	}
	arguments := merged(map[string]any{name: value}, given)
	req.Extra = merged(req.Extra, map[string]any{field: arguments})
	return nil
}

// thinkTagsOf is how the answer to a request may hold thinking. Where the request turns thinking
// off, the chat template opens no tag.
func thinkTagsOf(req *babyclient.ChatRequest, o *callOptions) thinkTags {
	tags := o.own().thinkTags
	arguments, _ := req.Extra["chat_template_kwargs"].(map[string]any)
	for _, name := range []string{"enable_thinking", "thinking"} { // of Qwen and GLM, of DeepSeek
		if arguments[name] == false && tags == thinkTagsOpen {
			return thinkTagsClosed
		}
	}
	return tags
}

// Parts of the names of models that think, and of models that do not although their family does.
var (
	reasoningNames = []string{"qwen3", "qwq", "deepseek-r1", "deepseek-v3.1", "gpt-oss", "glm-4.5", "glm-4.6",
		"magistral", "minimax-m", "nemotron-nano", "thinking", "reasoning"}
	plainNames = []string{"instruct", "embed", "rerank"}
)

func reasonsByName(model string) bool {
	name := strings.ToLower(model)
	has := func(part string) bool { return strings.Contains(name, part) }
	return !slices.ContainsFunc(plainNames, has) && slices.ContainsFunc(reasoningNames, has)
}
