"""JSON objects whose fields are read as attributes, too: `answer.content` and `answer["content"]`."""

from inspect import get_annotations
from typing import Any


class Shape(dict[str, Any]):
    """A dict, so that it can be sent back, stored and encoded as it is. Of the fields that a class names, one
    that is not there reads as None."""

    def __getattr__(self, name: str) -> Any:
        if name in get_annotations(type(self)):
            return self.get(name)
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")
