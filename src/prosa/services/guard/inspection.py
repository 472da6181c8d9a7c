"""What goes to a model, looked at by rules: refused, worth a look, or with something else in its place."""

from collections.abc import Iterable, Sequence

from prosa.domain.models import BLOCKED, ChatRequest, Flagged, Role
from prosa.domain.moderation import ContentBlocked
from prosa.services.guard.masking import masked, said
from prosa.services.guard.placeholders import Vault
from prosa.services.guard.rules import Note, Rule
from prosa.services.guard.tables import MaskingTable

REMOVED = "[This was removed: it is against the rules of this service.]"
"""What a reader is told in place of what he may not see."""

LEFT_OUT = "[removed]"
"""What a model is told: no more tokens than were held for the shortest of messages."""


def newest(request: ChatRequest) -> int:
    """The place of the first turn that nobody has answered yet: the user's last one, or all that he said
    without an answer between."""
    users = [turn.role is Role.USER for turn in request.turns]
    place = len(users)
    while place and not users[place - 1]:
        place -= 1
    while place and users[place - 1]:
        place -= 1
    return place


def news(request: ChatRequest, start: int, own: str | None) -> list[str]:
    """What the caller, and his tools, say from turn `start` on; instructions, too, unless they are the
    operator's `own`."""
    told = [] if request.system in (None, own) else [request.system or ""]
    for turn in request.turns[start:]:
        if turn.role in (Role.USER, Role.TOOL):
            told += said(turn)
    return told


def refuse(texts: Iterable[str], rules: Sequence[Rule], note: Note) -> None:
    """Raises ContentBlocked where one of `rules` blocks one of `texts`, ModerationUnavailable."""
    for text in texts:
        for rule in rules:
            if rule.table.action == "mask" or not rule.find(text):
                continue
            if rule.table.action == "block":
                note(Flagged(rule.name, "input", (BLOCKED,)))
                raise ContentBlocked
            note(Flagged(rule.name, "input"))


def prepared(
    request: ChatRequest, start: int, rules: Sequence[Rule], masking: MaskingTable | None, vault: Vault
) -> ChatRequest:
    """As a provider may see it. What was answered before turn `start` and would be blocked now is left out,
    and the conversation goes on without it. Raises ModerationUnavailable."""
    maskers = [rule for rule in rules if rule.table.action == "mask"]
    blockers = [rule for rule in rules if rule.table.action == "block"]

    def mask(text: str) -> str:
        for rule in maskers:
            text = rule.masked(text, vault)
        return text if masking is None else vault.mask(text, masking.kinds)

    def older(text: str) -> str:
        return LEFT_OUT if any(rule.find(text) for rule in blockers) else mask(text)

    if masking is None and not maskers and not blockers:
        return request
    return masked(request, mask, older, start)
