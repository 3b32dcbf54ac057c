"""Uses the official Python SDK as its users do, on the service that BABYAPI_BASE_URL names.

Arguments: a folder of documents and the URL that the service finds them at. Standard output is a line of JSON for each
call: its name, and what it returned or the error that it raised.
"""
import base64
import json
import sys

from babyapi import BabyAPI, BabyAPIError

CHAT, EMBED = "smollm2-135m-instruct", "all-minilm-l6-v2"
folder, url = sys.argv[1:]
question = "The capital of France is Paris. What is the capital of France?"
capital = [{"role": "user", "content": question}]
greedy = {"max_tokens": 8, "temperature": 0}
page = {"sources": [{"kind": "http", "url": url + "/page.html"}]}
inline = {"sources": [{"kind": "file", "filename": "page.html",
                       "base64_string": base64.b64encode(open(folder + "/page.html", "rb").read()).decode()}]}
c = BabyAPI()


def show(name, function):
    line = {"name": name}
    try:
        line["result"] = function()
    except BabyAPIError as e:
        line["error"] = {"status": e.status, "code": e.code, "message": e.message}
    print(json.dumps(line))


def text_of(events, pick):
    events = list(events)
    return {"text": "".join(pick(choice) for e in events if not e.done for choice in e.data["choices"]),
            "events": len(events), "done": events[-1].done}


def converted(submit):
    polls = []
    task = submit()
    node = task["_babyapi_docling_id"]
    result = c.docling.wait_for_result(task["task_id"], docling_id=node, interval_s=0.2, on_poll=lambda status: polls.append(status["task_status"]))
    return {"node": node, "last_poll": polls[-1], "markdown": result["document"]["md_content"]}


show("chat", lambda: c.chat.completions.create(model=CHAT, messages=capital, **greedy))
show("chat stream", lambda: text_of(c.chat.completions.stream(model=CHAT, messages=capital, **greedy),
                                    lambda choice: choice["delta"].get("content") or ""))
show("completions", lambda: c.completions.create(model=CHAT, prompt="The capital of France is", **greedy))
show("completions stream", lambda: text_of(c.completions.stream(model=CHAT, prompt="The capital of France is", **greedy),
                                           lambda choice: choice["text"]))
show("baby.infer", lambda: c.baby.infer(question, model=CHAT, maxTokens=8, temperature=0))
show("infer a chat", lambda: c.infer({"model": CHAT, "messages": capital, **greedy}))
show("infer a completion", lambda: c.infer(model=CHAT, prompt="The capital of France is", **greedy))
show("embeddings", lambda: c.embeddings.create(model=EMBED, input=["a cat", "a kitten", "the stock exchange"]))
show("embeddings of a string", lambda: c.embeddings.create(model=EMBED, input="a cat"))
show("rerank", lambda: c.rerank.create(model=EMBED, query="How heavy is the stove?", top_n=2, return_documents=True, documents=[
    "The sky is blue.", "The stove weighs 7 kg.", "Paris is in France."]))
show("convert a file", lambda: c.docling.convert_file(files=folder + "/page.html", options={"to_formats": ["md", "json"], "do_ocr": False}))
show("convert a PDF", lambda: c.docling.convert_file(files=folder + "/text.pdf"))
show("convert a source", lambda: c.docling.convert_source(page, options={"to_formats": ["text"]}))
show("convert an inline source", lambda: c.docling.convert_source(inline))
show("convert a file as a job", lambda: converted(lambda: c.docling.convert_file_async(files=folder + "/page.html")))
show("convert a source as a job", lambda: converted(lambda: c.docling.convert_source_async(inline)))
show("chunk a file, hybrid", lambda: c.docling.chunk.hybrid_file(files=folder + "/page.html", options={"chunking_max_tokens": 64}))
show("chunk a source, hybrid", lambda: c.docling.chunk.hybrid_source(page, chunking_options={"chunker": "hybrid", "max_tokens": 64}))
show("chunk a file, hierarchical", lambda: c.docling.chunk.hierarchical_file(files=folder + "/page.html"))
show("chunk a source, hierarchical", lambda: c.docling.chunk.hierarchical_source(inline))
show("health", c.docling.health)
show("ready", c.docling.ready)
show("version", c.docling.version)
show("an unknown model", lambda: c.chat.completions.create(model="no-such-model", messages=capital))
show("an unknown task", lambda: c.docling.poll_status("00000000-0000-0000-0000-000000000000"))
show("a corrupt file", lambda: c.docling.convert_file(files=("bad.pdf", b"%PDF-1.4 and no more")))
if hasattr(c, "ocr"):  # since 0.4.0, and so is cancel
    show("cancel", lambda: c.docling.cancel(c.docling.convert_file_async(files=folder + "/text.pdf")["task_id"]))
    show("OCR", lambda: c.ocr.document(model="ocr-1", input="https://example.com/scan.png"))
