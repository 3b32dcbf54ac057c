"""Keeps docling-serve from sending to other machines what a caller asks it to,
and from reading URLs of this machine and its network.

The check of what is sent stands before the queue of jobs, to which every endpoint hands the
request that it has read. So it judges what docling-serve will do, and not how a
request is written: a key that is given twice, a form, an address such as
127.1 or 0x7f000001. A callback is posted without following redirects, so a
loopback address cannot lead elsewhere.
"""
import ipaddress
import socket
from dataclasses import replace

from fastapi import HTTPException

SOURCES = frozenset({"file", "http"})  # an upload has no kind
TARGETS = frozenset({"inbody", "zip"})
FLAG = "babyapi-local lets its own docling do that with --allow-remote-targets"
LOCAL_FLAG = ("an address of this machine or its network, from which babyapi-local's own docling "
              "reads only with --allow-local-sources")


def is_loopback(host):
    """Names other than localhost are not looked up: they may resolve to another address later."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address((host or "").strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def refusal(sources, targets, callbacks):
    """Why the request is refused, or None."""
    for source in sources:
        if (kind := getattr(source, "kind", "file")) not in SOURCES:
            return f"sources: docling may not read from {kind!r}, only uploads, inline files and URLs"
    for target in targets:
        if target.kind not in TARGETS:
            return f"target: docling may not send the result to {target.kind!r}, only answer with it"
    for callback in callbacks:
        if not is_loopback(callback.url.host):
            return (f"callbacks: docling may not call {callback.url.host or 'a URL without a host'}, "
                    "only localhost and loopback addresses")
    return None


def stay_on_this_machine():
    import docling_serve.app as app
    from docling_jobkit.orchestrators.local.orchestrator import LocalOrchestrator

    # An endpoint that names these otherwise, or not at all, fails with a TypeError: a newer
    # docling-serve cannot get past the check unnoticed.
    enqueue = LocalOrchestrator.enqueue

    async def checked(self, *, sources, targets, callbacks, **rest):
        # 422, as docling-serve itself refuses a target that its operator does not allow
        if reason := refusal(sources, targets, callbacks):
            raise HTTPException(422, f"{reason}; {FLAG}")
        return await enqueue(self, sources=sources, targets=targets, callbacks=callbacks, **rest)

    LocalOrchestrator.enqueue = checked

    # /v1/capabilities tells what is allowed here.
    tell = app.build_capabilities

    def capabilities(*, policy, **rest):
        return tell(policy=replace(policy, allowed_source_types=SOURCES,
                                   allowed_target_types=TARGETS), **rest)

    app.build_capabilities = capabilities


def read_public_addresses_only():
    """Has docling read URLs of public addresses only, and name the flag otherwise.

    docling-core judges each address of a host when it connects, and connects to
    an address that it has judged: so a name that resolves to one of this machine,
    the second time only, is caught, and a redirect, for which it connects again.
    Only a proxy of the user's looks a name up by itself, after docling-core has.
    """
    from docling.backend.utils.image_resource_loader import _validate_ip
    from docling_core.utils import file

    # A docling-core without these fails here, so that a newer one cannot get past unnoticed.
    is_address_safe, is_safe_url = file._is_address_safe, file._is_safe_url
    resolve = file._resolve_safe_addresses

    def is_public(address):
        try:
            _validate_ip(address)  # knows IPv4 addresses within IPv6 ones, as behind NAT64
        except ValueError:
            return False
        return is_address_safe(address)

    def is_public_url(url):
        if is_safe_url(url):
            return True
        host = file.urlparse(url).hostname
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return False  # docling-core says that the URL is not allowed
        addresses = [ipaddress.ip_address(sockaddr[0]) for *_, sockaddr in found]
        refused = next((a for a in addresses if not is_public(a)), None)
        if refused is None:
            return False
        raise ValueError(f"{host} is {refused}, {LOCAL_FLAG}")

    def resolve_public(host, port):
        try:
            return resolve(host, port)
        except ValueError as error:
            if "not allowed" in str(error):
                raise ValueError(f"{error}: {LOCAL_FLAG}") from error
            raise

    file._is_address_safe = is_public
    file._is_safe_url = is_public_url
    file._resolve_safe_addresses = resolve_public
