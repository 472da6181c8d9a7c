"""Templates: what goes into their places, and what does not."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain.errors import InvalidRequest
from prosa.domain.templates import Template, Variable, checked, fill
from prosa.domain.time import Instant


def template(content: str, *variables: Variable) -> Template:
    moment = Instant(0)
    return Template("id", "ana", "", "t", None, content, variables, moment, moment)


def filled(content: str, *variables: Variable, **values: Any) -> str:
    return fill(template(content, *variables), values)


def test_a_place_takes_its_value_wherever_it_stands() -> None:
    text = filled("{{a}}, {{ a }} e {{b}}{{a}}", Variable("a"), Variable("b"), a="x", b="y")
    assert text == "x, x e yx"


@pytest.mark.hostile(26)
@pytest.mark.parametrize(
    "odd",
    [
        "{{7*7}}",
        "${7*7}",
        "{0.__class__}",
        "%n %s",
        "{{a.b}}",
        "{{ }}",
        "{{{{a",
        "{% if a %}",
        "{{unknown}}",
        "\\1 \\g<0>",
    ],
)
def test_what_is_no_place_stays_as_it_is(odd: str) -> None:
    assert filled(f"{odd} {{{{x}}}}", Variable("x"), x=odd) == f"{odd} {odd}"


@given(st.text(), st.text())
def test_a_value_is_never_filled_itself(first: str, second: str) -> None:
    kept = first.replace("\0", "")
    values = {"a": kept + "{{b}}", "b": second.replace("\0", "")}
    text = fill(template("{{a}}|{{b}}", Variable("a", "multiline"), Variable("b", "multiline")), values)
    assert text == f"{values['a']}|{values['b']}"


def test_names_are_of_any_language() -> None:
    assert filled("{{preço}} {{_x1}}", Variable("preço"), Variable("_x1"), preço="3", _x1="y") == "3 y"


@pytest.mark.parametrize(
    ("variable", "good", "text"),
    [
        (Variable("v", "number"), 3, "3"),
        (Variable("v", "number"), "-2.5e3", "-2.5e3"),
        (Variable("v", "boolean"), True, "true"),
        (Variable("v", "boolean"), "Sim", "Sim"),
        (Variable("v", "choice", choices=("a", "b")), "b", "b"),
        (Variable("v", "date"), "2026-02-28", "2026-02-28"),
        (Variable("v", "multiline"), "a\nb", "a\nb"),
        (Variable("v", default="d"), None, "d"),
        (Variable("v", default="d"), "", "d"),
        (Variable("v"), None, ""),
    ],
)
def test_values_of_each_kind(variable: Variable, good: Any, text: str) -> None:
    assert filled("{{v}}", variable, v=good) == text


@pytest.mark.parametrize(
    ("variable", "bad"),
    [
        (Variable("v", "number"), "três"),
        (Variable("v", "number"), "1_000"),
        (Variable("v", "number"), float("nan")),
        (Variable("v", "number"), float("inf")),
        (Variable("v", "boolean"), "maybe"),
        (Variable("v", "choice", choices=("a",)), "A"),
        (Variable("v", "date"), "2026-02-30"),
        (Variable("v", "date"), "20260228"),
        (Variable("v"), "a\nb"),
        (Variable("v"), "a\0"),
        (Variable("v"), "x" * 100_001),
        (Variable("v", required=True), None),
        (Variable("v", required=True), ""),
    ],
)
def test_what_a_kind_refuses(variable: Variable, bad: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"values\.v "):
        filled("{{v}}", variable, v=bad)


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"values\.w is not a variable"):
        filled("{{v}}", Variable("v"), v="x", w="y")


@pytest.mark.parametrize(
    "variables",
    [
        (Variable("a"), Variable("a", "number")),
        (Variable("a", "choice"),),
        (Variable("a", choices=("x",)),),
        (Variable("a", "number", default="x"),),
        (Variable("a", "choice", default="z", choices=("x",)),),
    ],
)
def test_variables_that_make_no_sense(variables: tuple[Variable, ...]) -> None:
    with pytest.raises(InvalidRequest):
        checked(variables)


@given(st.text(alphabet=string.printable, max_size=300))
def test_a_text_without_variables_is_that_text(content: str) -> None:
    assert filled(content) == content
