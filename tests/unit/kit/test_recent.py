"""What is remembered for a while."""

from prosa.kit.recent import Recent


def test_entries_end_and_the_least_wanted_goes_first() -> None:
    time = [0.0]
    recent: Recent[str] = Recent(2, 10, lambda: time[0])
    recent.put("a", "1")
    recent.put("b", "2")
    assert recent.get("a") == "1"
    recent.put("c", "3")
    assert (recent.get("b"), recent.get("a"), len(recent)) == (None, "1", 2)
    time[0] = 10.0
    assert recent.get("a") is None
    recent.put("c", "4")
    time[0] = 19.0
    assert recent.get("c") == "4"
