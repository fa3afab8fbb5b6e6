# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from .carried import CarriedCache as CarriedCache
from .database import remove as remove
from .records import CachedVector as CachedVector
from .records import KnownFailure as KnownFailure
from .records import KnownSource as KnownSource
from .store import CacheInfo as CacheInfo
from .store import VectorCache as VectorCache
