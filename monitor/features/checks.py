"""Features against each other and against the columns of the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.errors import InvalidFeatureError, MissingColumnError, did_you_mean
from monitor.features.base import CustomFeature
from monitor.features.origin import OriginKind
from monitor.validation import short


def check_features(features: Sequence[CustomFeature], columns: Iterable[str] | None = None) -> None:
    """Pass if the features have names of their own and the data has their columns.

    Parameters
    ----------
    features
        All the features of a config.
    columns
        The columns of the data; None checks only the features. A feature that is embedded needs its
        sources, or its vectors if they are there already.

    Raises
    ------
    InvalidFeatureError
        If two features have the same name, or two different ones keep their vectors in the same
        column.
    MissingColumnError
        A `KeyError`, if the data lacks a column; the message names close ones.

    Examples
    --------
    >>> from monitor.features import VectorFeature
    >>> feature = VectorFeature(name="vector", column="embedding")
    >>> check_features([feature], ["embedding", "label"])
    >>> check_features([feature], ["embeddings"])
    Traceback (most recent call last):
    ...
    monitor.errors.MissingColumnError: the feature 'vector' needs the column 'embedding', ...
    """
    names: set[str] = set()
    owners: dict[str, CustomFeature] = {}
    for feature in features:
        if feature.name in names:
            raise InvalidFeatureError(
                f"two features are named {feature.name!r}; give each a name of its own"
            )
        names.add(feature.name)
        if feature.is_monitored and feature.origin.kind is not OriginKind.COLUMNS:
            _check_owner(feature, owners)
    _check_written([feature for feature in features if feature.is_monitored])
    if columns is not None:
        present = tuple(columns)
        for feature in features:
            _check_columns(feature, present)


def _check_owner(feature: CustomFeature, owners: dict[str, CustomFeature]) -> None:
    """Two features may read the same vectors, but not make different ones in one column."""
    column = feature.origin.column
    owner = owners.setdefault(column, feature)
    if (owner.type, owner.origin) != (feature.type, feature.origin):
        raise InvalidFeatureError(
            f"the features {owner.name!r} and {feature.name!r} keep different vectors in the same "
            f"column {column!r}; give each a column of its own"
        )


def _check_written(features: Sequence[CustomFeature]) -> None:
    """What `embed` writes for one feature must be no column of another's, such as `emb` and `emb_failure`."""
    for writer in features:
        for other in features:
            used = {*other.required_columns, *other.origin.columns, *other.origin.written_columns}
            beside = {*writer.origin.written_columns} - {writer.origin.column}
            twice = sorted(beside & used)
            if twice and other.origin != writer.origin:
                raise InvalidFeatureError(
                    f"embedding the feature {writer.name!r} writes the column {twice[0]!r}, which the "
                    f"feature {other.name!r} uses: give one of the two another column"
                )


def _check_columns(feature: CustomFeature, present: tuple[str, ...]) -> None:
    missing = feature.missing_columns(present)
    if missing:
        raise MissingColumnError(
            f"the feature {feature.name!r} needs the column {missing[0]!r}, which the data does not "
            f"have; {did_you_mean(missing[0], present)}the data has {short(list(present))}"
        )
