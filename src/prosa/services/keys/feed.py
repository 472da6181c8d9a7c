"""How one provider's ring is filled: with a model for each stored key, beside the key of the environment."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prosa.domain.errors import MasterKeyMissing, MisconfiguredError, ProviderNotConfigured, SealBroken
from prosa.domain.keys import KeyState, StoredKey
from prosa.kit.log import log
from prosa.ports.models import ChatModel
from prosa.services.models.keyring import Key, KeyRing

Build = Callable[[str], ChatModel]
"""Makes the provider's model that speaks with a key. Raises MisconfiguredError for what can't be one."""

Open = Callable[[StoredKey], Awaitable[str]]


class Feed:
    """`own` speaks with the key of the environment. Secrets are opened once: a row never gets another."""

    def __init__(self, ring: KeyRing, build: Build, own: ChatModel | None) -> None:
        self.ring = ring
        self._build = build
        self._own = own
        self._models: dict[str, ChatModel] = {}

    async def made(self, secret: str) -> ChatModel:
        """The first of its kind loads a library: a thread waits for it. Raises MisconfiguredError,
        ProviderNotConfigured."""
        return await asyncio.to_thread(self._build, secret)

    async def fill(self, stored: Sequence[StoredKey], open_: Open) -> list[str]:
        """Puts these keys on the ring. Those in use stay there, however they fare; what speaks with one that
        is gone speaks to its end. Answers the ids of those whose seal is broken."""
        models: dict[str, ChatModel] = {}
        broken = []
        for each in stored:
            identity = each.key.id
            try:
                models[identity] = self._models.get(identity) or await self.made(await open_(each))
            except (MasterKeyMissing, MisconfiguredError, ProviderNotConfigured) as error:
                # It is this process that lacks something: others may well use the key.
                log.warning(
                    "provider_key_unused", key=identity, provider=each.key.provider, reason=str(error)
                )
            except SealBroken:
                log.error("provider_key_unreadable", key=identity, provider=each.key.provider)
                broken.append(identity)
        self._models = models
        keys = [
            Key(each.key.id, models[each.key.id], each.key.weight, aside=each.key.state is KeyState.SET_ASIDE)
            for each in stored
            if each.key.id in models
        ]
        own = [] if self._own is None else [Key(None, self._own)]
        self.ring.replace([*own, *keys])
        return broken
