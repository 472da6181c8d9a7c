"""Where one owner's feedback on answers is kept."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.feedback import Feedback, Thumb
from prosa.domain.time import Instant


class Feedbacks(Protocol):
    async def put(self, feedback: Feedback) -> Feedback:
        """Replaces what was said of the message, but for when it was said first. Raises MessageNotFound, and
        InvalidRequest for a message that is no answer."""
        ...

    async def of(self, message_ids: Sequence[str]) -> dict[str, Feedback]:
        """What there is on these messages, by their ids."""
        ...

    async def delete(self, conversation_id: str, message_id: str) -> None:
        """Raises FeedbackNotFound."""
        ...

    async def page(
        self, limit: int, thumb: Thumb | None, before: tuple[Instant, str] | None
    ) -> list[Feedback]:
        """Newest change first; `before` is the (updated_at, message_id) of the last one seen."""
        ...
