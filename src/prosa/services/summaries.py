"""Summaries of long branches: made in the background after a run, one at a time in each conversation."""

from msgspec import Struct

from prosa.domain.conversations import Conversation, Message, MessageKind, MessageStatus
from prosa.domain.ending import Ending
from prosa.domain.errors import ContentRefused, ProsaError, ShuttingDown
from prosa.domain.ids import between
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.ports.store import Store
from prosa.services.background import Background
from prosa.services.completions import Completions
from prosa.services.context import summary, window
from prosa.services.context.counter import Counter
from prosa.services.context.encodings import encoding_of
from prosa.services.models.catalogue import Catalogue, Choice
from prosa.services.runs.engine import Ended
from prosa.services.runs.start import Defaults

OFF = "off"
"""The setting with which nothing is summarised."""

CLAIM = 300 * SECOND
"""How long nobody else writes a summary in a conversation: while one is written, and after a failure."""


class Branch(Struct, frozen=True):
    """The branch to look at: that which ends at `leaf`, as `model` is shown it; `beside` are the tokens of
    instructions and tools."""

    principal: Principal
    conversation_id: str
    leaf: str
    model: Choice
    beside: int = 0


class Summaries:
    """`after` is told of each run that has ended, and costs nothing unless its branch is long."""

    def __init__(
        self, store: Store, catalogue: Catalogue, completions: Completions, defaults: Defaults
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._completions = completions
        self._defaults = defaults
        self._counter = Counter(store)
        self.background = Background("prosa-summary")

    def after(self, ended: Ended) -> None:
        """Looks at the branch that a run has made longer, in the background, if it may be too long."""
        run, prepared, ending, sent = ended.run, ended.prepared, ended.ending, ended.prepared.sent
        if sent is None or sent.first is None or self._idle(run.conversation_id, prepared.window):
            return
        about = summary.near(sent, _size(ending), encoding_of(ending.model))
        if about <= summary.limit(prepared.window, self._defaults.max_output_tokens) and not sent.left_out:
            return
        beside = window.tokens((), prepared.request.system, prepared.request.tools)
        choice = Choice(ending.provider, ending.model, run.route)
        branch = Branch(ended.principal, run.conversation_id, run.message_id, choice, beside)
        self.background.begin(run.conversation_id, self._look(branch))

    async def write(self, branch: Branch, *, asked: bool = False) -> Message | None:
        """Writes a summary if the branch is too long for its model, or if one is `asked` for and there is
        something to tell of. None where there is not, and where somebody else writes one.

        Raises what asking a model raises; then nobody tries again for a while.
        """
        cut = await self._cut(branch, asked=asked)
        records = self._store.of(branch.principal).summaries
        moment = now()
        until = Instant(moment + CLAIM)
        if cut is None or not await records.claim(branch.conversation_id, moment, until):
            return None
        try:
            cut = await self._cut(branch, asked=asked)  # somebody may have written one before the claim
            written = None if cut is None else await self._written(branch, cut, until)
        except ShuttingDown:
            await records.let_go(branch.conversation_id, until)
            raise
        await records.let_go(branch.conversation_id, until)
        return written

    async def of(self, principal: Principal, conversation: Conversation) -> Message | None:
        """A summary of the branch that is shown, because it is asked for. Raises what `write` raises."""
        if conversation.head_id is None:
            return None
        model = self._catalogue.choose((conversation.provider, conversation.model))
        branch = Branch(principal, conversation.id, conversation.head_id, model)
        return await self.write(branch, asked=True)

    def _idle(self, conversation_id: str, context: int) -> bool:
        """Whether nothing is to be done, whatever the branch: it is off, too small, being done, too late."""
        model = self._defaults.summary_model
        small = context <= summary.SMALL and model is None
        return small or model == OFF or conversation_id in self.background or self._completions.draining

    async def _look(self, branch: Branch) -> None:
        try:
            await self.write(branch)
        except ProsaError as error:
            log.warning("no_summary", conversation_id=branch.conversation_id, code=error.code)
        except Exception:  # noqa: BLE001 - a task's edge: a conversation goes on without a summary, too
            log.exception("summary_broke", conversation_id=branch.conversation_id)

    async def _cut(self, branch: Branch, *, asked: bool) -> summary.Cut | None:
        records = self._store.of(branch.principal).summaries
        shown = await records.branch(branch.conversation_id, branch.leaf)
        context = self._catalogue.window(branch.model)
        encoding = encoding_of(branch.model.model)
        tokens = await self._counter.tokens(branch.principal, branch.conversation_id, shown, encoding)
        most = summary.limit(context, self._defaults.max_output_tokens)
        if not asked and sum(tokens) + branch.beside <= most:
            return None
        return summary.cut(shown, tokens, context)

    async def _written(self, branch: Branch, cut: summary.Cut, until: Instant) -> Message | None:
        name = self._defaults.summary_model or _name(branch.model)
        choice = self._catalogue.choose((None, name))
        context = self._catalogue.window(choice)
        notes, most = cut.summary, summary.longest(context)
        writer = choice
        for piece in summary.pieces(cut.older, context):
            notes, writer = await self._noted(branch, name, notes, piece, most)
            if not notes:
                raise ContentRefused(writer.provider)
        if notes is None:
            return None  # nothing was said in it
        made = Message(
            id=between(cut.above, cut.below),
            user_id=branch.principal.user_id,
            conversation_id=branch.conversation_id,
            parent_id=cut.above,
            role=Role.SYSTEM,
            content=notes,
            status=MessageStatus.COMPLETED,
            run_id=None,
            provider=writer.provider,
            model=writer.model,
            created_at=now(),
            kind=MessageKind.SUMMARY,
        )
        inserted = await self._store.of(branch.principal).summaries.insert(made, cut.below, until)
        return made if inserted else None

    async def _noted(
        self, branch: Branch, name: str, notes: str | None, piece: str, most: int
    ) -> tuple[str, Choice]:
        asked = summary.question(name, notes, piece, most)
        begun = await self._completions.begin(
            branch.principal,
            asked,
            most=asked.max_tokens,
            conversation_id=branch.conversation_id,
            beside=True,
        )
        async with begun as (generation,):
            said = await generation.text()
        return summary.shortened(said, most), Choice(generation.provider, generation.model)


def _name(choice: Choice) -> str:
    return choice.route or f"{choice.provider}/{choice.model}"


def _size(ending: Ending) -> int:
    """The bytes of an answer, and more."""
    return window.size(ending.content) + window.OVERHEAD + sum(map(window.size_of_part, ending.parts))
