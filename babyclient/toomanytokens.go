package babyclient

import (
	"net/http"
	"regexp"
	"strings"
)

// tooManyTokens are the words with which services say that prompt and answer do not fit the model.
var tooManyTokens = regexp.MustCompile(`(?i)` + strings.Join([]string{
	// vLLM: "maximum context length is 2048 tokens", "longer than the maximum model length", "the
	// model's context length is only 8192"; SGLang: "longer than the model's context length",
	// "exceeds the model's maximum context length"; llama.cpp: "exceeds the available context
	// size".
	`(?:maximum|max(?:imum)? allowed|available) (?:context|model|input|sequence|prompt) (?:length|size|window)`,
	`model'?s? context (?:length|size|window)[^.]{0,40}\b(?:is|of|exceed)`,
	`(?:exceed\w*|longer than|larger than|over|too large for)[^.]{0,60}\bcontext (?:length|size|window|limit)`,
	`context (?:length|size|window)[^.]{0,30}(?:exceeded|is only)`,
	// SGLang: "Input length (9000 tokens) exceeds the maximum allowed length (8187 tokens)".
	`input length[^.]{0,40}exceeds`,
	// Anthropic, Bedrock, Ollama.
	`(?:prompt|input) is too long`, `prompt too long`,
	// TEI and TGI: "must have less than 512 tokens", "inputs tokens + max_new_tokens must be <=
	// 4096".
	`must have less than \d+ tokens`, `tokens \+ .max_new_tokens. must be`,
	// Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed";
	// Cohere: "too many tokens".
	`token count[^.]{0,40}exceeds`, `^too many tokens`,
	// Moonshot, DashScope, LM Studio, LiteLLM, Groq.
	`exceeded model token limit`, `range of input length should be`, `context length of only`,
	`contextwindowexceeded`, `reduce the length of the (?:messages|prompt|input)`,
	// llama.cpp, for embeddings: "input is too large to process. increase the physical batch size".
	`input (?:\(\d+ tokens\) )?is too large to process`,
}, "|"))

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
	return tooManyTokens.MatchString(message)
}
