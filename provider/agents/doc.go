// Package agents gives langchaingo's executor an agent that calls tools with their real schemas.
// langchaingo's own agent shows the model every tool as a function of one string, "__arg1", so that
// the model writes JSON inside of JSON, or prose.
//
//	weather, err := agents.NewTool("weather", "The weather of a city.",
//		func(ctx context.Context, in struct {
//			City string `json:"city"`
//		}) (string, error) { ... })
//	agent, err := agents.NewToolAgent(llm, []tools.Tool{weather})
//	answer, err := chains.Run(ctx, langchain.NewExecutor(agent), "Is it raining in Oslo?")
//
// where langchain is github.com/tmc/langchaingo/agents. The model is any llms.Model that takes
// tools. [ToolsFromMCP] makes tools of those of an MCP server.
//
// The package is a module of its own, because langchaingo's agents need 28 modules, and package
// provider needs ten.
package agents
