"""Makes text well-formed (what JSON can say and UTF-8 or a database can't hold), and comparable."""

import unicodedata

REPLACEMENT = "\ufffd"


def well_formed(text: str) -> str:
    """`text` with U+FFFD for lone surrogates and NULs; two halves that meet become one character."""
    if is_well_formed(text):
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", REPLACEMENT)


def is_well_formed(text: str) -> bool:
    """Whether `text` has no lone surrogates and no NULs: known at the price of an encoding."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def folded(text: str) -> str:
    """`text` as it is compared with others: no accents, lower case, one space for each gap."""
    if not text.isascii():
        text = "".join(
            each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)
        )
    return " ".join(text.lower().split())


def open_half(text: str) -> str:
    """The high surrogate that ends `text` and may meet its other half in what follows, or nothing."""
    last = text[-1:]
    return last if "\ud800" <= last <= "\udbff" else ""
