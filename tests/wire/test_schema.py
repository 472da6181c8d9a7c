"""The API keeps to its own description: every operation, with thousands of requests made from it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from tests.counts import counts
from tests.wire.house import SECRET
from tests.wire.operations import ALL, name_of
from tests.wire.served import Served

from prosa.domain.time import from_iso
from prosa.transport.operation import Operation


class Described(Served):
    """Served, with its own description."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, jwt_secret=SECRET)

    def __enter__(self) -> Self:
        super().__enter__()
        self.session = requests.Session()
        self.session.trust_env = False
        described = self.session.get(f"{self.url}/openapi.json").json()
        if counts(1, 0) == 0:
            shortened(described)
        self.schema = schemathesis.openapi.from_dict(described)
        self.schema.config.update(base_url=self.url)
        rejection = self.schema.config.checks.negative_data_rejection
        # A text that is too long may make the whole body too large: that is a refusal, too.
        rejection.expected_statuses = [*rejection.expected_statuses, "413"]
        return self

    def __exit__(self, *error: object) -> None:
        self.session.close()
        super().__exit__(*error)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    with Described(tmp_path_factory.mktemp("schema")) as served:
        yield served


def shortened(described: Any) -> None:
    """Takes the great lengths out of a description: it takes seconds to make a text that is too long."""
    if isinstance(described, dict):
        if described.get("maxLength", 0) > 1_000:
            del described["maxLength"]
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            shortened(each)


def adjusted(case: schemathesis.Case) -> None:
    """What no schema can say, made true of requests that should be accepted."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    # A cursor is what an earlier answer gave: there is no other valid one.
    case.query.pop("cursor", None)
    # No schema knows how many days a month has.
    for name in ("from", "to", "since", "until"):
        if name in case.query and from_iso(str(case.query[name])) is None:
            del case.query[name]
    _of_access(case)
    if case.path == "/api/files":
        # What is in a file decides whether it is taken.
        case.body = {"file": "Words."}
    if case.path == "/api/import":
        case.body = b'{"format": "prosa", "version": 1, "conversations": []}'
    if isinstance(case.body, dict):
        # The limits of everyone have no subject; and nobody here is to feel any.
        case.body |= {"scope": "client", "subject": "nobody"} if case.path == "/api/admin/limits" else {}
        # A key is used once: a second request with it must be the same.
        case.body.pop("clientMessageId", None)
        # Inside free JSON a schema can't forbid the one character that Postgres has no place for.
        if "\\u0000" in json.dumps(case.body.get("metadata")):
            case.body["metadata"] = {}
        # What a variable may be depends on its type, and no two have one name.
        case.body.pop("variables", None)
        if isinstance(case.body.get("messages"), list):
            # The last of the messages is the user's.
            said = [each for each in case.body["messages"] if _says(each)]
            case.body["messages"] = [*said[-3:], {"role": "user", "content": "x"}]
        # What is chosen has to be there, and no two tools have one name.
        for field in ("tools", "toolChoice", "functions", "tool_choice", "function_call"):
            case.body.pop(field, None)
    case.headers.pop("Idempotency-Key", None)


def _of_access(case: schemathesis.Case) -> None:
    if case.path == "/api/admin/keys" and isinstance(case.body, dict):
        case.body["provider"] = "openai"
    if case.path.endswith("/suspensions"):
        # Either a user or a client.
        named = case.body if isinstance(case.body, dict) else case.query
        named.pop("clientId", None)
        named["userId"] = "somebody"
    if case.path.endswith("/api-keys") and isinstance(case.body, dict):
        # Nothing ends in the past, and what users are called is not all the same.
        case.body.pop("expiresAt", None)
        if "userId" in case.body:
            case.body["userId"] = "somebody"
            case.body.pop("clientId", None)


def _says(message: Any) -> bool:
    """Whether it is a message that needs no other: a result needs a call, and a schema can't say base64."""
    content = message.get("content")
    shown = isinstance(content, list) and any(part.get("type") != "text" for part in content)
    calls = any(each.get("type") == "custom" for each in message.get("tool_calls") or ())
    return message.get("role") not in ("tool", "function") and not shown and not calls


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("operation", ALL, ids=name_of)
def test_every_operation(served: Described, operation: Operation, mode: GenerationMode) -> None:
    described = served.schema[operation.path][operation.method]
    headers = {"Authorization": f"Bearer {served.house.token('ana', roles=['admin'])}"}

    @hypothesis.given(case=described.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=counts(200, 8),
        deadline=None,
        derandomize=counts(0, 1) == 1,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
        database=None,
    )
    def call(case: schemathesis.Case) -> None:
        adjusted(case)
        case.call_and_validate(session=served.session, headers=headers)

    try:
        call()
    except Unsatisfiable:
        # Nothing can be wrong with a request that has neither a body nor a parameter.
        assert mode is GenerationMode.NEGATIVE
