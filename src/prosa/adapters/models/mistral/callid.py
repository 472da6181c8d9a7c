"""Ids of tool calls as Mistral takes them: nine letters or digits, whoever made the call."""

import re
from hashlib import sha256
from string import ascii_letters, digits

LENGTH = 9
VALID = re.compile(rf"[a-zA-Z0-9]{{{LENGTH}}}")
DIGITS = digits + ascii_letters


def callid(identity: str) -> str:
    """`identity` where Mistral could have made it, else one that is always made of it."""
    if VALID.fullmatch(identity):
        return identity
    number = int.from_bytes(sha256(identity.encode("utf-8", "surrogatepass")).digest())
    made = ""
    for _ in range(LENGTH):
        number, digit = divmod(number, len(DIGITS))
        made += DIGITS[digit]
    return made
