"""Pixels or text to unit vectors: which model, and the model itself.

`ImageSpace` and `EncoderSpec` describe (small, frozen, picklable); `load_encoder` turns a description
into an `Encoder`. Only loading imports torch.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
