"""A new kind of feature takes its class and the import of its module: no verb asks for a class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.config import MonitoringConfig
from monitor.config.json_schema import json_schema
from monitor.features import ClusteredFeature, CustomFeature, OriginKind, VectorOrigin


@pytest.fixture
def proportions(monkeypatch: pytest.MonkeyPatch) -> type[CustomFeature]:
    """A toy: width and height side by side."""
    monkeypatch.setattr(CustomFeature, "_kinds", dict(CustomFeature._kinds))

    class Proportions(ClusteredFeature):
        """Width and height of the images."""

        type: Literal["FROM_PROPORTIONS"] = "FROM_PROPORTIONS"
        prefix: str

        @property
        def origin(self) -> VectorOrigin:
            return VectorOrigin(
                OriginKind.COLUMNS, (f"{self.prefix}_width", f"{self.prefix}_height")
            )

    return Proportions


@pytest.fixture
def config(proportions: type[CustomFeature], tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, scale in (("train", 1.0), ("production", 1.5)):
        sizes = rng.normal(500, 50, (300, 2)) * scale
        table = pd.DataFrame(sizes, columns=["photo_width", "photo_height"])
        table.to_parquet(tmp_path / f"{name}.parquet")
    path = tmp_path / "monitor.yaml"
    path.write_text(
        "features:\n  - {name: shape, type: FROM_PROPORTIONS, prefix: photo, n_clusters: 4}\n"
        "data:\n  baseline: {path: train.parquet}\n  production: {path: production.parquet}\n"
    )
    return path


def test_goes_through_dictionaries_and_configs(
    proportions: type[CustomFeature], config: Path
) -> None:
    feature = proportions(name="shape", prefix="photo", n_clusters=4)
    assert CustomFeature.from_dict(feature.to_dict()) == feature
    loaded = MonitoringConfig.load(config)
    assert loaded.features == loaded.monitored == (feature,)
    assert MonitoringConfig.from_dict(loaded.to_dict(), folder=config.parent) == loaded


def test_stands_in_the_schema_that_editors_read(proportions: type[CustomFeature]) -> None:
    properties = json_schema()["$defs"]["Proportions"]["properties"]
    assert properties["type"]["const"] == "FROM_PROPORTIONS"
    assert "prefix" in properties


@pytest.mark.extension("a kind of feature: its class and the import of its module", 2)
def test_is_judged_from_the_shell(config: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(main, [*words, "--config", str(config)])
        assert result.exit_code == 0, result.output
        return result.stdout

    run("check")
    run("baseline", "fit")
    (window,) = json.loads(run("drift", "--json"))["windows"]
    assert (window["feature"], window["verdict"]) == ("shape", "drift")


def test_a_misspelt_type_is_told_with_the_new_one(proportions: type[CustomFeature]) -> None:
    with pytest.raises(ValueError, match="FROM_PROPORTIONS"):
        CustomFeature.from_dict({"type": "FROM_PROPORTION", "name": "shape"})
