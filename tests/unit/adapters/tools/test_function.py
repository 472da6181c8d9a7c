"""Functions as tools: what models are told of them, what they are called with, and what comes back."""

import asyncio
import contextvars
import dataclasses
import datetime as dt
import decimal
import enum
import json
import threading
import uuid
from functools import partial
from typing import Annotated, Any, Literal, Optional

import msgspec
import pydantic
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from prosa.adapters.tools.function import FunctionTool
from prosa.adapters.tools.result import MOST
from prosa.domain.errors import InvalidArguments, MisconfiguredError, ToolFailed
from prosa.domain.principal import Principal
from prosa.ports.tools import Caller
from prosa.services.tools.arguments import arguments_of
from prosa.services.tools.registry import Toolbox

ANA = Caller(Principal("ana", "acme"), "run-1", "conversation-1", "call-1", "pt")


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclasses.dataclass
class Item:
    name: str
    count: int = 1


class Address(pydantic.BaseModel):
    street: str
    number: int | None = None


class Row(msgspec.Struct):
    a: int


class Shop:
    def find(self, item: str) -> str:
        """Finds it."""
        return f"found {item}"

    def __call__(self, item: str) -> str:
        """Calls it."""
        return item


async def call(function: Any, arguments: dict[str, Any] | None = None, **options: Any) -> str:
    """As the engine does: through the schema, then the tool."""
    tool = FunctionTool(function, **options)
    Toolbox([tool])
    return await tool.call(arguments_of(tool.spec, json.dumps(arguments or {})), ANA)


def parameters(function: Any) -> dict[str, Any]:
    return FunctionTool(function).spec.parameters


def test_the_schema() -> None:
    def order(
        item: str,
        count: int = 1,
        size: Literal["small", "large"] = "small",
        note: Annotated[str | None, "For the courier."] = None,
        price: Annotated[float, pydantic.Field(gt=0, description="In euros.")] = 1.0,
    ) -> str:
        """Orders something.

        Args:
            item: What to order.
            count: How many.
            note: Not this text.
            price: Nor this.
        """
        return item

    tool = FunctionTool(order)
    assert (tool.spec.name, tool.spec.description, tool.kind) == ("order", "Orders something.", "function")
    assert tool.spec.parameters == {
        "type": "object",
        "properties": {
            "item": {"type": "string", "description": "What to order."},
            "count": {"type": "integer", "default": 1, "description": "How many."},
            "size": {"type": "string", "enum": ["small", "large"], "default": "small"},
            "note": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "default": None,
                "description": "For the courier.",
            },
            "price": {"type": "number", "exclusiveMinimum": 0, "default": 1.0, "description": "In euros."},
        },
        "required": ["item"],
        "additionalProperties": False,
    }
    assert not tool.always
    assert not tool.needs_approval
    assert tool.timeout == 30


def test_what_is_said_of_it_elsewhere() -> None:
    tool = FunctionTool(Shop().find, name="x", description="Y", always=True, needs_approval=True, timeout=2.5)
    assert (tool.spec.name, tool.spec.description) == ("x", "Y")
    assert (tool.always, tool.needs_approval, tool.timeout) == (True, True, 2.5)


def test_a_function_without_parameters() -> None:
    def now() -> str:
        return "now"

    assert parameters(now) == {"type": "object", "properties": {}, "additionalProperties": False}
    assert FunctionTool(now).spec.description == ""


async def test_arguments_come_in_the_annotated_types() -> None:
    seen: dict[str, Any] = {}

    # Names that a model class has are parameters like any other.
    def take(  # noqa: PLR0917
        json: Size,
        item: Item,
        items: list[Item],
        address: Address,
        day: dt.date,
        amount: decimal.Decimal,
        key: uuid.UUID,
        by_name: dict[str, int],
        pair: tuple[int, str],
        maybe: Optional[int],  # noqa: UP045 - people write it
        schema: int | str = 5,
        model_config: bool = True,
        *,
        only: set[int] = frozenset({3}),  # type: ignore[assignment]
    ) -> None:
        seen.update(locals())

    arguments = {
        "json": "large", "item": {"name": "a"}, "items": [{"name": "b", "count": 2}],
        "address": {"street": "Rua"}, "day": "2026-11-21", "amount": "1.10",
        "key": "01900000-0000-7000-8000-000000000000", "by_name": {"x": 1}, "pair": [1, "b"], "maybe": None,
    }  # fmt: skip
    assert await call(take, arguments) == "null"
    seen.pop("seen", None)
    assert seen == {
        "json": Size.LARGE, "item": Item("a"), "items": [Item("b", 2)], "address": Address(street="Rua"),
        "day": dt.date(2026, 11, 21), "amount": decimal.Decimal("1.10"),
        "key": uuid.UUID("01900000-0000-7000-8000-000000000000"), "by_name": {"x": 1}, "pair": (1, "b"),
        "maybe": None, "schema": 5, "model_config": True, "only": frozenset({3}),
    }  # fmt: skip


