package babyclient

// Usage counts the tokens that a call took.
type Usage struct {
	PromptTokens            int                      `json:"prompt_tokens"`
	CompletionTokens        int                      `json:"completion_tokens"`
	TotalTokens             int                      `json:"total_tokens"`
	PromptTokensDetails     *PromptTokensDetails     `json:"prompt_tokens_details,omitzero"`
	CompletionTokensDetails *CompletionTokensDetails `json:"completion_tokens_details,omitzero"`
}

// PromptTokensDetails divides the tokens of the prompt.
type PromptTokensDetails struct {
	CachedTokens       int `json:"cached_tokens"`
	CreatedCacheTokens int `json:"created_cache_tokens,omitempty"`
	MultimodalTokens   int `json:"multimodal_tokens,omitempty"`
	AudioTokens        int `json:"audio_tokens,omitempty"`
}

// CompletionTokensDetails divides the tokens of the answer.
type CompletionTokensDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens,omitempty"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens,omitempty"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens,omitempty"`
}

// Logprobs are the log probabilities of the tokens of a chat answer.
type Logprobs struct {
	Content []TokenLogprob `json:"content"`
	Refusal []TokenLogprob `json:"refusal,omitempty"`
}

// TokenLogprob is the log probability of one token.
type TokenLogprob struct {
	ID      int     `json:"id,omitempty"` // llama.cpp
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	// Bytes are the token's own, where it is no whole UTF-8 text.
	Bytes []int `json:"bytes"`
	// TopLogprobs are the likeliest tokens at this place, TopLogprobs of the request many.
	TopLogprobs []TokenLogprob `json:"top_logprobs,omitempty"`
}
