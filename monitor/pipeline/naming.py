"""What clusters, and groups of rows, are called: by the encoder's words, or else by metadata."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, Name, Words, draw_rows
from monitor.clusters.kmeans import unit_rows
from monitor.clusters.value_table import OTHER, ValueTable
from monitor.errors import MonitorError
from monitor.features import CustomFeature, OriginKind
from monitor.naming import (
    ValueCounts,
    distinct,
    fit_words,
    group_name,
    kept_names,
    name_by_lift,
    read_vocabulary,
    spread_over,
    word_vectors,
)
from monitor.pipeline.rows import COMPOUND, EMPTY

if TYPE_CHECKING:
    from monitor.naming import Vocabulary

logger = logging.getLogger(__name__)

_IGNORED: Final = frozenset((EMPTY, COMPOUND, OTHER))
_MOST_KEPT: Final = 4
_encoded: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, ...], NDArray[np.float32]]] = {}
"""What this process has encoded, by fingerprint and vocabulary: some models take minutes for it."""


def with_names(
    baseline: Baseline,
    feature: CustomFeature,
    scaled: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    vocabulary: Vocabulary | None,
    previous: Baseline | None,
) -> Baseline:
    """The baseline, with what names its clusters and will name groups of rows.

    Parameters
    ----------
    baseline
        Without names.
    feature
        Whose encoder may know words.
    scaled, labels
        (n, width) and (n,) all rows as `Baseline.assign` gives them.
    vocabulary
        As `fit_baseline` takes it.
    previous
        An earlier baseline, whose names stay where the clusters do.
    """
    words = _words(baseline, feature, scaled, read_vocabulary(vocabulary))
    names = []
    for cluster in range(baseline.n_clusters):
        members = np.flatnonzero(labels == cluster)
        by_lift = name_by_lift(
            {name: _of_cluster(table, cluster) for name, table in baseline.columns.items()},
            ignored=_IGNORED,
        )
        few = scaled[members[spread_over(len(members))]]
        by_words = _by_words(few, baseline, words)
        names.append(by_words or by_lift or by_words)
    kept = {}
    if previous is not None and _is_of_same_space(previous, replace(baseline, words=words)):
        kept = kept_names(baseline.centroids, previous.centroids, previous.names)
    names = [kept.get(cluster, name) for cluster, name in enumerate(names)]
    distinct_names = distinct(names, firm=kept)
    return replace(baseline, names=distinct_names if any(distinct_names) else (), words=words)


def name_of_rows(
    scaled: NDArray[np.float32],
    baseline: Baseline,
    values: Mapping[str, NDArray[np.object_]] | None = None,
) -> Name:
    """What rows that are alike show, by the words and the metadata of the baseline.

    Parameters
    ----------
    scaled
        (n, width) float32, as `Baseline.assign` scales them.
    baseline
        With its words.
    values
        By column, (n,) the rows' metadata, where they have any.
    """
    name = _by_words(scaled, baseline, baseline.words)
    if name:
        return name
    counts = {
        column: ValueCounts(Counter(cells.tolist()), _outside(baseline.columns[column]))
        for column, cells in (values or {}).items()
        if column in baseline.columns
    }
    return name_by_lift(counts, ignored=_IGNORED) or name


def _words(
    baseline: Baseline,
    feature: CustomFeature,
    scaled: NDArray[np.float32],
    names: tuple[str, ...],
) -> Words | None:
    origin = feature.origin
    if origin.kind is not OriginKind.IMAGES or origin.encoder is None or len(names) < 2:
        return None
    if baseline.fingerprint is None:
        # Vectors of an encoder that is not known may lie in another space than its words.
        return None
    from monitor.encoders import load_encoder

    key = (baseline.fingerprint, names)
    try:
        if key not in _encoded:
            encoder = load_encoder(origin.encoder)
            if encoder.fingerprint != baseline.fingerprint:
                return None
            logger.info("%s: encoding %d words", baseline.name, len(names))
            while len(_encoded) >= _MOST_KEPT:
                _encoded.pop(next(iter(_encoded)))
            _encoded[key] = word_vectors(names, encoder.encode_texts)
    except (MonitorError, NotImplementedError) as error:
        # The vectors are here, the model or its text tower is not: verdicts need neither.
        logger.info("%s: no names from words: %s", baseline.name, error)
        return None
    known, vectors = _encoded[key]
    if len(known) < 2:
        return None
    few = draw_rows(len(scaled), baseline.random_state)
    return fit_words(known, vectors, unit_rows(baseline.scaling.undo(scaled[few])))


def _by_words(scaled: NDArray[np.float32], baseline: Baseline, words: Words | None) -> Name:
    if words is None or len(scaled) == 0:
        return Name()
    return group_name(unit_rows(baseline.scaling.undo(scaled)), words)


def _is_of_same_space(previous: Baseline, baseline: Baseline) -> bool:
    words, before = baseline.words, previous.words
    return (
        previous.fingerprint == baseline.fingerprint
        and previous.width == baseline.width
        and previous.scaling.kind == baseline.scaling.kind
        # Another vocabulary is there to give other names.
        and (None if words is None else words.names) == (None if before is None else before.names)
    )


def _of_cluster(table: ValueTable, cluster: int) -> ValueCounts:
    values = (*table.known, OTHER)
    inside = table.counts[:, cluster]
    outside = table.counts.sum(axis=1) - inside
    return ValueCounts(
        {v: n for v, n in zip(values, inside.tolist(), strict=True) if n},
        {v: n for v, n in zip(values, outside.tolist(), strict=True) if n},
    )


def _outside(table: ValueTable) -> dict[str, int]:
    values = (*table.known, OTHER)
    return dict(zip(values, table.counts.sum(axis=1).tolist(), strict=True))
