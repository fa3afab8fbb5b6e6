"""The verbs as methods of a data frame: `frame.monitor.embed(…)`, for pandas and polars.

::

    import monitor

    embedded = photos.monitor.embed(feature)
    baseline = embedded.monitor.fit_baseline(feature)
    report = later.monitor.embed(feature).monitor.drift(baseline)

`import monitor` sees to it: frames of a library that is loaded get the verbs at once, those of one that is
loaded later get them then. Neither is loaded for that.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from monitor.clusters import Baseline
    from monitor.features import CustomFeature
    from monitor.reports import DriftReport

NAME: Final = "monitor"
"""The attribute of a frame."""
_REGISTRARS: Final = {
    "pandas": ("pandas.api.extensions", "register_dataframe_accessor"),
    "polars": ("polars.api", "register_dataframe_namespace"),
}
"""Where each library of frames takes such an attribute."""


class FrameVerbs:
    """What `monitor` does with one data frame.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
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


class _OnImport(MetaPathFinder):
    """Finds pandas and polars as Python does, and registers the verbs once they are loaded."""

    def find_spec(
        self, name: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the library lies; None for all others, which the next finder finds."""
        spec = PathFinder.find_spec(name, path) if name in _REGISTRARS else None
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module: ModuleType) -> None:
                load(module)
                _register(name)

            spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec


def install() -> None:
    """Give the verbs to the frames of the libraries that are loaded, now or later; once is enough."""
    for library in _REGISTRARS:
        if library in sys.modules:
            _register(library)
    if not any(isinstance(finder, _OnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OnImport())


def _register(library: str) -> None:
    module, function = _REGISTRARS[library]
    getattr(import_module(module), function)(NAME)(FrameVerbs)
