"""Finds an Ollama server in what people write for its address."""

import re

ENDPOINT = re.compile(r"/+(?:(?:v1|api(?:/(?:generate|chat))?)/*)?$")
SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")


def server_base(url: str) -> str:
    """The base URL in `url`, which may be it, or a full `…/api/generate` or `…/api/chat`, or what OpenAI's
    clients take (`…/v1`), or lack its scheme.

    A query is kept.
    """
    address, mark, query = url.strip().partition("?")
    if not SCHEME.match(address):
        address = "http://" + address
    return ENDPOINT.sub("", address) + mark + query
