"""Where conversations, runs, the journal and the ledger are kept.

`Store.of` gives the records of one principal: what is not theirs does not exist. `Store.engine` gives the
engine's view over the runs of all users, which no request ever uses. Each call is one transaction. All raise
`domain.errors.StoreUnavailable` when the database can't be used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from prosa.domain.context import Counts, Shown
from prosa.domain.conversations import EVERY, Conversation, Filter, Message
from prosa.domain.ending import Append, Boundary, Ending, Entry
from prosa.domain.imports import Planted, Planting
from prosa.domain.limits import Bound, Limits, Remaining
from prosa.domain.load import Held, Load
from prosa.domain.opening import Begun, Holding, Measure, Opening, Prepare
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.search import Found, Sought, Spot
from prosa.domain.steps import Resumed, Step, Verdict
from prosa.domain.stretch import Place, Stretch
from prosa.domain.time import Instant
from prosa.domain.timing import Progress
from prosa.domain.tree import Tree
from prosa.ports.access import Access
from prosa.ports.alerts import Alerts
from prosa.ports.answers import Answers
from prosa.ports.audit import OperatorRecords
from prosa.ports.erasure import Erasures, Remains
from prosa.ports.feedback import Feedbacks
from prosa.ports.files import Files, KnownFiles
from prosa.ports.keys import ProviderKeys
from prosa.ports.limits import KnownLimits
from prosa.ports.rates import Rates
from prosa.ports.retention import Ages
from prosa.ports.templates import Templates
from prosa.ports.tickets import Tickets
from prosa.ports.usage import Usages


class Conversations(Protocol):
    async def create(self, conversation: Conversation) -> tuple[Conversation, bool]:
        """Stores it and answers (conversation, True); where the owner has one with its `external_id`
        already, answers (that one, False)."""
        ...

    async def get(self, conversation_id: str) -> Conversation:
        """Raises ConversationNotFound."""
        ...

    async def by_external_id(self, external_id: str) -> Conversation | None: ...

    async def page(
        self, limit: int, before: tuple[Instant, str] | None, wanted: Filter = EVERY
    ) -> list[Conversation]:
        """Newest change first, of those of no ticket; `before` is the last one's (updated_at, id)."""
        ...

    async def update(self, conversation_id: str, changes: dict[str, Any], now: Instant) -> Conversation:
        """Sets the named fields (title, status, system_prompt, provider, model, metadata, head_id, pinned,
        archived); to pin and to archive is no change that makes it the newest. A head that is no leaf, or
        None, stands for the newest leaf below it. Raises ConversationNotFound; MessageNotFound for a head
        that is no message of it."""
        ...

    async def claim_title(self, conversation_id: str) -> bool:
        """Answers True once, on whichever node, for a conversation that waits for a title."""
        ...

    async def entitle(self, conversation_id: str, title: str) -> bool:
        """Gives it the title that was claimed, and answers True, unless its owner has given it one since."""
        ...

    async def delete(self, conversation_id: str) -> None:
        """With all that hangs on it, but for the ledger. Raises ConversationNotFound."""
        ...


