"""Check digits: whether a number of a card, an account, a person or a company can be one."""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_CPF = (tuple(range(10, 1, -1)), tuple(range(11, 1, -1)))
_CNPJ = ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters of an IBAN, by country (SWIFT's IBAN registry)."""


def luhn(digits: str) -> bool:
    """Whether the last digit is that of Luhn's formula (ISO/IEC 7812-1)."""
    values = [ord(each) - 48 for each in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def iban(account: str) -> bool:
    """Whether `account`, upper case and without spaces, has its country's length and leaves 1 modulo 97
    (ISO 13616)."""
    if LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(each, 36)) for each in account[4:] + account[:4])) % 97 == 1


def cpf(digits: str) -> bool:
    """Whether eleven digits are a Brazilian person's number."""
    return len(set(digits)) > 1 and _checked(digits, 9, _CPF)


def cnpj(characters: str) -> bool:
    """Whether fourteen characters, upper case, are a Brazilian company's number: digits, or since 2026
    letters, too, which count by their code less 48 (Receita Federal, IN 2.229/2024)."""
    return len(set(characters)) > 1 and _checked(characters, 12, _CNPJ)


def _checked(characters: str, place: int, weights: tuple[tuple[int, ...], ...]) -> bool:
    values = [ord(each) - 48 for each in characters]
    for at, factors in enumerate(weights, place):
        rest = sum(value * factor for value, factor in zip(values, factors, strict=False)) % 11
        if values[at] != (0 if rest < 2 else 11 - rest):  # noqa: PLR2004 - the formula's own
            return False
    return True
