"""Documents that are text anyway, for the wires that take no others or not as files, and bytes in a URL."""

from base64 import b64encode

from prosa.domain.content import DocumentPart
from prosa.kit.text import well_formed

TEXTUAL = ("text/", "application/json", "application/xml", "application/yaml")


def kind_of(document: DocumentPart) -> str:
    """The media type without its parameters."""
    return (document.media_type or "").partition(";")[0].strip().lower()


def spelled_out(document: DocumentPart) -> str | None:
    """The document as a part of a prompt, in tags that tell its name; None where its bytes are no text."""
    if document.data is None or not kind_of(document).startswith(TEXTUAL):
        return None
    name = well_formed(document.name or "document").replace('"', "'")
    text = well_formed(document.data.decode("utf-8", "replace"))
    return f'<document name="{name}">\n{text}\n</document>'


def data_url(kind: str, data: bytes) -> str:
    """Bytes of a media type where a URL is expected (RFC 2397)."""
    return f"data:{kind};base64,{b64encode(data).decode()}"
