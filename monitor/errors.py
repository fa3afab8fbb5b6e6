"""Every error that `monitor` raises, in one tree; and the hint that several messages give.

::

    MonitorError
    ├── InvalidFeatureError        (ValueError)   a feature that cannot be registered
    ├── MissingFeatureTypeError    (KeyError)     a feature's dictionary without `type`
    ├── InvalidSchemaError         (ValueError)   a schema that declares its columns wrongly
    ├── InvalidSpaceParamError     (ValueError)   an image space built from things that do not go together
    ├── InvalidInputError          (ValueError)   an input of the wrong kind or size
    ├── PolicyError                (ValueError)   a source policy that contradicts itself
    ├── ConfigError                (ValueError)   a monitoring config that does not hold
    ├── MissingColumnError         (KeyError)     a column that the data does not have
    ├── TimestampError             (ValueError)   timestamps that cannot be placed in windows
    ├── EncoderError               (RuntimeError) a model that does not do what was asked
    │   ├── ModelNotFoundError     (FileNotFoundError) weights that are not on this machine
    │   └── MissingWeightsError    (ValueError)   a model that would run on random weights
    ├── MissingExtraError          (ImportError)  an optional package that is not installed
    ├── BaselineError              (ValueError)   a baseline that cannot be fitted, read or used
    │   └── FingerprintMismatchError              vectors of another encoder
    ├── UnknownNameError           (KeyError)     a name that neither we nor a plug-in knows
    ├── PluginError                (ValueError)   a plug-in that will not do
    ├── ReportError                (ValueError)   a report that cannot be written or read
    ├── MetricsError               (RuntimeError) metrics that cannot be written or served
    ├── DeliveryError              (RuntimeError) an alert that a channel did not take
    └── StoreError                 (RuntimeError) a store that cannot be opened, read or written
        └── LeaseLostError                        a window that another worker has taken over

Each is also the builtin that a caller expects, so `except ValueError` keeps working. A message says
what was wrong, the value seen, what is allowed and how to go on. One bad image is not an exception but a
row with a reason: see `monitor.failures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def close_names(name: str, known: Iterable[object], *, at_most: int = 1) -> list[str]:
    """Those of `known` that `name` may have been meant for, the closest first, in whatever case.

    What is not text is passed over: a frame's columns may be numbers.

    Examples
    --------
    >>> close_names("VIT-B-32", ["RN50", "ViT-B-32", 7])
    ['ViT-B-32']
    """
    lower = {text.lower(): text for text in known if isinstance(text, str)}
    return [lower[match] for match in get_close_matches(name.lower(), lower, n=at_most)]


def did_you_mean(name: str, known: Iterable[object]) -> str:
    """A question to put before the allowed names, with a space after it; empty if no name is close.

    Examples
    --------
    >>> did_you_mean("driff", ["drift", "embed"]) + "allowed: drift, embed"
    "did you mean 'drift'? allowed: drift, embed"
    >>> did_you_mean("zebra", ["drift", "embed"])
    ''
    """
    close = close_names(name, known)
    return f"did you mean {close[0]!r}? " if close else ""


class MonitorError(Exception):
    """Root of the tree: catch this to catch every error of ours."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; our messages are sentences.
        return str(self.args[0]) if self.args else ""


class InvalidFeatureError(MonitorError, ValueError):
    """A feature that cannot be registered."""


class MissingFeatureTypeError(MonitorError, KeyError):
    """A feature's dictionary without `type`."""


class InvalidSchemaError(MonitorError, ValueError):
    """A schema that declares its columns wrongly."""


class InvalidSpaceParamError(MonitorError, ValueError):
    """An image space built from things that do not go together."""


class InvalidInputError(MonitorError, ValueError):
    """An input of the wrong kind or size."""


class PolicyError(MonitorError, ValueError):
    """A source policy that contradicts itself."""


class ConfigError(MonitorError, ValueError):
    """A monitoring config that does not hold."""


class MissingColumnError(MonitorError, KeyError):
    """A column that the data does not have."""


class TimestampError(MonitorError, ValueError):
    """Timestamps that cannot be placed in windows."""


class EncoderError(MonitorError, RuntimeError):
    """A model that does not do what was asked."""


class ModelNotFoundError(EncoderError, FileNotFoundError):
    """Weights that are not on this machine and cannot be fetched."""


class MissingWeightsError(EncoderError, ValueError):
    """A model that would run on random weights."""


class MissingExtraError(MonitorError, ImportError):
    """An optional package that is not installed."""

    @classmethod
    def of(cls, package: str, extra: str) -> MissingExtraError:
        """The error for `package`, which the extra `extra` brings."""
        return cls(
            f"the package {package!r} is not installed; it comes with the extra {extra!r}: "
            f"pip install 'embedding-monitor[{extra}]'"
        )


class BaselineError(MonitorError, ValueError):
    """A baseline that cannot be fitted, read or used."""


class TooFewRowsError(BaselineError):
    """Rows that are too few to fit a baseline on.

    Parameters
    ----------
    message
        A sentence.
    least
        How many are needed.
    """

    def __init__(self, message: str, least: int = 1) -> None:
        super().__init__(message)
        self.least = least


class FingerprintMismatchError(BaselineError):
    """Vectors of another encoder than the one the baseline was fitted on."""


class CacheError(MonitorError, ValueError):
    """A vector cache that is damaged, of another program, or kept locked."""


class UnknownNameError(MonitorError, KeyError):
    """A name that neither we nor a plug-in knows."""


class PluginError(MonitorError, ValueError):
    """A plug-in that cannot be imported, or that brings something else than what was asked for."""


class ReportError(MonitorError, ValueError):
    """A report that cannot be written or read."""


class MetricsError(MonitorError, RuntimeError):
    """Metrics that cannot be written or served."""


class DeliveryError(MonitorError, RuntimeError):
    """An alert that a channel did not take."""


class StoreError(MonitorError, RuntimeError):
    """A store that cannot be opened, read or written."""


class LeaseLostError(StoreError):
    """A window that another worker has taken over, so that this one's result is refused."""
