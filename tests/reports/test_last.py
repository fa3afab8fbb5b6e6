"""The newest part of a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.errors import InvalidInputError
from monitor.reports import DriftReport

from .samples import detected_report, long_report, quiet_report, segmented_report


def test_the_last_days_are_kept() -> None:
    year = long_report(365)

    assert year.last(30).windows == year.windows[-30:]
    assert year.last(365).windows == year.windows
    assert year.last(1_000).windows == year.windows
    assert year.last(30).features == year.features


def test_a_window_that_reaches_into_them_is_kept() -> None:
    assert len(detected_report().last(0.1).windows) == 1
    assert len(detected_report().last(1.5).windows) == 2


def test_segments_are_cut_as_well() -> None:
    assert [w.segment for w in segmented_report().last(1).windows] == [None, "Berlin", "København"]


def test_rows_without_times_stay() -> None:
    windows = tuple(replace(w, start=None, end=None) for w in quiet_report().windows)

    assert replace(quiet_report(), windows=windows).last(30).windows == windows
    assert DriftReport((), ()).last(30).windows == ()


@pytest.mark.parametrize("days", [0, -1, float("nan")])
def test_no_time_at_all(days: float) -> None:
    with pytest.raises(InvalidInputError, match="give days above 0"):
        quiet_report().last(days)
