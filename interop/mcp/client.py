"""Talks to an MCP server through the official Python SDK, and prints what it got as JSON.

    client.py MODE SCENARIO COMMAND...

MODE is auto (the era without a handshake, where the server has it) or legacy.
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters

DOCUMENT = "t90-service-manual.pdf"


def shown(result):
    return {"error": result.is_error, "text": result.content[0].text, "structured": result.structured_content}


async def tools(client):
    listed = await client.list_tools()
    yield "version", client.session.protocol_version
    yield "tools", [t.name for t in listed.tools]
    progress = []

    async def on_progress(done, total, message):
        progress.append([done, total, message])

    whole = await client.call_tool("convert", {"source": DOCUMENT}, progress_callback=on_progress)
    yield "convert", shown(whole)
    document_id = whole.content[0].text.rsplit("document_id ", 1)[1].rstrip("]")
    yield "rerank", shown(await client.call_tool("rerank", {"query": "How often is the desiccant replaced?", "document_id": document_id, "top_n": 1}))
    yield "infer", shown(await client.call_tool("infer", {"prompt": "Hello", "max_tokens": 8}))
    yield "refused", shown(await client.call_tool("convert", {"path": DOCUMENT}))
    yield "outside", shown(await client.call_tool("convert", {"source": "/etc/passwd"}))


async def cancel(client):
    """The service never answers: the client gives up, and tells the server."""
    try:
        await client.call_tool("infer", {"prompt": "Hello", "model": "m"}, read_timeout_seconds=0.3)
        yield "cancelled", False
    except Exception:
        yield "cancelled", True
    yield "tools", [t.name for t in (await client.list_tools()).tools]


async def main(mode, scenario, command, *args):
    server = StdioServerParameters(command=command, args=list(args), env=dict(os.environ))
    async with Client(server, mode=mode, read_timeout_seconds=60) as client:
        async for name, value in {"tools": tools, "cancel": cancel}[scenario](client):
            print(json.dumps({"name": name, "value": value}), flush=True)


asyncio.run(main(*sys.argv[1:]))
