"""Headers that tell browsers what they must not do with our answers."""

from msgspec import Struct

from prosa.transport.errors import Headers

YEAR = 365 * 86_400

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {0}"
)
_POWERS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"


class Security(Struct, frozen=True):
    """`frames`: pages that may show ours in a frame; `hsts`: seconds for which a browser that has come over
    https comes in no other way (0: that is not said)."""

    frames: frozenset[str] = frozenset()
    hsts: int = YEAR

    @property
    def always(self) -> Headers:
        """On every answer."""
        return [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]

    @property
    def over_https(self) -> Headers:
        """On every answer that goes over https."""
        told = [(b"strict-transport-security", b"max-age=%d" % self.hsts)] if self.hsts else []
        return [*self.always, *told]

    @property
    def page(self) -> Headers:
        """On the files of the page: nothing but our own runs in it, and it runs in nobody else's."""
        frames = " ".join(sorted(self.frames)) or "'none'"
        return [
            (b"content-security-policy", _PAGE.format(frames).encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", _POWERS.encode()),
        ]
