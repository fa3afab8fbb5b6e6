"""The verbs as methods of a data frame: `frame.monitor.embed(…)`, for pandas and polars.

::

    import monitor.accessors

    embedded = photos.monitor.embed(feature)
    baseline = embedded.monitor.fit_baseline(feature)
    report = later.monitor.embed(feature).monitor.drift(baseline)
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.clusters import Baseline
    from monitor.features import CustomFeature
    from monitor.reports import DriftReport

NAME: Final = "monitor"
"""The attribute of a frame."""


class FrameVerbs:
    """What `monitor` does with one data frame.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
    >>> import monitor.accessors
    >>> rng = np.random.default_rng(0)
    >>> calm = pd.DataFrame({"vector": list(rng.normal(size=(400, 16)))})
    >>> points = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
    >>> calm.monitor.drift(calm.monitor.fit_baseline(points)).has_drift
    False
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def embed(self, feature: CustomFeature, **options: Any) -> Any:
        """A copy of the frame with the vectors of a column; `options` as `monitor.embed` takes them."""
        from monitor.pipeline.embed import embed

        return embed(self._frame, feature, **options)

    def fit_baseline(self, feature: CustomFeature, **options: Any) -> Baseline:
        """The clusters of a feature on this frame; `options` as `monitor.fit_baseline` takes them."""
        from monitor.pipeline.fit import fit_baseline

        return fit_baseline(self._frame, feature, **options)

    def drift(self, baseline: Baseline | Sequence[Baseline], **options: Any) -> DriftReport:
        """This frame judged against a baseline; `options` as `monitor.detect_drift` takes them."""
        from monitor.pipeline.detect import detect_drift

        return detect_drift(self._frame, baseline, **options)


def _register() -> None:
    import pandas as pd

    pd.api.extensions.register_dataframe_accessor(NAME)(FrameVerbs)
    if find_spec("polars") is not None:
        import polars as pl

        pl.api.register_dataframe_namespace(NAME)(FrameVerbs)


_register()
