"""Starts the real docling-serve without torch, ray, CUDA or model weights.

The HTTP layer, the job queue, the document back ends, the exporters and the
chunkers are the unmodified packages. Replaced, because they need torch or ray
at import time or weights from a hub at run time:
  * audio transcription with transformers and the Ray metrics collector: empty
    stand-ins
  * layout and table-structure models: the rule-based ones of
    docling_modelfree.py, registered under docling's own option types, so that
    every request option still works

It sends to other machines only what docling_reach.py says, unless it is called
with --allow-remote-targets, and reads URLs of public addresses only, unless it is
called with --allow-local-sources.
"""
import hmac
import importlib.util
import os
import socket
import sys
import types

from parent import end_with_parent, listening


def stand_in(name, **attributes):
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    sys.modules[name] = module


# decide_device() imports torch only to look for a GPU
stand_in("docling.pipeline.asr_transformers",
         TransformersAsrDecoder=type("TransformersAsrDecoder", (), {}))
import docling.utils.accelerator_utils as accelerator_utils  # noqa: E402
accelerator_utils.decide_device = lambda *args, **kwargs: "cpu"
stand_in("docling_serve.ray_metrics_collector",
         RayCollector=type("RayCollector", (), {}))

import docling.models.plugins.defaults as defaults  # noqa: E402
import uvicorn  # noqa: E402
from docling.datamodel.pipeline_options import (  # noqa: E402
    LayoutObjectDetectionOptions, LayoutOptions, TableStructureOptions, TableStructureV2Options)

import docling_modelfree as modelfree  # noqa: E402
import docling_reach  # noqa: E402


def under_options(base, options_type):
    return type(base.__name__ + options_type.__name__, (base,),
                {"get_options_type": classmethod(lambda cls: options_type)})


defaults.layout_engines = lambda: {"layout_engines": [
    under_options(modelfree.Layout, t) for t in (LayoutOptions, LayoutObjectDetectionOptions)]}
defaults.table_structure_engines = lambda: {"table_structure_engines": [
    under_options(modelfree.Tables, t) for t in (TableStructureOptions, TableStructureV2Options)]}
modelfree.warn_of_pages_without_text()


def behind_key(app, key):
    """The app for those who send the key. docling-serve itself asks for it at some
    of its paths only: /version, /metrics, /openapi.json and others are open, with
    any origin, and a page in a browser could read them."""
    async def guarded(scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            given = dict(scope["headers"]).get(b"x-api-key", b"")
            if not hmac.compare_digest(given, key.encode()):
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                    return
                await send({"type": "http.response.start", "status": 401,
                            "headers": [(b"content-type", b"application/json"), (b"connection", b"close")]})
                await send({"type": "http.response.body", "body": b'{"detail":"Unauthorized"}'})
                return
        await app(scope, receive, send)

    return guarded


def main():
    from docling_serve.app import create_app
    from docling_serve.settings import docling_serve_settings

    if "--allow-remote-targets" not in sys.argv:
        docling_reach.stay_on_this_machine()
    if "--allow-local-sources" not in sys.argv:
        docling_reach.read_public_addresses_only()

    # Seconds between two looks whether a plain request is done. The variable for
    # it takes whole seconds, and a page converts in a tenth of one.
    docling_serve_settings.sync_poll_interval = 0.1

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(
        behind_key(create_app(), docling_serve_settings.api_key), interface="asgi3",
        timeout_keep_alive=60, timeout_graceful_shutdown=1))

    def stop():  # in order, so that docling-serve removes its scratch files
        server.should_exit = True

    end_with_parent(stop)
    listening(listener.getsockname()[1])
    server.run(sockets=[listener])
    os._exit(0)  # a conversion under way runs in a thread that would hold up the exit


main()
