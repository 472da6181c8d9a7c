"""What chat completions take, as OpenAI describes it: strict in what matters, forgiving in what does not."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from prosa.domain.models import Effort

_PLAIN = r"^[^\x00]*$"
MOST_TEXT = 10_000_000
MOST_MESSAGES = 5_000

Text = Annotated[str, Meta(max_length=MOST_TEXT)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]
Model = Annotated[str, Meta(max_length=200, pattern=_PLAIN)]
ToolName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_.-]{1,128}$")]
CallId = Annotated[str, Meta(min_length=1, max_length=512, pattern=_PLAIN)]
Whole = {"type": "integer"}
"""JSON's integers: there 7.0 is one."""
Count = Annotated[float, Meta(ge=1, le=1_000_000, multiple_of=1, extra_json_schema=Whole)]
Choices = Annotated[float, Meta(ge=1, le=128, multiple_of=1, extra_json_schema=Whole)]
Seed = Annotated[float, Meta(ge=-(2**53), le=2**53, multiple_of=1, extra_json_schema=Whole)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
NO_NUL = {"pattern": _PLAIN}
"""For texts beside lists in a union, in the schema alone: msgspec 0.22 corrupts its memory where such a text
has a pattern of its own. Whoever reads them calls `without_nul`."""
Stop = Annotated[str, Meta(min_length=1, max_length=1_000, extra_json_schema=NO_NUL)]
Label = Annotated[str, Meta(max_length=1_000, pattern=_PLAIN)]

_ONLY = "Nothing else is supported."
Unbuilt = Annotated[Any, Meta(extra_json_schema={"type": "null"}, description="Not supported.")]
Zero = Annotated[float, Meta(extra_json_schema={"const": 0}, description=_ONLY)]
Off = Annotated[bool, Meta(extra_json_schema={"const": False}, description=_ONLY)]
Empty = Annotated[dict[str, float], Meta(extra_json_schema={"maxProperties": 0}, description=_ONLY)]
Texts = Annotated[
    list[str], Meta(extra_json_schema={"allOf": [{"items": {"const": "text"}}]}, description=_ONLY)
]
Medium = Annotated[str, Meta(extra_json_schema={"const": "medium"}, description=_ONLY)]


# Parts of a message


class TextForm(Struct, frozen=True, tag_field="type", tag="text"):
    text: Text


class RefusalForm(Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: Text


class ImageUrl(Struct, frozen=True):
    """`url` is a data: URL with base64, or http(s), which the provider fetches; Prosa never does."""

    url: Annotated[str, Meta(pattern=r"^(?:https?://[^\s]|data:)")]
    detail: Literal["auto", "low", "high"] | None = None


class ImageForm(Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: ImageUrl


class File(Struct, frozen=True):
    file_data: Annotated[str, Meta(pattern=r"^data:")] | None = None
    filename: Name | None = None
    file_id: Unbuilt = None


class FileForm(Struct, frozen=True, tag_field="type", tag="file"):
    file: File


class AudioForm(Struct, frozen=True, tag_field="type", tag="input_audio"):
    input_audio: Unbuilt = None


Shown = list[TextForm | ImageForm | FileForm | AudioForm]
Said = list[TextForm | RefusalForm]
Words = list[TextForm]


# Messages


class FunctionCall(Struct, frozen=True):
    """`arguments` is the JSON that the model wrote, valid or not."""

    name: ToolName
    arguments: Text = ""


class CallForm(Struct, frozen=True, tag_field="type", tag="function"):
    id: CallId
    function: FunctionCall


class CustomCall(Struct, frozen=True, tag_field="type", tag="custom"):
    pass


class SystemMessage(Struct, frozen=True, tag_field="role", tag="system"):
    content: Text | Words
    name: Name | None = None


class DeveloperMessage(Struct, frozen=True, tag_field="role", tag="developer"):
    content: Text | Words
    name: Name | None = None


class UserMessage(Struct, frozen=True, tag_field="role", tag="user"):
    content: Text | Shown
    name: Name | None = None


class AssistantMessage(Struct, frozen=True, tag_field="role", tag="assistant"):
    """As an answer has it. `function_call` is the form of before `tool_calls`."""

    content: Text | Said | None = None
    refusal: Text | None = None
    tool_calls: list[CallForm | CustomCall] | None = None
    function_call: FunctionCall | None = None
    name: Name | None = None


class ToolMessage(Struct, frozen=True, tag_field="role", tag="tool"):
    tool_call_id: CallId
    content: Text | Words


class FunctionMessage(Struct, frozen=True, tag_field="role", tag="function"):
    """A result in the form of before `tool`: it belongs to the last call of its name."""

    name: ToolName
    content: Text | None = None


MessageForm = (
    SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage
)


# Tools and the form of the answer


class FunctionSpec(Struct, frozen=True):
    name: ToolName
    description: Text | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolForm(Struct, frozen=True, tag_field="type", tag="function"):
    function: FunctionSpec


class CustomTool(Struct, frozen=True, tag_field="type", tag="custom"):
    pass


class FunctionName(Struct, frozen=True):
    name: ToolName


class NamedTool(Struct, frozen=True, tag_field="type", tag="function"):
    function: FunctionName


class NamedCustomTool(Struct, frozen=True, tag_field="type", tag="custom"):
    pass


class AllowedTools(Struct, frozen=True, tag_field="type", tag="allowed_tools"):
    pass


ToolChoiceForm = Literal["auto", "none", "required"] | NamedTool | NamedCustomTool | AllowedTools


class PlainFormat(Struct, frozen=True, tag_field="type", tag="text"):
    pass


class ObjectFormat(Struct, frozen=True, tag_field="type", tag="json_object"):
    pass


class Schema(Struct, frozen=True):
    name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    schema: dict[str, Any] | None = None
    description: Text | None = None
    strict: bool | None = None


class SchemaFormat(Struct, frozen=True, tag_field="type", tag="json_schema"):
    json_schema: Schema


class StreamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`functions` and `function_call` are the forms of before `tools`. `model` may be a route, an alias,
    "provider/model" or a model's own name; "" is the server's default."""

    messages: Annotated[list[MessageForm], Meta(min_length=1, max_length=MOST_MESSAGES)]
    model: Model = ""
    temperature: Temperature | None = None
    top_p: Share | None = None
    n: Choices | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=16)] | None = None
    seed: Seed | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    reasoning_effort: Effort | None = None
    tools: Annotated[list[ToolForm | CustomTool], Meta(max_length=512)] | None = None
    tool_choice: ToolChoiceForm | None = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[FunctionSpec], Meta(max_length=512)] | None = None
    function_call: Literal["auto", "none"] | FunctionName | None = None
    response_format: PlainFormat | ObjectFormat | SchemaFormat | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    # What would change the answer, and is not built
    frequency_penalty: Zero | None = None
    presence_penalty: Zero | None = None
    logit_bias: Empty | None = None
    logprobs: Off | None = None
    top_logprobs: Zero | None = None
    modalities: Texts | None = None
    audio: Unbuilt = None
    prediction: Unbuilt = None
    web_search_options: Unbuilt = None
    verbosity: Medium | None = None

    # What changes nothing for the caller
    user: Label | None = None
    safety_identifier: Label | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: Label | None = None
    prompt_cache_key: Label | None = None
    prompt_cache_retention: Label | None = None