class Messages(Protocol):
    async def tree(self, conversation_id: str) -> tuple[Tree, str | None]:
        """The tree of ids and the head. Raises ConversationNotFound."""
        ...

    async def get(self, conversation_id: str, message_id: str) -> Message:
        """Raises MessageNotFound."""
        ...

    async def many(self, conversation_id: str, message_ids: Sequence[str]) -> dict[str, Message]: ...

    async def stretch(
        self,
        conversation_id: str,
        head: str | None,
        order: Literal["asc", "desc"],
        limit: int,
        place: Place | None,
    ) -> Stretch:
        """At most `limit` messages of the branch that ends at `head` (None: the one that is shown), past
        `place`. Raises ConversationNotFound, MessageNotFound (`head`), InvalidRequest (`place`)."""
        ...

    async def placed(self, conversation_id: str, message_id: str) -> tuple[Message, list[str]]:
        """A message and its siblings' ids, itself included, in the order of their making. Raises
        ConversationNotFound, MessageNotFound."""
        ...

    async def append(self, message: Message, *, at_head: bool) -> Message:
        """Stores a message without a run and makes it the head; under the present head where `at_head`,
        else under its `parent_id`. Raises ConversationNotFound, ConversationClosed, MessageNotFound (the
        parent), RunInProgress."""
        ...

    async def seed(self, messages: Sequence[Message]) -> None:
        """Stores messages of one conversation, each under the one before, the first under the present head;
        the last becomes the head. Raises what `append` raises."""
        ...

    async def rewrite(self, conversation_id: str, message_id: str, content: str, now: Instant) -> Message:
        """Replaces the text, and takes out the summaries that tell of it. Raises MessageNotFound,
        RunInProgress."""
        ...

    async def count(self, conversation_id: str, counted: Mapping[str, Counts]) -> None:
        """Keeps counts of tokens, by message; those of messages that are not there are dropped."""
        ...

    async def delete(
        self, conversation_id: str, message_id: str, now: Instant, *, subtree: bool = True
    ) -> None:
        """With its subtree and the runs that wrote it, but for the ledger; the head moves to what remains.
        A summary goes alone. Raises MessageNotFound, RunInProgress; MessageHasReplies where the subtree is to
        stay."""
        ...

    async def clear(self, conversation_id: str, now: Instant) -> None:
        """Deletes all messages and runs, those that go on, too, but for the ledger. Raises
        ConversationNotFound."""
        ...


class Runs(Protocol):
    async def begin(self, opening: Opening, prepare: Prepare) -> Begun:
        """The transaction before the provider is called: the user's message, the empty answer, the run, the
        reservation and the idempotency row, all or nothing.

        Raises ConversationNotFound, ConversationClosed, MessageNotFound, RunInProgress, IdempotencyMismatch,
        TokenLimitReached, CostLimitReached, PriceUnknown, FileNotFound, FileInUse, and what `prepare` raises.
        """
        ...

    async def get(self, run_id: str) -> Run:
        """Raises RunNotFound."""
        ...

    async def open(self, conversation_id: str) -> list[Run]:
        """The runs of a conversation that have not ended."""
        ...

    async def seen(
        self, conversation_id: str, run_ids: Sequence[str] | None
    ) -> tuple[Conversation, list[Run]]:
        """A conversation and, oldest first, those of its runs that are named; None: those that go on.
        Raises ConversationNotFound."""
        ...

    async def lines(self, run_id: str, after: int) -> tuple[Run, list[tuple[int, bytes]]]:
        """The run and its journal: (seq, line) of the next stored events past `after`, in order; none where
        there are no more. Raises RunNotFound."""
        ...

    async def cancel(self, run_id: str) -> Run:
        """Asks for its end: an open run becomes `cancelling`, and its owner, on whichever node, hears of
        it. An ended run stays as it is. Raises RunNotFound."""
        ...


class Steps(Protocol):
    async def of(self, run_id: str) -> list[Step]:
        """The steps of a run, in order; none for a run that does not exist."""
        ...

    async def say(
        self, run_id: str, verdicts: Sequence[Verdict], boot: str, now: Instant, until: Instant
    ) -> Resumed:
        """Puts the verdicts down, all or none. Where nothing is missing any more the run becomes `boot`'s,
        with a lease from `now` to `until` as in `Opening`. Raises RunNotFound, InvalidRequest (no such
        call), RunNotWaiting (of several that say something to the same step the first is heard)."""
        ...


class Exports(Protocol):
    """A principal's conversations, but for those of tickets, in the order of their making, and messages in
    pieces of bounded size."""

    async def count(self) -> int:
        """How many conversations there are."""
        ...

    async def conversations(self, after: str | None, limit: int) -> list[Conversation]:
        """The next ones past the id `after`."""
        ...

    async def messages(self, conversation_id: str, after: str | None) -> list[Message]:
        """The next messages of all branches past the id `after`; none where there are no more."""
        ...

    async def some(self, conversation_id: str, message_ids: Sequence[str]) -> list[Message]:
        """As many of the first of `message_ids` as one piece may hold, in their order; at least one, where
        one of them exists."""
        ...

    async def above(self, conversation_id: str, message_id: str, limit: int) -> list[str]:
        """`message_id` and the ids above it on its branch, upwards."""
        ...


