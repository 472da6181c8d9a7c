"""The OpenAPI description, put together from the operations."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct, UnsetType

from prosa import __version__
from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain.rates import RequestLimitReached
from prosa.transport.errors import status_of
from prosa.transport.operation import Failures, HeaderField, Nothing, Operation


class ErrorForm(Struct, rename="camel"):
    """What every failure looks like: a code for programs, a sentence for people, and what belongs to it."""

    success: bool
    code: str
    message: str
    detail: str | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    remaining: int | str | UnsetType = UNSET
    resets_at: str | UnsetType = UNSET
    used: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET


_NATIVE = Failures(ErrorForm, status_of)
_EVERYWHERE: tuple[type[e.ProsaError], ...] = (
    e.InvalidRequest, e.OriginRefused, e.HostRefused, e.StoreUnavailable, e.ProsaError,
)  # fmt: skip
_BINARY = {"type": "string", "format": "binary"}
_MULTIPART = "multipart/form-data"
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": _BINARY},
    "additionalProperties": False,
}
"""One file."""
_WITH_BODY: tuple[type[e.ProsaError], ...] = (e.TooLarge, e.UnsupportedMediaType)


def describe(
    operations: Sequence[Operation], providers: Sequence[str], keyed: Sequence[str], cookie: str | None
) -> dict[str, Any]:
    """The whole document (OpenAPI 3.1), for a server with these `providers`, of which `keyed` ones take keys;
    a token may come in `cookie` (None: there are no tokens)."""
    forms = _forms(operations)
    schemas, components = msgspec.json.schema_components(forms, ref_template="#/components/schemas/{name}")
    known = dict(zip(map(id, forms), schemas, strict=True))
    _name_providers(operations, components, providers, keyed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, known)
        if not operation.public and cookie is not None:
            described["security"] = [{"bearer": []}, {"cookie": []}]
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Prosa",
            "version": __version__,
            "description": "A chat backend: conversations, runs and their events.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {}
            if cookie is None
            else {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie},
            },
        },
    }


def _forms(operations: Sequence[Operation]) -> list[Any]:
    forms: dict[int, Any] = {id(ErrorForm): ErrorForm}
    for operation in operations:
        failure = (operation.failures or _NATIVE).form
        for form in (operation.takes, operation.query, failure, *operation.gives.values()):
            if form is not None and form is not Nothing:
                forms[id(form)] = form
    return list(forms.values())


def _operation(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": operation.handler.__name__,
        "parameters": [
            *_path_parameters(operation),
            *_query_parameters(operation),
            *map(_header_parameter, operation.headers),
        ],
        "responses": _responses(operation, known),
    }
    if operation.handler.__doc__:
        described["description"] = operation.handler.__doc__
    if operation.takes is not Nothing:
        content = {"application/json": {"schema": known[id(operation.takes)]}}
        described["requestBody"] = {"required": True, "content": content}
    elif operation.uploads:
        content = {kind: {"schema": _FORM if kind == _MULTIPART else _BINARY} for kind in operation.uploads}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _name_providers(
    operations: Sequence[Operation],
    components: dict[str, Any],
    providers: Sequence[str],
    keyed: Sequence[str],
) -> None:
    """What may stand in `provider` is known once the server is set up."""
    for operation in operations:
        properties = components.get(form_of(operation.takes).__name__, {}).get("properties", {})
        if "provider" in properties and operation.operator:
            properties["provider"] = {"type": "string", "enum": [*keyed]}
        elif "provider" in properties:
            properties["provider"]["anyOf"] = [{"type": "string", "enum": [*providers]}, {"type": "null"}]


def form_of(takes: Any) -> type[Struct]:
    """The Struct behind a body's type."""
    found: type[Struct] = get_args(takes)[0] if get_origin(takes) is Annotated else takes
    return found


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if name.endswith("Id") else {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _header_parameter(field: HeaderField) -> dict[str, Any]:
    return {
        "name": field.name,
        "in": "header",
        "required": False,
        "description": field.description,
        "schema": {"type": "string", "pattern": field.pattern},
    }


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is Nothing:
        return []
    (_,), components = msgspec.json.schema_components([operation.query])
    form = components[operation.query.__name__]
    needed = form.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _plain(schema)}
        for name, schema in form["properties"].items()
    ]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter's schema: what is absent is not sent, so null is no value of its."""
    several = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if not several:
        return {name: value for name, value in schema.items() if name != "default" or value is not None}
    return several[0] if len(several) == 1 else {"anyOf": several}


def _responses(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, form in operation.gives.items():
        content: dict[str, Any] = {}
        if operation.stream and status == 200:  # noqa: PLR2004
            for media in operation.stream.split(", "):
                content[media] = {"schema": {} if media == "application/json" else {"type": "string"}}
        if form is not None:
            content["application/json"] = {"schema": known[id(form)]}
        responses[str(status)] = {"description": "Done."} | ({"content": content} if content else {})
    failures = operation.failures or _NATIVE
    for kind in _raised(operation):
        entry = responses.setdefault(str(failures.status_of(kind)), {"description": ""})
        entry.setdefault("content", {"application/json": {"schema": known[id(failures.form)]}})
        entry["description"] = f"{entry['description']} `{kind.code}`".strip()
    return dict(sorted(responses.items()))


def _raised(operation: Operation) -> Sequence[type[e.ProsaError]]:
    """All that it may answer with in place of what it gives."""
    raised = (*operation.errors, *_EVERYWHERE)
    if "{" in operation.path:
        raised = (*raised, e.NoSuchRoute)
    if not operation.public:
        raised = (*raised, e.NotAuthenticated, a.Suspended, a.ScopeMissing, a.AccessBusy)
    if operation.operator:
        raised = (*raised, e.Forbidden)
    if operation.managing:
        raised = (*raised, RequestLimitReached)
    if operation.takes is not Nothing or operation.uploads:
        raised = (*raised, *_WITH_BODY)
    return raised
