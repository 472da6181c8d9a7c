"""What every decoder bears: cuts anywhere, bytes that are no UTF-8, JSON that is nearly right, and noise."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import pieces
from tests.unit.adapters.models.speech import SPEECHES, Speech, fed, text_of, usage_of

from prosa.domain.errors import BrokenStream, ProviderError
from prosa.domain.models import Finish, FinishReason, ModelEvent
from prosa.kit.bounds import LIMIT

every_provider = pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)

BYTES = {
    "invalid UTF-8": (b"a\xff\xfeb", "a\ufffd\ufffdb"),
    "half a character": (b"\xf0\x9f\x8c", "\ufffd"),
    "a NUL escape": (rb"a\u0000b", "a\ufffdb"),
    "a NUL": (b"a\x00b", "a\ufffdb"),
    "a lone high half": (rb"a\ud800b", "a\ufffdb"),
    "a lone low half": (rb"a\udc00b", "a\ufffdb"),
    "a pair": (rb"\ud83c\udf0d", "\N{EARTH GLOBE EUROPE-AFRICA}"),
    "a tab": (b"a\tb", "a\tb"),
}


def outcome(speech: Speech, parts: list[bytes]) -> tuple[str, object, object]:
    """All that was told: the text, the last usage, and the end or the kind of fault."""
    decoder = speech.decoder()
    events: list[ModelEvent] = [event for part in parts for event in decoder.feed(part)]
    end: object
    try:
        events += decoder.end()
        end = events[-1]
    except ProviderError as error:
        end = type(error)
    return text_of(events), usage_of(events), end


@pytest.mark.hostile(25)
@pytest.mark.hostile(32)
@every_provider
@pytest.mark.parametrize("case", BYTES)
@pytest.mark.parametrize("size", [0, 1, 7])
def test_odd_bytes_become_text(speech: Speech, case: str, size: int) -> None:
    odd, text = BYTES[case]
    stream = speech.whole("<", "@", ">").replace(b'"@"', b'"' + odd + b'"')
    assert text_of(fed(speech.decoder(), pieces(stream, size))) == f"<{text}>"


@pytest.mark.hostile(25)
@every_provider
@pytest.mark.parametrize("size", [0, 1])
def test_a_character_in_two_halves_is_put_together(speech: Speech, size: int) -> None:
    stream = speech.whole("@1", "@2").replace(b"@1", rb"\ud83c").replace(b"@2", rb"\udf0d!")
    assert text_of(fed(speech.decoder(), pieces(stream, size))) == "🌍!"


@every_provider
def test_a_half_that_stays_alone_at_the_end(speech: Speech) -> None:
    stream = speech.whole("a", "@").replace(b"@", rb"\ud83c")
    assert text_of(fed(speech.decoder(), [stream])) == "a\ufffd"


@pytest.mark.hostile(32)
@every_provider
@pytest.mark.parametrize("junk", [b"{", b"nonsense", b'{"a": }', b"[" * 50_000, b"3", b"null"])
def test_what_is_no_json_breaks_the_stream_after_what_came(speech: Speech, junk: bytes) -> None:
    frame = speech.text("@")
    broken = frame.replace(frame[frame.index(b"{") :].rstrip(), junk)
    stream = speech.opening + speech.text("Metade") + broken + speech.text("nunca")
    whole = outcome(speech, [stream])
    assert (whole[0], whole[2]) == ("Metade", BrokenStream)
    assert outcome(speech, pieces(stream, 7)) == whole


@pytest.mark.hostile(64)
@every_provider
@pytest.mark.parametrize("count", ["-1", "1e3", "2.5", "10000000000", "true", '"7"', "null", "9" * 400, "[]"])
def test_a_count_that_cannot_be_is_dropped(speech: Speech, count: str) -> None:
    stream = speech.opening + speech.text("Oi") + speech.end("stop", 12, 98765)
    text, usage, end = outcome(speech, [stream.replace(b"98765", count.encode())])
    assert (text, end) == ("Oi", Finish(FinishReason.STOP))
    assert (
        getattr(usage, "completion_tokens", 1) == 1
    )  # Anthropic's first report stands where its last is absurd


@pytest.mark.hostile(32)
@every_provider
def test_without_an_end_the_stream_is_broken(speech: Speech) -> None:
    assert outcome(speech, [speech.opening + speech.text("Oi")])[::2] == ("Oi", BrokenStream)
    assert outcome(speech, []) == ("", None, BrokenStream)


@pytest.mark.parametrize("provider", ["openai", "mistral", "anthropic"])
def test_a_reason_is_end_enough(provider: str) -> None:
    speech = SPEECHES[provider]
    mark = b"event: message_stop" if provider == "anthropic" else b"data: [DONE]"
    stream = speech.whole("Oi")
    assert outcome(speech, [stream[: stream.index(mark)]])[2] == Finish(FinishReason.STOP)


def test_ollamas_last_line_needs_no_newline() -> None:
    speech = SPEECHES["ollama"]
    assert outcome(speech, [speech.whole("Oi").rstrip()])[2] == Finish(FinishReason.STOP)


@every_provider
def test_nothing_counts_after_the_end(speech: Speech) -> None:
    decoder = speech.decoder()
    events = decoder.feed(speech.whole("Oi") + speech.text("mais"))
    assert decoder.over
    assert decoder.feed(speech.text("ainda")) == []
    assert text_of(events + decoder.end()) == "Oi"


@pytest.mark.hostile(32)
@every_provider
def test_one_endless_event_is_not_kept(speech: Speech) -> None:
    decoder = speech.decoder()
    for _ in range(2 * LIMIT // 65_536 + 1):
        decoder.feed(b"x" * 65_536)
    assert decoder.over
    with pytest.raises(BrokenStream):
        decoder.end()


@every_provider
@settings(deadline=None)
@given(data=st.data())
def test_any_cut_tells_the_same(speech: Speech, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(max_size=6), max_size=5))
    stream = speech.whole(*texts)
    places = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12))), len(stream)]
    parts = [stream[start:end] for start, end in pairwise(places)]
    cut, whole = outcome(speech, parts), outcome(speech, [stream])
    assert cut == whole
    assert whole[0] == "".join(texts).replace("\0", "\ufffd")


@every_provider
@settings(deadline=None)
@given(stream=st.binary(max_size=200), size=st.integers(1, 9))
def test_any_bytes_are_survived(speech: Speech, stream: bytes, size: int) -> None:
    assert outcome(speech, pieces(stream, size)) == outcome(speech, [stream])