class Imports(Protocol):
    async def plant(self, plantings: Sequence[Planting]) -> Sequence[Planted]:
        """Stores what is not there yet of them, all or nothing. Raises IdsTaken."""
        ...


class Ledger(Protocol):
    """Money for what is asked of providers without a run: held before, entered after. What nobody keeps for
    a minute (`EngineRecords.keep`) is released, and so is at once what another process held where the store
    serves one: its process was killed. What it was known to have taken is entered then."""

    async def hold(self, holding: Holding, limits: Limits, measure: Measure, now: Instant) -> Bound:
        """Holds, for each answer, what `measure` makes of its equal share of what remains; answers that. All
        or nothing. Raises TokenLimitReached, CostLimitReached, PriceUnknown, TooManyRuns, and what `measure`
        raises."""
        ...

    async def go_on(
        self, hold_id: str, entries: Sequence[Entry], limits: Limits, bound: Bound, now: Instant
    ) -> None:
        """Enters attempts that are over, and holds `bound` for the next one in place of what was held.
        Raises TokenLimitReached, CostLimitReached, PriceUnknown; then all stays as it was."""
        ...

    async def release(self, hold_id: str, entries: Sequence[Entry]) -> None:
        """Enters the last attempts, and holds nothing any more. Safe to repeat."""
        ...


class Summaries(Protocol):
    async def claim(self, conversation_id: str, now: Instant, until: Instant) -> bool:
        """Whether this is the one who may write a summary in it, until `until`."""
        ...

    async def let_go(self, conversation_id: str, until: Instant) -> None:
        """The claim until then is over."""
        ...

    async def branch(self, conversation_id: str, leaf: str) -> list[Shown]:
        """What a run that answers `leaf` would be shown: from the nearest summary down. Raises
        MessageNotFound."""
        ...

    async def insert(self, summary: Message, child: str, until: Instant) -> bool:
        """Puts a summary between its parent and `child`; False where the tree has changed there meanwhile, or
        the claim until then is over: so it is where a message was rewritten. Raises ConversationNotFound."""
        ...


class Search(Protocol):
    """Of messages that are written to their end; what was written last may have to wait for `Store.index`."""

    async def page(self, sought: Sought, limit: int, before: Spot | None) -> list[Found]:
        """Newest message first, from behind the place `before`; none where nothing is sought."""
        ...

    async def text(self, message_id: str) -> str:
        """The text of a message, as far as it can be found. Raises MessageNotFound."""
        ...


class SignIns(Protocol):
    async def use(self, link_id: str, now: Instant) -> bool:
        """True the first time, False ever after."""
        ...


class Records(Protocol):
    """What one principal owns."""

    @property
    def conversations(self) -> Conversations: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def steps(self) -> Steps: ...
    @property
    def exports(self) -> Exports: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def summaries(self) -> Summaries: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def usage(self) -> Usages: ...
    @property
    def files(self) -> Files: ...
    @property
    def search(self) -> Search: ...
    @property
    def sign_ins(self) -> SignIns: ...
    @property
    def templates(self) -> Templates: ...

    @property
    def answers(self) -> Answers: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def remains(self) -> Remains: ...
    @property
    def feedback(self) -> Feedbacks: ...


