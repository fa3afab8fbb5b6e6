"""What is wrong with a config: one line for each thing, with where it stands and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError

from monitor.errors import MonitorError
from monitor.validation import KeyPath, details, dotted, keys_at, sentence

MOST_SHOWN: Final = 20


class FaultAt(ValueError):
    """A rule that two fields break together, reported at the one to be changed.

    Parameters
    ----------
    path
        That field, below the model whose validator raises.
    message
        What is wrong, allowed, and to be done.
    """

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    path
        The key or item, empty for the whole config.
    message
        The value seen, what is allowed and how to go on.
    """

    path: KeyPath
    message: str

    @property
    def place(self) -> str:
        """The path as it is written in Python, such as `features[0].n_clusters`."""
        return dotted(self.path)


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Each thing that `error` says about a dictionary meant for `model`, in its order."""
    faults: list[Fault] = []
    for detail in details(error):
        path: KeyPath = detail["loc"]
        cause = detail.get("ctx", {}).get("error")
        inner = _inside(cause)
        if isinstance(cause, FaultAt):
            faults.append(Fault((*path, *cause.path), str(cause)))
        elif inner is not None:
            owner = _model_named(inner.title)
            faults += [
                Fault((*path, *fault.path), fault.message) for fault in faults_of(inner, owner)
            ]
        else:
            faults.append(Fault(path, sentence(detail, keys_at(model, path))))
    return faults


def in_words(faults: Sequence[Fault], name: str, lines: Mapping[KeyPath, int]) -> str:
    """The faults as one message: one line if there is one, else a line for each.

    Examples
    --------
    >>> fault = Fault(("drift", "every"), "'1y' is not a length of time")
    >>> in_words([fault], "monitor.yaml", {("drift", "every"): 9})
    "monitor.yaml, line 9, drift.every: '1y' is not a length of time"
    """
    in_order = sorted(faults, key=lambda fault: line_of(fault.path, lines) or 0)
    sentences = [_located(fault, lines) for fault in in_order[:MOST_SHOWN]]
    if len(faults) == 1:
        return ", ".join([name, *sentences]) if faults[0].path else f"{name}: {sentences[0]}"
    counted = f"{len(faults):,} mistakes"
    if len(faults) > MOST_SHOWN:
        counted += f"; the first {MOST_SHOWN}"
    return "\n  ".join([f"{name} holds {counted}:", *sentences])


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of `path`, or of the nearest thing around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _located(fault: Fault, lines: Mapping[KeyPath, int]) -> str:
    line = line_of(fault.path, lines)
    where = ", ".join([*([f"line {line}"] if line else []), *([fault.place] if fault.path else [])])
    return f"{where}: {fault.message}" if where else fault.message


def _inside(cause: object) -> ValidationError | None:
    """The faults, field by field, that an error of ours was made from."""
    if not isinstance(cause, MonitorError):
        return None
    inner = cause.__cause__ or cause.__context__
    return inner if isinstance(inner, ValidationError) else None


def _model_named(title: str) -> type[BaseModel]:
    from monitor.features import CustomFeature
    from monitor.images.policy import SourcePolicy

    known = {kind.__name__: kind for kind in CustomFeature.kinds().values()}
    model: type[BaseModel] = known.get(title, SourcePolicy)
    return model
