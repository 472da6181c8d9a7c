"""Every operation of the API with a valid request of it: tests that go over all routes are made from this."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.wire.house import NOBODY

from prosa.transport.app import operations
from prosa.transport.identity import Identity
from prosa.transport.openapi import form_of
from prosa.transport.operation import Nothing, Operation

ALL = operations(Identity(None, "cookie"))


class Ids(NamedTuple):
    """What a request may name."""

    conversation: str
    message: str
    question: str
    run: str
    key: str = NOBODY
    template: str = NOBODY
    ticket: str = NOBODY
    file: str = NOBODY
    api_key: str = NOBODY
    model: str = "nobody/has-this"

    @property
    def files(self) -> list[str]:
        return [self.file]

    def path(self, operation: Operation) -> str:
        return operation.path.format(
            conversationId=self.conversation, messageId=self.message, runId=self.run, keyId=self.key,
            templateId=self.template, ticketId=self.ticket, fileId=self.file, apiKeyId=self.api_key, model=self.model,
        )  # fmt: skip


NOBODY_IDS = Ids(NOBODY, NOBODY, NOBODY, NOBODY)


class Example(NamedTuple):
    """A valid request: its body (None: it takes none), and what of the body or the query names a thing."""

    body: dict[str, Any] | None = None
    names: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    asked: Mapping[str, str] = {}
    """What must be in the query."""
    right: Mapping[str, tuple[Any, ...]] = {}
    """Values that look odd, and are right in these fields."""
    files: Mapping[str, tuple[str, bytes]] | None = None
    """What a form holds."""
    conflicts: bool = False
    """Whether it is valid only in a state that the thing named is not in."""


EXAMPLES: dict[str, Example] = {
    "POST /api/chat/send": Example(
        {"conversationId": "", "content": "x"},
        {
            "conversationId": "conversation",
            "parentId": "message",
            "regenerate": "message",
            "attachments": "files",
        },
        right={"fresh": (False,)},
    ),
    "GET /api/chat/runs/{runId}": Example(),
    "GET /api/chat/runs/{runId}/events": Example(),
    "GET /api/chat/runs/{runId}/steps": Example(),
    "POST /api/chat/runs/{runId}/tool-outputs": Example(
        {"outputs": [{"id": "call-1", "output": "x"}]}, conflicts=True
    ),
    "POST /api/chat/runs/{runId}/approvals": Example(
        {"id": "call-1", "approve": True}, right={"approve": (False,)}, conflicts=True
    ),
    "POST /api/chat/runs/{runId}/stop": Example(),
    "POST /api/chat": Example(
        {"conversationId": "", "content": "x"},
        {
            "conversationId": "conversation",
            "parentId": "message",
            "regenerate": "message",
            "attachments": "files",
        },
        right={"fresh": (False,)},
    ),
    "POST /api/chat/process": Example(
        {"sessionId": "s", "userMessageContent": "x"},
        {"userMessageId": "question", "attachments": "files"},
        right={"fresh": (False,)},
    ),
    "GET /api/conversations/{conversationId}/messages": Example(query={"head": "message"}),
    "POST /api/conversations/{conversationId}/messages": Example(
        {"role": "user", "content": "x"}, {"parentId": "message"}
    ),
    "GET /api/conversations/{conversationId}/messages/{messageId}": Example(),
    "PATCH /api/conversations/{conversationId}/messages/{messageId}": Example({"content": "x"}),
    "DELETE /api/conversations/{conversationId}/messages/{messageId}": Example(),
    "DELETE /api/conversations/{conversationId}/messages": Example(),
    "POST /api/conversations": Example({"title": "x"}),
    "GET /api/conversations": Example(),
    "GET /api/search": Example(query={"conversationId": "conversation"}, asked={"q": "segredo"}),
    "GET /api/conversations/{conversationId}": Example(),
    "PATCH /api/conversations/{conversationId}": Example(
        {"title": "x"}, {"headId": "message"}, right={"pinned": (False,), "archived": (False,)}
    ),
    "DELETE /api/conversations/{conversationId}": Example(),
    "PUT /api/conversations/{conversationId}/messages/{messageId}/feedback": Example({"thumb": "up"}),
    "DELETE /api/conversations/{conversationId}/messages/{messageId}/feedback": Example(),
    "GET /api/feedback": Example(),
    "GET /api/templates": Example(),
    "POST /api/templates": Example({"name": "x", "content": "x"}, right={"shared": (False,)}),
    "GET /api/templates/{templateId}": Example(),
    "PATCH /api/templates/{templateId}": Example({"name": "x"}),
    "DELETE /api/templates/{templateId}": Example(),
    "POST /api/templates/{templateId}/fill": Example({"values": {}}),
    "GET /api/conversations/{conversationId}/events": Example(),
    "GET /api/export": Example(),
    "GET /api/conversations/{conversationId}/export": Example(),
    "POST /api/import": Example(),
    "GET /api/tickets": Example(),
    "GET /api/tickets/{ticketId}": Example(),
    "DELETE /api/tickets/{ticketId}/answer": Example(),
    "POST /api/files": Example(query={"conversationId": "conversation"}, files={"file": ("a.txt", b"x")}),
    "GET /api/files/{fileId}": Example(),
    "GET /api/files/{fileId}/content": Example(),
    "DELETE /api/files/{fileId}": Example(),
    "GET /api/usage": Example(),
    "GET /api/admin/limits": Example(),
    "PUT /api/admin/limits": Example({"scope": "client", "subject": "x", "tokensPerDay": 10**9}),
    "DELETE /api/admin/limits": Example(asked={"scope": "client", "subject": "x"}),
    "GET /api/admin/limits/standing": Example(asked={"userId": "x"}),
    "GET /api/admin/usage": Example(),
    "GET /api/admin/alerts": Example(),
    "POST /api/usage/estimate": Example(
        {"conversationId": "", "content": "x"}, {"conversationId": "conversation"}
    ),
    "GET /api/models": Example(),
    "GET /api/session": Example(),
    "POST /api/session": Example({"token": "x"}),
    "DELETE /api/session": Example(),
    "GET /api/api-keys": Example(),
    "POST /api/api-keys": Example({"name": "x"}),
    "DELETE /api/api-keys/{apiKeyId}": Example(),
    "POST /api/embed-tokens": Example({"userId": "x"}),
    "GET /api/admin/api-keys": Example(),
    "POST /api/admin/api-keys": Example({"userId": "x", "name": "x"}),
    "DELETE /api/admin/api-keys/{apiKeyId}": Example(),
    "GET /api/admin/suspensions": Example(),
    "POST /api/admin/suspensions": Example({"userId": "x"}),
    "DELETE /api/admin/suspensions": Example(asked={"userId": "x"}),
    "GET /api/admin/keys": Example(),
    "POST /api/admin/keys": Example({"provider": "openai", "key": "sk-x"}),
    "POST /api/admin/keys/{keyId}/rotate": Example({"key": "sk-y"}),
    "DELETE /api/admin/keys/{keyId}": Example(),
    "POST /api/admin/master/rotate": Example(),
    "GET /api/admin/audit": Example(),
    "GET /api/admin/traffic": Example(),
    "GET /api/admin/errors": Example(),
    "GET /api/admin/runs": Example(),
    "GET /api/admin/runs/{runId}": Example(),
    "GET /api/admin/erasures": Example(),
    "POST /api/admin/erasures": Example({"userId": "nobody"}),
    "DELETE /api/users/me": Example(),
    "GET /api/admin/audit/verify": Example(),
    "POST /v1/chat/completions": Example(
        {"messages": [{"role": "user", "content": "x"}]},
        right=dict.fromkeys(("stream", "store", "parallel_tool_calls", "logprobs"), (False,)),
    ),
    "POST /v1/embeddings": Example({"input": "x"}),
    "GET /v1/models": Example(),
    "GET /v1/models/{model}": Example(),
    "GET /health": Example(),
    "GET /ready": Example(),
    "GET /metrics": Example(),
}


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def example_of(operation: Operation) -> Example:
    """Fails for an operation that nobody has thought of here."""
    found = EXAMPLES.get(name_of(operation))
    assert found is not None, f"tests/wire/operations.py has no example of {name_of(operation)}"
    assert (found.body is None) == (operation.takes is Nothing)
    return found


def fields_of(operation: Operation) -> list[str]:
    """The names in the JSON of its body."""
    return list(form_of(operation.takes).__struct_encode_fields__)


def body_of(operation: Operation, ids: Ids) -> dict[str, Any]:
    """The example's body, with the conversation that must be named."""
    example = example_of(operation)
    body = dict(example.body or {})
    for name in body.keys() & example.names.keys():
        body[name] = getattr(ids, example.names[name])
    return body


WRITES = [operation for operation in ALL if operation.takes is not Nothing]
