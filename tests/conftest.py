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
    """Nobody looks for tests that run alone elsewhere: `make test` would leave them out."""
    here = Path(__file__).parent
    for item in items:
        if item.get_closest_marker("alone") and not item.path.is_relative_to(here / "engine"):
            assert item.path.is_relative_to(here / "e2e"), f"{item.nodeid} can't run alone there"


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
