package provider

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// newResponse is an answer, whole or collected from a stream, in langchaingo's form. It fails if no
// choice can be used. A choice that cannot, beside one that can, has no tool calls, and the reason
// in its GenerationInfo under "Error".
func newResponse(
	chat *babyclient.ChatResponse, req *babyclient.ChatRequest, o *callOptions,
) (*llms.ContentResponse, error) {
	out := &llms.ContentResponse{Choices: make([]*llms.ContentChoice, len(chat.Choices))}
	var failed error
	whole := 0
	for i := range chat.Choices {
		c, err := newChoice(&chat.Choices[i], thinkTagsOf(req, o))
		if err == nil && len(req.Tools) > 0 {
			err = checkToolCallIsWhole(c)
		}
		c.GenerationInfo = generationInfo(chat, &chat.Choices[i], c.ReasoningContent)
		out.Choices[i] = c
		if err == nil {
			whole++
			continue
		}
		// A call that is not whole must not be made.
		c.ToolCalls, c.FuncCall = nil, nil
		c.GenerationInfo["Error"] = err
		failed = cmp.Or(failed, err)
	}
	if whole == 0 && failed != nil {
		return nil, failed
	}
	return out, nil
}

// newChoice is a choice in langchaingo's form. It is returned with the error too.
func newChoice(from *babyclient.ChatChoice, tags thinkTags) (*llms.ContentChoice, error) {
	m := &from.Message
	reasoning, text := m.Reasoning, m.Text()
	if reasoning == "" { // else the service has split the answer
		reasoning, text = splitThinking(tags, text, from.FinishReason)
	}
	c := &llms.ContentChoice{Content: text, ReasoningContent: reasoning, StopReason: from.FinishReason}
	for _, call := range m.ToolCalls {
		if call.Function.Name == "" {
			return c, newError(llms.ErrCodeProviderUnavailable,
				"the answer has a tool call without a name, arguments "+quoteShort(call.Function.Arguments))
		}
		c.ToolCalls = append(c.ToolCalls, llms.ToolCall{ID: call.ID, Type: cmp.Or(call.Type, "function"),
			FunctionCall: &llms.FunctionCall{Name: call.Function.Name, Arguments: call.Function.Arguments}})
	}
	switch {
	case len(c.ToolCalls) > 0:
		c.FuncCall = c.ToolCalls[0].FunctionCall
		if strings.TrimSpace(c.Content) == "" {
			c.Content = "" // vLLM sends the line breaks before a call in a stream, but not in the plain answer
		}
	case c.StopReason == "function_call": // the call is in a field that the wire no longer has
		return c, newError(llms.ErrCodeNotImplemented, "the service answered with a function_call, "+
			"which tool_calls have replaced: it must be one that takes tools")
	}
	return c, nil
}

// toolCallMarks begin a tool call in the raw text of a model: of Hermes and Qwen, Mistral, Llama,
// DeepSeek.
var toolCallMarks = []string{"<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<｜tool▁calls▁begin｜>"}

// checkToolCallIsWhole fails if the token limit cut the answer inside a tool call. vLLM puts the
// raw text of such a call into the content of a plain answer, and into a stream a call with half of
// its arguments, so without this an agent would take either for what the model wanted to say.
func checkToolCallIsWhole(c *llms.ContentChoice) error {
	if c.StopReason != babyclient.FinishLength {
		return nil
	}
	partial := ""
	if n := len(c.ToolCalls); n > 0 {
		last := c.ToolCalls[n-1].FunctionCall
		if json.Valid([]byte(last.Arguments)) {
			return nil
		}
		partial = last.Name + " " + last.Arguments
	} else {
		for _, mark := range toolCallMarks {
			if _, call, found := strings.Cut(c.Content, mark); found {
				partial = mark + call
				break
			}
		}
		if partial == "" {
			return nil
		}
	}
	// The code must not be ErrCodeTokenLimit, at which agents shorten the prompt. And the message
	// must not say "tool": langchaingo's llmtest would conclude that the model takes none.
	return newError(llms.ErrCodeInvalidRequest,
		"the answer was cut at the token limit inside of a function call: allow more with llms.WithMaxTokens").
		WithDetail("partial_tool_call", partial).WithDetail("partial_content", c.Content)
}

// generationInfo has the keys and types that readers of langchaingo's openai provider expect. The
// usage is that of the whole answer, and the same at each choice.
func generationInfo(chat *babyclient.ChatResponse, choice *babyclient.ChatChoice, reasoning string) map[string]any {
	info := map[string]any{
		"ID":              chat.ID,
		"Model":           chat.Model,
		"Created":         int(chat.Created),
		"ThinkingContent": reasoning,
	}
	setKnown(info, "SystemFingerprint", chat.SystemFingerprint)
	setKnown(info, "ReasoningField", choice.Message.ReasoningField)
	setKnown(info, "RequestID", chat.RequestID)
	setKnown(info, "StopSequence", choice.StopReason)
	setKnown(info, "Refusal", choice.Message.Refusal)
	setKnown(info, "Logprobs", choice.Logprobs)
	u := chat.Usage
	if u == nil {
		return info
	}
	prompt := cmp.Or(u.PromptTokensDetails, new(babyclient.PromptTokensDetails))
	completion := cmp.Or(u.CompletionTokensDetails, new(babyclient.CompletionTokensDetails))
	for key, n := range map[string]int{
		"PromptTokens":                       u.PromptTokens,
		"CompletionTokens":                   u.CompletionTokens,
		"TotalTokens":                        u.TotalTokens,
		"PromptAudioTokens":                  prompt.AudioTokens,
		"PromptCachedTokens":                 prompt.CachedTokens,
		"CachedTokens":                       prompt.CachedTokens,
		"CacheReadInputTokens":               prompt.CachedTokens,
		"CompletionAudioTokens":              completion.AudioTokens,
		"CompletionReasoningTokens":          completion.ReasoningTokens,
		"ReasoningTokens":                    completion.ReasoningTokens,
		"ThinkingTokens":                     completion.ReasoningTokens,
		"CompletionAcceptedPredictionTokens": completion.AcceptedPredictionTokens,
		"CompletionRejectedPredictionTokens": completion.RejectedPredictionTokens,
	} {
		info[key] = n
	}
	return info
}
