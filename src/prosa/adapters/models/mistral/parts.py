"""Writes the parts of a turn as the chunks of one of Mistral's messages."""

from typing import Any

from prosa.adapters.models.documents import data_url, kind_of, spelled_out
from prosa.adapters.models.mistral.errors import PROVIDER
from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ThinkingPart
from prosa.domain.errors import InvalidRequest, NotSupported
from prosa.kit.text import well_formed

PDF = "application/pdf"

Chunk = dict[str, Any]


def shown(part: Part) -> Chunk:
    """A part of what a user says. Raises `InvalidRequest`, `NotSupported`."""
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart():
            return {"type": "image_url", "image_url": picture(part)}
        case DocumentPart():
            return document(part)
        case _:
            raise InvalidRequest("a message of the user holds only text, images and documents")


def picture(image: ImagePart) -> dict[str, str]:
    if image.data is not None and image.media_type:
        url = data_url(image.media_type, image.data)
    elif image.url:
        url = well_formed(image.url)
    else:
        raise InvalidRequest("an image needs its bytes and their media type, or a URL")
    return {"url": url, "detail": image.detail} if image.detail else {"url": url}


def document(part: DocumentPart) -> Chunk:
    """By the id under which Mistral keeps it, by URL, or (a PDF) with its bytes; text, as text."""
    if part.reference:
        return {"type": "file", "file_id": well_formed(part.reference)}
    if (text := spelled_out(part)) is not None:
        return {"type": "text", "text": text}
    if part.url:
        made = {"type": "document_url", "document_url": well_formed(part.url)}
    elif part.data is None or not part.media_type:
        raise InvalidRequest("a document needs its bytes and their media type, a URL, or a reference")
    elif (kind := kind_of(part)) == PDF:
        made = {"type": "document_url", "document_url": data_url(kind, part.data)}
    else:
        raise NotSupported(f"A document of the type {kind} for {PROVIDER}")
    return {**made, "document_name": well_formed(part.name)} if part.name else made


def thought(part: ThinkingPart) -> Chunk:
    made: Chunk = {"type": "thinking", "thinking": [{"type": "text", "text": part.text}], "closed": True}
    return {**made, "signature": part.signature} if part.signature else made
