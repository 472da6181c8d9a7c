"""The process of the embedded model: llama.cpp's server on loopback, for as long as its parent lives.

It is started by its path and knows nothing of Prosa. It is a process of its own because llama.cpp, where it
meets something that can't be, aborts.
"""

import json
import os
import signal
import sys
from typing import Any

import xllamacpp

LOOPBACK = "127.0.0.1"
ERRORS_ALONE = 1
PROMPT_CACHE_MIB = 128
BATCH = 64
"""Tokens of a prompt that are read in one go, about a second's work for a slow core. Until a batch is done
nobody can stop the reading, and other answers stand still."""


def main() -> None:
    """Takes its order from stdin, one line of JSON; answers on stdout with one line, `{"url": "http://…"}`;
    lives until stdin ends, which the parent's death makes happen, too.

    The order: `model` (a path), `name`, `api_key`, `threads`, `slots`, `context` (tokens of each slot) and
    `sampling`.
    """
    heed_the_parent_alone()
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what llama.cpp prints must not look like the answer
    server = xllamacpp.Server(parameters(json.loads(sys.stdin.readline())))
    print(json.dumps({"url": server.listening_address}), file=answer, flush=True)
    sys.stdin.read()
    os._exit(0)  # there is nothing to save, and llama.cpp would first end what it is generating


def heed_the_parent_alone() -> None:
    """A terminal and systemd signal all processes of a service; the parent may have answers to finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def parameters(order: dict[str, Any]) -> Any:
    """The order in llama.cpp's terms."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = order["model"]
    wanted.model_alias = {order["name"]}
    wanted.n_parallel = order["slots"]
    wanted.n_ctx = order["slots"] * order["context"]
    wanted.kv_unified = False  # in a shared cache one long conversation makes the answers of all others fail
    wanted.n_batch = wanted.n_ubatch = BATCH
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = order["threads"]
    wanted.cache_ram_mib = PROMPT_CACHE_MIB
    for name, value in order["sampling"].items():
        setattr(wanted.sampling, name, value)

    wanted.hostnames = [LOOPBACK]
    wanted.port = 0
    wanted.api_keys = [order["api_key"]]
    wanted.cors_origins = ""
    wanted.ui = wanted.endpoint_slots = wanted.endpoint_metrics = wanted.endpoint_props = False
    wanted.offline = True
    wanted.verbosity = ERRORS_ALONE
    return wanted


if __name__ == "__main__":
    main()
