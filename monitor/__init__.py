"""Know whether the images your model sees have changed, how sure that is, and what changed.

::

    photos = monitor.ImageEmbedding(
        name="image_feature", source_column="image_url", column="image_embedding"
    )
    baseline = monitor.fit_baseline(monitor.embed(train, photos), photos)
    report = monitor.detect_drift(
        monitor.embed(prod, photos), baseline, timestamp_column="ts", every="1d"
    )

Every public name is listed in `__all__` and loaded on first use: `import monitor` alone loads neither
torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor import errors as errors
    from monitor.clusters import Baseline as Baseline
    from monitor.config import MonitoringConfig as MonitoringConfig
    from monitor.encoders import EmbeddingEngineConfig as EmbeddingEngineConfig
    from monitor.encoders import ImageSpace as ImageSpace
    from monitor.encoders import ModelHandler as ModelHandler
    from monitor.failures import Failure as Failure
    from monitor.features import CustomFeature as CustomFeature
    from monitor.features import CustomFeatureType as CustomFeatureType
    from monitor.features import Enrichment as Enrichment
    from monitor.features import ImageEmbedding as ImageEmbedding
    from monitor.features import Multivariate as Multivariate
    from monitor.features import TextEmbedding as TextEmbedding
    from monitor.features import VectorFeature as VectorFeature
    from monitor.images import SourcePolicy as SourcePolicy
    from monitor.pipeline import detect_drift as detect_drift
    from monitor.pipeline import embed as embed
    from monitor.pipeline import fit_baseline as fit_baseline
    from monitor.reports import DriftReport as DriftReport
    from monitor.schema import Blob as Blob
    from monitor.schema import DescribedBlob as DescribedBlob
    from monitor.schema import Float as Float
    from monitor.schema import IdField as IdField
    from monitor.schema import Integer as Integer
    from monitor.schema import Schema as Schema
    from monitor.schema import String as String
    from monitor.schema import Timestamp as Timestamp

__version__ = "0.1.0"

_HOME = {
    "Baseline": "clusters",
    "Blob": "schema",
    "CustomFeature": "features",
    "CustomFeatureType": "features",
    "DescribedBlob": "schema",
    "DriftReport": "reports",
    "EmbeddingEngineConfig": "encoders",
    "Enrichment": "features",
    "Failure": "failures",
    "IdField": "schema",
    "Float": "schema",
    "ImageEmbedding": "features",
    "ImageSpace": "encoders",
    "ModelHandler": "encoders",
    "MonitoringConfig": "config",
    "Integer": "schema",
    "Multivariate": "features",
    "Schema": "schema",
    "SourcePolicy": "images",
    "String": "schema",
    "TextEmbedding": "features",
    "Timestamp": "schema",
    "VectorFeature": "features",
    "detect_drift": "pipeline",
    "embed": "pipeline",
    "fit_baseline": "pipeline",
}

__all__ = [*_HOME, "errors"]


def __getattr__(name: str) -> object:
    if name == "errors":
        return import_module("monitor.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'monitor' has no attribute {name!r}")
    return getattr(import_module(f"monitor.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
