"""`/api/templates`: prompt templates with typed variables."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from prosa.domain.templates import NAME, NoClient, Template, TemplateNotFound, Variable
from prosa.domain.time import to_iso
from prosa.services.templates import Draft
from prosa.transport.native.forms import Content, ListQuery, Name, Page, Said
from prosa.transport.operation import Call, Nothing, Operation, Reply

Short = Annotated[str, Meta(max_length=1_000, pattern=r"^[^\x00]*$")]
Choices = Annotated[tuple[Name, ...], Meta(max_length=100)]


class VariableForm(Struct, frozen=True):
    """A place in a template, written `{{name}}` there. `choices` are what a "choice" may be."""

    name: Annotated[str, Meta(pattern=f"^{NAME}$")]
    type: Literal["text", "multiline", "number", "boolean", "choice", "date"] = "text"
    label: Short | None = None
    required: bool = False
    default: Said | None = None
    choices: Choices = ()


Variables = Annotated[tuple[VariableForm, ...], Meta(max_length=50)]


class TemplateForm(Struct, frozen=True, rename="camel"):
    """`shared`: it belongs to all users of the client."""

    id: str
    name: str
    description: str | None
    content: str
    variables: list[VariableForm]
    shared: bool
    client_id: str | None
    created_at: str
    updated_at: str


class NewTemplate(Struct, frozen=True, rename="camel"):
    name: Name
    content: Content
    description: Short | None = None
    variables: Variables = ()
    shared: bool = False


class TemplateChanges(Struct, frozen=True, rename="camel"):
    """Only the fields that are there change."""

    name: Name | UnsetType = UNSET
    content: Content | UnsetType = UNSET
    description: Short | UnsetType | None = UNSET
    variables: Variables | UnsetType = UNSET


class Values(Struct, frozen=True):
    """Values by the variables' names: texts, numbers, true or false; null stands for none."""

    values: dict[str, str | bool | int | float | None] = {}


class Filled(Struct, frozen=True):
    text: str


def template_form(template: Template) -> TemplateForm:
    return TemplateForm(
        id=template.id,
        name=template.name,
        description=template.description,
        content=template.content,
        variables=[
            VariableForm(each.name, each.kind, each.label, each.required, each.default, each.choices)
            for each in template.variables
        ],
        shared=template.shared,
        client_id=template.client_id or None,
        created_at=to_iso(template.created_at),
        updated_at=to_iso(template.updated_at),
    )


async def list_templates(call: Call[Nothing, ListQuery]) -> Reply:
    """One's own and those that the client shares."""
    found, cursor = await call.chat.templates.page(call.principal, call.query.limit, call.query.cursor)
    return Reply(200, Page([template_form(each) for each in found], cursor))


async def create_template(call: Call[NewTemplate, Nothing]) -> Reply:
    """With `shared` it belongs to all users of the caller's client, and each of them may change it."""
    body = call.body
    draft = Draft(body.name, body.content, body.description, _variables(body.variables), body.shared)
    return Reply(201, template_form(await call.chat.templates.add(call.principal, draft)))


async def get_template(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(200, template_form(await call.chat.templates.get(call.principal, _template(call))))


async def update_template(call: Call[TemplateChanges, Nothing]) -> Reply:
    changes = {
        name: value
        for name in TemplateChanges.__struct_fields__
        if (value := getattr(call.body, name)) is not UNSET
    }
    if "variables" in changes:
        changes["variables"] = _variables(changes["variables"])
    updated = await call.chat.templates.update(call.principal, _template(call), changes)
    return Reply(200, template_form(updated))


async def delete_template(call: Call[Nothing, Nothing]) -> Reply:
    await call.chat.templates.delete(call.principal, _template(call))
    return Reply(204)


async def fill_template(call: Call[Values, Nothing]) -> Reply:
    """The template's text with the values in their places, literally: nothing in it is evaluated."""
    filled = await call.chat.templates.fill(call.principal, _template(call), call.body.values)
    return Reply(200, Filled(filled))


def _template(call: Call[Any, Any]) -> str:
    return call.id("templateId", TemplateNotFound)


def _variables(forms: tuple[VariableForm, ...]) -> tuple[Variable, ...]:
    return tuple(
        Variable(form.name, form.type, form.label, form.required, form.default, form.choices)
        for form in forms
    )


_ALL = "/api/templates"
_ONE = _ALL + "/{templateId}"
_MISSING = (TemplateNotFound,)

OPERATIONS = [
    Operation("GET", _ALL, "List prompt templates, the newest first", list_templates,
              query=ListQuery, gives={200: Page[TemplateForm]}),
    Operation("POST", _ALL, "Create a prompt template", create_template,
              takes=NewTemplate, gives={201: TemplateForm}, errors=(NoClient,)),
    Operation("GET", _ONE, "Get a prompt template", get_template, gives={200: TemplateForm}, errors=_MISSING),
    Operation("PATCH", _ONE, "Change a prompt template", update_template,
              takes=TemplateChanges, gives={200: TemplateForm}, errors=_MISSING),
    Operation("DELETE", _ONE, "Delete a prompt template", delete_template,
              gives={204: None}, errors=_MISSING),
    Operation("POST", _ONE + "/fill", "Fill a prompt template", fill_template,
              takes=Values, gives={200: Filled}, errors=_MISSING),
]  # fmt: skip
