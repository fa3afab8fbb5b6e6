"""`MonitoringConfig`: a whole monitoring set-up as one frozen value."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from monitor.alerts.rule import BUILT_IN_METRICS
from monitor.alerts.settings import AlertsConfig
from monitor.config.data import DataConfig
from monitor.config.faults import FaultAt, faults_of, in_words
from monitor.config.plugins import PluginConfig
from monitor.config.section import Text
from monitor.config.sections import (
    CacheConfig,
    DriftConfig,
    ReportConfig,
    ScheduleConfig,
    StoreConfig,
    ThresholdConfig,
)
from monitor.config.serving import ServeConfig
from monitor.config.strict_yaml import read_yaml
from monitor.environment import filled_in
from monitor.errors import ConfigError, did_you_mean
from monitor.features import ClusteredFeature, CustomFeature, check_features
from monitor.images.policy import SourcePolicy
from monitor.validation import KeyPath

logger = logging.getLogger(__name__)


def _feature(value: object) -> object:
    if isinstance(value, CustomFeature):
        return value
    kinds = CustomFeature.type_names()
    if not isinstance(value, Mapping):
        raise ValueError("must be a feature: keys and values such as name, type and column")
    if "type" not in value:
        raise FaultAt(("type",), f"is missing: add it; allowed: {', '.join(kinds)}")
    kind = value["type"]
    if kind not in kinds:
        raise FaultAt(
            ("type",),
            f"{kind!r} is not a type; {did_you_mean(str(kind), kinds)}allowed: {', '.join(kinds)}",
        )
    return CustomFeature.from_dict(value)


Feature = Annotated[
    SerializeAsAny[CustomFeature],
    BeforeValidator(_feature),
]


class MonitoringConfig(BaseModel):
    """What is monitored, where its data lies and what counts as drift.

    Parameters
    ----------
    features
        What is monitored: features, or their dictionaries.
    data
        The files of the baseline and of production.
    sources
        From where images may be fetched.
    drift
        Windows and the rate of false alarms.
    schedule
        When windows are judged by themselves.
    store
        Where results are kept.
    alerts
        What raises an alert and where alerts go.
    cache
        Vectors of images that were seen before.
    executor
        Where images are embedded.
    serve
        Where the page is, and who may look at it.
    report, output, model_cache_dir
        What is written, and where to. Relative paths start at `folder`, wherever they stand.
    version
        Of this format, 1.

    Raises
    ------
    ConfigError
        A `ValueError` with a line for each mistake: where it stands, the value seen, what is allowed.

    Examples
    --------
    >>> config = MonitoringConfig(
    ...     features=[{"type": "FROM_VECTOR", "name": "photo", "column": "embedding"}],
    ...     data={
    ...         "baseline": {"path": "train.parquet"},
    ...         "production": {"path": "production/*.parquet", "timestamp_column": "ts"},
    ...     },
    ...     drift={"every": "1d"},
    ... )
    >>> config.features[0].n_clusters, config.drift.every
    (5, Every(count=1, unit='D'))
    >>> MonitoringConfig.from_dict(config.to_dict()) == config
    True
    """

    # A traceback shows pydantic's own message, whose inputs may hold a channel's password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Literal[1] = Field(default=1, description="The version of this format.")
    features: tuple[Feature, ...] = Field(
        min_length=1, description="What is monitored, each with a name of its own."
    )
    data: DataConfig = Field(description="The files of the baseline and of production.")
    sources: SourcePolicy = Field(
        default_factory=SourcePolicy, description="From where images may be fetched, and how."
    )
    drift: DriftConfig = Field(default_factory=DriftConfig, description="What counts as drift.")
    report: ReportConfig = Field(
        default_factory=ReportConfig, description="Which files `monitor drift` writes."
    )
    schedule: ScheduleConfig = Field(
        default_factory=ScheduleConfig, description="When windows are judged by themselves."
    )
    store: StoreConfig = Field(default_factory=StoreConfig, description="Where results are kept.")
    alerts: AlertsConfig = Field(
        default_factory=AlertsConfig, description="What raises an alert, and where alerts go."
    )
    cache: CacheConfig = Field(
        default_factory=CacheConfig, description="Vectors of images that were seen before."
    )
    executor: PluginConfig = Field(
        default_factory=lambda: PluginConfig(type="local"),
        description="Where images are embedded: local takes this machine, and reads images in as many "
        "threads, or in other processes, as its settings threads and processes say.",
    )
    serve: ServeConfig = Field(
        default_factory=ServeConfig, description="Where the page is, and who may look at it."
    )
    output: Text = Field(
        default=".monitor",
        description="The folder for embedded tables and baselines.",
    )
    model_cache_dir: Text | None = Field(
        default=None,
        description="The folder for downloaded model weights. Null takes the Hugging Face cache.",
    )

    _folder: Path = PrivateAttr(default_factory=Path)

    if not TYPE_CHECKING:  # type checkers read the fields' signature instead

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                faults = faults_of(error, MonitoringConfig)
                raise ConfigError(in_words(faults, "the config", {})) from error

    @field_validator("features")
    @classmethod
    def _features_agree(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        check_features(features)
        if not any(feature.is_monitored for feature in features):
            raise ValueError("an enrichment is not monitored: add a feature of another type")
        return features

    @model_validator(mode="after")
    def _alerts_know_features(self) -> Self:
        names = [feature.name for feature in self.monitored]
        for index, rule in enumerate(self.alerts.rules):
            for name in rule.features or ():
                if name not in names:
                    raise FaultAt(
                        ("alerts", "rules", index, "features"),
                        f"there is no monitored feature {name!r}; {did_you_mean(name, names)}"
                        f"allowed: {', '.join(names)}",
                    )
        return self

    @model_validator(mode="after")
    def _alerts_know_scores(self) -> Self:
        computed = (*BUILT_IN_METRICS, *ThresholdConfig.model_fields, *self.drift.distances)
        for index, rule in enumerate(self.alerts.rules):
            if rule.metric not in computed and rule.metric not in self.drift.thresholds.given:
                raise FaultAt(
                    ("alerts", "rules", index, "metric"),
                    f"{rule.metric!r} is the distance of a plug-in, which windows get when it is named: "
                    "add it to drift.distances",
                )
        return self

    @model_validator(mode="after")
    def _windows_have_times(self) -> Self:
        if self.drift.every is not None and self.data.production.timestamp_column is None:
            raise FaultAt(
                ("drift", "every"),
                f"'{self.drift.every}' needs to know when each row happened: name the column in "
                "data.production.timestamp_column, or leave every out to judge all rows at once",
            )
        return self

    @property
    def folder(self) -> Path:
        """Where relative paths start: the folder of the file it was read from."""
        return self._folder

    def resolve(self, path: str) -> Path:
        """`path` as written in this config, seen from the working folder."""
        return self._folder / Path(path).expanduser()

    @property
    def store_url(self) -> str:
        """The URL of the store, with environment variables filled in.

        Raises
        ------
        ConfigError
            If one of them is not set.
        """
        if self.store.url is None:
            return f"sqlite:///{self.resolve(self.output) / 'monitor.db'}"
        url = filled_in(self.store.url, "store.url")
        kind, slashes, path = url.partition(":///")
        # A relative path starts at this config's folder, as everywhere in it.
        is_file = slashes and kind.startswith("sqlite") and path
        return f"{kind}:///{self.resolve(path)}" if is_file else url

    @property
    def policy(self) -> SourcePolicy:
        """`sources` with its folders and files resolved."""
        values = self.sources.model_dump(exclude_unset=True)
        roots = [str(self.resolve(root)) for root in self.sources.roots]
        # Whoever names a folder of images means them to be read.
        roots += [str(self.resolve(root)) for root in self.data.image_roots]
        if roots:
            values["roots"] = list(dict.fromkeys(roots))
        if self.sources.ca_bundle is not None:
            values["ca_bundle"] = str(self.resolve(self.sources.ca_bundle))
        return SourcePolicy(**values)

    @property
    def vocabulary(self) -> tuple[str, ...] | Path | None:
        """`drift.vocabulary`, a file seen from the working folder."""
        words = self.drift.vocabulary
        return self.resolve(words) if isinstance(words, str) else words

    @property
    def monitored(self) -> tuple[ClusteredFeature, ...]:
        """The features that have vectors: all but enrichments."""
        return tuple(f for f in self.features if isinstance(f, ClusteredFeature))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a YAML file.

        Raises
        ------
        ConfigError
            If there is no such file, it is no YAML, or what it says does not hold; with line numbers.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise ConfigError(_no_config(path)) from error
        except OSError as error:
            raise ConfigError(
                f"the config {path} cannot be read: {error.strerror or error}: name a YAML file"
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"the config {path} is not UTF-8 text: save it as UTF-8") from error
        logger.debug("reading the config %s", path)
        values, lines = read_yaml(text, str(path))
        return cls._build(values, path.parent, str(path), lines)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, folder: str | Path = ".") -> Self:
        """The config that `to_dict` wrote; relative paths start at `folder`.

        Raises
        ------
        ConfigError
            If what it says does not hold.
        """
        return cls._build(values, Path(folder), "the config", {})

    @classmethod
    def _build(
        cls, values: Mapping[str, Any], folder: Path, name: str, lines: Mapping[KeyPath, int]
    ) -> Self:
        try:
            config = cls(**values)
        except ConfigError as error:
            inner = error.__cause__
            if not isinstance(inner, ValidationError):
                raise
            raise ConfigError(in_words(faults_of(inner, cls), name, lines)) from inner
        config._folder = folder
        return config

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or YAML, defaults left out."""
        values = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        values["features"] = [feature.to_config() for feature in self.features]
        return {"version": self.version, **values}

    def to_yaml(self) -> str:
        """The text of a config file that `load` reads as an equal config."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def _no_config(path: Path) -> str:
    beside = [*path.parent.glob("*.yaml"), *path.parent.glob("*.yml")]
    hint = did_you_mean(path.name, [other.name for other in beside])
    if hint:
        return f"there is no config at {path}: {hint.rstrip()}"
    return f"there is no config at {path}: `monitor init` writes one, --config names another"
