"""What all tests share: settings without the machine's environment, and skips that CI does not forgive."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is. CI tries the same examples each time.
settings.register_profile(
    "prosa",
    deadline=None,
    derandomize=bool(os.environ.get("PROSA_NO_SKIPS")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("prosa")

_NAMES = ("PROSA_", "OPENAI_", "ANTHROPIC_", "MISTRAL_", "OLLAMA_", "DEFAULT_AI_")
_KEPT = frozenset({"PROSA_SOAK", "PROSA_RECORDINGS", "PROSA_NO_SKIPS", "PROSA_CHROMIUM"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Servers and a browser of their own can starve on a busy machine, so those tests may try once more, and
    the summary names each that did. Nobody looks for tests that run alone elsewhere: `make test` would leave
    them out."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here / "engine") or item.path.is_relative_to(here / "e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        else:
            assert not item.get_closest_marker("alone"), f"{item.nodeid} can't run alone there"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(_NAMES) and name not in _KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PROSA_TITLE_MODEL", "off")  # nobody counts on calls that he has not made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Where PROSA_NO_SKIPS is set, a test that did not run has not passed."""
    report = yield
    if report.skipped and os.environ.get("PROSA_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report
