# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from .decoded import DecodedImage as DecodedImage
from .decoding import decode as decode
from .policy import SourcePolicy as SourcePolicy
from .raw import RawImage as RawImage
from .reader import ImageReader as ImageReader
from .reader import source_key as source_key
