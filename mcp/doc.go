// Package mcp is an MCP server that lets an agent read documents, rank passages and ask
// open-weight models, on BabyAPI. It has three tools: convert, rerank and infer.
//
//	client, err := babyclient.New()
//	server, err := mcp.NewServer(client, mcp.WithRoots("/home/me/papers"))
//	defer server.Close()
//	err = server.ServeStdio(ctx, os.Stdin, os.Stdout)
//
// The command babyapi-mcp is this with flags.
//
// # What the tools promise
//
// A long document does not flood the agent's context: it comes in parts that are cut between
// blocks, each with the call that continues, and all parts joined are the document. A long
// conversion does not hang: after a while the tool answers with a job id, and the work goes
// on. Only files under the roots are read. Every failure is a result that says what to do.
//
// # stdio
//
// [Server.ServeStdio] is a loop of its own over mcp-go's HandleMessage. mcp-go's delivers
// notifications late or drops them, answers cancelled calls, loses the cancellation of a
// queued one, kills what is in flight at the end of the input, drops a last line without a
// line break, and leaves a call unanswered whose result cannot be encoded.
package mcp
