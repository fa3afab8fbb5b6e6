# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from .registry import Encoder as Encoder
from .registry import load_encoder as load_encoder
from .registry import register_handler as register_handler
from .space import ImageSpace as ImageSpace
from .space import TransformationConfig as TransformationConfig
from .spec import EmbeddingEngineConfig as EmbeddingEngineConfig
from .spec import EncoderSpec as EncoderSpec
from .spec import ModelHandler as ModelHandler