class EngineRecords(Protocol):
    """The runs of all users, for the journal writer and for recovery.

    `now` and `until` are of this process's clock. A store that many nodes share counts leases by its own: a
    lease lasts `until` - `now` from the moment when it is put down."""

    async def commit(
        self,
        boot: str,
        appends: Sequence[Append],
        endings: Sequence[Ending],
        boundaries: Sequence[Boundary] = (),
    ) -> set[str]:
        """Puts down events, ends and boundaries in one transaction and tells the other nodes. Answers the
        runs among `endings` and `boundaries` that `boot` owned and that were open: the others were fenced,
        and nothing of theirs was written but ledger entries where none were. A boundary with a pause makes
        its run nobody's, unless it was asked to stop meanwhile: then all but the pause is written, and the
        run is not among those that are answered."""
        ...

    async def hold(self, run_id: str, user_id: str, limits: Limits, bound: Bound, now: Instant) -> Remaining:
        """Replaces what is held for a run by `bound`, and answers what is left beside it. Raises
        TokenLimitReached, CostLimitReached, PriceUnknown; then all stays as it was."""
        ...

    async def renew(
        self,
        boot: str,
        run_ids: Sequence[str],
        now: Instant,
        until: Instant,
        news: Sequence[Progress] = (),
    ) -> dict[str, RunStatus]:
        """Extends the leases of those of the runs that are open and `boot`'s, and puts down the `news` of
        them; answers them with their states: one that is `cancelling` was asked to stop, one that is missing
        was taken over. A run of `boot` that is not named is one that nobody executes: its lease ends."""
        ...

    async def claim(self, boot: str, now: Instant, until: Instant) -> list[Run]:
        """Takes over the open runs that nobody speaks for: those whose lease has ended, of `boot` itself,
        too, and where the store serves one process all of any other boot; and those that have waited for
        their callers for too long."""
        ...

    async def steps(self, run_id: str) -> list[Step]:
        """The steps of a run of anybody's, in order."""
        ...

    async def lines(self, run_id: str) -> list[tuple[int, bytes]]:
        """The whole journal of a run."""
        ...

    async def keep(self, holds: Mapping[str, Entry | None], now: Instant) -> None:
        """What is held for these without a run is still needed; and what the attempt that goes on would be
        entered as if nobody told more of it, where that has changed."""
        ...

    async def held(self) -> Held:
        """What is reserved for all."""
        ...


class Store(Protocol):
    def of(self, principal: Principal) -> Records: ...

    @property
    def ages(self) -> Ages:
        """Of all users' things, for the sweep."""
        ...

    def operator(self, by: Principal) -> OperatorRecords:
        """What `by` may see of all and change for all; that he may, the caller has checked."""
        ...

    @property
    def engine(self) -> EngineRecords: ...

    @property
    def erasures(self) -> Erasures:
        """Of all users; no request uses it but through the service that erases."""
        ...

    @property
    def keys(self) -> ProviderKeys:
        """The operator's, of no principal."""
        ...

    @property
    def access(self) -> Access:
        """API keys and suspensions: the operator's, of no principal."""
        ...

    @property
    def rates(self) -> Rates:
        """Of all nodes that share the store."""
        ...

    @property
    def limits(self) -> KnownLimits:
        """The operator's, of no principal."""
        ...

    @property
    def alerts(self) -> Alerts:
        """The operator's, of no principal."""
        ...

    @property
    def files(self) -> KnownFiles:
        """Those of all users; no request ever uses it."""
        ...

    async def open(self, heard: Callable[[str, Sequence[str]], None]) -> None:
        """Migrates where the store does so by itself, connects, and from then on calls `heard(kind, ids)`
        in the loop whenever any node changed conversations ("conversations") or their messages
        ("messages"), or began runs ("begun": a conversation, then its run, and so on); and, where several
        nodes share the store, committed events ("journal", with the runs), asked runs to stop ("stop"),
        changed providers' keys ("keys"), limits ("limits") or API keys and suspensions ("access"). No ids:
        any of them.
        "lost": anything may have been missed.
        Raises MisconfiguredError, StoreUnavailable, StoreLocked."""
        ...

    async def index(self, least: int = 1) -> None:
        """Makes all that is written found by `Search`, the newest first, where `least` messages or more wait
        for it. Who does not wait for its end may leave it. Raises StoreUnavailable."""
        ...

    async def wipe(self) -> None:
        """Writes over what is deleted, as far as the store can: nobody finds it in its files any more. Raises
        StoreUnavailable."""
        ...

    def load(self) -> Load:
        """How busy it is; costs nothing."""
        ...

    async def ping(self) -> None:
        """One round trip. Raises StoreUnavailable."""
        ...

    async def close(self) -> None: ...
