"""What is cut out of all that is written."""

from prosa.kit.secrets import hidden, remember


def test_a_secret_that_begins_with_another_is_hidden_whole() -> None:
    remember("sk-beginning", "sk-beginning-and-the-rest")
    assert hidden("of sk-beginning-and-the-rest.") == "of …."
