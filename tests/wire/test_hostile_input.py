"""Bad input on every route: refused with a code and a sentence, by a process that lives on and never stalls."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.wire.house import NOBODY, House, told
from tests.wire.operations import ALL, NOBODY_IDS, WRITES, Ids, body_of, example_of, fields_of, name_of
from tests.work import never_stalling

from prosa.transport.middleware.bodies import LIMIT
from prosa.transport.operation import Operation

DEEP = 100_000
HUGE = 50 * 1024 * 1024


def bodies(operation: Operation, ids: Ids) -> Iterator[tuple[str, bytes]]:
    """(what is wrong, the body)."""
    good, right = body_of(operation, ids), example_of(operation).right
    raw = json.dumps(good).encode()
    first = json.dumps(next(iter(good))).encode()
    yield "no body", b""
    for text in (
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"true",
        b"NaN",
        b"Infinity",
        b"1e400",
        b"{",
        b"{}}",
        b"\xff",
        b"\x00",
    ):
        yield text.decode("latin-1"), text
    for name in fields_of(operation):
        for wrong in (17.5, {"a": {}}, [[1]], False):
            if (name == "metadata" and wrong == {"a": {}}) or wrong in right.get(name, ()):
                continue
            yield f"{name}: {wrong}", json.dumps(good | {name: wrong}).encode()
        for wrong in (
            b"NaN",
            b"1e400",
            b"-Infinity",
            b'"\\ud800"',
            b'"a\\u0000"',
            b'"\xed\xa0\x80"',
            b"1" * 5000,
        ):
            rest = json.dumps({key: value for key, value in good.items() if key != name}).encode()[1:-1]
            yield (
                f"{name}: {wrong[:12]!r}",
                b'{"%b":%b%b}' % (name.encode(), wrong, b"," + rest if rest else b""),
            )
    yield (
        "a key twice",
        raw[:-1] + b"," + first + b":" + json.dumps(next(iter(good.values()))).encode() + b"}",
    )
    yield "a key twice, once escaped", raw[:-1] + b',"\\u%04x%b:"y"}' % (first[1], first[2:])
    yield "a key twice where nobody looks", raw[:-1] + b',"unknown":{"a":1,"a":1}}'
    yield "deep lists", b"[" * DEEP
    yield "deep objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    yield "deep where nobody looks", raw[:-1] + b',"unknown":' + b"[" * DEEP + b"]" * DEEP + b"}"
    yield "many values", raw[:-1] + b',"unknown":[' + b"{}," * 600_000 + b"1]}"
    yield "many keys", raw[:-1] + b"".join(b',"%d":1' % number for number in range(150_000)) + b"}"
    yield "many words", raw[:-1] + b',"unknown":[' + b'"",' * 600_000 + b"1]}"


@pytest.mark.hostile(24)
@pytest.mark.hostile(25)
@pytest.mark.parametrize("operation", WRITES, ids=name_of)
async def test_a_body_that_is_none(local: House, operation: Operation) -> None:
    start = (await local.send(await local.conversation()))[0]
    ids = Ids(start["conversationId"], start["messageId"], start["userMessageId"], start["runId"])
    before = len(local.calls)
    async with local.client() as client:
        for what, raw in bodies(operation, ids):
            async with never_stalling():
                answer = await client.request(
                    operation.method,
                    ids.path(operation),
                    content=raw,
                    headers={"Content-Type": "application/json"},
                )
            assert 400 <= answer.status_code < 500, (what, answer.text)
            assert told(answer)["code"] in (
                "invalid_request",
                "too_large",
                "not_supported",
            ), (
                what,
                answer.text,
            )
            assert told(answer)["message"], what
            assert len(answer.content) < 1_000, what
    assert len(local.calls) == before


async def of(total: int) -> AsyncIterator[bytes]:
    piece = b"x" * 65_536
    for _ in range(total // len(piece)):
        yield piece


@pytest.mark.hostile(24)
async def test_fifty_megabytes_on_every_route(listening: House) -> None:
    process = os.getpid()
    for operation in ALL:
        announced = {"Content-Type": "application/json", "Content-Length": str(HUGE)}
        chunked = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        for headers in (announced, chunked) if operation in WRITES else (announced,):
            async with listening.client() as client, never_stalling():
                answer = await client.request(
                    operation.method, NOBODY_IDS.path(operation), content=of(HUGE), headers=headers
                )
            if operation in WRITES:
                assert (answer.status_code, told(answer)["code"]) == (413, "too_large"), name_of(operation)
            else:
                assert answer.status_code < 500, name_of(operation)
    assert (await listening.get("/health")).status_code == 200
    assert os.getpid() == process


@pytest.mark.hostile(24)
@pytest.mark.parametrize("length", [LIMIT, LIMIT + 1])
async def test_the_limit_is_where_it_is(local: House, length: int) -> None:
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        raw = b'{"title":"x"' + b" " * (length - 13) + b"}"
        assert len(raw) == length
        content = raw if not headers else _pieces(raw)
        answer = await local.post(
            "/api/conversations", content=content, headers=headers | {"Content-Type": "application/json"}
        )
        assert answer.status_code == (201 if length == LIMIT else 413)


async def _pieces(raw: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), 65_536):
        yield raw[at : at + 65_536]


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "²", "9" * 400, "+1", " ", "0x10"])
async def test_a_length_that_is_none(local: House, length: str) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/conversations", "query_string": b"", "root_path": "",
             "headers": [(b"host", b"localhost"), (b"content-length", length.encode("latin-1"))]}  # fmt: skip
    await local.app(scope, None, send)
    assert sent[0]["status"] in (400, 413)


@pytest.mark.hostile(24)
@pytest.mark.hostile(27)
@pytest.mark.parametrize("operation", [each for each in ALL if "{" in each.path], ids=name_of)
async def test_ids_of_all_kinds(local: House, operation: Operation) -> None:
    odd = ["x", "0", "-1", "%00", "%ff", "%e2%80%ae", "%F0%9F%98%80", "..", "%2e%2e", "%2F", "a%2Fb", "' OR '1'='1", "{x}",
           "%25s", NOBODY + "0", NOBODY[:-1], "{" + NOBODY + "}", "urn:uuid:" + NOBODY, "9" * 10_000]  # fmt: skip
    async with local.client() as client:
        for wrong in odd:
            path = Ids(*[wrong] * len(Ids._fields)).path(operation)
            body = body_of(operation, NOBODY_IDS)
            async with never_stalling():
                answer = await client.request(
                    operation.method, path, json=body if operation in WRITES else None
                )
            if answer.url.path in {each.path for each in ALL}:
                continue  # the client itself has taken the dots for a step up, to a route without an id
            assert answer.status_code in (404, 405), wrong
            assert told(answer)["message"]


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    "operation", [each for each in ALL if each.query.__struct_encode_fields__], ids=name_of
)
async def test_queries_of_all_kinds(local: House, operation: Operation) -> None:
    start = (await local.send(await local.conversation()))[0]
    ids = Ids(start["conversationId"], start["messageId"], start["userMessageId"], start["runId"])
    odd = ["", "x", "-1", "0", "201", "1.5", "1e400", "NaN", "true", "null", "[]", "\x00", "\ud7ff", "' OR 1=1 --", "9" * 5_000,
           "asc; DROP TABLE messages", "\u0661", "1 ", "0x10", "1_0"]  # fmt: skip
    kind = {"Content-Type": operation.uploads[0]} if operation.uploads else {}
    async with local.client() as client:
        for name in operation.query.__struct_encode_fields__:
            for wrong in odd:
                async with never_stalling():
                    answer = await client.request(
                        operation.method, ids.path(operation), params={name: wrong}, headers=kind
                    )
                assert answer.status_code in (200, 204, 400, 404), (name, wrong)
                assert answer.status_code < 300 or answer.json()["message"]
        many = "&".join(f"{name}=1" for _ in range(500) for name in operation.query.__struct_encode_fields__)
        async with never_stalling():
            assert (await client.get(ids.path(operation) + "?" + many)).status_code < 500
