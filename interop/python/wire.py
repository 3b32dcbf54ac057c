"""Makes calls of the official Python SDK, each to a server of its own.

Standard input is JSON: {"files": FOLDER, "calls": {NAME: {"call": FUNCTION, "url": BASE_URL}}}. Standard output is a
line of JSON for each call with its error, if any, and a last line with the methods of the SDK that no call used.
"""
import functools
import inspect
import json
import mimetypes
import sys

from babyapi import BabyAPI, BabyAPIError, RequestOptions
from babyapi import resources

KEY = "babytest-key-0123456789"
MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]
HTML = ("page.html", b"<h1>Title</h1><p>Text.</p>")
SOURCE = {"sources": [{"kind": "http", "url": "https://example.com/report.pdf"}]}
OCR = {"model": "ocr-1", "input": "https://example.com/scan.png"}
NODE = {"headers": {"x-babyapi-docling-id": "node-7"}}
QUICK = {"interval_s": 0.001}

CALLS = {}
FILES = ""


def call(function=None, **client):
    """Registers a call; the keywords are options of its client."""
    if function is None:
        return functools.partial(call, **client)
    CALLS[function.__name__] = (function, client)
    return function


# Chat


@call
def chat(c):
    c.chat.completions.create(model="m", messages=MESSAGES, temperature=0.0, max_tokens=20, stop=["END"])


@call
def chat_every_option(c):
    c.chat.completions.create(
        model="m",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "<a> & \"b\" \u2028 \U0001f600 é", "name": "ann"}],
        max_completion_tokens=5, min_tokens=1, n=2, seed=7, temperature=1, top_p=0.5, top_k=-1, min_p=0.1,
        presence_penalty=0.25, frequency_penalty=-0.25, repetition_penalty=1.1, logit_bias={"50256": -100}, logprobs=True, top_logprobs=2,
        tools=[{"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}],
        tool_choice={"type": "function", "function": {"name": "weather"}}, parallel_tool_calls=False,
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True}},
        reasoning_effort="low", user="u-1", chat_template_kwargs={"enable_thinking": False}, structured_outputs={"choice": ["a", "b"]})


@call
def chat_parts(c):
    c.chat.completions.create(model="m", messages=[{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}]}])


@call
def chat_tool_turn(c):
    c.chat.completions.create(model="m", messages=MESSAGES + [
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\"}"}}]},
        {"role": "tool", "tool_call_id": "call-1", "content": "sunny"},
        {"role": "assistant", "content": "It is sunny."},
        {"role": "user", "content": "Sure?"}], tool_choice="auto")


@call
def chat_stream(c):
    list(c.chat.completions.stream(model="m", messages=MESSAGES, stream_options={"include_usage": True}))


@call
def chat_stream_by_create(c):
    c.chat.completions.create(model="m", messages=MESSAGES, stream=True)


@call(default_model="m")
def chat_default_model(c):
    c.chat.completions.create(messages=MESSAGES)


@call(default_headers={"X-Team": "blue", "X-Trace": "of the client"})
def headers(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={
        "headers": {"X-Trace": "of the call", "Authorization": "Bearer other", "Content-Language": "en"}})


@call
def headers_accept(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={"headers": {"Accept": "application/vnd.test"}})
    list(c.chat.completions.stream(model="m", messages=MESSAGES, request_options={"headers": {"Accept": "application/vnd.test"}}))


@call
def key_of_the_call(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options=RequestOptions(api_key="another-key-9876543210"))
    list(c.completions.stream(model="m", prompt="p", request_options=RequestOptions(api_key="another-key-9876543210")))


# Completions, embeddings, rerank


@call
def completions(c):
    c.completions.create(model="m", prompt="Once", max_tokens=0, temperature=0.5, echo=True, logprobs=1, suffix="end", top_k=3, seed=1)
    c.completions.create(model="m", prompt=["Once", "Twice"], best_of=2)
    c.completions.create(model="m", prompt=[1, 2, 3])
    c.completions.create(model="m", prompt=[[1, 2], [3]])


@call
def completions_stream(c):
    list(c.completions.stream(model="m", prompt="Once", max_tokens=5))


@call
def embeddings(c):
    c.embeddings.create(model="e", input=["a", "b"])
    c.embeddings.create(model="e", input=["a", "b"], encoding_format="float", dimensions=2, truncate_prompt_tokens=-1, user="u-1")
    c.embeddings.create(model="e", input=[[1, 2], [3]])


