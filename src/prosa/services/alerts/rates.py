"""How a model fares lately: which share of its answers failed, and how long they are waited for."""

from collections import deque

from msgspec import Struct

from prosa.domain.alerts import Kind, Rules

MOST = 1_000
"""Answers of one model that are looked back at, and models that are looked at."""

RESTORED = 0.5
"""Once told, a rate has to fall below this share of its threshold before it is told again."""


class Answer(Struct, frozen=True):
    """An answer that ended `at` some seconds; `code` is that of the error it failed with, `waited` the
    seconds to its first word, where there was one."""

    model: str
    at: float
    code: str | None = None
    waited: float | None = None


class Finding(Struct, frozen=True):
    kind: Kind
    model: str
    level: int
    details: dict[str, str]


class Rates:
    def __init__(self, rules: Rules) -> None:
        self.on = rules.errors is not None or rules.latency is not None
        self._rules = rules
        self._answers: dict[str, deque[Answer]] = {}
        self._told: set[tuple[Kind, str]] = set()

    def seen(self, answers: list[Answer]) -> list[Finding]:
        """What is to be told now that these have ended, too."""
        for answer in answers:
            kept = self._answers.pop(answer.model, None) or deque(maxlen=MOST)
            kept.append(answer)
            self._answers[answer.model] = kept  # at the end: who was not asked for longest goes first
            if len(self._answers) > MOST:
                self._forget(next(iter(self._answers)))
        findings = []
        for model in dict.fromkeys(answer.model for answer in answers):
            if model in self._answers:
                findings += self._judge(model)
        return findings

    def _judge(self, model: str) -> list[Finding]:
        rules, answers = self._rules, self._answers[model]
        newest = answers[-1].at
        while answers[0].at < newest - rules.window:
            answers.popleft()
        if len(answers) < rules.least:
            return []
        findings = []
        failed = [answer.code for answer in answers if answer.code is not None]
        if rules.errors is not None and self._crossed(
            Kind.ERRORS, model, len(failed) / len(answers), rules.errors
        ):
            told = {"failed": str(len(failed)), "answers": str(len(answers)), "code": failed[-1] or ""}
            findings.append(Finding(Kind.ERRORS, model, round(rules.errors * 100), told))
        if rules.latency is None:
            return findings
        waits = sorted(answer.waited for answer in answers if answer.waited is not None)
        if len(waits) >= rules.least:
            slow = waits[-(-len(waits) * 95 // 100) - 1]
            if self._crossed(Kind.LATENCY, model, slow, rules.latency):
                told = {"answers": str(len(waits)), "seconds": f"{slow:.2f}"}
                findings.append(Finding(Kind.LATENCY, model, round(rules.latency * 1_000), told))
        return findings

    def _crossed(self, kind: Kind, model: str, value: float, threshold: float) -> bool:
        """Whether it is past the threshold and was not before, or has been well below it since."""
        if value >= threshold:
            if (kind, model) in self._told:
                return False
            self._told.add((kind, model))
            return True
        if value < threshold * RESTORED:
            self._told.discard((kind, model))
        return False

    def _forget(self, model: str) -> None:
        del self._answers[model]
        self._told -= {(Kind.ERRORS, model), (Kind.LATENCY, model)}
