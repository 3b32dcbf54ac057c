package babyclient

import (
	"net/http"
	"slices"
	"strings"
)

// tooManyTokens are the words, in lower case, with which services say that prompt and answer do not
// fit the model.
var tooManyTokens = []string{
	// vLLM: "maximum context length is 2048 tokens", "longer than the maximum model length", "the
	// model's context length is only 8192", "exceeds maximum input length".
	"maximum context length", "max context length", "maximum model length", "model's context length is",
	"maximum input length", "maximum sequence length", "maximum prompt length",
	// SGLang: "longer than the model's context length (8192 tokens)", "exceeds the maximum allowed
	// length (8187 tokens)".
	"model's context length (", "model's context length of", "maximum allowed length",
	// llama.cpp: "exceeds the available context size"; for embeddings "input is too large to
	// process".
	"available context size", "available context length", "is too large to process",
	// Ollama.
	"exceeds the context length", "context length exceeded", "prompt too long",
	// TEI and TGI: "must have less than 512 tokens", "inputs tokens + max_new_tokens must be <=
	// 4096".
	"` must have less than ", "`max_new_tokens` must be",
	// Anthropic, Bedrock, Gemini, Cohere.
	"prompt is too long", "input is too long", "exceeds the maximum number of tokens", "too many tokens:",
	// Moonshot, DashScope, LM Studio, LiteLLM, Groq.
	"exceeded model token limit", "range of input length should be", "context length of only",
	"contextwindowexceeded", "reduce the length of the messages", "reduce the length of the prompt",
	"reduce the length of the input",
}

// isTooManyTokens reads the code that OpenAI has, the type that llama.cpp has, and the words of all
// others. A limit of the rate or the account has words of tokens too.
func isTooManyTokens(status int, code, typ, message string) bool {
	if code == "context_length_exceeded" || typ == "exceed_context_size_error" {
		return true
	}
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	case 0:
		return false // an error of this package
	}
	message = strings.ToLower(message)
	return slices.ContainsFunc(tooManyTokens, func(words string) bool { return strings.Contains(message, words) })
}