@call
def embeddings_of_a_string(c):
    c.embeddings.create(model="e", input="a")


@call
def rerank(c):
    c.rerank.create(model="r", query="q", documents=["a", "b"])
    c.rerank.create(model="r", query="q", documents=["a", "b"], top_n=1, return_documents=True, truncate_prompt_tokens=100)
    c.rerank.create(model="r", query="q", documents=[{"content": [{"type": "text", "text": "a"}]}, {"text": "b"}], return_documents=False)


# /infer


@call
def infer(c):
    c.baby.infer("  Why?\n", model=" m ", max_tokens=5, temperature=0)


@call(default_model=" m ")
def infer_loose(c):
    c.baby.infer({"prompt": "Why?", "maxTokens": 5, "topP": 0.5, "topK": 3, "presencePenalty": 0.1, "frequencyPenalty": 0.2, "stop": ["END"]})
    c.baby.infer({"prompt": "  ", "input": "Why?", "max_tokens": 5, "options": {"max_tokens": 7, "top_p": 0.5}})
    c.baby.infer({"text": "Why?", "temperature": None, "unknown": 1, "options": {"topK": 3, "unknown": 1}})


@call
def infer_stop_string(c):
    c.baby.infer({"prompt": "Why?", "stop": "END"}, model="m")


@call
def infer_both_spellings(c):
    c.baby.infer({"prompt": "Why?", "model": "m", "max_tokens": 5, "maxTokens": 7})


@call
def infer_any(c):
    c.infer({"model": "m", "messages": MESSAGES, "top_k": 3})
    c.infer(model="m", prompt="Why?", best_of=2)
    c.infer({"model": "m", "prompt": "Why?", "messages": MESSAGES})


# OCR


@call
def ocr(c):
    c.ocr.document(OCR)
    c.ocr.document(OCR, tasks=["ocr", "tables"], output_format="markdown", pages=[1, 3], dpi=300)
    c.ocr.document(model="ocr-1", input={"images": ["https://example.com/1.png"]})


@call
def ocr_job(c):
    job = c.ocr.document_async(OCR)
    c.ocr.get_job(job["job_id"])
    c.ocr.wait_for_result(job, **QUICK)


@call
def ocr_job_failed(c):
    c.ocr.wait_for_result("job-1", **QUICK)


# Documents


@call
def docling_health(c):
    c.docling.health()
    c.docling.ready()
    c.docling.version()


OPTIONS = {"from_formats": ["html", "pdf"], "to_formats": ["md", "json"], "page_range": [1, 3], "do_ocr": False, "force_ocr": True,
           "ocr_lang": ["en", "de"], "image_export_mode": "placeholder", "images_scale": 1.5, "document_timeout": 60.0,
           "pipeline": "standard", "abort_on_error": False, "md_page_break_placeholder": "--- \"é\" ---",
           "picture_description_api": {"url": "https://example.com/v1", "params": {"model": "vlm", "seed": 1}, "prompt": "What <is> this?"}}


@call
def convert_source(c):
    c.docling.convert_source(SOURCE)
    c.docling.convert_source(
        {"sources": [{"kind": "http", "url": "https://example.com/a.pdf", "headers": {"X-Token": "t"}},
                     {"kind": "file", "base64_string": "PGgxPlRpdGxlPC9oMT4=", "filename": "page.html"}]},
        options=OPTIONS, target={"kind": "zip"})


@call
def convert_file(c):
    c.docling.convert_file(files=HTML)
    c.docling.convert_file(files=[FILES + "/page.html", ("notes.md", b"# Notes"), ("data.bin", b"\x00\x01", "application/x-test")], options=OPTIONS)
    c.docling.convert_file(files={"filename": "Bericht \"Ä\" 1%.html", "content": "<p>Text.</p>", "content_type": "text/html"},
                           options={"target_type": "zip"})


@call
def convert_job(c):
    task = c.docling.convert_file_async(files=HTML, options={"to_formats": ["md"]})
    c.docling.wait_for_result(task, **QUICK)
    task = c.docling.convert_source_async(SOURCE, options={"do_ocr": False})
    c.docling.wait_for_result(task["task_id"], docling_id=task["_babyapi_docling_id"], **QUICK)


@call
def job_by_id(c):
    c.docling.poll_status("a/b c+d:é", request_options=NODE)
    c.docling.get_result("a/b c+d:é", request_options=NODE)
    c.docling.cancel("a/b c+d:é", request_options=NODE)


