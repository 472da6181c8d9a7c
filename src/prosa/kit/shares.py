"""Shares of what all want at once: each who wants of it gets so many at a time, whatever he asks for."""

import asyncio
from weakref import WeakValueDictionary


class Shares:
    """One for each who wants something now: `most` of his are let in at a time, in their order. Nothing is
    remembered of those who want nothing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Semaphore:
        share = self._known.get(name)
        if share is None:
            share = self._known[name] = asyncio.Semaphore(self._most)
        return share
