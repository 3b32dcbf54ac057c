package babyclient_test

import (
	"errors"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func TestTooManyTokens(t *testing.T) {
	for words, want := range map[string]bool{
		// vLLM
		"This model's maximum context length is 2048 tokens. However, you requested 4000 tokens (2000 in the messages, " +
			"2000 in the completion). Please reduce the length of the messages or completion.": true,
		"You passed 1193 input tokens and requested 7000 output tokens. However, the model's context length is only " +
			"8192 tokens, resulting in a maximum input length of 1192 tokens.": true,
		"The decoder prompt (length 9000) is longer than the maximum model length of 4096. Make sure that " +
			"`max_model_len` is no smaller than the number of text tokens.": true,
		"Prompt length (9000 tokens) exceeds maximum input length (8191).": true,
		// SGLang
		"The input (9000 tokens) is longer than the model's context length (8192 tokens).": true,
		"Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 9000 " +
			"tokens: 1000 tokens from the input messages and 8000 tokens for the completion.": true,
		"Input length (9000 tokens) exceeds the maximum allowed length (8187 tokens). Use a shorter input.": true,
		// llama.cpp
		"the request exceeds the available context size, try increasing it":                          true,
		"request (18014 tokens) exceeds the available context size (4096 tokens), try increasing it": true,
		"input is too large to process. increase the physical batch size":                            true,
		"input (700 tokens) is too large to process. increase the physical batch size (current " +
			"batch size: 512)": true,
		// Ollama
		"the input length exceeds the context length":              true,
		"prompt too long; exceeded max context length by 5 tokens": true,
		// TEI, TGI
		"Input validation error: `inputs` must have less than 512 tokens. Given: 600": true,
		"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and " +
			"200 `max_new_tokens`": true,
		// others
		"prompt is too long: 210000 tokens > 200000 maximum":                                                     true,
		"Input is too long for requested model.":                                                                 true,
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":                true,
		"too many tokens: total number of tokens in the prompt cannot exceed 4081":                               true,
		"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length": true,
		"This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens":      true,

		"This model's maximum prompt length is 131072 but the request contains 200000 tokens.": true,
		"Invalid request: Your request exceeded model token limit: 8192":                       true,
		"Range of input length should be [1, 30720]":                                           true,
		"Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with " +
			"context length of only 4096 tokens, which is not enough.": true,
		"litellm.ContextWindowExceededError: BadRequestError":     true,
		"Please reduce the length of the messages or completion.": true,

		"The model's context length must be set before use":                          false,
		"max_tokens must be at least 1, got 0.":                                      false,
		"Rate limit reached for tokens per min. Limit: 10000 / min.":                 false,
		"The model `x` does not exist.":                                              false,
		"temperature must be non-negative":                                           false,
		"Request body is too large":                                                  false,
		"This model's tokenizer is missing. The context of the error is in the log.": false,
		"the document is too long: it has 900 pages":                                 false,
		"Timeout: the input took longer than 60 s in the context of a batch":         false,
		"invalid value for prompt: expected a string, the length of the list is 2":   false,
		"The maximum length of a stop sequence is 4.":                                false,
	} {
		for _, status := range []int{400, 413, 422, 500, 200} {
			err := &babyclient.Error{StatusCode: status, Message: words}
			if got := errors.Is(err, babyclient.ErrTooManyTokens); got != want {
				t.Errorf("status %d, %q: %t, want %t", status, words, got, want)
			}
		}
		for _, status := range []int{0, 401, 402, 429} {
			if errors.Is(&babyclient.Error{StatusCode: status, Message: words}, babyclient.ErrTooManyTokens) {
				t.Errorf("status %d, %q is taken for too many tokens", status, words)
			}
		}
	}
	for _, err := range []*babyclient.Error{{StatusCode: 400, Code: "context_length_exceeded"},
		{StatusCode: 400, Type: "exceed_context_size_error"}} {
		if !errors.Is(err, babyclient.ErrTooManyTokens) {
			t.Errorf("%+v is not taken for too many tokens", err)
		}
	}
}