@call
def job_without_node(c):
    c.docling.wait_for_result("task-1", **QUICK)
    c.docling.cancel("task-1")


@call
def job_failed(c):
    c.docling.wait_for_result("task-1", **QUICK)


@call
def job_poll_timeout(c):
    c.docling.wait_for_result("task-1", interval_s=0.2, timeout_s=0.1)


@call
def chunk_source(c):
    c.docling.chunk.hybrid_source(SOURCE)
    c.docling.chunk.hybrid_source(SOURCE, convert_options={"do_ocr": False, "to_formats": ["json"]}, include_converted_doc=True,
                                  chunking_options={"max_tokens": 64, "merge_peers": False, "tokenizer": "t", "chunker": "hybrid"})
    c.docling.chunk.hierarchical_source(SOURCE, chunking_options={"use_markdown_tables": True, "include_raw_text": True})


@call
def chunk_file(c):
    c.docling.chunk.hybrid_file(files=HTML)
    c.docling.chunk.hybrid_file(files=HTML, options={
        "convert_do_ocr": False, "convert_page_range": [2, 3], "chunking_max_tokens": 64, "chunking_merge_peers": True, "include_converted_doc": True})
    c.docling.chunk.hierarchical_file(files=HTML, options={"convert_ocr_lang": ["en"], "chunking_use_markdown_tables": True})


# What is refused before anything is sent


@call(api_key="")
def no_key(c):
    post(c)


@call
def no_prompt(c):
    c.baby.infer("  ", model="m")


@call
def no_model(c):
    c.baby.infer("Why?")


@call
def neither_chat_nor_completion(c):
    c.infer({"model": "m", "text": "Why?"})


@call
def options_not_an_object(c):
    c.baby.infer({"prompt": "Why?", "model": "m", "options": "max_tokens=5"})


@call
def no_task_id(c):
    c.docling.poll_status("")


@call
def no_job_id(c):
    c.ocr.get_job("")


@call
def no_file(c):
    c.docling.convert_file(files=FILES + "/absent.pdf")


@call
def no_files(c):
    c.docling.convert_file(files=[])


@call
def bad_timeout(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={"timeout_s": 0})


@call
def bad_max_retries(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={"max_retries": -1})


@call
def bad_interval(c):
    c.docling.wait_for_result("task-1", interval_s=0)


# Simple calls, for the answers that go wrong


@call
def post(c):
    c.chat.completions.create(model="m", messages=MESSAGES)


@call
def get(c):
    c.docling.version()


@call
def stream(c):
    list(c.chat.completions.stream(model="m", messages=MESSAGES))


@call
def upload(c):
    c.docling.convert_file(files=HTML)


@call
def post_without_retries(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={"max_retries": 0})


@call
def post_with_a_timeout(c):
    c.chat.completions.create(model="m", messages=MESSAGES, request_options={"timeout_s": 0.5})


@call
def get_with_a_timeout(c):
    c.docling.version(request_options={"timeout_s": 0.5})


@call
def stream_with_a_timeout(c):
    list(c.chat.completions.stream(model="m", messages=MESSAGES, request_options={"stream_idle_timeout_s": 0.5}))


def note_use(unused):
    """Makes each public method of the SDK take itself off a set when it is called."""
    def noting(name, method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            unused.discard(name)
            return method(*args, **kwargs)
        return wrapper

    classes = [BabyAPI] + [v for v in vars(resources).values() if inspect.isclass(v) and v.__name__.endswith("Resource")]
    for cls in classes:
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                unused.add(f"{cls.__name__}.{name}")
                setattr(cls, name, noting(f"{cls.__name__}.{name}", method))


def main():
    global FILES
    mimetypes.init(files=[])  # the same media types on every machine
    work = json.load(sys.stdin)
    FILES = work["files"]
    unused = set()
    note_use(unused)
    for name, row in work["calls"].items():
        function, client = CALLS[row["call"]]
        line = {"name": name}
        try:
            with BabyAPI(**{"api_key": KEY, "base_url": row["url"], "retry_base_delay_s": 0.001, **client}) as c:
                function(c)
        except BabyAPIError as e:
            line["error"] = {"message": e.message.replace(FILES, "testdata"), "status": e.status or 0, "code": e.code or "", "type": e.type or ""}
        print(json.dumps(line))
    print(json.dumps({"unused": sorted(unused), "uncalled": sorted(CALLS.keys() - {row["call"] for row in work["calls"].values()})}))


main()
