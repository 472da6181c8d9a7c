"""What a run's asks of providers took, where the provider told all of it, part of it, or nothing."""

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.ending import Entry
from prosa.domain.ids import new_id
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import Run
from prosa.domain.time import SECOND, Instant, now
from prosa.domain.timing import Progress, Timing
from prosa.services import meters
from prosa.services.context import window
from prosa.services.models import prices


class Attempt(Struct):
    """One ask of a provider, as far as it is known. `prompt` and `most` are an estimate of the input and the
    bound of the output, in tokens. It was `queued` where it waited for its turn, and `asked` then; `first` is
    its first word. `called` says that the provider was asked, `finished` that it came to its
    own end, `unsaid` how many characters it told that are not of the text (thinking, arguments); `reported`
    is its latest report. `recalled` says that the answer was kept: nobody is asked, and it costs nothing,
    however it ends."""

    provider: str
    model: str
    prompt: int
    most: int
    key: str | None = None
    called: bool = False
    finished: bool = False
    unsaid: int = 0
    reported: Usage | None = None
    queued: Instant | None = None
    asked: Instant | None = None
    first: Instant | None = None
    recalled: bool = False

    def speak(self) -> None:
        """Text, at last: what waits for it is counted from the moment when the provider was asked."""
        moment = now()
        self.called = True
        self.first = self.first or moment
        if not self.recalled:
            meters.first_word(self.provider, self.model, (moment - (self.asked or moment)) / SECOND)

    def timing(self, usage: Usage, end: Instant | None, code: str | None) -> Timing:
        """What is kept of it, ended with `code` if not by itself; without an `end` while it goes on."""
        return Timing(
            "recalled" if self.recalled else "attempt",
            self.asked or end or now(),
            end,
            self.queued,
            self.first,
            self.provider,
            self.model,
            self.key,
            usage.total_tokens,
            usage.prompt_tokens,
            None if self.finished else code,
        )

    def settled(self, said: str) -> tuple[Usage, bool]:
        """The tokens to enter in the ledger, where `said` is the text that came, and whether they are an
        estimate."""
        if not self.called or self.recalled:
            return Usage(), False
        if self.finished and self.reported is not None:
            return self.reported, False
        told = (window.estimate(said) if said else 0) + self.unsaid // window.BYTES_A_TOKEN
        written = min(told, self.most)
        if self.reported is None:
            return Usage(self.prompt if written or self.finished else 0, written), True
        # Some report in the middle: what was written since their last report has to be counted, too.
        return replace(self.reported, completion_tokens=max(self.reported.completion_tokens, written)), True

    def lost(self, said: str) -> Usage:
        """As `settled`, where nobody will ever tell more: whoever was asked has had the input."""
        usage, _ = self.settled(said)
        return usage if usage.prompt_tokens else replace(usage, prompt_tokens=self.prompt)


class Account(Struct, frozen=True):
    """Whom an answer that belongs to no run is entered for: what the ledger has of a run."""

    id: str
    user_id: str
    client_id: str
    route: str | None = None
    conversation_id: str | None = None
    attempts: int = 0


class Spent(Struct, frozen=True):
    """What all attempts that are over took together; `cost` is None where one of the prices is not known."""

    usage: Usage = Usage()
    cost: Picodollars | None = Picodollars(0)
    estimated: bool = False
    attempts: int = 0

    def plus(self, entry: Entry) -> "Spent":
        known = self.cost is not None and entry.cost is not None
        return Spent(
            self.usage + entry.usage,
            Picodollars((self.cost or 0) + (entry.cost or 0)) if known else None,
            self.estimated or entry.estimated,
            self.attempts + 1,
        )


class Attempts:
    """The attempts of one run: the one that goes on, the entries of those that are over, and when they were,
    from the run's beginning on."""

    def __init__(
        self, run: Run | Account, spent: Spent | None = None, timings: tuple[Timing, ...] = ()
    ) -> None:
        self._run = run
        self._entries: list[Entry] = []
        self.spent = spent or Spent(attempts=run.attempts)
        self.timings = timings
        self.first_token_at: Instant | None = None
        self.current: Attempt | None = None

    def close(self, said: str, code: str | None = None) -> None:
        """The attempt that goes on is over; `said` is its text, `code` what ended it, if not itself."""
        attempt, self.current = self.current, None
        if attempt is not None:
            usage, estimated = attempt.settled(said)
            if attempt.called:
                self.timings += (attempt.timing(usage, now(), code),)
                self.first_token_at = self.first_token_at or attempt.first
            entry = entry_of(self._run, self.spent.attempts + 1, attempt, usage, estimated=estimated)
            self._entries.append(entry)
            if not attempt.recalled:
                meters.entered(entry, "completed" if attempt.finished else code or "ended")
            self.spent = self.spent.plus(entry)

    def taken(self, said: str) -> Entry | None:
        """What the attempt that goes on would be entered as if nobody told more than this of it; None where
        it has taken nothing."""
        attempt = self.current
        if attempt is None or not attempt.called or attempt.recalled:
            return None
        return entry_of(self._run, self.spent.attempts + 1, attempt, attempt.lost(said), estimated=True)

    def progress(self, said: str) -> Progress:
        """What there is so far, where `said` is the text of the attempt that goes on."""
        attempt, timings, first = self.current, self.timings, self.first_token_at
        if attempt is not None and attempt.called:
            usage, _ = attempt.settled(said)
            timings, first = (*timings, attempt.timing(usage, None, None)), first or attempt.first
        return Progress(self._run.id, first, timings)

    def take(self) -> tuple[Entry, ...]:
        """The entries that were not taken before."""
        entries, self._entries = self._entries, []
        return tuple(entries)


def entry_of(run: Run | Account, number: int, attempt: Attempt, usage: Usage, *, estimated: bool) -> Entry:
    return Entry(
        id=new_id(),
        run_id=run.id,
        user_id=run.user_id,
        client_id=run.client_id,
        conversation_id=run.conversation_id,
        attempt=number,
        provider=attempt.provider,
        model=attempt.model,
        usage=usage,
        cost=prices.cost(attempt.provider, attempt.model, usage),
        estimated=estimated,
        created_at=now(),
        route=run.route,
        key_id=attempt.key,
        price_version=prices.version(attempt.provider, attempt.model),
    )
