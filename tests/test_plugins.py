"""An installed plug-in is used by its names in the config; no file of the package knows it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.config import MonitoringConfig
from monitor.errors import ConfigError, PluginError, UnknownNameError
from monitor.features import CustomFeature
from monitor.registry import Registry

MODULE = """
import numpy as np
import pyarrow as pa
from typing import Literal
from monitor.drift import Distance
from monitor.features import ClusteredFeature, OriginKind, VectorOrigin

def total_variation(baseline, window):
    p = baseline / baseline.sum(axis=-1, keepdims=True)
    q = window / window.sum(axis=-1, keepdims=True)
    return abs(p - q).sum(axis=-1) / 2

distance = Distance("total_variation", total_variation)

class Pair(ClusteredFeature):
    type: Literal["FROM_PAIR"] = "FROM_PAIR"
    left: str
    right: str

    @property
    def origin(self):
        return VectorOrigin(OriginKind.COLUMNS, (self.left, self.right))
"""


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution onto sys.path, as pip would: a module and the metadata of its entry points."""
    modules: list[str] = []
    monkeypatch.setattr(CustomFeature, "_kinds", dict(CustomFeature._kinds))

    def put(name: str, module: str, points: dict[str, str]) -> None:
        site = tmp_path / f"site-{name}"
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (site / f"{name}.py").write_text(dedent(module))
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        groups: dict[str, list[str]] = {}
        for point, target in points.items():
            group, _, key = point.partition("/")
            groups.setdefault(group, []).append(f"{key} = {target}")
        text = "\n".join(f"[{group}]\n" + "\n".join(lines) for group, lines in groups.items())
        (metadata / "entry_points.txt").write_text(text)
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        modules.append(name)

    yield put
    for name in modules:
        sys.modules.pop(name, None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Ready-made vectors, of which production's lie elsewhere."""
    rng = np.random.default_rng(0)
    centres = np.eye(8)[rng.integers(0, 3, 300)] * 4
    for name, shift in (("train", 0.0), ("production", 0.6)):
        rows = (centres + rng.normal(size=(300, 8)) * 0.5 + shift).astype(np.float32)
        frame = pd.DataFrame({"embedding": list(rows), "a": rows[:, 0], "b": rows[:, 1]})
        frame["ts"] = pd.date_range("2026-02-01", periods=300, freq="4min", tz="UTC")
        frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def write_config(folder: Path, feature: str, drift: str, rest: str = "") -> Path:
    path = folder / "monitor.yaml"
    path.write_text(
        f"features:\n  - {feature}\n"
        "data:\n  baseline: {path: train.parquet, timestamp_column: ts}\n"
        "  production: {path: production.parquet, timestamp_column: ts}\n"
        f"drift: {drift}\n{rest}"
    )
    return path


def windows(config: Path) -> list[dict]:
    for words in (["baseline", "fit"], ["drift", "--json"]):
        result = CliRunner().invoke(main, [*words, "--config", str(config)])
        assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["windows"]


VECTOR = "{name: photo, type: FROM_VECTOR, column: embedding, n_clusters: 3}"


@pytest.mark.extension("a distance of a plug-in, used in YAML", 0)
def test_a_distance_decides_by_its_threshold(install: Install, project: Path) -> None:
    install("toy", MODULE, {"monitor.distances/total_variation": "toy:distance"})
    config = write_config(project, VECTOR, "{thresholds: {total_variation: 0.0}}")
    (window,) = windows(config)
    assert window["verdict"] == "drift"
    assert 0 <= window["total_variation"] <= 1
    assert {"jsd", "total_variation_noise_floor"} <= window.keys()
    page = (project / "report.html").read_text()
    assert "total_variation" in page


def test_a_distance_beside_the_built_in_ones_and_in_an_alert(
    install: Install, project: Path
) -> None:
    install("toy", MODULE, {"monitor.distances/total_variation": "toy:distance"})
    rest = "alerts:\n  rules: [{name: tv, metric: total_variation, warning: 0.5}]\n"
    config = write_config(project, VECTOR, "{distances: [total_variation]}", rest)
    (window,) = windows(config)
    assert window["total_variation"] >= 0
    uncomputed = write_config(project, VECTOR, "{}", rest)
    with pytest.raises(ConfigError, match=r"metric.*total_variation.*drift\.distances"):
        MonitoringConfig.load(uncomputed)


def test_without_the_plug_in_the_config_says_what_is_missing(project: Path) -> None:
    config = write_config(project, VECTOR, "{thresholds: {jsdd: 0.2}}")
    with pytest.raises(
        ConfigError, match=r"line 6.*jsdd.*did you mean 'jsd'\?.*hellinger.*plug-in"
    ):
        MonitoringConfig.load(config)


def test_a_kind_of_feature(install: Install, project: Path) -> None:
    install("toy_pair", MODULE, {"monitor.features/FROM_PAIR": "toy_pair:Pair"})
    config = write_config(project, "{name: pair, type: FROM_PAIR, left: a, right: b}", "{}")
    (window,) = windows(config)
    assert window["feature"] == "pair"


class TestRegistry:
    @pytest.fixture
    def colours(self) -> Registry[int]:
        def check(name: str, value: object) -> None:
            if not isinstance(value, int):
                raise TypeError("it is no number")

        return Registry("test.colours", "colour", {"red": 1, "pi": "math:pi"}, check)

    def test_built_in_values_may_be_imported_late(self, colours: Registry[int]) -> None:
        assert colours["red"] == 1
        assert colours["pi"] == pytest.approx(3.14159, abs=1e-5)

    def test_nothing_is_imported_before_it_is_named(
        self, colours: Registry[int], install: Install
    ) -> None:
        install("broken", "raise RuntimeError('no GPU')", {"test.colours/blue": "broken:blue"})
        assert "blue" in colours
        assert colours.names() == ("red", "pi", "blue")
        with pytest.raises(PluginError, match=r"'blue' of broken \(broken:blue\).*no GPU"):
            colours["blue"]

    def test_what_will_not_do_is_refused(self, colours: Registry[int], install: Install) -> None:
        install("wrong", "blue = 'text'", {"test.colours/blue": "wrong:blue"})
        with pytest.raises(PluginError, match=r"wrong \(wrong:blue\) brings is no colour"):
            colours["blue"]
        with pytest.raises(PluginError, match="is no colour 'green': it is no number"):
            colours.register("green", "text")  # type: ignore[arg-type]

    def test_two_plug_ins_of_one_name(self, colours: Registry[int], install: Install) -> None:
        for name in ("first", "second"):
            install(name, "blue = 2", {"test.colours/blue": f"{name}:blue"})
        with pytest.raises(PluginError, match="uninstall all but one"):
            colours["blue"]

    def test_built_in_names_stay_built_in(self, colours: Registry[int], install: Install) -> None:
        install("thief", "red = 7", {"test.colours/red": "thief:red"})
        assert colours["red"] == 1
        with pytest.raises(PluginError, match="'red' cannot be registered as a colour"):
            colours.register("red", 7)

    def test_a_name_that_nobody_knows(self, colours: Registry[int]) -> None:
        with pytest.raises(UnknownNameError, match=r"no colour 'rad'; did you mean 'red'\? known"):
            colours["rad"]
