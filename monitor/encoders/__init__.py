"""Pixels or text to unit vectors: which model, and the model itself.

`ImageSpace` and `EncoderSpec` describe (small, frozen, picklable); `load_encoder` turns a description
into an `Encoder`. Only loading imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.encoders.registry import Encoder, load_encoder, register_handler
    from monitor.encoders.space import ImageSpace, TransformationConfig
    from monitor.encoders.spec import EmbeddingEngineConfig, EncoderSpec, ModelHandler

_HOME = {
    "EmbeddingEngineConfig": "spec",
    "Encoder": "registry",
    "EncoderSpec": "spec",
    "ImageSpace": "space",
    "ModelHandler": "spec",
    "TransformationConfig": "space",
    "load_encoder": "registry",
    "register_handler": "registry",
}

__all__ = [
    "EmbeddingEngineConfig",
    "Encoder",
    "EncoderSpec",
    "ImageSpace",
    "ModelHandler",
    "TransformationConfig",
    "load_encoder",
    "register_handler",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
