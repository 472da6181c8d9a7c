"""The dashboard for Grafana asks for metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from prosa.services import meters

BOARD = json.loads((Path(__file__).parents[2] / "deploy/grafana/prosa.json").read_text(encoding="utf-8"))
LABELS = {"instance", "le"}
"""That Prometheus itself gives."""


def known() -> dict[str, set[str]]:
    """The labels of every series that this process can have."""
    found = {}
    for collector in [each for each in vars(meters).values() if hasattr(each, "_labelnames")]:
        labels = set(collector._labelnames)
        (family,) = collector.describe()
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
        found |= {family.name + suffix: labels for suffix in suffixes[family.type]}
    return found


def queries() -> Iterator[str]:
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_names_what_there_is(query: str) -> None:
    series = known()
    process = {
        name for family in REGISTRY.collect() for name in (family.name, *(s.name for s in family.samples))
    }
    names = set(re.findall(r"\b(?:prosa|process)_\w+", query))
    assert names
    labels = set(re.findall(r"(\w+)=~?\"", query)) | {
        label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")
    }
    for name in names:
        assert name in (series if name.startswith("prosa_") else process), name
    had = set().union(*(series.get(name, set()) for name in names))
    assert labels <= had | LABELS, query


def test_every_metric_is_on_it() -> None:
    shown = " ".join(queries())
    missing = {name for name in known() if not name.endswith(("_count", "_sum")) and name not in shown}
    assert not missing


def test_ids_are_unique_and_panels_do_not_overlap() -> None:
    ids: list[Any] = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
