"""Makes text well-formed: what JSON can say and UTF-8 or a database can't hold."""

REPLACEMENT = "\ufffd"


def well_formed(text: str) -> str:
    """`text` with U+FFFD for lone surrogates and NULs; two halves that meet become one character."""
    if text.isascii():
        return text.replace("\0", REPLACEMENT)
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", REPLACEMENT)


def open_half(text: str) -> str:
    """The high surrogate that ends `text` and may meet its other half in what follows, or nothing."""
    last = text[-1:]
    return last if "\ud800" <= last <= "\udbff" else ""
