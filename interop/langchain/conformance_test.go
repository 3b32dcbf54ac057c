package langchain_test

import "testing"

// TestConformance runs the tests of the lines 30 and 38 of provider/CONFORMANCE.md, whose other
// lines are in package provider. Those of line 29 have names of their own, which it gives.
func TestConformance(t *testing.T) {
	for _, line := range []struct {
		name string
		test func(*testing.T)
	}{
		{"30 agent of OpenAI functions", testOpenAIFunctionsAgent},
		{"30 agent that failed", testAgentThatFailed},
		{"30 agents without tool calls", testTextAgents},
		{"30 chains", testChains},
		{"38 qdrant", testQdrant},
		{"38 pgvector", testPgvector},
	} {
		t.Run(line.name, line.test)
	}
}
