"""The family of features that come from columns of ready-made numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, StrictBool, field_validator, model_validator

from monitor.errors import InvalidFeatureError
from monitor.features.base import CustomFeature, CustomFeatureType
from monitor.features.field_types import (
    Centroids,
    ClusterCount,
    FrozenDict,
    Name,
    Seed,
    Settings,
    TagCount,
)
from monitor.features.origin import OriginKind, VectorOrigin
from monitor.validation import short

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ClusteredFeature(CustomFeature):
    """What every monitored feature has: how its vectors are put into clusters.

    Parameters
    ----------
    n_clusters
        How many clusters, from 2 to 100,000; None chooses the number from the data. With
        `centroids` it is their number.
    centroids
        Ready-made centroids, n_clusters rows of n_dimensions finite numbers: nested lists or an
        array. None: fitted on the baseline.
    random_state
        The seed of the fit, from 0.
    """

    n_clusters: ClusterCount = 5
    centroids: Centroids = None
    random_state: Seed = 0

    @model_validator(mode="before")
    @classmethod
    def _count_centroids(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("n_clusters") is not None:
            return values
        centroids = values.get("centroids")
        if centroids is not None and hasattr(centroids, "__len__"):
            return {**values, "n_clusters": max(len(centroids), 2)}
        return values

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.centroids is not None and len(self.centroids) != self.n_clusters:
            raise ValueError(
                f"n_clusters is {self.n_clusters} but there are {len(self.centroids)} centroids; "
                "leave n_clusters out, or give one centroid for each cluster (at least 2)"
            )
        return self

    @property
    def is_monitored(self) -> bool:
        """Always."""
        return True

    @property
    def vector_scaling(self) -> Literal["unit", "standard", "raw"]:
        """How vectors are scaled before distances are measured; see `VectorFeature`."""
        # Columns of different units are made alike.
        return "standard" if self.origin.kind is OriginKind.COLUMNS else "unit"

    def check_fit(self) -> None:
        """Pass if a baseline can be fitted for the feature.

        Raises
        ------
        InvalidFeatureError
            If it asks for what is not built.
        """

    @property
    def centroid_array(self) -> NDArray[np.float32] | None:
        """The centroids as a read-only float32 array (n_clusters, n_dimensions), or None."""
        if self.centroids is None:
            return None
        array = np.array(self.centroids, dtype=np.float32)
        array.flags.writeable = False
        return array


class VectorFeature(ClusteredFeature):
    """A column of ready-made vectors.

    Parameters
    ----------
    name
        The feature's name.
    column
        The column that holds the vectors.
    n_clusters, centroids, random_state
        How the vectors are clustered: 2 to 100,000 clusters or None for as many as the data has
        (default 5); ready-made centroids; the seed.
    scaling
        ``"unit"``, the default, scales each vector to length 1, since only the direction of an embedding
        has a meaning: vectors that grow three times as long have not drifted. ``"raw"`` leaves vectors as
        they are, so that their length counts; ``"standard"`` scales each dimension to mean 0 and
        standard deviation 1 in the baseline.
    parse_text
        Whether cells may be texts such as ``"[0.1, 0.2]"``, as CSV files, JSON and pgvector hold vectors.

    Raises
    ------
    InvalidFeatureError
        If a field is missing, unknown or holds what it must not.

    Examples
    --------
    >>> feature = VectorFeature(name="vector", column="embedding", centroids=[[0, 1], [1, 0]])
    >>> feature.n_clusters, feature.centroid_array.shape
    (2, (2, 2))
    >>> CustomFeature.from_dict(feature.to_dict()) == feature
    True
    """

    type: Literal[
        CustomFeatureType.FROM_VECTOR,
        CustomFeatureType.FROM_TEXT_EMBEDDING,
        CustomFeatureType.FROM_IMAGE_EMBEDDING,
    ] = CustomFeatureType.FROM_VECTOR
    column: Name
    scaling: Literal["unit", "standard", "raw"] = "unit"
    parse_text: StrictBool = False

    @field_validator("type")
    @classmethod
    def _own_type(cls, value: CustomFeatureType) -> CustomFeatureType:
        # The type admits those of the subclasses, which narrow it; an instance has but its own.
        fixed: CustomFeatureType = cls.model_fields["type"].default
        if value is not fixed:
            raise ValueError(f"is fixed to {fixed.value}; leave it out")
        return fixed

    @property
    def vector_scaling(self) -> Literal["unit", "standard", "raw"]:
        """As `scaling` says."""
        return self.scaling

    @property
    def origin(self) -> VectorOrigin:
        """Ready-made in `column`."""
        return VectorOrigin(OriginKind.READY_MADE, (self.column,))


class SourcedFeature(VectorFeature):
    """A column of vectors and the column that they were made from."""

    source_column: Name

    @model_validator(mode="after")
    def _two_columns(self) -> Self:
        if self.column == self.source_column:
            raise ValueError(
                f"column and source_column are both {self.column!r}; source_column holds what the "
                "vectors are made from, column the vectors: name two different columns"
            )
        return self

    @property
    def origin(self) -> VectorOrigin:
        """Ready-made in `column`; `source_column` shows what they were made from."""
        return VectorOrigin(OriginKind.READY_MADE, (self.column,), self.source_column)


class TextEmbedding(SourcedFeature):
    """Vectors of a text column, which come ready-made.

    Parameters
    ----------
    name, column, n_clusters, centroids, random_state
        As in `VectorFeature`.
    source_column
        The column that holds the texts.
    n_tags
        How many words describe each cluster, at least 1.

    Examples
    --------
    >>> TextEmbedding(name="text", source_column="review", column="review_vector").n_tags
    5
    """

    type: Literal[CustomFeatureType.FROM_TEXT_EMBEDDING] = CustomFeatureType.FROM_TEXT_EMBEDDING
    n_tags: TagCount = 5

    @property
    def origin(self) -> VectorOrigin:
        """Ready-made in `column`, of the texts in `source_column`."""
        return VectorOrigin(OriginKind.READY_MADE, (self.column,), self.source_column, noun="text")


class Multivariate(ClusteredFeature):
    """Several numeric columns, monitored together as one vector.

    Parameters
    ----------
    name, n_clusters, centroids, random_state
        As in `VectorFeature`.
    columns
        Two or more different columns.
    monitor_components
        Whether each column is monitored by itself as well.

    Examples
    --------
    >>> Multivariate(name="size", columns=["width", "height"]).columns
    ('width', 'height')
    """

    type: Literal[CustomFeatureType.FROM_COLUMNS] = CustomFeatureType.FROM_COLUMNS
    columns: tuple[Name, ...]
    monitor_components: StrictBool = False

    @model_validator(mode="after")
    def _enough_columns(self) -> Self:
        if len(self.columns) < 2:
            raise ValueError(
                f"columns must name at least 2 columns, not {short(self.columns)}; "
                "a single column of vectors is a VectorFeature"
            )
        _refuse_doubles(self.columns)
        if self.centroids is not None and len(self.centroids[0]) != len(self.columns):
            raise ValueError(
                f"centroids have {len(self.centroids[0])} numbers each but there are "
                f"{len(self.columns)} columns; give one number for each column"
            )
        return self

    @property
    def origin(self) -> VectorOrigin:
        """The columns side by side."""
        return VectorOrigin(OriginKind.COLUMNS, self.columns)

    def check_fit(self) -> None:
        """See `ClusteredFeature.check_fit`."""
        if self.monitor_components:
            raise InvalidFeatureError(
                f"feature {self.name!r} asks for monitor_components=True, which is not built yet: leave "
                "it out to monitor the columns together, and register a feature for each column you want "
                "to see alone"
            )


class Enrichment(CustomFeature):
    """Columns that another system derives from this data; kept in a config, not monitored.

    Parameters
    ----------
    name
        The feature's name.
    enrichment
        The kind of enrichment, such as ``"toxicity"``.
    columns
        The columns that it reads, at least one.
    config
        Its settings: plain JSON values.

    Examples
    --------
    >>> Enrichment(name="sentiment", enrichment="sentiment", columns=["review"]).config
    {}
    """

    type: Literal[CustomFeatureType.ENRICHMENT] = CustomFeatureType.ENRICHMENT
    enrichment: Name
    columns: tuple[Name, ...]
    config: Settings = Field(default_factory=FrozenDict)

    @model_validator(mode="after")
    def _some_columns(self) -> Self:
        if not self.columns:
            raise ValueError("columns must name at least one column")
        _refuse_doubles(self.columns)
        return self

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns that the enrichment reads."""
        return self.columns


def _refuse_doubles(columns: tuple[str, ...]) -> None:
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(f"columns names {', '.join(map(repr, twice))} twice; name each once")
