"""What is monitored: frozen descriptions of image, text and vector columns.

::

    CustomFeature
    ├── VectorFeature             a column of ready-made vectors
    │   ├── TextEmbedding         vectors of a text column
    │   └── ImageEmbedding        vectors of an image column, which we compute
    ├── Multivariate              several numeric columns together
    └── Enrichment                columns derived elsewhere; kept, not monitored

A feature is a value: it compares, hashes, pickles and goes through JSON and YAML unchanged.
"""

from monitor.features.base import CustomFeature, CustomFeatureType
from monitor.features.checks import check_features
from monitor.features.family import (
    ClusteredFeature,
    Enrichment,
    Multivariate,
    TextEmbedding,
    VectorFeature,
)
from monitor.features.image import DEFAULT_MODEL, DEFAULT_PRETRAINED, ImageEmbedding
from monitor.features.origin import OriginKind, VectorOrigin

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_PRETRAINED",
    "ClusteredFeature",
    "CustomFeature",
    "CustomFeatureType",
    "Enrichment",
    "ImageEmbedding",
    "Multivariate",
    "OriginKind",
    "TextEmbedding",
    "VectorFeature",
    "VectorOrigin",
    "check_features",
]
