"""Docstrings in the three manners that people write them."""

import pytest

from prosa.adapters.tools.docstring import Docstring, read

GOOGLE = """Looks up an order.

    It may take a while.

    Args:
        order: The order's number,
            as printed on the bill.
        warehouse (str, optional): Where: north or south.

        *rest: Others.

    Returns:
        int: How many.

    Note:
        order: not this one.
    """

NUMPY = """
    Looks up an order.

    It may take a while.

    Parameters
    ----------
    order : int
        The order's number,
        as printed on the bill.
    warehouse, other : {"north", "south"}, optional
        Where: north or south.
    silent : bool

    Returns
    -------
    int
        How many.
    """

SPHINX = """Looks up an order.

    It may take a while.

    :param order: The order's number,
        as printed on the bill.
    :type order: int
    :param str warehouse: Where: north or south.
    :returns: How many.
    :raises ValueError: never
    """

TEXT = "Looks up an order.\n\nIt may take a while."
ORDER = "The order's number, as printed on the bill."
WHERE = "Where: north or south."


@pytest.mark.parametrize(
    ("docstring", "parameters"),
    [
        (GOOGLE, {"order": ORDER, "warehouse": WHERE, "rest": "Others."}),
        (NUMPY, {"order": ORDER, "warehouse": WHERE, "other": WHERE}),
        (SPHINX, {"order": ORDER, "warehouse": WHERE}),
    ],
    ids=["google", "numpy", "sphinx"],
)
def test_text_and_parameters(docstring: str, parameters: dict[str, str]) -> None:
    assert read(docstring) == Docstring(TEXT, parameters)


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        (None, ""),
        ("", ""),
        ("One line.", "One line."),
        ("One line.\n    And: another.", "One line.\nAnd: another."),
        (
            "Returns the parameters.\n\nNote that it is slow.",
            "Returns the parameters.\n\nNote that it is slow.",
        ),
        ("T.\n\nArgs:\n", "T."),
        ("T.\n\nParameters\n\nare listed elsewhere.", "T.\n\nParameters\n\nare listed elsewhere."),
    ],
)
def test_what_has_no_sections_is_all_text(docstring: str | None, text: str) -> None:
    assert read(docstring) == Docstring(text, {})
