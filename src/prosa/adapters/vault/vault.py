"""The vault: which master key seals, which ones open, and how one takes the place of another."""

from functools import cached_property
from pathlib import Path

from prosa.adapters.vault.file import KeyFile
from prosa.adapters.vault.master import Master, fresh, given
from prosa.domain.errors import MasterKeyMissing, MisconfiguredError
from prosa.domain.keys import Place, Sealed

SETTING, OLD_SETTING = "PROSA_SECRET_KEY", "PROSA_SECRET_KEY_OLD"


class Vault:
    """Serves `ports.keys.Vault`.

    `key` and `old` are the operator's settings; `file` is where a master key is kept that nobody has set
    (None: it must be set). With `key` set, the file's are old ones.
    """

    def __init__(self, key: str | None, old: str | None, file: Path | None) -> None:
        self._given = key
        self._old = old
        self._file = None if file is None else KeyFile(file)

    def masters(self) -> tuple[str, ...]:
        return tuple(self._masters)

    def prepare(self) -> None:
        if self._masters:
            return
        if self._file is None:
            raise MisconfiguredError(
                f"{SETTING} is not set, so no provider key can be sealed. Set it, on all nodes to the same, "
                "for example to the output of `openssl rand -hex 32`."
            )
        self._keep((fresh(),))

    def seal(self, secret: str, place: Place) -> Sealed:
        master = next(iter(self._masters.values()))
        return Sealed(master.seal(secret, place), master.name)

    def open(self, sealed: Sealed, place: Place) -> str:
        master = self._masters.get(sealed.master)
        if master is None:
            raise MasterKeyMissing
        return master.open(sealed.data, place)

    def renew(self) -> None:
        if len(self._masters) > 1:
            return
        if self._given is not None or self._file is None:
            raise MisconfiguredError(
                f"{SETTING} is yours to replace: set {OLD_SETTING} to what it is now and {SETTING} to "
                "the new one, restart, and then rotate."
            )
        self._keep((fresh(), *self._masters.values()))

    def begun(self) -> bool:
        return self._given is None and self._file is not None and len(self._masters) > 1

    def settle(self) -> None:
        if self.begun():
            self._keep(tuple(self._masters.values())[:1])

    @cached_property
    def _masters(self) -> dict[str, Master]:
        """By name, the one that seals first. Read when first needed: who has no stored keys needs no file."""
        kept = () if self._file is None else self._file.read()
        return _by_name((*(given(text) for text in (self._given, self._old) if text is not None), *kept))

    def _keep(self, masters: tuple[Master, ...]) -> None:
        assert self._file is not None
        self._file.write(masters)
        self.__dict__["_masters"] = _by_name(masters)


def _by_name(masters: tuple[Master, ...]) -> dict[str, Master]:
    return {master.name: master for master in masters}
