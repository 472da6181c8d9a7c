"""Addresses with places in them: whatever a model fills in, the host, the path's shape and the query stay."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prosa.adapters.tools.template import Template
from prosa.domain.errors import InvalidArguments, MisconfiguredError


def filled(url: str, arguments: dict[str, Any], query: dict[str, Any] | None = None) -> str:
    return str(Template("t", url).fill(arguments, query or {}))


@pytest.mark.parametrize(
    ("url", "arguments", "query", "address"),
    [
        ("https://a.test", {}, {}, "https://a.test/"),
        ("https://a.test/x/{city}", {"city": "Faro"}, {}, "https://a.test/x/Faro"),
        ("https://a.test/x/{city}/now", {"city": "São Paulo"}, {}, "https://a.test/x/S%C3%A3o%20Paulo/now"),
        ("https://a.test/{a}-{b}.json", {"a": 1, "b": True}, {}, "https://a.test/1-true.json"),
        ("https://a.test/{a}{b}", {"a": ".", "b": ".x"}, {}, "https://a.test/..x"),
        ("https://a.test/x?u={unit}&k=1", {"unit": "a&k=2"}, {}, "https://a.test/x?u=a%26k%3D2&k=1"),
        ("https://a.test/x?u={unit}", {}, {}, "https://a.test/x?u="),
        ("https://a.test/x?u={unit}", {"unit": ["a", "b"]}, {}, "https://a.test/x?u=a%2Cb"),
        ("https://a.test/x?k=1", {}, {"q": "a b", "n": 2}, "https://a.test/x?k=1&q=a+b&n=2"),
        ("https://a.test/x", {}, {"l": ["a", 2], "o": {"b": 1}, "z": None, "t": True},
         "https://a.test/x?l=a&l=2&o=%7B%22b%22%3A1%7D&t=true"),
        ("http://a.test:8080/é/%20", {}, {}, "http://a.test:8080/%C3%A9/%20"),
    ],
)  # fmt: skip
def test_filling(url: str, arguments: dict[str, Any], query: dict[str, Any], address: str) -> None:
    assert filled(url, arguments, query) == address


@pytest.mark.hostile(28)
@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a/b",
        "../admin",
        "a/../../b",
        "..\\admin",
        "\\",
        "/",
        "//evil.test",
        None,
        [],
        ["a"],
    ],
)
def test_values_that_would_leave_their_segment(value: Any) -> None:
    with pytest.raises(InvalidArguments):
        filled("https://a.test/x/{city}/y", {"city": value})


@pytest.mark.hostile(28)
def test_dots_in_two_places() -> None:
    with pytest.raises(InvalidArguments):
        filled("https://a.test/x/{a}{b}/y", {"a": ".", "b": "."})


@pytest.mark.hostile(28)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example("@evil.test")
@example(":80@evil.test#")
@example("%2e%2e%2f")
@example("a\r\nHost: evil.test")
@example("x?admin=1#y")
@example("{city}")
def test_a_value_stays_in_its_place(value: str) -> None:
    template = Template("t", "https://a.test/x/{city}/y?q={city}&z=1")
    try:
        url = template.fill({"city": value}, {"w": value})
    except InvalidArguments:
        assert {"/", "\\"} & set(value) or value in {".", ".."}
        return
    text = str(url)
    assert text.isascii()
    assert text.isprintable()
    assert (url.scheme, url.raw_host, url.port, url.raw_fragment, url.user) == (
        "https",
        "a.test",
        443,
        "",
        None,
    )
    before, _, query = text.removeprefix("https://a.test").partition("?")
    empty, x, city, y = before.split("/")
    assert (empty, x, unquote(city), y) == ("", "x", value, "y")
    assert [part.partition("=")[0] for part in query.split("&")] == ["q", "z", "w"]


def test_an_address_has_an_end() -> None:
    with pytest.raises(InvalidArguments, match="too long"):
        filled("https://a.test/{a}", {"a": "x" * 10_000})


@pytest.mark.parametrize(
    "url",
    [
        "", "a.test/x", "//a.test/x", "ftp://a.test/", "file:///etc/passwd", "gopher://a.test", "https://",
        "https:///x", "https://{host}/x", "https://a.{tld}/x", "https://a.test:{port}/", "{scheme}://a.test/",
        "https://ok@127.0.0.1/", "https://user:secret@a.test/", "https://a.test/x#y", "https://a.test/{a b}",
        "https://a.test/{a", "https://a.test/a}", "https://a.test/{}", "https://a.test/../x", "https://a.test/./x",
        "https://a.test\\@b.test/", "https://a.test/\tx", "https://a.test:99999/", "https://a.test:x/",
        "https://[::1/", "https://a.test/a b",
    ],
)  # fmt: skip
def test_addresses_that_no_tool_has(url: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        Template("t", url)
    assert "secret" not in str(caught.value)


@pytest.mark.hostile(28)
@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://localhost/x", True), ("http://LOCALHOST./x", True), ("http://a.localhost/", True),
        ("http://127.0.0.1/", True), ("http://127.1/", True), ("http://2130706433/", True), ("http://[::1]/", True),
        ("http://[::ffff:7f00:1]/", True), ("http://169.254.169.254/latest", True), ("http://10.0.0.1:80/", True),
        ("http://8.8.8.8/", False), ("https://a.test/", False), ("https://localhost.test/", False),
    ],
)  # fmt: skip
def test_addresses_at_home_in_plain_sight(url: str, *, private: bool) -> None:
    assert Template("t", url).private is private
