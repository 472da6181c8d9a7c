"""Where users' files are kept: what is known of them, in the store, and their bytes, the blobs.

A blob has no owner and no name but its file's id: whoever asks for one has found the file before.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol

from prosa.domain.files import File
from prosa.domain.time import Instant


class Files(Protocol):
    """Those of one principal."""

    async def add(self, file: File, limit: int | None) -> None:
        """Raises FilesFull where all that the owner has would be more than `limit` bytes, exactly, whoever
        adds at the same time."""
        ...

    async def used(self) -> int:
        """Bytes that the owner's files have together."""
        ...

    async def get(self, file_id: str) -> File:
        """Raises FileNotFound."""
        ...

    async def many(self, file_ids: Sequence[str]) -> dict[str, File]: ...

    async def of(self, conversation_id: str) -> list[str]:
        """The ids of the files of a conversation; none of one that does not exist."""
        ...

    async def delete(self, file_id: str) -> None:
        """Raises FileNotFound, FileSent."""
        ...


class KnownFiles(Protocol):
    """Those of all users, for the sweep."""

    async def expire(self, before: Instant) -> list[str]:
        """Forgets those that were added before then and never sent; answers their ids."""
        ...

    async def known(self, file_ids: Sequence[str]) -> set[str]:
        """Those of the ids that there are."""
        ...


class Draft(Protocol):
    """A blob that is being written. Call it in a thread, as all of `Blobs`."""

    def write(self, data: bytes) -> None: ...

    @property
    def file(self) -> BinaryIO:
        """What was written so far, to be read."""
        ...

    def keep(self, identity: str) -> None:
        """From now on it is the blob of `identity`, whatever becomes of this process."""
        ...

    def discard(self) -> None:
        """Unless it is kept already, nothing of it stays. Safe to call twice, and from any thread."""
        ...


class Blobs(Protocol):
    """All wait for files, so call them in a thread; all raise FilesUnavailable."""

    def prepare(self) -> None:
        """Makes sure that blobs can be kept. Raises MisconfiguredError where they can't."""
        ...

    def complaint(self) -> str | None:
        """A sentence for the operator where blobs can't be kept, or some of those here are another
        database's. Changes nothing."""
        ...

    def begin(self) -> Draft: ...

    def open(self, identity: str) -> BinaryIO:
        """Raises FileNotFound where its bytes are gone."""
        ...

    def remove(self, identities: Iterable[str]) -> None:
        """Those that are there."""
        ...

    def kept(self, before: Instant) -> Iterator[list[str]]:
        """The ids of all blobs that were kept before then, some at a time; none where they are another
        database's."""
        ...

    def clear(self, before: Instant) -> None:
        """Takes away what was begun before then and neither kept nor discarded."""
        ...
