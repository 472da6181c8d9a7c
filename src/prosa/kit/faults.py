"""Exceptions as they may be told: where it happened, and of what was said only what can't be content."""

import traceback
from collections.abc import Iterator

HIDDEN = "…"


def saying(error: BaseException) -> str:
    """What an exception says, as far as nobody's words can be in it: a code, or what the system said."""
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return code
    if isinstance(error, OSError):
        return error.strerror or ""
    return HIDDEN if error.args else ""


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that led to it, the first cause first."""
    links = [error]
    while (before := _cause(links[-1])) is not None and before not in links:
        links.append(before)
    yield from reversed(links)


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def told(error: BaseException, *, content: bool = False) -> str:
    """A traceback; what was said in it is all there with `content`."""
    if content:
        return "".join(traceback.format_exception(error)).rstrip()
    lines: list[str] = []
    for link in chain(error):
        if link.__traceback__ is not None:
            lines += ["Traceback (most recent call last):\n", *traceback.format_tb(link.__traceback__)]
        said = saying(link)
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}{said and ': '}{said}\n")
    return "".join(lines).rstrip()
