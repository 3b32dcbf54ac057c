package provider_test

import "testing"

// TestConformance runs the test of each line of CONFORMANCE.md, under its number; those of 29, 30,
// 31 and 38 are in interop/langchain.
func TestConformance(t *testing.T) {
	for _, line := range []struct {
		name string
		test func(*testing.T)
	}{
		{"01 interfaces of langchaingo", testInterfaces},
		{"02 many goroutines", testConcurrency},
		{"03 roles", testRoles},
		{"04 every part", testParts},
		{"05 text and media", testMedia},
		{"06 an AI message stays one", testAssistantMessage},
		{"07 tool arguments are repaired", testToolArguments},
		{"08 tool answers find their call", testToolAnswers},
		{"09 function messages", testFunctionRole},
		{"10 every option is sent", testOptions},
		{"11 unset is not zero", testUnsetAndZero},
		{"12 tools", testTools},
		{"13 streams only with a function", testStreamOnlyWithAFunction},
		{"14 streams text", testStreamingText},
		{"15 streams thinking apart", testStreamingReasoning},
		{"16 an error of the caller's function", testCallbackError},
		{"17 pieces of tool calls", testToolCallPieces},
		{"18 several choices", testSeveralChoices},
		{"19 failures of streams", testStreamFailures},
		{"20 cancelled at any moment", testCancel},
		{"21 response", testResponse},
		{"22 GenerationInfo", testGenerationInfo},
		{"23 errors", testErrors},
		{"24 retries", testRetries},
		{"25 callbacks", testCallbacks},
		{"26 structured output", testStructuredOutput},
		{"27 thinking options", testThinking},
		{"28 extra body", testExtraBody},
		{"32 embedder", testEmbedder},
		{"33 blank texts", testBlankTexts},
		{"34 batches", testBatches},
		{"35 bad vectors", testBadVectors},
		{"36 prefixes", testPrefixes},
		{"37 options of the embedder", testEmbedderOptions},
		{"39 documents are loaded", testLoad},
		{"40 documents are split", testLoadAndSplit},
		{"41 jobs", testJobs},
		{"42 reranker", testReranker},
	} {
		t.Run(line.name, line.test)
	}
}