async def test_the_caller_is_prosas_to_tell() -> None:
    def who(greeting: str, caller: Caller, other: Caller | None = None) -> str:
        return f"{greeting} {caller.principal.user_id} {caller.call_id} {other is caller}"

    assert list(parameters(who)["properties"]) == ["greeting"]
    assert await call(who, {"greeting": "oi"}) == "oi ana call-1 True"
    with pytest.raises(InvalidArguments, match="caller"):
        await call(who, {"greeting": "oi", "caller": {"principal": {"user_id": "bia"}}})


@pytest.mark.hostile(51)
async def test_the_function_never_sees_what_does_not_fit() -> None:
    calls = []

    def take(day: dt.date, count: int = 1) -> None:
        calls.append(day)

    for arguments in ({}, {"day": 7}, {"day": "no"}, {"day": "2026-11-21", "count": "2"}, {"day": None},
                      {"day": "2026-11-21", "other": 1}):  # fmt: skip
        with pytest.raises(InvalidArguments):
            await call(take, arguments)
    # Formats are the function's own to judge: the schema alone would let this one through.
    tool = FunctionTool(take)
    with pytest.raises(InvalidArguments, match="day"):
        await tool.call(arguments_of(tool.spec, '{"day": "no"}'), ANA)
    assert calls == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("", ""),
        (None, "null"),
        (7, "7"),
        (decimal.Decimal("1.50"), '"1.50"'),
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}'),
        (Item("x", 2), '{"name":"x","count":2}'),
        (Address(street="r"), '{"street":"r","number":null}'),
        ([Row(1)], '[{"a":1}]'),
        (Size.LARGE, '"large"'),
        (dt.date(2026, 11, 21), '"2026-11-21"'),
        ((1, "ção"), '[1,"ção"]'),
        ("a\0\ud800", "a\ufffd\ufffd"),
    ],
)
async def test_results(value: Any, text: str) -> None:
    def give() -> Any:
        return value

    async def give_later() -> Any:
        await asyncio.sleep(0)
        return value

    assert await call(give) == await call(give_later) == text


