"""One call with the Python SDK babyapi: babyapi_sdk.py chat|stream|embed-default|upload URL [TEXT... or FILE]."""
import sys

from babyapi import BabyAPI

op, url = sys.argv[1:3]
client = BabyAPI(api_key="benchmark-key", base_url=url)
messages = [{"role": "user", "content": "What is the capital of France?"}]
if op == "chat":
    r = client.chat.completions.create(model="m", messages=messages)
    print(len(r["choices"][0]["message"]["content"].encode()))
elif op == "stream":
    n = 0
    for event in client.chat.completions.stream(model="m", messages=messages):
        if isinstance(event.data, dict):
            n += len(event.data["choices"][0]["delta"].get("content", "").encode())
    print(n)
elif op == "embed-default":
    r = client.embeddings.create(model="m", input=sys.argv[3:])
    print(sum(len(d["embedding"]) for d in r["data"]))
elif op == "upload":
    print(len(client.docling.convert_file(files=[sys.argv[3]])["document"]["md_content"]))
else:
    sys.exit(f"no operation {op}")
