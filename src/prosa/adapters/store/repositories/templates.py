"""Prompt templates of one owner."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select, update

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Json, Params, Plan, Row, Statement, insertion, owned
from prosa.adapters.store.tables import prompt_templates
from prosa.domain.templates import Template, TemplateNotFound, Variable
from prosa.domain.time import Instant

_t = prompt_templates.c
_mine = select(*(_t[name] for name in Template.__struct_fields__)).where(owned(prompt_templates))

_INSERT = insertion(prompt_templates, *Template.__struct_fields__)
_GET = Statement(_mine.where(_t.id == bindparam("id")))
_LOCK = Statement(_mine.where(_t.id == bindparam("id")).with_for_update())
_newest = _mine.order_by(_t.id.desc()).limit(bindparam("limit"))
_FIRST_PAGE = Statement(_newest)
_NEXT_PAGE = Statement(_newest.where(_t.id < bindparam("id")))
_UPDATE = Statement(
    update(prompt_templates)
    .where(_t.id == bindparam("key"), owned(prompt_templates))
    .values({name: bindparam(name) for name in ("name", "description", "content", "variables", "updated_at")})
)
_DELETE = Statement(
    delete(prompt_templates).where(_t.id == bindparam("id"), owned(prompt_templates)).returning(_t.id)
)

_variables = msgspec.json.Decoder(tuple[Variable, ...])


def _to_template(row: Row) -> Template:
    values = dict(zip(Template.__struct_fields__, row, strict=True))
    values["variables"] = _variables.decode(values["variables"])
    return Template(**values)


def _params(template: Template) -> Params:
    variables = Json(msgspec.json.encode(template.variables).decode())
    return {**msgspec.structs.asdict(template), "variables": variables}


def _add(template: Template) -> Plan[None]:
    yield Ask(_INSERT, **_params(template))


def _one(statement: Statement, template_id: str) -> Plan[Template]:
    rows = yield Ask(statement, id=template_id)
    if not rows:
        raise TemplateNotFound
    return _to_template(rows[0])


def _page(limit: int, before: str | None) -> Plan[list[Template]]:
    if before is None:
        rows = yield Ask(_FIRST_PAGE, limit=limit)
    else:
        rows = yield Ask(_NEXT_PAGE, limit=limit, id=before)
    return [_to_template(row) for row in rows]


def _update(template_id: str, changes: dict[str, Any], now: Instant) -> Plan[Template]:
    before = yield from _one(_LOCK, template_id)
    after = msgspec.structs.replace(before, **changes, updated_at=now)
    yield Ask(_UPDATE, key=template_id, **_params(after))
    return after


def _delete(template_id: str) -> Plan[None]:
    if not (yield Ask(_DELETE, id=template_id)):
        raise TemplateNotFound


class Templates:
    """Serves `ports.templates.Templates`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, template: Template) -> None:
        await self._session.write(_add, template)

    async def get(self, template_id: str) -> Template:
        return await self._session.read(_one, _GET, template_id)

    async def page(self, limit: int, before: str | None) -> list[Template]:
        return await self._session.read(_page, limit, before)

    async def update(self, template_id: str, changes: dict[str, Any], now: Instant) -> Template:
        return await self._session.write(_update, template_id, changes, now)

    async def delete(self, template_id: str) -> None:
        await self._session.write(_delete, template_id)
