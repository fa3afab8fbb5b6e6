# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from . import errors as errors
from .clusters import Baseline as Baseline
from .config import MonitoringConfig as MonitoringConfig
from .encoders import EmbeddingEngineConfig as EmbeddingEngineConfig
from .encoders import ImageSpace as ImageSpace
from .encoders import ModelHandler as ModelHandler
from .failures import Failure as Failure
from .features import CustomFeature as CustomFeature
from .features import CustomFeatureType as CustomFeatureType
from .features import Enrichment as Enrichment
from .features import ImageEmbedding as ImageEmbedding
from .features import Multivariate as Multivariate
from .features import TextEmbedding as TextEmbedding
from .features import VectorFeature as VectorFeature
from .images import SourcePolicy as SourcePolicy
from .pipeline.detect import detect_drift as detect_drift
from .pipeline.embed import embed as embed
from .pipeline.fit import fit_baseline as fit_baseline
from .reports import DriftReport as DriftReport
from .schema import Blob as Blob
from .schema import DescribedBlob as DescribedBlob
from .schema import Float as Float
from .schema import IdField as IdField
from .schema import Integer as Integer
from .schema import Schema as Schema
from .schema import String as String
from .schema import Timestamp as Timestamp
from .sources import images_frame as images_frame

__version__: str
