package provider

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// newResponse is an answer, whole or collected from a stream, in langchaingo's form.
func newResponse(chat *babyclient.ChatResponse, req *babyclient.ChatRequest, o *callOptions) (*llms.ContentResponse, error) {
	out := &llms.ContentResponse{Choices: make([]*llms.ContentChoice, len(chat.Choices))}
	for i := range chat.Choices {
		c, err := newChoice(&chat.Choices[i], o.own().think)
		if err != nil {
			return nil, err
		}
		if err := cutInToolCall(c, len(req.Tools) > 0); err != nil {
			return nil, err
		}
		c.GenerationInfo = generationInfo(chat, &chat.Choices[i], c.ReasoningContent)
		out.Choices[i] = c
	}
	return out, nil
}

func newChoice(from *babyclient.ChatChoice, tags thinkTags) (*llms.ContentChoice, error) {
	m := &from.Message
	s := newThinkSplitter(tags)
	reasoning, text := s.write(m.Content)
	heldReasoning, heldText := s.flush()
	c := &llms.ContentChoice{Content: text + heldText, ReasoningContent: m.Reasoning + reasoning + heldReasoning, StopReason: from.FinishReason}
	for _, call := range m.ToolCalls {
		if call.Function.Name == "" {
			return nil, llms.NewError(llms.ErrCodeProviderUnavailable, providerName,
				fmt.Sprintf("the answer has a tool call without a name, arguments %s", shorten(call.Function.Arguments)))
		}
		typ := call.Type
		if typ == "" {
			typ = "function"
		}
		c.ToolCalls = append(c.ToolCalls, llms.ToolCall{ID: call.ID, Type: typ,
			FunctionCall: &llms.FunctionCall{Name: call.Function.Name, Arguments: call.Function.Arguments}})
	}
	switch {
	case len(c.ToolCalls) > 0:
		c.FuncCall = c.ToolCalls[0].FunctionCall
		if strings.TrimSpace(c.Content) == "" { // vLLM streams the line breaks before a call, and leaves them out of the plain answer
			c.Content = ""
		}
	case c.StopReason == "function_call": // the call is in a field that the wire no longer has
		return nil, llms.NewError(llms.ErrCodeNotImplemented, providerName, "the service answered with a function_call, which tool_calls have replaced: it must be one that takes tools")
	}
	return c, nil
}

// toolCallMarks begin a tool call in the raw text of a model: Hermes and Qwen, Mistral, Llama, DeepSeek.
var toolCallMarks = []string{"<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<｜tool▁calls▁begin｜>"}

// cutInToolCall is the error of an answer that the token limit ended inside of a tool call. vLLM
// answers the raw text of such a call as content, and in a stream a call with half of its arguments.
func cutInToolCall(c *llms.ContentChoice, tools bool) error {
	if c.StopReason != babyclient.FinishLength || !tools {
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
	// langchaingo's llmtest takes an error that says "tool" for a model without them.
	return llms.NewError(llms.ErrCodeTokenLimit, providerName, "the answer was cut at the token limit inside of a function call: allow more with llms.WithMaxTokens").
		WithDetail("partial_tool_call", partial).WithDetail("partial_content", c.Content)
}

// generationInfo has the keys and types that readers of langchaingo's openai provider expect. The
// usage is that of the whole answer, the same at each choice.
func generationInfo(chat *babyclient.ChatResponse, choice *babyclient.ChatChoice, reasoning string) map[string]any {
	info := map[string]any{
		"ID":              chat.ID,
		"Model":           chat.Model,
		"Created":         int(chat.Created),
		"ThinkingContent": reasoning,
	}
	optional := func(key string, value any, known bool) {
		if known {
			info[key] = value
		}
	}
	optional("SystemFingerprint", chat.SystemFingerprint, chat.SystemFingerprint != "")
	optional("RequestID", chat.RequestID, chat.RequestID != "")
	optional("Logprobs", choice.Logprobs, choice.Logprobs != nil)
	optional("StopSequence", choice.StopReason, choice.StopReason != nil)
	optional("Refusal", choice.Message.Refusal, choice.Message.Refusal != "")
	u := chat.Usage
	if u == nil {
		return info
	}
	var prompt babyclient.PromptTokensDetails
	if u.PromptTokensDetails != nil {
		prompt = *u.PromptTokensDetails
	}
	var completion babyclient.CompletionTokensDetails
	if u.CompletionTokensDetails != nil {
		completion = *u.CompletionTokensDetails
	}
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
