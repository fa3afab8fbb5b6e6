from .distance import DistanceContract as DistanceContract
from .encoder import EncoderContract as EncoderContract
from .executor import ExecutorContract as ExecutorContract
from .fakes import FakeEncoder as FakeEncoder
from .fakes import MemorySource as MemorySource
from .fakes import pictures as pictures
from .source import SourceContract as SourceContract
