"""One call with the Python SDK openai: openai_sdk.py chat|stream|embed-default|upload URL [TEXT... or FILE]."""
import sys

from openai import OpenAI

op, url = sys.argv[1:3]
client = OpenAI(api_key="benchmark-key", base_url=url + "/v1")
messages = [{"role": "user", "content": "What is the capital of France?"}]
if op == "chat":
    print(len(client.chat.completions.create(model="m", messages=messages).choices[0].message.content.encode()))
elif op == "stream":
    n = 0
    for chunk in client.chat.completions.create(model="m", messages=messages, stream=True):
        n += len((chunk.choices[0].delta.content or "").encode())
    print(n)
elif op == "embed-default":
    print(sum(len(d.embedding) for d in client.embeddings.create(model="m", input=sys.argv[3:]).data))
elif op == "upload":
    with open(sys.argv[3], "rb") as f:
        client.files.create(file=f, purpose="assistants")
    print(len("received"))  # its answer says nothing
else:
    sys.exit(f"no operation {op}")
