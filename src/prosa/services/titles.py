"""Titles of conversations: made in the background after the first answer, once."""

from prosa.domain.errors import ProsaError
from prosa.domain.models import Role
from prosa.domain.runs import RunStatus
from prosa.domain.titles import MOST_TOKENS, question, title_of
from prosa.kit.log import log
from prosa.ports.store import Store
from prosa.services.background import Background
from prosa.services.completions import Completions
from prosa.services.runs.engine import Ended

OFF = "off"
"""The setting with which no model is asked."""

LOCAL = "local"
"""The small model that comes with Prosa: no title of its making is better than the excerpt."""


class Titles:
    """`after` is told of each run that has ended, and costs nothing where there is a title. `model` makes
    them (None: the model that answered)."""

    def __init__(self, store: Store, completions: Completions, model: str | None) -> None:
        self._store = store
        self._completions = completions
        self._model = model
        self.background = Background("prosa-title")

    def after(self, ended: Ended) -> None:
        """Lets a model name the conversation of a run that came to its end, if nobody has."""
        name = self._name(ended)
        if name is None or not ended.prepared.untitled or ended.ending.status is not RunStatus.COMPLETED:
            return
        if not self._completions.draining:
            self.background.begin(ended.run.id, self._entitle(ended, name))

    def _name(self, ended: Ended) -> str | None:
        """The model to ask, if any."""
        if self._model is not None:
            return None if self._model == OFF else self._model
        ending = ended.ending
        return None if ending.provider == LOCAL else f"{ending.provider}/{ending.model}"

    async def _entitle(self, ended: Ended, name: str) -> None:
        conversation_id = ended.run.conversation_id
        try:
            await self._ask(ended, name)
        except ProsaError as error:
            log.warning("no_title", conversation_id=conversation_id, code=error.code)
        except Exception:  # noqa: BLE001 - a task's edge: the excerpt is a title, too
            log.exception("title_broke", conversation_id=conversation_id)

    async def _ask(self, ended: Ended, name: str) -> None:
        """The money is held before the one try is taken: who may not spend now may later."""
        principal, conversation_id = ended.principal, ended.run.conversation_id
        turns = ended.prepared.request.turns
        asked = next((turn.content for turn in turns if turn.role is Role.USER), "")
        begun = await self._completions.begin(
            principal,
            question(name, asked, ended.ending.content),
            most=MOST_TOKENS,
            conversation_id=conversation_id,
            beside=True,
        )
        records = self._store.of(principal).conversations
        async with begun as (generation,):
            if not await records.claim_title(conversation_id):
                return
            title = title_of(await generation.text())
        if title is not None:
            await records.entitle(conversation_id, title)
