"""A function's parameters as a JSON Schema, and arguments that fit the schema as the function takes them."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from prosa.domain.errors import InvalidArguments, MisconfiguredError
from prosa.ports.tools import Caller

_EMPTY = inspect.Parameter.empty
_NAMED = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
MOST_COMPLAINTS = 5


class _Plain(GenerateJsonSchema):
    """Without a title for each field, which tells a model nothing that its name does not."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012 - as its parent has it

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


class Signature:
    """The parameters of `function`, described by `said`. Raises MisconfiguredError where one has no
    annotation, or one that JSON can't fill."""

    def __init__(self, name: str, function: Callable[..., Any], said: Mapping[str, str]) -> None:
        self._name = name
        self._caller: list[str] = []
        self._fields: dict[str, str] = {}
        try:
            hints = get_type_hints(_annotated(function), include_extras=True)
            fields: dict[str, Any] = {}
            for parameter in inspect.signature(function).parameters.values():
                hint = self._hint(parameter, hints)
                if _is_caller(hint):
                    self._caller.append(parameter.name)
                    continue
                # Fields have names of their own, for a parameter may be called as a model's method is.
                self._fields[f"p{len(fields)}"] = parameter.name
                fields[f"p{len(fields)}"] = (hint, _field(parameter, hint, said.get(parameter.name)))
            config = ConfigDict(extra="forbid", protected_namespaces=())
            self._model: type[BaseModel] = create_model(name, __config__=config, **fields)
            self.schema = _schema(self._model)
        except (PydanticUserError, NameError, TypeError) as error:
            raise MisconfiguredError(
                f"The function of the tool {name} can't be described: {error}."
            ) from None

    def _hint(self, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
        if parameter.kind not in _NAMED:
            raise MisconfiguredError(
                f"The tool {self._name} takes {parameter}. A tool's parameters must all have names."
            )
        if parameter.name not in hints:
            raise MisconfiguredError(
                f"The parameter {parameter.name} of the tool {self._name} has no annotation. "
                "Add one: models are told the types."
            )
        return hints[parameter.name]

    @property
    def told(self) -> bool:
        """Whether a parameter takes the caller."""
        return bool(self._caller)

    def bind(self, arguments: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Keyword arguments of the annotated types. Raises InvalidArguments."""
        try:
            values = self._model.model_validate(arguments)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            complaints = " ".join(
                f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}."
                for each in found[:MOST_COMPLAINTS]
            )
            raise InvalidArguments(f"{self._name} can't take these arguments. {complaints}") from None
        bound = {name: getattr(values, field) for field, name in self._fields.items()}
        return bound | dict.fromkeys(self._caller, caller)


def unwrapped(function: Any) -> Any:
    """What a `partial` is a part of."""
    while isinstance(function, partial):
        function = function.func
    return function


def _annotated(function: Any) -> Any:
    """What bears the annotations: of an object that can be called, its method."""
    function = unwrapped(function)
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__


def _is_caller(hint: Any) -> bool:
    if get_origin(hint) in {Union, Annotated} or not isinstance(hint, type):
        return any(_is_caller(each) for each in get_args(hint))
    return issubclass(hint, Caller)


def _field(parameter: inspect.Parameter, hint: Any, said: str | None) -> Any:
    """Its default and description: of `Annotated[..., "text"]`, else of the docstring. A `Field` in the
    annotation speaks for itself."""
    told = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    text = next((each for each in told if isinstance(each, str)), said)
    if any(isinstance(each, FieldInfo) and each.description for each in told):
        text = None
    options: dict[str, Any] = {"alias": parameter.name} | ({} if text is None else {"description": text})
    return Field(**options) if parameter.default is _EMPTY else Field(parameter.default, **options)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Plain)
    schema.pop("title", None)
    for each in schema.get("$defs", {}).values():
        each.pop("title", None)
    return {"properties": {}, **schema}
