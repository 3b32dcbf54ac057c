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
// A long document does not flood the agent's context: it comes in parts that end between
// blocks, each with the call that continues, and all parts joined are the document. A long
// conversion does not hang: after a while the tool answers with a job id, and the work goes
// on. Only files under the roots are read. Every failure is a result that says what to do.
//
// # stdio
//
// [Server.ServeStdio] has a loop of its own in place of mcp-go's. A notification of a call is
// written before its answer and never dropped, a cancelled call ends and is not answered, every
// other call is, whatever its result, and those under way when the input ends may finish.
package mcp
