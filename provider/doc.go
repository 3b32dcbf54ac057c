// Package provider makes BabyAPI usable from langchaingo: an [LLM] for chat, an [Embedder], a
// [Loader] for documents, and a [Reranker]. Each takes the place of langchaingo's own, behind the
// same interface.
//
//	llm, err := provider.New(provider.WithModel("Qwen/Qwen3-8B")) // the key from BABYAPI_API_KEY
//	answer, err := llms.GenerateFromSinglePrompt(ctx, llm, "Why is the sky blue?")
//
// # Options
//
// The name of an option is With and what the option sets: [WithModel], [WithOverfetch],
// [WithFiles]. Where several constructors have the same setting, New's option has the plain name,
// and the others have Embed or Rerank before it: [WithTimeout] is for [New] and [NewFromClient],
// [WithEmbedTimeout] for [NewEmbedder], [WithRerankTimeout] for [NewReranker]. What a constructor
// does not take does not compile.
//
// Options of a call ([llms.CallOption]) are sent only if they were given, so
// llms.WithTemperature(0) is a temperature of 0 and no llms.WithTemperature is the engine's own.
// What langchaingo has no option for has one here, such as [WithJSONSchema] and [WithExtraBody].
// [WithDefaults] gives any of them to all calls of an LLM.
//
// # Answers
//
// A streamed answer is the same as the plain one. Thinking is never in Content but in
// ReasoningContent. GenerationInfo holds the usage that the service reports, as int and under the
// names that langchaingo's openai provider uses; without a report the keys are absent. An answer
// that was cut off, by a cancelled context or a broken connection, is an error and never half an
// answer. An answer that the token limit cut inside a tool call is an error too, of
// llms.ErrCodeInvalidRequest: the prompt is not too long, the limit is too low. Where other choices
// are whole they are returned, and the reason stands in the cut one's GenerationInfo, "Error".
//
// [LLM.Stream] gives the pieces of an answer in a range loop.
//
// # Errors
//
// Every error is an [*llms.Error], and an error of the service wraps the [*babyclient.Error]:
//
//	if llms.IsRateLimitError(err) { ... }
//	if e, ok := errors.AsType[*babyclient.Error](err); ok { log(e.RequestID) }
//
// Bad input is refused before anything is sent, with an error that names the message, part or
// option.
package provider
