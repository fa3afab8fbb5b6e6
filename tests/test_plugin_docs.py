"""docs/plugins.md: its Python runs, its configs hold, and it names every group and suite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor import testing
from monitor.drift.distances import registry as distances
from monitor.embedding.executors import registry as executors
from monitor.encoders.registry import handlers
from monitor.features import CustomFeature
from monitor.features.base import registry as features
from monitor.sources import registry as sources

TEXT = (Path(__file__).parent.parent / "docs" / "plugins.md").read_text(encoding="utf-8")


def test_the_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CustomFeature, "_kinds", dict(CustomFeature._kinds))
    namespace: dict[str, object] = {"__name__": "plugins"}
    for block in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(compile(block, "docs/plugins.md", "exec", dont_inherit=True), namespace)
    assert namespace["Proportions"](name="shape", prefix="photo").origin.columns == (  # type: ignore[operator]
        "photo_width",
        "photo_height",
    )


def test_names_every_group_and_suite() -> None:
    for registry in (distances, executors, handlers, features, sources):
        assert f"`{registry.group}`" in TEXT
    for name in testing.__all__:
        assert name in TEXT
