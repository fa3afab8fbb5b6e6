"""An opened config: its features, its baselines and where they lie."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from monitor.cli.terminal import Terminal
from monitor.config import DriftConfig, MonitoringConfig
from monitor.errors import BaselineError, ConfigError, did_you_mean
from monitor.features import ClusteredFeature

if TYPE_CHECKING:
    from monitor.clusters import Baseline
    from monitor.embedding import Executor

Monitored = ClusteredFeature

_FILE_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
# How a model runs and is pinned, which does not change what its vectors mean: the fingerprint tells that.
_RUN_ONLY = {"model_cache_dir", "device", "batch_size", "revision", "fingerprint"}


@dataclass(frozen=True)
class Project:
    """A config, the file that it came from, and the terminal to speak to."""

    path: Path
    config: MonitoringConfig
    terminal: Terminal

    @classmethod
    def open(cls, path: Path, terminal: Terminal) -> Project:
        """Read the config at `path`."""
        return cls(path, MonitoringConfig.load(path), terminal)

    def features(self, names: Sequence[str] = ()) -> tuple[Monitored, ...]:
        """The monitored features of these names; of all names if there are none."""
        monitored = {feature.name: feature for feature in self.config.monitored}
        for name in names:
            if name not in monitored:
                raise ConfigError(
                    f"{self.path} has no monitored feature {name!r}; {did_you_mean(name, monitored)}"
                    f"it has: {', '.join(monitored)}"
                )
        return tuple(monitored[name] for name in dict.fromkeys(names) or monitored)

    @cached_property
    def executor(self) -> Executor:
        """Where the config has images embedded; its workers stay for the whole command."""
        from monitor.embedding.executors import registry

        return self.config.executor.made_by(registry, "executor")

    @property
    def output(self) -> Path:
        """The folder for embedded tables and baselines."""
        return self.config.resolve(self.config.output)

    def command(self, words: str) -> str:
        """`words` as a command line for this config."""
        named = "" if self.path == Path("monitor.yaml") else f" --config {quote(str(self.path))}"
        return f"monitor {words}{named}"

    def baseline_path(self, feature: Monitored) -> Path:
        """Where the baseline of `feature` is saved."""
        return self.output / "baselines" / f"{file_name(feature.name)}.safetensors"

    def baseline(self, feature: Monitored) -> Baseline:
        """The saved baseline of `feature`.

        Raises
        ------
        BaselineError
            If there is none, or the config's feature has changed since it was fitted.
        """
        from monitor.clusters import Baseline

        path = self.baseline_path(feature)
        if not path.is_file():
            raise BaselineError(
                f"there is no baseline of feature {feature.name!r} yet: run "
                f"`{self.command('baseline fit')}`"
            )
        baseline = Baseline.load(path)
        changes = differences(baseline, feature, self.config.drift)
        if changes:
            raise BaselineError(
                f"the feature {feature.name!r} has changed since its baseline was fitted: "
                f"{'; '.join(changes)}. Run `{self.command('baseline fit')}` to fit it again, or "
                f"put back what {self.path} said"
            )
        return baseline

    def previous_baseline(self, feature: Monitored) -> Baseline | None:
        """The saved baseline of `feature`, whose names a new one keeps; None where none can be read."""
        from monitor.clusters import Baseline

        path = self.baseline_path(feature)
        try:
            return Baseline.load(path) if path.is_file() else None
        except BaselineError:
            # A new fit is the way out of a baseline that is damaged or of an older version.
            return None


def file_name(name: str) -> str:
    """A feature's name as a file name: as it is where that is safe, else with a mark of its own.

    Examples
    --------
    >>> file_name("image_feature"), file_name("front/left")
    ('image_feature', 'front_left-a6995091')
    """
    if _FILE_SAFE.fullmatch(name):
        return name
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60].strip("_") or "feature"
    # Two names that read alike must not share a file.
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def differences(baseline: Baseline, feature: Monitored, drift: DriftConfig) -> list[str]:
    """What the config says of `feature` and its rows that was different when `baseline` was fitted."""
    context = [] if baseline.context is None else list(baseline.context.names)
    grouped = baseline.facts.group_column
    before = dict(_flat(baseline.feature)) | {"context": context, "group_column": grouped}
    now = dict(_flat(feature.to_dict()))
    now |= {"context": list(drift.context), "group_column": drift.group_column}
    changes = [
        f"{key} was {before.get(key)!r} and is {now.get(key)!r}"
        for key in dict.fromkeys([*before, *now])
        if before.get(key) != now.get(key)
    ]
    centroids = feature.centroid_array
    if centroids is not None and (
        centroids.shape != baseline.centroids.shape or (centroids != baseline.centroids).any()
    ):
        changes.append("centroids differ")
    return changes


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        # A baseline holds its centroids as an array, not in the description.
        if key in _RUN_ONLY or key == "centroids":
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
