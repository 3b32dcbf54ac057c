"""Starts llama.cpp's own HTTP server from the xllamacpp wheel.

usage: llama.py chat|embed|rerank MODEL.gguf NAME
The key that requests must carry is read from BABYAPI_LOCAL_ENGINE_KEY.
"""
import os
import sys
import threading
from urllib.parse import urlsplit

from parent import end_with_parent, listening

import xllamacpp

SLOTS = 4  # requests that are worked on at the same time
# Tokens for each of them. A BERT embedder takes 512, and a whole input must fit
# one physical batch.
CONTEXT = {"chat": 4096, "embed": 512, "rerank": 512}

kind, model, name = sys.argv[1:4]
end_with_parent()

params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {name}
params.n_parallel = SLOTS
params.n_ctx = SLOTS * CONTEXT[kind]
params.hostnames = ["127.0.0.1"]
params.port = 0  # any that is free
params.api_keys = [os.environ["BABYAPI_LOCAL_ENGINE_KEY"]]
params.use_jinja = True
params.ui = False
params.cache_ram_mib = 256  # llama.cpp's own limit is 8 GiB
if kind != "chat":
    params.embedding = True
    params.n_batch = params.n_ubatch = SLOTS * CONTEXT[kind]
    pooling = xllamacpp.llama_pooling_type
    params.pooling_type = (pooling.LLAMA_POOLING_TYPE_RANK if kind == "rerank"
                           else pooling.LLAMA_POOLING_TYPE_MEAN)

try:
    server = xllamacpp.Server(params)
except RuntimeError as error:
    sys.exit(f"llama.cpp cannot run {model}: {error} Is it whole, and a model for {kind}?")
listening(urlsplit(server.listening_address).port)
threading.Event().wait()
