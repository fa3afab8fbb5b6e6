"""What comes of a claim that becomes no result, and of a whole pass."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from monitor.store import Claim, JudgedWindow
from monitor.windows import Window


class NoRowsYet(Exception):
    """A window lacks rows, which may be late: it is looked at again at `again`, last at `until`."""

    def __init__(self, again: dt.datetime, until: dt.datetime, what: str = "no rows yet") -> None:
        super().__init__(f"{what}: waited for until {until.isoformat(timespec='minutes')}")
        self.again = again


class NoBaselineYet(Exception):
    """A window has too few rows before it for a baseline that moves along: no failure, but how data begin."""


@dataclass(frozen=True)
class Failed:
    """A window that could not be judged, and why."""

    feature: str
    period: Window
    error: Exception


@dataclass(frozen=True)
class Pass:
    """What one pass did.

    Parameters
    ----------
    judged
        The claims that became results, with these.
    failed
        The windows that could not be judged, or not be looked at for late rows.
    waiting
        The windows without rows, or without rows before them, that are looked at again later.
    skipped
        The windows that are not judged, because too few rows came before them, and why.
    refused
        The claims that other workers had taken over before they were done.
    """

    judged: list[tuple[Claim, JudgedWindow]] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    waiting: list[Claim] = field(default_factory=list)
    skipped: list[tuple[Claim, NoBaselineYet]] = field(default_factory=list)
    refused: list[Claim] = field(default_factory=list)
