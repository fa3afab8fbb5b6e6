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
torch nor pandas. Frames of pandas and polars get the verbs, too: `frame.monitor.embed(…)`.
"""

from importlib import import_module

from lazy_loader import attach_stub

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

import_module("monitor.accessors").install()