async def test_a_long_result_is_cut_with_a_note() -> None:
    def long() -> str:
        return "é" * 100_000

    result = await call(long)
    assert result.startswith("é" * (MOST // 2))
    assert len(result.encode()) < MOST + 100
    assert result.endswith(f"[cut here: the result has more than {MOST} bytes]")


async def test_a_sentence_for_the_model() -> None:
    def refuse() -> None:
        raise ToolFailed("There is no order 7. {0.__class__}")

    async def refuse_at_length() -> None:
        raise ToolFailed("x" * 10_000)

    with pytest.raises(ToolFailed, match=r"There is no order 7. \{0"):
        await call(refuse)
    with pytest.raises(ToolFailed) as caught:
        await call(refuse_at_length)
    assert len(str(caught.value)) < 2_100


@pytest.mark.hostile(21)
async def test_an_exception_is_the_operators_to_read() -> None:
    secret = "password-of-the-database"

    def fail(kind: int) -> Any:
        if kind == 6:
            return object()
        raise (ValueError(secret), TimeoutError(secret), KeyError(secret), SystemExit(secret),
               StopIteration(secret), KeyboardInterrupt(secret))[kind]  # fmt: skip

    async def fail_later(kind: int) -> Any:
        raise (ValueError(secret), TimeoutError(secret), KeyError(secret))[kind % 3]

    with structlog.testing.capture_logs() as logs:
        for kind in range(7):
            for function in (fail, fail_later):
                with pytest.raises(ToolFailed) as caught:
                    await call(function, {"kind": kind})
                assert str(caught.value) == f"{function.__name__} failed."
                assert secret not in repr(caught.value.__cause__)
    assert len(logs) == 14
    assert logs[0]["tool"] == "fail"
    assert "ValueError" in logs[0]["exception"]


async def test_a_call_that_takes_too_long_ends() -> None:
    gate, ended = threading.Event(), asyncio.Event()

    def block() -> None:
        gate.wait(20)

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    for function in (block, hang):
        with pytest.raises(ToolFailed, match=r"took longer than 0.05 seconds"):
            await call(function, timeout=0.05)
    assert ended.is_set()
    gate.set()


async def test_functions_that_hang_do_not_pile_up() -> None:
    gate, running = threading.Event(), []

    def block() -> None:
        running.append(1)
        gate.wait(20)

    tool = FunctionTool(block, timeout=0.2)
    results = await asyncio.gather(*(tool.call({}, ANA) for _ in range(40)), return_exceptions=True)
    assert all(isinstance(each, ToolFailed) for each in results)
    assert len(running) == 16
    gate.set()
    async with asyncio.timeout(10):
        while (await asyncio.gather(tool.call({}, ANA), return_exceptions=True)) != ["null"]:
            pass


async def test_sync_functions_do_not_hold_up_the_loop() -> None:
    context = contextvars.ContextVar("context", default="none")
    gate = threading.Event()

    def wait_for_the_loop() -> str:
        assert gate.wait(20)
        return f"{context.get()} {threading.current_thread().daemon}"

    context.set("mine")
    asyncio.get_running_loop().call_later(0.01, gate.set)
    assert await call(wait_for_the_loop) == "mine True"


async def test_whatever_can_be_called() -> None:
    async def later(prefix: str, item: str) -> str:
        return prefix + item

    assert await call(Shop().find, {"item": "x"}) == "found x"
    assert await call(Shop(), {"item": "x"}, name="shop") == "x"
    assert FunctionTool(Shop()).spec.name == "Shop"
    assert await call(partial(later, "a-"), {"item": "x"}, name="p") == "a-x"
    assert FunctionTool(partial(Shop().find), name="p").spec.description == "Finds it."
    assert await call(lambda: "l", name="l") == "l"


def bare(item) -> str:  # type: ignore[no-untyped-def]
    return item


def unknown(item: "Nonsense") -> str:  # type: ignore[name-defined]  # noqa: F821
    return item


def opaque(item: threading.Lock) -> str:
    return str(item)


def called(item: type[Any]) -> str:
    return str(item)


def many(*items: str) -> str:
    return str(items)


def named(**items: str) -> str:
    return str(items)


def positional(item: str, /) -> str:
    return item


@pytest.mark.parametrize("function", [bare, unknown, opaque, many, named, positional])
def test_functions_that_no_model_can_call(function: Any) -> None:
    with pytest.raises(MisconfiguredError, match=function.__name__):
        FunctionTool(function)


def test_a_timeout_of_nothing() -> None:
    with pytest.raises(MisconfiguredError, match="timeout"):
        FunctionTool(positional, timeout=0)


INT = st.integers(-(2**53), 2**53)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
ITEMS = st.builds(Item, TEXT, INT)


@given(
    name=TEXT,
    size=st.sampled_from(Size),
    items=st.lists(ITEMS, max_size=3),
    maybe=st.none() | INT,
    by_name=st.dictionaries(TEXT, ITEMS, max_size=3),
    when=st.datetimes(),
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    rate=st.floats(allow_nan=False, allow_infinity=False),
    given=st.sets(st.sampled_from(["size", "items", "maybe", "by_name", "when", "amount", "rate"])),
)
def test_values_of_the_types_go_out_by_the_schema_and_come_back(
    given: set[str], name: str, **values: Any
) -> None:
    """Whatever the annotated types can hold is taken by the schema, and arrives as it was."""
    seen: dict[str, Any] = {}

    async def take(  # noqa: PLR0917
        name: str,
        size: Size = Size.SMALL,
        items: list[Item] | None = None,
        maybe: int | None = None,
        by_name: dict[str, Item] | None = None,
        when: dt.datetime | None = None,
        amount: decimal.Decimal | None = None,
        rate: float = 0.0,
    ) -> None:
        seen.update({"name": name, "size": size, "items": items, "maybe": maybe, "by_name": by_name,
                     "when": when, "amount": amount, "rate": rate})  # fmt: skip

    chosen = {"name": name} | {key: values[key] for key in given}
    tool = FunctionTool(take)
    sent = arguments_of(tool.spec, msgspec.json.encode(chosen).decode())
    assert asyncio.run(tool.call(sent, ANA)) == "null"
    assert {key: seen[key] for key in chosen} == chosen
