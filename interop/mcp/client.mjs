// Talks to an MCP server through the official TypeScript SDK, and prints what it got as JSON.
//
//     client.mjs SCENARIO COMMAND...
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const document = "t90-service-manual.pdf";
const [scenario, command, ...args] = process.argv.slice(2);
const tell = (name, value) => console.log(JSON.stringify({ name, value }));
const shown = (r) => ({ error: r.isError ?? false, text: r.content[0].text, structured: r.structuredContent ?? null });

const client = new Client({ name: "interop", version: "1" }, { capabilities: {} });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
const call = (name, args, options) => client.callTool({ name, arguments: args }, undefined, options);

if (scenario === "tools") {
  tell("tools", (await client.listTools()).tools.map((t) => t.name));
  const whole = await call("convert", { source: document }, { onprogress: () => {}, resetTimeoutOnProgress: true });
  tell("convert", shown(whole));
  const id = whole.content[0].text.match(/document_id (d_\w+)/)[1];
  tell("rerank", shown(await call("rerank", { query: "How often is the desiccant replaced?", document_id: id, top_n: 1 })));
  tell("infer", shown(await call("infer", { prompt: "Hello", max_tokens: 8 })));
  tell("refused", shown(await call("convert", { path: document })));
  tell("outside", shown(await call("convert", { source: "/etc/passwd" })));
} else {
  // The service never answers: the client gives up, and tells the server.
  const cancelled = await call("infer", { prompt: "Hello", model: "m" }, { signal: AbortSignal.timeout(300) }).then(() => false, () => true);
  tell("cancelled", cancelled);
  tell("tools", (await client.listTools()).tools.map((t) => t.name));
}
await client.close();
