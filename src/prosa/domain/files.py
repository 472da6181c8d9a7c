"""Files of users: what is kept of them, what their names become, and what is refused."""

import re
import unicodedata
from enum import StrEnum

from msgspec import Struct

from prosa.domain.content import DocumentPart, ImagePart
from prosa.domain.errors import (
    Conflict,
    NotFound,
    ProsaError,
    StoreUnavailable,
    TooLarge,
    UnsupportedMediaType,
)
from prosa.domain.time import Instant

MEGABYTE = 1024 * 1024

MOST_SHOWN = 32 * MEGABYTE
"""Bytes of all files of a request to a model: providers take no more, and they are in memory together."""

MOST_ATTACHMENTS = 10
"""Files of one message."""

LONGEST_NAME = 200

_TEXTUAL = ("text/", "application/json")
_JOINERS = "\u200c\u200d"
"""Of what can't be seen, these two are parts of words and of emoji."""


class FileKind(StrEnum):
    IMAGE = "image"
    DOCUMENT = "document"


class File(Struct, frozen=True):
    """One file of a user's. `conversation_id` is None until it is sent. `name` is a label and no more;
    `width` and `height` are those that a picture claims, in pixels."""

    id: str
    user_id: str
    client_id: str
    conversation_id: str | None
    name: str
    media_type: str
    kind: FileKind
    size: int
    width: int | None
    height: int | None
    created_at: Instant

    @property
    def part(self) -> ImagePart | DocumentPart:
        """What stands for it in a message: a reference, without the bytes."""
        kind = ImagePart if self.kind is FileKind.IMAGE else DocumentPart
        return kind(self.media_type, name=self.name, file=self.id, size=self.size)


def is_text(media_type: str | None) -> bool:
    """Whether a model can be told of it in words, whatever documents it takes."""
    return (media_type or "").startswith(_TEXTUAL)


def label(given: str) -> str:
    """A name that can be shown anywhere: its last part, in one line, without what turns text around or hides;
    "file" where nothing is left."""
    last = " ".join(re.split(r"[/\\]", given)[-1].split())
    shown = "".join(each for each in last if each in _JOINERS or unicodedata.category(each)[0] != "C").strip()
    if len(shown) > LONGEST_NAME:
        stem, dot, ending = shown.rpartition(".")
        ending = dot + ending if len(ending) <= 10 else ""  # noqa: PLR2004 - longer ones tell nothing
        shown = (stem or shown)[: LONGEST_NAME - len(ending)].rstrip() + ending
    return shown if shown.strip(". " + _JOINERS) else "file"


class FileNotFound(NotFound):
    code = "file_not_found"
    en = "There is no file with this id."
    pt = "Arquivo não encontrado"


class FileInUse(Conflict):
    code = "file_in_use"
    en = "This file belongs to another conversation. Upload it again to send it here."
    pt = "Este arquivo pertence a outra conversa. Envie-o de novo para usá-lo aqui."


class FileSent(FileInUse):
    """Its owner wants to delete it, but a message shows it."""

    en = "A message uses this file. Delete the message, and the file goes with it."
    pt = "Uma mensagem usa este arquivo. Apague a mensagem, e o arquivo vai junto."


class FilesFull(ProsaError):
    code = "files_full"
    en = (
        "Your files take {used} of {limit} bytes, and this one does not fit. Delete conversations with files."
    )
    pt = "Seus arquivos ocupam {used} de {limit} bytes, e este não cabe. Apague conversas com arquivos."
    shown = ("used", "limit")

    def __init__(self, used: int, limit: int) -> None:
        super().__init__(used=used, limit=limit)


class FileTooLarge(TooLarge):
    code = "file_too_large"
    en = "A file of this kind may have {limit} bytes at most. Send a smaller one."
    pt = "Um arquivo deste tipo pode ter no máximo {limit} bytes. Envie um menor."


class AttachmentsTooLarge(TooLarge):
    code = "attachments_too_large"
    en = "The files of a message may have {limit} bytes together. Send some of them with another message."
    pt = "Os arquivos de uma mensagem podem ter {limit} bytes juntos. Envie alguns em outra mensagem."


class FileRefused(UnsupportedMediaType):
    code = "unsupported_file"
    en = "Files of this kind are not taken. Send a PNG, JPEG, GIF or WebP image, a PDF, or a text in UTF-8."
    pt = "Arquivos deste tipo não são aceitos. Envie PNG, JPEG, GIF, WebP, PDF ou um texto em UTF-8."


class InvalidFile(ProsaError):
    """Of a kind that is taken, but wrong in itself."""

    code = "invalid_file"
    en = "The file is damaged or not what it says. Open it in a program of yours and save it anew."
    pt = "O arquivo está danificado ou não é o que diz ser. Abra-o em um programa seu e salve-o de novo."


class EmptyFile(InvalidFile):
    code = "empty_file"
    en = "The file is empty. Send one that says something."
    pt = "O arquivo está vazio. Envie um que diga algo."


class ImageTooLarge(InvalidFile):
    code = "image_too_large"
    en = "The image has {width} by {height} pixels. Send one of at most {side} a side and {pixels} in all."
    pt = (
        "A imagem tem {width} por {height} pixels. Envie uma de no máximo {side} por lado e {pixels} ao todo."
    )

    def __init__(self, width: int, height: int, side: int, pixels: int) -> None:
        super().__init__(width=width, height=height, side=side, pixels=pixels)


class UploadTooSlow(ProsaError):
    code = "upload_too_slow"
    retryable = True
    en = "The upload is too slow, so it was given up. Try again over a better connection."
    pt = "O envio está lento demais e foi abandonado. Tente de novo com uma conexão melhor."


class TooManyUploads(ProsaError):
    code = "too_many_uploads"
    retryable = True
    en = "You are uploading {limit} files already. Wait until one of them has arrived."
    pt = "Você já está enviando {limit} arquivos. Espere até que um deles chegue."

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class FilesUnavailable(StoreUnavailable):
    code = "files_unavailable"
    en = "The folder of files can't be used at the moment. Try again soon; if it stays, tell the operator."
    pt = "A pasta de arquivos não está disponível no momento. Tente em breve; se continuar, avise o operador."


class ModelTakesNoImages(ProsaError):
    """`name` is what the message has with it, `model` who is to answer."""

    code = "model_takes_no_images"
    en = "{model} takes no images. Choose a model that does, or send the message without {name}."
    pt = "{model} não aceita imagens. Escolha um modelo que aceite ou envie a mensagem sem {name}."

    def __init__(self, model: str, name: str) -> None:
        super().__init__(model=model, name=name)


class ModelTakesNoDocuments(ModelTakesNoImages):
    code = "model_takes_no_documents"
    en = "{model} takes no PDF documents. Choose a model that does, or send the text of {name}."
    pt = "{model} não aceita documentos PDF. Escolha um modelo que aceite ou envie o texto de {name}."
