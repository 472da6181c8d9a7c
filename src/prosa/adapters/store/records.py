"""What one principal owns, over any session."""

from prosa.adapters.store.repositories.answers import Answers
from prosa.adapters.store.repositories.conversations import Conversations
from prosa.adapters.store.repositories.exports import Exports
from prosa.adapters.store.repositories.feedback import Feedbacks
from prosa.adapters.store.repositories.files import Files
from prosa.adapters.store.repositories.imports import Imports
from prosa.adapters.store.repositories.ledger import Ledger
from prosa.adapters.store.repositories.messages import Messages
from prosa.adapters.store.repositories.remains import Remains
from prosa.adapters.store.repositories.runs import Runs
from prosa.adapters.store.repositories.search import Search
from prosa.adapters.store.repositories.signins import SignIns
from prosa.adapters.store.repositories.steps import Steps
from prosa.adapters.store.repositories.summaries import Summaries
from prosa.adapters.store.repositories.templates import Templates
from prosa.adapters.store.repositories.tickets import Tickets
from prosa.adapters.store.repositories.usage import Usages
from prosa.adapters.store.session import Session


class Records:
    """Serves `ports.store.Records`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def conversations(self) -> Conversations:
        return Conversations(self._session)

    @property
    def answers(self) -> Answers:
        return Answers(self._session)

    @property
    def messages(self) -> Messages:
        return Messages(self._session)

    @property
    def runs(self) -> Runs:
        return Runs(self._session)

    @property
    def steps(self) -> Steps:
        return Steps(self._session)

    @property
    def exports(self) -> Exports:
        return Exports(self._session)

    @property
    def imports(self) -> Imports:
        return Imports(self._session)

    @property
    def summaries(self) -> Summaries:
        return Summaries(self._session)

    @property
    def search(self) -> Search:
        return Search(self._session)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self._session)

    @property
    def usage(self) -> Usages:
        return Usages(self._session)

    @property
    def files(self) -> Files:
        return Files(self._session)

    @property
    def sign_ins(self) -> SignIns:
        return SignIns(self._session)

    @property
    def templates(self) -> Templates:
        return Templates(self._session)

    @property
    def tickets(self) -> Tickets:
        return Tickets(self._session)

    @property
    def remains(self) -> Remains:
        return Remains(self._session)

    @property
    def feedback(self) -> Feedbacks:
        return Feedbacks(self._session)
