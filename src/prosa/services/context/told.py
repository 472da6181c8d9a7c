"""What a run tells of the context that it sent: the messages by their ids, and how much they were."""

from msgspec import Struct

from prosa.domain.runs import Run
from prosa.ports.store import Records


class Context(Struct, frozen=True):
    """`message_ids` are those that were sent, oldest first, the one that is answered last; `summary_id` is
    that of the summary that stood above them. `left_out` messages were neither sent nor told of in it."""

    message_ids: list[str]
    tokens: int
    estimated: bool
    left_out: int
    summary_id: str | None


async def context_of(records: Records, run: Run) -> Context | None:
    """None of a run that an earlier version began. Raises ConversationNotFound."""
    sent, answered = run.context, run.user_message_id
    if sent is None or answered is None:
        return None
    tree, _ = await records.messages.tree(run.conversation_id)
    path = tree.branch(answered) if answered in tree else [answered]
    above = path.index(sent.summary) + 1 if sent.summary in path else 0
    said = [each for each in path[above:] if each not in tree.summaries]
    if sent.first is None or sent.first not in said:
        ids, left_out = [answered], sent.left_out
    else:
        start = said.index(sent.first)
        ids = said[start:]
        left_out = sent.left_out if sent.summary is not None and not above else start
    return Context(ids, sent.tokens, sent.estimated, left_out, sent.summary if above else None)
