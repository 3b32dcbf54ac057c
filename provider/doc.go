// Package provider makes BabyAPI usable from langchaingo: an [LLM] for chat, an [Embedder], a
// [Loader] for documents, and a [Reranker]. Each takes the place of langchaingo's own, behind the
// same interface.
//
//	llm, err := provider.New(provider.WithModel("Qwen/Qwen3-8B")) // the key from BABYAPI_API_KEY
//	answer, err := llms.GenerateFromSinglePrompt(ctx, llm, "Why is the sky blue?")
//
// # Options
//
// Every [llms.CallOption] is sent, and one that was not given is not: zero and not set are told
// apart, so llms.WithTemperature(0) is a temperature of 0. What langchaingo has no option for has one
// here: [WithJSONSchema], [WithJSONType], [WithExtraBody], [WithThinkTags]. [WithDefaults] gives any of
// them to all calls.
//
// # Answers
//
// A streamed answer is the same as the plain one. Thinking is never in Content but in
// ReasoningContent. GenerationInfo holds, as int and under the names that langchaingo's openai
// provider uses, what the service told of the usage; where it told nothing the keys are absent.
// An answer that was cut off, by a cancelled context or a broken connection, is an error and never
// half an answer; one cut inside of a tool call is too.
//
// # Errors
//
// Every error is an [*llms.Error], and one of the service has the [*babyclient.Error] in it:
//
//	if llms.IsRateLimitError(err) { ... }
//	if e, ok := errors.AsType[*babyclient.Error](err); ok { log(e.RequestID) }
//
// Bad input is refused before anything is sent, with an error that names the message, part or option.
package provider
